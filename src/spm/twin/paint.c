/* paint.c - paints stripes and features onto the canvas.
 *
 * Nothing is supersampled: a stripe's share of a pixel is a product of its two edge profiles at the
 * pixel's centre, each a smooth step no narrower than the pixel, which is the coverage of the pixel
 * by a straight edge to within a hundredth. So stripes thinner than a pixel fade rather than break,
 * and edges lie where they are and not where the grid is. */
#include "spm/twin/canvas.h"

#include <float.h>

twin_box twin_canvas_box(const twin_canvas *cv)
{
    twin_box b = {DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX};
    for (int r = 0; r < cv->rows; r++) {
        double x = twin_row_x(cv, r), y = twin_row_y(cv, r);
        b.x_lo = x < b.x_lo ? x : b.x_lo;
        b.x_hi = x > b.x_hi ? x : b.x_hi;
        b.y_lo = y < b.y_lo ? y : b.y_lo;
        b.y_hi = y > b.y_hi ? y : b.y_hi;
    }
    b.x_hi += (cv->cols - 1) * cv->px;
    return b;
}

/* Narrows [*first,*last] to the columns c with lo <= a + b c <= hi. */
static void clip(double a, double b, double lo, double hi, double *first, double *last)
{
    if (fabs(b) < 1e-300) {
        if (a < lo || a > hi) *last = *first - 1;
        return;
    }
    double c0 = (lo - a) / b, c1 = (hi - a) / b;
    double small = c0 < c1 ? c0 : c1, large = c0 < c1 ? c1 : c0;
    if (small > *first) *first = small;
    if (large < *last) *last = large;
}

/* A stripe's numbers in the units of the inner loop. */
typedef struct brush {
    const twin_stripe *st;
    const twin_edges *edge; /* edge[k - k0] belongs to s = k * step */
    int64_t k0, k1;
    double step;                               /* m */
    float inv_soft[2], inv_outer[2], outer[2]; /* per side: 1/m, 1/m, signed brightness */
    float inv_tail[2];                         /* 1/m */
    float inv_cap;
    float begin, end; /* m, span of the walls */
    float inv_pixel;  /* 1/m */
    uint8_t side_across;
    float relief; /* rad */
} brush;

static double reach_of(const twin_canvas *cv, const twin_stripe *st)
{
    double soft = st->soft[0] > st->soft[1] ? st->soft[0] : st->soft[1];
    double outer = 2 * soft + 1.2 * st->width, pixel = cv->px > cv->py ? cv->px : cv->py;
    for (int side = 0; side < 2; side++)
        if (st->tail[side] > 0 && st->tail_size[side] > outer) outer = st->tail_size[side];
    return 0.5 * (1 + st->wedge) * st->width + st->roughness + st->bend + outer + 3 * pixel;
}

static double table_step(const twin_canvas *cv)
{
    return 0.5 * (cv->px < cv->py ? cv->px : cv->py);
}

size_t twin_stripe_table(const twin_canvas *cv)
{
    twin_box b = twin_canvas_box(cv);
    double diagonal = hypot(b.x_hi - b.x_lo, b.y_hi - b.y_lo);
    return (size_t)(diagonal / table_step(cv)) + 8;
}

/* Keeps many bright things in one pixel finite. */
static float capped(float v)
{
    return v < 1e3f ? v : 1e3f;
}

