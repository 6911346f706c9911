#include "spectra/field_loops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/statistics.h"
#include "beps/electrostatic.h"

void rs_field_loops_clear(rs_field_loops *r)
{
    double **owned[] = {&r->median, &r->mean, &r->difference_slope, &r->difference_cpd,
                        &r->difference_r2};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) rs_free(*owned[i]);
    rs_unfolded_clear(&r->unfolded);
    rs_loops_clear(&r->loops);
    memset(r, 0, sizeof *r);
}

const char *rs_field_name(rs_field field)
{
    return field == RS_FIELD_ON ? "on-field" : "off-field";
}

int rs_field_choose(const rs_responses *in, rs_field_wanted wanted, rs_field fields[2])
{
    int n = 0;
    bool off = wanted != RS_WANT_ON, on = wanted == RS_WANT_ON || wanted == RS_WANT_BOTH ||
                                          (wanted == RS_WANT_AUTO && !in->has[RS_FIELD_OFF]);
    if (off && in->has[RS_FIELD_OFF]) fields[n++] = RS_FIELD_OFF;
    if (on && in->has[RS_FIELD_ON]) fields[n++] = RS_FIELD_ON;
    return wanted == RS_WANT_BOTH && n < 2 ? 0 : n;
}

const char *rs_loop_flag_words(uint32_t flags, char *buf, size_t n)
{
    size_t used = 0;
    if (n > 0) buf[0] = '\0';
    for (int k = 0; k < RS_LOOP_FLAGS && used < n; k++)
        if (flags >> k & 1)
            used += (size_t)snprintf(buf + used, n - used, "%s%s", used ? " " : "",
                                     rs_loop_flag_name(k));
    return buf;
}

