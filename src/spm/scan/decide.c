#include "spm/scan/decide.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/flags.h"
#include "imgproc/walls/find.h"
#include "imgproc/walls/sequential.h"
#include "imgproc/walls/tests.h"

/* A look needs so much more of the points than the one before. */
#define STEP 0.1
enum { MOST_LOOKS = 12, PERMUTATIONS = 9999, SEED = 1 };

struct rs_decide {
    const rs_scan_context *context;
    const rs_session_point *point; /* [n] */
    int n, units, counted;         /* points, units, points of units */
    int *unit;                     /* [n], -1: none */
    uint8_t *longer;               /* [units] */
    int look[MOST_LOOKS];          /* number of points before each */
    double share[MOST_LOOKS];
    int looks, tested;
    int width, flags; /* metrics of the session; -1: none */
};

static rs_sequential_kind kind_of(const rs_scan_settings *s)
{
    return (int)s->until == RS_SCAN_LENGTHS ? RS_SEQUENTIAL_LENGTHS : RS_SEQUENTIAL_ALTERNATION;
}

/* unit[n] of the points, by the walls that they lie on, and the units themselves. */
static reshed_status find_units(const rs_wallgraph *g, int families, const rs_scan_settings *s,
                                const rs_session_point *p, int n, int *unit, rs_wall_units *units,
                                reshed_error *err)
{
    rs_place *place = rs_alloc((size_t)n, sizeof *place);
    uint8_t *there = rs_zalloc((size_t)g->walls, 1);
    reshed_status st =
        place && there ? RESHED_OK : rs_fail_nomem(err, "units", (size_t)n * sizeof *place);
    for (int i = 0; st == RESHED_OK && i < n; i++) place[i] = (rs_place){p[i].row, p[i].col};
    if (st == RESHED_OK) st = rs_walls_of_places(g, place, n, unit, err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if (p[i].kind != RS_POINT_WALL) unit[i] = -1; /* a control point */
        if (unit[i] >= 0) there[unit[i]] = 1;
    }
    if (st == RESHED_OK) st = rs_wall_units_find(g, families, kind_of(s), there, units, err);
    for (int i = 0; st == RESHED_OK && i < n; i++)
        if (unit[i] >= 0) unit[i] = units->of[unit[i]];
    rs_free(there);
    rs_free(place);
    return st;
}

reshed_status rs_decide_order(const rs_wallgraph *g, int families, const rs_scan_settings *s,
                              rs_session_point *p, int n, reshed_error *err)
{
    if ((int)s->until == RS_SCAN_END || n == 0) return RESHED_OK;
    int *unit = rs_alloc((size_t)n, sizeof *unit), *order = rs_alloc((size_t)n, sizeof *order);
    rs_session_point *copy = rs_alloc((size_t)n, sizeof *copy);
    rs_wall_units units = {0};
    reshed_status st =
        unit && order && copy ? RESHED_OK : rs_fail_nomem(err, "rounds", (size_t)n * sizeof *copy);
    if (st == RESHED_OK) st = find_units(g, families, s, p, n, unit, &units, err);
    if (st == RESHED_OK) st = rs_sequential_order(kind_of(s), unit, n, order, err);
    if (st == RESHED_OK) {
        memcpy(copy, p, (size_t)n * sizeof *copy);
        for (int i = 0; i < n; i++) p[i] = copy[order[i]];
    }
    rs_wall_units_clear(&units);
    rs_free(copy);
    rs_free(order);
    rs_free(unit);
    return st;
}

/* Where the looks are: at the ends of rounds (lengths: anywhere), and where the last counted point is measured. */
static reshed_status place_looks(rs_decide *d, reshed_error *err)
{
    int *seen = rs_zalloc((size_t)d->units, sizeof *seen);
    const bool anywhere = kind_of(d->context->settings) == RS_SEQUENTIAL_LENGTHS;
    int done = 0, round = 0;
    double last = 0;
    if (!seen) return rs_fail_nomem(err, "rounds", (size_t)d->units * sizeof *seen);
    for (int k = 0; k < d->n; k++) {
        if (d->unit[k] < 0) continue;
        const double share = (double)done / d->counted;
        if ((anywhere || seen[d->unit[k]] != round) && done > 0) {
            round = seen[d->unit[k]];
            if (share - last >= STEP && d->looks < MOST_LOOKS - 1) {
                d->look[d->looks] = k;
                d->share[d->looks++] = last = share;
            }
        }
        seen[d->unit[k]]++;
        done++;
        if (done < d->counted) continue;
        d->look[d->looks] = k + 1;
        d->share[d->looks++] = 1;
    }
    rs_free(seen);
    return RESHED_OK;
}

