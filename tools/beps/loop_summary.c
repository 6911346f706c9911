#include "tools/beps/loop_summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/numeric.h"
#include "base/parallel.h"
#include "base/statistics.h"

/* Only with --model are there branches of PySSPFM's. */
static bool measured(const beps_loop_settings *s, int m)
{
    return m < RS_M_SSPFM_X0_R || m > RS_M_SSPFM_R2 ||
           s->options.analysis.metric.branches.model != RS_MODEL_NONE;
}

static void put_loop(const beps_loop_settings *s, rs_json *j, const char *key,
                     const double *metrics)
{
    rs_json_object(j, key);
    for (int m = 0; m < RS_METRIC_COUNT; m++)
        if (measured(s, m)) rs_json_number(j, rs_metric_get(m)->id, metrics[m]);
    rs_json_end(j);
}

/* The voltages of a cycle. */
static void range_of(const rs_responses *in, int cycle, double *low, double *high)
{
    const double *v = in->v + (size_t)cycle * (size_t)in->steps;
    *low = *high = v[0];
    for (int i = 1; i < in->steps; i++) {
        *low = fmin(*low, v[i]);
        *high = fmax(*high, v[i]);
    }
}

/* The median of a metric over the loops of one cycle that are to be trusted; how many those are
 * into *n. work [2*points]. */
static double cycle_median(const rs_loops *l, int cycle, int m, double *work, int64_t *n)
{
    const size_t points = (size_t)l->points;
    const double *value = l->cycle_value + ((size_t)cycle * RS_METRIC_COUNT + (size_t)m) * points;
    *n = 0;
    for (size_t p = 0; p < points; p++) {
        const bool good = !(l->cycle_flags[(size_t)cycle * points + p] & RS_LOOP_BAD);
        work[p] = good ? value[p] : NAN;
        *n += good;
    }
    return rs_median(work, points, work + points);
}

static void put_cycles(const beps_loop_settings *s, rs_json *j, const rs_responses *in,
                       const rs_loops *l, double *work)
{
    rs_json_array(j, "curves");
    for (int c = 0; c < l->cycles; c++) {
        double low, high;
        int64_t n;
        range_of(in, c, &low, &high);
        rs_json_object(j, NULL);
        rs_json_integer(j, "cycle", c);
        rs_json_number(j, "v_min", low);
        rs_json_number(j, "v_max", high);
        cycle_median(l, c, RS_M_AREA, work, &n);
        rs_json_integer(j, "trusted", n);
        for (int m = 0; m < RS_METRIC_COUNT; m++)
            if (measured(s, m))
                rs_json_number(j, rs_metric_get(m)->id, cycle_median(l, c, m, work, &n));
        rs_json_end(j);
    }
    rs_json_end(j);
}

static void put_result(const beps_loop_settings *s, rs_json *j, const rs_responses *in,
                       const rs_field_loops *r, double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    rs_json_object(j, NULL);
    rs_json_string(j, "field", rs_field_name(r->field));
    rs_json_string(j, "unfolding", r->unfolded.how);
    rs_json_number(j, "reference_angle", r->unfolded.reference);
    rs_json_bool(j, "turned_by_area", r->orient);
    rs_json_integer(j, "cycles_used", l->used);
    rs_json_bool(j, "first_cycle_dropped", l->first == 1 && !l->apart);
    if (l->apart) put_cycles(s, j, in, l, work);
    rs_json_integer(j, "trusted", rs_loops_count(l, RS_LOOP_BAD));
    rs_json_number(j, "seconds", r->seconds);
    rs_json_object(j, "flags");
    for (int k = 0; k < RS_LOOP_FLAGS; k++)
        rs_json_integer(j, rs_loop_flag_name(k), l->points - rs_loops_count(l, 1u << k));
    rs_json_end(j);
    put_loop(s, j, "median_loop", r->median_metrics);
    put_loop(s, j, "mean_loop", r->mean_metrics);
    rs_json_object(j, "metrics");
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        double median, robust_sd;
        size_t n = rs_field_loops_spread(l, m, work, &median, &robust_sd);
        if (!measured(s, m)) continue;
        rs_json_object(j, rs_metric_get(m)->id);
        rs_json_string(j, "unit", rs_metric_unit(m, in->units, unit, sizeof unit));
        rs_json_number(j, "median", median);
        rs_json_number(j, "robust_sd", robust_sd);
        rs_json_integer(j, "n", (int64_t)n);
        rs_json_end(j);
    }
    rs_json_end(j);
    rs_json_end(j);
}

