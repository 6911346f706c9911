#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/overlay.h"
#include "report/part.h"

#define PI 3.14159265358979323846

enum {
    SMALL = 560,        /* CSS pixels of a map without a colour bar, two beside each other */
    MAP = 440,          /* of a map beside its colour bar */
    LARGE = 860,        /* of the map of points */
    LARGE_PIXELS = 768, /* of the picture behind it */
    MANY_POINTS = 120   /* from here on only every fifth or tenth has its number */
};

/* Marks of rows that may still change lie on every map. */
typedef struct frame_marks {
    rs_segments rows;
    rs_render_layer layer;
} frame_marks;

static bool ready(const scan_page *p)
{
    return p->failure.status == RESHED_OK;
}

static rs_render_options options_of(const scan_data *d, const rs_render_layer *layer, int layers)
{
    rs_render_options o;
    rs_render_options_defaults(&o);
    o.dx = d->dx;
    o.dy = d->dy;
    o.layer = layer;
    o.layers = layers;
    return o;
}

/* Maps are equally large whatever their colour bars take. */
static int css_width(const scan_data *d, const rs_rgb8 *picture)
{
    double ratio = d->dx > 0 ? d->rows * d->dy / (d->cols * d->dx) : (double)d->rows / d->cols;
    double width = MAP * ratio * picture->width / picture->height;
    return (int)fmin(fmax(width, 200), SMALL);
}

static void put_map(scan_page *p, const scan_data *d, rs_session_map map, double lo, double hi,
                    rs_colour_map colours, const char *name, const char *unit,
                    const rs_render_options *o, const char *caption)
{
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    if (!ready(p)) return;
    reshed_status st = rs_render_map(d->map[map], d->rows, d->cols, lo, hi, colours, name, unit, o,
                                     &picture, &err);
    scan_page_fail(p, st, &err);
    if (st == RESHED_OK) scan_page_picture(p, &picture, css_width(d, &picture), caption);
    rs_rgb8_clear(&picture);
}

static bool robust(scan_page *p, const scan_data *d, rs_session_map map, double *lo, double *hi)
{
    reshed_error err = {0};
    reshed_status st =
        scan_robust_range(d->map[map], (size_t)d->rows * (size_t)d->cols, false, lo, hi, &err);
    scan_page_fail(p, st, &err);
    return st == RESHED_OK;
}

/* The unit of the amplitude that the network sees: volts of a fit, else the channel's. */
static const char *amplitude_unit(const scan_data *d)
{
    const rs_driver_caps *c = &d->setup->caps;
    if (c->bins > 0) return "V";
    for (int i = 0; i < c->channels; i++)
        if (strstr(c->channel[i], "mplitude")) return c->unit[i];
    return "";
}

static void take_marks(scan_page *p, const scan_data *d, frame_marks *m)
{
    reshed_error err = {0};
    scan_page_fail(p, scan_fresh_rows(d->state, d->rows, &m->rows, &err), &err);
    m->layer = scan_fresh_layer(&m->rows);
}

/* ------------------------------------------------------------------------------------- channels */
void scan_report_channels(scan_page *p, const scan_data *d)
{
    static const struct {
        rs_session_map map;
        const char *name, *unit, *caption;
        rs_colour_map colours;
    } channel[] = {
        {RS_SESSION_AMPLITUDE, "amplitude", NULL, "Amplitude", RS_MAP_GREY},
        {RS_SESSION_FREQUENCY, "resonance frequency", "Hz", "Resonance frequency", RS_MAP_VIRIDIS},
        {RS_SESSION_Q, "Q", "", "Quality factor", RS_MAP_VIRIDIS},
        {RS_SESSION_PHASE, "phase", "rad", "Phase", RS_MAP_CYCLIC},
    };
    frame_marks marks = {0};
    int shown = 0;
    scan_page_raw(p, "<h2>Channels</h2>\n");
    take_marks(p, d, &marks);
    const rs_render_options o = options_of(d, &marks.layer, 1);
    for (size_t i = 0; ready(p) && i < sizeof channel / sizeof *channel; i++) {
        rs_session_map map = channel[i].map;
        double lo = -PI, hi = PI;
        if (!d->has_map[map]) continue;
        if (map != RS_SESSION_PHASE && !robust(p, d, map, &lo, &hi)) break;
        if (!shown++) scan_page_raw(p, "<div class=\"row\">\n");
        put_map(p, d, map, lo, hi, channel[i].colours, channel[i].name,
                channel[i].unit ? channel[i].unit : amplitude_unit(d), &o, channel[i].caption);
    }
    if (shown)
        scan_page_raw(p, "</div>\n<p>Colours span the percentiles 0.5 to 99.5 of the map. Grey: "
                         "not measured.</p>\n");
    else
        scan_page_raw(p, "<p class=\"none\">No line has been processed yet.</p>\n");
    rs_segments_clear(&marks.rows);
}