static int metric_of(const rs_session_setup *setup, const char *name)
{
    for (int m = 0; m < setup->metrics; m++)
        if (strcmp(setup->metric[m].name, name) == 0) return m;
    return -1;
}

/* The walls of the session's skeleton, which its points were chosen on. */
static reshed_status find_walls(const rs_scan_context *c, rs_found *found, reshed_error *err)
{
    const rs_frame *f = &rs_session_get_setup(c->session)->frame;
    const size_t n = (size_t)f->rows * (size_t)f->cols;
    rs_find_options o;
    uint8_t *mask = rs_zalloc(n, 2);
    if (!mask) return rs_fail_nomem(err, "masks", 2 * n);
    const rs_find_input in = {.grid = {f->rows, f->cols, f->width / f->cols, f->height / f->rows},
                              .skeleton = mask + n,
                              .mask = mask};
    reshed_status st = rs_session_read_mask(c->session, RS_SESSION_BINARY, 0, f->rows, mask, err);
    if (st == RESHED_OK)
        st = rs_session_read_mask(c->session, RS_SESSION_SKELETON, 0, f->rows, mask + n, err);
    rs_find_defaults(&o);
    o.thinning = (rs_find_thinning)(int)c->settings->thinning;
    o.min_wall.value = 0; /* what the choice left out is not on it */
    if (st == RESHED_OK) st = rs_find_walls(&in, &o, found, err);
    rs_free(mask);
    return st;
}

reshed_status rs_decide_create(const rs_scan_context *c, const rs_session_point *p, int n,
                               rs_decide **out, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(c->session);
    *out = NULL;
    if ((int)c->settings->until == RS_SCAN_END || n == 0) return RESHED_OK;
    rs_found found = {0};
    rs_wall_units units = {0};
    rs_decide *d = rs_zalloc(1, sizeof *d);
    if (!d) return rs_fail_nomem(err, "a test of walls", sizeof *d);
    d->context = c;
    d->point = p;
    d->n = n;
    d->width = metric_of(setup, "width_mid");
    d->flags = metric_of(setup, "flags");
    d->unit = rs_alloc((size_t)n, sizeof *d->unit);
    reshed_status st =
        d->unit ? RESHED_OK : rs_fail_nomem(err, "units", (size_t)n * sizeof *d->unit);
    if (st == RESHED_OK && (d->width < 0 || d->flags < 0))
        st = rs_fail(err, RESHED_EUNSUPPORTED, "until|loops with a width|none in the session");
    if (st == RESHED_OK) st = find_walls(c, &found, err);
    if (st == RESHED_OK)
        st = find_units(&found.graph, found.families, c->settings, p, n, d->unit, &units, err);
    d->units = units.n;
    d->longer = units.longer;
    units.longer = NULL;
    for (int i = 0; st == RESHED_OK && i < n; i++) d->counted += d->unit[i] >= 0;
    if (st == RESHED_OK && d->counted == 0)
        st = rs_scan_log(c, RS_SESSION_WARNING,
                         "until: no point lies on a wall that counts; the list goes to its end",
                         err);
    if (st == RESHED_OK) st = place_looks(d, err);
    rs_wall_units_clear(&units);
    rs_found_clear(&found);
    if (st == RESHED_OK)
        *out = d;
    else
        rs_decide_free(d);
    return st;
}

void rs_decide_free(rs_decide *d)
{
    if (!d) return;
    rs_free(d->unit);
    rs_free(d->longer);
    rs_free(d);
}

