/* reshed-infer - wall probability and its uncertainty from images, with an ensemble of networks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/find_weights.h"
#include "tools/infer/image.h"

#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "io/weights/model.h"
#include "io/weights/weights.h"
#include "nn/blas.h"

static const cli_program self = {
    "reshed-infer",
    "Usage: reshed-infer [OPTION]... IMAGE...\n"
    "\n"
    "Finds ferroelastic domain walls in piezoresponse amplitude images: the mean wall probability\n"
    "over an ensemble of ResHedNet networks, and its variance as the uncertainty. Reads PNG, NPY,\n"
    "Gwyddion GSF, Igor IBW and NSID HDF5.\n"
    "\n"
    "Without an output option, IMAGE.png gives IMAGE_mean.png, IMAGE_variance.png,\n"
    "IMAGE_overlay.png and IMAGE_walls.h5 beside it; with one, only what is asked for.\n"
    "\n"
    "  -w, --weights=FILE     reshed weights (HDF5) or AtomAI *_metadict.tar; else "
    "$RESHED_WEIGHTS,\n"
    "                         else the shipped ensemble\n"
    "      --mean=M.npy       write the mean, float32 (H,W), or (H,W,C) for C > 1 classes\n"
    "      --var=V.npy        write the variance, same shape\n"
    "      --h5=OUT.h5        write mean, variance, input and how they were made\n"
    "      --png=PREFIX       write PREFIX_mean.png, PREFIX_variance.png, PREFIX_overlay.png\n"
    "      --truth=LABEL      score against labelled walls (any image format, > 0 is wall)\n"
    "      --reliability=F.png  with --truth: draw predicted against true wall shares near walls\n"
    "  -c, --channel=NAME|N   channel of a file with several; default: the first amplitude\n"
    "      --norm=MODE        frame: min-max of the image (default); robust: between the 0.5 and\n"
    "                         99.5 percentiles, clipped; LO,HI: between two given values, clipped\n"
    "      --resample=MODE    auto: to square pixels of the trained size where the physical size "
    "is\n"
    "                         known (default); off; or a number: to that many nm per pixel\n"
    "      --algo=NAME        auto (default), winograd, direct, gemm (OpenBLAS)\n"
    "      --precision=NAME   fp32 (default), or bf16: a quick preview on processors with "
    "AVX512_BF16,\n"
    "                         emulated and slow on others; with --algo auto or winograd\n"
    "      --precision-check  with bf16: run fp32 as well and say how far apart they are\n"
    "  -j, --threads=N        default: all processors; the result does not depend on it\n"
    "      --json             one JSON object per image on standard output\n"
    "      --quiet            print nothing but errors\n"
    "      --help             print this text\n"
    "      --version          print the version, the instruction set in use and the BLAS\n"
    "\n"
    "RESHED_ISA=generic|avx2|avx512 forces an instruction set. Options that name one output file,\n"
    "and --truth, take one image. Wall fraction: pixels whose probability is above 0.4. With "
    "several\n"
    "classes the first is the background and pictures show one minus its probability.\n"
    "\n"
    "Exit status: 0 done, 1 some image failed (the others are done), 2 wrong usage.\n"};

typedef struct options {
    infer_request request;
    const char *weights;
    long threads;
    rs_algo algo;
    rs_precision precision;
    bool json, quiet;
} options;

static bool parse_norm(const char *text, infer_request *q)
{
    char *end;
    if (strcmp(text, "frame") == 0) {
        q->norm = INFER_FRAME;
        return true;
    }
    if (strcmp(text, "robust") == 0) {
        q->norm = INFER_ROBUST;
        return true;
    }
    q->norm = INFER_RANGE;
    q->lo = strtod(text, &end);
    if (end != text && *end == ',') {
        const char *second = end + 1;
        q->hi = strtod(second, &end);
        if (end != second && !*end && isfinite(q->lo) && isfinite(q->hi) && q->lo < q->hi)
            return true;
    }
    cli_usage_error(&self, "--norm: expected frame, robust or LO,HI with LO < HI, found '%s'",
                    text);
    return false;
}

static bool parse_algo(const char *text, rs_algo *algo)
{
    static const char *const names[] = {"auto", "winograd", "direct", "gemm"};
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *algo = (rs_algo)i;
            return true;
        }
    cli_usage_error(&self, "--algo: expected auto, winograd, direct or gemm, found '%s'", text);
    return false;
}

static bool parse_precision(const char *text, rs_precision *precision)
{
    for (int i = RS_FP32; i <= RS_BF16; i++)
        if (strcmp(text, infer_precision_name((rs_precision)i)) == 0) {
            *precision = (rs_precision)i;
            return true;
        }
    cli_usage_error(&self, "--precision: expected fp32 or bf16, found '%s'", text);
    return false;
}

static int version(void)
{
    rs_isa isa;
    reshed_error err = {0};
    if (rs_isa_select(&isa, &err) != RESHED_OK) return cli_fail(&self, NULL, &err);
    if (cli_version(&self) != CLI_OK) return CLI_FAILED;
    printf("instruction set: %s\nbf16: %s\nBLAS: %s\n", rs_isa_name(isa),
           rs_isa_has_bf16(isa) ? "AVX512_BF16" : "emulated", rs_blas_name());
    return cli_close(&self);
}

enum {
    OPT_MEAN = CLI_OPT_FIRST,
    OPT_VAR,
    OPT_H5,
    OPT_PNG,
    OPT_TRUTH,
    OPT_RELIABILITY,
    OPT_NORM,
    OPT_RESAMPLE,
    OPT_ALGO,
    OPT_PRECISION,
    OPT_PRECISION_CHECK
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, options *o)
{
    static const struct option longs[] = {
        CLI_COMMON_OPTIONS,
        {"weights", required_argument, NULL, 'w'},
        {"mean", required_argument, NULL, OPT_MEAN},
        {"var", required_argument, NULL, OPT_VAR},
        {"h5", required_argument, NULL, OPT_H5},
        {"png", required_argument, NULL, OPT_PNG},
        {"truth", required_argument, NULL, OPT_TRUTH},
        {"reliability", required_argument, NULL, OPT_RELIABILITY},
        {"channel", required_argument, NULL, 'c'},
        {"norm", required_argument, NULL, OPT_NORM},
        {"resample", required_argument, NULL, OPT_RESAMPLE},
        {"algo", required_argument, NULL, OPT_ALGO},
        {"precision", required_argument, NULL, OPT_PRECISION},
        {"precision-check", no_argument, NULL, OPT_PRECISION_CHECK},
        {"threads", required_argument, NULL, 'j'},
        {0}};
    infer_request *q = &o->request;
    reshed_error err = {0};
    for (int c; (c = cli_option(&self, argc, argv, "w:c:j:", longs)) != -1;) {
        switch (c) {
        case CLI_OPT_HELP: return cli_help(&self);
        case CLI_OPT_VERSION: return version();
        case CLI_OPT_ERROR: return CLI_USAGE;
        case CLI_OPT_QUIET: o->quiet = q->quiet = true; break;
        case CLI_OPT_JSON: o->json = true; break;
        case 'w': o->weights = optarg; break;
        case 'c': q->channel = optarg; break;
        case 'j':
            if (!cli_int(&self, "--threads", optarg, 1, 1024, &o->threads)) return CLI_USAGE;
            break;
        case OPT_MEAN: q->mean = optarg; break;
        case OPT_VAR: q->variance = optarg; break;
        case OPT_H5: q->h5 = optarg; break;
        case OPT_PNG: q->png = optarg; break;
        case OPT_TRUTH: q->truth = optarg; break;
        case OPT_RELIABILITY: q->reliability = optarg; break;
        case OPT_NORM:
            if (!parse_norm(optarg, q)) return CLI_USAGE;
            break;
        case OPT_RESAMPLE:
            if (rs_resample_parse(optarg, &q->resample, &err) != RESHED_OK) {
                char text[512];
                return cli_usage_error(&self, "--resample: %s",
                                       reshed_error_text(&err, text, sizeof text));
            }
            break;
        case OPT_ALGO:
            if (!parse_algo(optarg, &o->algo)) return CLI_USAGE;
            break;
        case OPT_PRECISION:
            if (!parse_precision(optarg, &o->precision)) return CLI_USAGE;
            break;
        case OPT_PRECISION_CHECK: q->check_precision = true; break;
        default: return CLI_USAGE;
        }
    }
    if (optind == argc) return cli_usage_error(&self, "no IMAGE given");
    if (o->precision == RS_BF16 && o->algo != RS_ALGO_AUTO && o->algo != RS_ALGO_WINOGRAD)
        return cli_usage_error(&self, "--precision bf16 goes with --algo auto or winograd");
    if (q->check_precision && o->precision == RS_FP32)
        return cli_usage_error(&self, "--precision-check goes with --precision bf16");
    if (q->reliability && !q->truth)
        return cli_usage_error(&self, "--reliability goes with --truth");
    q->defaults = !q->mean && !q->variance && !q->h5 && !q->png;
    if (argc - optind > 1 && (q->truth || !q->defaults))
        return cli_usage_error(&self,
                               "--mean, --var, --h5, --png and --truth take one image, %d given",
                               argc - optind);
    return -1;
}

/* Weights to engine; false after a message. */
static bool load(infer_engine *e, rs_model_file *model, const options *o)
{
    char path[4096];
    reshed_error err = {0};
    if (rs_isa_select(&e->options.isa, &err) != RESHED_OK) {
        cli_fail(&self, NULL, &err);
        return false;
    }
    if (!cli_find_weights(&self, o->weights, path, sizeof path)) return false;
    reshed_status st = rs_weights_load(path, model, &err);
    if (st == RESHED_OK) st = rs_arch_from_file(model, &e->arch, &err);
    if (st == RESHED_OK) st = rs_net_check(model, &err);
    if (st != RESHED_OK) {
        cli_fail(&self, path, &err);
        return false;
    }
    if (o->request.defaults || o->request.h5) rs_model_file_digest(model, e->digest);
    e->program = &self;
    e->model = model;
    e->options.threads = rs_threads_or_all((int)o->threads);
    e->options.algo = o->algo;
    e->options.precision = o->precision;
    if (o->precision == RS_BF16 && !rs_isa_has_bf16(e->options.isa) && !o->quiet)
        cli_warn(&self, NULL, "bf16 is emulated here, and slower than fp32");
    return true;
}

