#include "beps/phase.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/numeric.h"

double rs_phase_wrap(double phase, double lower)
{
    double turn = 2 * RS_PI, p = phase - turn * floor((phase - lower) / turn);
    /* The division may round to the far end of the branch. */
    if (p < lower) p += turn;
    return p >= lower + turn ? lower : p;
}

void rs_phase_defaults(rs_phase_options *o)
{
    *o = (rs_phase_options){.bins = 360,
                            .smoothing = 8 * RS_DEGREE,
                            .min_distance = 60 * RS_DEGREE,
                            .forward = 0,
                            .reverse = RS_PI};
}

static double weight_at(const double *phase, const double *weight, size_t i)
{
    double w = weight ? weight[i] : 1;
    return isfinite(phase[i]) && isfinite(w) && w > 0 ? w : 0;
}

/* Circular smoothing with a normal kernel cut at four standard deviations. */
static void smooth(const double *h, int bins, double sigma, double *out)
{
    int reach = (int)ceil(4 * sigma);
    if (reach > bins / 2) reach = bins / 2;
    for (int i = 0; i < bins; i++) {
        double sum = 0, norm = 0;
        for (int d = -reach; d <= reach; d++) {
            double k = exp(-0.5 * d * d / (sigma * sigma));
            sum += k * h[(i + d + bins) % bins];
            norm += k;
        }
        out[i] = sum / norm;
    }
}

/* The highest local maximum at least `apart` bins from `other` (or anywhere when other < 0); -1
 * when there is none. */
static int highest(const double *h, int bins, int other, int apart)
{
    int best = -1;
    for (int i = 0; i < bins; i++) {
        if (h[i] < h[(i + 1) % bins] || h[i] <= h[(i + bins - 1) % bins]) continue;
        int d = abs(i - other);
        if (other >= 0 && (d < bins - d ? d : bins - d) < apart) continue;
        if (best < 0 || h[i] > h[best]) best = i;
    }
    return best;
}

/* Circular mean of what lies within `reach` of `centre`, moved there until it rests; *share is its
 * part of the weight. */
static double refine(const double *phase, const double *weight, size_t n, int sign, double centre,
                     double reach, double *share)
{
    for (int pass = 0; pass < 20; pass++) {
        double c = 0, s = 0, inside = 0, all = 0;
        for (size_t i = 0; i < n; i++) {
            double w = weight_at(phase, weight, i), d = rs_wrap_angle(sign * phase[i] - centre);
            if (w == 0) continue;
            all += w;
            if (fabs(d) > reach) continue;
            inside += w;
            c += w * cos(d);
            s += w * sin(d);
        }
        *share = inside / all;
        double move = inside > 0 ? atan2(s, c) : 0;
        centre = rs_wrap_angle(centre + move);
        if (fabs(move) < 1e-9) break;
    }
    return centre;
}

/* offset from the peaks (of sign * phase) and the targets. */
static void set_offset(rs_phase_cal *cal)
{
    double p0 = cal->sign * cal->peak[0], p1 = cal->sign * cal->peak[1];
    double first = rs_wrap_angle(cal->forward - p0);
    double second = cal->single ? first : rs_wrap_angle(cal->reverse - p1);
    cal->offset = rs_wrap_angle(first + rs_wrap_angle(second - first) / 2);
}

