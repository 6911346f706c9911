#include "tools/beps/sho.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "beps/sho_fit.h"
#include "beps/sho_guess.h"
#include "spectra/fits.h"
#include "spectra/spectra.h"
#include "tools/cli/cli.h"
#include "tools/cli/files.h"

static const cli_program self = {
    "reshed-beps sho",
    "Usage: reshed-beps sho [OPTION]... IN.h5 -o OUT.h5\n"
    "Fits the simple harmonic oscillator to every complex band-excitation spectrum of a file "
    "(NSID,\n"
    "or USID as BGlib writes it) and writes maps of amplitude, resonance frequency, quality "
    "factor,\n"
    "phase, R2, standard errors and flags (NSID).\n"
    "\n"
    "  -o, --output FILE          where to write the maps\n"
    "      --channel NAME         dataset of the spectra [the first complex one; of a session of\n"
    "                             reshed-scan what it scanned, forwards; BEPS: those of its "
    "points]\n"
    "      --frequency DATASET    dataset with the frequency of each bin in Hz [found by itself]\n"
    "      --band LO,HI           bins evenly spaced from LO to HI Hz instead\n"
    "      --w0 LO,HI             range of the resonance in Hz [the band]\n"
    "      --q LO,HI              range of the quality factor [2,10000]\n"
    "      --amplitude LO,HI      fits with an amplitude outside count as failed [all]\n"
    "      --min-r2 X             fits with a lower R2 count as failed [none]\n"
    "      --conjugate WHEN       auto, yes or no: whether the data are conjugated [auto]\n"
    "      --plain                least squares without the correction of its bias\n"
    "      --mask                 NaN in the maps where a fit failed\n"
    "      --sho32                also the five numbers of BGlib's record in one dataset\n"
    "      --threads N            [all processors]; the results do not depend on it\n"
    "      --quiet                no progress, no summary\n"
    "      --json                 the summary as JSON\n"
    "      --help, --version\n"};

typedef enum conjugation { CONJUGATE_AUTO, CONJUGATE_YES, CONJUGATE_NO } conjugation;

typedef struct settings {
    const char *input, *output;
    rs_spectra_source source;
    rs_sho_options fit;
    conjugation conjugate;
    bool mask, sho32, quiet, json;
} settings;

/* -------------------------------------------------------------------------------------- options */
static bool parse_range(const char *option, const char *text, double lo, double *a, double *b)
{
    char first[64];
    const char *comma = strchr(text, ',');
    if (!comma || (size_t)(comma - text) >= sizeof first) {
        cli_usage_error(&self, "%s: expected LO,HI, found '%s'", option, text);
        return false;
    }
    snprintf(first, sizeof first, "%.*s", (int)(comma - text), text);
    if (!cli_double(&self, option, first, lo, INFINITY, a) ||
        !cli_double(&self, option, comma + 1, lo, INFINITY, b))
        return false;
    if (*b > *a) return true;
    cli_usage_error(&self, "%s: expected LO below HI, found '%s'", option, text);
    return false;
}

static bool parse_conjugate(const char *text, conjugation *out)
{
    static const char *const words[] = {"auto", "yes", "no"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (conjugation)i;
            return true;
        }
    cli_usage_error(&self, "--conjugate: expected auto, yes or no, found '%s'", text);
    return false;
}

enum {
    OPT_CHANNEL = CLI_OPT_FIRST,
    OPT_FREQUENCY,
    OPT_BAND,
    OPT_W0,
    OPT_Q,
    OPT_AMPLITUDE,
    OPT_MIN_R2,
    OPT_CONJUGATE,
    OPT_PLAIN,
    OPT_MASK,
    OPT_SHO32,
    OPT_THREADS
};

