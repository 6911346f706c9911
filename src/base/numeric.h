/* numeric.h - constants and comparisons that every room needs. */
#ifndef RS_BASE_NUMERIC_H
#define RS_BASE_NUMERIC_H

#include <math.h>

#define RS_PI 3.14159265358979323846
#define RS_DEGREE (RS_PI / 180) /* one degree, in radians */
#define RS_RADIAN (180 / RS_PI) /* one radian, in degrees */

static inline int rs_min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int rs_max_int(int a, int b)
{
    return a > b ? a : b;
}

/* lo <= hi. */
static inline int rs_clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* An angle in radians, moved by whole turns into (-pi, pi]. */
static inline double rs_wrap_angle(double a)
{
    if (a > -RS_PI && a <= RS_PI) return a;
    a = remainder(a, 2 * RS_PI);
    return a <= -RS_PI ? a + 2 * RS_PI : a;
}

/* lo <= hi; NaN stays NaN. */
static inline double rs_clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

#endif
