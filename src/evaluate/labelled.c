#include "evaluate/labelled.h"

#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/normalise.h"
#include "imgproc/image/skeleton.h"
#include "io/image_file.h"

void eval_frame_clear(eval_frame *f)
{
    rs_free(f->raw);
    rs_free(f->image);
    rs_free(f->truth);
    rs_free(f->thin);
    *f = (eval_frame){0};
}

static reshed_status frame_init(eval_frame *f, int height, int width, reshed_error *err)
{
    const size_t n = (size_t)height * (size_t)width;
    *f = (eval_frame){.height = height, .width = width, .scanned = height};
    f->raw = rs_alloc(n, sizeof *f->raw);
    f->image = rs_alloc(n, sizeof *f->image);
    f->truth = rs_alloc(n, 1);
    f->thin = rs_alloc(n, 1);
    if (f->raw && f->image && f->truth && f->thin) return RESHED_OK;
    eval_frame_clear(f);
    return rs_fail_nomem(err, "a labelled frame", 10 * n);
}

/* raw and truth to image and thin. */
static reshed_status frame_finish(eval_frame *f, reshed_error *err)
{
    const size_t n = (size_t)f->height * (size_t)f->width;
    const size_t scanned = (size_t)f->scanned * (size_t)f->width;
    rs_norm_range range;
    reshed_status st = rs_norm_range_frame(f->raw, scanned, &range, err);
    if (st == RESHED_OK) st = rs_norm_apply(f->raw, scanned, range, false, f->image, err);
    if (st != RESHED_OK) return st;
    memset(f->image + scanned, 0, (n - scanned) * sizeof *f->image);
    return rs_skeletonize(f->truth, f->height, f->width, f->thin, err);
}

/* The film as it is drawn by default, in the place of a random one. */
static void make_plain(int n, rs_twin_options *opt, double *px)
{
    const rs_twin_options random = *opt;
    *px = 10e-9;
    rs_twin_options_defaults(opt);
    opt->seed = random.seed;
    opt->angle = random.angle;
    opt->width = opt->height = 1.2 * n * *px;
}

static void make_steady(rs_twin_effects *fx)
{
    fx->second_tip = fx->tip_change = fx->level_jumps = fx->jumps = 0;
    fx->scars = fx->hot_pixels = 0;
    fx->scanned = 1;
}

reshed_status eval_frame_twin(const eval_twin *twin, uint64_t seed, int64_t i,
                              const eval_change *change, eval_frame *out, reshed_error *err)
{
    const int n = twin->size;
    rs_twin_options opt;
    rs_twin_effects fx;
    rs_twin_sample *film = NULL;
    eval_frame f = {0};
    double px;
    rs_twin_randomise(rs_twin_image_seed(seed, i), n, n, 0, twin->harsh, &opt, &fx, &px);
    if (twin->plain)
        make_plain(n, &opt, &px);
    else
        rs_twin_film_randomise(twin->film, n, n, px, twin->harsh, &opt, &fx);
    if (twin->steady) make_steady(&fx);
    if (change && change->field) rs_twin_field_set(change->field, &fx, change->value);
    reshed_status st = frame_init(&f, n, n, err);
    if (st == RESHED_OK) st = rs_twin_sample_create(&opt, &film, err);
    if (st == RESHED_OK) {
        rs_twin_view view = {.width = n * px, .height = n * px, .rows = n, .cols = n, .row_end = n};
        rs_twin_channels channels = {.amplitude = f.raw, .wall = f.truth};
        st = rs_twin_frame(film, opt.level, &fx, &view, &channels, err);
    }
    rs_twin_sample_free(film);
    if (st == RESHED_OK) {
        for (size_t k = 0; k < (size_t)n * (size_t)n; k++)
            f.raw[k] = (float)((double)f.raw[k] / opt.level);
        f.scanned = rs_twin_scanned_rows(&fx, n);
        st = frame_finish(&f, err);
    }
    if (st != RESHED_OK) {
        eval_frame_clear(&f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}

reshed_status eval_frame_read(const char *image, const char *walls, eval_frame *out,
                              reshed_error *err)
{
    rs_image a = {0}, b = {0};
    eval_frame f = {0};
    size_t filled, n = 0;
    reshed_status st = rs_image_read(image, NULL, &a, err);
    if (st == RESHED_OK) st = rs_fill_gaps(a.data, a.height, a.width, &filled, err);
    if (st == RESHED_OK) st = rs_image_read_quantity(walls, NULL, RS_QUANTITY_WALLS, &b, err);
    if (st == RESHED_OK && (a.height != b.height || a.width != b.width))
        st = rs_fail(err, RESHED_EINVAL, "size of the walls|%d x %d as the image|%d x %d|%s",
                     a.height, a.width, b.height, b.width, walls);
    if (st == RESHED_OK) st = frame_init(&f, a.height, a.width, err);
    if (st == RESHED_OK) {
        n = (size_t)a.height * (size_t)a.width;
        memcpy(f.raw, a.data, n * sizeof *f.raw);
        for (size_t i = 0; i < n; i++) f.truth[i] = b.data[i] > 0;
        st = frame_finish(&f, err);
    }
    rs_image_clear(&a);
    rs_image_clear(&b);
    if (st != RESHED_OK) {
        eval_frame_clear(&f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}
