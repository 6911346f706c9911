/* reshed-bench - the speed of the engine and of its parts, beside that of others. */
#include <stdlib.h>
#include <string.h>

#include "tools/bench/report.h"
#include "tools/cli/engine.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/temp.h"
#include "base/parallel.h"
#include "benchmarks/random_model.h"
#include "imgproc/image/normalise.h"
#include "infer/ensemble.h"
#include "io/weights/weights.h"
#include "nn/plan.h"

static const cli_program self = {
    "reshed-bench",
    "Usage: reshed-bench [OPTION]...\n"
    "\n"
    "Measures the inference of an ensemble: normalisation, all networks, mean and variance.\n"
    "LIST is one number or several, with commas: each combination is measured.\n"
    "\n"
    "      --net=NAME         reshednet (default), unet, dilnet or segresnet, of AtomAI's usual "
    "depth\n"
    "      --filters=F        channels of the first level of the networks (64; 16, 25, 32)\n"
    "      --members=N        networks of the ensemble (10)\n"
    "      --size=LIST        side of the square image in pixels (256)\n"
    "  -j, --threads=LIST     default: all processors\n"
    "      --runs=N           timed runs, after a warm-up (7)\n"
    "      --algo=NAME        auto (default), winograd, direct, gemm (OpenBLAS)\n"
    "      --precision=NAME   fp32 (default), bf16; not with --peers\n"
    "  -w, --weights=FILE     measure this ensemble instead of a random one\n"
    "      --seed=N           of the random weights and the image (1)\n"
    "      --check-table      every instruction set, algorithm and precision in turns with the\n"
    "                         default: is what the engine's table says of them true here?\n"
    "      --layers           where the time goes, by layer and phase\n"
    "      --kernels[=TEXT]   the inner loops and single steps of the analysis one by one, on one\n"
    "                         thread; only those with TEXT in their name\n"
    "      --stream           a frame scanned line by line: milliseconds a line, with and without\n"
    "                         the provisional front, 1 and 4 lines at a time\n"
    "      --peers            PyTorch and ONNX Runtime run by run beside ours: same weights,\n"
    "                         image and threads; with --kernels also scikit-image and scipy.\n"
    "                         `make peers` installs them\n"
    "      --python=PROGRAM   with PyTorch and h5py (/usr/bin/python3, else python3)\n"
    "      --node=PROGRAM     Node.js (node)\n"
    "      --json             one JSON object per measurement on standard output\n"
    "      --quiet            no remarks on standard error\n"
    "      --help             print this text\n"
    "      --version          print the version, the instruction set in use and the BLAS\n"
    "\n"
    "RESHED_ISA=generic|neon|avx2|avx512 forces an instruction set. Effective GFLOP/s count the\n"
    "multiplications and additions of direct convolution, whatever the algorithm saves.\n"
    "\n"
    "Exit status: 0 done, 1 failed (a missing peer is no failure; one that disagrees is, and so is "
    "a\n"
    "line of the table that is wrong), 2 wrong usage.\n"};

#define MAX_LIST 16

typedef struct list {
    int n;
    int value[MAX_LIST];
} list;

typedef struct options {
    long filters, members, runs, seed;
    list sizes, threads;
    rs_engine_options engine; /* threads: one of the list at a time */
    rs_net net;
    const char *weights, *python, *node;
    const char *kernels; /* NULL: none; "": all */
    bool layers, stream, peers, json, quiet, check_table;
} options;

/* --------------------------------------------------------------------------------- command line */

static bool parse_list(const char *option, char *text, long lo, long hi, list *out)
{
    out->n = 0;
    for (char *p = text, *next; p; p = next) {
        long v;
        next = strchr(p, ',');
        if (next) *next++ = '\0';
        if (!cli_int(&self, option, p, lo, hi, &v)) return false;
        if (out->n == MAX_LIST) {
            cli_usage_error(&self, "%s: more than %d numbers", option, MAX_LIST);
            return false;
        }
        out->value[out->n++] = (int)v;
    }
    return true;
}

enum {
    OPT_FILTERS = CLI_OPT_FIRST,
    OPT_NET,
    OPT_MEMBERS,
    OPT_SIZE,
    OPT_RUNS,
    OPT_ALGO,
    OPT_PRECISION,
    OPT_SEED,
    OPT_CHECK_TABLE,
    OPT_LAYERS,
    OPT_KERNELS,
    OPT_STREAM,
    OPT_PEERS,
    OPT_PYTHON,
    OPT_NODE
};

