#include "beps/sho_guess.h"

#include <math.h>

#include "base/numeric.h"

#define PAIR_BINS 5 /* bins of largest modulus that form pairs */
#define CONJUGATION_SAMPLE 100

/* A spectrum of either precision. */
typedef struct view {
    const float *f32; /* one of the two is NULL */
    const double *f64;
} view;

static inline double re(view y, int k)
{
    return y.f32 ? (double)y.f32[2 * k] : y.f64[2 * k];
}
static inline double im(view y, int k)
{
    return y.f32 ? (double)y.f32[2 * k + 1] : y.f64[2 * k + 1];
}
static inline bool usable(view y, int k)
{
    return isfinite(re(y, k)) && isfinite(im(y, k));
}

/* H (w^2 + i c w - d) = -(a + i b), so c = -w0/Q and a + i b = -A w0^2 e^{i phi}: four real numbers
 * that two complex samples determine by linear equations. */
typedef struct pair_fit {
    double a, b, c, d;
    double e; /* sum |H - y|^2 over the bins */
} pair_fit;

static double squared_error(const pair_fit *f, const double *w, view y, int n)
{
    double e = 0;
    for (int k = 0; k < n; k++) {
        if (!usable(y, k)) continue;
        double dr = w[k] * w[k] - f->d, di = f->c * w[k], g = 1 / (dr * dr + di * di);
        double er = -(f->a * dr + f->b * di) * g - re(y, k);
        double ei = -(f->b * dr - f->a * di) * g - im(y, k);
        e += er * er + ei * ei;
    }
    return e;
}

static bool solve_pair(const double *w, view y, int k1, int k2, pair_fit *f)
{
    double w1 = w[k1], w2 = w[k2], x1 = re(y, k1), x2 = re(y, k2), y1 = im(y, k1), y2 = im(y, k2);
    double m1 = x1 * x1 + y1 * y1, m2 = x2 * x2 + y2 * y2, dot = x1 * x2 + y1 * y2;
    double det = w1 * (m1 - dot) + w2 * (m2 - dot);
    double diff = (w1 - w2) * (w1 + w2);
    if (!(det > 0)) return false;
    f->a = diff * (w1 * x2 * m1 - w2 * x1 * m2) / det;
    f->b = diff * (w1 * y2 * m1 - w2 * y1 * m2) / det;
    f->c = diff * (x2 * y1 - x1 * y2) / det;
    f->d = (w1 * w1 * w1 * m1 - w1 * w2 * (w1 + w2) * dot + w2 * w2 * w2 * m2) / det;
    return f->d > 0 && isfinite(f->a + f->b + f->c + f->d);
}

/* The usable bins of largest modulus, largest first; their number. */
static int largest_bins(view y, int n, int top[PAIR_BINS])
{
    double size[PAIR_BINS];
    int have = 0;
    for (int k = 0; k < n; k++) {
        if (!usable(y, k)) continue;
        double m = hypot(re(y, k), im(y, k));
        int at = have;
        while (at > 0 && size[at - 1] < m) at--;
        if (at == PAIR_BINS) continue;
        if (have < PAIR_BINS) have++;
        for (int j = have - 1; j > at; j--) size[j] = size[j - 1], top[j] = top[j - 1];
        size[at] = m, top[at] = k;
    }
    return have;
}

/* Returns whether the spread of |y| is at least 1.2 times that of |y - H|. */
static bool explains(const pair_fit *f, const double *w, view y, int n)
{
    double s = 0, ss = 0, r = 0, rr = 0, count = 0;
    for (int k = 0; k < n; k++) {
        if (!usable(y, k)) continue;
        double dr = w[k] * w[k] - f->d, di = f->c * w[k], g = 1 / (dr * dr + di * di);
        double er = re(y, k) + (f->a * dr + f->b * di) * g;
        double ei = im(y, k) + (f->b * dr - f->a * di) * g;
        double m = hypot(re(y, k), im(y, k)), mr = hypot(er, ei);
        s += m, ss += m * m, r += mr, rr += mr * mr, count++;
    }
    double spread = sqrt(fmax(ss / count - s / count * (s / count), 0));
    double left = sqrt(fmax(rr / count - r / count * (r / count), 0));
    return spread >= 1.2 * left;
}