static void print_number(const char *key, double value)
{
    printf(", \"%s\": ", key);
    cli_json_number(stdout, value);
}

static void print_json(const char *path, const infer_engine *e, const infer_result *r)
{
    const struct {
        const char *key;
        double value;
    } number[] = {{"height", r->height},
                  {"width", r->width},
                  {"members", e->model->members},
                  {"mean_uncertainty", r->mean_uncertainty},
                  {"wall_fraction", r->wall_fraction},
                  {"seconds", r->seconds},
                  {"filled_pixels", (double)r->filled},
                  {"iou", r->iou}, /* from here on only with --truth */
                  {"edge_precision", r->edge.precision},
                  {"edge_recall", r->edge.recall},
                  {"edge_f", r->edge.f},
                  {"edge_f_1px", r->edge_strict.f},
                  {"edge_f_2px", r->edge_loose.f},
                  {"edge_best_f", r->best_f},
                  {"edge_best_threshold", r->best_threshold},
                  {"ece_near_walls", r->calibration.ece}};
    fputs("{\"file\": ", stdout);
    cli_json_string(stdout, path);
    printf(", \"precision\": \"%s\"", infer_precision_name(e->options.precision));
    if (r->checked) {
        print_number("bf16_error_mean_max", r->mean_error.largest);
        print_number("bf16_error_mean_average", r->mean_error.average);
        print_number("bf16_error_variance_max", r->variance_error.largest);
        print_number("bf16_error_variance_average", r->variance_error.average);
    }
    if (r->ood_known) {
        print_number("ood_score", r->ood_score);
        printf(", \"ood\": %s", r->ood ? "true" : "false");
    }
    for (size_t i = 0; i < (r->scored ? sizeof number / sizeof *number : 7); i++) {
        print_number(number[i].key, number[i].value);
    }
    puts("}");
}

