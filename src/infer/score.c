/* Matching. Predicted and true pixels are the two sides of a bipartite graph; an edge joins two
 * pixels at most `radius` apart. The edges are never stored: a predicted pixel's candidates are
 * looked up in a map from true pixels to their numbers, over the offsets within the radius.
 *
 * Hopcroft and Karp (1973): as long as there are augmenting paths, find the shortest length by
 * breadth-first search from all unmatched predicted pixels, then augment along a maximal set of
 * disjoint paths of that length by depth-first search. At most O(sqrt(V)) rounds. The depth-first
 * search keeps its own stack, since a path may be as long as a wall. */
#include "infer/score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "imgproc/image/distance.h"

#define LARGEST_RADIUS 64

typedef struct matching {
    int height, width;
    int n_offsets;
    int *dy, *dx; /* [n_offsets] */
    int32_t n_left, n_right;
    int32_t *pixel;         /* [n_left] predicted pixel's index in the image */
    int32_t *number;        /* [H,W] true pixel's number, -1 elsewhere */
    int32_t *mate, *mate_r; /* [n_left], [n_right]: partner or -1 */
    int32_t *level;         /* [n_left] distance from a free predicted pixel, -1 unreached */
    int32_t last_level;     /* of every shortest augmenting path's last predicted pixel */
    int32_t *next;          /* [n_left] the offset to try next in this round's search */
    int32_t *queue;         /* [n_left]; the stack of the depth-first search as well */
} matching;

static void matching_free(matching *m)
{
    rs_free(m->dy);
    rs_free(m->dx);
    rs_free(m->pixel);
    rs_free(m->number);
    rs_free(m->mate);
    rs_free(m->mate_r);
    rs_free(m->level);
    rs_free(m->next);
    rs_free(m->queue);
}

/* The true pixel at the k-th offset from predicted pixel u, or -1. */
static int32_t candidate(const matching *m, int32_t u, int k)
{
    int y = m->pixel[u] / m->width + m->dy[k], x = m->pixel[u] % m->width + m->dx[k];
    if (y < 0 || y >= m->height || x < 0 || x >= m->width) return -1;
    return m->number[(size_t)y * (size_t)m->width + (size_t)x];
}

static reshed_status matching_init(matching *m, const uint8_t *predicted, const uint8_t *truth,
                                   int height, int width, double radius, reshed_error *err)
{
    int reach = (int)radius;
    size_t n = (size_t)height * (size_t)width, left = 0, right = 0, k = 0;
    size_t most = (size_t)(2 * reach + 1) * (size_t)(2 * reach + 1);
    m->height = height;
    m->width = width;
    for (size_t i = 0; i < n; i++) left += predicted[i] != 0, right += truth[i] != 0;
    m->n_left = (int32_t)left;
    m->n_right = (int32_t)right;
    m->dy = rs_alloc(most, sizeof *m->dy);
    m->dx = rs_alloc(most, sizeof *m->dx);
    m->pixel = rs_alloc(left, sizeof *m->pixel);
    m->number = rs_alloc(n, sizeof *m->number);
    m->mate = rs_alloc(left, sizeof *m->mate);
    m->mate_r = rs_alloc(right, sizeof *m->mate_r);
    m->level = rs_alloc(left, sizeof *m->level);
    m->next = rs_alloc(left, sizeof *m->next);
    m->queue = rs_alloc(left, sizeof *m->queue);
    if (!m->dy || !m->dx || !m->pixel || !m->number || !m->mate || !m->mate_r || !m->level ||
        !m->next || !m->queue)
        return rs_fail_nomem(err, "matching wall pixels", (n + 5 * left + right) * 4);
    for (int dy = -reach; dy <= reach; dy++)
        for (int dx = -reach; dx <= reach; dx++)
            if (dy * dy + dx * dx <= radius * radius) m->dy[k] = dy, m->dx[k++] = dx;
    m->n_offsets = (int)k;
    left = right = 0;
    for (size_t i = 0; i < n; i++) {
        m->number[i] = truth[i] ? (int32_t)right++ : -1;
        if (predicted[i]) m->pixel[left++] = (int32_t)i;
    }
    for (int32_t u = 0; u < m->n_left; u++) m->mate[u] = -1;
    for (int32_t v = 0; v < m->n_right; v++) m->mate_r[v] = -1;
    return RESHED_OK;
}