static rs_sho fast_guess(const double *w, view y, int n)
{
    double sum = 0;
    int count = 0;
    for (int k = 0; k < n; k++)
        if (usable(y, k)) sum += hypot(re(y, k), im(y, k)), count++;
    bool mid = usable(y, n / 2);
    return (rs_sho){count ? sum / count / 200 : 0, w[n / 2], 200,
                    mid ? atan2(im(y, n / 2), re(y, n / 2)) : 0};
}

static rs_sho to_parameters(const pair_fit *f)
{
    double w0 = sqrt(f->d);
    return (rs_sho){hypot(f->a, f->b) / f->d, w0, -w0 / f->c, rs_wrap_angle(atan2(-f->b, -f->a))};
}

static bool guess(const double *w, view y, int n, rs_sho *p)
{
    int top[PAIR_BINS], have = largest_bins(y, n, top), pairs = 0;
    pair_fit fit[PAIR_BINS * (PAIR_BINS - 1) / 2], mean = {0};
    double power = 0, least = INFINITY, sum = 0;
    *p = fast_guess(w, y, n);
    for (int i = 0; i < have; i++)
        power += re(y, top[i]) * re(y, top[i]) + im(y, top[i]) * im(y, top[i]);
    for (int i = 0; i < have; i++)
        for (int j = i + 1; j < have; j++) {
            pair_fit *f = &fit[pairs];
            if (!solve_pair(w, y, top[i], top[j], f)) continue;
            /* An exact pair would have infinite weight: rounding is the least error there is. */
            f->e = fmax(squared_error(f, w, y, n), 1e-30 * power);
            if (!isfinite(f->e)) continue;
            least = fmin(least, f->e);
            pairs++;
        }
    if (pairs == 0) return false;
    for (int i = 0; i < pairs; i++) {
        double q = least / fit[i].e, weight = q * q * q * q;
        mean.a += weight * fit[i].a, mean.b += weight * fit[i].b;
        mean.c += weight * fit[i].c, mean.d += weight * fit[i].d;
        sum += weight;
    }
    mean.a /= sum, mean.b /= sum, mean.c /= sum, mean.d /= sum;
    rs_sho best = to_parameters(&mean);
    if (!(best.frequency >= w[0] && best.frequency <= w[n - 1]) || !isfinite(best.q)) return false;
    if (!explains(&mean, w, y, n)) return false;
    *p = best;
    return true;
}

bool rs_sho_guess(const double *frequency, const double *spectrum, int n, rs_sho *p)
{
    return guess(frequency, (view){.f64 = spectrum}, n, p);
}

static bool conjugated(const double *w, const float *f32, const double *f64, int64_t n_spectra,
                       int n, int *votes)
{
    int64_t sample = n_spectra < CONJUGATION_SAMPLE ? n_spectra : CONJUGATION_SAMPLE;
    int negative = 0, usable_guesses = 0;
    for (int64_t i = 0; i < sample; i++) {
        size_t at = (size_t)(i * (n_spectra / sample)) * 2 * (size_t)n;
        view y = {f32 ? f32 + at : NULL, f64 ? f64 + at : NULL};
        rs_sho p;
        if (!guess(w, y, n, &p)) continue;
        usable_guesses++;
        if (p.q < 0) negative++;
    }
    if (votes) *votes = usable_guesses;
    return 2 * negative > usable_guesses;
}

bool rs_sho_conjugated_f32(const double *frequency, const float *spectra, int64_t n_spectra, int n,
                           int *votes)
{
    return conjugated(frequency, spectra, NULL, n_spectra, n, votes);
}

bool rs_sho_conjugated_f64(const double *frequency, const double *spectra, int64_t n_spectra, int n,
                           int *votes)
{
    return conjugated(frequency, NULL, spectra, n_spectra, n, votes);
}