static void print_line(const char *path, const infer_result *r)
{
    printf("%s: %d x %d, mean uncertainty %.3g, walls %.1f %%, %.3f s\n", path, r->height, r->width,
           r->mean_uncertainty, 100 * r->wall_fraction, r->seconds);
    if (r->checked)
        printf("%s: bf16 against fp32: mean off by at most %.2g, %.2g on average; variance %.2g, "
               "%.2g\n",
               path, r->mean_error.largest, r->mean_error.average, r->variance_error.largest,
               r->variance_error.average);
    if (r->scored)
        printf("%s: IoU %.3f, edges: precision %.3f, recall %.3f, F %.3f (within 1 pixel "
               "%.3f, 2 pixels %.3f; best %.3f at %.2f), calibration error near walls %.3f\n",
               path, r->iou, r->edge.precision, r->edge.recall, r->edge.f, r->edge_strict.f,
               r->edge_loose.f, r->best_f, r->best_threshold, r->calibration.ece);
}

int main(int argc, char **argv)
{
    options o = {.algo = RS_ALGO_AUTO};
    int status = parse(argc, argv, &o);
    if (status >= 0) return status;
    rs_model_file model = {0};
    infer_engine engine = {0};
    bool all = load(&engine, &model, &o);
    if (all) {
        const int n = argc - optind;
        rs_progress bar;
        rs_progress_start(&bar, n > 1 && !o.quiet && !o.json ? stderr : NULL, "images", n);
        for (int i = 0; i < n; i++) {
            infer_result r;
            const char *path = argv[optind + i];
            rs_progress_update(&bar, i);
            bool ok = infer_image(&engine, &o.request, path, &r);
            all = all && ok;
            if (!ok || (o.quiet && !o.json)) continue;
            rs_progress_finish(&bar); /* the line takes the bar's place */
            if (o.json)
                print_json(path, &engine, &r);
            else
                print_line(path, &r);
            fflush(stdout);
        }
        rs_progress_finish(&bar);
    }
    rs_plan_free(engine.plan);
    rs_plan_free(engine.full);
    rs_model_file_clear(&model);
    status = cli_close(&self);
    return all ? status : CLI_FAILED;
}
