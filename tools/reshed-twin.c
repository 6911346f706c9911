/* reshed-twin - labelled PFM images from the digital twin: single frames and training data. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/tensors.h"
#include "cli.h"
#include "io/dataset_h5.h"
#include "spm/twin_random.h"

static const cli_program self = {
    "reshed-twin",
    "Usage: reshed-twin dataset -o FILE.h5 [OPTION]...\n"
    "       reshed-twin list\n"
    "\n"
    "  -o, --output FILE      what to write\n"
    "  -n, --count N          images (default 1000)\n"
    "  -s, --size N           pixels a side (default 128)\n"
    "      --type T           uint8, float16 or float32 images in [0,1] (default uint8: 0..255)\n"
    "      --seed N           everything random comes from it (default 1)\n"
    "      --harsh X          strength of the instrument's effects, 0 to 2 (default 1)\n"
    "      --set NAME=VALUE   fixes an option of the film or an effect; `list` names them\n"
    "      --threads N        0: all processors (the default); the result does not depend on it\n"
    "      --quiet --json --help --version\n"};

enum { OPT_TYPE = CLI_OPT_FIRST, OPT_SEED, OPT_HARSH, OPT_SET, OPT_THREADS };

#define MAX_SETS 64

/* One --set: which field and its value. */
typedef struct setting {
    const rs_twin_field *field;
    bool effect;
    double value;
} setting;

typedef struct job {
    const char *output;
    long count, size, threads, seed;
    double harsh;
    rs_dataset_type type;
    bool quiet, json;
    setting set[MAX_SETS];
    int sets;
} job;

