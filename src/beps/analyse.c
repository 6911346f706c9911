#include "beps/analyse.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/statistics.h"
#include "beps/bootstrap.h"
#include "beps/electrostatic.h"

void rs_loops_defaults(rs_loops_options *o)
{
    memset(o, 0, sizeof *o);
    rs_metric_defaults(&o->metric);
    o->drop_first = true;
    o->outlier = 6;
}

/* --------------------------------------------------------------------------------------- sweeps */
static void clear_sweeps(rs_sweep *s, int cycles)
{
    for (int c = 0; s && c < cycles; c++) rs_sweep_clear(&s[c]);
    rs_free(s);
}

static reshed_status make_sweeps(const double *v, int steps, int cycles, rs_sweep **out,
                                 reshed_error *err)
{
    rs_sweep *s = rs_zalloc((size_t)cycles, sizeof *s);
    if (!s) return rs_fail_nomem(err, "the cycles of a waveform", (size_t)cycles * sizeof *s);
    for (int c = 0; c < cycles; c++) {
        reshed_status st = rs_sweep_create(v + (size_t)c * (size_t)steps, steps, &s[c], err);
        if (st != RESHED_OK) {
            clear_sweeps(s, cycles);
            return st;
        }
    }
    *out = s;
    return RESHED_OK;
}

