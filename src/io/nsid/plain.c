#include "io/nsid/plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "base/text.h"
#include "io/common/stack.h"
#include "io/common/units.h"
#include "io/nsid/scale.h"
#include "io/nsid/usid.h"

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The part before the last one into buf[n]. */
static void group_part(const char *path, char *buf, size_t n)
{
    const char *end = strrchr(path, '/'), *start = end;
    while (start && start > path && start[-1] != '/') start--;
    snprintf(buf, n, "%.*s", end ? (int)(end - start) : 0, end ? start : "");
}

reshed_status rs_nsid_plain_list(rs_nsid_file *file, rs_channels *out, int *map, reshed_error *err)
{
    rs_channels list = {0};
    bool images = false;
    for (int k = 0; k < rs_nsid_plain_count(file); k++)
        images = images || rs_nsid_plain_info(file, k)->frames == 1;
    for (int k = 0; k < rs_nsid_plain_count(file); k++) {
        const char *path = rs_nsid_plain_info(file, k)->path, *name = last_part(path);
        rs_channel *c;
        if (images && rs_nsid_plain_info(file, k)->frames > 1) continue;
        for (int i = 0; i < rs_nsid_plain_count(file); i++)
            if (i != k && strcmp(last_part(rs_nsid_plain_info(file, i)->path), name) == 0)
                name = path;
        if (map) map[list.n] = k;
        reshed_status st = rs_channels_add(&list, name, &c, err);
        if (st != RESHED_OK) {
            rs_channels_clear(&list);
            return st;
        }
        rs_nsid_get_text(file, path, "units", c->unit, sizeof c->unit, NULL);
        rs_nsid_get_text(file, path, "quantity", c->alias[0], sizeof c->alias[0], NULL);
        rs_text_copy(c->alias[1], sizeof c->alias[1], last_part(path));
        group_part(path, c->alias[2], sizeof c->alias[2]);
        if (strlen(path) < sizeof c->alias[3]) rs_text_copy(c->alias[3], sizeof c->alias[3], path);
    }
    *out = list;
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- USID */
/* The n coordinates as places of a grid: place[i] of the k-th smallest value is k; *count of them differ.
 * first, last: the smallest and largest. */
static reshed_status find_places(const double *v, int64_t n, int64_t *place, int64_t *count,
                                 double ends[2], reshed_error *err)
{
    double *sorted = rs_alloc((size_t)n, sizeof *sorted);
    if (!sorted) return rs_fail_nomem(err, "the positions", (size_t)n * sizeof *sorted);
    memcpy(sorted, v, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, rs_compare_doubles);
    int64_t k = 0;
    for (int64_t i = 1; i < n; i++)
        if (sorted[i] > sorted[k]) sorted[++k] = sorted[i];
    *count = k + 1;
    ends[0] = sorted[0];
    ends[1] = sorted[k];
    for (int64_t i = 0; i < n; i++) {
        int64_t lo = 0, hi = k;
        while (lo < hi) {
            const int64_t middle = (lo + hi) / 2;
            if (sorted[middle] < v[i])
                lo = middle + 1;
            else
                hi = middle;
        }
        place[i] = lo;
    }
    rs_free(sorted);
    return RESHED_OK;
}

typedef struct grid {
    int64_t *x, *y; /* [n]; owned */
    int64_t nx, ny;
    double xs[2], ys[2];
} grid;

static reshed_status find_grid(const rs_usid_data *d, int x, int y, grid *g, reshed_error *err)
{
    const int64_t n = d->position.n;
    g->x = rs_alloc((size_t)n, sizeof *g->x);
    g->y = rs_alloc((size_t)n, sizeof *g->y);
    if (!g->x || !g->y) return rs_fail_nomem(err, "the positions", (size_t)n * sizeof *g->x);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(d->position.values[x * n + i]) || !isfinite(d->position.values[y * n + i]))
            return rs_fail(err, RESHED_ECORRUPT, "positions of the USID dataset|numbers|others|%s",
                           d->path);
    reshed_status st = find_places(d->position.values + x * n, n, g->x, &g->nx, g->xs, err);
    if (st == RESHED_OK) st = find_places(d->position.values + y * n, n, g->y, &g->ny, g->ys, err);
    if (st == RESHED_OK && (g->nx > n / g->ny || g->nx * g->ny != n))
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "positions of the USID dataset|a full grid|%lld positions, %lld by %lld|%s",
                     (long long)n, (long long)g->ny, (long long)g->nx, d->path);
    return st;
}

