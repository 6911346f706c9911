#include "evaluate/tally.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "infer/baseline.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"

static const double radius[EVAL_RADII] = {1, RS_SCORE_RADIUS, 2};

void eval_count_add(eval_count *sum, const eval_count *part)
{
    sum->matched += part->matched;
    sum->predicted += part->predicted;
    sum->truth += part->truth;
}

double eval_count_f(const eval_count *c)
{
    int64_t n = c->predicted + c->truth;
    return n ? 2.0 * (double)c->matched / (double)n : 1;
}

double eval_count_precision(const eval_count *c)
{
    return c->predicted ? (double)c->matched / (double)c->predicted : c->truth == 0;
}

double eval_count_recall(const eval_count *c)
{
    return c->truth ? (double)c->matched / (double)c->truth : c->predicted == 0;
}

void eval_tally_clear(eval_tally *t)
{
    rs_free(t->near);
    *t = (eval_tally){0};
}

static reshed_status count(const eval_frame *f, const uint8_t *line, double within, eval_count *c,
                           reshed_error *err)
{
    rs_edge_score s;
    reshed_status st = rs_score_edges(line, f->thin, f->height, f->width, within, &s, err);
    if (st == RESHED_OK) *c = (eval_count){s.matched, s.predicted, s.truth};
    return st;
}

reshed_status eval_tally_map(const eval_frame *f, const float *map, bool thresholds, eval_tally *t,
                             reshed_error *err)
{
    const int h = f->height, w = f->width;
    const size_t n = (size_t)h * (size_t)w;
    uint8_t *mask = rs_alloc(2 * n, 1), *line = mask + n;
    if (!mask) return rs_fail_nomem(err, "scoring", 2 * n);
    reshed_status st = RESHED_OK;
    for (int k = 0; k < EVAL_THRESHOLDS && st == RESHED_OK; k++) {
        const bool middle = k == EVAL_THRESHOLDS / 2;
        if (!thresholds && !middle) continue;
        rs_threshold(map, n, 0.05 * (k + 1), mask);
        st = rs_skeletonize(mask, h, w, line, err);
        if (st == RESHED_OK) st = count(f, line, RS_SCORE_RADIUS, &t->over[k], err);
        for (int i = 0; i < EVAL_RADII && middle && st == RESHED_OK; i++)
            st = count(f, line, radius[i], &t->at[i], err);
        if (!middle || st != RESHED_OK) continue;
        for (size_t i = 0; i < n; i++) {
            t->both += mask[i] && f->truth[i];
            t->either += mask[i] || f->truth[i];
        }
        st = rs_score_near_pixels(map, mask, f->truth, h, w, RS_SCORE_NEAR, &t->near, &t->n_near,
                                  err);
    }
    rs_free(mask);
    if (st != RESHED_OK) eval_tally_clear(t);
    return st;
}

reshed_status eval_tally_add(eval_tally *sum, eval_tally *part, reshed_error *err)
{
    rs_judged *joined =
        rs_regrow(sum->near, sum->n_near, sum->n_near + part->n_near, sizeof *joined);
    if (!joined) return rs_fail_nomem(err, "scoring", part->n_near * sizeof *joined);
    if (part->n_near) memcpy(joined + sum->n_near, part->near, part->n_near * sizeof *joined);
    sum->near = joined;
    sum->n_near += part->n_near;
    for (int i = 0; i < EVAL_RADII; i++) eval_count_add(&sum->at[i], &part->at[i]);
    for (int k = 0; k < EVAL_THRESHOLDS; k++) eval_count_add(&sum->over[k], &part->over[k]);
    sum->both += part->both;
    sum->either += part->either;
    eval_tally_clear(part);
    return RESHED_OK;
}

double eval_tally_best(const eval_tally *t, double *at)
{
    int k = eval_best_count(t->over, EVAL_THRESHOLDS);
    *at = 0.05 * (k + 1);
    return eval_count_f(&t->over[k]);
}

void eval_tally_reliability(eval_tally *t, rs_calibration *c)
{
    rs_score_reliability(t->near, t->n_near, c);
}

/* ------------------------------------------------------------------------------------ baselines */

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
static reshed_status count_mask(const eval_frame *f, uint8_t *mask, eval_count *c,
                                reshed_error *err)
{
    const size_t n = (size_t)f->height * (size_t)f->width;
    const size_t scanned = (size_t)f->scanned * (size_t)f->width;
    memset(mask + scanned, 0, n - scanned);
    reshed_status st = rs_skeletonize(mask, f->height, f->width, mask, err);
    return st == RESHED_OK ? count(f, mask, RS_SCORE_RADIUS, c, err) : st;
}

reshed_status eval_boundary(const eval_frame *f, const float *image, int k, eval_count *c,
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

reshed_status eval_canny(const eval_frame *f, int k, eval_count *c, reshed_error *err)
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

int eval_best_count(const eval_count *counts, int n)
{
    int best = 0;
    for (int k = 1; k < n; k++)
        if (eval_count_f(&counts[k]) > eval_count_f(&counts[best])) best = k;
    return best;
}