static void dip(twin_canvas *cv, const brush *b, size_t at, double s, double n)
{
    const twin_stripe *st = b->st;
    double k = floor(s / b->step);
    int64_t i = (int64_t)k;
    if (i < b->k0 || i + 1 > b->k1) return;
    float t = (float)(s / b->step - k), across = (float)n;
    const twin_edges *e = &b->edge[i - b->k0];
    float left = e[0].left + t * (e[1].left - e[0].left);
    float right = e[0].right + t * (e[1].right - e[0].right);
    float strength = e[0].strength + t * (e[1].strength - e[0].strength);
    float d[2] = {left - across, across - right};
    float step[2] = {twin_step(d[0] * b->inv_soft[0]), twin_step(d[1] * b->inv_soft[1])};
    float cap = strength;
    float from_start = (float)s, from_end = (float)(st->length - s);
    if (st->taper[0] <= 0) cap *= twin_step(from_start * b->inv_cap);
    if (st->taper[1] <= 0) cap *= twin_step(from_end * b->inv_cap);
    float share = cap * step[0] * step[1];
    float middle = (across - right) / (left - right) * 2 - 1;
    middle = middle < -1 ? -1 : middle > 1 ? 1 : middle;
    float dark = st->contrast * (1 + st->lean * middle);
    dark = dark > 1 ? 1 : dark;
    float pass = 1 - dark * share;
    for (int side = 0; side < 2; side++) {
        float away = d[side] < 0 ? 1 + d[side] * b->inv_outer[side] : 1;
        if (away > 0) {
            float patch = b->outer[side] > 0 ? e[0].patch : 1;
            pass *= 1 + b->outer[side] * patch * cap * away * away * (1 - step[side]);
        }
        float far = d[side] < 0 ? 1 + d[side] * b->inv_tail[side] : 1;
        if (far > 0) pass *= 1 - st->tail[side] * cap * far * far * far * (1 - step[side]);
    }
    cv->pass[at] = capped(cv->pass[at] * pass);
    if (share > cv->share[at]) cv->share[at] = share;
    if (cv->relief) cv->relief[at] += b->relief * share * (across - 0.5f * (left + right));

    float sides = d[0] < d[1] ? d[0] : d[1];
    float ends = (float)s - b->begin < b->end - (float)s ? (float)s - b->begin : b->end - (float)s;
    float inside = (sides < ends ? sides : ends) * b->inv_pixel;
    if (st->contrast >= cv->marked && inside > cv->inside[at]) {
        cv->inside[at] = inside;
        cv->across[at] = sides < ends ? b->side_across : !b->side_across;
    }
}

void twin_paint_stripe(twin_canvas *cv, const twin_stripe *st, twin_edges *scratch)
{
    twin_box box = twin_canvas_box(cv);
    double pixel = cv->px < cv->py ? cv->px : cv->py, reach = reach_of(cv, st);
    double mx = 0.5 * (box.x_lo + box.x_hi) - st->x, my = 0.5 * (box.y_lo + box.y_hi) - st->y;
    double radius = 0.5 * hypot(box.x_hi - box.x_lo, box.y_hi - box.y_lo);
    double s_mid = mx * st->ux + my * st->uy, n_mid = my * st->ux - mx * st->uy;
    double s_lo = fmax(s_mid - radius, -2 * pixel);
    double s_hi = fmin(s_mid + radius, st->length + 2 * pixel);
    if (fabs(n_mid) > radius + reach || s_lo >= s_hi) return;

    brush b = {.st = st, .edge = scratch, .step = table_step(cv)};
    double begin, end, soft_floor = 0.6 * pixel;
    twin_stripe_span(st, &begin, &end);
    b.begin = (float)begin;
    b.end = (float)end;
    b.k0 = (int64_t)floor(s_lo / b.step);
    b.k1 = (int64_t)floor(s_hi / b.step) + 1;
    for (int64_t k = b.k0; k <= b.k1; k++)
        scratch[k - b.k0] = twin_stripe_edges(st, (double)k * b.step);
    for (int side = 0; side < 2; side++) {
        double soft = hypot(st->soft[side], soft_floor);
        bool rim = (st->rim_side > 0) == (side == 0);
        b.inv_soft[side] = (float)(1 / soft);
        b.inv_outer[side] = (float)(1 / (rim ? 2 * soft : 1.2 * st->width + 2 * st->soft[side]));
        b.outer[side] = rim ? st->rim : -st->shadow;
        b.inv_tail[side] = (float)(1 / st->tail_size[side]);
    }
    b.inv_cap = (float)(1 / hypot(fmin(st->soft[0], st->soft[1]), soft_floor));
    b.inv_pixel = (float)(1 / pixel);
    b.side_across = fabs(st->uy) * cv->px > fabs(st->ux) * cv->py;
    b.relief = (float)st->tilt;

    for (int r = 0; r < cv->rows; r++) {
        double dx = twin_row_x(cv, r) - st->x, dy = twin_row_y(cv, r) - st->y;
        double s0 = dx * st->ux + dy * st->uy, n0 = dy * st->ux - dx * st->uy;
        double ds = cv->px * st->ux, dn = -cv->px * st->uy, first = 0, last = cv->cols - 1;
        clip(s0, ds, -2 * pixel, st->length + 2 * pixel, &first, &last);
        clip(n0, dn, -reach, reach, &first, &last);
        if (last < first) continue;
        int c_first = (int)ceil(first), c_last = (int)floor(last);
        size_t row = (size_t)r * (size_t)cv->cols;
        for (int c = c_first; c <= c_last; c++)
            dip(cv, &b, row + (size_t)c, s0 + c * ds, n0 + c * dn);
    }
}

