#include "beps_loops.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "beps/analyse.h"
#include "beps/phase.h"
#include "beps/robust.h"
#include "beps_figures.h"
#include "beps_loop_results.h"
#include "beps_responses.h"
#include "cli.h"

static const cli_program self = {
    "reshed-beps loops",
    "Usage: reshed-beps loops [OPTION]... IN.h5 -o OUT.h5\n"
    "Reduces hysteresis loops to numbers: widths, switching and nucleation voltages, imprint,\n"
    "areas, levels, each with unit and method. Reads piezoresponse, complex response, or "
    "amplitude\n"
    "and phase (NSID grids and point lists, the output of `reshed-beps sho`, quick fits of the\n"
    "acquisition program); writes NSID maps, a table, and figures.\n"
    "\n"
    "Output:\n"
    "  -o, --output FILE          NSID file with a map of each metric\n"
    "      --csv FILE             the same as a table, a row for each point\n"
    "      --png PREFIX           figures: PREFIX_average.png, _histograms, _maps, _loops\n"
    "      --points LIST          points whose loops are drawn, numbers or x:y indices, by commas\n"
    "      --metrics LIST         all, summary, or identifiers by commas [all]\n"
    "      --list-metrics         print the metrics with unit, method and definition; then end\n"
    "Input:\n"
    "      --channel NAME         dataset of the responses [found by itself]\n"
    "      --amplitude NAME --phase NAME   two datasets instead\n"
    "      --phase-unit UNIT      deg or rad [by its unit or range]\n"
    "      --waveform DATASET     write voltages [an axis in V, /BEPS/vdc_waveform]\n"
    "      --triangle VOLTS       write voltages are a bipolar triangle of that amplitude\n"
    "      --cycles N             cycles in the waveform [by its period]\n"
    "      --field WHICH          off, on or both [off-field where there are both]\n"
    "Sign of the response:\n"
    "      --unfold METHOD        for complex data: map (each loop's line, on the side of the\n"
    "                             map's), area (each loop counter-clockwise), fixed (the map's\n"
    "                             line), phase (histogram of the phase), bglib [map]\n"
    "      --reference POINT      the point whose loop is counter-clockwise (map, fixed)\n"
    "      --sign WHICH           for signed data: keep, area, or auto: area when every loop of "
    "the\n"
    "                             file has a positive area, spikes included [auto]\n"
    "Analysis:\n"
    "      --keep-spikes          use samples that stand away from the loop\n"
    "      --drop-first           leave the first of several cycles out of the averages\n"
    "      --remove-slope WHEN    auto (on-field), yes or no: the slope of the saturated ends "
    "[auto]\n"
    "      --no-fit               without the nine-parameter function\n"
    "      --bounds KIND          of the fit: scaled or bglib [scaled]\n"
    "      --model NAME           also PySSPFM's branches: sigmoid or arctan\n"
    "      --symmetric            the branches share their steepness\n"
    "      --nucleation PART      of the transition that counts as its onset [0.03]\n"
    "      --outlier Z            robust z beyond which a loop is an outlier; 0: none [6]\n"
    "      --bootstrap N          standard errors from N resamples [0]\n"
    "      --seed S               of the resampling [1]\n"
    "      --threads N            [all processors]; the results do not depend on it\n"
    "      --quiet                no progress, no summary\n"
    "      --json                 the summary as JSON\n"
    "      --help, --version\n"};

typedef enum unfolding {
    UNFOLD_MAP,
    UNFOLD_AREA,
    UNFOLD_FIXED,
    UNFOLD_PHASE,
    UNFOLD_BGLIB
} unfolding;
typedef enum choice3 { CHOICE_AUTO, CHOICE_YES, CHOICE_NO } choice3;
typedef enum wanted_field { WANT_AUTO, WANT_OFF, WANT_ON, WANT_BOTH } wanted_field;

#define MAX_POINTS 48

typedef struct settings {
    const char *input, *output, *csv, *png, *points, *reference;
    beps_response_source source;
    beps_metric_choice metrics;
    rs_loops_options analysis;
    unfolding unfold;
    choice3 by_area, remove_slope;
    wanted_field field;
    bool quiet, json;
} settings;

/* --------------------------------------------------------------------------------------- options
 */
