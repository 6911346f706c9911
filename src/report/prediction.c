#include "report/maps.h"
#include "report/sections.h"

static void put_walls(rs_page *p, const rs_report_data *d, const rs_report_fresh *marks)
{
    rs_segments contour = {0}, skeleton = {0};
    reshed_error err = {0};
    if (!rs_page_sound(p)) return;
    reshed_status st = rs_contour(d->map[RS_SESSION_MEAN], d->rows, d->cols, 0.5, &contour, &err);
    if (st == RESHED_OK)
        st = rs_skeleton_segments(d->mask[RS_SESSION_SKELETON], d->rows, d->cols, &skeleton, &err);
    rs_page_fail(p, st, &err);
    if (st == RESHED_OK) {
        rs_render_layer layer[] = {marks->layer, rs_report_contour_layer(&contour),
                                   rs_report_skeleton_layer(&skeleton)};
        layer[1].size = 2; /* the picture is shown reduced */
        layer[2].size = 2.4;
        rs_report_overlay(
            p, d, layer, 3, RS_REPORT_SMALL,
            d->has_mask[RS_SESSION_SKELETON]
                ? "Walls over the amplitude: contour at probability 0.5 (yellow), skeleton "
                  "(red)"
                : "Walls over the amplitude: contour at probability 0.5 (yellow)");
    }
    rs_segments_clear(&contour);
    rs_segments_clear(&skeleton);
}

static void put_row_states(rs_page *p, const rs_report_data *d)
{
    int unscanned = d->rows - d->final_rows - d->fresh_rows;
    if (d->final_rows == d->rows) return;
    rs_page_format(p, "<p>Rows of the prediction: %d final", d->final_rows);
    if (d->fresh_rows)
        rs_page_format(p, ", %d may still change (orange bar at the left edge of the maps)",
                       d->fresh_rows);
    if (unscanned) rs_page_format(p, ", %d not scanned", unscanned);
    rs_page_raw(p, ".</p>\n");
}

void rs_report_prediction(rs_page *p, const rs_report_data *d)
{
    rs_report_fresh marks = {0};
    rs_page_raw(p, "<h2>Walls</h2>\n");
    if (!d->has_map[RS_SESSION_MEAN]) {
        rs_page_raw(p, "<p class=\"none\">There is no prediction yet.</p>\n");
        return;
    }
    rs_report_fresh_take(p, d, &marks);
    const rs_render_options o = rs_report_map_options(d, &marks.layer, 1);
    rs_page_raw(p, "<div class=\"row\">\n");
    rs_report_map(p, d, RS_SESSION_MEAN, 0, 1, RS_MAP_VIRIDIS, "wall probability", "", &o,
                  "Wall probability, mean of the ensemble");
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    if (rs_page_sound(p) && d->has_map[RS_SESSION_VARIANCE]) {
        reshed_status st =
            rs_render_variance(d->map[RS_SESSION_VARIANCE], d->rows, d->cols, &o, &picture, &err);
        rs_page_fail(p, st, &err);
        if (st == RESHED_OK)
            rs_report_map_picture(p, d, &picture,
                                  "Variance of the ensemble: where its members disagree");
    }
    rs_rgb8_clear(&picture);
    put_walls(p, d, &marks);
    rs_page_raw(p, "</div>\n");
    put_row_states(p, d);
    rs_segments_clear(&marks.rows);
}
