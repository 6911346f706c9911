#include "train/net/rate.h"

#include <math.h>

#define PI 3.14159265358979323846

rs_rate rs_rate_make(rs_rate_shape shape, long steps, double rate)
{
    rs_rate r = {.shape = shape, .steps = steps, .rate = rate, .start = 1, .end = 1};
    switch (shape) {
    case RS_RATE_CONSTANT: break;
    case RS_RATE_COSINE:
        r.warm = steps / 20 > 1 ? steps / 20 : 1;
        r.flat = steps / 4;
        r.end = 0.25;
        break;
    case RS_RATE_ONE_CYCLE:
        r.warm = (long)(0.3 * (double)steps);
        r.start = 1. / 25;
        r.end = 4e-6;
        break;
    }
    return r;
}

/* From a to b along half a cosine, t from 0 to 1. */
static double along(double a, double b, double t)
{
    return b + (a - b) * 0.5 * (1 + cos(PI * t));
}

double rs_rate_at(const rs_rate *r, long step)
{
    const double at = (double)step, warm = (double)r->warm;
    switch (r->shape) {
    case RS_RATE_CONSTANT: break;
    case RS_RATE_COSINE: {
        const long left = r->steps - r->flat;
        if (step < r->warm) return r->rate * (at + 1) / warm;
        if (step >= left) return r->rate * r->end;
        return r->rate * along(1, r->end, (at - warm) / (double)(left - r->warm));
    }
    case RS_RATE_ONE_CYCLE: {
        /* PyTorch's turning points: the peak is at step warm - 1, the end at the last step */
        const double top = warm - 1 > 0 ? warm - 1 : 0, last = (double)(r->steps - 1);
        if (at <= top) return r->rate * along(r->start, 1, top > 0 ? at / top : 1);
        return r->rate * along(1, r->end, last > top ? (at - top) / (last - top) : 1);
    }
    }
    return r->rate;
}