enum {
    OPT_CSV = CLI_OPT_FIRST,
    OPT_PNG,
    OPT_POINTS,
    OPT_METRICS,
    OPT_LIST,
    OPT_CHANNEL,
    OPT_AMPLITUDE,
    OPT_PHASE,
    OPT_PHASE_UNIT,
    OPT_WAVEFORM,
    OPT_TRIANGLE,
    OPT_CYCLES,
    OPT_FIELD,
    OPT_UNFOLD,
    OPT_REFERENCE,
    OPT_SIGN,
    OPT_KEEP_SPIKES,
    OPT_DROP_FIRST,
    OPT_REMOVE_SLOPE,
    OPT_NO_FIT,
    OPT_BOUNDS,
    OPT_MODEL,
    OPT_SYMMETRIC,
    OPT_NUCLEATION,
    OPT_OUTLIER,
    OPT_BOOTSTRAP,
    OPT_SEED,
    OPT_THREADS
};

static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                      {"output", required_argument, NULL, 'o'},
                                      {"csv", required_argument, NULL, OPT_CSV},
                                      {"png", required_argument, NULL, OPT_PNG},
                                      {"points", required_argument, NULL, OPT_POINTS},
                                      {"metrics", required_argument, NULL, OPT_METRICS},
                                      {"list-metrics", no_argument, NULL, OPT_LIST},
                                      {"channel", required_argument, NULL, OPT_CHANNEL},
                                      {"amplitude", required_argument, NULL, OPT_AMPLITUDE},
                                      {"phase", required_argument, NULL, OPT_PHASE},
                                      {"phase-unit", required_argument, NULL, OPT_PHASE_UNIT},
                                      {"waveform", required_argument, NULL, OPT_WAVEFORM},
                                      {"triangle", required_argument, NULL, OPT_TRIANGLE},
                                      {"cycles", required_argument, NULL, OPT_CYCLES},
                                      {"field", required_argument, NULL, OPT_FIELD},
                                      {"unfold", required_argument, NULL, OPT_UNFOLD},
                                      {"reference", required_argument, NULL, OPT_REFERENCE},
                                      {"sign", required_argument, NULL, OPT_SIGN},
                                      {"keep-spikes", no_argument, NULL, OPT_KEEP_SPIKES},
                                      {"drop-first", no_argument, NULL, OPT_DROP_FIRST},
                                      {"remove-slope", required_argument, NULL, OPT_REMOVE_SLOPE},
                                      {"no-fit", no_argument, NULL, OPT_NO_FIT},
                                      {"bounds", required_argument, NULL, OPT_BOUNDS},
                                      {"model", required_argument, NULL, OPT_MODEL},
                                      {"symmetric", no_argument, NULL, OPT_SYMMETRIC},
                                      {"nucleation", required_argument, NULL, OPT_NUCLEATION},
                                      {"outlier", required_argument, NULL, OPT_OUTLIER},
                                      {"bootstrap", required_argument, NULL, OPT_BOOTSTRAP},
                                      {"seed", required_argument, NULL, OPT_SEED},
                                      {"threads", required_argument, NULL, OPT_THREADS},
                                      {0}};

/* The place of `text` among the words (which end with NULL) into *out; else a usage error. */
static bool take_word(const char *option, const char *text, const char *const *words, int *out)
{
    char list[128] = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", words[i]);
    }
    cli_usage_error(&self, "%s: expected one of %s, found '%s'", option, list, text);
    return false;
}

static bool take_int(const char *option, long lo, long hi, int *out)
{
    long n;
    if (!cli_int(&self, option, optarg, lo, hi, &n)) return false;
    *out = (int)n;
    return true;
}

/* Options of one word from a list. */
static bool take_choice(settings *s, int c)
{
    static const char *const units[] = {"rad", "deg", NULL};
    static const char *const fields[] = {"auto", "off", "on", "both", NULL};
    static const char *const unfolds[] = {"map", "area", "fixed", "phase", "bglib", NULL};
    static const char *const signs[] = {"auto", "area", "keep", NULL};
    static const char *const answers[] = {"auto", "yes", "no", NULL};
    static const char *const bounds[] = {"scaled", "bglib", NULL};
    static const char *const models[] = {"none", "sigmoid", "arctan", NULL};
    int k = 0;
    bool ok = false;
    switch (c) {
    case OPT_PHASE_UNIT:
        ok = take_word("--phase-unit", optarg, units, &k);
        s->source.degrees = k;
        break;
    case OPT_FIELD:
        ok = take_word("--field", optarg, fields, &k);
        s->field = (wanted_field)k;
        break;
    case OPT_UNFOLD:
        ok = take_word("--unfold", optarg, unfolds, &k);
        s->unfold = (unfolding)k;
        break;
    case OPT_SIGN:
        ok = take_word("--sign", optarg, signs, &k);
        s->by_area = (choice3)k;
        break;
    case OPT_REMOVE_SLOPE:
        ok = take_word("--remove-slope", optarg, answers, &k);
        s->remove_slope = (choice3)k;
        break;
    case OPT_BOUNDS:
        ok = take_word("--bounds", optarg, bounds, &k);
        s->analysis.metric.bounds = (rs_loop_bounds)k;
        break;
    case OPT_MODEL:
        ok = take_word("--model", optarg, models, &k);
        s->analysis.metric.branches.model = (rs_branch_model)k;
        break;
    }
    return ok;
}

