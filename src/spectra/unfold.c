#include "spectra/unfold.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "beps/phase.h"

/* The side of the complex plane on which one point's loop is counter-clockwise. */
static reshed_status reference_of(const rs_responses *in, rs_field field, int64_t point,
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
static reshed_status unfold_phase(const rs_responses *in, rs_field field, int64_t point,
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

reshed_status rs_responses_unfold(rs_responses *in, rs_field field, rs_unfolding method,
                                  int64_t point, int threads, rs_unfolded *out, reshed_error *err)
{
    static const char *const names[] = {
        "each loop's line by total least squares, on the side of the map's common direction",
        "each loop's line by total least squares, counter-clockwise",
        "the map's common direction by total least squares", "peaks of the phase histogram",
        "BGlib projectLoop"};
    size_t n = (size_t)in->points * (size_t)in->cycles * (size_t)in->steps;
    *out = (rs_unfolded){.how = "signed response as in the file", .reference = NAN};
    if (!in->is_complex) {
        out->response = in->re[field];
        in->re[field] = NULL;
        return RESHED_OK;
    }
    out->how = names[method];
    out->response = rs_alloc(n, sizeof *out->response);
    if (!out->response) return rs_fail_nomem(err, "the loops", n * sizeof *out->response);
    if (method == RS_UNFOLD_PHASE)
        return unfold_phase(in, field, point, out->response, &out->reference, err);
    rs_unfold_options o = {
        .reference = NAN, .bglib = method == RS_UNFOLD_BGLIB, .threads = threads};
    o.sign = method == RS_UNFOLD_MAP     ? RS_SIGN_REFERENCE
             : method == RS_UNFOLD_FIXED ? RS_SIGN_FIXED
                                         : RS_SIGN_AREA;
    reshed_status st = RESHED_OK;
    if (point >= 0) st = reference_of(in, field, point, &o.reference, err);
    out->line = rs_alloc((size_t)in->points * (size_t)in->cycles, sizeof *out->line);
    if (st == RESHED_OK && !out->line) st = rs_fail_nomem(err, "the unfolding", n);
    if (st == RESHED_OK)
        st = rs_loops_unfold(in->v, in->steps, in->cycles, in->re[field], in->im[field], in->points,
                             &o, out->response, out->line, &out->reference, err);
    return st;
}

void rs_unfolded_clear(rs_unfolded *u)
{
    rs_free(u->response);
    rs_free(u->line);
    memset(u, 0, sizeof *u);
}
