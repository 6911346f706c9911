/* Permutation tests. Each asks how often chance alone, by relabelling the walls, does as well as
 * the data; a p from random permutations counts the data itself as one of them, so that it is never
 * zero and the test holds its level for any number of permutations.
 *
 * Ranks are kept doubled: the mean rank of a tie is then a whole number, sums of ranks are exact,
 * and "at least as extreme" is a comparison of integers. */
#include "imgproc/walls/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "base/statistics.h"

#define RS_Z95 1.959963984540054 /* of the normal distribution, for 95 % */

static reshed_status check_finite(const double *v, int n, const char *what, reshed_error *err)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return rs_fail(err, RESHED_EINVAL, "%s|finite values|%g|value %d", what, v[i], i);
    return RESHED_OK;
}

static reshed_status check_permutations(int permutations, reshed_error *err)
{
    if (permutations >= 1) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "number of permutations|at least 1|%d", permutations);
}

/* -------------------------------------------------------------------------------------- by wall */

static void summarise(double *v, size_t n, rs_wall_summary *out)
{
    double sum = 0, squares = 0;
    rs_sort(v, n);
    for (size_t i = 0; i < n; i++) sum += v[i];
    out->n = (int)n;
    out->mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (v[i] - out->mean) * (v[i] - out->mean);
    out->sd = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
    out->sem = out->sd / sqrt((double)n);
    out->median = rs_sorted_quantile(v, n, 0.5);
    out->min = v[0];
    out->max = v[n - 1];
}

reshed_status rs_stats_by_wall(const int *wall, const double *value, size_t n, int walls,
                               rs_wall_summary *out, int *count, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    size_t slots = walls > 0 ? (size_t)walls : 0;
    size_t *start = rs_zalloc(slots + 1, sizeof *start); /* where each wall's values begin */
    double *sorted = rs_alloc(n, sizeof *sorted);
    int filled = 0;
    if (!start || !sorted) {
        st = rs_fail_nomem(err, "values by wall", (slots + 1) * sizeof *start + n * sizeof *sorted);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        if (wall[i] >= walls) {
            st = rs_fail(err, RESHED_EINVAL, "wall of a value|below %d|%d|value %zu", walls,
                         wall[i], i);
            goto done;
        }
        if (wall[i] >= 0 && isfinite(value[i])) start[wall[i] + 1]++;
    }
    for (size_t w = 0; w < slots; w++) start[w + 1] += start[w];
    for (size_t i = 0; i < n; i++)
        if (wall[i] >= 0 && isfinite(value[i])) sorted[start[wall[i]]++] = value[i];
    /* start[w] has moved to where wall w ends. */
    for (size_t w = 0; w < slots; w++) {
        size_t from = w ? start[w - 1] : 0;
        if (start[w] == from) continue;
        out[filled].wall = (int)w;
        summarise(sorted + from, start[w] - from, &out[filled++]);
    }
    *count = filled;
done:
    rs_free(sorted);
    rs_free(start);
    return st;
}

/* ---------------------------------------------------------------------------------- alternation */

static double even_minus_odd(const double *v, int n)
{
    double sum[2] = {0, 0};
    for (int i = 0; i < n; i++) sum[i % 2] += v[i];
    return sum[0] / ((n + 1) / 2) - sum[1] / (n / 2);
}

static double mean_step(const double *v, int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++) sum += fabs(v[i] - v[i - 1]);
    return sum / (n - 1);
}

/* Student's t of `df` >= 5 degrees of freedom for 95 %, to 1e-3: Cornish and Fisher's expansion. */
static double student_95(double df)
{
    const double z = RS_Z95, z2 = z * z, inverse = 1 / df;
    const double first = z * (z2 + 1) / 4, second = z * ((5 * z2 + 16) * z2 + 3) / 96;
    const double third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    return z + inverse * (first + inverse * (second + inverse * third));
}

