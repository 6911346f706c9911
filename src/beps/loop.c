#include "beps/loop.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/phase.h"
#include "base/numeric.h"
#include "base/statistics.h"

/* ------------------------------------------------------------------------------------- branches */
/* Walks from sample `from` to sample `to` (cyclic, forward in time) and writes the samples met,
 * both ends included; returns their number, or -1 when the voltage turns back on the way. */
static int walk(const double *v, int n, int from, int to, int direction, int *list)
{
    int k = 0, i = from;
    for (;; i = (i + 1) % n) {
        if (k > 0 && direction * (v[i] - v[list[k - 1]]) < 0) return -1;
        list[k++] = i;
        if (i == to || k == n) return k;
    }
}

static void reverse(int *x, int n)
{
    for (int i = 0, j = n - 1; i < j; i++, j--) {
        int t = x[i];
        x[i] = x[j];
        x[j] = t;
    }
}

static reshed_status cut_branches(rs_sweep *s, reshed_error *err)
{
    for (int i = 1; i < s->n; i++) {
        if (s->v[i] > s->v[s->top]) s->top = i;
        if (s->v[i] < s->v[s->bottom]) s->bottom = i;
    }
    s->v_max = s->v[s->top];
    s->v_min = s->v[s->bottom];
    s->n_desc = walk(s->v, s->n, s->top, s->bottom, -1, s->desc);
    s->n_asc = walk(s->v, s->n, s->bottom, s->top, +1, s->asc);
    if (s->n_desc < 0 || s->n_asc < 0)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "voltages of a cycle|one way down from %g V to %g V and one way up|"
                       "the voltage turns back on the %s branch",
                       s->v_max, s->v_min, s->n_desc < 0 ? "descending" : "ascending");
    if (s->n_desc < 5 || s->n_asc < 5)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "voltages of a cycle|three or more samples between the ends on each branch|"
                       "%d falling, %d rising",
                       s->n_desc - 2, s->n_asc - 2);
    for (int i = 0; i < s->n_desc - 1; i++) s->falling[s->desc[i]] = 1;
    reverse(s->desc, s->n_desc);
    return RESHED_OK;
}

static double median_step(const rs_sweep *s, double *scratch)
{
    int k = 0;
    for (int i = 1; i < s->n; i++) {
        double d = fabs(s->v[i] - s->v[i - 1]);
        if (d > 0) scratch[k++] = d;
    }
    return rs_median(scratch, (size_t)k, scratch + s->n);
}