void beps_loop_print_json(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, int n, double seconds, double *work)
{
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", s->input);
    rs_json_string(&j, "output", s->output);
    rs_json_string(&j, "dataset", in->path);
    rs_json_string(&j, "response_unit", in->units);
    rs_json_string(&j, "note", in->note[0] ? in->note : NULL);
    rs_json_integer(&j, "points", in->points);
    rs_json_integer(&j, "cycles", in->cycles);
    rs_json_integer(&j, "steps", in->steps);
    rs_json_integer(&j, "threads", rs_threads_or_all(s->options.analysis.threads));
    rs_json_number(&j, "seconds", seconds);
    rs_json_array(&j, "results");
    for (int i = 0; i < n; i++) put_result(s, &j, in, &r[i], work);
    rs_json_end(&j);
    rs_json_end(&j);
}

/* A voltage of the text, "none" where there is no such crossing. */
typedef struct volts {
    char text[32];
} volts;
static volts volts_of(double v)
{
    volts t;
    if (isfinite(v))
        snprintf(t.text, sizeof t.text, "%.2f V", v);
    else
        strcpy(t.text, "none");
    return t;
}

/* Cycles with voltages of their own. */
static void print_cycles(const rs_responses *in, const rs_loops *l, double *work)
{
    for (int c = 0; c < l->cycles; c++) {
        double low, high;
        int64_t n;
        range_of(in, c, &low, &high);
        double plus = cycle_median(l, c, RS_M_V_PLUS_MID, work, &n);
        double minus = cycle_median(l, c, RS_M_V_MINUS_MID, work, &n);
        printf("  cycle %d, %g to %g V: %lld to trust, V+ %s, V- %s%s\n", c + 1, low, high,
               (long long)n, volts_of(plus).text, volts_of(minus).text,
               c == l->first ? "; the numbers below are of this one" : "");
    }
}

void beps_loop_print_text(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    printf("%s: %lld %s loops of %d steps%s, %lld to trust, in %.2f s\n", CLI_TEXT(s->input),
           (long long)in->points, rs_field_name(r->field), in->steps,
           in->cycles > 1 ? " in several cycles" : "", (long long)rs_loops_count(l, RS_LOOP_BAD),
           r->seconds);
    if (in->note[0]) printf("  %s\n", in->note);
    if (l->apart)
        print_cycles(in, l, work);
    else if (l->cycles > 1)
        printf("  numbers are means over %d of %d cycles%s\n", l->used, l->cycles,
               l->used < l->cycles ? ", without the first (--keep-first takes it in)" : "");
    if (isfinite(r->unfolded.reference))
        printf("  phase of the response %.1f deg\n", r->unfolded.reference / RS_DEGREE);
    for (int k = 0; k < RS_LOOP_FLAGS; k++) {
        int64_t count = l->points - rs_loops_count(l, 1u << k);
        if (count) printf("  %6lld %s\n", (long long)count, rs_loop_flag_name(k));
    }
    const double *m = r->median_metrics;
    printf("  median loop: V+ %s, V- %s, width %s (zero), %s (mid), imprint %s\n",
           volts_of(m[RS_M_V_PLUS_ZERO]).text, volts_of(m[RS_M_V_MINUS_ZERO]).text,
           volts_of(m[RS_M_WIDTH_ZERO]).text, volts_of(m[RS_M_WIDTH_MID]).text,
           volts_of(m[RS_M_IMPRINT_ZERO]).text);
    for (int k = 0; k < RS_METRIC_COUNT; k++) {
        double median, robust_sd;
        const rs_metric_info *info = rs_metric_get(k);
        if (!info->in_summary || rs_field_loops_spread(l, k, work, &median, &robust_sd) == 0)
            continue;
        rs_metric_unit(k, in->units, unit, sizeof unit);
        printf("  %-20s %11.4g +- %-9.2g %s\n", info->id, median, robust_sd,
               strcmp(unit, "1") == 0 ? "" : CLI_TEXT(unit));
    }
}