static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                      {"output", required_argument, NULL, 'o'},
                                      {"channel", required_argument, NULL, OPT_CHANNEL},
                                      {"frequency", required_argument, NULL, OPT_FREQUENCY},
                                      {"band", required_argument, NULL, OPT_BAND},
                                      {"w0", required_argument, NULL, OPT_W0},
                                      {"q", required_argument, NULL, OPT_Q},
                                      {"amplitude", required_argument, NULL, OPT_AMPLITUDE},
                                      {"min-r2", required_argument, NULL, OPT_MIN_R2},
                                      {"conjugate", required_argument, NULL, OPT_CONJUGATE},
                                      {"plain", no_argument, NULL, OPT_PLAIN},
                                      {"mask", no_argument, NULL, OPT_MASK},
                                      {"sho32", no_argument, NULL, OPT_SHO32},
                                      {"threads", required_argument, NULL, OPT_THREADS},
                                      {0}};

/* One option; false after a usage error. */
static bool take_option(settings *s, int c)
{
    long n;
    switch (c) {
    case 'o': s->output = optarg; return true;
    case CLI_OPT_QUIET: return s->quiet = true;
    case CLI_OPT_JSON: return s->json = true;
    case OPT_CHANNEL: s->source.channel = optarg; return true;
    case OPT_FREQUENCY: s->source.frequency = optarg; return true;
    case OPT_BAND:
        return parse_range("--band", optarg, 1e-3, &s->source.band_lo, &s->source.band_hi);
    case OPT_W0: return parse_range("--w0", optarg, 1e-3, &s->fit.f_min, &s->fit.f_max);
    case OPT_Q: return parse_range("--q", optarg, 1e-3, &s->fit.q_min, &s->fit.q_max);
    case OPT_AMPLITUDE: return parse_range("--amplitude", optarg, 0, &s->fit.a_min, &s->fit.a_max);
    case OPT_MIN_R2: return cli_double(&self, "--min-r2", optarg, -INFINITY, 1, &s->fit.min_r2);
    case OPT_CONJUGATE: return parse_conjugate(optarg, &s->conjugate);
    case OPT_PLAIN: s->fit.unbiased = false; return true;
    case OPT_MASK: return s->mask = true;
    case OPT_SHO32: return s->sho32 = true;
    case OPT_THREADS:
        if (!cli_int(&self, "--threads", optarg, 1, 1024, &n)) return false;
        s->fit.threads = (int)n;
        return true;
    default: return false;
    }
}

