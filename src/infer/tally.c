#include "infer/tally.h"

#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"

static const double radius[RS_TALLY_RADII] = {1, RS_SCORE_RADIUS, 2};

void rs_edge_count_add(rs_edge_count *sum, const rs_edge_count *part)
{
    sum->matched += part->matched;
    sum->predicted += part->predicted;
    sum->truth += part->truth;
}

double rs_edge_count_f(const rs_edge_count *c)
{
    int64_t n = c->predicted + c->truth;
    return n ? 2.0 * (double)c->matched / (double)n : 1;
}

double rs_edge_count_precision(const rs_edge_count *c)
{
    return c->predicted ? (double)c->matched / (double)c->predicted : c->truth == 0;
}

double rs_edge_count_recall(const rs_edge_count *c)
{
    return c->truth ? (double)c->matched / (double)c->truth : c->predicted == 0;
}

int rs_edge_count_best(const rs_edge_count *counts, int n)
{
    int best = 0;
    for (int k = 1; k < n; k++)
        if (rs_edge_count_f(&counts[k]) > rs_edge_count_f(&counts[best])) best = k;
    return best;
}

void rs_wall_tally_clear(rs_wall_tally *t)
{
    rs_free(t->near);
    *t = (rs_wall_tally){0};
}

typedef struct labels {
    const uint8_t *truth, *thin;
    int height, width;
} labels;

static reshed_status count(const labels *l, const uint8_t *line, double within, rs_edge_count *c,
                           reshed_error *err)
{
    rs_edge_score s;
    reshed_status st = rs_score_edges(line, l->thin, l->height, l->width, within, &s, err);
    if (st == RESHED_OK) *c = (rs_edge_count){s.matched, s.predicted, s.truth};
    return st;
}

/* Everything but the other thresholds. */
static reshed_status count_middle(const labels *l, const float *map, const uint8_t *mask,
                                  const uint8_t *line, rs_wall_tally *t, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; i < RS_TALLY_RADII && st == RESHED_OK; i++)
        st = count(l, line, radius[i], &t->at[i], err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; i < (size_t)l->height * (size_t)l->width; i++) {
        t->both += mask[i] && l->truth[i];
        t->either += mask[i] || l->truth[i];
    }
    return rs_score_near_pixels(map, mask, l->truth, l->height, l->width, RS_SCORE_NEAR, &t->near,
                                &t->n_near, err);
}

reshed_status rs_wall_tally_map(const float *map, const uint8_t *truth, const uint8_t *thin,
                                int height, int width, bool thresholds, rs_wall_tally *t,
                                reshed_error *err)
{
    const labels l = {truth, thin, height, width};
    const size_t n = (size_t)height * (size_t)width;
    uint8_t *mask = rs_alloc(n, 2);
    if (!mask) return rs_fail_nomem(err, "scoring", 2 * n);
    uint8_t *line = mask + n;
    reshed_status st = RESHED_OK;
    for (int k = 0; k < RS_TALLY_THRESHOLDS && st == RESHED_OK; k++) {
        const bool middle = k == RS_TALLY_THRESHOLDS / 2;
        if (!thresholds && !middle) continue;
        rs_threshold(map, n, 0.05 * (k + 1), mask);
        st = rs_skeletonize(mask, height, width, line, err);
        if (st == RESHED_OK) st = count(&l, line, RS_SCORE_RADIUS, &t->over[k], err);
        if (st == RESHED_OK && middle) st = count_middle(&l, map, mask, line, t, err);
    }
    rs_free(mask);
    if (st != RESHED_OK) rs_wall_tally_clear(t);
    return st;
}

reshed_status rs_wall_tally_add(rs_wall_tally *sum, rs_wall_tally *part, reshed_error *err)
{
    rs_judged *joined =
        rs_regrow(sum->near, sum->n_near, sum->n_near + part->n_near, sizeof *joined);
    if (!joined) return rs_fail_nomem(err, "scoring", part->n_near * sizeof *joined);
    if (part->n_near) memcpy(joined + sum->n_near, part->near, part->n_near * sizeof *joined);
    sum->near = joined;
    sum->n_near += part->n_near;
    for (int i = 0; i < RS_TALLY_RADII; i++) rs_edge_count_add(&sum->at[i], &part->at[i]);
    for (int k = 0; k < RS_TALLY_THRESHOLDS; k++) rs_edge_count_add(&sum->over[k], &part->over[k]);
    sum->both += part->both;
    sum->either += part->either;
    rs_wall_tally_clear(part);
    return RESHED_OK;
}

void rs_wall_tally_scores(rs_wall_tally *t, rs_wall_scores *out, rs_calibration *calibration)
{
    rs_calibration c;
    const int best = rs_edge_count_best(t->over, RS_TALLY_THRESHOLDS);
    rs_score_reliability(t->near, t->n_near, &c);
    *out = (rs_wall_scores){.precision = rs_edge_count_precision(&t->at[1]),
                            .recall = rs_edge_count_recall(&t->at[1]),
                            .f = rs_edge_count_f(&t->at[1]),
                            .strict = rs_edge_count_f(&t->at[0]),
                            .loose = rs_edge_count_f(&t->at[2]),
                            .best = rs_edge_count_f(&t->over[best]),
                            .best_threshold = 0.05 * (best + 1),
                            .iou = t->either ? (double)t->both / (double)t->either : 1,
                            .ece = c.ece};
    if (calibration) *calibration = c;
}

reshed_status rs_wall_scores_of_map(const float *map, const uint8_t *truth, int height, int width,
                                    rs_wall_scores *out, rs_calibration *calibration,
                                    reshed_error *err)
{
    rs_wall_tally t = {0};
    uint8_t *thin = rs_alloc((size_t)height, (size_t)width);
    if (!thin) return rs_fail_nomem(err, "scoring", (size_t)height * (size_t)width);
    reshed_status st = rs_skeletonize(truth, height, width, thin, err);
    if (st == RESHED_OK) st = rs_wall_tally_map(map, truth, thin, height, width, true, &t, err);
    if (st == RESHED_OK) rs_wall_tally_scores(&t, out, calibration);
    rs_free(thin);
    rs_wall_tally_clear(&t);
    return st;
}
