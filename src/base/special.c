#include "base/special.h"

#include <math.h>

#include "base/numeric.h"

double rs_erfinv(double y)
{
    if (!(fabs(y) < 1)) return fabs(y) == 1 ? y * INFINITY : NAN;
    /* Winitzki's approximation, 2e-3 relative, then Halley's steps on erf (or on erfc where erf is
     * flat): each triples the digits. */
    const double a = 0.147;
    double l = log1p(-y * y), t = 2 / (RS_PI * a) + l / 2;
    double x = copysign(sqrt(fmax(0, sqrt(t * t - l / a) - t)), y);
    for (int i = 0; i < 3; i++) {
        double miss = fabs(y) < 0.5 ? erf(x) - y : (1 - fabs(y) - erfc(fabs(x))) * (y < 0 ? -1 : 1);
        double slope = 2 / sqrt(RS_PI) * exp(-x * x), d = miss / slope;
        x -= d / (1 + x * d);
    }
    return x;
}
