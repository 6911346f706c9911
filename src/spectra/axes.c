#include "spectra/axes.h"

#include <string.h>

#include "base/text.h"

typedef struct unit {
    const char *name;
    double si;
} unit;

static double find_unit(const unit *known, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].si;
    return 0;
}

double rs_unit_hertz(const char *units)
{
    static const unit known[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}};
    return find_unit(known, sizeof known / sizeof *known, units);
}

double rs_unit_volts(const char *units)
{
    static const unit known[] = {{"V", 1}, {"mV", 1e-3}, {"kV", 1e3}, {"uV", 1e-6}, {"MV", 1e6}};
    static const unit words[] = {{"volt", 1},          {"volts", 1},      {"millivolt", 1e-3},
                                 {"millivolts", 1e-3}, {"kilovolt", 1e3}, {"kilovolts", 1e3}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(units) == strlen(words[i].name) && rs_text_begins(units, words[i].name))
            return words[i].si;
    return find_unit(known, sizeof known / sizeof *known, units);
}

void rs_axis_name(rs_nsid_dim *axis, const char *name, const char *quantity, const char *units,
                  const char *type, int64_t n)
{
    *axis = (rs_nsid_dim){.n = n};
    rs_text_copy(axis->name, sizeof axis->name, name);
    rs_text_copy(axis->quantity, sizeof axis->quantity, quantity);
    rs_text_copy(axis->units, sizeof axis->units, units);
    rs_text_copy(axis->type, sizeof axis->type, type);
}

void rs_axis_of_usid(rs_nsid_dim *axis, const rs_usid_axes *a, int d)
{
    rs_axis_name(axis, a->label[d], "", a->units[d], "SPECTRAL", a->n);
}

static bool is_called(const rs_nsid_dim *axis, const char *word)
{
    return rs_text_contains(axis->name, word) || rs_text_contains(axis->quantity, word);
}

bool rs_axis_is_frequency(const rs_nsid_dim *axis)
{
    return is_called(axis, "freq");
}

bool rs_axis_is_spatial(const rs_nsid_dim *axis)
{
    return strcmp(axis->type, "SPATIAL") == 0;
}

bool rs_axis_is_voltage(const rs_nsid_dim *axis)
{
    return rs_axis_volts(axis) > 0;
}

bool rs_axis_is_x(const rs_nsid_dim *axis)
{
    return rs_text_begins(axis->name, "x");
}

bool rs_axis_is_y(const rs_nsid_dim *axis)
{
    return rs_text_begins(axis->name, "y");
}

double rs_axis_volts(const rs_nsid_dim *axis)
{
    double volts = rs_unit_volts(axis->units);
    bool called =
        is_called(axis, "volt") || is_called(axis, "bias") || rs_text_contains(axis->name, "dc");
    if (rs_axis_is_spatial(axis) || (volts == 0 && !called)) return 0;
    return volts > 0 ? volts : 1;
}

bool rs_axis_is_cycle(const rs_nsid_dim *axis)
{
    return !rs_axis_is_spatial(axis) && (is_called(axis, "cycle") || is_called(axis, "forc"));
}

bool rs_axis_is_field(const rs_nsid_dim *axis)
{
    return !rs_axis_is_spatial(axis) && is_called(axis, "field");
}

bool rs_axes_xy(const rs_nsid_dim *axis, int ndim, int *x, int *y)
{
    bool others = false;
    *x = *y = -1;
    for (int i = 0; i < ndim; i++) {
        if (*x < 0 && rs_text_begins(axis[i].name, "x"))
            *x = i;
        else if (*y < 0 && rs_text_begins(axis[i].name, "y"))
            *y = i;
        else
            others = others || axis[i].n > 1;
    }
    if (*x >= 0 && *y >= 0 && !others) return true;
    *x = 0;
    *y = 1;
    return ndim == 2 && rs_axis_is_spatial(&axis[0]) && rs_axis_is_spatial(&axis[1]);
}

bool rs_usid_is_grid(const rs_usid_axes *a, int *fast, int64_t *n_fast)
{
    if (a->dims != 2 || a->n < 2) return false;
    for (*fast = 0; *fast < 2; ++*fast) {
        const double *f = a->values + *fast * a->n, *g = a->values + (1 - *fast) * a->n;
        int64_t n = 1;
        bool ok = true;
        while (n < a->n && f[n] != f[0]) n++;
        if (a->n % n) continue;
        for (int64_t i = 0; ok && i < a->n; i++) ok = f[i] == f[i % n] && g[i] == g[i / n * n];
        if (ok) {
            *n_fast = n;
            return true;
        }
    }
    return false;
}
