#include "beps/cycles.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/loop.h"

static double span_of(const double *v, int n)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    return high - low;
}

bool rs_pulses_find(const double *v, int n, int *first)
{
    const double same = 1e-6 * span_of(v, n);
    if (n < 2 * RS_LOOP_MIN_STEPS || !(same > 0)) return false;
    for (int rest = 0; rest < 2; rest++) {
        int i = rest, others = 0;
        while (i < n && fabs(v[i] - v[rest]) <= same) i += 2;
        for (int k = 1 - rest; k < n; k += 2) others += fabs(v[k] - v[rest]) > same;
        if (i < n || others < RS_LOOP_MIN_STEPS / 2) continue;
        *first = 1 - rest;
        return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- cycles */
static reshed_status is_loop(const double *v, int n, bool *loop, reshed_error *err)
{
    rs_sweep s = {0};
    reshed_error why = {0};
    reshed_status st = rs_sweep_create(v, n, &s, &why);
    rs_sweep_clear(&s);
    *loop = st == RESHED_OK;
    if (st != RESHED_ENOMEM) return RESHED_OK;
    return rs_fail_nomem(err, "the cycles of a waveform", (size_t)n * sizeof *v);
}

static bool has_period(const double *v, int n, int p, double same)
{
    int i = p;
    while (i < n && fabs(v[i] - v[i - p]) <= same) i++;
    return i >= n;
}

/* *period: 0 when there is none. */
static reshed_status find_period(const double *v, int n, double same, int *period,
                                 reshed_error *err)
{
    reshed_status st = RESHED_OK;
    *period = 0;
    for (int p = RS_LOOP_MIN_STEPS; st == RESHED_OK && p <= n && !*period; p++) {
        bool loop;
        if (!has_period(v, n, p, same)) continue;
        st = is_loop(v, p, &loop, err);
        if (st == RESHED_OK && loop) *period = p;
    }
    return st;
}

/* *parts: equal ones that each are a loop; 0 when there are none. */
static reshed_status find_parts(const double *v, int n, int *parts, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    *parts = 0;
    for (int k = 2; st == RESHED_OK && k <= n / RS_LOOP_MIN_STEPS && !*parts; k++) {
        bool loop = n % k == 0;
        for (int c = 0; st == RESHED_OK && loop && c < k; c++)
            st = is_loop(v + c * (n / k), n / k, &loop, err);
        if (st == RESHED_OK && loop) *parts = k;
    }
    return st;
}

/* Returns the end of the cycle that begins at `from`: where the voltage is back after it turned
 * twice; -1 when it never is. */
static int end_of_cycle(const double *v, int n, int from, double same)
{
    int direction = 0, turns = 0;
    for (int i = from + 1; i < n; i++) {
        const double d = v[i] - v[i - 1];
        const int now = d > same ? 1 : d < -same ? -1 : direction;
        turns += direction != 0 && now != direction;
        direction = now;
        if (turns > 2) return -1;
        if (turns == 2 && direction * (v[i] - v[from]) >= -same) return i;
    }
    /* The last cycle may end a step before it is back. */
    const double step = fabs(v[from + 1] - v[from]);
    return turns == 2 && fabs(v[n - 1] - v[from]) <= 1.5 * step ? n : -1;
}

/* Into begin and length [n]; returns how many, 0 when some part is no loop. */
static reshed_status split(const double *v, int n, double same, rs_cycles *c, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    int at = 0;
    bool loop = true;
    for (c->cycles = 0; st == RESHED_OK && at + RS_LOOP_MIN_STEPS <= n; c->cycles++) {
        const int end = end_of_cycle(v, n, at, same);
        if (end < 0) break;
        st = is_loop(v + at, end - at, &loop, err);
        if (st != RESHED_OK || !loop) break;
        c->begin[c->cycles] = at;
        c->length[c->cycles] = end - at;
        at = end;
    }
    if (!loop) c->cycles = 0;
    return st;
}

static void set_equal(rs_cycles *c, int cycles, int steps)
{
    c->cycles = cycles;
    for (int k = 0; k < cycles; k++) {
        c->begin[k] = k * steps;
        c->length[k] = steps;
    }
}

reshed_status rs_cycles_find(const double *v, int n, rs_cycles *out, reshed_error *err)
{
    const double same = 1e-6 * span_of(v, n);
    const size_t most = (size_t)(n / RS_LOOP_MIN_STEPS + 1);
    int found = 0;
    reshed_status st = RESHED_OK;
    rs_cycles c = {0};
    c.begin = rs_alloc(most, sizeof *c.begin);
    c.length = rs_alloc(most, sizeof *c.length);
    if (!c.begin || !c.length) {
        st = rs_fail_nomem(err, "the cycles of a waveform", most * 2 * sizeof *c.begin);
        goto done;
    }
    if (same > 0 && isfinite(same)) {
        st = find_period(v, n, same, &found, err);
        if (st == RESHED_OK && found) set_equal(&c, n / found, found);
        if (st == RESHED_OK && !found) {
            st = find_parts(v, n, &found, err);
            if (st == RESHED_OK && found) set_equal(&c, found, n / found);
        }
        if (st == RESHED_OK && !found) st = split(v, n, same, &c, err);
    }
    if (st == RESHED_OK && c.cycles == 0) set_equal(&c, 1, n);
    for (int k = 0; st == RESHED_OK && k < c.cycles; k++)
        if (c.length[k] > c.steps) c.steps = c.length[k];
    if (st == RESHED_OK) c.rest = n - c.begin[c.cycles - 1] - c.length[c.cycles - 1];
done:
    if (st == RESHED_OK)
        *out = c;
    else
        rs_cycles_clear(&c);
    return st;
}

void rs_cycles_clear(rs_cycles *c)
{
    rs_free(c->begin);
    rs_free(c->length);
    memset(c, 0, sizeof *c);
}