/* AtomAI's usual networks. */
static const struct {
    const char *name;
    int filters, layers[4];
} nets[] = {[RS_RESHEDNET] = {"reshednet", 64, {3, 4, 5}},
            [RS_UNET] = {"unet", 16, {1, 2, 2, 3}},
            [RS_DILNET] = {"dilnet", 25, {1, 3, 3, 1}},
            [RS_SEGRESNET] = {"segresnet", 32, {2, 2, 2}}};

static bool parse_net(const char *text, rs_net *out)
{
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (strcmp(text, nets[i].name) == 0) {
            *out = (rs_net)i;
            return true;
        }
    cli_usage_error(&self, "--net: expected reshednet, unet, dilnet or segresnet, found '%s'",
                    text);
    return false;
}

/* One option that takes a value; false after a message. */
static bool parse_value(int c, char *text, options *o)
{
    switch (c) {
    case OPT_NET: return parse_net(text, &o->net);
    case OPT_FILTERS: return cli_int(&self, "--filters", text, 1, 1024, &o->filters);
    case OPT_MEMBERS: return cli_int(&self, "--members", text, 1, 1024, &o->members);
    case OPT_SIZE: return parse_list("--size", text, 4, RS_PLAN_MAX_SIDE, &o->sizes);
    case 'j': return parse_list("--threads", text, 1, BENCH_MAX_THREADS, &o->threads);
    case OPT_RUNS: return cli_int(&self, "--runs", text, 1, BENCH_MAX_RUNS - 1, &o->runs);
    case OPT_ALGO: return cli_algo(&self, text, &o->engine.algo);
    case OPT_PRECISION: return cli_precision(&self, text, &o->engine.precision);
    case OPT_SEED: return cli_int(&self, "--seed", text, 0, 1L << 30, &o->seed);
    case 'w': o->weights = text; return true;
    case OPT_PYTHON: o->python = text; return true;
    case OPT_NODE: o->node = text; return true;
    default: return false;
    }
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, options *o)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"net", required_argument, NULL, OPT_NET},
                                          {"filters", required_argument, NULL, OPT_FILTERS},
                                          {"members", required_argument, NULL, OPT_MEMBERS},
                                          {"size", required_argument, NULL, OPT_SIZE},
                                          {"threads", required_argument, NULL, 'j'},
                                          {"runs", required_argument, NULL, OPT_RUNS},
                                          {"algo", required_argument, NULL, OPT_ALGO},
                                          {"precision", required_argument, NULL, OPT_PRECISION},
                                          {"weights", required_argument, NULL, 'w'},
                                          {"seed", required_argument, NULL, OPT_SEED},
                                          {"check-table", no_argument, NULL, OPT_CHECK_TABLE},
                                          {"layers", no_argument, NULL, OPT_LAYERS},
                                          {"kernels", optional_argument, NULL, OPT_KERNELS},
                                          {"stream", no_argument, NULL, OPT_STREAM},
                                          {"peers", no_argument, NULL, OPT_PEERS},
                                          {"python", required_argument, NULL, OPT_PYTHON},
                                          {"node", required_argument, NULL, OPT_NODE},
                                          {0}};
    for (int c; (c = cli_option(&self, argc, argv, "j:w:", longs)) != -1;) {
        switch (c) {
        case CLI_OPT_HELP: return cli_help(&self);
        case CLI_OPT_VERSION: return cli_engine_version(&self);
        case CLI_OPT_ERROR: return CLI_USAGE;
        case CLI_OPT_QUIET: o->quiet = true; break;
        case CLI_OPT_JSON: o->json = true; break;
        case OPT_CHECK_TABLE: o->check_table = true; break;
        case OPT_LAYERS: o->layers = true; break;
        case OPT_KERNELS: o->kernels = optarg ? optarg : ""; break;
        case OPT_STREAM: o->stream = true; break;
        case OPT_PEERS: o->peers = true; break;
        default:
            if (!parse_value(c, optarg, o)) return CLI_USAGE;
            break;
        }
    }
    if (optind < argc) return cli_usage_error(&self, "unexpected argument '%s'", argv[optind]);
    if (!cli_engine_check(&self, &o->engine)) return CLI_USAGE;
    if (o->stream && o->sizes.value[0] < 16)
        return cli_usage_error(&self, "--stream: sizes from 16 on");
    if (o->engine.precision == RS_BF16 && o->peers)
        return cli_usage_error(&self, "--peers compares fp32 with fp32");
    cli_settle_precision(&self, o->quiet, &o->engine.precision);
    return -1;
}

