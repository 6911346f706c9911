#include "imgproc/walls/sequential.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "base/statistics.h"
#include "imgproc/walls/family.h"
#include "imgproc/walls/gap.h"
#include "imgproc/walls/stats.h"

/* ---------------------------------------------------------------------------------------- units */

void rs_wall_units_clear(rs_wall_units *u)
{
    rs_free(u->of);
    rs_free(u->longer);
    *u = (rs_wall_units){0};
}

/* Numbers the units of a family in order of place, those that are there; first [walls] is scratch. */
static int number_family(const rs_wallgraph *g, int family, const uint8_t *there, int *wall,
                         int *piece, int *of)
{
    const int n = rs_family_walls(g, family, wall);
    int units = 0;
    rs_family_pieces(g, wall, n, 1.5 * sqrt(g->grid.dx * g->grid.dy), piece);
    for (int w = 0; w < g->walls; w++) of[w] = -1;
    for (int i = 0; i < n; i++) {
        bool any = false;
        if (piece[i] != i) continue;
        for (int k = i; k < n; k++) any |= piece[k] == i && there[wall[k]];
        for (int k = i; any && k < n; k++)
            if (piece[k] == i) of[wall[k]] = units;
        units += any;
    }
    return units;
}

static reshed_status find_alternating(const rs_wallgraph *g, int families, const uint8_t *there,
                                      rs_wall_units *u, reshed_error *err)
{
    const size_t walls = (size_t)g->walls;
    int *wall = rs_alloc(walls, sizeof *wall), *piece = rs_alloc(walls, sizeof *piece);
    reshed_status st = RESHED_OK;
    if (!wall || !piece) st = rs_fail_nomem(err, "units", 2 * walls * sizeof *wall);
    for (int f = 0; st == RESHED_OK && f < families && u->n < RS_ALTERNATION_MIN_WALLS; f++)
        u->n = number_family(g, f, there, wall, piece, u->of);
    if (u->n < RS_ALTERNATION_MIN_WALLS) {
        u->n = 0;
        for (size_t w = 0; w < walls; w++) u->of[w] = -1;
    }
    rs_free(piece);
    rs_free(wall);
    return st;
}

static reshed_status find_lengths(const rs_wallgraph *g, const uint8_t *there, rs_wall_units *u,
                                  reshed_error *err)
{
    const size_t walls = (size_t)g->walls;
    const double gap = RS_WALL_GAP_PIXELS * sqrt(g->grid.dx * g->grid.dy);
    int *first = rs_alloc(walls, sizeof *first);
    double *length = rs_zalloc(walls, 2 * sizeof *length), *sorted = length + walls;
    reshed_status st =
        first && length ? RESHED_OK : rs_fail_nomem(err, "units", 3 * walls * sizeof *length);
    if (st == RESHED_OK) st = rs_wall_gaps(g, gap, first, err);
    for (size_t w = 0; st == RESHED_OK && w < walls; w++) u->of[w] = -1;
    for (size_t w = 0; st == RESHED_OK && w < walls; w++)
        if (there[w] && u->of[first[w]] < 0) u->of[first[w]] = u->n++;
    for (size_t w = 0; st == RESHED_OK && w < walls; w++) { /* first[w] <= w */
        u->of[w] = u->of[first[w]];
        if (u->of[w] >= 0) length[u->of[w]] += g->wall[w].line.length;
    }
    if (st == RESHED_OK && u->n > 0) {
        memcpy(sorted, length, (size_t)u->n * sizeof *sorted);
        rs_sort(sorted, (size_t)u->n);
        for (int i = 0; i < u->n; i++) u->longer[i] = length[i] >= sorted[u->n / 2];
    }
    rs_free(length);
    rs_free(first);
    return st;
}

reshed_status rs_wall_units_find(const rs_wallgraph *g, int families, rs_sequential_kind kind,
                                 const uint8_t *there, rs_wall_units *out, reshed_error *err)
{
    const size_t walls = (size_t)g->walls;
    rs_wall_units u = {.of = rs_alloc(walls, sizeof *u.of), .longer = rs_zalloc(walls, 1)};
    reshed_status st =
        u.of && u.longer ? RESHED_OK : rs_fail_nomem(err, "units", walls * sizeof *u.of);
    if (st == RESHED_OK)
        st = kind == RS_SEQUENTIAL_LENGTHS ? find_lengths(g, there, &u, err)
                                           : find_alternating(g, families, there, &u, err);
    if (st == RESHED_OK)
        *out = u;
    else
        rs_wall_units_clear(&u);
    return st;
}