/* ------------------------------------------------------------------------------------- features */

/* Columns and rows of the canvas that a box with a margin may touch. */
typedef struct window {
    int r0, r1, c0, c1; /* inclusive */
} window;

static bool window_of(const twin_canvas *cv, twin_box b, double margin, window *w)
{
    w->r0 = cv->rows;
    w->r1 = -1;
    double c_lo = cv->cols, c_hi = -1;
    for (int r = 0; r < cv->rows; r++) {
        double y = twin_row_y(cv, r), x = twin_row_x(cv, r);
        if (y < b.y_lo - margin || y > b.y_hi + margin) continue;
        if (r < w->r0) w->r0 = r;
        w->r1 = r;
        c_lo = fmin(c_lo, floor((b.x_lo - margin - x) / cv->px));
        c_hi = fmax(c_hi, ceil((b.x_hi + margin - x) / cv->px));
    }
    if (c_lo >= cv->cols || c_hi < 0) return false;
    w->c0 = c_lo < 0 ? 0 : (int)c_lo;
    w->c1 = c_hi > cv->cols - 1 ? cv->cols - 1 : (int)c_hi;
    return w->r1 >= w->r0 && w->c1 >= w->c0;
}

/* Notes the distance to a segment where it is nearer than the segments before. */
static void near_segment(twin_canvas *cv, const twin_feature *f, int i, double margin, float at)
{
    double x = f->x[i], y = f->y[i], ux = f->x[i + 1] - x, uy = f->y[i + 1] - y;
    double length = hypot(ux, uy);
    twin_box b = {fmin(x, x + ux), fmax(x, x + ux), fmin(y, y + uy), fmax(y, y + uy)};
    window w;
    if (length <= 0 || !window_of(cv, b, margin, &w)) return;
    ux /= length;
    uy /= length;
    for (int r = w.r0; r <= w.r1; r++) {
        double dx = twin_row_x(cv, r) - x, dy = twin_row_y(cv, r) - y;
        float s0 = (float)(dx * ux + dy * uy), n0 = (float)(dy * ux - dx * uy);
        float ds = (float)(cv->px * ux), dn = (float)(-cv->px * uy), len = (float)length;
        size_t row = (size_t)r * (size_t)cv->cols;
        for (int c = w.c0; c <= w.c1; c++) {
            float s = s0 + (float)c * ds, n = n0 + (float)c * dn;
            float past = s < 0 ? s : s > len ? s - len : 0;
            float d2 = n * n + past * past;
            if (d2 >= cv->distance[row + (size_t)c]) continue;
            cv->distance[row + (size_t)c] = d2;
            cv->near[row + (size_t)c] = n >= 0;
            cv->along[row + (size_t)c] = at + s - past;
        }
    }
}

static void paint_spot(twin_canvas *cv, const twin_feature *f)
{
    twin_box b = {f->x[0], f->x[0], f->y[0], f->y[0]};
    window w;
    float radius = f->width, soft = fmaxf(0.4f * radius, 0.6f * (float)cv->px);
    if (!window_of(cv, b, radius + soft, &w)) return;
    for (int r = w.r0; r <= w.r1; r++) {
        float dy = (float)(twin_row_y(cv, r) - f->y[0]), x = (float)(twin_row_x(cv, r) - f->x[0]);
        for (int c = w.c0; c <= w.c1; c++) {
            float dx = x + (float)c * (float)cv->px, d = sqrtf(dx * dx + dy * dy);
            float *v = &cv->base[(size_t)r * (size_t)cv->cols + (size_t)c];
            *v = capped(*v * (1 + f->bright[0] * twin_step((radius - d) / soft)));
        }
    }
}