static reshed_status check_sizes(int steps, int cycles, int64_t points, reshed_error *err)
{
    if (steps < 1 || cycles < 1 || points < 1)
        return rs_fail(err, RESHED_EINVAL, "loops|steps, cycles and points >= 1|%d, %d, %lld",
                       steps, cycles, (long long)points);
    /* Every array of this file has at most this many bytes. */
    if ((double)points * RS_METRIC_COUNT * (cycles + 1.0) * sizeof(double) > 1e12 ||
        (double)points * cycles * (double)steps * sizeof(double) > 1e12)
        return rs_fail(err, RESHED_EUNSUPPORTED, "loops||%lld points of %d cycles of %d steps",
                       (long long)points, cycles, steps);
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- analysis */
typedef struct job {
    const rs_loops_options *o;
    const rs_sweep *sweeps;
    int steps, cycles;
    int64_t points;
    const double *response;
    rs_loops *out;
    double *work; /* of all workers */
    size_t work_each;
} job;

/* Doubles that a cycle leaves: its metrics and their deviations. */
enum { PER_CYCLE = 2 * RS_METRIC_COUNT };

static size_t worker_doubles(const job *j)
{
    size_t n = (size_t)j->steps;
    return rs_metric_work(j->steps) + rs_bootstrap_work(j->steps, j->o->bootstrap) + 4 * n +
           (size_t)j->cycles * PER_CYCLE;
}

static bool same_voltages(const rs_sweep *a, const rs_sweep *b)
{
    for (int i = 0; i < a->n; i++)
        if (fabs(a->v[i] - b->v[i]) > 1e-9 * (a->v_max - a->v_min)) return false;
    return true;
}

/* Returns whether more than a quarter of the steps have no response. What fills up a short cycle, at its
 * end with the voltage before it, is none. */
static bool lacks_samples(const rs_sweep *s, const double *y)
{
    int n = s->n, missing = 0;
    while (n > 1 && !isfinite(y[n - 1]) && s->v[n - 1] == s->v[n - 2]) n--;
    for (int i = 0; i < n; i++) missing += !isfinite(y[i]);
    return 4 * missing > n;
}

/* Returns whether a branch passes the mid level to and fro; work [2*steps]. */
static bool several_crossings(const rs_sweep *s, const double *y, const uint8_t *skip, bool closed,
                              const double *metrics, double *work)
{
    rs_loop_half b = {.v = work, .y = work + s->n};
    for (int down = 0; down < 2; down++) {
        rs_sweep_branch(s, y, skip, down, closed, &b);
        if (rs_branch_passes(&b, metrics[RS_M_LEVEL_MID], 3 * metrics[RS_M_NOISE]) > 1) return true;
    }
    return false;
}

/* One cycle: its metrics, their bootstrap deviations when asked for, its flags. */
static uint32_t analyse_cycle(const job *j, int64_t point, int cycle, double *work, double *metrics)
{
    double *deviation = metrics + RS_METRIC_COUNT;
    const rs_sweep *s = &j->sweeps[cycle];
    size_t n = (size_t)j->steps, per = n * (size_t)j->cycles;
    double *own = work + rs_metric_work(j->steps) + rs_bootstrap_work(j->steps, j->o->bootstrap);
    double *y = own, *scratch = own + n;
    size_t at = (size_t)point * per + (size_t)cycle * n;
    uint8_t *skip = j->out->skip + at;
    rs_loop_fit fit;

    memcpy(y, j->response + at, n * sizeof *y);
    if (j->o->keep_spikes)
        for (size_t i = 0; i < n; i++) skip[i] = !isfinite(y[i]);
    else
        rs_loop_spikes(s, y, skip, scratch);
    bool again = cycle > 0 && same_voltages(s, s - 1);
    bool closed = rs_loop_closes(s, y, skip, again ? j->response + at - n : NULL,
                                 again ? skip - n : NULL, scratch);
    bool flipped = j->o->orient && rs_loop_area(s, y, skip) < 0;
    j->out->sign[(size_t)point * (size_t)j->cycles + (size_t)cycle] = flipped ? -1 : 1;
    for (size_t i = 0; i < n && flipped; i++) y[i] = -y[i];
    if (j->o->remove_slope) {
        rs_electrostatic es;
        rs_electrostatic_saturation(s, y, skip, j->o->metric.sat_fraction, &es);
        for (size_t i = 0; i < n && isfinite(es.slope); i++) y[i] -= es.slope * s->v[i];
        rs_metrics_compute(s, y, skip, closed, &j->o->metric, work, metrics, &fit);
        metrics[RS_M_ES_SLOPE] = es.slope;
        metrics[RS_M_ES_CPD] = es.cpd;
        metrics[RS_M_ES_R2] = es.r2;
    } else {
        rs_metrics_compute(s, y, skip, closed, &j->o->metric, work, metrics, &fit);
    }
    if (j->o->bootstrap > 0)
        rs_metrics_bootstrap(s, y, skip, closed, &j->o->metric, j->o->bootstrap, j->o->seed,
                             (uint64_t)point * (uint64_t)j->cycles + (uint64_t)cycle, work,
                             deviation);
    return rs_loop_flags(s, closed, metrics, j->o->metric.fit ? &fit : NULL) |
           (several_crossings(s, y, skip, closed, metrics, work) ? RS_LOOP_CROSSINGS : 0) |
           (flipped ? RS_LOOP_FLIPPED : 0) | (lacks_samples(s, y) ? RS_LOOP_BAD_SPECTRA : 0);
}

/* Returns whether two cycles of the same voltages are not the same loop: m, k their metrics. */
static bool differ(const job *j, const rs_sweep *s, const double *m, const double *k)
{
    static const rs_metric voltage[] = {RS_M_V_PLUS_MID, RS_M_V_MINUS_MID};
    const double height = fmax(fabs(m[RS_M_SWITCHABLE]), fabs(k[RS_M_SWITCHABLE]));
    const double noise = 5 * hypot(m[RS_M_NOISE], k[RS_M_NOISE]) / height;
    /* A switching takes a quarter of the range at most: there the level is passed that steeply. */
    const double volts = 1.5 * s->step + noise * (s->v_max - s->v_min) / 4;
    const double end = fmax(1, j->o->metric.sat_fraction * s->n / 2); /* samples of an end */
    for (int i = 0; i < 2; i++) {
        const double a = m[voltage[i]], b = k[voltage[i]];
        if (isnan(a) != isnan(b) || fabs(a - b) > volts) return true;
    }
    return fabs(m[RS_M_SWITCHABLE] - k[RS_M_SWITCHABLE]) > height * (0.15 + noise * sqrt(2 / end));
}

/* cycle [cycles][PER_CYCLE]. Each cycle is compared with the next ones: what creeps shows over
 * some. */
static bool cycles_differ(const job *j, const double *cycle)
{
    const int end = j->out->first + j->out->used;
    for (int a = j->out->first; a < end; a++)
        for (int b = a + 1; b < end && b <= a + 8; b++)
            if (differ(j, &j->sweeps[a], cycle + (size_t)a * PER_CYCLE,
                       cycle + (size_t)b * PER_CYCLE))
                return true;
    return false;
}

static bool is_used(const rs_loops *l, int cycle)
{
    return cycle >= l->first && cycle < l->first + l->used;
}

/* cycle [cycles][PER_CYCLE] */
static void summarise(const job *j, int64_t point, const double *cycle)
{
    rs_loops *l = j->out;
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        size_t at = (size_t)m * (size_t)j->points + (size_t)point;
        double sum = 0, squares = 0, variance = 0;
        int k = 0;
        for (int c = 0; c < j->cycles; c++) {
            double x = cycle[c * PER_CYCLE + m];
            if (l->cycle_value)
                l->cycle_value[(size_t)c * RS_METRIC_COUNT * (size_t)j->points + at] = x;
            if (!is_used(l, c) || !isfinite(x)) continue;
            double d = cycle[c * PER_CYCLE + RS_METRIC_COUNT + m];
            sum += x;
            variance += d * d;
            k++;
        }
        double mean = k ? sum / k : NAN;
        l->value[at] = mean;
        if (l->error) l->error[at] = k ? sqrt(variance) / k : NAN;
        if (!l->spread) continue;
        for (int c = l->first; c < l->first + l->used; c++) {
            double x = cycle[c * PER_CYCLE + m];
            if (isfinite(x)) squares += (x - mean) * (x - mean);
        }
        l->spread[at] = k > 1 ? sqrt(squares / (k - 1)) : NAN;
    }
}