static bool take_metrics(settings *s)
{
    char bad[64];
    if (beps_metric_choose(optarg, &s->metrics, bad, sizeof bad)) return true;
    cli_usage_error(&self, "--metrics: no metric '%s' (see --list-metrics)", bad);
    return false;
}

/* One option; false after a usage error. */
static bool take_option(settings *s, int c)
{
    long seed;
    switch (c) {
    case 'o':
        s->output = optarg;
        return true;
    case CLI_OPT_QUIET:
        return s->quiet = true;
    case CLI_OPT_JSON:
        return s->json = true;
    case OPT_CSV:
        s->csv = optarg;
        return true;
    case OPT_PNG:
        s->png = optarg;
        return true;
    case OPT_POINTS:
        s->points = optarg;
        return true;
    case OPT_METRICS:
        return take_metrics(s);
    case OPT_CHANNEL:
        s->source.channel = optarg;
        return true;
    case OPT_AMPLITUDE:
        s->source.amplitude = optarg;
        return true;
    case OPT_PHASE:
        s->source.phase = optarg;
        return true;
    case OPT_WAVEFORM:
        s->source.waveform = optarg;
        return true;
    case OPT_TRIANGLE:
        return cli_double(&self, "--triangle", optarg, 1e-9, 1e6, &s->source.triangle);
    case OPT_CYCLES:
        return take_int("--cycles", 1, 100000, &s->source.cycles);
    case OPT_REFERENCE:
        s->reference = optarg;
        return true;
    case OPT_KEEP_SPIKES:
        return s->analysis.keep_spikes = true;
    case OPT_DROP_FIRST:
        return s->analysis.drop_first = true;
    case OPT_NO_FIT:
        s->analysis.metric.fit = false;
        return true;
    case OPT_SYMMETRIC:
        s->analysis.metric.branches.asymmetric = false;
        return true;
    case OPT_NUCLEATION:
        return cli_double(&self, "--nucleation", optarg, 1e-6, 0.499,
                          &s->analysis.metric.nucleation);
    case OPT_OUTLIER:
        return cli_double(&self, "--outlier", optarg, 0, 1e9, &s->analysis.outlier);
    case OPT_BOOTSTRAP:
        return take_int("--bootstrap", 0, 100000, &s->analysis.bootstrap);
    case OPT_SEED:
        if (!cli_int(&self, "--seed", optarg, 0, 2147483647, &seed)) return false;
        s->analysis.seed = (uint64_t)seed;
        return true;
    case OPT_THREADS:
        return take_int("--threads", 1, 1024, &s->analysis.threads);
    default:
        return take_choice(s, c);
    }
}

static void list_metrics(void)
{
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        const rs_metric_info *i = rs_metric_get(m);
        printf("%-24s %-4s %s. %s [%s; %s]\n", i->id, i->unit, i->name, i->description, i->method,
               i->source);
    }
    puts("R: the unit of the response. Metrics of a summary:");
    for (int m = 0, k = 0; m < RS_METRIC_COUNT; m++)
        if (rs_metric_get(m)->in_summary) printf("%s%s", k++ ? ", " : "", rs_metric_get(m)->id);
    puts("");
}

