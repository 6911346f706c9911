#include "evaluate/baselines.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "infer/baseline.h"
#include "infer/score.h"

static double boundary_threshold(int k)
{
    return 0.05 + 0.025 * k;
}

static double canny_sigma(int k)
{
    static const double sigma[4] = {1, 1.5, 2, 3};
    return sigma[k / 10];
}

static double canny_high(int k)
{
    return 0.01 * pow(1.4, k % 10);
}

void eval_boundary_text(int k, char *text, size_t n)
{
    snprintf(text, n, "threshold %.3f", boundary_threshold(k));
}

void eval_canny_text(int k, char *text, size_t n)
{
    snprintf(text, n, "sigma %g, gradient %.3f", canny_sigma(k), canny_high(k));
}

/* Thins mask [H,W] of a baseline in place and counts. Lines not scanned have no walls. */
static reshed_status count_mask(const eval_frame *f, uint8_t *mask, rs_edge_count *c,
                                reshed_error *err)
{
    const size_t n = (size_t)f->height * (size_t)f->width;
    const size_t scanned = (size_t)f->scanned * (size_t)f->width;
    memset(mask + scanned, 0, n - scanned);
    reshed_status st = rs_skeletonize(mask, f->height, f->width, mask, err);
    rs_edge_score score;
    if (st == RESHED_OK)
        st = rs_score_edges(mask, f->thin, f->height, f->width, RS_SCORE_RADIUS, &score, err);
    if (st == RESHED_OK) *c = (rs_edge_count){score.matched, score.predicted, score.truth};
    return st;
}

reshed_status eval_boundary(const eval_frame *f, const float *image, int k, rs_edge_count *c,
                            reshed_error *err)
{
    const size_t n = (size_t)f->height * (size_t)f->width;
    uint8_t *mask = rs_alloc(n, 1);
    if (!mask) return rs_fail_nomem(err, "a baseline", n);
    reshed_status st =
        rs_baseline_boundary(image, f->scanned, f->width, boundary_threshold(k), mask, err);
    if (st == RESHED_OK) st = count_mask(f, mask, c, err);
    rs_free(mask);
    return st;
}

reshed_status eval_canny(const eval_frame *f, int k, rs_edge_count *c, reshed_error *err)
{
    const size_t n = (size_t)f->height * (size_t)f->width;
    uint8_t *mask = rs_alloc(n, 1);
    if (!mask) return rs_fail_nomem(err, "a baseline", n);
    reshed_status st = rs_baseline_canny(f->image, f->scanned, f->width, canny_sigma(k),
                                         0.4 * canny_high(k), canny_high(k), mask, err);
    if (st == RESHED_OK) st = count_mask(f, mask, c, err);
    rs_free(mask);
    return st;
}
