/* Figures: the layout is checked as numbers, the drawing as pixels at places that the layout
 * names. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/figures/canvas.h"
#include "imgproc/figures/plot.h"
#include "imgproc/figures/plot_ink.h"
#include "imgproc/figures/plot_layout.h"

static rs_figure *figure(int width, int height, int rows, int columns)
{
    rs_figure *f = NULL;
    reshed_error err = {0};
    assert_ok(rs_figure_create(width, height, rows, columns, &f, &err), &err);
    return f;
}

static rs_rgb8 drawn(rs_figure *f)
{
    rs_rgb8 p = {0};
    reshed_error err = {0};
    assert_ok(rs_figure_draw(f, &p, &err), &err);
    assert_int_equal(p.width, f->width);
    assert_int_equal(p.height, f->height);
    return p;
}

/* place[f->n]; returns the font size. */
static double laid_out(rs_figure *f, rs_plot_place *place)
{
    static const double none[64];
    rs_canvas c = {0};
    double font = 0;
    reshed_error err = {0};
    assert_ok(rs_canvas_open(&c, 1, 1, 1, &err), &err);
    assert_ok(rs_plot_layout(f, &c, none, place, &font, &err), &err);
    rs_canvas_close(&c);
    return font;
}

static double px(const rs_plot_place *q, double x)
{
    return q->box.x + (x - q->x_lo) / (q->x_hi - q->x_lo) * q->box.w;
}

static double py(const rs_plot_place *q, double y)
{
    return q->box.y + (q->y_hi - y) / (q->y_hi - q->y_lo) * q->box.h;
}

static bool close_to(const rs_rgb8 *p, double x, double y, uint32_t rgb, int tolerance)
{
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    const uint8_t *c = p->data + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    return abs(c[0] - (int)(rgb >> 16)) <= tolerance &&
           abs(c[1] - (int)(rgb >> 8 & 255)) <= tolerance &&
           abs(c[2] - (int)(rgb & 255)) <= tolerance;
}

/* -------------------------------------------------------------------------------------- layout */

static void frames_do_not_meet_and_labels_have_room(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int k = 0; k < 40; k++) {
        int rows = 1 + (int)test_below(&r, 3), columns = 1 + (int)test_below(&r, 3);
        rs_figure *f =
            figure(700 + (int)test_below(&r, 600), 500 + (int)test_below(&r, 500), rows, columns);
        rs_plot_place q[9];
        rs_canvas c = {0};
        double size = pow(10, test_uniform(&r, -12, 8));
        if (k % 2) rs_figure_title(f, "A title");
        for (int i = 0; i < rows * columns; i++) {
            double x[2] = {test_uniform(&r, -1, 1) * size, test_uniform(&r, 1.01, 3) * size};
            double y[2] = {test_gauss(&r) / size, test_gauss(&r) / size};
            const float v[4] = {1, 2, 3, 4};
            rs_panel *p = rs_figure_panel(f, i / columns, i % columns, 1, 1);
            rs_panel_title(p, "Panel");
            rs_panel_x_axis(p, "x", i % 2 ? "m" : "a.u.");
            rs_panel_y_axis(p, "y", i % 3 ? "V" : "");
            rs_panel_line(p, x, y, 2, &(rs_style){.width = 1}, "series");
            if (i % 4 == 3)
                rs_panel_image(p, v, 2, 2, 0, 1, 0, 2,
                               &(rs_colour_scale){.name = "value", .unit = "V"});
        }
        double font = laid_out(f, q);
        rs_text t = {.size = font};
        assert_ok(rs_canvas_open(&c, 1, 1, 1, NULL), &(reshed_error){0});
        for (int i = 0; i < f->n; i++) {
            const rs_plot_box *b = &q[i].box;
            assert_true(b->w > 4 * font && b->h > 4 * font);
            assert_true(b->x - q[i].y_labels - 2 * font >= 0 && b->x + b->w < f->width);
            assert_true(b->y - 1.5 * font >= 0 && b->y + b->h + 2.5 * font <= f->height);
            for (int j = 0; j < i; j++) {
                const rs_plot_box *o = &q[j].box;
                bool beside = f->panel[i]->column != f->panel[j]->column;
                double right = o->x + o->w;
                if (q[j].bar) right += 3 * font + q[j].bar_labels;
                if (beside && o->x < b->x) assert_true(right < b->x - q[i].y_labels - 2 * font);
                if (!beside) assert_true(o->y + o->h + 3.5 * font <= b->y);
            }
            assert_true(q[i].x_ticks.n >= 1 && q[i].y_ticks.n >= 1);
            for (int j = 0; j < q[i].x_ticks.n; j++) {
                char a[64], z[64];
                if (j == 0) continue;
                double need = rs_text_width(&c, &t, rs_ticks_label(&q[i].x_ticks, j - 1, a, 64)) +
                              rs_text_width(&c, &t, rs_ticks_label(&q[i].x_ticks, j, z, 64));
                assert_true(px(&q[i], q[i].x_ticks.at[j]) - px(&q[i], q[i].x_ticks.at[j - 1]) >
                            need / 2 + 0.3 * font);
            }
        }
        rs_canvas_close(&c);
        rs_rgb8 p = drawn(f);
        rs_rgb8_clear(&p);
        rs_figure_free(f);
    }
}