/* True when there is work to do; else *rc is the exit status. */
static bool parse(int argc, char **argv, settings *s, int *rc)
{
    char bad[8];
    *rc = CLI_USAGE;
    rs_loops_defaults(&s->analysis);
    s->analysis.seed = 1;
    s->analysis.metric.branches.asymmetric = true;
    s->source.degrees = -1;
    beps_metric_choose("all", &s->metrics, bad, sizeof bad);
    optind = 1;
    for (int c; (c = cli_option(&self, argc, argv, "o:", longs)) != -1;) {
        if (c == CLI_OPT_HELP || c == CLI_OPT_VERSION) {
            *rc = c == CLI_OPT_HELP ? cli_help(&self) : cli_version(&self);
            return false;
        }
        if (c == OPT_LIST) {
            list_metrics();
            *rc = cli_close(&self);
            return false;
        }
        if (c == CLI_OPT_ERROR || !take_option(s, c)) return false;
    }
    if (optind + 1 != argc)
        cli_usage_error(&self, "expected one input file, found %d", argc - optind);
    else if (!s->output && !s->csv && !s->png && !s->json)
        cli_usage_error(&self, "no output given (-o OUT.h5)");
    else if ((s->output && strcmp(s->output, argv[optind]) == 0) ||
             (s->csv && strcmp(s->csv, argv[optind]) == 0))
        cli_usage_error(&self, "the output would replace the input");
    else if (!s->source.amplitude != !s->source.phase)
        cli_usage_error(&self, "--amplitude and --phase go together");
    else if (s->source.channel && s->source.phase)
        cli_usage_error(&self, "--channel and --amplitude exclude each other");
    else if (s->source.waveform && s->source.triangle > 0)
        cli_usage_error(&self, "--waveform and --triangle exclude each other");
    else if (s->points && !s->png)
        cli_usage_error(&self, "--points needs --png");
    else {
        s->input = argv[optind];
        return true;
    }
    return false;
}

/* One point, a number or x:y; false after a usage error. */
static bool parse_point(const char *option, const char *text, size_t len, const beps_responses *in,
                        int64_t *out)
{
    char word[48], *colon;
    long a, b;
    snprintf(word, sizeof word, "%.*s", (int)(len < 47 ? len : 47), text);
    colon = strchr(word, ':');
    if (!colon) {
        if (!cli_int(&self, option, word, 0, (long)(in->points - 1), &a)) return false;
        *out = a;
        return true;
    }
    *colon = '\0';
    if (in->ndim != 2) {
        cli_usage_error(&self, "%s: x:y needs a grid; the file has a list of %lld points", option,
                        (long long)in->points);
        return false;
    }
    if (!cli_int(&self, option, word, 0, (long)(in->dim[0].n - 1), &a) ||
        !cli_int(&self, option, colon + 1, 0, (long)(in->dim[1].n - 1), &b))
        return false;
    *out = a * in->dim[1].n + b;
    return true;
}

static bool parse_points(const char *text, const beps_responses *in, int64_t *out, int *n)
{
    for (const char *t = text; *t;) {
        size_t len = strcspn(t, ",");
        if (*n == MAX_POINTS) {
            cli_usage_error(&self, "--points: at most %d points", MAX_POINTS);
            return false;
        }
        if (!parse_point("--points", t, len, in, &out[*n])) return false;
        ++*n;
        t += len + (t[len] == ',');
    }
    return true;
}

/* ------------------------------------------------------------------------------------- unfolding
 */
/* One phase calibration for the whole map: the peaks of the histogram, the class left by high
 * voltages forward. */
static reshed_status unfold_phase(const beps_responses *in, rs_field field, double *response,
                                  double *reference, reshed_error *err)
{
    size_t per = (size_t)in->steps * (size_t)in->cycles, n = per * (size_t)in->points;
    double *w = rs_alloc(n, 3 * sizeof *w), *phase = w ? w + n : NULL, *v = w ? w + 2 * n : NULL;
    rs_phase_options o;
    rs_phase_cal cal;
    if (!w) return rs_fail_nomem(err, "phases", n * 3 * sizeof *w);
    /* A failed fit must not outweigh the rest: amplitudes count up to twice the median. */
    for (size_t i = 0; i < n; i++) w[i] = hypot(in->re[field][i], in->im[field][i]);
    double top = 2 * rs_median(w, n, phase);
    for (size_t i = 0; i < n; i++) {
        phase[i] = atan2(in->im[field][i], in->re[field][i]);
        w[i] = fmin(w[i], top);
        v[i] = in->v[i % per];
    }
    rs_phase_defaults(&o);
    reshed_status st = rs_phase_calibrate(phase, w, n, &o, &cal, err);
    if (st == RESHED_OK) {
        rs_phase_orient_by_bias(&cal, phase, w, v, n, true);
        for (size_t i = 0; i < n; i++) w[i] = hypot(in->re[field][i], in->im[field][i]);
        rs_phase_to_response(&cal, w, phase, n, response);
        *reference = -cal.offset;
    }
    rs_free(w);
    return st;
}

