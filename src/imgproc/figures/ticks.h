/* ticks.h - finds round numbers for axes, and writes quantities. */
#ifndef RS_IMGPROC_FIGURES_TICKS_H
#define RS_IMGPROC_FIGURES_TICKS_H

#include <stdbool.h>
#include <stddef.h>

#define RS_TICKS_MAX 24

/* Ticks at multiples of a step, which is 1, 2 or 5 times a power of ten, and the unit they are
 * written in. */
typedef struct rs_ticks {
    int n;
    double at[RS_TICKS_MAX]; /* the ticks' values, within [lo,hi] */
    double step;
    int decimals;  /* after the point, of at[i]/factor */
    double factor; /* a tick is written as at[i]/factor */
    char unit[48]; /* with its prefix, e.g. "pm"; "10⁻⁵ a.u." for units without; "" for none */
} rs_ticks;

/* The smallest 1-2-5 step that gives at most `most` (2..RS_TICKS_MAX) ticks in [lo,hi], lo < hi,
 * both finite. unit (UTF-8) may be ""; steps of "deg" and "°" are parts of the circle. */
void rs_ticks_make(double lo, double hi, int most, const char *unit, rs_ticks *out);

/* Writes tick i (UTF-8, with a true minus sign) into buf; returns buf. */
const char *rs_ticks_label(const rs_ticks *ticks, int i, char *buf, size_t n);

/* Returns true for units that SI prefixes may be put before, "m", "V", "m/V", "Hz"; false for "",
 * "a.u.", "%", "px", "deg", "m²". */
bool rs_unit_takes_prefix(const char *unit);

/* Returns the largest 1, 2 or 5 times a power of ten that is <= x; x > 0. */
double rs_round_down_125(double x);

/* Writes a quantity for people into buf, `digits` significant digits: 2e-7, "m" -> "200 nm";
 * returns buf. */
const char *rs_si_text(double value, int digits, const char *unit, char *buf, size_t n);

#endif
