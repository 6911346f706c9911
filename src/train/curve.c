#include "train/curve.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/figures/plot.h"

reshed_status rs_curve_add(rs_curve *c, const rs_curve_point *p, reshed_error *err)
{
    if (c->n == c->room) {
        const int room = 2 * c->room + 16;
        rs_curve_point *grown = rs_regrow(c->point, (size_t)c->n, (size_t)room, sizeof *c->point);
        if (!grown) return rs_fail_nomem(err, "a curve", (size_t)room * sizeof *c->point);
        c->point = grown;
        c->room = room;
    }
    c->point[c->n++] = *p;
    return RESHED_OK;
}

void rs_curve_clear(rs_curve *c)
{
    rs_free(c->point);
    *c = (rs_curve){0};
}

/* One line of a panel, in x, y [c->n]: the loss, or F where it was taken. */
static void add_line(rs_panel *panel, const rs_curve *c, bool f, int member, const char *label,
                     double *x, double *y)
{
    size_t n = 0;
    for (int i = 0; i < c->n; i++) {
        const double v = f ? c->point[i].f : c->point[i].loss;
        if (!isfinite(v)) continue;
        x[n] = (double)c->point[i].step;
        y[n++] = v;
    }
    const rs_style style = {.colour = rs_series_colour(member), .width = 1.5};
    if (n > 0) rs_panel_line(panel, x, y, n, &style, label);
}

reshed_status rs_curve_figure(const rs_curve *curve, int members, int width, int height,
                              rs_figure **out, reshed_error *err)
{
    rs_figure *f = NULL;
    int most = 1;
    for (int i = 0; i < members; i++) most = rs_max_int(most, curve[i].n);
    double *x = rs_alloc((size_t)most, 2 * sizeof *x);
    if (!x) return rs_fail_nomem(err, "a curve", (size_t)most * 16);
    reshed_status st = rs_figure_create(width, height, 1, 2, &f, err);
    for (int k = 0; st == RESHED_OK && k < 2; k++) {
        rs_panel *p = rs_figure_panel(f, 0, k, 1, 1);
        rs_panel_title(p, k ? "Edge score" : "Loss");
        rs_panel_x_axis(p, "Step", "");
        rs_panel_y_axis(p, k ? "F, simulated frames" : "Cross-entropy + Dice", "");
        rs_panel_grid(p);
        for (int i = 0; i < members; i++) {
            char label[32];
            snprintf(label, sizeof label, "member %d", i);
            add_line(p, &curve[i], k == 1, i, k == 0 && members <= 7 ? label : NULL, x, x + most);
        }
    }
    rs_free(x);
    if (st == RESHED_OK)
        *out = f;
    else
        rs_figure_free(f);
    return st;
}
