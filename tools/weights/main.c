/* reshed-weights - imports, exports, shows and checks the weights of network ensembles. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/files.h"

#include "base/json.h"
#include "base/status.h"
#include "base/tensors.h"
#include "io/weights/model.h"
#include "io/weights/torch_write.h"
#include "io/weights/weights.h"
#include "nn/filters.h"

static const cli_program self = {
    "reshed-weights",
    "Usage: reshed-weights import [OPTION]... ENSEMBLE -o OUT.h5\n"
    "  or:  reshed-weights export [OPTION]... ENSEMBLE -o OUT.tar\n"
    "  or:  reshed-weights show [OPTION]... FILE...\n"
    "  or:  reshed-weights check [OPTION]... FILE...\n"
    "\n"
    "Reads AtomAI's *_metadict.tar (ensembles and single models of ResHedNet, Unet, dilnet and\n"
    "SegResNet), state_dicts of a ResHedNet (alone, several, in a checkpoint) and reshed's own "
    "HDF5\n"
    "weights files; neither Python nor torch is needed.\n"
    "\n"
    "  import  writes the weights as HDF5, each tensor with a checksum\n"
    "  export  writes them as AtomAI's *_ensemble_metadict.tar, for load_ensemble and torch.load; "
    "every\n"
    "          tensor keeps its bits; pixel sizes, threshold and recipe have no place there\n"
    "  show    prints the network, the number of parameters and the SHA-256 of the content,\n"
    "          which is the same for a .tar and the HDF5 file made from it\n"
    "  check   verifies that the tensors are those of the network and that all values are finite\n"
    "\n"
    "  -o, --output=FILE        import, export: file to write; replaced in one step when it "
    "exists\n"
    "      --fp16               import: store convolution weights in half precision\n"
    "      --pixel-size=LO,HI   import: record the pixel sizes seen in training, in nanometres\n"
    "      --ood-threshold=X    import: record the score above which a frame is unlike training\n"
    "      --upsampling=KIND    import: bilinear or nearest, where the file does not say (a "
    "state_dict;\n"
    "                           bilinear is AtomAI's default)\n"
    "      --tensors            show: list every tensor: type, shape, smallest, largest, mean\n"
    "      --json               print a machine-readable summary on standard output\n"
    "      --quiet              print nothing but errors\n"
    "      --help               print this text\n"
    "      --version            print the version\n"
    "\n"
    "Exit status: 0 done, 1 failed (check: some file is not sound), 2 wrong usage.\n"};

typedef struct options {
    const char *output, *upsampling;
    bool fp16, tensors, json, quiet;
    bool has_pixel_size, has_threshold;
    double pixel_lo, pixel_hi; /* metres */
    double threshold;
} options;

/* --------------------------------------------------------------------------------- the content */
static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);
    return n >= k && strcmp(s + n - k, tail) == 0;
}

/* Trained numbers of one member: batch-norm statistics are not among them. */
static uint64_t count_parameters(const rs_tensors *set)
{
    uint64_t n = 0;
    for (int i = 0; i < set->n; i++) {
        const char *name = set->t[i].name;
        if (!ends_with(name, ".running_mean") && !ends_with(name, ".running_var") &&
            !ends_with(name, ".num_batches_tracked"))
            n += set->t[i].count;
    }
    return n;
}

typedef struct stats {
    double min, max, mean; /* of the finite values; NaN when there are none */
    size_t not_finite;
} stats;

static stats measure(const rs_tensor *t)
{
    stats s = {INFINITY, -INFINITY, 0, 0};
    for (size_t i = 0; i < t->count; i++) {
        double v = rs_tensor_at(t, i);
        if (!isfinite(v)) {
            s.not_finite++;
            continue;
        }
        if (v < s.min) s.min = v;
        if (v > s.max) s.max = v;
        s.mean += v;
    }
    if (s.not_finite == t->count) {
        s.min = s.max = s.mean = NAN;
    } else {
        s.mean /= (double)(t->count - s.not_finite);
    }
    return s;
}