/* ------------------------------------------------------------------------------------- analysis */
/* The numbers of the first used cycle of an average loop, found as those of each loop are. */
static reshed_status measure(const rs_responses *in, const rs_loops_options *o, const rs_loops *l,
                             const double *loop, double *metrics, reshed_error *err)
{
    rs_loops_options one = *o;
    rs_loops result = {0};
    size_t first = (size_t)l->first * (size_t)in->steps;
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

/* Marks loops of which more than a quarter of the steps have no response, or one from a spectrum that is
 * suspect, as a scan marks its own (loops.h). */
static void mark_bad_spectra(const rs_responses *in, const uint8_t *suspect, rs_field_loops *r)
{
    const size_t steps = (size_t)in->steps, per = steps * (size_t)in->cycles;
    rs_loops *l = &r->loops;
    for (size_t p = 0; suspect && p < (size_t)in->points; p++) {
        size_t bad = 0, all = 0;
        for (int c = 0; c < in->cycles; c++) {
            const size_t at = p * per + (size_t)c * steps;
            const double *y = r->unfolded.response + at, *v = in->v + (size_t)c * steps;
            size_t of_cycle = 0, n = steps;
            while (n > 1 && !isfinite(y[n - 1]) && v[n - 1] == v[n - 2]) n--; /* a short cycle */
            for (size_t k = 0; k < n; k++) of_cycle += suspect[at + k] || !isfinite(y[k]);
            if (l->cycle_flags && c < l->cycles && 4 * of_cycle > n)
                l->cycle_flags[(size_t)c * (size_t)in->points + p] |= RS_LOOP_BAD_SPECTRA;
            if (c < l->first || c >= l->first + l->used) continue;
            bad += of_cycle;
            all += n;
        }
        if (4 * bad > all) l->flags[p] |= RS_LOOP_BAD_SPECTRA;
    }
}

static reshed_status averages(const rs_responses *in, const rs_loops_options *o, rs_field_loops *r,
                              reshed_error *err)
{
    size_t n = (size_t)in->steps * (size_t)in->cycles;
    r->median = rs_alloc(n, sizeof *r->median);
    r->mean = rs_alloc(n, sizeof *r->mean);
    if (!r->median || !r->mean) return rs_fail_nomem(err, "average loops", n * 2 * sizeof(double));
    rs_loops_mean(r->unfolded.response, in->points, in->steps, in->cycles, &r->loops, RS_LOOP_BAD,
                  r->mean);
    reshed_status st = rs_loops_median(r->unfolded.response, in->points, in->steps, in->cycles,
                                       NULL, 0, r->median, err);
    if (st == RESHED_OK) st = measure(in, o, &r->loops, r->median, r->median_metrics, err);
    return st == RESHED_OK ? measure(in, o, &r->loops, r->mean, r->mean_metrics, err) : st;
}

reshed_status rs_field_loops_analyse(const rs_responses *in, const rs_field_options *options,
                                     rs_field_loops *r, reshed_error *err)
{
    rs_loops_options o = options->analysis;
    double start = rs_os_monotonic();
    bool on = r->field == RS_FIELD_ON;
    o.remove_slope =
        options->remove_slope == RS_ANSWER_YES || (options->remove_slope == RS_ANSWER_AUTO && on);
    o.metric.branches.slope = on && !o.remove_slope;
    o.orient = options->by_area == RS_ANSWER_YES;
    if (options->by_area == RS_ANSWER_AUTO && !in->is_complex && !on)
        o.orient = rs_loops_by_area(in->v, in->steps, in->cycles, r->unfolded.response, in->points);
    r->orient = o.orient;
    r->slope_removed = o.remove_slope;
    reshed_status st = rs_loops_analyse(in->v, in->steps, in->cycles, r->unfolded.response,
                                        in->points, &o, &r->loops, err);
    if (st == RESHED_OK) mark_bad_spectra(in, in->suspect[r->field], r);
    r->seconds = rs_os_monotonic() - start;
    return st == RESHED_OK ? averages(in, &o, r, err) : st;
}

reshed_status rs_field_loops_difference(const rs_responses *in, const rs_field_loops *off,
                                        rs_field_loops *on, reshed_error *err)
{
    size_t points = (size_t)in->points, n = (size_t)in->steps, per = n * (size_t)in->cycles;
    size_t first = (size_t)on->loops.first * n;
    double **wanted[] = {&on->difference_slope, &on->difference_cpd, &on->difference_r2};
    rs_sweep s = {0};
    bool ok = true;
    for (int k = 0; k < 3; k++) ok = (*wanted[k] = rs_alloc(points, sizeof(double))) && ok;
    if (!ok) return rs_fail_nomem(err, "electrostatic maps", points * 3 * sizeof(double));
    reshed_status st = rs_sweep_create(in->v + first, in->steps, &s, err);
    for (size_t p = 0; st == RESHED_OK && p < points; p++) {
        rs_electrostatic es;
        size_t at = p * per + first;
        rs_electrostatic_difference(&s, on->unfolded.response + at, off->unfolded.response + at,
                                    on->loops.skip + at, -5, 5, &es);
        on->difference_slope[p] = es.slope;
        on->difference_cpd[p] = es.cpd;
        on->difference_r2[p] = es.r2;
    }
    rs_sweep_clear(&s);
    return st;
}

/* -------------------------------------------------------------------------------------- summary */
size_t rs_field_loops_trusted(const rs_loops *l, rs_metric m, double *out)
{
    const double *map = rs_loops_map(l, m);
    size_t n = (size_t)l->points, k = 0;
    for (size_t p = 0; p < n; p++) {
        out[p] = l->flags[p] & RS_LOOP_BAD ? NAN : map[p];
        k += isfinite(out[p]);
    }
    return k;
}

size_t rs_field_loops_spread(const rs_loops *l, rs_metric m, double *work, double *median,
                             double *robust_sd)
{
    size_t n = (size_t)l->points, k = rs_field_loops_trusted(l, m, work);
    *median = rs_median(work, n, work + n);
    *robust_sd = rs_mad(work, n, *median, work + n);
    return k;
}
