#include "beps/waveform.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

void rs_wave_defaults(rs_wave_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->amplitude = 1;
    spec->steps = 64;
    spec->cycles = 1;
    spec->fraction = 1;
    spec->forc_cycles = spec->forc_repeats = 1;
}

/* The unit triangle at x cycles from its start, period 1. */
static double triangle(double x)
{
    double q = 4 * (x - floor(x));
    if (q < 1) return q;
    return q < 3 ? 2 - q : q - 4;
}

/* Steps in one applied cycle, and how many cycles there are in all. */
static int64_t cycle_steps(const rs_wave_spec *s)
{
    if (s->kind == RS_WAVE_USER) return s->n_user;
    if (s->rule != RS_WAVE_BGLIB) return s->steps;
    int64_t full = (int64_t)floor(s->steps / s->fraction), made = full / 4 * 4;
    return made < s->steps ? made : s->steps;
}
static int64_t cycle_count(const rs_wave_spec *s)
{
    int64_t n = s->cycles;
    return s->kind == RS_WAVE_FORC ? n * s->forc_cycles * s->forc_repeats : n;
}

static reshed_status check_triangle(const rs_wave_spec *s, reshed_error *err)
{
    if (s->fraction != 1 && s->fraction != 0.75 && s->fraction != 0.5 && s->fraction != 0.25)
        return rs_fail(err, RESHED_EINVAL, "cycle fraction|1, 0.75, 0.5 or 0.25|%g", s->fraction);
    if (s->phase != 0 && s->phase != 0.25 && s->phase != 0.5 && s->phase != 0.75)
        return rs_fail(err, RESHED_EINVAL, "cycle phase shift|0, 0.25, 0.5 or 0.75|%g", s->phase);
    if (s->steps < 4 || s->steps > RS_WAVE_MAX_STEPS)
        return rs_fail(err, RESHED_EINVAL, "steps in a cycle|4 to %d|%d", RS_WAVE_MAX_STEPS,
                       s->steps);
    /* The applied part has 4*fraction whole quarters. */
    int quarters = (int)(4 * s->fraction), fit = (s->steps + quarters / 2) / quarters * quarters;
    if (s->rule == RS_WAVE_STRICT && fit != s->steps)
        return rs_fail(err, RESHED_EINVAL,
                       "quarters of a triangle|a multiple of %d steps, such as %d|%d steps",
                       quarters, fit, s->steps);
    return RESHED_OK;
}

reshed_status rs_wave_check(const rs_wave_spec *s, reshed_error *err)
{
    if (s->kind < RS_WAVE_TRIANGLE || s->kind > RS_WAVE_USER)
        return rs_fail(err, RESHED_EINVAL, "kind of waveform||%d", (int)s->kind);
    if (s->rule < RS_WAVE_STRICT || s->rule > RS_WAVE_BGLIB)
        return rs_fail(err, RESHED_EINVAL, "rule for uneven triangles||%d", (int)s->rule);
    if (s->cycles < 1) return rs_fail(err, RESHED_EINVAL, "number of cycles|>= 1|%d", s->cycles);
    if (!isfinite(s->amplitude) || !isfinite(s->offset))
        return rs_fail(err, RESHED_EINVAL, "waveform amplitude and offset|finite voltages|%g, %g",
                       s->amplitude, s->offset);
    if (s->kind == RS_WAVE_USER) {
        if (s->n_user < 1 || !s->user)
            return rs_fail(err, RESHED_EINVAL, "user waveform|at least one step|%d", s->n_user);
        for (int i = 0; i < s->n_user; i++)
            if (!isfinite(s->user[i]))
                return rs_fail(err, RESHED_EINVAL, "user waveform|finite voltages|%g|step %d",
                               s->user[i], i);
    } else {
        reshed_status st = check_triangle(s, err);
        if (st != RESHED_OK) return st;
    }
    if (s->kind == RS_WAVE_FORC) {
        if (s->forc_cycles < 1 || s->forc_repeats < 1 || s->forc_cycles > RS_WAVE_MAX_STEPS ||
            s->forc_repeats > RS_WAVE_MAX_STEPS / s->forc_cycles)
            return rs_fail(err, RESHED_EINVAL, "FORC curves and repeats|>= 1|%d, %d",
                           s->forc_cycles, s->forc_repeats);
        for (int i = 0; i < 2; i++)
            if (!(s->high[i] > s->low[i]) || !isfinite(s->high[i]) || !isfinite(s->low[i]))
                return rs_fail(err, RESHED_EINVAL, "FORC limits|high above low|%g, %g", s->high[i],
                               s->low[i]);
    }
    if (cycle_count(s) > RS_WAVE_MAX_STEPS / (cycle_steps(s) > 0 ? cycle_steps(s) : 1))
        return rs_fail(err, RESHED_EINVAL, "length of the waveform|at most %d steps|%lld cycles",
                       RS_WAVE_MAX_STEPS, (long long)cycle_count(s));
    return RESHED_OK;
}