reshed_status rs_sweep_create(const double *v, int n, rs_sweep *out, reshed_error *err)
{
    if (n < RS_LOOP_MIN_STEPS || n > RS_LOOP_MAX_STEPS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "steps in a cycle|%d to %d|%d", RS_LOOP_MIN_STEPS,
                       RS_LOOP_MAX_STEPS, n);
    for (int i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return rs_fail(err, RESHED_EINVAL, "voltage of step %d|a finite number|%g", i, v[i]);
    rs_sweep s = {.n = n};
    reshed_status st = RESHED_OK;
    double *scratch = rs_alloc((size_t)n, 2 * sizeof *scratch);
    s.v = rs_alloc((size_t)n, sizeof *s.v);
    s.falling = rs_zalloc((size_t)n, sizeof *s.falling);
    s.asc = rs_alloc((size_t)n, sizeof *s.asc);
    s.desc = rs_alloc((size_t)n, sizeof *s.desc);
    if (!scratch || !s.v || !s.falling || !s.asc || !s.desc) {
        st = rs_fail_nomem(err, "the branches of a loop", (size_t)n * 32);
        goto done;
    }
    memcpy(s.v, v, (size_t)n * sizeof *v);
    st = cut_branches(&s, err);
    if (st == RESHED_OK) s.step = median_step(&s, scratch);
done:
    rs_free(scratch);
    if (st == RESHED_OK)
        *out = s;
    else
        rs_sweep_clear(&s);
    return st;
}

void rs_sweep_clear(rs_sweep *s)
{
    rs_free(s->v);
    rs_free(s->falling);
    rs_free(s->asc);
    rs_free(s->desc);
    memset(s, 0, sizeof *s);
}

static bool usable(const double *y, const uint8_t *skip, int i)
{
    return !(skip && skip[i]) && isfinite(y[i]);
}

void rs_sweep_branch(const rs_sweep *s, const double *y, const uint8_t *skip, bool descending,
                     bool closed, rs_loop_half *out)
{
    const int *list = descending ? s->desc : s->asc;
    int n = descending ? s->n_desc : s->n_asc, k = 0, last = -1;
    out->gap = 0;
    for (int j = 0; j < n; j++) {
        int i = list[j];
        if (!usable(y, skip, i)) continue;
        /* By rising voltage time runs on along the ascending branch and back along the other. */
        if (k > 0 && (descending ? i > last : i < last)) out->gap = k;
        last = i;
        out->v[k] = s->v[i];
        out->y[k++] = y[i];
    }
    out->n = k;
    /* A waveform that is cut short leaps back to its start: nothing was measured between. */
    if (closed && fabs(s->v[0] - s->v[s->n - 1]) < 1.5 * s->step) out->gap = 0;
}

double rs_branch_crossing(const rs_loop_half *b, double level, int direction)
{
    const double *v = b->v, *y = b->y;
    const int n = b->n;
    /* wrong(k): samples on the wrong side when the branch changes side between k-1 and k. */
    int wrong = 0, best = n + 1, count = 0;
    double sum = 0;
    for (int i = 0; i < n; i++) wrong += !(direction * (y[i] - level) > 0);
    for (int k = 0; k <= n; k++) {
        if (k > 0) wrong += direction * (y[k - 1] - level) > 0 ? 1 : -1;
        if (wrong > best) continue;
        if (wrong < best) {
            best = wrong;
            sum = 0;
            count = 0;
        }
        /* At the fewest, the samples on both sides of k are on their right sides. */
        if (k == 0 || k == n || (b->gap && k == b->gap)) continue;
        sum += v[k - 1] + (v[k] - v[k - 1]) * (level - y[k - 1]) / (y[k] - y[k - 1]);
        count++;
    }
    return count ? sum / count : NAN;
}

int rs_branch_passes(const rs_loop_half *b, double level, double band)
{
    int side = 0, count = 0;
    for (int i = 0; i < b->n; i++) {
        const int now = (b->y[i] > level + band) - (b->y[i] < level - band);
        count += now != 0 && side != 0 && now != side;
        if (now != 0) side = now;
    }
    return count;
}

double rs_branch_value(const rs_loop_half *b, double at)
{
    const double *v = b->v, *y = b->y;
    const int n = b->n;
    if (n < 1 || !(at >= v[0] && at <= v[n - 1])) return NAN;
    int k = 0;
    while (k + 1 < n && v[k + 1] < at) k++;
    if (b->gap && k + 1 == b->gap && at > v[k]) return NAN;
    if (k + 1 == n || v[k + 1] == v[k]) return y[k];
    return y[k] + (y[k + 1] - y[k]) * (at - v[k]) / (v[k + 1] - v[k]);
}

static double end_mean(const rs_sweep *s, const double *y, const uint8_t *skip, const int *list,
                       int n, double lo, double hi)
{
    double sum = 0;
    int k = 0;
    for (int j = 0; j < n; j++) {
        int i = list[j];
        if (!usable(y, skip, i) || s->v[i] < lo || s->v[i] > hi) continue;
        sum += y[i];
        k++;
    }
    return k ? sum / k : NAN;
}

void rs_loop_saturation(const rs_sweep *s, const double *y, const uint8_t *skip, double fraction,
                        double *top, double *bottom)
{
    double reach = fraction * (s->v_max - s->v_min) * (1 + 1e-9);
    *top = end_mean(s, y, skip, s->desc, s->n_desc, s->v_max - reach, s->v_max);
    *bottom = end_mean(s, y, skip, s->asc, s->n_asc, s->v_min, s->v_min + reach);
}

double rs_loop_area(const rs_sweep *s, const double *y, const uint8_t *skip)
{
    double sum = 0;
    int first = -1, last = -1;
    for (int i = 0; i < s->n; i++) {
        if (!usable(y, skip, i)) continue;
        if (last >= 0)
            sum += s->v[last] * y[i] - s->v[i] * y[last];
        else
            first = i;
        last = i;
    }
    if (last < 0) return NAN;
    return (sum + s->v[last] * y[first] - s->v[first] * y[last]) / 2;
}

double rs_loop_area_open(const double *v, const double *y, int n, double *centroid_v,
                         double *centroid_y)
{
    double a = 0, cv = 0, cy = 0;
    for (int i = 0; i + 1 < n; i++) {
        double c = v[i] * y[i + 1] - v[i + 1] * y[i];
        a += c;
        cv += (v[i] + v[i + 1]) * c;
        cy += (y[i] + y[i + 1]) * c;
    }
    a /= 2;
    if (centroid_v) *centroid_v = cv / (6 * a);
    if (centroid_y) *centroid_y = cy / (6 * a);
    return a;
}

double rs_loop_noise(const rs_sweep *s, const double *y, const uint8_t *skip, double *scratch)
{
    double *d = scratch + s->n;
    int k = 0;
    for (int i = 0; i < s->n; i++) {
        int a = (i + s->n - 1) % s->n, b = (i + 1) % s->n;
        if (usable(y, skip, a) && usable(y, skip, i) && usable(y, skip, b))
            d[k++] = y[a] - 2 * y[i] + y[b];
    }
    return rs_mad(d, (size_t)k, 0, scratch) / sqrt(6);
}

/* The mean of the last m usable samples; NaN when there are fewer. */
static double tail_mean(const double *y, const uint8_t *skip, int n, int m)
{
    double sum = 0;
    int k = 0;
    for (int i = n - 1; i >= 0 && k < m; i--) {
        if (!usable(y, skip, i)) continue;
        sum += y[i];
        k++;
    }
    return k == m ? sum / m : NAN;
}

bool rs_loop_closes(const rs_sweep *s, const double *y, const uint8_t *skip, const double *before,
                    const uint8_t *before_skip, double *scratch)
{
    double low = INFINITY, high = -INFINITY, *kept = scratch + 2 * s->n;
    int k = 0;
    for (int i = 0; i < s->n; i++) {
        if (!usable(y, skip, i)) continue;
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
        kept[k++] = y[i];
    }
    if (k < 4) return true;
    const double noise = rs_loop_noise(s, y, skip, scratch), height = high - low;
    double jump = fabs(kept[0] - kept[k - 1]);
    jump -= fmax(fabs(kept[1] - kept[0]), fabs(kept[k - 1] - kept[k - 2]));
    if (!(jump > 0.05 * height + 4 * sqrt(2) * noise)) return true;
    if (!before) return false;
    const int m = s->n / 16 > 3 ? s->n / 16 : 3;
    double moved = fabs(tail_mean(y, skip, s->n, m) - tail_mean(before, before_skip, s->n, m));
    return moved <= 0.05 * height + 4 * sqrt(2.0 / m) * noise;
}

int rs_loop_spikes(const rs_sweep *s, const double *y, uint8_t *skip, double *scratch)
{
    int n = s->n, marked = 0;
    size_t m = (size_t)n;
    double low = rs_quantile(y, m, 0.1, scratch), high = rs_quantile(y, m, 0.9, scratch);
    double height = high - low;
    for (int i = 0; i < n; i++)
        skip[i] = !(y[i] >= low - 1.5 * height && y[i] <= high + 1.5 * height);
    double noise = rs_loop_noise(s, y, skip, scratch);
    double limit = fmax(height / 2, 8 * noise);
    /* Both tests judge the loop as measured: marks made here do not feed back. */
    uint8_t *far = (uint8_t *)(scratch + 2 * n);
    for (int i = 0; i < n; i++) {
        double near[4];
        int k = 0;
        for (int d = -2; d <= 2; d++) {
            int j = (i + d + n) % n;
            if (d != 0 && !skip[j]) near[k++] = y[j];
        }
        far[i] = 0;
        if (skip[i] || k < 3) continue;
        double five[5], tmp[5];
        memcpy(five, near, (size_t)k * sizeof *near);
        five[k] = y[i];
        far[i] = fabs(y[i] - rs_median(five, (size_t)k + 1, tmp)) > limit;
    }
    for (int i = 0; i < n; i++) {
        skip[i] |= far[i];
        marked += skip[i];
    }
    return marked;
}

/* ------------------------------------------------------------------------------------ unfolding */
/* Direction of the line through the points, in (-pi/2, pi/2], its offset and straightness. */
static void fit_line(const rs_sweep *s, const double *re, const double *im, const uint8_t *skip,
                     rs_unfold *out)
{
    double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
    int k = 0;
    for (int i = 0; i < s->n; i++) {
        if (!usable(re, skip, i) || !isfinite(im[i])) continue;
        mx += re[i];
        my += im[i];
        k++;
    }
    mx /= k;
    my /= k;
    for (int i = 0; i < s->n; i++) {
        if (!usable(re, skip, i) || !isfinite(im[i])) continue;
        double x = re[i] - mx, y = im[i] - my;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    out->angle = atan2(2 * sxy, sxx - syy) / 2;
    out->offset = my * cos(out->angle) - mx * sin(out->angle);
    double mean = (sxx + syy) / 2, spread = hypot((sxx - syy) / 2, sxy);
    out->ratio = sqrt(fmax(0, mean - spread) / (mean + spread));
}

static void turn(rs_unfold *u)
{
    u->angle = rs_wrap_angle(u->angle + RS_PI);
    u->offset = -u->offset;
}

static void project(const rs_sweep *s, const double *re, const double *im, double angle, double *pr)
{
    double c = cos(angle), d = sin(angle);
    for (int i = 0; i < s->n; i++) pr[i] = re[i] * c + im[i] * d;
}

void rs_unfold_loop(const rs_sweep *s, const double *re, const double *im, const uint8_t *skip,
                    rs_unfold_sign sign, double reference, double *pr, rs_unfold *out)
{
    rs_unfold u;
    fit_line(s, re, im, skip, &u);
    if (sign != RS_SIGN_AREA && cos(u.angle - reference) < 0) turn(&u);
    if (sign == RS_SIGN_FIXED) {
        /* The offset is that of the points' mean from the line of the given direction. */
        double c = cos(u.angle), d = sin(u.angle), along = 0;
        int k = 0;
        for (int i = 0; i < s->n; i++) {
            if (!usable(re, skip, i) || !isfinite(im[i])) continue;
            along += re[i] * c + im[i] * d;
            k++;
        }
        along /= k;
        double mx = along * c - u.offset * d, my = along * d + u.offset * c;
        u.angle = rs_wrap_angle(reference);
        u.offset = my * cos(u.angle) - mx * sin(u.angle);
    }
    project(s, re, im, u.angle, pr);
    u.area = rs_loop_area(s, pr, skip);
    if (sign == RS_SIGN_AREA && u.area < 0) {
        turn(&u);
        u.area = -u.area;
        for (int i = 0; i < s->n; i++) pr[i] = -pr[i];
    }
    *out = u;
}

double rs_unfold_reference(const rs_unfold *u, int64_t n)
{
    double c = 0, d = 0, vote = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(u[i].angle) || !isfinite(u[i].ratio)) continue;
        double w = 1 - u[i].ratio;
        c += w * cos(2 * u[i].angle);
        d += w * sin(2 * u[i].angle);
    }
    if (c == 0 && d == 0) return NAN;
    double axis = atan2(d, c) / 2;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(u[i].angle) || !isfinite(u[i].ratio)) continue;
        vote += (1 - u[i].ratio) * (cos(u[i].angle - axis) < 0 ? -1 : 1);
    }
    return rs_wrap_angle(vote < 0 ? axis + RS_PI : axis);
}

