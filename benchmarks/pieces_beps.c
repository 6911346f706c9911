/* Fits of spectra and loops. */
#include "benchmarks/pieces.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/loopfit.h"
#include "beps/sho_fit.h"
#include "io/npy.h"
#include "benchmarks/random_model.h"

/* ------------------------------------------------------------------------------- SHO of spectra */

enum { SPECTRA = 512, BINS = 64 };

typedef struct sho_state {
    rs_sho_plan *plan; /* owned, as the rest */
    double axis[BINS];
    float *spectra; /* [SPECTRA][2*BINS] */
    rs_sho_fit *fits;
} sho_state;

static void sho_release(void *p)
{
    sho_state *s = p;
    rs_sho_plan_free(s->plan);
    rs_free(s->spectra);
    rs_free(s->fits);
}

static void sho_run(void *p)
{
    const sho_state *s = p;
    rs_sho_fit_f32(s->plan, s->spectra, SPECTRA, s->fits);
}

/* The axis as a first row, then the spectra: [1+SPECTRA][2*BINS]; the axis is repeated. */
static reshed_status sho_write(const void *p, const char *path, reshed_error *err)
{
    const sho_state *s = p;
    const size_t row = 2 * BINS, dims[2] = {1 + SPECTRA, row};
    float *all = rs_alloc(dims[0] * row, sizeof *all);
    if (!all) return rs_fail_nomem(err, "spectra", dims[0] * row * sizeof *all);
    for (size_t i = 0; i < row; i++) all[i] = (float)s->axis[i % BINS];
    memcpy(all + row, s->spectra, SPECTRA * row * sizeof *all);
    reshed_status st = rs_npy_write(path, RS_NPY_F4, 2, dims, all, err);
    rs_free(all);
    return st;
}

/* Resonances in the middle of the band, Q 60 to 200, noise 3 % of the peak. */
static reshed_status make_sho(const bench_env *env, const bench_piece *piece, bench_run *out,
                              reshed_error *err)
{
    sho_state *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a piece", sizeof *s);
    out->state = s;
    out->run = sho_run;
    out->release = sho_release;
    out->task = "sho_fit";
    out->write_input = sho_write;
    s->spectra = rs_alloc(SPECTRA * 2 * BINS, sizeof *s->spectra);
    s->fits = rs_alloc(SPECTRA, sizeof *s->fits);
    if (!s->spectra || !s->fits) return rs_fail_nomem(err, "spectra", SPECTRA * 2 * BINS);
    rs_random r = {env->seed};
    for (int i = 0; i < BINS; i++) s->axis[i] = 300e3 + 50e3 * i / (BINS - 1);
    for (int k = 0; k < SPECTRA; k++) {
        double h[2 * BINS];
        const rs_sho p = {.amplitude = 1e-4 * (1 + bench_uniform(&r)),
                          .frequency = 315e3 + 20e3 * bench_uniform(&r),
                          .q = 60 + 140 * bench_uniform(&r),
                          .phase = 6 * bench_uniform(&r) - 3};
        rs_sho_eval(&p, s->axis, BINS, h);
        for (int i = 0; i < 2 * BINS; i++)
            s->spectra[k * 2 * BINS + i] =
                (float)(h[i] + 0.03 * p.amplitude * p.q * bench_gauss(&r));
    }
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    o.threads = 1;
    (void)piece;
    snprintf(out->shape, sizeof out->shape, "%d of %d bins", SPECTRA, BINS);
    out->items = SPECTRA;
    out->item = "fit";
    return rs_sho_plan_create(s->axis, BINS, &o, &s->plan, err);
}

/* ---------------------------------------------------------------------------------------- loops */

enum { LOOPS = 32, STEPS = 64 };

typedef struct loop_state {
    rs_sweep sweep;
    double v[STEPS];
    double *y; /* [LOOPS][STEPS]; owned */
    double *work;
} loop_state;

static void loop_release(void *p)
{
    loop_state *s = p;
    rs_sweep_clear(&s->sweep);
    rs_free(s->y);
    rs_free(s->work);
}

static void loop_run(void *p)
{
    const loop_state *s = p;
    rs_loop_fit fit;
    for (int k = 0; k < LOOPS; k++)
        rs_loop_fit_run(&s->sweep, s->y + k * STEPS, NULL, RS_BOUNDS_SCALED, s->work, &fit);
}

/* The voltages as a first row, then the loops: [1+LOOPS][STEPS]. */
static reshed_status loop_write(const void *p, const char *path, reshed_error *err)
{
    const loop_state *s = p;
    const size_t dims[2] = {1 + LOOPS, STEPS};
    double all[(1 + LOOPS) * STEPS];
    memcpy(all, s->v, sizeof s->v);
    memcpy(all + STEPS, s->y, LOOPS * STEPS * sizeof *s->y);
    return rs_npy_write(path, RS_NPY_F8, 2, dims, all, err);
}

/* A triangle of 8 V from 0 upwards; heights of order one, noise 3 %. */
static reshed_status make_loop(const bench_env *env, const bench_piece *piece, bench_run *out,
                               reshed_error *err)
{
    loop_state *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a piece", sizeof *s);
    out->state = s;
    out->run = loop_run;
    out->release = loop_release;
    out->task = "loop_fit";
    out->write_input = loop_write;
    for (int i = 0; i < STEPS; i++) {
        const int q = STEPS / 4;
        s->v[i] = 8.0 / q * (i < q ? i : i < 3 * q ? 2 * q - i : i - 4 * q);
    }
    s->y = rs_alloc(LOOPS * STEPS, sizeof *s->y);
    s->work = rs_alloc(rs_loop_fit_work(STEPS), sizeof *s->work);
    if (!s->y || !s->work) return rs_fail_nomem(err, "loops", LOOPS * STEPS * sizeof *s->y);
    reshed_status st = rs_sweep_create(s->v, STEPS, &s->sweep, err);
    if (st != RESHED_OK) return st;
    rs_random r = {env->seed};
    for (int k = 0; k < LOOPS; k++) {
        double p[RS_LOOP_PARAMS] = {[RS_A0] = -1, [RS_A1] = 2};
        p[RS_A2] = -4 + 2 * bench_uniform(&r);
        p[RS_A3] = 2 + 2 * bench_uniform(&r);
        p[RS_A4] = 0.02 * bench_uniform(&r);
        for (int b = RS_B0; b <= RS_B3; b++) p[b] = 0.3 + bench_uniform(&r);
        rs_loop_function(&s->sweep, p, s->y + k * STEPS);
        for (int i = 0; i < STEPS; i++) s->y[k * STEPS + i] += 0.06 * bench_gauss(&r);
    }
    (void)piece;
    snprintf(out->shape, sizeof out->shape, "%d of %d steps", LOOPS, STEPS);
    out->items = LOOPS;
    out->item = "fit";
    return RESHED_OK;
}

static const bench_piece pieces[] = {
    {"beps", "SHO fits", make_sho, 0, 0},
    {"beps", "loop fits", make_loop, 0, 0},
};

const bench_piece *bench_pieces_beps(int *n)
{
    *n = (int)(sizeof pieces / sizeof *pieces);
    return pieces;
}
