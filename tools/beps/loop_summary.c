#include "tools/beps/loop_summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/numeric.h"
#include "base/parallel.h"
#include "beps/phase.h"
#include "base/statistics.h"

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

static void print_json_result(const rs_responses *in, const rs_field_loops *r, double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    printf("{\"field\": \"%s\", \"unfolding\": ", rs_field_name(r->field));
    cli_json_string(stdout, r->unfolded.how);
    json_field("reference_angle", r->unfolded.reference, false);
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
        size_t n = rs_field_loops_spread(l, m, work, &median, &mad);
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

void beps_loop_print_json(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, int n, double seconds, double *work)
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
    json_field("threads", rs_threads_or_all(s->options.analysis.threads), false);
    json_field("seconds", seconds, false);
    fputs(", \"results\": [", stdout);
    for (int i = 0; i < n; i++) {
        if (i) fputs(", ", stdout);
        print_json_result(in, &r[i], work);
    }
    puts("]}");
}

void beps_loop_print_text(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, double *work)
{
    const rs_loops *l = &r->loops;
    char unit[64];
    printf("%s: %lld %s loops of %d steps%s, %lld to trust, in %.2f s\n", s->input,
           (long long)in->points, rs_field_name(r->field), in->steps,
           in->cycles > 1 ? " in several cycles" : "", (long long)rs_loops_count(l, RS_LOOP_BAD),
           r->seconds);
    if (isfinite(r->unfolded.reference))
        printf("  phase of the response %.1f deg\n", r->unfolded.reference / RS_DEGREE);
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
        if (!info->in_summary || rs_field_loops_spread(l, k, work, &median, &mad) == 0) continue;
        rs_metric_unit(k, in->units, unit, sizeof unit);
        printf("  %-20s %11.4g +- %-9.2g %s\n", info->id, median, mad,
               strcmp(unit, "1") == 0 ? "" : unit);
    }
}