/* The unit vector for which the quadratic form m (symmetric, 3x3) is smallest, by Jacobi
 * rotations. */
static void smallest_axis(double m[3][3], double axis[3])
{
    double e[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    for (int sweep = 0; sweep < 50; sweep++) {
        double off = fabs(m[0][1]) + fabs(m[0][2]) + fabs(m[1][2]);
        if (off == 0) break;
        for (int p = 0; p < 2; p++)
            for (int q = p + 1; q < 3; q++) {
                if (m[p][q] == 0) continue;
                double h = (m[q][q] - m[p][p]) / (2 * m[p][q]);
                double t = (h < 0 ? -1 : 1) / (fabs(h) + sqrt(h * h + 1));
                double c = 1 / sqrt(t * t + 1), w = t * c;
                for (int k = 0; k < 3; k++) {
                    double a = m[k][p], b = m[k][q];
                    m[k][p] = c * a - w * b;
                    m[k][q] = w * a + c * b;
                }
                for (int k = 0; k < 3; k++) {
                    double a = m[p][k], b = m[q][k];
                    m[p][k] = c * a - w * b;
                    m[q][k] = w * a + c * b;
                    a = e[k][p];
                    b = e[k][q];
                    e[k][p] = c * a - w * b;
                    e[k][q] = w * a + c * b;
                }
            }
    }
    int k = 0;
    for (int i = 1; i < 3; i++)
        if (m[i][i] < m[k][k]) k = i;
    for (int i = 0; i < 3; i++) axis[i] = e[i][k];
}

void rs_unfold_bglib(const rs_sweep *s, const double *re, const double *im, double *pr,
                     rs_unfold *out)
{
    int n = s->n;
    double mean[3] = {0}, m[3][3] = {{0}}, axis[3];
    const double *column[3] = {s->v, re, im};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < n; i++) mean[k] += column[k][i];
        mean[k] /= n;
    }
    for (int j = 0; j < 3; j++)
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < n; i++)
                m[j][k] += (column[j][i] - mean[j]) * (column[k][i] - mean[k]);
    smallest_axis(m, axis);
    /* Plane A v + B x + C y + D = 0, cut by BGlib at the negative of the lowest voltage (its
     * expression for the line has the sign of A v turned). */
    double a = axis[0], b = axis[1], c = axis[2];
    double d = -(a * mean[0] + b * mean[1] + c * mean[2]);
    double slope = -b / c, base = (a * s->v_min - d) / c;
    double x_min = re[0], x_max = re[0];
    for (int i = 1; i < n; i++) {
        x_min = fmin(x_min, re[i]);
        x_max = fmax(x_max, re[i]);
    }
    double from = x_min + a * s->v_min / b, to = x_max + a * s->v_min / b;
    double best = INFINITY, x0 = 0, y0 = 0;
    for (int i = 0; i < 100; i++) {
        double x = from + (to - from) * i / 99, y = base + slope * x;
        if (hypot(x, y) < best) {
            best = hypot(x, y);
            x0 = x;
            y0 = y;
        }
    }
    out->angle = tan(slope);
    out->offset = best;
    out->ratio = NAN;
    double co = cos(out->angle), si = sin(out->angle);
    for (int i = 0; i < n; i++) pr[i] = co * (re[i] - x0) - si * (im[i] - y0);
    out->area = rs_loop_area_open(s->v, pr, n, NULL, NULL);
    if (!(out->area > 0)) {
        out->angle += RS_PI;
        out->area = -out->area;
        for (int i = 0; i < n; i++) pr[i] = -pr[i];
    }
}