/* --------------------------------------------------------------------------------------- rounds */

typedef struct member {
    int unit, round, at;
    uint32_t spread; /* where it lies on its unit, the bits turned round */
} member;

static int by_spread(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    if (x->spread != y->spread) return x->spread < y->spread ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int by_round(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->round != y->round) return x->round < y->round ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static uint32_t turned_round(uint32_t v)
{
    uint32_t r = 0;
    for (int b = 0; b < 16; b++) r |= (v >> b & 1) << (15 - b);
    return r;
}

static int by_unit(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Splits the rounds of m [n], in the order of the points: each unit belongs to one of the passes. */
static reshed_status split_rounds(member *m, int n, reshed_error *err)
{
    enum { PASSES = 8 };
    static const int turn[PASSES] = {0, 4, 2, 6, 1, 5, 3, 7};
    int units = 0;
    for (int i = 0; i < n; i++)
        if (m[i].unit >= units) units = m[i].unit + 1;
    int *number = rs_alloc((size_t)units, sizeof *number), met = 0;
    if (!number) return rs_fail_nomem(err, "rounds", (size_t)units * sizeof *number);
    for (int u = 0; u < units; u++) number[u] = -1;
    for (int i = 0; i < n; i++) {
        if (m[i].unit < 0) continue;
        if (number[m[i].unit] < 0) number[m[i].unit] = met++;
        m[i].round = PASSES * m[i].round + turn[number[m[i].unit] % PASSES];
    }
    rs_free(number);
    return RESHED_OK;
}

static int by_place(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

reshed_status rs_sequential_order(rs_sequential_kind kind, const int *unit, int n, int *order,
                                  reshed_error *err)
{
    reshed_status st = RESHED_OK;
    member *m = rs_alloc((size_t)n, sizeof *m);
    if (!m) return rs_fail_nomem(err, "rounds", (size_t)n * sizeof *m);
    for (int i = 0; i < n; i++) m[i] = (member){.unit = unit[i], .at = i};
    if (n > 0) qsort(m, (size_t)n, sizeof *m, by_unit);
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && m[end].unit == m[i].unit; end++) continue;
        for (int k = i; k < end; k++)
            m[k].spread = turned_round((uint32_t)((int64_t)(k - i) * 65536 / (end - i)));
        qsort(m + i, (size_t)(end - i), sizeof *m, by_spread);
        for (int k = i; k < end; k++) m[k].round = m[k].unit < 0 ? INT_MAX : k - i;
    }
    if (n > 0) qsort(m, (size_t)n, sizeof *m, by_place);
    if (kind == RS_SEQUENTIAL_LENGTHS) st = split_rounds(m, n, err);
    if (n > 0) qsort(m, (size_t)n, sizeof *m, by_round);
    for (int i = 0; i < n; i++) order[i] = m[i].at;
    rs_free(m);
    return st;
}

/* ----------------------------------------------------------------------------------------- tests */

/* Twice the rank of each value, ties at their mean; NaN stays. */
static void rank_twice(const double *v, int n, double *rank)
{
    for (int i = 0; i < n; i++) {
        int less = 0, same = 0;
        for (int k = 0; k < n; k++) {
            less += v[k] < v[i];
            same += v[k] == v[i];
        }
        rank[i] = isnan(v[i]) ? v[i] : 2 * less + same + 1;
    }
}

/* Of what the permutation p makes of the values, which it gives other places. */
static double alternation(const double *v, const int *p, int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++) sum += fabs(v[p[i]] - v[p[i - 1]]);
    return sum;
}

/* Of the ranks v, when the lengths are permuted; in standard deviations, as the number of long walls among those
 * that have a rank depends on p. */
static double lengths(const double *v, const uint8_t *longer, const int *p, int n)
{
    double sum = 0, all = 0, count = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(v[i])) continue;
        all++;
        count += longer[p[i]];
        sum += longer[p[i]] ? v[i] : 0;
    }
    const double variance = count * (all - count) * (all + 1) / 3;
    return variance > 0 ? fabs(sum - count * (all + 1)) / sqrt(variance) : 0;
}

/* all[looks][members]: the statistic of each permutation at each look; the first is what was
 * measured. v[looks][n]. */
