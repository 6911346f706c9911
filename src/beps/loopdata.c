#include "beps/loopdata.h"

#include <math.h>
#include <string.h>

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