static double step_of(const double ends[2], int64_t n, const char *unit, const char *what,
                      rs_image *im)
{
    const double metres = unit[0] ? rs_metres_or_note(unit, what, im) : 0;
    const double step = n > 1 ? (ends[1] - ends[0]) / (double)(n - 1) * metres : 0;
    return isfinite(step) ? step : 0;
}

static reshed_status usid_image(rs_nsid_file *file, const char *path, rs_image *out,
                                reshed_error *err)
{
    rs_usid_data d = {0};
    grid g = {0};
    rs_image im = {0};
    int x = 0, y = 1;
    reshed_status st = rs_usid_read(file, path, &d, err);
    if (st == RESHED_OK && (d.is_complex || d.spectral.n != 1 || d.position.dims < 2))
        st =
            rs_fail(err, RESHED_EUNSUPPORTED, "kind of the USID dataset|an image|spectra|%s", path);
    for (int i = 0; st == RESHED_OK && i < d.position.dims; i++) {
        if (rs_text_same(d.position.label[i], "x", 1)) x = i;
        if (rs_text_same(d.position.label[i], "y", 1)) y = i;
    }
    if (st == RESHED_OK && x == y) y = !x;
    if (st == RESHED_OK) st = find_grid(&d, x, y, &g, err);
    if (st == RESHED_OK) st = rs_image_init(&im, g.ny, g.nx, err);
    if (st != RESHED_OK) goto done;
    im.dx = step_of(g.xs, g.nx, d.position.units[x], "the x axis", &im);
    im.dy = step_of(g.ys, g.ny, d.position.units[y], "the y axis", &im);
    im.x0 = im.dx > 0 ? 0.5 * (g.xs[0] + g.xs[1]) * rs_metres_per(d.position.units[x]) : 0;
    im.y0 = im.dy > 0 ? 0.5 * (g.ys[0] + g.ys[1]) * rs_metres_per(d.position.units[y]) : 0;
    for (int64_t i = 0; i < g.nx * g.ny; i++) im.data[i] = NAN;
    for (int64_t i = 0; i < d.position.n; i++)
        im.data[(im.dy > 0 ? g.ny - 1 - g.y[i] : g.y[i]) * g.nx + g.x[i]] = (float)d.data[i];
    rs_text_copy(im.unit, sizeof im.unit, d.units);
    *out = im;
done:
    rs_usid_data_clear(&d);
    rs_free(g.x);
    rs_free(g.y);
    return st;
}

/* --------------------------------------------------------------------------------------- others */
/* Gives im, whose scale is known, the values as pixels. */
static reshed_status take_values(const float *values, int64_t h, int64_t w,
                                 const rs_nsid_turn *turn, rs_image *im, reshed_error *err)
{
    rs_image made;
    const reshed_status st = rs_image_init(&made, h, w, err);
    if (st != RESHED_OK) return st;
    for (int64_t r = 0; r < h; r++)
        for (int64_t c = 0; c < w; c++) {
            const int64_t row = turn->upwards ? h - 1 - r : r,
                          column = turn->leftwards ? w - 1 - c : c;
            made.data[r * w + c] = values[turn->transposed ? column * h + row : row * w + column];
        }
    im->height = made.height;
    im->width = made.width;
    im->data = made.data;
    return RESHED_OK;
}

reshed_status rs_nsid_plain_image(rs_nsid_file *file, int k, int frame, rs_image *out,
                                  reshed_error *err)
{
    const rs_nsid_plain *p = rs_nsid_plain_info(file, k);
    float *values = NULL;
    rs_image im = {0};
    reshed_status st = rs_stack_choose(p->frames, frame, &frame, err);
    if (st != RESHED_OK || p->usid)
        return st == RESHED_OK ? usid_image(file, p->path, out, err) : st;
    st = rs_nsid_plain_read(file, k, frame, &values, err);
    rs_nsid_turn turn = {0};
    if (st == RESHED_OK) rs_nsid_plain_scale(file, k, &im, &turn);
    const int64_t h = turn.transposed ? p->columns : p->rows,
                  w = turn.transposed ? p->rows : p->columns;
    if (st == RESHED_OK) st = take_values(values, h, w, &turn, &im, err);
    if (st == RESHED_OK) {
        rs_nsid_get_text(file, p->path, "units", im.unit, sizeof im.unit, NULL);
        if (p->frames > 1) {
            im.frame = frame;
            im.frames = (int)p->frames;
        }
        if (p->lacks[0])
            rs_image_note(&im,
                          "%s lacks the attribute '%s' of NSID, so it is read as a plain dataset "
                          "without axes",
                          p->path, p->lacks);
        *out = im;
    }
    rs_free(values);
    return st;
}