/* Levels of the predicted pixels along alternating paths, up to the first that is next to a free
 * true pixel: its level ends every shortest augmenting path. Whether there is one. */
static bool breadth_first(matching *m)
{
    int32_t head = 0, tail = 0;
    m->last_level = m->n_left;
    for (int32_t u = 0; u < m->n_left; u++) {
        m->level[u] = m->mate[u] < 0 ? 0 : -1;
        m->next[u] = 0;
        if (m->mate[u] < 0) m->queue[tail++] = u;
    }
    while (head < tail) {
        int32_t u = m->queue[head++];
        if (m->level[u] > m->last_level) break;
        for (int k = 0; k < m->n_offsets; k++) {
            int32_t v = candidate(m, u, k), w = v < 0 ? -1 : m->mate_r[v];
            if (v >= 0 && w < 0) m->last_level = m->level[u];
            if (w < 0 || m->level[w] >= 0) continue;
            m->level[w] = m->level[u] + 1;
            m->queue[tail++] = w;
        }
    }
    return m->last_level < m->n_left;
}

/* Looks for an augmenting path from the free predicted pixel `root`, and flips it. On the stack are
 * the path's predicted pixels; each one's way on is the offset before its next[]. */
static bool augment(matching *m, int32_t root)
{
    int32_t *stack = m->queue, depth = 0;
    stack[0] = root;
    while (depth >= 0) {
        int32_t u = stack[depth];
        if (m->next[u] == m->n_offsets) { /* a dead end, for this round */
            depth--;
            continue;
        }
        int32_t v = candidate(m, u, m->next[u]++);
        if (v < 0) continue;
        int32_t w = m->mate_r[v];
        if (w >= 0) {
            if (m->level[w] == m->level[u] + 1 && m->level[w] <= m->last_level) stack[++depth] = w;
            continue;
        }
        for (; depth >= 0; depth--) {
            u = stack[depth];
            v = candidate(m, u, m->next[u] - 1);
            m->mate[u] = v;
            m->mate_r[v] = u;
        }
        return true;
    }
    return false;
}

static int64_t maximum_matching(matching *m)
{
    int64_t matched = 0;
    while (breadth_first(m))
        for (int32_t u = 0; u < m->n_left; u++)
            if (m->mate[u] < 0 && augment(m, u)) matched++;
    return matched;
}

static reshed_status check_size(int height, int width, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE ||
        (size_t)height * (size_t)width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "size of the maps|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    return RESHED_OK;
}

reshed_status rs_score_edges(const uint8_t *predicted, const uint8_t *truth, int height, int width,
                             double radius, rs_edge_score *out, reshed_error *err)
{
    reshed_status st = check_size(height, width, err);
    if (st != RESHED_OK) return st;
    if (!(radius >= 0 && radius <= LARGEST_RADIUS))
        return rs_fail(err, RESHED_EINVAL, "matching radius|0 to %d pixels|%g", LARGEST_RADIUS,
                       radius);
    matching m = {0};
    st = matching_init(&m, predicted, truth, height, width, radius, err);
    if (st == RESHED_OK) {
        rs_edge_score s = {
            .matched = maximum_matching(&m), .predicted = m.n_left, .truth = m.n_right};
        bool empty = s.predicted == 0 && s.truth == 0;
        s.precision = s.predicted ? (double)s.matched / (double)s.predicted : empty;
        s.recall = s.truth ? (double)s.matched / (double)s.truth : empty;
        s.f = empty ? 1 : 2.0 * (double)s.matched / (double)(s.predicted + s.truth);
        *out = s;
    }
    matching_free(&m);
    return st;
}