/* Mean |v[i] - v[j]| of all pairs, which is what neighbours have in any order, and the confidence
 * interval of what neighbours differ by beyond it. The steps of a series depend on their neighbours:
 * the variance of their mean is that of steps freed of what their two walls have on average, with
 * the covariance of neighbours, and not below three quarters of it without. m - 5 for m is what makes
 * it cover: simulated series of 10 to 40 walls, with and without alternation or walls missed, are
 * covered in 92 to 98 of 100 (tests/imgproc/walls/test_walls_stats.c). own[2n] is scratch. */
static void step_interval(const double *v, int n, double *own, rs_alternation *a)
{
    double *far = own, *step = own + n, all = 0, mean = 0, square = 0, next = 0;
    const int m = n - 1;
    for (int i = 0; i < n; i++) far[i] = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) far[i] += fabs(v[i] - v[j]) / (n - 1);
    for (int i = 0; i < n; i++) all += far[i] / n;
    for (int i = 0; i < m; i++) {
        step[i] = fabs(v[i + 1] - v[i]) - far[i] - far[i + 1];
        mean += step[i] / m;
    }
    for (int i = 0; i < m; i++) {
        square += (step[i] - mean) * (step[i] - mean);
        if (i) next += 2 * (step[i] - mean) * (step[i - 1] - mean);
    }
    const double error = sqrt(fmax(square + next, 0.75 * square) / ((double)m * (m - 5)));
    a->chance = all;
    a->lo = a->successive - all - student_95(m - 1) * error;
    a->hi = a->successive - all + student_95(m - 1) * error;
}

static void shuffle(double *v, int n, rs_random *random)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)rs_random_below(random, (uint64_t)i + 1);
        double swap = v[i];
        v[i] = v[j];
        v[j] = swap;
    }
}

reshed_status rs_alternation_test(const double *value, int n, int permutations, uint64_t seed,
                                  rs_alternation *out, reshed_error *err)
{
    if (n < RS_ALTERNATION_MIN_WALLS)
        return rs_fail(err, RESHED_EINVAL, "walls for an alternation test|at least %d|%d",
                       RS_ALTERNATION_MIN_WALLS, n);
    reshed_status st = check_permutations(permutations, err);
    if (st == RESHED_OK) st = check_finite(value, n, "value of a wall", err);
    if (st != RESHED_OK) return st;
    double *v = rs_alloc((size_t)n, 3 * sizeof *v);
    if (!v) return rs_fail_nomem(err, "permuted walls", (size_t)n * 3 * sizeof *v);

    double mean = 0, size = 0, own = 0, next = 0;
    bool varies = false;
    for (int i = 0; i < n; i++) {
        mean += value[i] / n;
        varies |= value[i] != value[0];
    }
    /* Deviations from the mean lose less in the sums of the permutations. */
    for (int i = 0; i < n; i++) v[i] = value[i] - mean;
    for (int i = 0; i < n; i++) {
        own += v[i] * v[i];
        size = fmax(size, fabs(v[i]));
        if (i) next += v[i] * v[i - 1];
    }
    rs_alternation a = {.walls = n,
                        .autocorrelation = varies ? next / own : NAN,
                        .least = 1 / (permutations + 1.0)};
    a.difference = even_minus_odd(v, n);
    a.successive = mean_step(v, n);
    step_interval(v, n, v + n, &a);
    /* Sums of the same numbers in another order differ by rounding, and are as extreme. */
    double slack = size * n * 1e-14;
    rs_random random = {seed};
    long extreme = 1, extreme_step = 1;
    for (int k = 0; k < permutations; k++) {
        shuffle(v, n, &random);
        extreme += fabs(even_minus_odd(v, n)) >= fabs(a.difference) - slack;
        extreme_step += mean_step(v, n) >= a.successive - slack;
    }
    a.p = (double)extreme / (permutations + 1.0);
    a.p_successive = (double)extreme_step / (permutations + 1.0);
    *out = a;
    rs_free(v);
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- ranks */

typedef struct ranked {
    double value;
    int index;
} ranked;

static int by_ranked_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* rank2[i]: twice the rank (from 1) of v[i], ties at their mean. order[n] is scratch. Returns the
 * sum of t^3 - t over the ties of t values each. */
static double rank_twice(const double *v, int n, ranked *order, int *rank2)
{
    double ties = 0;
    for (int i = 0; i < n; i++) order[i] = (ranked){v[i], i};
    qsort(order, (size_t)n, sizeof *order, by_ranked_value);
    for (int from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && order[to].value == order[from].value;) to++;
        for (int i = from; i < to; i++) rank2[order[i].index] = from + 1 + to;
        double t = to - from;
        ties += t * t * t - t;
    }
    return ties;
}