/* "4x1x3x3"; "scalar" without dimensions. */
static const char *shape_text(const rs_tensor *t, char *buf, size_t n)
{
    size_t k = 0;
    snprintf(buf, n, "scalar");
    for (int d = 0; d < t->ndim && k < n; d++)
        k += (size_t)snprintf(buf + k, n - k, "%s%" PRId64, d ? "x" : "", t->dims[d]);
    return buf;
}

/* ---------------------------------------------------------------------------------------- show */
static void show_tensors(const rs_model_file *m)
{
    char shape[96];
    printf("  %-6s  %-36s %-8s %-12s %12s %12s %12s\n", "member", "tensor", "type", "shape", "min",
           "max", "mean");
    for (int i = 0; i < m->members; i++)
        for (int k = 0; k < m->member[i].n; k++) {
            const rs_tensor *t = &m->member[i].t[k];
            stats s = measure(t);
            printf("  %6d  %-36s %-8s %-12s %12.5g %12.5g %12.5g", i, CLI_TEXT(t->name),
                   rs_dtype_name(t->dtype), shape_text(t, shape, sizeof shape), s.min, s.max,
                   s.mean);
            if (s.not_finite) printf("  %zu not finite", s.not_finite);
            putchar('\n');
        }
}

/* Its lines, under one another. */
static void show_recipe(const char *recipe)
{
    const char *head = "training";
    for (const char *end; *recipe; recipe = end + (*end == '\n')) {
        char line[256];
        end = recipe + strcspn(recipe, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(end - recipe), recipe);
        printf("  %-10s  %s\n", head, CLI_TEXT(line));
        head = "";
    }
}

static void show_text(const char *path, const rs_model_file *m, const options *o)
{
    char hex[65];
    rs_model_file_digest(m, hex);
    printf(
        "%s\n  model       %s, %s upsampling%s\n  members     %d\n  classes     %d\n  filters     "
        "%d\n  layers     ",
        CLI_TEXT(path), CLI_TEXT(m->model), CLI_TEXT(m->upsampling),
        m->upsampling_assumed ? " (assumed: a state_dict does not say)" : "", m->members,
        m->classes, m->filters);
    for (int i = 0; i < m->levels; i++) printf(" %d", m->layers[i]);
    printf("%s%s%s", m->no_batch_norm ? ", no batch normalisation" : "",
           m->dropout ? ", dropout in training" : "", m->dilated ? ", dilated" : "");
    printf("\n  parameters  %" PRIu64 " in each member\n  tensors     %d in each member\n",
           count_parameters(&m->member[0]), m->member[0].n);
    if (m->pixel_size_max > 0)
        printf("  pixel size  %g to %g nm in training\n", 1e9 * m->pixel_size_min,
               1e9 * m->pixel_size_max);
    if (m->ood_threshold > 0)
        printf("  ood score   unlike training above %g%s\n", m->ood_threshold,
               m->ood.version ? "" : " (but without the model to score with)");
    show_recipe(m->recipe);
    printf("  sha256      %s\n", hex);
    if (o->tensors) show_tensors(m);
}

static void json_tensors(rs_json *j, const rs_model_file *m)
{
    rs_json_array(j, "tensor");
    for (int i = 0; i < m->members; i++)
        for (int k = 0; k < m->member[i].n; k++) {
            const rs_tensor *t = &m->member[i].t[k];
            stats s = measure(t);
            rs_json_object(j, NULL);
            rs_json_integer(j, "member", i);
            rs_json_string(j, "name", t->name);
            rs_json_string(j, "type", rs_dtype_name(t->dtype));
            rs_json_array(j, "shape");
            for (int d = 0; d < t->ndim; d++) rs_json_integer(j, NULL, t->dims[d]);
            rs_json_end(j);
            rs_json_number(j, "min", s.min);
            rs_json_number(j, "max", s.max);
            rs_json_number(j, "mean", s.mean);
            rs_json_integer(j, "not_finite", (int64_t)s.not_finite);
            rs_json_end(j);
        }
    rs_json_end(j);
}

