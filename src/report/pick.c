/* The loop of the point that is pointed at: one drawing over the picture of the amplitude, with a dot and a loop for each
 * point, of which style sheets show the one under the mouse or with the focus. The report stays a file without a script. */
#include "report/sections.h"

#include <math.h>

#include "report/maps.h"

enum {
    WIDE = 1100, /* of the drawing, in its own units; the picture has the left PICTURE of them */
    PICTURE = 540,
    LEFT = 640, /* of the axes */
    RIGHT = 1085,
    TOP = 30,
    UNDER = 45,   /* below them */
    LOW = 380,    /* the least height */
    MANY = 200000 /* samples in all: some megabytes of page */
};

typedef struct axes {
    double x0, x1, y0, y1; /* values at the ends */
    double bottom;
} axes;

static double place_x(const axes *a, double v)
{
    return LEFT + (v - a->x0) / (a->x1 - a->x0) * (RIGHT - LEFT);
}

static double place_y(const axes *a, double v)
{
    return a->bottom - (v - a->y0) / (a->y1 - a->y0) * (a->bottom - TOP);
}

static void widen(double v, double *lo, double *hi)
{
    if (!isfinite(v)) return;
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
}

/* False when there is nothing to draw axes for. */
static bool find_axes(const rs_report_data *d, double height, axes *a)
{
    double lo = INFINITY, hi = -INFINITY;
    *a = (axes){.x0 = INFINITY, .x1 = -INFINITY, .bottom = height - UNDER};
    for (int i = 0; i < d->steps; i++) widen(d->setup->spectroscopy.voltage[i], &a->x0, &a->x1);
    for (int k = 0; k < d->progress.points; k++)
        for (int i = 0; d->loop[k] && i < d->steps; i++)
            widen(d->response[(size_t)k * (size_t)d->steps + (size_t)i], &lo, &hi);
    a->y0 = lo - 0.04 * (hi - lo);
    a->y1 = hi + 0.04 * (hi - lo);
    return a->x1 > a->x0 && a->y1 > a->y0 && isfinite(a->x1 - a->x0) && isfinite(a->y1 - a->y0);
}