/* The side of the complex plane on which one point's loop is counter-clockwise. */
static reshed_status reference_of(const settings *s, const beps_responses *in, rs_field field,
                                  int64_t point, double *out, reshed_error *err)
{
    size_t per = (size_t)in->steps * (size_t)in->cycles, at = (size_t)point * per;
    rs_unfold_options o = {.sign = RS_SIGN_AREA, .reference = NAN, .threads = 1};
    rs_unfold *u = rs_alloc((size_t)in->cycles, sizeof *u);
    double *scratch = rs_alloc(per, sizeof *scratch);
    reshed_status st = RESHED_OK;
    (void)s;
    if (!u || !scratch)
        st = rs_fail_nomem(err, "the reference", per * sizeof *scratch);
    else
        st = rs_loops_unfold(in->v, in->steps, in->cycles, in->re[field] + at, in->im[field] + at,
                             1, &o, scratch, u, NULL, err);
    if (st == RESHED_OK) *out = rs_unfold_reference(u, in->cycles);
    rs_free(u);
    rs_free(scratch);
    return st;
}

/* Fills r->response (which takes the data of signed responses over from `in`). */
static reshed_status unfold(const settings *s, beps_responses *in, int64_t reference_point,
                            beps_loop_results *r, reshed_error *err)
{
    static const char *const names[] = {
        "each loop's line by total least squares, on the side of the map's common direction",
        "each loop's line by total least squares, counter-clockwise",
        "the map's common direction by total least squares", "peaks of the phase histogram",
        "BGlib projectLoop"};
    size_t n = (size_t)in->points * (size_t)in->cycles * (size_t)in->steps;
    r->reference = NAN;
    if (!in->is_complex) {
        r->unfolded = "signed response as in the file";
        r->response = in->re[r->field];
        in->re[r->field] = NULL;
        return RESHED_OK;
    }
    r->unfolded = names[s->unfold];
    r->response = rs_alloc(n, sizeof *r->response);
    if (!r->response) return rs_fail_nomem(err, "the loops", n * sizeof *r->response);
    if (s->unfold == UNFOLD_PHASE)
        return unfold_phase(in, r->field, r->response, &r->reference, err);
    rs_unfold_options o = {
        .reference = NAN, .bglib = s->unfold == UNFOLD_BGLIB, .threads = s->analysis.threads};
    o.sign = s->unfold == UNFOLD_MAP     ? RS_SIGN_REFERENCE
             : s->unfold == UNFOLD_FIXED ? RS_SIGN_FIXED
                                         : RS_SIGN_AREA;
    reshed_status st = RESHED_OK;
    if (reference_point >= 0)
        st = reference_of(s, in, r->field, reference_point, &o.reference, err);
    r->unfold = rs_alloc((size_t)in->points * (size_t)in->cycles, sizeof *r->unfold);
    if (st == RESHED_OK && !r->unfold) st = rs_fail_nomem(err, "the unfolding", n);
    if (st == RESHED_OK)
        st = rs_loops_unfold(in->v, in->steps, in->cycles, in->re[r->field], in->im[r->field],
                             in->points, &o, r->response, r->unfold, &r->reference, err);
    return st;
}

/* -------------------------------------------------------------------------------------- analysis
 */
/* Progress of loops that are done in any order by any thread; one of them shows it. */
typedef struct counter {
    atomic_long done;
    rs_progress bar;
    atomic_flag showing;
} counter;

static void count_loop(void *ctx, int64_t point)
{
    counter *c = ctx;
    (void)point;
    long done = atomic_fetch_add(&c->done, 1) + 1;
    if (atomic_flag_test_and_set(&c->showing)) return;
    rs_progress_update(&c->bar, done);
    atomic_flag_clear(&c->showing);
}

/* The numbers of the first used cycle of an average loop, found as those of each loop are. */
static reshed_status measure(const beps_responses *in, const rs_loops_options *o, const rs_loops *l,
                             const double *loop, double *metrics, reshed_error *err)
{
    rs_loops_options one = *o;
    rs_loops result = {0};
    size_t first = (size_t)(l->cycles - l->used) * (size_t)in->steps;
    /* An average has no spikes, and its sign is decided. */
    one.keep_spikes = true;
    one.orient = false;
    one.outlier = 0;
    one.bootstrap = 0;
    one.done = NULL;
    reshed_status st =
        rs_loops_analyse(in->v + first, in->steps, 1, loop + first, 1, &one, &result, err);
    if (st == RESHED_OK) memcpy(metrics, result.value, RS_METRIC_COUNT * sizeof *metrics);
    rs_loops_clear(&result);
    return st;
}

