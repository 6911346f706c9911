#include "beps/sho_bank.h"

#include <math.h>

#include "base/alloc.h"

#define REACH 3.0 /* linewidths on each side: 89 % of a line's power */
#define STEP 1.0  /* linewidths between templates: at worst 80 % of the power is still matched */

typedef struct range {
    double lo, hi;
} range;

/* The number of bins below x. */
static int below(const double *u, int bins, double x)
{
    int lo = 0, hi = bins;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (u[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The bins within reach of u0, at least the two around it. */
static void cover(const double *u, int bins, double u0, double c, int *first, int *n)
{
    int above = below(u, bins, u0);
    if (above < 1) above = 1;
    if (above > bins - 1) above = bins - 1;
    int a = below(u, bins, u0 - REACH * c), b = below(u, bins, u0 + REACH * c);
    if (a > above - 1) a = above - 1;
    if (b < above + 1) b = above + 1;
    *first = a;
    *n = b - a;
}

/* The level's positions: STEP linewidths apart, ends included, but not finer than a quarter bin. */
static int positions(range where, double c, int bins)
{
    return (int)fmin(ceil((where.hi - where.lo) / (STEP * c)) + 1, 4 * bins);
}

static void fill(const double *u, const rs_sho_template *t, float *values)
{
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < t->bins; k++) {
            double x = u[t->first + k];
            double er = (x - 1) * (x + 1) - t->d, ei = -t->c * x, g = 1 / (er * er + ei * ei);
            double scale = pass ? g / sqrt(sum) : 0;
            sum += pass ? 0 : g;
            values[2 * k] = (float)(er * scale);
            values[2 * k + 1] = (float)(-ei * scale);
        }
}

reshed_status rs_sho_bank_init(rs_sho_bank *bank, const double *u, int bins, double u_min,
                               double u_max, double c_min, double c_max, reshed_error *err)
{
    double band = u[bins - 1] - u[0];
    range where = {fmin(fmax(u_min, u[0]), u[bins - 1]), fmax(fmin(u_max, u[bins - 1]), u[0])};
    /* Wider than the band is a slope to every template, narrower than half a bin is one bin. */
    range width = {fmax(c_min, 0.5 * band / (bins - 1)), fmin(c_max, 2 * band)};
    width.lo = fmin(width.lo, c_max), width.hi = fmax(width.hi, width.lo);
    int levels = (int)ceil(log2(width.hi / width.lo)) + 1;
    double ratio = levels > 1 ? pow(width.lo / width.hi, 1.0 / (levels - 1)) : 1;

    *bank = (rs_sho_bank){0};
    double c = width.hi;
    for (int j = 0; j < levels; j++, c *= ratio) bank->n += positions(where, c, bins);
    bank->t = rs_alloc((size_t)bank->n, sizeof *bank->t);
    if (!bank->t) goto nomem;
    c = width.hi;
    for (int j = 0, i = 0; j < levels; j++, c *= ratio) {
        int n = positions(where, c, bins);
        for (int p = 0; p < n; p++, i++) {
            double u0 = n > 1 ? where.lo + (where.hi - where.lo) * p / (n - 1) : where.lo;
            rs_sho_template *t = &bank->t[i];
            *t = (rs_sho_template){.d = (u0 - 1) * (u0 + 1), .c = c, .at = bank->n_values};
            cover(u, bins, u0, c, &t->first, &t->bins);
            bank->n_values += 2 * (size_t)t->bins;
        }
    }
    bank->values = rs_alloc(bank->n_values, sizeof *bank->values);
    if (!bank->values) goto nomem;
    for (int i = 0; i < bank->n; i++) fill(u, &bank->t[i], bank->values + bank->t[i].at);
    return RESHED_OK;

nomem:
    rs_sho_bank_clear(bank);
    return rs_fail_nomem(err, "the SHO templates", bank->n_values * sizeof(float));
}

void rs_sho_bank_clear(rs_sho_bank *bank)
{
    rs_free(bank->t);
    rs_free(bank->values);
    *bank = (rs_sho_bank){0};
}

void rs_sho_bank_match(const rs_sho_bank *bank, const float *y, int best[RS_SHO_LANES])
{
    _Alignas(64) float power[RS_SHO_LANES];
    float most[RS_SHO_LANES];
    for (int l = 0; l < RS_SHO_LANES; l++) best[l] = 0, most[l] = -1;
    for (int i = 0; i < bank->n; i++) {
        const rs_sho_template *t = &bank->t[i];
        rs_sho_match(t->bins, bank->values + t->at, y + (size_t)t->first * 2 * RS_SHO_LANES, power);
        for (int l = 0; l < RS_SHO_LANES; l++)
            if (power[l] > most[l]) most[l] = power[l], best[l] = i;
    }
}