reshed_status rs_phase_calibrate(const double *phase, const double *weight, size_t n,
                                 const rs_phase_options *o, rs_phase_cal *cal, reshed_error *err)
{
    if (o->bins < 16 || o->bins > 4096)
        return rs_fail(err, RESHED_EINVAL, "bins of the phase histogram|16 to 4096|%d", o->bins);
    if (!(o->smoothing > 0) || !(o->smoothing < 1) || !(o->min_distance > 0) ||
        !(o->min_distance < RS_PI) || !isfinite(o->forward) || !isfinite(o->reverse))
        return rs_fail(err, RESHED_EINVAL, "options of the phase calibration");
    double *h = rs_zalloc((size_t)o->bins, 2 * sizeof *h), *smoothed = h ? h + o->bins : NULL;
    if (!h) return rs_fail_nomem(err, "a phase histogram", (size_t)o->bins * 2 * sizeof *h);

    rs_phase_cal c = {.sign = o->inverted ? -1 : 1, .forward = o->forward, .reverse = o->reverse};
    double width = 2 * RS_PI / o->bins, total = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight_at(phase, weight, i);
        if (w == 0) continue;
        int bin = (int)(rs_phase_wrap(c.sign * phase[i], -RS_PI) / width + o->bins / 2.0);
        h[bin < 0 ? 0 : bin < o->bins ? bin : o->bins - 1] += w;
        total += w;
    }
    if (!(total > 0)) {
        rs_free(h);
        return rs_fail(err, RESHED_EINVAL,
                       "phase calibration|some finite phases with a response|"
                       "none");
    }
    smooth(h, o->bins, o->smoothing / width, smoothed);
    int one = highest(smoothed, o->bins, -1, 0);
    int two = one < 0 ? -1 : highest(smoothed, o->bins, one, (int)(o->min_distance / width));
    /* The second peak must be a state, not a ripple of the background. */
    c.single = two < 0 || smoothed[two] < 0.05 * smoothed[one];
    double at = -RS_PI + width * ((one < 0 ? 0 : one) + 0.5);
    double other = c.single ? at + RS_PI : -RS_PI + width * (two + 0.5);
    rs_free(h);

    double reach = 45 * RS_DEGREE;
    if (!c.single) reach = fmin(reach, fabs(rs_wrap_angle(other - at)) / 2);
    at = refine(phase, weight, n, c.sign, at, reach, &c.weight[0]);
    if (c.single)
        other = rs_wrap_angle(at + RS_PI);
    else
        other = refine(phase, weight, n, c.sign, other, reach, &c.weight[1]);
    c.peak[0] = rs_wrap_angle(c.sign * at);
    c.peak[1] = rs_wrap_angle(c.sign * other);
    c.separation = fabs(rs_wrap_angle(other - at));
    if (c.weight[1] > c.weight[0]) rs_phase_swap(&c);
    set_offset(&c);
    *cal = c;
    return RESHED_OK;
}

double rs_phase_apply(const rs_phase_cal *cal, double phase)
{
    return rs_wrap_angle(cal->sign * phase + cal->offset);
}

void rs_phase_swap(rs_phase_cal *cal)
{
    double p = cal->peak[0], w = cal->weight[0];
    cal->peak[0] = cal->peak[1];
    cal->peak[1] = p;
    cal->weight[0] = cal->weight[1];
    cal->weight[1] = w;
    set_offset(cal);
}

/* > 0 when the measured phase belongs to the forward class. */
static double forwardness(const rs_phase_cal *cal, double phase)
{
    return cos(rs_phase_apply(cal, phase) - cal->forward);
}

bool rs_phase_orient(rs_phase_cal *cal, double reference, bool is_forward)
{
    if ((forwardness(cal, reference) >= 0) == is_forward) return false;
    rs_phase_swap(cal);
    return true;
}

bool rs_phase_orient_by_bias(rs_phase_cal *cal, const double *phase, const double *weight,
                             const double *v, size_t n, bool high_is_forward)
{
    double low = INFINITY, high = -INFINITY, vote = 0;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    for (size_t i = 0; i < n; i++) {
        double w = weight_at(phase, weight, i);
        if (w > 0) vote += w * (v[i] - (low + high) / 2) * forwardness(cal, phase[i]);
    }
    if (vote == 0 || (vote > 0) == high_is_forward) return false;
    rs_phase_swap(cal);
    return true;
}

void rs_phase_to_response(const rs_phase_cal *cal, const double *amplitude, const double *phase,
                          size_t n, double *pr)
{
    for (size_t i = 0; i < n; i++) pr[i] = amplitude[i] * forwardness(cal, phase[i]);
}