static void analyse_point(void *ctx, int64_t point, int worker)
{
    const job *j = ctx;
    double *work = j->work + (size_t)worker * j->work_each;
    double *cycle = work + j->work_each - (size_t)j->cycles * PER_CYCLE;
    uint32_t flags = 0;
    for (int c = 0; c < j->cycles; c++) {
        uint32_t f = analyse_cycle(j, point, c, work, cycle + (size_t)c * PER_CYCLE);
        if (is_used(j->out, c)) flags |= f;
        if (j->out->cycle_flags)
            j->out->cycle_flags[(size_t)c * (size_t)j->points + (size_t)point] = f;
    }
    if (cycles_differ(j, cycle)) flags |= RS_LOOP_CYCLES_DIFFER;
    j->out->flags[point] = flags;
    summarise(j, point, cycle);
    if (j->o->done) j->o->done(j->o->done_ctx, point);
}

/* The largest robust z over the metrics in which a bad loop shows: height and area on a logarithmic
 * scale, because they scatter by factors, and the voltages as they are. The centre and the scale
 * are those of the loops that switch. */
static void find_outliers(rs_loops *l, double limit, double *work)
{
    static const struct {
        rs_metric m;
        bool logarithm;
    } tests[] = {{RS_M_SWITCHABLE, true},
                 {RS_M_AREA, true},
                 {RS_M_WIDTH_MID, false},
                 {RS_M_IMPRINT_MID, false}};
    size_t n = (size_t)l->points;
    double *x = work, *good = work + n, *scratch = work + 2 * n;
    for (size_t i = 0; i < n; i++) l->z[i] = 0;
    for (size_t t = 0; t < sizeof tests / sizeof *tests; t++) {
        const double *map = rs_loops_map(l, tests[t].m);
        for (size_t i = 0; i < n; i++) {
            x[i] = tests[t].logarithm ? log(fabs(map[i])) : map[i];
            good[i] = l->flags[i] & RS_LOOP_NO_SWITCHING ? NAN : x[i];
        }
        double centre = rs_median(good, n, scratch), scale = rs_mad(good, n, centre, scratch);
        for (size_t i = 0; i < n && scale > 0; i++) {
            double z = fabs(x[i] - centre) / scale;
            if (z > l->z[i]) l->z[i] = z;
        }
    }
    for (size_t i = 0; i < n && limit > 0; i++)
        if (l->z[i] > limit) l->flags[i] |= RS_LOOP_OUTLIER;
}

/* The cycles that the numbers stand for. */
static void choose_cycles(rs_loops *l, const rs_sweep *sweeps, bool drop_first)
{
    int widest = 0;
    for (int c = 1; c < l->cycles; c++) {
        const rs_sweep *s = &sweeps[c], *w = &sweeps[widest];
        l->apart = l->apart || !same_voltages(s, &sweeps[0]);
        if (s->v_max - s->v_min >= (w->v_max - w->v_min) * (1 - 1e-9)) widest = c;
    }
    l->first = l->apart ? widest : drop_first && l->cycles > 1;
    l->used = l->apart ? 1 : l->cycles - l->first;
}

