#include "spectra/loops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/analyse.h"
#include "beps/waveform.h"

/* -------------------------------------------------------------------------------------- results */
/* The metrics of this project come first in beps/metrics.h, those of other programs after them. */
#define OWN_METRICS (RS_M_SPIKES + 1)

enum { FLAGS, ANGLE, RATIO, FAILED, CYCLES, EXTRAS };
static const char *const extra_name[EXTRAS] = {"flags", "unfold_angle", "unfold_ratio",
                                               "failed_steps", "cycles"};
static const char *const extra_unit[EXTRAS] = {"1", "rad", "1", "1", "1"};
_Static_assert(OWN_METRICS + EXTRAS == RS_LOOP_VALUES, "the header counts them");

const char *rs_loop_value_name(int k)
{
    return k < OWN_METRICS ? rs_metric_get((rs_metric)k)->id : extra_name[k - OWN_METRICS];
}

const char *rs_loop_value_unit(int k, const char *response_unit, char *buf, size_t n)
{
    if (k < OWN_METRICS) return rs_metric_unit((rs_metric)k, response_unit, buf, n);
    snprintf(buf, n, "%s", extra_unit[k - OWN_METRICS]);
    return buf;
}

int rs_loop_value_find(const char *name)
{
    int m = rs_metric_find(name);
    if (m >= 0) return m < OWN_METRICS ? m : -1;
    for (int k = 0; k < EXTRAS; k++)
        if (strcmp(extra_name[k], name) == 0) return OWN_METRICS + k;
    return -1;
}

/* ------------------------------------------------------------------------------------- analysis */
struct rs_loop_analysis {
    rs_loop_analysis_options o;
    int steps, fields, bins, cycles;
    double *voltage;   /* [steps] */
    rs_sho_plan *plan; /* NULL without bins */
    rs_sho_fit *fit;   /* [fields*steps], with bins */
    double *re, *im;   /* [fields*steps]: the response of each step, NaN where there is none */
    double *response;  /* [fields*steps], unfolded */
    rs_unfold *unfold; /* [cycles] of the field in hand */
};

void rs_loop_analysis_defaults(rs_loop_analysis_options *o)
{
    memset(o, 0, sizeof *o);
    o->drop_first = true;
    o->reference = NAN;
    rs_sho_options_defaults(&o->sho);
}

void rs_loop_analysis_free(rs_loop_analysis *a)
{
    if (!a) return;
    rs_sho_plan_free(a->plan);
    rs_free(a->voltage);
    rs_free(a->fit);
    rs_free(a->re);
    rs_free(a->im);
    rs_free(a->response);
    rs_free(a->unfold);
    rs_free(a);
}

static reshed_status check(const double *voltage, int steps, int fields, const double *frequency,
                           int bins, const rs_loop_analysis_options *o, reshed_error *err)
{
    if (!voltage || steps < 1 || steps > RS_WAVE_MAX_STEPS)
        return rs_fail(err, RESHED_EINVAL, "spectroscopy|1 to %d voltage steps|%d",
                       RS_WAVE_MAX_STEPS, voltage ? steps : 0);
    if (fields != 1 && fields != 2)
        return rs_fail(err, RESHED_EINVAL, "spectroscopy|1 or 2 fields|%d", fields);
    if (bins < 0 || (bins > 0 && !frequency))
        return rs_fail(err, RESHED_EINVAL, "spectroscopy|frequencies of %d bins", bins);
    for (int i = 0; i < steps; i++)
        if (!isfinite(voltage[i]))
            return rs_fail(err, RESHED_EINVAL, "voltage of a step|a finite number|%g|step %d",
                           voltage[i], i);
    if (o->cycles < 0 || (o->cycles > 0 && steps % o->cycles))
        return rs_fail(err, RESHED_EINVAL, "cycles of a spectrum|a divisor of %d steps|%d", steps,
                       o->cycles);
    if (isinf(o->reference))
        return rs_fail(err, RESHED_EINVAL, "reference angle|a finite number or NaN|%g",
                       o->reference);
    return RESHED_OK;
}

/* Each cycle must be a loop, else no spectrum could be analysed. */
static reshed_status check_sweeps(const rs_loop_analysis *a, reshed_error *err)
{
    int steps = a->steps / a->cycles;
    for (int c = 0; c < a->cycles; c++) {
        rs_sweep s = {0};
        reshed_status st = rs_sweep_create(a->voltage + (size_t)c * (size_t)steps, steps, &s, err);
        if (st != RESHED_OK) return st;
        rs_sweep_clear(&s);
    }
    return RESHED_OK;
}