static void json_model(const char *path, const rs_model_file *m, bool tensors)
{
    char hex[65];
    rs_model_file_digest(m, hex);
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", path);
    rs_json_string(&j, "model", m->model);
    rs_json_string(&j, "upsampling", m->upsampling);
    if (m->upsampling_assumed) rs_json_bool(&j, "upsampling_assumed", true);
    rs_json_integer(&j, "members", m->members);
    rs_json_integer(&j, "classes", m->classes);
    rs_json_integer(&j, "filters", m->filters);
    rs_json_array(&j, "layers");
    for (int i = 0; i < m->levels; i++) rs_json_integer(&j, NULL, m->layers[i]);
    rs_json_end(&j);
    rs_json_bool(&j, "batch_norm", !m->no_batch_norm);
    rs_json_bool(&j, "dropout", m->dropout);
    rs_json_bool(&j, "with_dilation", m->dilated);
    rs_json_integer(&j, "parameters", (int64_t)count_parameters(&m->member[0]));
    rs_json_integer(&j, "tensors", m->member[0].n);
    rs_json_number(&j, "pixel_size_min", m->pixel_size_min);
    rs_json_number(&j, "pixel_size_max", m->pixel_size_max);
    rs_json_number(&j, "ood_threshold", m->ood_threshold);
    rs_json_string(&j, "recipe", m->recipe[0] ? m->recipe : NULL);
    rs_json_string(&j, "sha256", hex);
    if (tensors) json_tensors(&j, m);
    rs_json_end(&j);
}

static int do_show(const char *path, const options *o)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    if (rs_weights_load(path, &m, &err) != RESHED_OK) return cli_fail(&self, path, &err);
    if (o->json) {
        json_model(path, &m, o->tensors);
    } else if (!o->quiet) {
        show_text(path, &m, o);
    }
    rs_model_file_clear(&m);
    return CLI_OK;
}

/* --------------------------------------------------------------------------------------- check */
/* Tensors of the network, the counters of batches aside, which do nothing: two of each convolution,
 * four of each batch normalisation. */
static reshed_status expected_tensors(const rs_arch *arch, int *n, reshed_error *err)
{
    rs_graph g;
    const reshed_status st = rs_graph_make(arch, &g, err);
    if (st != RESHED_OK) return st;
    *n = 0;
    for (int i = 0; i < g.filters; i++) *n += g.filter[i].norm_kind == RS_NORM_NONE ? 2 : 6;
    rs_graph_clear(&g);
    return RESHED_OK;
}

static int count_tensors(const rs_tensors *set)
{
    int n = 0;
    for (int i = 0; i < set->n; i++) n += !ends_with(set->t[i].name, ".num_batches_tracked");
    return n;
}

/* Every tensor that the network needs is there, of the right shape and finite, and none besides. */
static reshed_status check_network(const rs_model_file *m, reshed_error *err)
{
    rs_arch arch;
    int expected = 0;
    reshed_status st = rs_arch_from_file(m, &arch, err);
    if (st == RESHED_OK) st = rs_net_check(m, err);
    if (st == RESHED_OK) st = expected_tensors(&arch, &expected, err);
    if (st == RESHED_OK && count_tensors(&m->member[0]) != expected)
        st = rs_fail(err, RESHED_ECORRUPT, "number of tensors|%d for these layers|%d", expected,
                     count_tensors(&m->member[0]));
    return st;
}

