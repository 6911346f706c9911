#include "report/wall_data.h"

#include <string.h>

#include "base/alloc.h"
#include "report/recipe.h"

void rs_report_walls_clear(rs_report_walls_data *w)
{
    rs_found_clear(&w->found);
    rs_wall_tests_clear(&w->stats);
}

/* From the map as the scan did. A session whose skeleton is another one (of an older program, or
 * put there by a script) has the walls of that. */
static reshed_status find_walls(rs_report_walls_data *w, uint8_t *rows, double family_angle,
                                reshed_error *err)
{
    const rs_report_data *d = w->d;
    const uint8_t *skeleton = d->mask[RS_SESSION_SKELETON];
    rs_find_options options;
    rs_find_input in = {.grid = w->grid,
                        .map = d->map[RS_SESSION_MEAN],
                        .variance = d->map[RS_SESSION_VARIANCE],
                        .amplitude = d->map[RS_SESSION_AMPLITUDE],
                        .wall_rows = rows};
    rs_report_recipe(d->setup, &options);
    options.family_angle = family_angle;
    for (int r = 0; r < d->rows; r++) rows[r] = d->state[r] == RS_SESSION_FINAL;
    reshed_status st = rs_find_walls(&in, &options, &w->found, err);
    if (st != RESHED_OK ||
        memcmp(w->found.graph.skeleton, skeleton, (size_t)d->rows * (size_t)d->cols) == 0)
        return st;
    rs_found_clear(&w->found);
    w->recorded = true;
    in.skeleton = skeleton;
    in.mask = d->has_mask[RS_SESSION_BINARY] ? d->mask[RS_SESSION_BINARY] : NULL;
    options.min_wall.value = 0;
    return rs_find_walls(&in, &options, &w->found, err);
}

/* Tests the metric of the part's role on the walls that the points lie on. */
static reshed_status test_points(rs_report_walls_data *w, const rs_wall_tests_options *options,
                                 reshed_error *err)
{
    const rs_report_data *d = w->d;
    const size_t points = (size_t)d->progress.points;
    rs_place *place = rs_alloc(points, sizeof *place);
    int *kind = rs_alloc(points, sizeof *kind);
    reshed_status st = RESHED_OK;
    if (!place || !kind) st = rs_fail_nomem(err, "the places of points", points * sizeof *place);
    for (size_t k = 0; k < points && st == RESHED_OK; k++) {
        place[k] = (rs_place){d->point[k].row, d->point[k].col};
        kind[k] = rs_report_kind(&d->point[k]);
    }
    if (st == RESHED_OK)
        st = rs_wall_tests_places(&w->found.graph, options, place, kind,
                                  rs_report_metric(d, w->role), (int)points, &w->stats, err);
    rs_free(place);
    rs_free(kind);
    return st;
}

reshed_status rs_report_walls_take(const rs_report_data *d, rs_report_walls_data *w,
                                   reshed_error *err)
{
    const double dx = d->dx > 0 ? d->dx : 1, dy = d->dx > 0 ? d->dy : 1;
    *w = (rs_report_walls_data){
        .d = d, .role = RS_REPORT_ROLES, .grid = {d->rows, d->cols, dx, dy}, .sized = d->dx > 0};
    for (int r = 0; r < RS_REPORT_ROLES && w->role == RS_REPORT_ROLES; r++)
        if (rs_report_metric(d, (rs_report_role)r)) w->role = (rs_report_role)r;
    rs_wall_tests_options tests;
    rs_wall_tests_defaults(&w->grid, &tests);
    uint8_t *rows = rs_alloc((size_t)d->rows, 1);
    if (!rows) return rs_fail_nomem(err, "rows", (size_t)d->rows);
    reshed_status st = find_walls(w, rows, tests.family_angle, err);
    rs_free(rows);
    if (st == RESHED_OK && w->role < RS_REPORT_ROLES && d->trusted_loops > 0)
        st = test_points(w, &tests, err);
    return st;
}