/* ways[k][s] becomes the number of choices of k of the ranks with doubled sum s. ways is
 * [na+1, n*(n+1)+1], zeroed. Counts stay below C(60,30) = 1.2e17: as doubles they are exact to 1
 * part in 2^53. */
static void count_rank_sums(const int *rank2, int n, int na, double *ways)
{
    const int top = n * (n + 1), width = top + 1;
    ways[0] = 1;
    for (int i = 0; i < n; i++)
        for (int k = i < na ? i + 1 : na; k >= 1; k--) {
            double *with = ways + (size_t)k * (size_t)width;
            const double *without = with - width;
            for (int s = top; s >= rank2[i]; s--) with[s] += without[s - rank2[i]];
        }
}

/* The chance that na of the n ranks have a sum at least as far from its expectation as `sum2`. */
static double exact_rank_sum_p(const int *rank2, int n, int na, int sum2, double *ways)
{
    int top = n * (n + 1), width = top + 1, expected = na * (n + 1);
    double all = 0, extreme = 0;
    count_rank_sums(rank2, n, na, ways);
    const double *last = ways + (size_t)na * (size_t)width;
    for (int s = 0; s <= top; s++) {
        all += last[s];
        if (abs(s - expected) >= abs(sum2 - expected)) extreme += last[s];
    }
    return extreme / all;
}

static double normal_rank_sum_p(double u, double na, double nb, double ties)
{
    double n = na + nb, mean = na * nb / 2;
    double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
    double away = fabs(u - mean) - 0.5;
    if (!(variance > 0) || away <= 0) return 1;
    return erfc(away / sqrt(2 * variance));
}

/* Both groups apart, one way or the other: two of all choices of na from na + nb values. */
static double least_rank_p(int na, int nb)
{
    const int few = na < nb ? na : nb;
    double choices = 1;
    for (int k = 1; k <= few && choices < 1e15; k++) choices = choices * (na + nb - few + k) / k;
    return 2 / choices;
}

/* The largest sum U that chance does not exceed from below in more than 2.5 % (without ties), so that
 * the differences of rank U + 1 from either end bound the shift; -1: none. Exact for few values;
 * ways is as in exact_rank_sum_p and filled already with the ties' counts, so it is made anew. */
static long interval_rank(int na, int nb, int exact, double *ways, const int *plain2)
{
    const double pairs = (double)na * nb;
    if (!exact) return (long)floor(pairs / 2 - RS_Z95 * sqrt(pairs * (na + nb + 1.0) / 12) - 0.5);
    const int n = na + nb, width = n * (n + 1) + 1;
    memset(ways, 0, ((size_t)na + 1) * (size_t)width * sizeof *ways);
    count_rank_sums(plain2, n, na, ways);
    const double *last = ways + (size_t)na * (size_t)width;
    double all = 0, below = 0;
    for (int s = 0; s < width; s++) all += last[s];
    for (long u = 0; u <= (long)na * nb; u++) {
        below += last[2 * u + (long)na * (na + 1)];
        if (below > 0.025 * all) return u - 1;
    }
    return -1;
}

/* Medians of both groups and of all differences between them, whose ranks `from` + 1 from either end
 * bound the shift. */
