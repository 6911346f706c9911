#include "spectra/lines.h"

#include <math.h>

#include "base/alloc.h"

struct rs_line_fit {
    rs_sho_plan *plan;
    rs_sho_fit *fit; /* [cols] */
    int cols;
};

reshed_status rs_line_fit_create(const double *frequency, int bins, int cols,
                                 const rs_sho_options *o, rs_line_fit **out, reshed_error *err)
{
    if (cols < 1) return rs_fail(err, RESHED_EINVAL, "pixels of a line|at least 1|%d", cols);
    rs_line_fit *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "the fit of lines", sizeof *f);
    f->cols = cols;
    f->fit = rs_alloc((size_t)cols, sizeof *f->fit);
    reshed_status st = f->fit
                           ? rs_sho_plan_create(frequency, bins, o, &f->plan, err)
                           : rs_fail_nomem(err, "the fit of lines", (size_t)cols * sizeof *f->fit);
    if (st == RESHED_OK)
        *out = f;
    else
        rs_line_fit_free(f);
    return st;
}

void rs_line_fit_free(rs_line_fit *f)
{
    if (!f) return;
    rs_sho_plan_free(f->plan);
    rs_free(f->fit);
    rs_free(f);
}

static void put(float *out, size_t i, double v)
{
    if (out) out[i] = (float)v;
}

int rs_line_fit_run(rs_line_fit *f, const float *spectra, int cols, float *amplitude,
                    float *frequency, float *q, float *phase)
{
    int bad = 0;
    if (cols > f->cols) cols = f->cols;
    rs_sho_fit_f32(f->plan, spectra, cols, f->fit);
    for (int c = 0; c < cols; c++) {
        const rs_sho_fit *fit = &f->fit[c];
        bool failed = fit->flags & RS_SHO_FAILED;
        size_t i = (size_t)c;
        put(amplitude, i, failed ? NAN : fit->p.amplitude);
        put(frequency, i, failed ? NAN : fit->p.frequency);
        put(q, i, failed ? NAN : fit->p.q);
        put(phase, i, failed ? NAN : fit->p.phase);
        bad += failed;
    }
    return bad;
}