static int do_check(const char *path, const options *o)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    char text[640];
    reshed_status st = rs_weights_load(path, &m, &err);
    if (st == RESHED_OK) st = check_network(&m, &err);
    if (o->json) {
        rs_json j = rs_json_to(stdout);
        rs_json_object(&j, NULL);
        rs_json_string(&j, "file", path);
        rs_json_bool(&j, "ok", st == RESHED_OK);
        rs_json_string(&j, "problem",
                       st == RESHED_OK ? NULL : reshed_error_text(&err, text, sizeof text));
        rs_json_end(&j);
    } else if (st == RESHED_OK && !o->quiet) {
        printf("%s: ok (%d members of %d tensors, all values finite)\n", CLI_TEXT(path), m.members,
               m.member[0].n);
    }
    rs_model_file_clear(&m);
    return st == RESHED_OK ? CLI_OK : cli_fail(&self, path, &err);
}

/* -------------------------------------------------------------------------------------- import */
/* The file that was written is read back, and that is reported. */
static int report_written(const options *o)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    if (rs_weights_load(o->output, &m, &err) != RESHED_OK) return cli_fail(&self, o->output, &err);
    if (o->json) {
        json_model(o->output, &m, false);
    } else if (!o->quiet) {
        show_text(o->output, &m, o);
    }
    rs_model_file_clear(&m);
    return CLI_OK;
}

static int do_import(const char *path, const options *o)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    rs_weights_options wo = {.fp16 = o->fp16};
    if (rs_weights_load(path, &m, &err) != RESHED_OK) return cli_fail(&self, path, &err);
    if (o->has_pixel_size) {
        m.pixel_size_min = o->pixel_lo;
        m.pixel_size_max = o->pixel_hi;
    }
    if (o->has_threshold) m.ood_threshold = o->threshold;
    if (m.upsampling_assumed && !o->upsampling && !o->quiet)
        cli_warn(&self, path,
                 "a state_dict does not say its upsampling: taken as bilinear, AtomAI's default; "
                 "--upsampling sets it");
    if (m.upsampling_assumed && o->upsampling)
        snprintf(m.upsampling, sizeof m.upsampling, "%s", o->upsampling);
    else if (o->upsampling && strcmp(o->upsampling, m.upsampling) != 0)
        cli_warn(&self, path, "--upsampling is for files that do not say; this one says %s",
                 m.upsampling);
    reshed_status st = rs_weights_write_h5(o->output, &m, &wo, &err);
    rs_model_file_clear(&m);
    if (st != RESHED_OK) return cli_fail(&self, o->output, &err);
    return report_written(o);
}

/* -------------------------------------------------------------------------------------- export */
static int do_export(const char *path, const options *o)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    if (rs_weights_load(path, &m, &err) != RESHED_OK) return cli_fail(&self, path, &err);
    reshed_status st = rs_torch_write(o->output, &m, &err);
    rs_model_file_clear(&m);
    if (st != RESHED_OK) return cli_fail(&self, o->output, &err);
    return report_written(o);
}

/* -------------------------------------------------------------------------------- command line */
enum { OPT_FP16 = CLI_OPT_FIRST, OPT_TENSORS, OPT_PIXEL_SIZE, OPT_OOD, OPT_UPSAMPLING };

/* "LO,HI" in nanometres. */
static bool parse_pixel_size(const char *text, options *o)
{
    char lo[64];
    const char *comma = strchr(text, ',');
    if (!comma || (size_t)(comma - text) >= sizeof lo) {
        cli_usage_error(&self, "--pixel-size: expected LO,HI in nanometres, found '%s'", text);
        return false;
    }
    memcpy(lo, text, (size_t)(comma - text));
    lo[comma - text] = '\0';
    if (!cli_double(&self, "--pixel-size", lo, 1e-3, 1e6, &o->pixel_lo) ||
        !cli_double(&self, "--pixel-size", comma + 1, o->pixel_lo, 1e6, &o->pixel_hi))
        return false;
    o->pixel_lo /= 1e9; /* 1e-9 has no exact double: this way 20 nm becomes 2e-08 */
    o->pixel_hi /= 1e9;
    o->has_pixel_size = true;
    return true;
}