static reshed_status averages(const beps_responses *in, const rs_loops_options *o,
                              beps_loop_results *r, reshed_error *err)
{
    size_t n = (size_t)in->steps * (size_t)in->cycles;
    r->median = rs_alloc(n, sizeof *r->median);
    r->mean = rs_alloc(n, sizeof *r->mean);
    if (!r->median || !r->mean) return rs_fail_nomem(err, "average loops", n * 2 * sizeof(double));
    rs_loops_mean(r->response, in->points, in->steps, in->cycles, &r->loops, RS_LOOP_BAD, r->mean);
    reshed_status st =
        rs_loops_median(r->response, in->points, in->steps, in->cycles, NULL, 0, r->median, err);
    if (st == RESHED_OK) st = measure(in, o, &r->loops, r->median, r->median_metrics, err);
    return st == RESHED_OK ? measure(in, o, &r->loops, r->mean, r->mean_metrics, err) : st;
}

static reshed_status analyse(const settings *s, const beps_responses *in, beps_loop_results *r,
                             reshed_error *err)
{
    rs_loops_options o = s->analysis;
    counter c = {.showing = ATOMIC_FLAG_INIT};
    double start = rs_os_monotonic();
    bool on = r->field == RS_FIELD_ON;
    o.remove_slope = s->remove_slope == CHOICE_YES || (s->remove_slope == CHOICE_AUTO && on);
    o.metric.branches.slope = on && !o.remove_slope;
    o.orient = s->by_area == CHOICE_YES;
    if (s->by_area == CHOICE_AUTO && !in->is_complex && !on)
        o.orient = rs_loops_by_area(in->v, in->steps, in->cycles, r->response, in->points);
    r->orient = o.orient;
    r->slope_removed = o.remove_slope;
    o.done = count_loop;
    o.done_ctx = &c;
    rs_progress_start(&c.bar, s->quiet || s->json ? NULL : stderr, beps_field_name(r->field),
                      (long)in->points);
    reshed_status st =
        rs_loops_analyse(in->v, in->steps, in->cycles, r->response, in->points, &o, &r->loops, err);
    rs_progress_finish(&c.bar);
    r->seconds = rs_os_monotonic() - start;
    return st == RESHED_OK ? averages(in, &o, r, err) : st;
}

/* On-field minus off-field, point by point, over all used cycles' first sweep. */
static reshed_status difference(const beps_responses *in, const beps_loop_results *off,
                                beps_loop_results *on, reshed_error *err)
{
    size_t points = (size_t)in->points, n = (size_t)in->steps, per = n * (size_t)in->cycles;
    size_t first = (size_t)(on->loops.cycles - on->loops.used) * n;
    double **wanted[] = {&on->difference_slope, &on->difference_cpd, &on->difference_r2};
    rs_sweep s = {0};
    bool ok = true;
    for (int k = 0; k < 3; k++) ok = (*wanted[k] = rs_alloc(points, sizeof(double))) && ok;
    if (!ok) return rs_fail_nomem(err, "electrostatic maps", points * 3 * sizeof(double));
    reshed_status st = rs_sweep_create(in->v + first, in->steps, &s, err);
    for (size_t p = 0; st == RESHED_OK && p < points; p++) {
        rs_electrostatic es;
        size_t at = p * per + first;
        rs_electrostatic_difference(&s, on->response + at, off->response + at, on->loops.skip + at,
                                    -5, 5, &es);
        on->difference_slope[p] = es.slope;
        on->difference_cpd[p] = es.cpd;
        on->difference_r2[p] = es.r2;
    }
    rs_sweep_clear(&s);
    return st;
}

/* --------------------------------------------------------------------------------------- summary
 */
/* Median and robust standard deviation of a metric over the trusted loops. */
static size_t spread_of(const rs_loops *l, rs_metric m, double *work, double *median, double *mad)
{
    const double *map = rs_loops_map(l, m);
    size_t n = (size_t)l->points, k = 0;
    for (size_t p = 0; p < n; p++) {
        work[p] = l->flags[p] & RS_LOOP_BAD ? NAN : map[p];
        k += isfinite(work[p]);
    }
    *median = rs_median(work, n, work + n);
    *mad = rs_mad(work, n, *median, work + n);
    return k;
}

