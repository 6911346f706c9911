#include "report/reliability.h"

#include <stdio.h>

#include "imgproc/figures/plot.h"
#include "report/save.h"

reshed_status rs_report_reliability(const char *path, const rs_calibration *c, const char *title,
                                    reshed_error *err)
{
    static const double corner[2] = {0, 1};
    rs_figure *f = NULL;
    char note[128];
    reshed_status st = rs_figure_create(560, 560, 1, 1, &f, err);
    if (st != RESHED_OK) return st;
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    if (title) rs_panel_title(p, title);
    rs_panel_x_axis(p, "Predicted wall probability", NULL);
    rs_panel_y_axis(p, "Share of true wall pixels", NULL);
    rs_panel_x_limits(p, 0, 1);
    rs_panel_y_limits(p, 0, 1);
    rs_panel_equal_aspect(p);
    rs_panel_grid(p);
    rs_panel_line(p, corner, corner, 2,
                  &(rs_style){.colour = RS_GREY, .width = 1.5, .dash = RS_DASHED}, "perfect");
    rs_panel_line(p, c->confidence, c->accuracy, (size_t)c->bins,
                  &(rs_style){.colour = RS_BLUE, .width = 2, .marker = RS_MARKER_DISC},
                  "bins of equal mass");
    snprintf(note, sizeof note, "calibration error %.3f\n%lld pixels within %g of a wall", c->ece,
             (long long)c->pixels, RS_SCORE_NEAR);
    rs_panel_note(p, note);
    return rs_report_save_figure(st, f, path, err);
}