/* value[n]: widths of the loops of the first k points that are to be trusted, NaN for others. */
static reshed_status read_widths(rs_decide *d, int k, double *value, reshed_error *err)
{
    double metric[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = metric};
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < k; i++) {
        value[i] = NAN;
        if (d->point[i].state != RS_SESSION_MEASURED || d->unit[i] < 0) continue;
        st = rs_session_read_loop(d->context->session, RS_SESSION_POINTS, i, &loop, err);
        const double flags = metric[d->flags];
        if (st == RESHED_OK && flags >= 0 && flags < 4294967296.0 &&
            !((uint32_t)flags & RS_LOOP_BAD))
            value[i] = metric[d->width];
    }
    return st;
}

/* Means of the units at `looks` looks: mean [looks][*units]. For alternation those that have a value at
 * the first look, for lengths all, NaN before they have one. longer [*units]. */
static void take_means(const rs_decide *d, const double *value, int looks, double *sum, int *count,
                       double *mean, uint8_t *longer, int *units)
{
    int at = 0, kept = 0;
    const bool all = kind_of(d->context->settings) == RS_SEQUENTIAL_LENGTHS;
    int *place = count + d->units;
    for (int u = 0; u < d->units; u++) place[u] = -1;
    for (int look = 0; look < looks; look++) {
        for (; at < d->look[look]; at++) {
            if (d->unit[at] < 0 || !isfinite(value[at])) continue;
            sum[d->unit[at]] += value[at];
            count[d->unit[at]]++;
        }
        for (int u = 0; look == 0 && u < d->units; u++) {
            if (count[u] == 0 && !all) continue;
            longer[kept] = d->longer[u];
            place[u] = kept++;
        }
        for (int u = 0; u < d->units; u++)
            if (place[u] >= 0) mean[look * kept + place[u]] = count[u] ? sum[u] / count[u] : NAN;
    }
    *units = kept;
}

static reshed_status test(rs_decide *d, int looks, rs_sequential *out, int *units,
                          reshed_error *err)
{
    const size_t n = (size_t)d->n, u = (size_t)d->units + 1;
    double *value = rs_alloc(n, sizeof *value), *sum = rs_zalloc(u, sizeof *sum);
    double *mean = rs_alloc(u * MOST_LOOKS, sizeof *mean);
    int *count = rs_zalloc(2 * u, sizeof *count);
    uint8_t *longer = rs_zalloc(u, 1);
    reshed_status st = value && sum && mean && count && longer
                           ? RESHED_OK
                           : rs_fail_nomem(err, "means", u * MOST_LOOKS * sizeof *mean);
    *out = (rs_sequential){.found = -1, .p = 1};
    *units = 0;
    if (st == RESHED_OK) st = read_widths(d, d->look[looks - 1], value, err);
    if (st == RESHED_OK) take_means(d, value, looks, sum, count, mean, longer, units);
    if (st == RESHED_OK && *units >= 2)
        st = rs_sequential_test(kind_of(d->context->settings), mean, longer, d->share, *units,
                                looks, d->context->settings->error, PERMUTATIONS, SEED, out, err);
    rs_free(longer);
    rs_free(count);
    rs_free(mean);
    rs_free(sum);
    rs_free(value);
    return st;
}

reshed_status rs_decide_look(rs_decide *d, int k, bool *over, char *why, size_t room,
                             reshed_error *err)
{
    int looks = 0, units;
    rs_sequential r;
    *over = false;
    why[0] = '\0';
    if (!d) return RESHED_OK;
    while (looks < d->looks && d->look[looks] <= k) looks++;
    if (looks == d->tested) return RESHED_OK; /* a list that is resumed catches up here */
    d->tested = looks;
    const bool lengths = kind_of(d->context->settings) == RS_SEQUENTIAL_LENGTHS,
               last = looks == d->looks;
    const reshed_status st = test(d, looks, &r, &units, err);
    if (st != RESHED_OK) return st;
    *over = r.found >= 0 || last;
    if (*over)
        snprintf(why, room,
                 "decided: %s, look %d after %d of %d points, %d walls, p = %.2g, %.2g "
                 "of the error %g spent",
                 r.found >= 0 ? lengths ? "long and short walls differ" : "walls alternate"
                 : lengths    ? "long and short walls are not found to differ"
                              : "walls are not found to alternate",
                 looks, k, d->n, units, r.p, r.level, d->context->settings->error);
    return RESHED_OK;
}