reshed_status rs_loop_analysis_create(const double *voltage, int steps, int fields,
                                      const double *frequency, int bins,
                                      const rs_loop_analysis_options *o, rs_loop_analysis **out,
                                      reshed_error *err)
{
    rs_loop_analysis_options options;
    rs_loop_analysis_defaults(&options);
    if (o) options = *o;
    reshed_status st = check(voltage, steps, fields, frequency, bins, &options, err);
    if (st != RESHED_OK) return st;
    size_t n = (size_t)steps * (size_t)fields;
    rs_loop_analysis *a = rs_zalloc(1, sizeof *a);
    if (!a) return rs_fail_nomem(err, "the analysis of spectra", sizeof *a);
    a->o = options;
    a->steps = steps;
    a->fields = fields;
    a->bins = bins;
    a->cycles = options.cycles > 0 ? options.cycles : steps / rs_waveform_period(voltage, steps);
    if (bins > 0) {
        st = rs_sho_plan_create(frequency, bins, &options.sho, &a->plan, err);
        if (st != RESHED_OK) goto done;
    }
    a->voltage = rs_alloc((size_t)steps, sizeof *a->voltage);
    a->fit = rs_alloc(bins > 0 ? n : 0, sizeof *a->fit);
    a->re = rs_alloc(n, sizeof *a->re);
    a->im = rs_alloc(n, sizeof *a->im);
    a->response = rs_alloc(n, sizeof *a->response);
    a->unfold = rs_alloc((size_t)a->cycles, sizeof *a->unfold);
    if (!a->voltage || !a->fit || !a->re || !a->im || !a->response || !a->unfold) {
        st = rs_fail_nomem(err, "the analysis of spectra", n * (sizeof *a->fit + 24));
        goto done;
    }
    memcpy(a->voltage, voltage, (size_t)steps * sizeof *voltage);
    st = check_sweeps(a, err);
    if (st != RESHED_OK) goto done;
    *out = a;
    a = NULL;
done:
    rs_loop_analysis_free(a);
    return st;
}

static void set_response(rs_loop_analysis *a, size_t i, double amplitude, double phase)
{
    a->re[i] = amplitude * cos(phase);
    a->im[i] = amplitude * sin(phase);
}

/* The response of every step of the n = in->fields*steps that came. */
static void take_responses(rs_loop_analysis *a, const rs_loop_readings *in, size_t n)
{
    if (a->plan) rs_sho_fit_f32(a->plan, in->spectra, (int64_t)n, a->fit);
    for (size_t i = 0; i < (size_t)a->steps * (size_t)a->fields; i++) {
        if (i >= n)
            a->re[i] = a->im[i] = NAN;
        else if (!a->plan)
            set_response(a, i, (double)in->amplitude[i], (double)in->phase[i]);
        else if (a->fit[i].flags & RS_SHO_FAILED)
            a->re[i] = a->im[i] = NAN;
        else
            set_response(a, i, a->fit[i].p.amplitude, a->fit[i].p.phase);
    }
}

/* The signed response of a field; *reference, the side that it is to be on (NaN: where the loop
 * runs counter-clockwise), becomes the side that it is on. */
static reshed_status unfold(rs_loop_analysis *a, int field, double *reference, reshed_error *err)
{
    size_t at = (size_t)field * (size_t)a->steps;
    rs_unfold_options o = {.sign = isnan(*reference) ? RS_SIGN_AREA : RS_SIGN_REFERENCE,
                           .reference = *reference,
                           .threads = 1};
    reshed_status st = rs_loops_unfold(a->voltage, a->steps / a->cycles, a->cycles, a->re + at,
                                       a->im + at, 1, &o, a->response + at, a->unfold, NULL, err);
    if (st == RESHED_OK) *reference = rs_unfold_reference(a->unfold, a->cycles);
    return st;
}

