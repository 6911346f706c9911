#include "tools/beps/loops.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/progress.h"
#include "beps/electrostatic.h"
#include "beps/phase.h"
#include "base/statistics.h"
#include "tools/beps/figures.h"
#include "tools/beps/loop_options.h"
#include "tools/beps/loop_summary.h"

/* ------------------------------------------------------------------------------------ unfolding */
/* The side of the complex plane on which one point's loop is counter-clockwise. */
static reshed_status reference_of(const beps_responses *in, rs_field field, int64_t point,
                                  double *out, reshed_error *err)
{
    size_t per = (size_t)in->steps * (size_t)in->cycles, at = (size_t)point * per;
    rs_unfold_options o = {.sign = RS_SIGN_AREA, .reference = NAN, .threads = 1};
    rs_unfold *u = rs_alloc((size_t)in->cycles, sizeof *u);
    double *scratch = rs_alloc(per, sizeof *scratch);
    reshed_status st = RESHED_OK;
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

/* One phase calibration for the whole map: the peaks of the histogram, the class left by high
 * voltages forward, or the one of the reference point. */
static reshed_status unfold_phase(const beps_responses *in, rs_field field, int64_t point,
                                  double *response, double *reference, reshed_error *err)
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
    double side = 0;
    if (st == RESHED_OK && point >= 0) st = reference_of(in, field, point, &side, err);
    if (st == RESHED_OK) {
        if (point >= 0)
            rs_phase_orient(&cal, side, true);
        else
            rs_phase_orient_by_bias(&cal, phase, w, v, n, true);
        for (size_t i = 0; i < n; i++) w[i] = hypot(in->re[field][i], in->im[field][i]);
        rs_phase_to_response(&cal, w, phase, n, response);
        *reference = -cal.offset;
    }
    rs_free(w);
    return st;
}

/* Fills r->response (which takes the data of signed responses over from `in`). */
static reshed_status unfold(const beps_loop_settings *s, beps_responses *in,
                            int64_t reference_point, beps_loop_results *r, reshed_error *err)
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
        return unfold_phase(in, r->field, reference_point, r->response, &r->reference, err);
    rs_unfold_options o = {
        .reference = NAN, .bglib = s->unfold == UNFOLD_BGLIB, .threads = s->analysis.threads};
    o.sign = s->unfold == UNFOLD_MAP     ? RS_SIGN_REFERENCE
             : s->unfold == UNFOLD_FIXED ? RS_SIGN_FIXED
                                         : RS_SIGN_AREA;
    reshed_status st = RESHED_OK;
    if (reference_point >= 0) st = reference_of(in, r->field, reference_point, &o.reference, err);
    r->unfold = rs_alloc((size_t)in->points * (size_t)in->cycles, sizeof *r->unfold);
    if (st == RESHED_OK && !r->unfold) st = rs_fail_nomem(err, "the unfolding", n);
    if (st == RESHED_OK)
        st = rs_loops_unfold(in->v, in->steps, in->cycles, in->re[r->field], in->im[r->field],
                             in->points, &o, r->response, r->unfold, &r->reference, err);
    return st;
}

/* ------------------------------------------------------------------------------------- analysis */
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

static reshed_status analyse(const beps_loop_settings *s, const beps_responses *in,
                             beps_loop_results *r, reshed_error *err)
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

/* ----------------------------------------------------------------------------------------- main */
/* Which fields to analyse, into fields[2]; their number, 0 when the file lacks the one asked for.
 */
static int choose_fields(const beps_loop_settings *s, const beps_responses *in, rs_field fields[2])
{
    int n = 0;
    bool off = s->field != WANT_ON, on = s->field == WANT_ON || s->field == WANT_BOTH ||
                                         (s->field == WANT_AUTO && !in->has[RS_FIELD_OFF]);
    if (off && in->has[RS_FIELD_OFF]) fields[n++] = RS_FIELD_OFF;
    if (on && in->has[RS_FIELD_ON]) fields[n++] = RS_FIELD_ON;
    return s->field == WANT_BOTH && n < 2 ? 0 : n;
}

static reshed_status write_all(const beps_loop_settings *s, const beps_responses *in,
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
    beps_loop_settings s = {0};
    beps_responses in = {0};
    beps_loop_results r[2] = {{0}};
    rs_field fields[2];
    reshed_error err = {0};
    int64_t points[BEPS_MAX_POINTS], reference = -1;
    char blame[256];
    double *work = NULL, start = rs_os_monotonic();
    int rc, n = 0, n_points = 0;
    if (!beps_loop_parse(argc, argv, &s, &rc)) return rc;

    snprintf(blame, sizeof blame, "%.255s", s.input);
    /* Data with one reading for each step are what the user says, off-field by default. */
    s.source.single = s.field == WANT_ON ? RS_FIELD_ON : RS_FIELD_OFF;
    reshed_status st = beps_responses_read(s.input, &s.source, &in, &err);
    if (st != RESHED_OK) goto done;
    if (!beps_loop_parse_points(&s, &in, points, &n_points, &reference)) {
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
        beps_loop_print_json(&s, &in, r, n, rs_os_monotonic() - start, work);
    else
        for (int i = 0; !s.quiet && i < n; i++) beps_loop_print_text(&s, &in, &r[i], work);
done:
    rs_free(work);
    for (int i = 0; i < 2; i++) beps_loop_results_clear(&r[i]);
    beps_responses_clear(&in);
    return st == RESHED_OK ? cli_close(&beps_loops_program)
                           : cli_fail(&beps_loops_program, blame, &err);
}
