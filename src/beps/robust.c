#include "beps/robust.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Loops have tens of samples: insertion sort beats qsort's calls there. */
void rs_sort(double *x, size_t n)
{
    if (n > 64) {
        qsort(x, n, sizeof *x, by_value);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        double v = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
}

static size_t keep_finite(const double *x, size_t n, double *out)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) out[k++] = x[i];
    return k;
}

double rs_quantile(const double *x, size_t n, double p, double *scratch)
{
    size_t k = keep_finite(x, n, scratch);
    if (k == 0) return NAN;
    rs_sort(scratch, k);
    double at = p * (double)(k - 1);
    size_t i = (size_t)at;
    if (i + 1 >= k) return scratch[k - 1];
    return scratch[i] + (at - (double)i) * (scratch[i + 1] - scratch[i]);
}

double rs_median(const double *x, size_t n, double *scratch)
{
    return rs_quantile(x, n, 0.5, scratch);
}

double rs_mad(const double *x, size_t n, double centre, double *scratch)
{
    size_t k = keep_finite(x, n, scratch);
    for (size_t i = 0; i < k; i++) scratch[i] = fabs(scratch[i] - centre);
    if (k == 0) return NAN;
    rs_sort(scratch, k);
    double m = k % 2 ? scratch[k / 2] : (scratch[k / 2 - 1] + scratch[k / 2]) / 2;
    return 1.4826022185056018 * m;
}

rs_rng rs_rng_make(uint64_t seed, uint64_t key)
{
    rs_rng r = {seed};
    r.state = rs_rng_next(&r) ^ key * 0xd1342543de82ef95u;
    r.state = rs_rng_next(&r);
    return r;
}

uint64_t rs_rng_next(rs_rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t rs_rng_below(rs_rng *r, uint64_t n)
{
    return rs_rng_next(r) % n;
}