static void frames_in_a_column_line_up(void **state)
{
    (void)state;
    rs_figure *f = figure(900, 700, 2, 2);
    rs_plot_place q[4];
    for (int i = 0; i < 4; i++) {
        double x[2] = {0, 1}, y[2] = {0, pow(10, 3 * i)};
        rs_panel *p = rs_figure_panel(f, i / 2, i % 2, 1, 1);
        rs_panel_line(p, x, y, 2, &(rs_style){.width = 1}, NULL);
    }
    laid_out(f, q);
    for (int i = 0; i < 2; i++) {
        assert_true(q[i].box.x == q[i + 2].box.x && q[i].box.w == q[i + 2].box.w);
        assert_true(q[2 * i].box.y == q[2 * i + 1].box.y && q[2 * i].box.h == q[2 * i + 1].box.h);
    }
    rs_figure_grid(f, (double[]){3, 1}, NULL);
    laid_out(f, q);
    assert_true(q[0].box.w > 2.5 * q[1].box.w);
    rs_figure_free(f);
}

static void limits_fit_the_data(void **state)
{
    (void)state;
    const double x[5] = {1, 2, NAN, 3, INFINITY}, y[5] = {-2, 8, 100, 3, 4};
    rs_figure *f = figure(400, 400, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_plot_place q;
    laid_out(f, &q);
    assert_true(q.x_lo < 0.01 && q.x_hi > 0.99 && isfinite(q.y_lo)); /* empty */
    rs_panel_line(p, x, y, 2, &(rs_style){.width = 1}, NULL);
    laid_out(f, &q);
    assert_true(fabs(q.x_lo - 0.95) < TOL_DOUBLE && fabs(q.x_hi - 2.05) < TOL_DOUBLE);
    assert_true(fabs(q.y_lo + 2.5) < TOL_DOUBLE && fabs(q.y_hi - 8.5) < TOL_DOUBLE);
    rs_panel_x_limits(p, 0, 1.5); /* then y fits what is shown */
    laid_out(f, &q);
    assert_true(q.x_lo == 0 && q.x_hi == 1.5 && q.y_lo < -2 && q.y_hi > -2 && q.y_hi < 0);
    rs_figure_free(f);

    f = figure(400, 400, 1, 1); /* bars stand on zero */
    p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_bars(p, x, (double[]){5, 7}, 2, 1, RS_BLUE, 1, NULL);
    laid_out(f, &q);
    assert_true(q.y_lo == 0 && q.y_hi > 7 && q.x_lo < 0.5 && q.x_hi > 2.5);
    rs_figure_free(f);
}

static void images_have_true_aspect(void **state)
{
    (void)state;
    const float v[6] = {0, 1, 2, 3, 4, 5};
    rs_figure *f = figure(900, 500, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_plot_place q;
    rs_panel_image(p, v, 2, 3, -1e-6, 2e-6, 0, 1e-6,
                   &(rs_colour_scale){.map = RS_MAP_GREY, .lo = 0, .hi = 5, .name = "v"});
    laid_out(f, &q);
    assert_true(q.x_lo == -1e-6 && q.x_hi == 2e-6 && q.y_lo == 0 && q.y_hi == 1e-6);
    assert_true(fabs(q.box.w / q.box.h - 3) < 1e-9);
    rs_rgb8 pic = drawn(f);
    for (int i = 0; i < 6; i++) { /* row 0 is the upper one */
        double x = q.box.x + (i % 3 + 0.5) / 3 * q.box.w, y = q.box.y + (i / 3 + 0.5) / 2 * q.box.h;
        assert_true(close_to(&pic, x, y, (uint32_t)(51 * i) * 0x010101u, 1));
    }
    rs_rgb8_clear(&pic);
    rs_figure_free(f);
}

static void colour_ranges_are_robust(void **state)
{
    (void)state;
    float v[1001];
    rs_plot_place q;
    for (int i = 0; i < 1001; i++) v[i] = (float)i - 300;
    v[0] = NAN;
    v[1000] = 1e9f;
    rs_figure *f = figure(400, 400, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_image(p, v, 1, 1001, 0, 1, 0, 1, &(rs_colour_scale){.map = RS_MAP_VIRIDIS});
    rs_panel_image(p, v, 1, 1001, 0, 1, 0, 1, &(rs_colour_scale){.map = RS_MAP_DIVERGING});
    rs_panel_image(p, v, 1, 1001, 0, 1, 0, 1, &(rs_colour_scale){.lo = -5, .hi = 2e9});
    laid_out(f, &q);
    const rs_plot_item *it = p->item;
    assert_true(fabs(it[0].lo - -289) < 1 && fabs(it[0].hi - 690) < 1);
    assert_true(it[0].below && it[0].above);
    assert_true(it[1].lo == -it[1].hi && fabs(it[1].hi - 690) < 1);
    assert_true(!it[1].below && it[1].above);
    assert_true(it[2].lo == -5 && it[2].hi == 2e9 && it[2].below && !it[2].above);
    assert_null(q.bar);
    rs_figure_free(f);
}

/* -------------------------------------------------------------------------------------- drawing */

static void marks_are_at_their_values(void **state)
{
    (void)state;
    const double x[3] = {-3, 0.5, 4}, y[3] = {1e-12, 5e-12, 2e-12}, value[3] = {0, 1, NAN};
    rs_plot_place q;
    for (int scatter = 0; scatter < 2; scatter++) {
        rs_figure *f = figure(500, 400, 1, 1);
        rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
        if (scatter)
            rs_panel_scatter(p, x, y, value, 3, 11,
                             &(rs_colour_scale){.map = RS_MAP_VIRIDIS, .lo = 0, .hi = 1});
        else
            rs_panel_line(
                p, x, y, 3,
                &(rs_style){.colour = RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 11}, NULL);
        laid_out(f, &q);
        rs_rgb8 pic = drawn(f);
        const uint32_t want[3] = {scatter ? 0x440154 : RS_BLUE, scatter ? 0xfde725 : RS_BLUE,
                                  scatter ? 0xffffff : RS_BLUE};
        for (int i = 0; i < 3; i++) {
            double u = px(&q, x[i]), v = py(&q, y[i]);
            for (int d = -3; d <= 3; d += 3) {
                assert_true(close_to(&pic, u + d, v, want[i], 3));
                assert_true(close_to(&pic, u, v + d, want[i], 3));
            }
            assert_true(close_to(&pic, u + 9, v, 0xffffff, 3));
            assert_true(close_to(&pic, u, v - 9, 0xffffff, 3));
        }
        rs_rgb8_clear(&pic);
        rs_figure_free(f);
    }
}

static void lines_join_points_and_break_at_gaps(void **state)
{
    (void)state;
    const double x[5] = {0, 1, 2, 3, 4}, y[5] = {0, 4, NAN, 1, 3};
    rs_plot_place q;
    rs_figure *f = figure(500, 400, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_line(p, x, y, 5, &(rs_style){.colour = RS_VERMILION, .width = 5}, NULL);
    laid_out(f, &q);
    rs_rgb8 pic = drawn(f);
    for (int i = 1; i < 10; i++) {
        double t = i / 10.0;
        assert_true(close_to(&pic, px(&q, t), py(&q, 4 * t), RS_VERMILION, 3));
        assert_true(close_to(&pic, px(&q, 3 + t), py(&q, 1 + 2 * t), RS_VERMILION, 3));
        for (double v = 0.2; v < 3.9; v += 0.1)
            assert_false(close_to(&pic, px(&q, 1.2 + 1.6 * t), py(&q, v), RS_VERMILION, 60));
    }
    rs_rgb8_clear(&pic);
    rs_figure_free(f);
}

static void bands_bars_and_rules(void **state)
{
    (void)state;
    const double x[3] = {1, 2, 3}, low[3] = {1, 2, 1}, high[3] = {3, 4, 2};
    rs_plot_place q;
    rs_figure *f = figure(500, 400, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_x_limits(p, 0, 8);
    rs_panel_y_limits(p, 0, 5);
    rs_panel_band(p, x, low, high, 3, RS_GREEN, 1, NULL);
    rs_panel_bars(p, (double[]){5, 6}, (double[]){2, 3}, 2, 1, RS_SKY, 1, NULL);
    rs_panel_vertical(p, 7.5, &(rs_style){.colour = RS_PURPLE, .width = 3}, NULL);
    rs_panel_horizontal(p, 4.5, &(rs_style){.colour = RS_ORANGE, .width = 3}, NULL);
    laid_out(f, &q);
    rs_rgb8 pic = drawn(f);
    assert_true(close_to(&pic, px(&q, 1.5), py(&q, 2.5), RS_GREEN, 2));
    assert_true(close_to(&pic, px(&q, 1.5), py(&q, 1.3), 0xffffff, 2));
    assert_true(close_to(&pic, px(&q, 1.5), py(&q, 3.7), 0xffffff, 2));
    assert_true(close_to(&pic, px(&q, 5), py(&q, 1.9), RS_SKY, 2));
    assert_true(close_to(&pic, px(&q, 5), py(&q, 2.1), 0xffffff, 2));
    assert_true(close_to(&pic, px(&q, 6), py(&q, 2.9), RS_SKY, 2));
    for (double t = 0.1; t < 4; t += 0.3)
        assert_true(close_to(&pic, px(&q, 7.5), py(&q, t), RS_PURPLE, 2));
    for (double t = 0.1; t < 7; t += 0.3)
        assert_true(close_to(&pic, px(&q, t), py(&q, 4.5), RS_ORANGE, 2));
    rs_rgb8_clear(&pic);
    rs_figure_free(f);
}

static void histogram_counts(void **state)
{
    (void)state;
    const double v[9] = {0, 0.5, 1, 1.5, 2, 2, NAN, INFINITY, -7};
    rs_figure *f = figure(400, 300, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_histogram(p, v, 9, 4, 0, 2, RS_BLUE, 1, NULL);
    assert_int_equal(p->n, 1);
    assert_int_equal(p->item[0].n, 4);
    const double want[4] = {1, 1, 1, 3}; /* the upper edge belongs to the last bin; -7 is outside */
    for (int i = 0; i < 4; i++) {
        assert_true(p->item[0].y[i] == want[i]);
        assert_true(fabs(p->item[0].x[i] - (0.25 + 0.5 * i)) < TOL_DOUBLE);
    }
    rs_panel_histogram(p, v, 9, 3, 0, 0, RS_BLUE, 1, NULL); /* from -7 to 2 */
    assert_true(p->item[1].y[0] == 1 && p->item[1].y[1] == 0 && p->item[1].y[2] == 6);
    rs_panel_histogram(p, v + 4, 2, 0, 0, 0, RS_BLUE, 1, NULL); /* one value */
    double sum = 0;
    for (size_t i = 0; i < p->item[2].n; i++) sum += p->item[2].y[i];
    assert_true(sum == 2);
    rs_panel_histogram(p, v + 6, 2, 0, 0, 0, RS_BLUE, 1, NULL); /* none */
    assert_int_equal(p->n, 3);
    double many[4000];
    test_rng r = {test_seed()};
    for (int i = 0; i < 4000; i++) many[i] = test_gauss(&r);
    rs_panel_histogram(p, many, 4000, 0, 0, 0, RS_BLUE, 1, NULL);
    assert_true(p->item[3].n > 30 && p->item[3].n < 80); /* 7/(2*1.35/15.9) = 41 */
    rs_figure_free(f);
}

static void a_loop_is_closed(void **state)
{
    (void)state;
    const double v[3] = {0, 1, -1}, y[3] = {0.1, 2, -2};
    rs_style style = {.colour = RS_BLUE, .width = 2, .marker = RS_MARKER_DISC};
    rs_figure *f = figure(400, 300, 1, 1);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_loop(p, v, y, 3, &style, "loop");
    rs_panel_loop(NULL, v, y, 3, &style, NULL);
    assert_int_equal(p->n, 2);
    assert_string_equal(p->item[0].label, "loop");
    assert_true(p->item[0].n == 3 && p->item[0].style.marker == RS_MARKER_DISC);
    assert_true(p->item[1].n == 2 && p->item[1].style.marker == RS_MARKER_NONE &&
                !*p->item[1].label);
    assert_true(p->item[1].x[0] == -1 && p->item[1].y[0] == -2);
    assert_true(p->item[1].x[1] == 0 && p->item[1].y[1] == 0.1);
    rs_figure_free(f);
}

static void wild_values_do_not_move_limits(void **state)
{
    (void)state;
    double x[101], work[101], lo = NAN, hi = NAN;
    for (int i = 0; i < 101; i++) x[i] = i;
    rs_robust_limits(x, 101, work, &lo, &hi);
    assert_true(fabs(lo - 2) < 1e-12 && fabs(hi - 98) < 1e-12);
    for (int i = 0; i < 5; i++) x[100 - i] = 1e9; /* more of them than the percentile leaves out */
    x[50] = NAN;
    rs_robust_limits(x, 101, work, &lo, &hi);
    assert_true(lo >= 0 && lo < 3 && hi > 97 && hi < 210);
    for (int i = 0; i < 101; i++) x[i] = -4;
    rs_robust_limits(x, 101, work, &lo, &hi);
    assert_true(fabs(lo + 4.2) < 1e-12 && fabs(hi + 3.8) < 1e-12);
    for (int i = 0; i < 101; i++) x[i] = i % 2 ? NAN : INFINITY;
    rs_robust_limits(x, 101, work, &lo, &hi);
    assert_true(lo == -1 && hi == 1);
}

/* ---------------------------------------------------------------------------------- free places */

static void ink_finds_the_free_place(void **state)
{
    (void)state;
    rs_ink ink;
    const rs_plot_box frame = {100, 50, 400, 200};
    reshed_error err = {0};
    assert_ok(rs_ink_open(&ink, frame, &err), &err);
    const rs_plot_box at[4] = {
        {110, 60, 80, 20}, {400, 60, 80, 20}, {110, 220, 80, 20}, {480, 60, 80, 20}};
    assert_int_equal(rs_ink_best(&ink, at, 4), 0); /* all free: the first */
    rs_ink_segment(&ink, -1e6, 70, 300, 70, RS_INK_DATA);
    assert_true(rs_ink_cost(&ink, at[0]) > 10 && rs_ink_cost(&ink, at[1]) == 0);
    assert_int_equal(rs_ink_best(&ink, at, 4), 1);
    rs_ink_box(&ink, at[1], RS_INK_TEXT);
    assert_int_equal(rs_ink_best(&ink, at, 4), 2);
    assert_true(rs_ink_cost(&ink, at[3]) > rs_ink_cost(&ink, at[1])); /* leaves the frame */
    rs_ink_segment(&ink, NAN, 0, 1, 1, RS_INK_DATA);
    rs_ink_box(&ink, (rs_plot_box){-1e9, -1e9, 2e9, 2e9}, 255);
    rs_ink_close(&ink);
}

/* A legend over data that fill the panel gets room of its own: the limits grow. */
static void crowded_panels_get_headroom(void **state)
{
    (void)state;
    double x[400], y[400];
    rs_rgb8 pic[2];
    for (int i = 0; i < 400; i++) x[i] = i / 2, y[i] = i % 2; /* fills everything */
    for (int k = 0; k < 2; k++) {
        rs_figure *f = figure(500, 400, 1, 1);
        rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
        rs_panel_line(p, x, y, 400, &(rs_style){.colour = RS_BLUE, .width = 3}, k ? "data" : NULL);
        pic[k] = drawn(f);
        rs_figure_free(f);
    }
    int top[2] = {0, 0}; /* the first row with much blue */
    for (int k = 0; k < 2; k++)
        for (int blue = 0; blue < 100; top[k]++) {
            blue = 0;
            for (int i = 0; i < 500; i++) blue += close_to(&pic[k], i, top[k], RS_BLUE, 10);
        }
    assert_true(top[1] > top[0] + 20);
    rs_rgb8_clear(&pic[0]);
    rs_rgb8_clear(&pic[1]);
}

/* ------------------------------------------------------------------------------------- failures */

static rs_figure *everything(rs_figure *f)
{
    const double x[4] = {-1e299, 0, NAN, 2}, y[4] = {INFINITY, 1, 2, -1e299}, z[4] = {3, 2, NAN, 0};
    const float v[4] = {NAN, INFINITY, -INFINITY, NAN};
    rs_figure_title(f, "Everything \xff at once");
    rs_figure_font(f, 12);
    for (int i = 0; i < 4; i++) {
        rs_panel *p = rs_figure_panel(f, i / 2, i % 2, 1, 1);
        rs_style s = {.colour = rs_series_colour(i),
                      .width = 1,
                      .dash = (rs_dash)(i % 3),
                      .marker = (rs_marker)(i + 3)};
        rs_panel_title(p, i ? "A very long title of a panel that cannot possibly fit" : NULL);
        rs_panel_x_axis(p, "x", "V");
        rs_panel_y_axis(p, "a long name of an axis that goes on and on and on and on", NULL);
        rs_panel_grid(p);
        if (i == 1) rs_panel_x_limits(p, 0, 1e-300);
        if (i == 2) rs_panel_y_limits(p, -1, 1);
        rs_panel_line(p, x, y, 4, &s, "line");
        rs_panel_line(p, x, y, 0, &s, "nothing");
        rs_panel_band(p, x, y, z, 4, RS_BLUE, 0.3, "band");
        rs_panel_bars(p, z, y, 4, 0.5, RS_GREEN, 0, "bars");
        rs_panel_histogram(p, z, 4, 0, 0, 0, RS_SKY, 1, "histogram");
        rs_panel_scatter(p, x, z, y, 4, 5, &(rs_colour_scale){.name = "s", .unit = "m"});
        if (i == 3)
            rs_panel_image(p, v, 2, 2, 0, 1, 0, 1,
                           &(rs_colour_scale){.map = RS_MAP_DIVERGING, .name = "v"});
        rs_panel_vertical(p, 1, &s, "vertical");
        rs_panel_horizontal(p, 1, &s, "horizontal");
        rs_panel_arrow(p, 0, 0, 1e299, 1, RS_BLACK, "arrow");
        rs_panel_arrow(p, 0, 0, 0, 0, RS_BLACK, "no length");
        rs_panel_text(p, 0, 0, RS_BLACK, "text");
        rs_panel_note(p, "one\n\nthree\n");
    }
    return f;
}

static void extreme_values_are_drawn(void **state)
{
    (void)state;
    rs_figure *f = everything(figure(800, 600, 2, 2));
    rs_rgb8 a = drawn(f), b = drawn(f);
    assert_memory_equal(a.data, b.data, (size_t)a.width * (size_t)a.height * 3);
    rs_rgb8_clear(&a);
    rs_rgb8_clear(&b);
    rs_figure_free(f);
    f = everything(figure(64, 64, 2, 2)); /* no room for anything */
    a = drawn(f);
    rs_rgb8_clear(&a);
    rs_figure_free(f);
}

static void svg_is_a_document(void **state)
{
    (void)state;
    rs_figure *f = everything(figure(800, 600, 2, 2));
    uint8_t *data = NULL;
    size_t len = 0;
    reshed_error err = {0};
    reshed_status st = rs_figure_document(f, RS_DOCUMENT_SVG, &data, &len, &err);
    if (st == RESHED_EUNSUPPORTED) {
        rs_figure_free(f);
        skip();
    }
    assert_ok(st, &err);
    assert_true(len > 1000);
    assert_memory_equal(data, "<?xml", 5);
    assert_memory_equal(data + len - 7, "</svg>\n", 7);
    rs_free(data);
    rs_figure_free(f);
}

/* On paper a figure has its width in millimetres and keeps its proportions, whatever its kind. */
static void paper_has_its_size(void **state)
{
    (void)state;
    rs_paper paper;
    rs_paper_defaults(&paper);
    paper.width_mm = 86;
    paper.dpi = 254;
    rs_figure *f = everything(figure(800, 600, 2, 2));
    rs_figure_paper(f, &paper);
    rs_rgb8 pic = {0};
    reshed_error err = {0};
    assert_ok(rs_figure_draw(f, &pic, &err), &err);
    assert_int_equal(pic.width, 860);
    assert_int_equal(pic.height, 645);
    rs_rgb8_clear(&pic);
    uint8_t *pdf = NULL, *again = NULL;
    size_t len = 0, len_again = 0;
    reshed_status st = rs_figure_document(f, RS_DOCUMENT_PDF, &pdf, &len, &err);
    if (st != RESHED_EUNSUPPORTED) {
        assert_ok(st, &err);
        assert_ok(rs_figure_document(f, RS_DOCUMENT_PDF, &again, &len_again, &err), &err);
        assert_memory_equal(pdf, "%PDF-", 5);
        assert_int_equal(len, len_again);
        assert_memory_equal(pdf, again, len);
        bool size = false; /* 86 mm are 243.78 points, and 3/4 of that */
        for (size_t i = 0; i + 40 < len; i++)
            size |= memcmp(pdf + i, "/MediaBox [ 0 0 243.779528 182.834646 ]", 39) == 0;
        assert_true(size);
    }
    rs_free(pdf);
    rs_free(again);
    rs_figure_free(f);

    const rs_paper bad[] = {{.width_mm = 5, .font_pt = 8, .dpi = 300},
                            {.width_mm = 80, .font_pt = 2, .dpi = 300},
                            {.width_mm = 80, .font_pt = 8, .dpi = NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        f = everything(figure(800, 600, 2, 2));
        rs_figure_paper(f, &bad[i]);
        assert_int_equal(rs_figure_draw(f, &pic, &err), RESHED_EINVAL);
        rs_figure_free(f);
    }
}

static int dark_below(const rs_rgb8 *p, int from_row)
{
    int n = 0;
    for (int y = from_row; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            n += p->data[3 * ((size_t)y * (size_t)p->width + (size_t)x)] < 100;
    return n;
}

/* A panel with a scale bar has no ticks below its frame, and the bar is where there was the map. */
static void scale_bars_replace_ticks(void **state)
{
    (void)state;
    float map[16 * 16];
    rs_rgb8 pic[2] = {{0}, {0}};
    rs_plot_place place[1];
    for (int i = 0; i < 256; i++) map[i] = 1;
    for (int k = 0; k < 2; k++) {
        rs_figure *f = figure(400, 400, 1, 1);
        rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
        rs_panel_image(p, map, 16, 16, 0, 1e-6, 0, 1e-6,
                       &(rs_colour_scale){.map = RS_MAP_GREY, .lo = 0, .hi = 1});
        if (k == 1) rs_panel_scale_bar(p);
        laid_out(f, place);
        pic[k] = drawn(f);
        const int below = (int)ceil(place->box.y + place->box.h) + 2;
        if (k == 0) assert_true(dark_below(&pic[k], below) > 10);
        if (k == 1) {
            assert_int_equal(dark_below(&pic[k], below), 0);
            assert_true(dark_below(&pic[k], below - 60) > 300);
        }
        rs_rgb8_clear(&pic[k]);
        rs_figure_free(f);
    }
}

static void first_failure_is_remembered(void **state)
{
    (void)state;
    rs_figure *f = figure(400, 300, 1, 1);
    rs_rgb8 pic = {.width = 77};
    reshed_error err = {0};
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_panel_y_limits(p, 5, 4);
    rs_panel_x_limits(p, NAN, 4); /* the second failure */
    assert_null(rs_figure_panel(f, 0, 0, 1, 1));
    assert_int_equal(rs_figure_draw(f, &pic, &err), RESHED_EINVAL);
    assert_string_equal(err.found, "5, 4");
    assert_int_equal(pic.width, 77);
    assert_int_equal(rs_figure_document(f, RS_DOCUMENT_SVG, NULL, NULL, &err), RESHED_EINVAL);
    rs_figure_free(f);

    f = figure(400, 300, 2, 1);
    assert_null(rs_figure_panel(f, 1, 0, 2, 1));
    rs_panel_title(NULL, "no panel");
    rs_panel_line(NULL, NULL, NULL, 0, &(rs_style){.width = 1}, NULL);
    rs_panel_note(NULL, "");
    assert_int_equal(rs_figure_draw(f, &pic, &err), RESHED_EINVAL);
    rs_figure_free(f);

    f = NULL;
    assert_int_equal(rs_figure_create(10, 300, 1, 1, &f, &err), RESHED_EINVAL);
    assert_int_equal(rs_figure_create(400, 300, 0, 1, &f, &err), RESHED_EINVAL);
    assert_int_equal(rs_figure_create(400, 300, 1, 17, &f, &err), RESHED_EINVAL);
    assert_null(f);
    rs_figure_free(NULL);
}

static void memory_may_be_short_anywhere(void **state)
{
    (void)state;
    test_not_quick();
    long n = 0;
    for (bool failed = true; failed; n++) {
        rs_figure *f = NULL;
        rs_rgb8 pic = {0};
        uint8_t *svg = NULL;
        size_t len = 0;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        reshed_status st = rs_figure_create(200, 200, 2, 2, &f, &err);
        if (st == RESHED_OK) st = rs_figure_draw(everything(f), &pic, &err);
        if (st == RESHED_OK) st = rs_figure_document(f, RS_DOCUMENT_SVG, &svg, &len, &err);
        failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (failed && st != RESHED_ENOMEM)
            fail_msg("failed allocation %ld gave '%s'", n, reshed_status_text(st));
        if (!failed) assert_true(st == RESHED_OK || st == RESHED_EUNSUPPORTED);
        assert_true(st == RESHED_OK || svg == NULL);
        rs_free(svg);
        rs_rgb8_clear(&pic);
        rs_figure_free(f);
    }
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_do_not_meet_and_labels_have_room),
        cmocka_unit_test(frames_in_a_column_line_up),
        cmocka_unit_test(limits_fit_the_data),
        cmocka_unit_test(images_have_true_aspect),
        cmocka_unit_test(colour_ranges_are_robust),
        cmocka_unit_test(marks_are_at_their_values),
        cmocka_unit_test(lines_join_points_and_break_at_gaps),
        cmocka_unit_test(bands_bars_and_rules),
        cmocka_unit_test(histogram_counts),
        cmocka_unit_test(a_loop_is_closed),
        cmocka_unit_test(wild_values_do_not_move_limits),
        cmocka_unit_test(ink_finds_the_free_place),
        cmocka_unit_test(crowded_panels_get_headroom),
        cmocka_unit_test(extreme_values_are_drawn),
        cmocka_unit_test(svg_is_a_document),
        cmocka_unit_test(paper_has_its_size),
        cmocka_unit_test(scale_bars_replace_ticks),
        cmocka_unit_test(first_failure_is_remembered),
        cmocka_unit_test(memory_may_be_short_anywhere),
    };
    return cmocka_run_group_tests_name("img_plot", tests, NULL, NULL);
}