/* Half-width of the glow, in widths of the curve. */
#define TWIN_GLOW 6.0f

/* A ridge of height 1 and half-width 1 at t = 0. */
static float ridge(float t)
{
    float u = 1 - t * t;
    return u > 0 ? u * u : 0;
}

void twin_paint_feature(twin_canvas *cv, const twin_feature *f)
{
    if (f->points == 1) {
        paint_spot(cv, f);
        return;
    }
    twin_box b = {DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX};
    for (int i = 0; i < f->points; i++) {
        b.x_lo = fmin(b.x_lo, f->x[i]);
        b.x_hi = fmax(b.x_hi, f->x[i]);
        b.y_lo = fmin(b.y_lo, f->y[i]);
        b.y_hi = fmax(b.y_hi, f->y[i]);
    }
    float width = hypotf(f->width, (float)cv->px),
          margin = (f->halo > 0 ? TWIN_GLOW : 2.4f) * width;
    window w;
    if (!window_of(cv, b, margin, &w)) return;
    for (int r = w.r0; r <= w.r1; r++)
        for (int c = w.c0; c <= w.c1; c++)
            cv->distance[(size_t)r * (size_t)cv->cols + (size_t)c] = 1;
    float length = 0;
    for (int i = 0; i + 1 < f->points; i++) {
        near_segment(cv, f, i, margin, length);
        length += hypotf(f->x[i + 1] - f->x[i], f->y[i + 1] - f->y[i]);
    }
    for (int r = w.r0; r <= w.r1; r++)
        for (int c = w.c0; c <= w.c1; c++) {
            size_t at = (size_t)r * (size_t)cv->cols + (size_t)c;
            if (cv->distance[at] > margin * margin) continue;
            float d = sqrtf(cv->distance[at]) * (cv->near[at] ? 1 : -1), s = cv->along[at];
            float vary = 0.65f + 0.55f * rs_noise1(f->seed, s / f->vary_size);
            float end = fminf(s, length - s) / (2 * width);
            vary *= end < 1 ? fmaxf(end, 0.2f) : 1;
            float bright = f->bright[0] * ridge((d - 0.9f * width) / (1.4f * width)) +
                           f->bright[1] * ridge((d + 0.9f * width) / (1.4f * width));
            bright += f->halo * ridge(d / (TWIN_GLOW * width));
            float core = f->core * ridge(d / (0.8f * width));
            float bent = (1 + bright * vary) * (1 - core * (vary > 1 ? 1 : vary));
            cv->base[at] = capped(cv->base[at] * bent);
        }
}

void twin_paint_minus(twin_canvas *cv, const rs_twin_sample *sample)
{
    float scale = (float)(twin_minus_scale(sample) / (cv->px < cv->py ? cv->px : cv->py));
    float gain = (float)sqrt(2.0 / TWIN_WAVES) * scale, level = (float)sample->wave_level * scale;
    const bool waves = sample->opt.minus_fraction > 0;
    for (int r = 0; r < cv->rows; r++) {
        float *row = cv->minus + (size_t)r * (size_t)cv->cols;
        double x = twin_row_x(cv, r), y = twin_row_y(cv, r);
        for (int c = 0; c < cv->cols; c++) row[c] = waves ? -level : -TWIN_FAR;
        for (int i = 0; waves && i < TWIN_WAVES; i++) {
            double start = sample->wave_kx[i] * x + sample->wave_ky[i] * y + sample->wave_phase[i];
            double turn = sample->wave_kx[i] * cv->px;
            double re = cos(start), im = sin(start), cr = cos(turn), ci = sin(turn);
            for (int c = 0; c < cv->cols; c++) {
                row[c] += gain * (float)re;
                double next = re * cr - im * ci;
                im = re * ci + im * cr;
                re = next;
            }
        }
    }
}