/* ---------------------------------------------------------------------------------- calibration */

static int by_probability(const void *a, const void *b)
{
    float x = ((const rs_judged *)a)->p, y = ((const rs_judged *)b)->p;
    return (x > y) - (x < y);
}

reshed_status rs_score_near_pixels(const float *probability, const uint8_t *predicted,
                                   const uint8_t *truth, int height, int width, double near,
                                   rs_judged **list, size_t *count, reshed_error *err)
{
    reshed_status st = check_size(height, width, err);
    if (st != RESHED_OK) return st;
    if (!(near >= 0 && near <= RS_IMAGE_MAX_SIDE))
        return rs_fail(err, RESHED_EINVAL, "distance from walls|0 to %d pixels|%g",
                       RS_IMAGE_MAX_SIDE, near);
    size_t n = (size_t)height * (size_t)width, k = 0;
    uint8_t *walls = rs_alloc(n, 1);
    int64_t *squared = rs_alloc(n, sizeof *squared);
    rs_judged *found = NULL;
    if (!walls || !squared) {
        st = rs_fail_nomem(err, "calibration", n * 9);
        goto done;
    }
    for (size_t i = 0; i < n; i++) walls[i] = predicted[i] || truth[i];
    st = rs_distance_transform(walls, height, width, squared, NULL, err);
    if (st != RESHED_OK) goto done;
    for (size_t i = 0; i < n; i++) k += (double)squared[i] <= near * near;
    if (!(found = rs_alloc(k, sizeof *found))) {
        st = rs_fail_nomem(err, "calibration", k * sizeof *found);
        goto done;
    }
    k = 0;
    for (size_t i = 0; i < n; i++) {
        if ((double)squared[i] > near * near) continue;
        if (!(probability[i] >= 0 && probability[i] <= 1)) {
            st = rs_fail(err, RESHED_EINVAL, "wall probability|0 to 1|%g|pixel %zu",
                         (double)probability[i], i);
            goto done;
        }
        found[k++] = (rs_judged){probability[i], truth[i] != 0};
    }
    *list = found;
    *count = k;
    found = NULL;
done:
    rs_free(walls);
    rs_free(squared);
    rs_free(found);
    return st;
}

void rs_score_reliability(rs_judged *list, size_t n, rs_calibration *out)
{
    qsort(list, n, sizeof *list, by_probability);
    rs_calibration c = {.bins = n < RS_SCORE_BINS ? (int)n : RS_SCORE_BINS, .pixels = (int64_t)n};
    int bin = 0;
    for (size_t run = 0, end; run < n; run = end) {
        size_t walls = 0;
        for (end = run; end < n && list[end].p == list[run].p; end++) walls += list[end].wall;
        double share = (double)walls / (double)(end - run), p = (double)list[run].p;
        /* Deal the run out to the bins it reaches into; bin b ends before pixel (b+1)*n/bins. */
        for (size_t at = run; at < end;) {
            size_t bin_end = (size_t)(bin + 1) * n / (size_t)c.bins;
            size_t stop = bin_end < end ? bin_end : end;
            c.count[bin] += (int64_t)(stop - at);
            c.confidence[bin] += (double)(stop - at) * p;
            c.accuracy[bin] += (double)(stop - at) * share;
            if (stop == bin_end) bin++;
            at = stop;
        }
    }
    for (int b = 0; b < c.bins; b++) {
        c.confidence[b] /= (double)c.count[b];
        c.accuracy[b] /= (double)c.count[b];
        c.ece += (double)c.count[b] / (double)n * fabs(c.confidence[b] - c.accuracy[b]);
    }
    if (n == 0) c.ece = NAN;
    *out = c;
}