static void put_text(rs_page *p, double x, double y, const char *anchor, double v, const char *unit)
{
    rs_page_format(p, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    rs_page_quantity(p, v, 3, unit);
    rs_page_raw(p, "</text>");
}

static void put_axes(rs_page *p, const rs_report_data *d, const axes *a)
{
    rs_page_format(p, "<path class=\"axes\" d=\"M%d %d V%.1f H%d", LEFT, TOP, a->bottom, RIGHT);
    if (a->x0 < 0 && a->x1 > 0) rs_page_format(p, " M%.1f %d V%.1f", place_x(a, 0), TOP, a->bottom);
    if (a->y0 < 0 && a->y1 > 0) rs_page_format(p, " M%d %.1f H%d", LEFT, place_y(a, 0), RIGHT);
    rs_page_raw(p, "\"/>");
    put_text(p, LEFT, a->bottom + 18, "start", a->x0, "V");
    put_text(p, RIGHT, a->bottom + 18, "end", a->x1, "V");
    put_text(p, LEFT - 6, a->bottom, "end", a->y0, d->response_unit);
    put_text(p, LEFT - 6, TOP + 8, "end", a->y1, d->response_unit);
    rs_page_format(p, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">Bias</text>",
                   (LEFT + RIGHT) / 2, a->bottom + 18);
}

/* y [steps]: parts with values are lines. */
static void put_path(rs_page *p, const rs_report_data *d, const axes *a, const double *y)
{
    const double *volt = d->setup->spectroscopy.voltage;
    const int last = d->steps - 1;
    bool pen = false, whole = true;
    rs_page_raw(p, "<path d=\"");
    for (int i = 0; i < d->steps; i++) {
        const double v = volt[i];
        const bool there = isfinite(v) && isfinite(y[i]);
        whole &= there;
        if (there)
            rs_page_format(p, "%c%.1f %.1f", pen ? 'L' : 'M', place_x(a, v), place_y(a, y[i]));
        pen = there;
    }
    /* A cycle that ends one step before where it began is a closed line. */
    if (whole && last > 2 && fabs(volt[0] - volt[last]) < 1.5 * fabs(volt[1] - volt[0]))
        rs_page_raw(p, "Z");
    rs_page_raw(p, "\"/>");
}

/* What the ensemble says of the pixel: mean and standard deviation of its members. */
static void put_certainty(rs_page *p, const rs_report_data *d, const rs_session_point *at)
{
    const int row = (int)at->row, col = (int)at->col;
    if (row < 0 || row >= d->rows || col < 0 || col >= d->cols) return;
    const size_t i = (size_t)row * (size_t)d->cols + (size_t)col;
    const double mean = (double)d->map[RS_SESSION_MEAN][i],
                 variance = (double)d->map[RS_SESSION_VARIANCE][i];
    if (!isfinite(mean)) return;
    rs_page_format(p, ", wall probability %.2f", mean);
    if (variance >= 0) rs_page_format(p, " &#177; %.2f", sqrt(variance));
}

static void put_point(rs_page *p, const rs_report_data *d, const axes *a, double height, int k)
{
    const rs_session_point *at = &d->point[k];
    const double *width = rs_report_metric(d, RS_REPORT_WIDTH);
    const double x = (at->col + 0.5) / d->cols * PICTURE, y = (at->row + 0.5) / d->rows * height;
    if (!isfinite(x) || !isfinite(y)) return;
    rs_page_format(p, "<g class=\"pt%s\" tabindex=\"0\"><circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>",
                   d->trusted[k] ? "" : " no", x, y);
    put_path(p, d, a, d->response + (size_t)k * (size_t)d->steps);
    rs_page_format(p, "<text class=\"name\" x=\"%d\" y=\"18\">point %d", LEFT, k + 1);
    if (at->wall >= 0) rs_page_format(p, ", wall %d", at->wall + 1);
    if (width && isfinite(width[k])) {
        rs_page_raw(p, ", loop width ");
        rs_page_quantity(p, width[k], 3, "V");
    }
    put_certainty(p, d, at);
    if (!d->trusted[k]) rs_page_raw(p, ", not trusted");
    rs_page_raw(p, "</text></g>\n");
}

void rs_report_pick(rs_page *p, const rs_report_data *d)
{
    rs_rgb8 picture = {0};
    rs_render_options o = rs_report_map_options(d, NULL, 0);
    reshed_error err = {0};
    double lo, hi;
    axes a;
    const double samples = (double)d->progress.points * d->steps;
    if (d->loops == 0 || d->rows < 1 || d->cols < 1 || samples > MANY || !rs_page_sound(p)) return;
    o.colour_bar = false;
    o.min_width = RS_REPORT_LARGE_PIXELS;
    if (!rs_report_map_range(p, d, RS_SESSION_AMPLITUDE, &lo, &hi)) return;
    rs_page_fail(p,
                 rs_render_map(d->map[RS_SESSION_AMPLITUDE], d->rows, d->cols, lo, hi, RS_MAP_GREY,
                               "", "", &o, &picture, &err),
                 &err);
    if (!rs_page_sound(p)) return;
    const double height = (double)PICTURE * picture.height / picture.width;
    const double drawn = fmax(height, LOW);
    if (find_axes(d, drawn, &a)) {
        rs_page_raw(
            p, "<h3>Loop of each point</h3>\n<p class=\"lead\">Point at a dot, touch it, or step "
               "through them with the Tab key.</p>\n");
        rs_page_format(p, "<div class=\"pick\" style=\"aspect-ratio:%d/%.0f\">", WIDE, drawn);
        rs_page_picture(p, &picture, PICTURE, NULL);
        rs_page_format(
            p, "<svg viewBox=\"0 0 %d %.0f\" role=\"group\" aria-label=\"Loops by point\">\n", WIDE,
            drawn);
        put_axes(p, d, &a);
        for (int k = 0; k < d->progress.points; k++)
            if (d->loop[k]) put_point(p, d, &a, height, k);
        rs_page_raw(p, "</svg></div>\n");
    }
    rs_rgb8_clear(&picture);
}