/* ------------------------------------------------------------------------------ one measurement */

/* Everything that one call of the program holds. */
typedef struct bench {
    const options *o;
    bench_subject subject;
    rs_ensemble *ensemble; /* of the number of threads at work; with --stream with its weights */
    bench_result result[MAX_LIST * MAX_LIST];
    int results;
    char scripts[1024], tools[1024], home[1024], weights[1200]; /* for the peers */
    bool temporary_weights, temporary_home;
    bool disagreed, wrong;
} bench;

/* The maps of one size. */
typedef struct maps {
    float *raw, *image, *mean, *variance, *members;
} maps;

static void maps_clear(maps *m)
{
    rs_free(m->raw);
    rs_free(m->image);
    rs_free(m->mean);
    rs_free(m->variance);
    rs_free(m->members);
}

static reshed_status maps_make(const bench *b, int size, maps *m, reshed_error *err)
{
    const size_t n = (size_t)size * (size_t)size, all = n * (size_t)b->subject.arch.classes;
    m->raw = rs_alloc(n, sizeof(float));
    m->image = rs_alloc(n, sizeof(float));
    m->mean = rs_alloc(all, sizeof(float));
    m->variance = rs_alloc(all, sizeof(float));
    if (b->o->peers) m->members = rs_alloc(all * (size_t)b->subject.members, sizeof(float));
    if (!m->raw || !m->image || !m->mean || !m->variance || (b->o->peers && !m->members))
        return rs_fail_nomem(err, "the maps", all * sizeof(float));
    bench_random_image(m->raw, size, size, (uint64_t)b->o->seed);
    return RESHED_OK;
}

/* All that a user waits for: a frame in the instrument's units becomes mean and variance. */
static reshed_status infer(rs_plan *plan, const maps *m, size_t pixels, reshed_error *err)
{
    rs_norm_range range;
    memcpy(m->image, m->raw, pixels * sizeof *m->image);
    reshed_status st = rs_norm_range_frame(m->image, pixels, &range, err);
    if (st == RESHED_OK) st = rs_norm_apply(m->image, pixels, range, false, m->image, err);
    if (st == RESHED_OK) rs_plan_run(plan, m->image, m->mean, m->variance, m->members);
    return st;
}

static reshed_status run_all(bench *b, rs_plan *plan, const maps *m, bench_peer *peers,
                             bench_result *r, reshed_error *err)
{
    const size_t pixels = (size_t)r->size * (size_t)r->size;
    reshed_status st = infer(plan, m, pixels, err); /* warm-up */
    for (int i = 0; st == RESHED_OK && i < b->o->runs; i++) {
        const bench_clock start = bench_start();
        st = infer(plan, m, pixels, err);
        bench_stop(start, &r->times);
        for (int p = 0; peers && st == RESHED_OK && p < BENCH_PEERS; p++)
            if (peers[p].child) st = bench_peer_run(&peers[p], err);
    }
    return st;
}

static reshed_status compare_all(bench *b, const bench_peers_options *po, const maps *m,
                                 bench_peer *peers, int size, reshed_error *err)
{
    for (int p = 0; p < BENCH_PEERS; p++) {
        if (!peers[p].child) continue;
        reshed_status st = bench_peer_compare(&peers[p], po, m->members, b->subject.members, size,
                                              size, b->subject.arch.classes, err);
        if (st != RESHED_OK) return st;
        if (!(peers[p].difference <= 1e-3)) b->disagreed = true;
    }
    return RESHED_OK;
}

static reshed_status measure_layers(const bench *b, rs_plan *plan, const maps *m, bench_result *r,
                                    reshed_error *err)
{
    r->layers = rs_plan_schedule(plan)->stages + 3;
    bench_layer *l = rs_zalloc((size_t)r->layers, sizeof *l);
    if (!l) return rs_fail_nomem(err, "the layers", (size_t)r->layers * sizeof *l);
    r->layer = l;
    return bench_layers(plan, b->subject.members, r->threads, m->image, (int)b->o->runs, l, err);
}