static reshed_status compare_medians(const double *a, int na, const double *b, int nb, long from,
                                     rs_rank_test *t, reshed_error *err)
{
    size_t pairs = (size_t)na * (size_t)nb, most = (size_t)(na > nb ? na : nb);
    if (most > pairs) pairs = most;
    double *v = rs_alloc(pairs, sizeof *v);
    if (!v) return rs_fail_nomem(err, "differences between walls", pairs * sizeof *v);
    for (int g = 0; g < 2; g++) {
        const double *group = g ? b : a;
        memcpy(v, group, (size_t)t->n[g] * sizeof *v);
        rs_sort(v, (size_t)t->n[g]);
        t->median[g] = rs_sorted_quantile(v, (size_t)t->n[g], 0.5);
    }
    size_t k = 0;
    for (int i = 0; i < na; i++)
        for (int j = 0; j < nb; j++) v[k++] = a[i] - b[j];
    rs_sort(v, k);
    t->shift = rs_sorted_quantile(v, k, 0.5);
    t->lo = from >= 0 ? v[from] : NAN;
    t->hi = from >= 0 ? v[k - 1 - (size_t)from] : NAN;
    rs_free(v);
    return RESHED_OK;
}

reshed_status rs_rank_sum_test(const double *a, int na, const double *b, int nb, rs_rank_test *out,
                               reshed_error *err)
{
    if (na < 1 || nb < 1 || na > INT32_MAX / 2 - nb)
        return rs_fail(err, RESHED_EINVAL, "groups of a rank test|at least one wall in each|%d, %d",
                       na, nb);
    reshed_status st = check_finite(a, na, "value of a wall in the first group", err);
    if (st == RESHED_OK) st = check_finite(b, nb, "value of a wall in the second group", err);
    if (st != RESHED_OK) return st;
    int n = na + nb;
    size_t size = (size_t)n;
    rs_rank_test t = {
        .n = {na, nb}, .exact = n <= RS_RANK_EXACT_MAX, .least = least_rank_p(na, nb)};
    double *all = rs_alloc(size, sizeof *all), *ways = NULL;
    ranked *order = rs_alloc(size, sizeof *order);
    int *rank2 = rs_alloc(size, sizeof *rank2);
    if (!all || !order || !rank2) {
        st = rs_fail_nomem(err, "ranks", size * (sizeof *all + sizeof *order + sizeof *rank2));
        goto done;
    }
    memcpy(all, a, (size_t)na * sizeof *a);
    memcpy(all + na, b, (size_t)nb * sizeof *b);
    double ties = rank_twice(all, n, order, rank2);
    double sum2 = 0;
    for (int i = 0; i < na; i++) sum2 += rank2[i];
    t.u = sum2 / 2 - (double)na * (na + 1.0) / 2;
    t.effect = t.u / ((double)na * nb);
    if (t.exact) {
        size_t cells = ((size_t)na + 1) * ((size_t)n * ((size_t)n + 1) + 1);
        ways = rs_zalloc(cells, sizeof *ways);
        if (!ways) {
            st = rs_fail_nomem(err, "rank sums", cells * sizeof *ways);
            goto done;
        }
        t.p = exact_rank_sum_p(rank2, n, na, (int)sum2, ways);
    } else {
        t.p = normal_rank_sum_p(t.u, na, nb, ties);
    }
    for (int i = 0; i < n; i++) rank2[i] = 2 * (i + 1); /* without ties */
    st = compare_medians(a, na, b, nb, interval_rank(na, nb, t.exact, ways, rank2), &t, err);
    if (st == RESHED_OK) *out = t;
done:
    rs_free(ways);
    rs_free(rank2);
    rs_free(order);
    rs_free(all);
    return st;
}

/* ---------------------------------------------------------------------------------------- trend */

#define EXACT_TREND_MAX 8

/* Sum of products of the ranks' deviations, four times over. */
static int64_t rank_product(const int *x2, const int *y2, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) sum += (int64_t)(x2[i] - n - 1) * (y2[i] - n - 1);
    return sum;
}

