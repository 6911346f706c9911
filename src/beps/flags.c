#include "beps/flags.h"

#include <math.h>

#include "beps/metric_table.h"

const char *rs_loop_flag_name(int k)
{
    static const char *const names[RS_LOOP_FLAGS] = {
        "no_switching",  "unsaturated", "clockwise",         "spikes",    "fit_failed",
        "fit_at_bound",  "outlier",     "no_data",           "flipped",   "not_closed",
        "cycles_differ", "bad_spectra", "several_crossings", "nucleation"};
    return names[k];
}

bool rs_loop_flags_bad(double flags)
{
    return flags > 0 && flags < 4294967296.0 && ((uint32_t)flags & RS_LOOP_BAD);
}

uint32_t rs_loop_flags(const rs_sweep *s, bool closed, const double *m, const rs_loop_fit *fit)
{
    uint32_t flags = 0;
    if (m[RS_M_SPIKES] > 0) flags |= RS_LOOP_SPIKES;
    if (isnan(m[RS_M_AREA])) return flags | RS_LOOP_NO_DATA | RS_LOOP_NO_SWITCHING;
    if (!closed) flags |= RS_LOOP_NOT_CLOSED;
    if (!(m[RS_M_AREA_SNR] >= 5) || (closed && isnan(m[RS_M_WIDTH_MID])) || m[RS_M_DELTA_BIC] <= 0)
        flags |= RS_LOOP_NO_SWITCHING;
    if (m[RS_M_AREA_SIGNED] < 0) flags |= RS_LOOP_CLOCKWISE;
    if (m[RS_M_SATURATED_POS] < 0.95 || m[RS_M_SATURATED_NEG] < 0.95) flags |= RS_LOOP_UNSATURATED;
    if (!fit) return flags;
    if (!fit->ok) return flags | RS_LOOP_FIT_FAILED;
    const double plus = m[RS_M_NUCLEATION_POS], minus = m[RS_M_NUCLEATION_NEG];
    const bool outside = (isnan(plus) && !isnan(m[RS_M_FIT_V_PLUS])) ||
                         (isnan(minus) && !isnan(m[RS_M_FIT_V_MINUS]));
    if (outside || plus > m[RS_M_V_PLUS_MID] + s->step || minus < m[RS_M_V_MINUS_MID] - s->step)
        flags |= RS_LOOP_NUCLEATION;
    unsigned bad = fit->at_bound;
    for (int k = RS_B0; k <= RS_B3; k++)
        if (fit->p[k] < s->step / 2) bad &= ~(1u << k);
    if (bad) flags |= RS_LOOP_FIT_AT_BOUND;
    return flags;
}
