#include "tools/beps/loop_options.h"

#include <stdio.h>
#include <string.h>

const cli_program beps_loops_program = {
    "reshed-beps loops",
    "Usage: reshed-beps loops [OPTION]... IN.h5 -o OUT.h5\n"
    "Reduces hysteresis loops to numbers: widths, switching and nucleation voltages, imprint,\n"
    "areas, levels, each with unit and method. Reads piezoresponse, complex response, or "
    "amplitude\n"
    "and phase (NSID grids and point lists, the output of `reshed-beps sho`, quick fits of the\n"
    "acquisition program, switching-spectroscopy waves of Asylum's, sessions of reshed-scan);\n"
    "writes NSID maps, a table, and figures.\n"
    "\n"
    "Output:\n"
    "  -o, --output FILE          NSID file with a map of each metric\n"
    "      --csv FILE             the same as a table, a row for each point\n"
    "      --png PREFIX           figures: PREFIX_average.png, _histograms, _maps, _loops\n"
    "      --figures PREFIX       the same four for a paper, as PDF; with --kind=svg or png as "
    "those\n"
    "      --kind NAME            of --figures: pdf, svg or png [pdf]\n"
    "      --paper LIST           of --figures: width=MM (174), font=PT (8), family=NAME (DejaVu\n"
    "                             Sans), dpi=N of a PNG (300), letters=yes|no (yes), colours=\n"
    "                             viridis|magma|grey\n"
    "      --points LIST          points whose loops are drawn, numbers or x:y indices, by commas\n"
    "      --metrics LIST         all, summary, or identifiers by commas [all]\n"
    "      --list-metrics         print the metrics with unit, method and definition; then end\n"
    "Input:\n"
    "      --channel NAME         dataset of the responses [found by itself]; of a session: BEPS,\n"
    "                             the loops of its points, analysed as the scan did (--unfold\n"
    "                             area, --outlier 0)\n"
    "      --amplitude NAME --phase NAME   two datasets instead\n"
    "      --unsigned             take an amplitude without a phase: both states are positive, "
    "and\n"
    "                             areas and widths those of a folded loop\n"
    "      --phase-unit UNIT      deg or rad [by its unit or range]\n"
    "      --waveform DATASET     write voltages [an axis in V, /BEPS/vdc_waveform]\n"
    "      --triangle VOLTS       write voltages are a bipolar triangle of that amplitude\n"
    "      --cycles N             cycles in the waveform [found in the voltages]\n"
    "      --field WHICH          off, on or both [off-field where there are both]\n"
    "Sign of the response:\n"
    "      --unfold METHOD        for complex data: map (each loop's line, on the side of the\n"
    "                             map's), area (each loop counter-clockwise), fixed (the map's\n"
    "                             line), phase (histogram of the phase), bglib [map]\n"
    "      --reference POINT      the point whose loop is counter-clockwise (map, fixed, phase)\n"
    "      --sign WHICH           for signed data: keep, area, or auto: area when every loop of "
    "the\n"
    "                             file has a positive area, spikes included [auto]\n"
    "Analysis:\n"
    "      --keep-spikes          use samples that stand away from the loop\n"
    "      --keep-first           use the first of several cycles too: it starts from whatever "
    "was\n"
    "                             there before, and is left out by default (--drop-first)\n"
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

enum {
    OPT_CSV = CLI_OPT_FIRST,
    OPT_PNG,
    OPT_FIGURES,
    OPT_KIND,
    OPT_PAPER,
    OPT_POINTS,
    OPT_METRICS,
    OPT_LIST,
    OPT_CHANNEL,
    OPT_AMPLITUDE,
    OPT_PHASE,
    OPT_PHASE_UNIT,
    OPT_UNSIGNED,
    OPT_WAVEFORM,
    OPT_TRIANGLE,
    OPT_CYCLES,
    OPT_FIELD,
    OPT_UNFOLD,
    OPT_REFERENCE,
    OPT_SIGN,
    OPT_KEEP_SPIKES,
    OPT_DROP_FIRST,
    OPT_KEEP_FIRST,
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
                                      {"figures", required_argument, NULL, OPT_FIGURES},
                                      {"kind", required_argument, NULL, OPT_KIND},
                                      {"paper", required_argument, NULL, OPT_PAPER},
                                      {"points", required_argument, NULL, OPT_POINTS},
                                      {"metrics", required_argument, NULL, OPT_METRICS},
                                      {"list-metrics", no_argument, NULL, OPT_LIST},
                                      {"channel", required_argument, NULL, OPT_CHANNEL},
                                      {"amplitude", required_argument, NULL, OPT_AMPLITUDE},
                                      {"phase", required_argument, NULL, OPT_PHASE},
                                      {"unsigned", no_argument, NULL, OPT_UNSIGNED},
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
                                      {"keep-first", no_argument, NULL, OPT_KEEP_FIRST},
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
    cli_usage_error(&beps_loops_program, "%s: expected one of %s, found '%s'", option, list, text);
    return false;
}

static bool take_int(const char *option, long lo, long hi, int *out)
{
    long n;
    if (!cli_int(&beps_loops_program, option, optarg, lo, hi, &n)) return false;
    *out = (int)n;
    return true;
}

/* Options of one word from a list. */
static bool take_choice(beps_loop_settings *s, int c)
{
    static const char *const units[] = {"rad", "deg", NULL};
    static const char *const fields[] = {"auto", "off", "on", "both", NULL};
    static const char *const unfolds[] = {"map", "area", "fixed", "phase", "bglib", NULL};
    static const char *const signs[] = {"auto", "area", "keep", NULL};
    static const char *const answers[] = {"auto", "yes", "no", NULL};
    static const char *const bounds[] = {"scaled", "bglib", NULL};
    static const char *const models[] = {"none", "sigmoid", "arctan", NULL};
    static const char *const kinds[] = {"pdf", "svg", "png", NULL};
    int k = 0;
    bool ok = false;
    switch (c) {
    case OPT_PHASE_UNIT:
        ok = take_word("--phase-unit", optarg, units, &k);
        s->source.degrees = k;
        break;
    case OPT_FIELD:
        ok = take_word("--field", optarg, fields, &k);
        s->field = (rs_field_wanted)k;
        break;
    case OPT_UNFOLD:
        ok = take_word("--unfold", optarg, unfolds, &k);
        s->unfold = (rs_unfolding)k;
        s->unfold_given = true;
        break;
    case OPT_SIGN:
        ok = take_word("--sign", optarg, signs, &k);
        s->options.by_area = (rs_answer)k;
        break;
    case OPT_REMOVE_SLOPE:
        ok = take_word("--remove-slope", optarg, answers, &k);
        s->options.remove_slope = (rs_answer)k;
        break;
    case OPT_BOUNDS:
        ok = take_word("--bounds", optarg, bounds, &k);
        s->options.analysis.metric.bounds = (rs_loop_bounds)k;
        break;
    case OPT_KIND:
        ok = take_word("--kind", optarg, kinds, &k);
        s->kind = kinds[k];
        break;
    case OPT_MODEL:
        ok = take_word("--model", optarg, models, &k);
        s->options.analysis.metric.branches.model = (rs_branch_model)k;
        break;
    }
    return ok;
}

static bool take_metrics(beps_loop_settings *s)
{
    char bad[64];
    if (rs_metric_choose(optarg, &s->metrics, bad, sizeof bad)) return true;
    cli_usage_error(&beps_loops_program, "--metrics: no metric '%s' (see --list-metrics)", bad);
    return false;
}

/* One option; false after a usage error. */
static bool take_option(beps_loop_settings *s, int c)
{
    long seed;
    switch (c) {
    case 'o': s->output = optarg; return true;
    case CLI_OPT_QUIET: return s->quiet = true;
    case CLI_OPT_JSON: return s->json = true;
    case OPT_CSV: s->csv = optarg; return true;
    case OPT_PNG: s->png = optarg; return true;
    case OPT_FIGURES: s->figures = optarg; return true;
    case OPT_PAPER: return s->paper_given = cli_paper(&beps_loops_program, optarg, &s->paper);
    case OPT_POINTS: s->points = optarg; return true;
    case OPT_METRICS: return take_metrics(s);
    case OPT_CHANNEL: s->source.channel = optarg; return true;
    case OPT_AMPLITUDE: s->source.amplitude = optarg; return true;
    case OPT_PHASE: s->source.phase = optarg; return true;
    case OPT_WAVEFORM: s->source.waveform = optarg; return true;
    case OPT_TRIANGLE:
        return cli_double(&beps_loops_program, "--triangle", optarg, 1e-9, 1e6,
                          &s->source.triangle);
    case OPT_UNSIGNED: return s->source.unsigned_too = true;
    case OPT_CYCLES: return take_int("--cycles", 1, 100000, &s->source.cycles);
    case OPT_REFERENCE: s->reference = optarg; return true;
    case OPT_KEEP_SPIKES: return s->options.analysis.keep_spikes = true;
    case OPT_DROP_FIRST: return s->first_given = s->options.analysis.drop_first = true;
    case OPT_KEEP_FIRST: s->options.analysis.drop_first = false; return s->first_given = true;
    case OPT_NO_FIT: s->options.analysis.metric.fit = false; return true;
    case OPT_SYMMETRIC: s->options.analysis.metric.branches.asymmetric = false; return true;
    case OPT_NUCLEATION:
        return cli_double(&beps_loops_program, "--nucleation", optarg, 1e-6, 0.499,
                          &s->options.analysis.metric.nucleation);
    case OPT_OUTLIER:
        s->outlier_given = true;
        return cli_double(&beps_loops_program, "--outlier", optarg, 0, 1e9,
                          &s->options.analysis.outlier);
    case OPT_BOOTSTRAP: return take_int("--bootstrap", 0, 100000, &s->options.analysis.bootstrap);
    case OPT_SEED:
        if (!cli_int(&beps_loops_program, "--seed", optarg, 0, 2147483647, &seed)) return false;
        s->options.analysis.seed = (uint64_t)seed;
        return true;
    case OPT_THREADS: return take_int("--threads", 1, 1024, &s->options.analysis.threads);
    default: return take_choice(s, c);
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

bool beps_loop_parse(int argc, char **argv, beps_loop_settings *s, int *rc)
{
    char bad[8];
    *rc = CLI_USAGE;
    rs_loops_defaults(&s->options.analysis);
    s->options.analysis.seed = 1;
    s->options.analysis.metric.branches.asymmetric = true;
    s->source.degrees = -1;
    rs_paper_defaults(&s->paper);
    rs_metric_choose("all", &s->metrics, bad, sizeof bad);
    optind = 1;
    for (int c; (c = cli_option(&beps_loops_program, argc, argv, "o:", longs)) != -1;) {
        if (c == CLI_OPT_HELP || c == CLI_OPT_VERSION) {
            *rc = c == CLI_OPT_HELP ? cli_help(&beps_loops_program)
                                    : cli_version(&beps_loops_program);
            return false;
        }
        if (c == OPT_LIST) {
            list_metrics();
            *rc = cli_close(&beps_loops_program);
            return false;
        }
        if (c == CLI_OPT_ERROR || !take_option(s, c)) return false;
    }
    if (optind + 1 != argc)
        cli_usage_error(&beps_loops_program, "expected one input file, found %d", argc - optind);
    else if (!s->output && !s->csv && !s->png && !s->figures && !s->json)
        cli_usage_error(&beps_loops_program, "no output given (-o OUT.h5)");
    else if (!s->source.amplitude != !s->source.phase)
        cli_usage_error(&beps_loops_program, "--amplitude and --phase go together");
    else if (s->source.channel && s->source.phase)
        cli_usage_error(&beps_loops_program, "--channel and --amplitude exclude each other");
    else if (s->source.waveform && s->source.triangle > 0)
        cli_usage_error(&beps_loops_program, "--waveform and --triangle exclude each other");
    else if (s->points && !s->png && !s->figures)
        cli_usage_error(&beps_loops_program, "--points needs --png or --figures");
    else if ((s->kind || s->paper_given) && !s->figures)
        cli_usage_error(&beps_loops_program, "--kind and --paper go with --figures");
    else {
        s->input = argv[optind];
        return true;
    }
    return false;
}

/* One point, a number or x:y; false after a usage error. */
static bool parse_point(const char *option, const char *text, size_t len, const rs_responses *in,
                        int64_t *out)
{
    char word[48], *colon;
    long a, b;
    snprintf(word, sizeof word, "%.*s", (int)(len < 47 ? len : 47), text);
    colon = strchr(word, ':');
    if (!colon) {
        if (!cli_int(&beps_loops_program, option, word, 0, (long)(in->points - 1), &a))
            return false;
        *out = a;
        return true;
    }
    *colon = '\0';
    if (in->ndim != 2) {
        cli_usage_error(&beps_loops_program,
                        "%s: x:y needs a grid; the file has a list of %lld points", option,
                        (long long)in->points);
        return false;
    }
    if (!cli_int(&beps_loops_program, option, word, 0, (long)(in->dim[0].n - 1), &a) ||
        !cli_int(&beps_loops_program, option, colon + 1, 0, (long)(in->dim[1].n - 1), &b))
        return false;
    *out = a * in->dim[1].n + b;
    return true;
}

static bool parse_points(const char *text, const rs_responses *in, int64_t *out, int *n)
{
    for (const char *t = text; *t;) {
        size_t len = strcspn(t, ",");
        if (*n == BEPS_MAX_POINTS) {
            cli_usage_error(&beps_loops_program, "--points: at most %d points", BEPS_MAX_POINTS);
            return false;
        }
        if (!parse_point("--points", t, len, in, &out[*n])) return false;
        ++*n;
        t += len + (t[len] == ',');
    }
    return true;
}

bool beps_loop_parse_points(const beps_loop_settings *s, const rs_responses *in, int64_t *points,
                            int *n_points, int64_t *reference)
{
    *n_points = 0;
    *reference = -1;
    if (s->points && !parse_points(s->points, in, points, n_points)) return false;
    return !s->reference ||
           parse_point("--reference", s->reference, strlen(s->reference), in, reference);
}
