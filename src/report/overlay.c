#include "report/overlay.h"

#include <math.h>

#include "base/alloc.h"
#include "imgproc/image/normalise.h"

/* Points of each state: also told apart by their shape, for printers and colour-blind readers. */
static const struct {
    const char *name;
    rs_render_shape shape;
    uint32_t colour, rim;
} states[RS_REPORT_STATES] = {
    [RS_SESSION_PENDING] = {"pending", RS_RENDER_RINGS, 0xffd400, 0x000000},
    [RS_SESSION_MEASURED] = {"measured", RS_RENDER_DISCS, 0x00b884, 0x000000},
    [RS_SESSION_POINT_LOST] = {"lost", RS_RENDER_CROSSES, 0xff3b1f, 0x000000},
    [RS_SESSION_SKIPPED] = {"skipped", RS_RENDER_RINGS, 0xb0b0b8, 0x000000},
};

uint32_t rs_report_state_colour(rs_session_point_state state)
{
    return states[state].colour;
}

const char *rs_report_state_name(rs_session_point_state state)
{
    return states[state].name;
}

reshed_status rs_report_robust_range(const float *values, size_t n, double *lo, double *hi,
                                     reshed_error *err)
{
    static const double percent[2] = {RS_NORM_ROBUST_LOW, RS_NORM_ROBUST_HIGH};
    double p[2] = {0, 1};
    reshed_status st = rs_finite_percentiles(values, n, percent, p, err);
    if (st != RESHED_OK) return st;
    if (!(p[1] > p[0])) {
        double pad = p[0] != 0 ? 0.01 * fabs(p[0]) : 1;
        p[0] -= pad;
        p[1] += pad;
    }
    *lo = p[0];
    *hi = p[1];
    return RESHED_OK;
}

static rs_render_layer lines(const rs_segments *s, uint32_t colour, double size, double rim)
{
    return (rs_render_layer){.shape = RS_RENDER_SEGMENTS,
                             .x = s->x,
                             .y = s->y,
                             .n = 2 * s->n,
                             .colour = colour,
                             .size = size,
                             .rim_width = rim};
}

rs_render_layer rs_report_contour_layer(const rs_segments *s)
{
    return lines(s, RS_REPORT_CONTOUR_COLOUR, 1, 0);
}

rs_render_layer rs_report_skeleton_layer(const rs_segments *s)
{
    return lines(s, RS_REPORT_SKELETON_COLOUR, 1.6, 0);
}

rs_render_layer rs_report_fresh_layer(const rs_segments *s)
{
    return lines(s, RS_REPORT_FRESH_COLOUR, 8, 0); /* half of it lies outside the map */
}

static bool fresh(const uint8_t *state, int row)
{
    return state[row] == RS_SESSION_PROVISIONAL || state[row] == RS_SESSION_STALE;
}

reshed_status rs_report_fresh_rows(const uint8_t *state, int h, rs_segments *out, reshed_error *err)
{
    size_t n = 2 * (size_t)h;
    rs_segments s = {.x = rs_alloc(n, sizeof *s.x), .y = rs_alloc(n, sizeof *s.y)};
    if (!s.x || !s.y) {
        rs_segments_clear(&s);
        return rs_fail_nomem(err, "marks of rows", 2 * n * sizeof *s.x);
    }
    for (int row = 0; state && row < h; row++) {
        if (!fresh(state, row)) continue;
        int first = row;
        while (row + 1 < h && fresh(state, row + 1)) row++;
        size_t i = 2 * (size_t)s.n++;
        s.x[i] = s.x[i + 1] = -0.5;
        s.y[i] = first;
        s.y[i + 1] = row;
    }
    *out = s;
    return RESHED_OK;
}

reshed_status rs_report_marks_take(const rs_session_point *points, int n, double size,
                                   rs_report_marks *out, reshed_error *err)
{
    rs_report_marks m = {.place = rs_alloc((size_t)n, 2 * sizeof *m.place),
                         .number = rs_alloc((size_t)n, sizeof *m.number)};
    int filled = 0;
    if (!m.place || !m.number) {
        rs_report_marks_clear(&m);
        return rs_fail_nomem(err, "marks of points", (size_t)n * 20);
    }
    for (int state = 0; state < RS_REPORT_STATES; state++) {
        rs_render_layer l = {.shape = states[state].shape,
                             .x = m.place + filled,
                             .y = m.place + n + filled,
                             .colour = states[state].colour,
                             .rim = states[state].rim,
                             .size = size,
                             .rim_width = 1,
                             .number = m.number + filled};
        for (int i = 0; i < n; i++) {
            if ((int)points[i].state != state) continue;
            m.place[filled] = points[i].col;
            m.place[n + filled] = points[i].row;
            m.number[filled++] = i + 1;
            l.n++;
        }
        if (l.n) m.layer[m.layers++] = l;
    }
    *out = m;
    return RESHED_OK;
}

void rs_report_marks_clear(rs_report_marks *m)
{
    rs_free(m->place);
    rs_free(m->number);
    *m = (rs_report_marks){0};
}