bool rs_loop_data_take(const rs_sweep *s, const double *y, const uint8_t *skip, bool scaled,
                       double *work, double *scratch, rs_loop_data *d)
{
    memset(d, 0, sizeof *d);
    d->v = work;
    d->y = work + s->n;
    d->falling = (uint8_t *)(work + 2 * s->n);
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < s->n; i++) {
        if ((skip && skip[i]) || !isfinite(y[i])) continue;
        d->v[d->n] = s->v[i];
        d->y[d->n] = y[i];
        d->falling[d->n++] = s->falling[i];
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    if (d->n < 12 || !(high > low)) return false;
    d->mid = scaled ? (low + high) / 2 : 0;
    d->height = scaled ? high - low : 1;
    for (int i = 0; i < d->n; i++) d->y[i] = (d->y[i] - d->mid) / d->height;
    d->v_min = s->v_min;
    d->v_max = s->v_max;
    d->step = s->step;

    double bottom, top;
    rs_loop_saturation(s, y, skip, 0.15, &top, &bottom);
    if (!isfinite(bottom) || !isfinite(top) || bottom == top) {
        bottom = low;
        top = high;
    }
    for (int descending = 0; descending < 2; descending++) {
        rs_loop_half b = {.v = scratch, .y = scratch + s->n};
        rs_sweep_branch(s, y, skip, descending, true, &b);
        for (int q = 0; q < 3; q++)
            d->at[descending][q] = rs_branch_crossing(&b, bottom + (q + 1) * (top - bottom) / 4,
                                                      top > bottom ? 1 : -1);
    }
    d->bottom = (bottom - d->mid) / d->height;
    d->top = (top - d->mid) / d->height;
    return true;
}