/* CLI_OK to go on; else the exit status, and *stop is set. */
static int parse_options(int argc, char **argv, options *o, bool *stop)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"output", required_argument, NULL, 'o'},
                                          {"fp16", no_argument, NULL, OPT_FP16},
                                          {"tensors", no_argument, NULL, OPT_TENSORS},
                                          {"pixel-size", required_argument, NULL, OPT_PIXEL_SIZE},
                                          {"ood-threshold", required_argument, NULL, OPT_OOD},
                                          {"upsampling", required_argument, NULL, OPT_UPSAMPLING},
                                          {NULL, 0, NULL, 0}};
    *stop = true;
    for (int c; (c = cli_option(&self, argc, argv, "o:", longs)) != -1;) switch (c) {
        case CLI_OPT_HELP: return cli_help(&self);
        case CLI_OPT_VERSION: return cli_version(&self);
        case CLI_OPT_QUIET: o->quiet = true; break;
        case CLI_OPT_JSON: o->json = true; break;
        case 'o': o->output = optarg; break;
        case OPT_FP16: o->fp16 = true; break;
        case OPT_TENSORS: o->tensors = true; break;
        case OPT_PIXEL_SIZE:
            if (!parse_pixel_size(optarg, o)) return CLI_USAGE;
            break;
        case OPT_OOD:
            if (!cli_double(&self, "--ood-threshold", optarg, 0, INFINITY, &o->threshold))
                return CLI_USAGE;
            o->has_threshold = true;
            break;
        case OPT_UPSAMPLING:
            if (strcmp(optarg, "bilinear") != 0 && strcmp(optarg, "nearest") != 0)
                return cli_usage_error(
                    &self, "--upsampling: expected bilinear or nearest, found '%s'", optarg);
            o->upsampling = optarg;
            break;
        default: return CLI_USAGE;
        }
    *stop = false;
    return CLI_OK;
}

int main(int argc, char **argv)
{
    options o = {0};
    bool stop;
    int failed = CLI_OK;
    int status = parse_options(argc, argv, &o, &stop);
    if (stop) return status;
    if (optind == argc) return cli_usage_error(&self, "expected import, export, show or check");
    const char *command = argv[optind++];
    bool import = strcmp(command, "import") == 0, show = strcmp(command, "show") == 0;
    const bool export = strcmp(command, "export") == 0, writes = import || export;
    if (!writes && !show && strcmp(command, "check") != 0)
        return cli_usage_error(&self, "unknown command '%s'", command);
    if (optind == argc) return cli_usage_error(&self, "%s: no FILE given", command);
    if (import && !o.output) return cli_usage_error(&self, "import: no output given (-o OUT.h5)");
    if (export && !o.output) return cli_usage_error(&self, "export: no output given (-o OUT.tar)");
    if (writes && argc - optind > 1)
        return cli_usage_error(&self, "%s: takes one ENSEMBLE", command);
    if ((!writes && o.output) ||
        (!import && (o.fp16 || o.has_pixel_size || o.has_threshold || o.upsampling)))
        return cli_usage_error(&self, "%s: takes no options of import", command);
    if (o.tensors && !show) return cli_usage_error(&self, "--tensors goes with show");
    cli_files files = {0};
    for (int i = optind; i < argc; i++) cli_files_input(&files, argv[i]);
    cli_files_output(&files, o.output, "-o");
    status = cli_files_check(&self, &files, "name another output");
    cli_files_clear(&files);
    for (int i = optind; status == CLI_OK && i < argc; i++) {
        int one = import   ? do_import(argv[i], &o)
                  : export ? do_export(argv[i], &o)
                  : show   ? do_show(argv[i], &o)
                           : do_check(argv[i], &o);
        if (one != CLI_OK) failed = one;
    }
    if (status == CLI_OK) status = failed;
    int closed = cli_close(&self);
    return status != CLI_OK ? status : closed;
}