/* One unit cycle, amplitude 1, as applied; v [cycle_steps]. */
static void unit_cycle(const rs_wave_spec *s, double *v)
{
    int n = (int)cycle_steps(s);
    if (s->rule != RS_WAVE_BGLIB) {
        double full = s->steps / s->fraction;
        for (int i = 0; i < n; i++) v[i] = triangle(i / full - s->phase);
        return;
    }
    /* BGlib rolls a vector of 4*(full/4) steps by a part of `full`: for uneven numbers the shift is
     * not a quarter of what it shifts. */
    int full = (int)floor(s->steps / s->fraction), made = full / 4 * 4;
    int shift = (int)(s->phase * full);
    for (int i = 0; i < n; i++) v[i] = triangle((double)((i - shift + made) % made) / made);
}

/* BGlib divides the triangle, amplitude and offset applied, by its largest magnitude before it
 * makes the FORC curves: an offset, or a fraction that stops short of the peak, changes their
 * ends. */
static void scale_to_one(const rs_wave_spec *s, double *v, int n)
{
    double top = 0;
    for (int i = 0; i < n; i++) {
        v[i] = s->amplitude * v[i] + s->offset;
        top = fmax(top, fabs(v[i]));
    }
    for (int i = 0; i < n && top > 0; i++) v[i] /= top;
}

/* Amplitude and offset of the FORC curve k: between high and low, each linear in k. */
static void forc_ends(const rs_wave_spec *s, int64_t k, double *amplitude, double *offset)
{
    double t = s->forc_cycles > 1 ? (double)k / (s->forc_cycles - 1) : 0;
    double a = s->high[0] + t * (s->high[1] - s->high[0]);
    double b = s->low[0] + t * (s->low[1] - s->low[0]);
    *amplitude = (a - b) / 2;
    *offset = (a + b) / 2;
}

reshed_status rs_waveform_create(const rs_wave_spec *s, rs_waveform *out, reshed_error *err)
{
    reshed_status st = rs_wave_check(s, err);
    if (st != RESHED_OK) return st;
    int per = (int)cycle_steps(s);
    int64_t cycles = cycle_count(s), n = cycles * per;
    double *v = rs_alloc((size_t)n, sizeof *v);
    int *cycle = rs_alloc((size_t)n, sizeof *cycle);
    double *unit = rs_alloc((size_t)per, sizeof *unit);
    if (!v || !cycle || !unit) {
        rs_free(v);
        rs_free(cycle);
        rs_free(unit);
        return rs_fail_nomem(err, "a waveform", (size_t)n * sizeof *v);
    }
    if (s->kind == RS_WAVE_USER)
        memcpy(unit, s->user, (size_t)per * sizeof *unit);
    else
        unit_cycle(s, unit);
    if (s->kind == RS_WAVE_FORC && s->rule == RS_WAVE_BGLIB) scale_to_one(s, unit, per);
    for (int64_t c = 0; c < cycles; c++) {
        double a = s->amplitude, o = s->offset;
        if (s->kind == RS_WAVE_USER) a = 1, o = 0;
        if (s->kind == RS_WAVE_FORC) forc_ends(s, c / s->cycles % s->forc_cycles, &a, &o);
        for (int i = 0; i < per; i++) {
            v[c * per + i] = a * unit[i] + o;
            cycle[c * per + i] = (int)c;
        }
    }
    rs_free(unit);
    *out = (rs_waveform){.n = (int)n, .v = v, .cycle = cycle, .cycles = (int)cycles};
    if (s->kind != RS_WAVE_USER) out->lost_steps = (int)(cycles * (s->steps - per));
    return RESHED_OK;
}

void rs_waveform_clear(rs_waveform *w)
{
    rs_free(w->v);
    rs_free(w->cycle);
    memset(w, 0, sizeof *w);
}

void rs_waveform_interleave(const rs_waveform *w, rs_field measured, double read_voltage,
                            rs_dc_row *rows)
{
    for (int i = 0; i < w->n; i++) {
        rows[2 * i] = (rs_dc_row){w->v[i], w->v[i], i, RS_FIELD_ON, measured != RS_FIELD_OFF};
        rows[2 * i + 1] =
            (rs_dc_row){read_voltage, w->v[i], i, RS_FIELD_OFF, measured != RS_FIELD_ON};
    }
}

void rs_field_split(const double *data, int n, double *on, double *off)
{
    for (int i = 0; i < n; i++) {
        if (on) on[i] = data[2 * i];
        if (off) off[i] = data[2 * i + 1];
    }
}

int rs_waveform_period(const double *v, int n)
{
    double top = 0;
    for (int i = 0; i < n; i++) top = fmax(top, fabs(v[i]));
    for (int p = 1; p <= n / 2; p++) {
        if (n % p) continue;
        int i = p;
        while (i < n && fabs(v[i] - v[i - p]) <= 1e-9 * top) i++;
        if (i == n) return p;
    }
    return n;
}