/* value [RS_LOOP_VALUES] of the field that was unfolded last, on the side `angle`. */
static reshed_status measure(const rs_loop_analysis *a, int field, bool on_field, double angle,
                             double *value, reshed_error *err)
{
    size_t at = (size_t)field * (size_t)a->steps;
    rs_loops loops = {0};
    rs_loops_options o;
    rs_loops_defaults(&o);
    o.drop_first = a->o.drop_first;
    o.remove_slope = on_field;
    o.outlier = 0; /* there is no map to stand out from */
    o.threads = 1;
    reshed_status st = rs_loops_analyse(a->voltage, a->steps / a->cycles, a->cycles,
                                        a->response + at, 1, &o, &loops, err);
    if (st != RESHED_OK) return st;
    memcpy(value, loops.value, OWN_METRICS * sizeof *value);
    double *extra = value + OWN_METRICS, ratio = 0;
    int first = loops.first, end = first + loops.used, failed = 0, suspect = 0;
    const int steps = a->steps / a->cycles;
    for (int c = first; c < end; c++) ratio += a->unfold[c].ratio / loops.used;
    for (size_t i = (size_t)(first * (a->steps / a->cycles));
         i < (size_t)(end * (a->steps / a->cycles)); i++)
        failed += !isfinite(a->response[at + i]);
    for (size_t i = at + (size_t)(first * steps); a->plan && i < at + (size_t)(end * steps); i++)
        suspect += isfinite(a->response[i]) && (a->fit[i].flags & RS_SHO_SUSPECT);
    if (4 * (failed + suspect) > loops.used * steps) loops.flags[0] |= RS_LOOP_BAD_SPECTRA;
    extra[FLAGS] = loops.flags[0];
    extra[ANGLE] = angle;
    extra[RATIO] = ratio;
    extra[FAILED] = failed;
    extra[CYCLES] = loops.used;
    rs_loops_clear(&loops);
    return RESHED_OK;
}

static void put(float *out, size_t i, double v)
{
    if (out) out[i] = (float)v;
}

static void write_steps(const rs_loop_analysis *a, size_t n, const rs_loop_result *out)
{
    for (size_t i = 0; i < (size_t)a->steps * (size_t)a->fields; i++) {
        bool good = isfinite(a->re[i]) && isfinite(a->im[i]), fitted = good && a->plan;
        put(out->amplitude, i, good ? hypot(a->re[i], a->im[i]) : NAN);
        put(out->phase, i, good ? atan2(a->im[i], a->re[i]) : NAN);
        put(out->frequency, i, fitted && i < n ? a->fit[i].p.frequency : NAN);
        put(out->q, i, fitted && i < n ? a->fit[i].p.q : NAN);
        put(out->response, i, a->response[i]);
    }
}

reshed_status rs_loop_analysis_run(rs_loop_analysis *a, const rs_loop_readings *in,
                                   const rs_loop_result *out, reshed_error *err)
{
    if (in->steps != a->steps || in->bins != a->bins || in->fields < 1 || in->fields > a->fields)
        return rs_fail(err, RESHED_EINVAL,
                       "spectrum|%d steps, %d bins, at most %d fields|%d steps, %d bins, %d fields",
                       a->steps, a->bins, a->fields, in->steps, in->bins, in->fields);
    if (a->bins > 0 ? !in->spectra : !in->amplitude || !in->phase)
        return rs_fail(err, RESHED_EINVAL, "spectrum|%s|none",
                       a->bins > 0 ? "spectra" : "amplitude and phase");
    size_t n = (size_t)in->fields * (size_t)a->steps;
    double value[RS_LOOP_VALUES], reference = a->o.reference, on_side;
    take_responses(a, in, n);

    /* The last field is the off-field one if there are two: its loop decides the side, and is what
     * is measured unless asked otherwise. */
    int last = in->fields - 1;
    bool on_field = last == 0 || a->o.on_field;
    reshed_status st = RESHED_OK;
    for (size_t i = n; i < (size_t)a->fields * (size_t)a->steps; i++) a->response[i] = NAN;
    st = unfold(a, last, &reference, err);
    if (st == RESHED_OK && (last == 0 || !on_field))
        st = measure(a, last, on_field, reference, value, err);
    if (st == RESHED_OK && last == 1) {
        on_side = reference;
        st = unfold(a, 0, &on_side, err);
        if (st == RESHED_OK && on_field) st = measure(a, 0, true, on_side, value, err);
    }
    if (st != RESHED_OK) return st;
    write_steps(a, n, out);
    if (out->value) memcpy(out->value, value, sizeof value);
    return RESHED_OK;
}