static reshed_status measure_pieces(const bench *b, const bench_peers_options *po,
                                    const rs_kernels *k, bench_result *r, reshed_error *err)
{
    const bench_env env = {.kernels = k,
                           .filters = b->subject.arch.filters,
                           .size = r->size,
                           .seed = (uint64_t)b->o->seed,
                           .flush_bytes = BENCH_FLUSH_BYTES};
    char input[1200];
    rs_child *peer = NULL;
    bench_piece_result *p = NULL;
    reshed_status st = RESHED_OK;
    snprintf(input, sizeof input, "%s/bench_piece.npy", b->home);
    if (b->o->peers) st = bench_pieces_peer_start(po, &peer, err);
    r->piece_peak = bench_fma_peak(k, 1);
    if (st == RESHED_OK)
        st = bench_pieces_measure(&env, b->o->kernels, peer, input, &p, &r->pieces, err);
    r->piece = p;
    rs_child_end(peer);
    return st;
}

/* Whole images, ours and the peers', while a stream is being measured. */
typedef struct between {
    bench *b;
    rs_plan *plan;
    const maps *m;
    bench_peer *peers;
    bench_result *r;
    bench_times times; /* of ours */
} between;

static reshed_status run_between(void *ctx, reshed_error *err)
{
    between *w = ctx;
    const bench_clock start = bench_start();
    reshed_status st = infer(w->plan, w->m, (size_t)w->r->size * (size_t)w->r->size, err);
    bench_stop(start, &w->times);
    for (int p = 0; w->peers && st == RESHED_OK && p < BENCH_PEERS; p++)
        if (w->peers[p].child) st = bench_peer_run(&w->peers[p], err);
    return st;
}

static reshed_status measure_stream(bench *b, rs_plan *plan, const maps *m, bench_peer *peers,
                                    bench_result *r, reshed_error *err)
{
    between *w = rs_zalloc(1, sizeof *w);
    bench_stream_result *s = rs_zalloc((size_t)bench_stream_case_count, sizeof *s);
    reshed_status st = RESHED_OK;
    if (!w || !s) {
        rs_free(w);
        rs_free(s);
        return rs_fail_nomem(err, "the lines", sizeof *w);
    }
    *w = (between){.b = b, .plan = plan, .m = m, .peers = peers, .r = r};
    r->stream = s;
    st = bench_stream(&b->ensemble->model, b->subject.isa, r->threads, r->size, m->image,
                      (int)(b->o->runs < 3 ? b->o->runs : 3), run_between, w, s, err);
    for (int i = 0; st == RESHED_OK && i < bench_stream_case_count; i++)
        s[i].whole = bench_summarise(w->times.wall, w->times.n).median;
    rs_free(w);
    return st;
}

static void result_clear(bench_result *r)
{
    rs_free((void *)r->stream);
    rs_free((void *)r->layer);
    rs_free((void *)r->peers);
    rs_free((void *)r->piece);
}

/* Fills r, whose size and threads are set. The peers are there only for the time of this call. */
static reshed_status measure(bench *b, rs_plan *plan, const rs_kernels *k, bench_result *r,
                             reshed_error *err)
{
    const options *o = b->o;
    const bench_peers_options po = {.scripts = b->scripts,
                                    .tools = b->tools,
                                    .home = b->home,
                                    .python = o->python,
                                    .node = o->node,
                                    .quiet = o->quiet};
    const size_t pixels = (size_t)r->size * (size_t)r->size;
    maps m = {0};
    bench_peer *peers = NULL;
    reshed_status st = maps_make(b, r->size, &m, err);
    if (st == RESHED_OK) st = infer(plan, &m, pixels, err);
    if (st == RESHED_OK && o->peers) {
        peers = rs_zalloc(BENCH_PEERS, sizeof *peers);
        st = peers ? bench_peers_start(&po, b->weights, b->subject.members, m.image, r->size,
                                       r->size, r->threads, peers, err)
                   : rs_fail_nomem(err, "the peers", sizeof *peers);
        r->peers = peers;
    }
    const double before = bench_fma_peak(k, r->threads);
    if (st == RESHED_OK) st = run_all(b, plan, &m, peers, r, err);
    if (st == RESHED_OK && o->stream) st = measure_stream(b, plan, &m, peers, r, err);
    const double after = bench_fma_peak(k, r->threads);
    r->fma_peak = before > after ? before : after;
    if (st == RESHED_OK && peers) st = compare_all(b, &po, &m, peers, r->size, err);
    if (peers) bench_peers_end(peers);
    if (st == RESHED_OK && o->layers) st = measure_layers(b, plan, &m, r, err);
    if (st == RESHED_OK && o->kernels && b->results == 0) st = measure_pieces(b, &po, k, r, err);
    r->plan_bytes = rs_plan_bytes(plan);
    r->pack_seconds = rs_plan_pack_seconds(plan);
    r->peak_rss = rs_os_peak_rss();
    maps_clear(&m);
    return st;
}