static void json_field(const char *name, double v, bool first)
{
    printf("%s\"%s\": ", first ? "" : ", ", name);
    cli_json_number(stdout, v);
}

static void print_json_loop(const char *name, const double *metrics)
{
    bool first = true;
    printf(", \"%s\": {", name);
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        if (!isfinite(metrics[m])) continue;
        json_field(rs_metric_get(m)->id, metrics[m], first);
        first = false;
    }
    putchar('}');
}

static void print_json_result(const beps_responses *in, const beps_loop_results *r, double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    printf("{\"field\": \"%s\", \"unfolding\": ", beps_field_name(r->field));
    cli_json_string(stdout, r->unfolded);
    json_field("reference_angle", r->reference, false);
    printf(", \"turned_by_area\": %s, \"trusted\": %lld", r->orient ? "true" : "false",
           (long long)rs_loops_count(l, RS_LOOP_BAD));
    json_field("seconds", r->seconds, false);
    printf(", \"flags\": {");
    for (int k = 0; k < RS_LOOP_FLAGS; k++)
        printf("%s\"%s\": %lld", k ? ", " : "", rs_loop_flag_name(k),
               (long long)(l->points - rs_loops_count(l, 1u << k)));
    putchar('}');
    print_json_loop("median_loop", r->median_metrics);
    print_json_loop("mean_loop", r->mean_metrics);
    printf(", \"metrics\": {");
    for (int m = 0, k = 0; m < RS_METRIC_COUNT; m++) {
        double median, mad;
        size_t n = spread_of(l, m, work, &median, &mad);
        if (n == 0) continue;
        printf("%s\"%s\": {\"unit\": ", k++ ? ", " : "", rs_metric_get(m)->id);
        cli_json_string(stdout, rs_metric_unit(m, in->units, unit, sizeof unit));
        json_field("median", median, false);
        json_field("robust_sd", mad, false);
        json_field("n", (double)n, false);
        putchar('}');
    }
    printf("}}");
}

static void print_json(const settings *s, const beps_responses *in, const beps_loop_results *r,
                       int n, double seconds, double *work)
{
    fputs("{\"file\": ", stdout);
    cli_json_string(stdout, s->input);
    fputs(", \"output\": ", stdout);
    if (s->output)
        cli_json_string(stdout, s->output);
    else
        fputs("null", stdout);
    fputs(", \"dataset\": ", stdout);
    cli_json_string(stdout, in->path);
    fputs(", \"response_unit\": ", stdout);
    cli_json_string(stdout, in->units);
    json_field("points", (double)in->points, false);
    json_field("cycles", in->cycles, false);
    json_field("steps", in->steps, false);
    json_field("threads", rs_threads_or_all(s->analysis.threads), false);
    json_field("seconds", seconds, false);
    fputs(", \"results\": [", stdout);
    for (int i = 0; i < n; i++) {
        if (i) fputs(", ", stdout);
        print_json_result(in, &r[i], work);
    }
    puts("]}");
}

static void print_text(const settings *s, const beps_responses *in, const beps_loop_results *r,
                       double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    printf("%s: %lld %s loops of %d steps%s, %lld to trust, in %.2f s\n", s->input,
           (long long)in->points, beps_field_name(r->field), in->steps,
           in->cycles > 1 ? " in several cycles" : "", (long long)rs_loops_count(l, RS_LOOP_BAD),
           r->seconds);
    if (isfinite(r->reference))
        printf("  phase of the response %.1f deg\n", r->reference / RS_DEGREE);
    for (int k = 0; k < RS_LOOP_FLAGS; k++) {
        int64_t count = l->points - rs_loops_count(l, 1u << k);
        if (count) printf("  %6lld %s\n", (long long)count, rs_loop_flag_name(k));
    }
    const double *m = r->median_metrics;
    printf(
        "  median loop: V+ %.2f V, V- %.2f V, width %.2f V (zero), %.2f V (mid), imprint %.2f V\n",
        m[RS_M_V_PLUS_ZERO], m[RS_M_V_MINUS_ZERO], m[RS_M_WIDTH_ZERO], m[RS_M_WIDTH_MID],
        m[RS_M_IMPRINT_ZERO]);
    for (int k = 0; k < RS_METRIC_COUNT; k++) {
        double median, mad;
        const rs_metric_info *info = rs_metric_get(k);
        if (!info->in_summary || spread_of(l, k, work, &median, &mad) == 0) continue;
        rs_metric_unit(k, in->units, unit, sizeof unit);
        printf("  %-20s %11.4g +- %-9.2g %s\n", info->id, median, mad,
               strcmp(unit, "1") == 0 ? "" : unit);
    }
}