/* True when there is work to do; else *rc is the exit status. */
static bool parse(int argc, char **argv, settings *s, int *rc)
{
    *rc = CLI_USAGE;
    rs_sho_options_defaults(&s->fit);
    optind = 1;
    for (int c; (c = cli_option(&self, argc, argv, "o:", longs)) != -1;) {
        if (c == CLI_OPT_HELP || c == CLI_OPT_VERSION) {
            *rc = c == CLI_OPT_HELP ? cli_help(&self) : cli_version(&self);
            return false;
        }
        if (c == CLI_OPT_ERROR || !take_option(s, c)) return false;
    }
    if (optind + 1 != argc)
        cli_usage_error(&self, "expected one input file, found %d", argc - optind);
    else if (!s->output)
        cli_usage_error(&self, "no output given (-o OUT.h5)");
    else if (s->source.frequency && s->source.band_hi > 0)
        cli_usage_error(&self, "--frequency and --band exclude each other");
    else {
        s->input = argv[optind];
        return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- fitting */
static void show(void *ctx, int64_t spectra)
{
    rs_progress_update(ctx, (long)spectra);
}

static reshed_status fit(const settings *s, const rs_spectra *in, rs_sho_fit *fits,
                         reshed_error *err)
{
    rs_progress bar;
    rs_progress_start(&bar, s->quiet || s->json ? NULL : stderr, "fitting", (long)in->n);
    reshed_status st = rs_fits_run(in, &s->fit, show, &bar, fits, err);
    rs_progress_finish(&bar);
    return st;
}

/* -------------------------------------------------------------------------------------- summary */
static void print_json(const settings *s, const rs_spectra *in, const rs_sho_options *o,
                       const rs_fits_summary *sum, double seconds)
{
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", s->input);
    rs_json_string(&j, "output", s->output);
    rs_json_string(&j, "dataset", in->path);
    rs_json_string(&j, "layout", in->layout);
    rs_json_bool(&j, "conjugated", o->conjugate);
    rs_json_integer(&j, "spectra", in->n);
    rs_json_integer(&j, "bins", in->bins);
    rs_json_integer(&j, "failed", sum->failed);
    rs_json_number(&j, "r2_median", sum->r2);
    rs_json_number(&j, "frequency_median", sum->frequency);
    rs_json_number(&j, "q_median", sum->q);
    rs_json_integer(&j, "threads", rs_threads_or_all(o->threads));
    rs_json_number(&j, "seconds", seconds);
    rs_json_number(&j, "fits_per_second", (double)in->n / seconds);
    rs_json_object(&j, "flags");
    for (int bit = 0; bit < RS_SHO_FLAG_BITS; bit++)
        if (*rs_sho_flag_text(1u << bit))
            rs_json_integer(&j, rs_sho_flag_text(1u << bit), sum->flag[bit]);
    rs_json_end(&j);
    rs_json_end(&j);
}

static void print_text(const settings *s, const rs_spectra *in, const rs_sho_options *o,
                       const rs_fits_summary *sum, double seconds)
{
    printf("%s: %lld spectra of %d bins fitted in %.2f s (%.0f/s)%s\n", CLI_TEXT(s->output),
           (long long)in->n, in->bins, seconds, (double)in->n / seconds,
           o->conjugate ? ", conjugated first" : "");
    printf("  of %s\n", CLI_TEXT(in->path));
    printf("  median w0 %.6g Hz, Q %.4g, R2 %.4f; %lld failed\n", sum->frequency, sum->q, sum->r2,
           (long long)sum->failed);
    for (int bit = 0; bit < RS_SHO_FLAG_BITS; bit++)
        if (sum->flag[bit])
            printf("  %lld: %s\n", (long long)sum->flag[bit], rs_sho_flag_text(1u << bit));
}

static bool decide_conjugation(const settings *s, const rs_spectra *in)
{
    if (s->conjugate != CONJUGATE_AUTO) return s->conjugate == CONJUGATE_YES;
    return rs_sho_conjugated_f64(in->frequency, in->data, in->n, in->bins, NULL);
}

static int check_files(const settings *s)
{
    cli_files files = {0};
    cli_files_input(&files, s->input);
    cli_files_output(&files, s->output, "-o");
    const int status = cli_files_check(&self, &files, "name another output");
    cli_files_clear(&files);
    return status;
}

int beps_sho_main(int argc, char **argv)
{
    settings s = {0};
    rs_spectra in = {0};
    rs_fits_summary sum = {0};
    double seconds;
    rs_sho_fit *fits = NULL;
    reshed_error err = {0};
    const char *blame;
    int rc;
    if (!parse(argc, argv, &s, &rc)) return rc;
    if ((rc = check_files(&s)) != CLI_OK) return rc;
    reshed_status st = rs_sho_options_check(&s.fit, &err);
    if (st != RESHED_OK) return cli_fail(&self, NULL, &err);

    blame = s.input;
    st = rs_spectra_read(s.input, &s.source, &in, &err);
    if (st == RESHED_OK) st = rs_sho_check_axis(in.frequency, in.bins, &err);
    if (st != RESHED_OK) goto done;
    fits = rs_alloc((size_t)in.n, sizeof *fits);
    if (!fits) {
        st = rs_fail_nomem(&err, "the fits", (size_t)in.n * sizeof *fits);
        goto done;
    }
    s.fit.conjugate = decide_conjugation(&s, &in);
    double start = rs_os_monotonic();
    st = fit(&s, &in, fits, &err);
    seconds = rs_os_monotonic() - start;
    if (st == RESHED_OK) st = rs_fits_summarise(fits, in.n, &sum, &err);
    if (st != RESHED_OK) goto done;
    blame = s.output;
    st = rs_fits_write(s.output, s.input, &in, &s.fit, fits, s.mask, s.sho32, &err);
    if (st != RESHED_OK) goto done;
    if (s.json)
        print_json(&s, &in, &s.fit, &sum, seconds);
    else if (!s.quiet)
        print_text(&s, &in, &s.fit, &sum, seconds);
done:
    rs_free(fits);
    rs_spectra_clear(&in);
    return st == RESHED_OK ? cli_close(&self) : cli_fail(&self, blame, &err);
}