static reshed_status allocate(rs_loops *l, int steps, const rs_loops_options *o, reshed_error *err)
{
    size_t points = (size_t)l->points, maps = points * RS_METRIC_COUNT;
    bool ok = (l->value = rs_alloc(maps, sizeof(double))) &&
              (l->flags = rs_alloc(points, sizeof *l->flags)) &&
              (l->z = rs_alloc(points, sizeof *l->z)) &&
              (l->skip = rs_alloc(points * (size_t)l->cycles, (size_t)steps)) &&
              (l->sign = rs_alloc(points, (size_t)l->cycles));
    if (ok && l->used > 1) ok = (l->spread = rs_alloc(maps, sizeof(double)));
    if (ok && l->cycles > 1)
        ok = (l->cycle_value = rs_alloc(maps * (size_t)l->cycles, sizeof(double))) &&
             (l->cycle_flags = rs_alloc(points * (size_t)l->cycles, sizeof *l->cycle_flags));
    if (ok && o->bootstrap > 0) ok = (l->error = rs_alloc(maps, sizeof(double)));
    return ok ? RESHED_OK : rs_fail_nomem(err, "the maps of loops", maps * sizeof(double));
}

reshed_status rs_loops_analyse(const double *v, int steps, int cycles, const double *response,
                               int64_t points, const rs_loops_options *o, rs_loops *out,
                               reshed_error *err)
{
    reshed_status st = check_sizes(steps, cycles, points, err);
    if (st == RESHED_OK) st = rs_metric_options_check(&o->metric, err);
    if (st != RESHED_OK) return st;
    if (o->bootstrap < 0 || o->bootstrap > 100000 || !(o->outlier >= 0) || o->threads < 0)
        return rs_fail(err, RESHED_EINVAL,
                       "loop analysis|bootstrap 0 to 100000, outlier >= 0, threads >= 0|%d, %g, %d",
                       o->bootstrap, o->outlier, o->threads);

    int threads = rs_threads_or_all(o->threads);
    rs_sweep *sweeps = NULL;
    double *work = NULL;
    rs_loops l = {.points = points, .cycles = cycles};
    job j = {.o = o,
             .steps = steps,
             .cycles = cycles,
             .points = points,
             .response = response,
             .out = &l};
    st = make_sweeps(v, steps, cycles, &sweeps, err);
    if (st == RESHED_OK) choose_cycles(&l, sweeps, o->drop_first);
    if (st == RESHED_OK) st = allocate(&l, steps, o, err);
    if (st != RESHED_OK) goto done;
    j.sweeps = sweeps;
    /* Whole cache lines, so that workers do not share one. */
    j.work_each = (worker_doubles(&j) + 7) / 8 * 8;
    size_t need = j.work_each * (size_t)threads;
    if (need < 3 * (size_t)points) need = 3 * (size_t)points;
    work = rs_alloc(need, sizeof *work);
    if (!work) {
        st = rs_fail_nomem(err, "the analysis of loops", need * sizeof *work);
        goto done;
    }
    j.work = work;
    rs_parallel_for(threads, points, analyse_point, &j);
    find_outliers(&l, o->outlier, work);
done:
    rs_free(work);
    clear_sweeps(sweeps, cycles);
    if (st == RESHED_OK)
        *out = l;
    else
        rs_loops_clear(&l);
    return st;
}

void rs_loops_clear(rs_loops *l)
{
    rs_free(l->value);
    rs_free(l->spread);
    rs_free(l->error);
    rs_free(l->cycle_value);
    rs_free(l->cycle_flags);
    rs_free(l->flags);
    rs_free(l->z);
    rs_free(l->skip);
    rs_free(l->sign);
    memset(l, 0, sizeof *l);
}

const double *rs_loops_map(const rs_loops *l, rs_metric m)
{
    return l->value + (size_t)m * (size_t)l->points;
}

bool rs_loops_by_area(const double *v, int steps, int cycles, const double *response,
                      int64_t points)
{
    for (int64_t p = 0; p < points; p++)
        for (int c = 0; c < cycles; c++) {
            size_t n = (size_t)steps, at = ((size_t)p * (size_t)cycles + (size_t)c) * n;
            if (rs_loop_area_open(v + (size_t)c * n, response + at, steps, NULL, NULL) < 0)
                return false;
        }
    return points >= 16;
}

int64_t rs_loops_count(const rs_loops *l, uint32_t without)
{
    int64_t k = 0;
    for (int64_t i = 0; i < l->points; i++) k += (l->flags[i] & without) == 0;
    return k;
}

/* A sample as an average takes it: NaN when it does not count. */
static double sample_of(const double *response, size_t point, size_t i, size_t steps, size_t cycles,
                        const rs_loops *l, uint32_t without)
{
    size_t at = point * steps * cycles + i;
    if (!l) return response[at];
    if ((l->flags[point] & without) || l->skip[at]) return NAN;
    return l->sign[point * cycles + i / steps] * response[at];
}