static void swap_ints(int *a, int *b)
{
    int keep = *a;
    *a = *b;
    *b = keep;
}

/* The share of all orders of y2 (Heap's algorithm) that are as extreme as seen. */
static double exact_trend_p(const int *x2, int *y2, int n, int64_t seen)
{
    int turn[EXACT_TREND_MAX] = {0};
    long orders = 1, extreme = 1; /* the order given is one of them */
    for (int i = 1; i < n;) {
        if (turn[i] >= i) {
            turn[i++] = 0;
            continue;
        }
        swap_ints(&y2[i % 2 ? turn[i] : 0], &y2[i]);
        turn[i]++;
        i = 1;
        orders++;
        extreme += llabs(rank_product(x2, y2, n)) >= llabs(seen);
    }
    return (double)extreme / (double)orders;
}

static double random_trend_p(const int *x2, int *y2, int n, int64_t seen, int permutations,
                             uint64_t seed)
{
    rs_random random = {seed};
    long extreme = 1;
    for (int k = 0; k < permutations; k++) {
        for (int i = n - 1; i > 0; i--)
            swap_ints(&y2[i], &y2[rs_random_below(&random, (uint64_t)i + 1)]);
        extreme += llabs(rank_product(x2, y2, n)) >= llabs(seen);
    }
    return (double)extreme / (permutations + 1.0);
}

/* Fisher's transformation, with the error that Bonett and Wright (Psychometrika 65 (2000) 23) give
 * for ranks. At +-1 the interval is that one point. */
static void correlation_interval(rs_trend *t)
{
    if (t->n < 5) return;
    const double rho = fmin(fmax(t->rho, -1), 1);
    const double away = RS_Z95 * sqrt((1 + rho * rho / 2) / (t->n - 3));
    t->lo = fabs(rho) < 1 ? tanh(atanh(rho) - away) : rho;
    t->hi = fabs(rho) < 1 ? tanh(atanh(rho) + away) : rho;
}

reshed_status rs_trend_test(const double *x, const double *y, int n, int permutations,
                            uint64_t seed, rs_trend *out, reshed_error *err)
{
    /* Beyond 10^6 walls the sum of products would leave 64 bits. */
    if (n < 3 || n > 1000000)
        return rs_fail(err, RESHED_EINVAL, "walls for a trend|3 to 1000000|%d", n);
    reshed_status st = check_permutations(permutations, err);
    if (st == RESHED_OK) st = check_finite(x, n, "distance of a wall", err);
    if (st == RESHED_OK) st = check_finite(y, n, "value of a wall", err);
    if (st != RESHED_OK) return st;
    size_t size = (size_t)n;
    rs_trend t = {.n = n, .rho = NAN, .p = NAN, .lo = NAN, .hi = NAN};
    t.exact = n <= EXACT_TREND_MAX;
    t.least = t.exact ? 2 / tgamma(n + 1.0) : 1 / (permutations + 1.0); /* 2 of n! orders */
    ranked *order = rs_alloc(size, sizeof *order);
    int *x2 = rs_alloc(size, 2 * sizeof *x2);
    if (!order || !x2) {
        st = rs_fail_nomem(err, "ranks", size * (sizeof *order + 2 * sizeof *x2));
        goto done;
    }
    int *y2 = x2 + n;
    rank_twice(x, n, order, x2);
    rank_twice(y, n, order, y2);
    double xx = (double)rank_product(x2, x2, n), yy = (double)rank_product(y2, y2, n);
    if (xx > 0 && yy > 0) {
        int64_t seen = rank_product(x2, y2, n);
        t.rho = (double)seen / (sqrt(xx) * sqrt(yy));
        correlation_interval(&t);
        t.p = t.exact ? exact_trend_p(x2, y2, n, seen)
                      : random_trend_p(x2, y2, n, seen, permutations, seed);
    }
    *out = t;
done:
    rs_free(x2);
    rs_free(order);
    return st;
}
