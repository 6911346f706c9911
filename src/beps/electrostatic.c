#include "beps/electrostatic.h"

#include <math.h>

typedef struct regression {
    double n, v, y, vv, vy, yy;
} regression;

static void add(regression *r, double v, double y)
{
    r->n++;
    r->v += v;
    r->y += y;
    r->vv += v * v;
    r->vy += v * y;
    r->yy += y * y;
}

/* Sums about the means. */
static void centre(regression *r)
{
    if (r->n == 0) return;
    r->v /= r->n;
    r->y /= r->n;
    r->vv -= r->n * r->v * r->v;
    r->vy -= r->n * r->v * r->y;
    r->yy -= r->n * r->y * r->y;
}

static void finish(const regression *a, const regression *b, rs_electrostatic *out)
{
    double vv = a->vv + b->vv, vy = a->vy + b->vy, yy = a->yy + b->yy;
    *out = (rs_electrostatic){NAN, NAN, NAN, NAN};
    if (!(vv > 0)) return;
    out->slope = vy / vv;
    double level = 0, ends = 0;
    if (a->n > 0) level += a->y - out->slope * a->v, ends++;
    if (b->n > 0) level += b->y - out->slope * b->v, ends++;
    out->y0 = level / ends;
    out->cpd = -out->y0 / out->slope;
    out->r2 = yy > 0 ? 1 - (yy - vy * vy / vv) / yy : NAN;
}

void rs_electrostatic_saturation(const rs_sweep *s, const double *y, const uint8_t *skip,
                                 double fraction, rs_electrostatic *out)
{
    double reach = fraction * (s->v_max - s->v_min) * (1 + 1e-9);
    regression ends[2] = {{0}};
    for (int descending = 0; descending < 2; descending++) {
        const int *list = descending ? s->desc : s->asc;
        int n = descending ? s->n_desc : s->n_asc;
        for (int j = 0; j < n; j++) {
            int i = list[j];
            double from_end = descending ? s->v_max - s->v[i] : s->v[i] - s->v_min;
            if ((skip && skip[i]) || !isfinite(y[i]) || from_end > reach) continue;
            add(&ends[descending], s->v[i], y[i]);
        }
        centre(&ends[descending]);
    }
    if (ends[0].n == 0 || ends[1].n == 0) {
        *out = (rs_electrostatic){NAN, NAN, NAN, NAN};
        return;
    }
    finish(&ends[0], &ends[1], out);
}

void rs_electrostatic_difference(const rs_sweep *s, const double *on, const double *off,
                                 const uint8_t *skip, double lo, double hi, rs_electrostatic *out)
{
    regression all = {0}, none = {0};
    for (int i = 0; i < s->n; i++) {
        double d = on[i] - off[i];
        if ((skip && skip[i]) || !isfinite(d) || s->v[i] < lo || s->v[i] > hi) continue;
        add(&all, s->v[i], d);
    }
    centre(&all);
    finish(&all, &none, out);
}