reshed_status rs_loops_median(const double *response, int64_t points, int steps, int cycles,
                              const rs_loops *l, uint32_t without, double *out, reshed_error *err)
{
    size_t n = (size_t)points;
    double *x = rs_alloc(n, 2 * sizeof *x);
    if (!x) return rs_fail_nomem(err, "a median loop", n * 2 * sizeof *x);
    for (size_t i = 0; i < (size_t)steps * (size_t)cycles; i++) {
        for (size_t p = 0; p < n; p++)
            x[p] = sample_of(response, p, i, (size_t)steps, (size_t)cycles, l, without);
        out[i] = rs_median(x, n, x + n);
    }
    rs_free(x);
    return RESHED_OK;
}

void rs_loops_mean(const double *response, int64_t points, int steps, int cycles, const rs_loops *l,
                   uint32_t without, double *out)
{
    for (size_t i = 0; i < (size_t)steps * (size_t)cycles; i++) {
        double sum = 0;
        int64_t k = 0;
        for (size_t p = 0; p < (size_t)points; p++) {
            double y = sample_of(response, p, i, (size_t)steps, (size_t)cycles, l, without);
            if (!isfinite(y)) continue;
            sum += y;
            k++;
        }
        out[i] = k ? sum / (double)k : NAN;
    }
}

/* ------------------------------------------------------------------------------------ unfolding */
typedef struct unfold_job {
    const rs_sweep *sweeps;
    int steps, cycles;
    const double *re, *im;
    rs_unfold_sign sign;
    double reference;
    bool bglib;
    double *response;
    rs_unfold *units;
    double *work; /* [workers, 4*steps] */
} unfold_job;

static void unfold_point(void *ctx, int64_t point, int worker)
{
    const unfold_job *j = ctx;
    size_t n = (size_t)j->steps;
    double *size = j->work + (size_t)worker * 5 * n, *scratch = size + n;
    uint8_t *skip = (uint8_t *)(size + 4 * n);
    for (int c = 0; c < j->cycles; c++) {
        size_t unit = (size_t)point * (size_t)j->cycles + (size_t)c, at = unit * n;
        const double *re = j->re + at, *im = j->im + at;
        if (j->bglib) {
            rs_unfold_bglib(&j->sweeps[c], re, im, j->response + at, &j->units[unit]);
            continue;
        }
        /* A failed fit of the resonance gives a far point, which would pull the line. */
        for (size_t i = 0; i < n; i++) size[i] = hypot(re[i], im[i]);
        rs_loop_spikes(&j->sweeps[c], size, skip, scratch);
        rs_unfold_loop(&j->sweeps[c], re, im, skip, j->sign, j->reference, j->response + at,
                       &j->units[unit]);
    }
}

reshed_status rs_loops_unfold(const double *v, int steps, int cycles, const double *re,
                              const double *im, int64_t points, const rs_unfold_options *o,
                              double *response, rs_unfold *units, double *reference,
                              reshed_error *err)
{
    reshed_status st = check_sizes(steps, cycles, points, err);
    if (st != RESHED_OK) return st;
    int threads = rs_threads_or_all(o->threads);
    size_t all = (size_t)points * (size_t)cycles, each = 5 * (size_t)steps;
    rs_sweep *sweeps = NULL;
    unfold_job j = {.steps = steps,
                    .cycles = cycles,
                    .re = re,
                    .im = im,
                    .sign = o->sign,
                    .reference = o->reference,
                    .bglib = o->bglib,
                    .response = response};
    rs_unfold *own = rs_alloc(all, sizeof *own);
    j.work = rs_alloc(each * (size_t)threads, sizeof *j.work);
    if (!own || !j.work) {
        st = rs_fail_nomem(err, "unfolding loops", all * sizeof *own);
        goto done;
    }
    st = make_sweeps(v, steps, cycles, &sweeps, err);
    if (st != RESHED_OK) goto done;
    j.sweeps = sweeps;
    j.units = own;
    bool two_passes = o->sign != RS_SIGN_AREA && isnan(o->reference) && !o->bglib;
    if (two_passes) j.sign = RS_SIGN_AREA;
    rs_parallel_for(threads, points, unfold_point, &j);
    if (two_passes) {
        j.sign = o->sign;
        j.reference = rs_unfold_reference(own, (int64_t)all);
        rs_parallel_for(threads, points, unfold_point, &j);
    }
    if (units) memcpy(units, own, all * sizeof *own);
    if (reference) *reference = j.sign == RS_SIGN_AREA || o->bglib ? NAN : j.reference;
done:
    rs_free(own);
    rs_free(j.work);
    clear_sweeps(sweeps, cycles);
    return st;
}
