/* render.c - the channels of a frame: the response of the painted objects. */
#include "spm/twin/sample.h"

#include "base/alloc.h"
#include "base/image.h"
#include "spm/twin/canvas.h"

static reshed_status check_view(const rs_twin_view *v, reshed_error *err)
{
    if (!(v->width > 0 && v->height > 0 && v->width <= 1 && v->height <= 1))
        return rs_fail(err, RESHED_EINVAL, "size of the twin's frame|0 to 1 m|%g x %g", v->width,
                       v->height);
    if (!(fabs(v->cx) <= 1 && fabs(v->cy) <= 1))
        return rs_fail(err, RESHED_EINVAL, "centre of the twin's frame|-1 to 1 m|%g, %g", v->cx,
                       v->cy);
    if (v->rows < 1 || v->cols < 1 || v->rows > RS_IMAGE_MAX_SIDE || v->cols > RS_IMAGE_MAX_SIDE ||
        (size_t)v->rows * (size_t)v->cols > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "pixels of the twin's frame|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, v->rows, v->cols);
    if (v->row_begin < 0 || v->row_begin >= v->row_end || v->row_end > v->rows)
        return rs_fail(err, RESHED_EINVAL, "rows of the twin's frame|0 <= begin < end <= %d|%d, %d",
                       v->rows, v->row_begin, v->row_end);
    /* The work grows with the ground that the lines cover. */
    double far = 10 * (v->width + v->height);
    for (int r = 0; r < v->rows; r++)
        if ((v->dx && !(fabs((double)v->dx[r]) <= far)) ||
            (v->dy && !(fabs((double)v->dy[r]) <= far)))
            return rs_fail(err, RESHED_EINVAL, "drift of the twin's frame|at most %g m||row %d",
                           far, r);
    return RESHED_OK;
}

/* One block for everything on the canvas. */
static reshed_status canvas_open(const rs_twin_sample *sample, const rs_twin_view *v,
                                 const rs_twin_channels *out, twin_canvas *cv, void **block,
                                 float **noise, twin_edges **edges, reshed_error *err)
{
    const int more = out->kind ? TWIN_KIND_ROWS : 1;
    int from = v->row_begin > more ? v->row_begin - more : 0;
    int to = v->rows - v->row_end > more ? v->row_end + more : v->rows;
    *cv = (twin_canvas){.view = v, .first_row = from, .rows = to - from, .cols = v->cols};
    cv->px = v->width / v->cols;
    cv->py = v->height / v->rows;
    cv->x0 = v->cx - 0.5 * v->width + 0.5 * cv->px;
    cv->y0 = v->cy + 0.5 * v->height - 0.5 * cv->py;
    cv->visible = (float)sample->opt.visible;
    cv->marked = (float)sample->opt.marked;
    cv->outward = (float)(sample->opt.outward / fmin(cv->px, cv->py));
    size_t n = (size_t)cv->rows * (size_t)cv->cols;
    bool minus = twin_has_minus(sample), relief = out->height != NULL;
    size_t planes = 6 + minus + relief;
    size_t floats = planes * n + twin_noise_table(cv);
    size_t bytes = (floats * sizeof(float) + 15) / 16 * 16;
    size_t edge_bytes = twin_stripe_table(cv) * sizeof **edges;
    char *p = rs_alloc(bytes + edge_bytes + 2 * n, 1);
    if (!p) return rs_fail_nomem(err, "the twin's canvas", bytes + edge_bytes + 2 * n);
    *block = p;
    float *f = (float *)p;
    float **plane[] = {&cv->base, &cv->pass, &cv->share, &cv->inside, &cv->distance, &cv->along};
    for (size_t i = 0; i < sizeof plane / sizeof plane[0]; i++, f += n) *plane[i] = f;
    if (minus) {
        cv->minus = f;
        f += n;
    }
    if (relief) {
        cv->relief = f;
        f += n;
    }
    *noise = f;
    *edges = (twin_edges *)(p + bytes);
    cv->across = (uint8_t *)(p + bytes + edge_bytes);
    cv->near = cv->across + n;
    for (size_t i = 0; i < n; i++) {
        cv->base[i] = 1;
        cv->pass[i] = 1;
        cv->share[i] = 0;
        cv->inside[i] = TWIN_FAR;
        cv->across[i] = 0;
        if (relief) cv->relief[i] = 0;
    }
    return RESHED_OK;
}

static void paint(const rs_twin_sample *sample, twin_canvas *cv, float *noise, twin_edges *edges)
{
    const rs_twin_options *o = &sample->opt;
    uint64_t slow = rs_hash64(o->seed ^ TWIN_STREAM_SLOW),
             fine = rs_hash64(o->seed ^ TWIN_STREAM_TEXTURE);
    if (o->slow > 0) {
        twin_add_noise(cv, slow, o->slow_size, 0.8f * (float)o->slow, cv->base, noise);
        twin_add_noise(cv, slow + 1, 0.41 * o->slow_size, 0.6f * (float)o->slow, cv->base, noise);
    }
    if (o->texture > 0) {
        twin_add_noise(cv, fine, o->texture_size, 0.8f * (float)o->texture, cv->base, noise);
        twin_add_noise(cv, fine + 1, 0.53 * o->texture_size, 0.6f * (float)o->texture, cv->base,
                       noise);
    }
    twin_paint_patches(cv, sample, noise);
    for (int i = 0; i < sample->features; i++) twin_paint_feature(cv, &sample->feature[i]);
    for (int i = 0; i < sample->stripes; i++) twin_paint_stripe(cv, &sample->stripe[i], edges);
    if (!cv->minus) return;
    twin_paint_minus(cv, sample);
    twin_paint_islands(cv, sample);
}

static void write_response(const rs_twin_sample *sample, const twin_canvas *cv, size_t first,
                           size_t n, const rs_twin_channels *out)
{
    const rs_twin_options *o = &sample->opt;
    float level = (float)o->level, offset = (float)o->offset;
    float back_re = (float)TWIN_BACKGROUND_RE * offset, im = (float)TWIN_BACKGROUND_IM * offset;
    double pixel = cv->px < cv->py ? cv->px : cv->py;
    float wall = (float)(o->wall180_width / pixel), wall2 = wall * wall + 0.2f;
    for (size_t i = 0; i < n; i++) {
        size_t at = first + i;
        float response = cv->base[at] > 0 ? cv->base[at] * cv->pass[at] : 0;
        if (cv->minus) response *= cv->minus[at] / sqrtf(cv->minus[at] * cv->minus[at] + wall2);
        float re = response + back_re;
        if (out->amplitude) out->amplitude[i] = level * sqrtf(re * re + im * im);
        if (out->phase) out->phase[i] = atan2f(im, re);
    }
}

static void write_mechanics(const rs_twin_sample *sample, const twin_canvas *cv, size_t first,
                            int rows, const rs_twin_channels *out, float *noise)
{
    const rs_twin_options *o = &sample->opt;
    size_t n = (size_t)rows * (size_t)cv->cols;
    /* The noise is drawn for the rows wanted alone. */
    twin_canvas part = *cv;
    part.first_row = cv->view->row_begin;
    part.rows = rows;
    uint64_t seed = rs_hash64(o->seed ^ TWIN_STREAM_RESONANCE);
    for (size_t i = 0; out->q && i < n; i++)
        out->q[i] = (float)(o->q * (1 + o->q_a * (double)cv->share[first + i]));
    if (out->resonance) {
        for (size_t i = 0; i < n; i++)
            out->resonance[i] =
                (float)(o->resonance + o->resonance_a * (double)cv->share[first + i]);
        twin_add_noise(&part, seed, 2 * o->slow_size, (float)o->resonance_slow, out->resonance,
                       noise);
    }
    if (out->height) {
        seed = rs_hash64(o->seed ^ TWIN_STREAM_HEIGHT);
        for (size_t i = 0; i < n; i++) out->height[i] = (float)o->tilt * cv->relief[first + i];
        float rough = (float)o->height_roughness;
        twin_add_noise(&part, seed, 3 * o->texture_size, 0.8f * rough, out->height, noise);
        twin_add_noise(&part, seed + 1, o->texture_size, 0.6f * rough, out->height, noise);
    }
}

reshed_status rs_twin_render(const rs_twin_sample *sample, const rs_twin_view *view,
                             const rs_twin_channels *out, reshed_error *err)
{
    twin_canvas cv;
    void *block = NULL;
    float *noise = NULL;
    twin_edges *edges = NULL;
    reshed_status st = check_view(view, err);
    if (st == RESHED_OK) st = canvas_open(sample, view, out, &cv, &block, &noise, &edges, err);
    if (st != RESHED_OK) return st;
    paint(sample, &cv, noise, edges);
    int from = view->row_begin - cv.first_row, rows = view->row_end - view->row_begin;
    size_t first = (size_t)from * (size_t)cv.cols, n = (size_t)rows * (size_t)cv.cols;
    if (out->amplitude || out->phase) write_response(sample, &cv, first, n, out);
    if (out->resonance || out->q || out->height)
        write_mechanics(sample, &cv, first, rows, out, noise);
    if (out->wall) twin_mark_walls(&cv, from, from + rows, out->wall);
    if (out->kind) twin_mark_kinds(&cv, from, from + rows, out->kind);
    if (out->domain) twin_mark_domains(&cv, from, from + rows, out->domain);
    rs_free(block);
    return RESHED_OK;
}