/* ----------------------------------------------------------------------------------- prediction */
/* What is drawn over the amplitude; without one, over neutral grey. */
static void put_overlay(scan_page *p, const scan_data *d, const rs_render_layer *layer, int layers,
                        int least_width, int width, const char *caption)
{
    rs_render_options o = options_of(d, layer, layers);
    double lo, hi;
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    o.colour_bar = false;
    o.min_width = least_width;
    if (!ready(p) || !robust(p, d, RS_SESSION_AMPLITUDE, &lo, &hi)) return;
    reshed_status st = rs_render_map(d->map[RS_SESSION_AMPLITUDE], d->rows, d->cols, lo, hi,
                                     RS_MAP_GREY, "", "", &o, &picture, &err);
    scan_page_fail(p, st, &err);
    if (st == RESHED_OK) scan_page_picture(p, &picture, width, caption);
    rs_rgb8_clear(&picture);
}

static void put_walls(scan_page *p, const scan_data *d, const frame_marks *marks)
{
    rs_segments contour = {0}, skeleton = {0};
    reshed_error err = {0};
    if (!ready(p)) return;
    reshed_status st = rs_contour(d->map[RS_SESSION_MEAN], d->rows, d->cols, 0.5, &contour, &err);
    if (st == RESHED_OK)
        st = rs_skeleton_segments(d->mask[RS_SESSION_SKELETON], d->rows, d->cols, &skeleton, &err);
    scan_page_fail(p, st, &err);
    if (st == RESHED_OK) {
        rs_render_layer layer[] = {marks->layer, scan_contour_layer(&contour),
                                   scan_skeleton_layer(&skeleton)};
        layer[1].size = 2; /* the picture is shown reduced */
        layer[2].size = 2.4;
        put_overlay(p, d, layer, 3, LARGE_PIXELS, SMALL,
                    d->has_mask[RS_SESSION_SKELETON]
                        ? "Walls over the amplitude: contour at probability 0.5 (yellow), skeleton "
                          "(red)"
                        : "Walls over the amplitude: contour at probability 0.5 (yellow)");
    }
    rs_segments_clear(&contour);
    rs_segments_clear(&skeleton);
}

static void put_row_states(scan_page *p, const scan_data *d)
{
    int unscanned = d->rows - d->final_rows - d->fresh_rows;
    if (d->final_rows == d->rows) return;
    scan_page_format(p, "<p>Rows of the prediction: %d final", d->final_rows);
    if (d->fresh_rows)
        scan_page_format(p, ", %d may still change (orange bar at the left edge of the maps)",
                         d->fresh_rows);
    if (unscanned) scan_page_format(p, ", %d not scanned", unscanned);
    scan_page_raw(p, ".</p>\n");
}

void scan_report_prediction(scan_page *p, const scan_data *d)
{
    frame_marks marks = {0};
    scan_page_raw(p, "<h2>Walls</h2>\n");
    if (!d->has_map[RS_SESSION_MEAN]) {
        scan_page_raw(p, "<p class=\"none\">There is no prediction yet.</p>\n");
        return;
    }
    take_marks(p, d, &marks);
    const rs_render_options o = options_of(d, &marks.layer, 1);
    scan_page_raw(p, "<div class=\"row\">\n");
    put_map(p, d, RS_SESSION_MEAN, 0, 1, RS_MAP_VIRIDIS, "wall probability", "", &o,
            "Wall probability, mean of the ensemble");
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    if (ready(p) && d->has_map[RS_SESSION_VARIANCE]) {
        reshed_status st =
            rs_render_variance(d->map[RS_SESSION_VARIANCE], d->rows, d->cols, &o, &picture, &err);
        scan_page_fail(p, st, &err);
        if (st == RESHED_OK)
            scan_page_picture(p, &picture, css_width(d, &picture),
                              "Variance of the ensemble: where its members disagree");
    }
    rs_rgb8_clear(&picture);
    put_walls(p, d, &marks);
    scan_page_raw(p, "</div>\n");
    put_row_states(p, d);
    rs_segments_clear(&marks.rows);
}