/* ------------------------------------------------------------------------------------------ main
 */
/* Which fields to analyse, into fields[2]; their number, 0 when the file lacks the one asked for.
 */
static int choose_fields(const settings *s, const beps_responses *in, rs_field fields[2])
{
    int n = 0;
    bool off = s->field != WANT_ON, on = s->field == WANT_ON || s->field == WANT_BOTH ||
                                         (s->field == WANT_AUTO && !in->has[RS_FIELD_OFF]);
    if (off && in->has[RS_FIELD_OFF]) fields[n++] = RS_FIELD_OFF;
    if (on && in->has[RS_FIELD_ON]) fields[n++] = RS_FIELD_ON;
    return s->field == WANT_BOTH && n < 2 ? 0 : n;
}

static reshed_status write_all(const settings *s, const beps_responses *in,
                               const beps_loop_results *r, int n, const int64_t *points,
                               int n_points, char blame[256], reshed_error *err)
{
    reshed_status st = RESHED_OK;
    if (s->output) {
        snprintf(blame, 256, "%.255s", s->output);
        st = beps_loop_write_h5(s->output, s->input, in, &s->analysis, r, n, &s->metrics, err);
    }
    if (st == RESHED_OK && s->csv) {
        snprintf(blame, 256, "%.255s", s->csv);
        st = beps_loop_write_csv(s->csv, in, r, n, &s->metrics, err);
    }
    for (int i = 0; st == RESHED_OK && s->png && i < n; i++)
        st = beps_figures_write(s->png, in, &r[i], points, n_points, blame, err);
    return st;
}

int beps_loops_main(int argc, char **argv)
{
    settings s = {0};
    beps_responses in = {0};
    beps_loop_results r[2] = {{0}};
    rs_field fields[2];
    reshed_error err = {0};
    int64_t points[MAX_POINTS], reference = -1;
    char blame[256];
    double *work = NULL, start = rs_os_monotonic();
    int rc, n = 0, n_points = 0;
    if (!parse(argc, argv, &s, &rc)) return rc;

    snprintf(blame, sizeof blame, "%.255s", s.input);
    /* Data with one reading for each step are what the user says, off-field by default. */
    s.source.single = s.field == WANT_ON ? RS_FIELD_ON : RS_FIELD_OFF;
    reshed_status st = beps_responses_read(s.input, &s.source, &in, &err);
    if (st != RESHED_OK) goto done;
    if ((s.points && !parse_points(s.points, &in, points, &n_points)) ||
        (s.reference &&
         !parse_point("--reference", s.reference, strlen(s.reference), &in, &reference))) {
        beps_responses_clear(&in);
        return CLI_USAGE;
    }
    n = choose_fields(&s, &in, fields);
    if (n == 0) {
        st = rs_fail(&err, RESHED_EUNSUPPORTED, "the fields asked for|%s|%s|%s",
                     s.field == WANT_BOTH ? "on-field and off-field readings" : "such readings",
                     in.has[RS_FIELD_ON] ? "on-field ones" : "off-field ones", in.path);
        goto done;
    }
    work = rs_alloc((size_t)in.points, 2 * sizeof *work);
    if (!work) st = rs_fail_nomem(&err, "the summary", (size_t)in.points * 2 * sizeof *work);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        r[i].field = fields[i];
        st = unfold(&s, &in, reference, &r[i], &err);
        if (st == RESHED_OK) st = analyse(&s, &in, &r[i], &err);
    }
    if (st == RESHED_OK && n == 2) st = difference(&in, &r[0], &r[1], &err);
    if (st == RESHED_OK) st = write_all(&s, &in, r, n, points, n_points, blame, &err);
    if (st != RESHED_OK) goto done;
    if (s.json)
        print_json(&s, &in, r, n, rs_os_monotonic() - start, work);
    else
        for (int i = 0; !s.quiet && i < n; i++) print_text(&s, &in, &r[i], work);
done:
    rs_free(work);
    for (int i = 0; i < 2; i++) beps_loop_results_clear(&r[i]);
    beps_responses_clear(&in);
    return st == RESHED_OK ? cli_close(&self) : cli_fail(&self, blame, &err);
}
