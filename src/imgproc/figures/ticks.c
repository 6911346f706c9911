#include "imgproc/figures/ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const prefix[] = {"q", "r", "y", "z", "a", "f", "p", "n", "µ", "m", "",
                                     "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"};
enum { NO_PREFIX = 10, PREFIXES = 21 };

/* Symbols that take prefixes, alone or before '/' or '·'. */
static const char *const units[] = {"m", "s",  "A", "V", "Hz", "N",   "F", "C", "W",
                                    "J", "Pa", "g", "K", "T",  "Ohm", "Ω", "S", "eV"};

bool rs_unit_takes_prefix(const char *unit)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i]);
        if (strncmp(unit, units[i], n) != 0) continue;
        if (unit[n] == '\0' || unit[n] == '/' || strncmp(unit + n, "·", 2) == 0) return true;
    }
    return false;
}

/* Returns floor(log10(x)), also right at the powers of ten themselves. */
static int decade(double x)
{
    int e = (int)floor(log10(x));
    if (pow(10, e + 1) <= x) e++;
    if (pow(10, e) > x) e--;
    return e;
}

double rs_round_down_125(double x)
{
    double p = pow(10, decade(x)), m = x / p * (1 + 1e-12);
    return (m >= 5 ? 5 : m >= 2 ? 2 : 1) * p;
}

static double round_up_125(double x)
{
    double p = pow(10, decade(x)), m = x / p * (1 - 1e-12);
    return m <= 1 ? p : m <= 2 ? 2 * p : m <= 5 ? 5 * p : 10 * p;
}

static bool is_angle(const char *unit)
{
    return strcmp(unit, "deg") == 0 || strcmp(unit, "°") == 0;
}

/* Returns the smallest good step >= x: of degrees, from 10 on, a part of the circle. */
static double good_step(double x, const char *unit)
{
    static const double part[] = {10, 15, 30, 45, 90, 180};
    if (is_angle(unit) && x > 5)
        for (size_t i = 0; i < sizeof part / sizeof *part; i++)
            if (x <= part[i]) return part[i];
    return round_up_125(x);
}

/* 10⁻⁵ */
static void power_of_ten(int e, char *buf, size_t n)
{
    static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[16];
    size_t k = (size_t)snprintf(buf, n, "10%s", e < 0 ? "⁻" : "");
    snprintf(plain, sizeof plain, "%d", e < 0 ? -e : e);
    for (const char *c = plain; *c && k < n; c++)
        k += (size_t)snprintf(buf + k, n - k, "%s", digit[*c - '0']);
}

/* Chooses the factor that keeps the written numbers short: none between 0.01 and 10 000, else a
 * prefix or a power of ten. */
static void choose_factor(double largest, const char *unit, rs_ticks *t)
{
    bool prefixed = rs_unit_takes_prefix(unit);
    int e = decade(largest), k = NO_PREFIX;
    t->factor = 1;
    snprintf(t->unit, sizeof t->unit, "%s", unit);
    if (prefixed) {
        k += e >= 0 ? e / 3 : -((2 - e) / 3);
        if (k < 0 || k >= PREFIXES) return;
        t->factor = pow(10, 3 * (k - NO_PREFIX));
        snprintf(t->unit, sizeof t->unit, "%s%s", prefix[k], unit);
    } else if (e < -2 || e > 3) {
        char power[32];
        power_of_ten(e, power, sizeof power);
        t->factor = pow(10, e);
        snprintf(t->unit, sizeof t->unit, "%s%s%s", power, *unit ? " " : "", unit);
    }
}

/* Fills in ticks at multiples of step; returns their number, even where it exceeds the table. */
static double first_tick(double lo, double hi, double step, double *count)
{
    double first = ceil(lo / step - 1e-9), last = floor(hi / step + 1e-9);
    *count = last - first + 1;
    return first;
}

void rs_ticks_make(double lo, double hi, int most, const char *unit, rs_ticks *out)
{
    double count, first, step;
    memset(out, 0, sizeof *out);
    if (most > RS_TICKS_MAX) most = RS_TICKS_MAX;
    if (most < 2) most = 2;
    step = good_step((hi - lo) / (most + 1), unit);
    for (;;) {
        first = first_tick(lo, hi, step, &count);
        if (count <= most) break;
        step = good_step(step * 1.01, unit);
    }
    out->step = step;
    out->n = count > 0 ? (int)count : 0;
    for (int i = 0; i < out->n; i++) out->at[i] = (first + i) * step;
    choose_factor(fmax(fabs(lo), fabs(hi)), unit, out);
    int e = decade(step / out->factor * (1 + 1e-9));
    out->decimals = e < 0 ? -e : 0;
}

const char *rs_ticks_label(const rs_ticks *t, int i, char *buf, size_t n)
{
    double v = t->at[i] / t->factor;
    if (fabs(t->at[i]) < t->step / 2) v = 0;
    snprintf(buf, n, "%s%.*f", v < 0 ? "−" : "", t->decimals, fabs(v));
    return buf;
}

const char *rs_si_text(double value, int digits, const char *unit, char *buf, size_t n)
{
    rs_ticks t = {.factor = 1};
    char number[48];
    if (!isfinite(value)) {
        snprintf(buf, n, "%s", isnan(value) ? "–" : value < 0 ? "−∞" : "∞");
        return buf;
    }
    if (value != 0) {
        /* Round first: 999.6 nm with three digits is 1.00 µm. */
        double p = pow(10, decade(fabs(value)) - digits + 1), rounded = round(value / p) * p;
        choose_factor(fabs(rounded), unit, &t);
        int e = decade(fabs(rounded / t.factor) * (1 + 1e-12));
        t.decimals = digits - 1 - e > 0 ? digits - 1 - e : 0;
    } else {
        snprintf(t.unit, sizeof t.unit, "%s", unit);
    }
    snprintf(number, sizeof number, "%.*f", t.decimals, fabs(value / t.factor));
    bool power = t.factor != 1 && !rs_unit_takes_prefix(unit);
    snprintf(buf, n, "%s%s%s%s", value < 0 ? "−" : "", number,
             power     ? " × "
             : *t.unit ? " "
                       : "",
             t.unit);
    return buf;
}