/* --------------------------------------------------------------------------------------- points */
/* A legend entry drawn like the marks of the picture. */
static void put_key(scan_page *p, rs_session_point_state state, int n)
{
    unsigned colour = (unsigned)scan_state_colour(state);
    if (!n) return;
    scan_page_raw(p, "<span><svg width=\"14\" height=\"14\" viewBox=\"0 0 14 14\">");
    if (state == RS_SESSION_MEASURED)
        scan_page_format(p, "<circle cx=\"7\" cy=\"7\" r=\"5\" fill=\"#%06x\" stroke=\"#000\"/>",
                         colour);
    else if (state == RS_SESSION_POINT_LOST)
        for (int i = 0; i < 2; i++)
            scan_page_format(p,
                             "<path d=\"M3 3L11 11M3 11L11 3\" stroke=\"#%06x\" "
                             "stroke-width=\"%d\" stroke-linecap=\"round\"/>",
                             i ? colour : 0, i ? 2 : 4);
    else
        for (int i = 0; i < 2; i++)
            scan_page_format(p,
                             "<circle cx=\"7\" cy=\"7\" r=\"4.5\" fill=\"none\" "
                             "stroke=\"#%06x\" stroke-width=\"%d\"/>",
                             i ? colour : 0, i ? 2 : 4);
    scan_page_format(p, "</svg>%s (%d)</span>", scan_state_name(state), n);
}

/* The way from point to point. */
static reshed_status route(const scan_data *d, rs_segments *out, reshed_error *err)
{
    int n = d->progress.points;
    rs_segments s = {.x = rs_alloc(2 * (size_t)n, sizeof *s.x),
                     .y = rs_alloc(2 * (size_t)n, sizeof *s.y)};
    if (!s.x || !s.y) {
        rs_segments_clear(&s);
        return rs_fail_nomem(err, "a route", 4 * (size_t)n * sizeof *s.x);
    }
    for (int i = 0; i + 1 < n; i++)
        for (int k = 0; k < 2; k++) {
            s.x[2 * i + k] = d->point[i + k].col;
            s.y[2 * i + k] = d->point[i + k].row;
            s.n = i + 1;
        }
    *out = s;
    return RESHED_OK;
}

static void put_points(scan_page *p, const scan_data *d)
{
    int n = d->progress.points, each = n < MANY_POINTS ? 1 : n < 4 * MANY_POINTS ? 5 : 10;
    scan_marks marks = {0};
    rs_segments way = {0};
    reshed_error err = {0};
    reshed_status st = scan_marks_take(d->point, n, n < MANY_POINTS ? 15 : 11, &marks, &err);
    if (st == RESHED_OK) st = route(d, &way, &err);
    scan_page_fail(p, st, &err);
    if (st == RESHED_OK) {
        char caption[160];
        rs_render_layer layer[SCAN_STATES + 1] = {{.shape = RS_RENDER_SEGMENTS,
                                                   .x = way.x,
                                                   .y = way.y,
                                                   .n = 2 * way.n,
                                                   .colour = 0xffffff,
                                                   .size = 1.5}};
        for (int i = 0; i < n; i++)
            if (marks.number[i] != 1 && marks.number[i] % each) marks.number[i] = 0;
        memcpy(layer + 1, marks.layer, (size_t)marks.layers * sizeof *layer);
        snprintf(caption, sizeof caption,
                 "Points over the amplitude, %s in the order of measurement (white line)",
                 each == 1   ? "numbered"
                 : each == 5 ? "every fifth numbered"
                             : "every tenth numbered");
        put_overlay(p, d, layer, marks.layers + 1, LARGE_PIXELS, LARGE, caption);
    }
    scan_marks_clear(&marks);
    rs_segments_clear(&way);
}

void scan_report_points(scan_page *p, const scan_data *d)
{
    scan_page_raw(p, "<h2>Points</h2>\n");
    if (d->progress.points == 0) {
        scan_page_raw(p, d->setup->spectroscopy.steps > 0
                             ? "<p class=\"none\">No points have been chosen yet.</p>\n"
                             : "<p class=\"none\">No points: this session has no "
                               "spectroscopy.</p>\n");
        return;
    }
    if (ready(p)) put_points(p, d);
    scan_page_raw(p, "<p class=\"key\">");
    for (int s = 0; s < SCAN_STATES; s++) put_key(p, (rs_session_point_state)s, d->of_state[s]);
    scan_page_raw(p, "</p>\n");
}