/* The table of settings, instead of a measurement. */
static reshed_status check_table(bench *b, int size, int threads, reshed_error *err)
{
    bench_choice c[RS_CHOICES_MAX];
    maps m = {0};
    rs_norm_range range;
    int n = 0;
    const size_t pixels = (size_t)size * (size_t)size;
    reshed_status st = maps_make(b, size, &m, err);
    if (st == RESHED_OK) st = rs_norm_range_frame(m.raw, pixels, &range, err);
    if (st == RESHED_OK) st = rs_norm_apply(m.raw, pixels, range, false, m.image, err);
    if (st == RESHED_OK)
        st = bench_choices(&b->ensemble->model, b->subject.isa, threads, size, (int)b->o->runs,
                           m.image, c, &n, err);
    maps_clear(&m);
    if (st != RESHED_OK) return st;
    if (b->o->json)
        bench_json_choices(&b->subject, size, threads, c, n);
    else
        bench_print_choices(c, n);
    for (int i = 0; i < n; i++) b->wrong |= c[i].wrong;
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------- all measurements */

static reshed_status get_ensemble(bench *b, reshed_error *err)
{
    const options *o = b->o;
    bench_shape shape = {.members = (int)o->members,
                         .filters = o->filters ? (int)o->filters : nets[o->net].filters,
                         .classes = 1,
                         .upsampling = "bilinear",
                         .net = o->net};
    const double start = rs_os_monotonic();
    reshed_status st;
    memcpy(shape.layers, nets[o->net].layers, sizeof shape.layers);
    if (o->weights) {
        st = rs_ensemble_load(o->weights, &b->ensemble, err);
    } else {
        rs_model_file model = {0};
        st = bench_random_model(&shape, (uint64_t)o->seed, &model, err);
        if (st == RESHED_OK) st = rs_ensemble_of_model(&model, &b->ensemble, err);
        rs_model_file_clear(&model);
    }
    if (st != RESHED_OK) return st;
    b->subject.load_seconds = rs_os_monotonic() - start;
    b->subject.arch = b->ensemble->arch;
    b->subject.members = b->ensemble->model.members;
    return RESHED_OK;
}

/* The folder of the first of "prefix/name" that exists, for prefixes around the program; else the
 * last tried. */
static void find_near(const char *program, const char *name, char *buf, size_t n)
{
    static const char *const up[] = {"..", "../..", NULL};
    for (int i = 0;; i++) {
        snprintf(buf, n, "%s%s%s", up[i] ? program : "", up[i] ? "/" : ".", up[i] ? up[i] : "");
        size_t len = strlen(buf);
        snprintf(buf + len, n - len, "/%s", name);
        if (!up[i] || rs_os_is_file(buf)) break;
    }
    *strrchr(buf, '/') = '\0';
}

/* Finds the peers, and puts the ensemble into a file for them. */
static reshed_status prepare_peers(bench *b, reshed_error *err)
{
    char program[1024], installed[1100];
    if (!rs_os_program_dir(program, sizeof program)) snprintf(program, sizeof program, ".");
    find_near(program, "benchmarks/peers/torch_peer.py", b->scripts, sizeof b->scripts);
    find_near(program, "training/export_onnx.py", b->tools, sizeof b->tools);
    if (!b->temporary_home) {
        find_near(program, "build/peers/package.json", b->home, sizeof b->home);
        snprintf(installed, sizeof installed, "%s/package.json", b->home);
        /* PyTorch runs without `make peers`, too; it takes files from us */
        if (!rs_os_is_file(installed))
            b->temporary_home = rs_os_make_temp_dir(b->home, sizeof b->home);
    }
    if (b->o->weights) {
        snprintf(b->weights, sizeof b->weights, "%s", b->o->weights);
        return RESHED_OK;
    }
    if (b->temporary_weights) return RESHED_OK;
    snprintf(b->weights, sizeof b->weights, "%s/bench_weights.h5", b->home);
    reshed_status st = rs_weights_write_h5(b->weights, &b->ensemble->model, NULL, err);
    b->temporary_weights = st == RESHED_OK;
    return st;
}

/* The table for all sizes on one number of threads. */
static reshed_status check_tables(bench *b, int threads, const char **where, reshed_error *err)
{
    *where = b->o->weights;
    reshed_status st = get_ensemble(b, err);
    if (st == RESHED_OK) *where = NULL;
    if (st == RESHED_OK && !b->o->json && threads == b->o->threads.value[0])
        bench_print_subject(&b->subject);
    for (int i = 0; st == RESHED_OK && i < b->o->sizes.n; i++)
        st = check_table(b, b->o->sizes.value[i], threads, err);
    rs_ensemble_free(b->ensemble);
    b->ensemble = NULL;
    return st;
}

/* All sizes on one number of threads. */
static reshed_status measure_threads(bench *b, int threads, const char **where, reshed_error *err)
{
    const options *o = b->o;
    const int first = o->sizes.value[0];
    rs_plan *plan = NULL;
    rs_kernels k;
    *where = o->weights;
    reshed_status st = get_ensemble(b, err);
    if (st == RESHED_OK && o->peers) {
        *where = b->weights;
        st = prepare_peers(b, err);
    }
    *where = NULL;
    const rs_plan_options po = {.threads = threads,
                                .isa = b->subject.isa,
                                .algo = o->engine.algo,
                                .precision = o->engine.precision};
    if (st == RESHED_OK) {
        rs_model_file *model = &b->ensemble->model;
        st = rs_plan_create(model, o->stream ? NULL : model, first, first, &po, &plan, err);
    }
    if (!o->stream) {
        rs_ensemble_free(b->ensemble);
        b->ensemble = NULL;
    }
    rs_kernels_get(b->subject.isa, &k);
    if (st == RESHED_OK && b->results == 0) {
        b->subject.core_hz = bench_core_hz();
        if (!o->json) bench_print_subject(&b->subject);
    }
    for (int i = 0; st == RESHED_OK && i < o->sizes.n; i++) {
        bench_result *r = &b->result[b->results];
        *r = (bench_result){.size = o->sizes.value[i], .threads = threads};
        st = rs_plan_resize(plan, r->size, r->size, err);
        if (st == RESHED_OK) st = measure(b, plan, &k, r, err);
        if (st == RESHED_OK) {
            (o->json ? bench_json_result : bench_print_result)(&b->subject, r);
            fflush(stdout);
        }
        b->results++;
    }
    rs_ensemble_free(b->ensemble);
    b->ensemble = NULL;
    rs_plan_free(plan);
    return st;
}

int main(int argc, char **argv)
{
    options o = {.members = 10,
                 .runs = 7,
                 .seed = 1,
                 .sizes = {1, {256}},
                 .threads = {1, {rs_threads_or_all(0)}},
                 .python = rs_os_is_file("/usr/bin/python3") ? "/usr/bin/python3" : "python3",
                 .node = "node"};
    int status = parse(argc, argv, &o);
    if (status >= 0) return status;
    reshed_error err = {0};
    const char *where = NULL;
    bench *b = rs_zalloc(1, sizeof *b);
    reshed_status st = b ? RESHED_OK : rs_fail_nomem(&err, "the benchmark", sizeof *b);
    if (st == RESHED_OK) {
        b->o = &o;
        b->subject.algo = rs_algo_name(o.engine.algo);
        b->subject.precision = rs_precision_name(o.engine.precision);
        b->subject.weights = o.weights;
        b->subject.seed = (uint64_t)o.seed;
        rs_cpu_name(b->subject.cpu, sizeof b->subject.cpu);
        st = rs_isa_select(&b->subject.isa, &err);
    }
    for (int i = 0; st == RESHED_OK && i < o.threads.n; i++)
        st = (o.check_table ? check_tables : measure_threads)(b, o.threads.value[i], &where, &err);
    if (st == RESHED_OK && !o.json) bench_print_growth(&b->subject, b->result, b->results);
    if (st == RESHED_OK && b->disagreed)
        st = rs_fail(&err, RESHED_EINTERNAL, "a peer's output|within 1e-3 of ours|more");
    if (st == RESHED_OK && b->wrong)
        st = rs_fail(&err, RESHED_EINTERNAL,
                     "the table of settings|right on this processor|a line that is not");
    for (int i = 0; b && i < b->results; i++) result_clear(&b->result[i]);
    if (b && b->temporary_weights) rs_os_discard_temp(b->weights);
    if (b && b->temporary_home) rs_os_remove_dir(b->home);
    rs_free(b);
    status = cli_close(&self);
    return st == RESHED_OK ? status : cli_fail(&self, where, &err);
}