static bool parse_setting(job *j, const char *text)
{
    char name[64];
    const char *eq = strchr(text, '=');
    size_t len = eq ? (size_t)(eq - text) : 0;
    if (!eq || len == 0 || len >= sizeof name) {
        cli_usage_error(&self, "--set %s: expected NAME=VALUE", text);
        return false;
    }
    if (j->sets == MAX_SETS) {
        cli_usage_error(&self, "--set: at most %d of them", MAX_SETS);
        return false;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    int n;
    setting s = {0};
    const rs_twin_field *f = rs_twin_option_fields(&n);
    s.field = rs_twin_field_find(f, n, name);
    if (!s.field) {
        f = rs_twin_effect_fields(&n);
        s.field = rs_twin_field_find(f, n, name);
        s.effect = true;
    }
    if (!s.field) {
        cli_usage_error(&self, "--set %s: no such option; `%s list` names them", name, self.name);
        return false;
    }
    if (!cli_double(&self, name, eq + 1, s.field->lo, s.field->hi, &s.value)) return false;
    j->set[j->sets++] = s;
    return true;
}

static void apply_settings(const job *j, rs_twin_options *opt, rs_twin_effects *fx)
{
    for (int i = 0; i < j->sets; i++)
        rs_twin_field_set(j->set[i].field, j->set[i].effect ? (void *)fx : (void *)opt,
                          j->set[i].value);
}

static bool parse_type(const char *text, rs_dataset_type *type)
{
    for (int t = RS_DATASET_U8; t <= RS_DATASET_F32; t++)
        if (strcmp(text, rs_dataset_type_name((rs_dataset_type)t)) == 0) {
            *type = (rs_dataset_type)t;
            return true;
        }
    cli_usage_error(&self, "--type: expected uint8, float16 or float32, found %s", text);
    return false;
}

/* ------------------------------------------------------------------------------------- data sets
 */

/* Images made between two writes. */
#define BATCH 128

typedef struct batch {
    const job *j;
    int64_t first;
    float *scratch; /* [threads, size, size] */
    void *images;   /* [BATCH, size, size] of the file's type */
    uint8_t *labels;
    double pixel[BATCH];
    reshed_status status[BATCH];
    reshed_error err[BATCH];
} batch;

/* Stores an image scaled to [0,1] by its scanned rows, as a frame is given to the network. */
static void store(const job *j, const float *a, size_t n, size_t scanned, void *images, size_t at)
{
    float lo = a[0], hi = a[0];
    for (size_t i = 0; i < scanned; i++) {
        lo = a[i] < lo ? a[i] : lo;
        hi = a[i] > hi ? a[i] : hi;
    }
    float scale = hi > lo ? 1 / (hi - lo) : 0;
    for (size_t i = 0; i < n; i++) {
        float v = i < scanned ? (a[i] - lo) * scale : 0;
        if (j->type == RS_DATASET_U8) ((uint8_t *)images)[at + i] = (uint8_t)(v * 255 + 0.5f);
        if (j->type == RS_DATASET_F16) ((uint16_t *)images)[at + i] = rs_float_to_half(v);
        if (j->type == RS_DATASET_F32) ((float *)images)[at + i] = v;
    }
}

static void make_one(void *ctx, int64_t i, int worker)
{
    batch *b = ctx;
    const job *j = b->j;
    int size = (int)j->size;
    size_t n = (size_t)size * (size_t)size;
    float *image = b->scratch + (size_t)worker * n;
    rs_twin_options opt;
    rs_twin_effects fx;
    rs_twin_sample *sample = NULL;
    double px;
    uint64_t seed = ((uint64_t)j->seed << 32) + (uint64_t)(b->first + i);
    rs_twin_randomise(seed, size, size, j->harsh, &opt, &fx, &px);
    apply_settings(j, &opt, &fx);
    rs_twin_view view = {.width = size * px, .height = size * px};
    view.rows = view.cols = view.row_end = size;
    rs_twin_channels out = {.amplitude = image, .wall = b->labels + (size_t)i * n};
    reshed_status st = rs_twin_sample_create(&opt, &sample, &b->err[i]);
    if (st == RESHED_OK) st = rs_twin_frame(sample, opt.level, &fx, &view, &out, &b->err[i]);
    if (st == RESHED_OK) {
        size_t scanned = (size_t)rs_twin_scanned_rows(&fx, size) * (size_t)size;
        store(j, image, n, scanned, b->images, (size_t)i * n);
    }
    rs_twin_sample_free(sample);
    b->pixel[i] = px;
    b->status[i] = st;
}

static reshed_status make_batch(batch *b, int64_t first, int64_t count, int threads, rs_dataset *d,
                                reshed_error *err)
{
    b->first = first;
    rs_parallel_for(threads, count, make_one, b);
    for (int64_t i = 0; i < count; i++)
        if (b->status[i] != RESHED_OK) {
            *err = b->err[i];
            return b->status[i];
        }
    return rs_dataset_write(d, first, count, b->images, b->labels, b->pixel, err);
}

/* The options that make the images, as text for the file. */
static void describe(const job *j, char *text, size_t n)
{
    int len = snprintf(text, n, "dataset --count %ld --size %ld --type %s --seed %ld --harsh %g",
                       j->count, j->size, rs_dataset_type_name(j->type), j->seed, j->harsh);
    for (int i = 0; i < j->sets && len > 0 && (size_t)len < n; i++)
        len += snprintf(text + len, n - (size_t)len, " --set %s=%.9g", j->set[i].field->name,
                        j->set[i].value);
}

static reshed_status make_dataset(const job *j, double *seconds, reshed_error *err)
{
    char options[MAX_SETS * 96 + 256];
    rs_dataset *d = NULL;
    rs_progress bar;
    int threads = rs_threads_or_all((int)j->threads);
    size_t n = (size_t)j->size * (size_t)j->size;
    double start = rs_os_monotonic();
    reshed_status st = RESHED_OK;
    batch *b = rs_zalloc(1, sizeof *b);
    if (b) {
        b->j = j;
        b->scratch = rs_alloc((size_t)threads * n, sizeof *b->scratch);
        b->images = rs_alloc(BATCH * n, rs_dataset_pixel_bytes(j->type));
        b->labels = rs_alloc(BATCH * n, 1);
    }
    if (!b || !b->scratch || !b->images || !b->labels) {
        st = rs_fail_nomem(err, "a batch of images", BATCH * n * 6);
        goto done;
    }
    describe(j, options, sizeof options);
    rs_dataset_info info = {.count = j->count,
                            .height = (int)j->size,
                            .width = (int)j->size,
                            .type = j->type,
                            .seed = (uint64_t)j->seed,
                            .program = "reshed-twin " RESHED_VERSION,
                            .options = options};
    st = rs_dataset_create(j->output, &info, &d, err);
    rs_progress_start(&bar, j->quiet ? NULL : stderr, self.name, j->count);
    for (long first = 0; st == RESHED_OK && first < j->count; first += BATCH) {
        long count = j->count - first < BATCH ? j->count - first : BATCH;
        st = make_batch(b, first, count, threads, d, err);
        rs_progress_update(&bar, first + count);
    }
    rs_progress_finish(&bar);
    st = rs_dataset_finish(d, st, err);
    *seconds = rs_os_monotonic() - start;
done:
    if (b) {
        rs_free(b->scratch);
        rs_free(b->images);
        rs_free(b->labels);
    }
    rs_free(b);
    return st;
}

static int run_dataset(const job *j)
{
    reshed_error err = {0};
    double seconds = 0;
    if (!j->output) return cli_usage_error(&self, "no --output given");
    if (make_dataset(j, &seconds, &err) != RESHED_OK) return cli_fail(&self, j->output, &err);
    if (j->json) {
        printf("{\"file\": ");
        cli_json_string(stdout, j->output);
        printf(", \"images\": %ld, \"height\": %ld, \"width\": %ld, \"seconds\": ", j->count,
               j->size, j->size);
        cli_json_number(stdout, seconds);
        printf(", \"images_per_second\": ");
        cli_json_number(stdout, (double)j->count / seconds);
        printf("}\n");
    } else if (!j->quiet) {
        printf("%s: %ld images of %ld x %ld in %.1f s (%.0f a second)\n", j->output, j->count,
               j->size, j->size, seconds, (double)j->count / seconds);
    }
    return cli_close(&self);
}

static int run_list(void)
{
    rs_twin_options opt;
    rs_twin_effects fx;
    int n;
    rs_twin_options_defaults(&opt);
    rs_twin_effects_defaults(&fx);
    printf("%-22s %12s  %s\n", "film", "default", "range");
    const rs_twin_field *f = rs_twin_option_fields(&n);
    for (int i = 0; i < n; i++)
        printf("%-22s %12.6g  %g to %g\n", f[i].name, rs_twin_field_get(&f[i], &opt), f[i].lo,
               f[i].hi);
    printf("\n%-22s %12s  %s\n", "instrument", "default", "range");
    f = rs_twin_effect_fields(&n);
    for (int i = 0; i < n; i++)
        printf("%-22s %12.6g  %g to %g\n", f[i].name, rs_twin_field_get(&f[i], &fx), f[i].lo,
               f[i].hi);
    return cli_close(&self);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"output", 1, NULL, 'o'},
                                          {"count", 1, NULL, 'n'},
                                          {"size", 1, NULL, 's'},
                                          {"type", 1, NULL, OPT_TYPE},
                                          {"seed", 1, NULL, OPT_SEED},
                                          {"harsh", 1, NULL, OPT_HARSH},
                                          {"set", 1, NULL, OPT_SET},
                                          {"threads", 1, NULL, OPT_THREADS},
                                          {0}};
    job j = {.count = 1000, .size = 128, .seed = 1, .harsh = 1};
    for (int c; (c = cli_option(&self, argc, argv, "o:n:s:", longs)) != -1;) {
        bool ok = true;
        switch (c) {
        case CLI_OPT_HELP:
            return cli_help(&self);
        case CLI_OPT_VERSION:
            return cli_version(&self);
        case CLI_OPT_QUIET:
            j.quiet = true;
            break;
        case CLI_OPT_JSON:
            j.json = true;
            break;
        case 'o':
            j.output = optarg;
            break;
        case 'n':
            ok = cli_int(&self, "--count", optarg, 1, 100000000, &j.count);
            break;
        case 's':
            ok = cli_int(&self, "--size", optarg, 4, 4096, &j.size);
            break;
        case OPT_TYPE:
            ok = parse_type(optarg, &j.type);
            break;
        case OPT_SEED:
            ok = cli_int(&self, "--seed", optarg, 0, 2147483647, &j.seed);
            break;
        case OPT_HARSH:
            ok = cli_double(&self, "--harsh", optarg, 0, 2, &j.harsh);
            break;
        case OPT_SET:
            ok = parse_setting(&j, optarg);
            break;
        case OPT_THREADS:
            ok = cli_int(&self, "--threads", optarg, 0, 1024, &j.threads);
            break;
        default:
            return CLI_USAGE;
        }
        if (!ok) return CLI_USAGE;
    }
    if (optind != argc - 1) return cli_usage_error(&self, "expected one command");
    if (strcmp(argv[optind], "dataset") == 0) return run_dataset(&j);
    if (strcmp(argv[optind], "list") == 0) return run_list();
    return cli_usage_error(&self, "unknown command %s", argv[optind]);
}