static void fill(rs_sequential_kind kind, const double *v, const uint8_t *longer, int n, int looks,
                 size_t members, uint64_t seed, int *p, double *all)
{
    rs_random random = {seed};
    for (int i = 0; i < n; i++) p[i] = i;
    for (size_t m = 0; m < members; m++) {
        for (int k = 0; k < looks; k++) {
            const double *at = v + (size_t)k * (size_t)n;
            all[(size_t)k * members + m] = kind == RS_SEQUENTIAL_ALTERNATION
                                               ? alternation(at, p, n)
                                               : lengths(at, longer, p, n);
        }
        for (int i = n - 1; i > 0; i--) {
            const int k = (int)rs_random_below(&random, (uint64_t)i + 1), keep = p[i];
            p[i] = p[k];
            p[k] = keep;
        }
    }
}

/* Lets as many members cross at this look as may be, those with the largest values; ties do not.
 * Returns true when the first one does. */
static bool cross(const double *now, size_t members, size_t may, size_t *crossed, uint8_t *gone,
                  double *scratch)
{
    size_t left = 0;
    for (size_t m = 0; m < members; m++)
        if (!gone[m]) scratch[left++] = now[m];
    if (may <= *crossed || left == 0) return false;
    const size_t room = may - *crossed;
    rs_sort(scratch, left);
    const double bound = room < left ? scratch[left - 1 - room] : -INFINITY;
    for (size_t m = 0; m < members; m++) {
        if (gone[m] || !(now[m] > bound + 1e-12 * fabs(bound))) continue;
        gone[m] = 1;
        ++*crossed;
    }
    return gone[0] != 0;
}

static reshed_status check(rs_sequential_kind kind, const double *value, const double *share, int n,
                           int looks, double error, int permutations, reshed_error *err)
{
    if (n < 2 || looks < 1 || permutations < 1 || !(error > 0 && error < 1))
        return rs_fail(err, RESHED_EINVAL,
                       "sequential test|2 walls, a look, a permutation, an error below 1|%d, %d, "
                       "%d, %g",
                       n, looks, permutations, error);
    for (int k = 0; k < looks; k++)
        if (!(share[k] >= (k ? share[k - 1] : 0) && share[k] <= 1))
            return rs_fail(err, RESHED_EINVAL, "share of look %d|rising, at most 1|%g", k + 1,
                           share[k]);
    for (size_t i = 0; i < (size_t)n * (size_t)looks; i++)
        if (!isfinite(value[i]) && !(kind == RS_SEQUENTIAL_LENGTHS && isnan(value[i])))
            return rs_fail(err, RESHED_EINVAL, "value of a wall|a number|%g", value[i]);
    return RESHED_OK;
}

reshed_status rs_sequential_test(rs_sequential_kind kind, const double *value,
                                 const uint8_t *longer, const double *share, int n, int looks,
                                 double error, int permutations, uint64_t seed, rs_sequential *out,
                                 reshed_error *err)
{
    reshed_status st = check(kind, value, share, n, looks, error, permutations, err);
    if (st != RESHED_OK) return st;
    const size_t members = (size_t)permutations + 1, cells = (size_t)n * (size_t)looks;
    rs_sequential r = {.found = -1};
    size_t crossed = 0, larger = 0, sizes;
    double *all = rs_mul(members, (size_t)looks + 1, &sizes) ? rs_alloc(sizes, sizeof *all) : NULL;
    double *v = rs_alloc(cells, sizeof *v);
    int *p = rs_alloc((size_t)n, sizeof *p);
    uint8_t *gone = rs_zalloc(members, 1);
    if (!all || !v || !p || !gone) {
        st = rs_fail_nomem(err, "permutations", members * (size_t)looks * sizeof *all);
        goto done;
    }
    for (int k = 0; k < looks; k++) {
        const size_t at = (size_t)k * (size_t)n;
        if (kind == RS_SEQUENTIAL_LENGTHS)
            rank_twice(value + at, n, v + at);
        else
            memcpy(v + at, value + at, (size_t)n * sizeof *v);
    }
    fill(kind, v, longer, n, looks, members, seed, p, all);
    const double *last = all + (size_t)(looks - 1) * members;
    for (size_t m = 0; m < members; m++) larger += last[m] >= last[0] - 1e-12 * fabs(last[0]);
    for (int k = 0; k < looks && r.found < 0; k++) {
        r.level = error * share[k];
        if (cross(all + (size_t)k * members, members,
                  (size_t)floor(r.level * (double)members + 1e-9), &crossed, gone,
                  all + (size_t)looks * members))
            r.found = k;
    }
    r.p = (double)larger / (double)members;
    *out = r;
done:
    rs_free(gone);
    rs_free(p);
    rs_free(v);
    rs_free(all);
    return st;
}
