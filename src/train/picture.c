#include "train/picture.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/normalise.h"
#include "imgproc/image/resample.h"
#include "io/image_file.h"
#include "spm/labelled/recipe.h"
#include "train/label.h"

#define LEAST_SIDE 4

reshed_status rs_picture_init(rs_picture *p, int height, int width, reshed_error *err)
{
    *p = (rs_picture){0};
    if (height < LEAST_SIDE || width < LEAST_SIDE || height > RS_IMAGE_MAX_SIDE ||
        width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of a picture to train on|%d to %d a side|%d x %d", LEAST_SIDE,
                       RS_IMAGE_MAX_SIDE, height, width);
    const size_t n = (size_t)height * (size_t)width;
    *p = (rs_picture){.height = height,
                      .width = width,
                      .image = rs_alloc(n, sizeof *p->image),
                      .wall = rs_alloc(n, 1),
                      .known = rs_alloc(n, 1)};
    if (p->image && p->wall && p->known) {
        memset(p->known, 1, n);
        return RESHED_OK;
    }
    rs_picture_clear(p);
    return rs_fail_nomem(err, "a picture", 6 * n);
}

void rs_picture_clear(rs_picture *p)
{
    rs_free(p->image);
    rs_free(p->wall);
    rs_free(p->known);
    rs_free(p->distance);
    *p = (rs_picture){0};
}

reshed_status rs_picture_distance(rs_picture *p, reshed_error *err)
{
    const size_t n = (size_t)p->height * (size_t)p->width;
    if (p->distance) return RESHED_OK;
    float *distance = rs_alloc(n, sizeof *distance);
    if (!distance) return rs_fail_nomem(err, "distances to walls", n * sizeof *distance);
    reshed_status st = rs_label_distance(p->wall, p->height, p->width, distance, err);
    if (st == RESHED_OK)
        p->distance = distance;
    else
        rs_free(distance);
    return st;
}

/* To [0,1]. */
static reshed_status scale(float *image, size_t n, reshed_error *err)
{
    rs_norm_range range;
    reshed_status st = rs_norm_range_frame(image, n, &range, err);
    return st == RESHED_OK ? rs_norm_apply(image, n, range, false, image, err) : st;
}

/* -------------------------------------------------------------------------------------- simulated */

reshed_status rs_picture_simulate(const rs_picture_scene *scene, uint64_t set, int64_t i,
                                  rs_picture *out, reshed_error *err)
{
    const int size = scene->size;
    const size_t n = (size_t)size * (size_t)size;
    rs_labelled_setting whole;
    rs_picture p = {0};
    rs_twin_sample *film = NULL;
    rs_labelled_scene s = {0};
    if (!rs_labelled_find("scanned", &whole))
        return rs_fail(err, RESHED_EINTERNAL, "the twin's effects|scanned|none of that name");
    whole.value = 1;
    const rs_labelled_recipe recipe = {.height = size,
                                       .width = size,
                                       .seed = set,
                                       .film = scene->film,
                                       .random = true,
                                       .harsh = scene->harsh,
                                       .setting = &whole,
                                       .settings = 1};
    reshed_status st = rs_labelled_check(&recipe, err);
    if (st == RESHED_OK) st = rs_picture_init(&p, size, size, err);
    if (st == RESHED_OK) {
        s = rs_labelled_draw(&recipe, i);
        st = rs_twin_sample_create(&s.film, &film, err);
    }
    if (st == RESHED_OK) {
        const rs_twin_channels channels = {.amplitude = p.image, .wall = p.wall};
        st = rs_twin_frame(film, s.film.level, &s.effects, &s.view, &channels, err);
    }
    rs_twin_sample_free(film);
    if (st == RESHED_OK) st = scale(p.image, n, err);
    if (st == RESHED_OK)
        *out = p;
    else
        rs_picture_clear(&p);
    return st;
}

/* ------------------------------------------------------------------------------------ the user's */

/* Walls and what is known of them, on the grid of their file. */
typedef struct drawing {
    int height, width;
    uint8_t *wall, *known; /* owned */
} drawing;

static void drawing_clear(drawing *d)
{
    rs_free(d->wall);
    rs_free(d->known);
}

static reshed_status read_unknown(const char *path, drawing *d, reshed_error *err)
{
    rs_image im = {0};
    reshed_status st = rs_image_read_quantity(path, NULL, RS_QUANTITY_WALLS, &im, err);
    if (st != RESHED_OK) return st;
    if (im.height != d->height || im.width != d->width)
        st = rs_fail(err, RESHED_EINVAL,
                     "size of the map of unknown pixels|%d x %d as the walls|%d x %d", d->height,
                     d->width, im.height, im.width);
    for (size_t i = 0, n = (size_t)d->height * (size_t)d->width; st == RESHED_OK && i < n; i++)
        if (!(im.data[i] == 0)) d->known[i] = d->wall[i] = 0;
    rs_image_clear(&im);
    return st;
}

static reshed_status read_drawing(const rs_picture_files *files, drawing *d, const char **where,
                                  reshed_error *err)
{
    rs_image im = {0};
    *where = files->walls;
    reshed_status st = rs_image_read_quantity(files->walls, NULL, RS_QUANTITY_WALLS, &im, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)im.height * (size_t)im.width;
    *d = (drawing){im.height, im.width, rs_alloc(n, 1), rs_alloc(n, 1)};
    if (!d->wall || !d->known) st = rs_fail_nomem(err, "a label", 2 * n);
    if (st == RESHED_OK) rs_label_read(im.data, n, d->wall, d->known);
    rs_image_clear(&im);
    if (st != RESHED_OK || !files->unknown) return st;
    *where = files->unknown;
    return read_unknown(files->unknown, d, err);
}

/* The image on the grid of the network, scaled, and which of its pixels were measured, on the grid
 * of the file: gaps [H,W] of *im. */
static reshed_status prepare_image(rs_image *im, double trained_min, double trained_max,
                                   uint8_t *measured, rs_picture *p, reshed_error *err)
{
    const size_t n = (size_t)im->height * (size_t)im->width;
    const rs_resample_request request = {.mode = RS_RESAMPLE_AUTO};
    rs_resample_plan plan;
    size_t filled;
    for (size_t i = 0; i < n; i++) measured[i] = isfinite(im->data[i]) != 0;
    reshed_status st = rs_fill_gaps(im->data, im->height, im->width, &filled, err);
    if (st == RESHED_OK)
        st = rs_resample_decide(im->height, im->width, im->dx, im->dy, trained_min, trained_max,
                                &request, &plan, err);
    if (st == RESHED_OK) st = rs_picture_init(p, plan.height, plan.width, err);
    if (st == RESHED_OK)
        st = rs_resample(im->data, im->height, im->width, 1, RS_GROW_CATMULL_ROM, p->image,
                         p->height, p->width, err);
    const size_t m = st == RESHED_OK ? (size_t)p->height * (size_t)p->width : 0;
    return st == RESHED_OK ? scale(p->image, m, err) : st;
}

/* Pixels of the picture that no measurement stands behind are not known. */
static void except_gaps(const uint8_t *measured, int height, int width, rs_picture *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const size_t r = (size_t)((int64_t)(2 * y + 1) * height / (2 * p->height));
            const size_t c = (size_t)((int64_t)(2 * x + 1) * width / (2 * p->width));
            const size_t at = (size_t)y * (size_t)p->width + (size_t)x;
            if (!measured[r * (size_t)width + c]) p->known[at] = p->wall[at] = 0;
        }
}

static reshed_status check_drawn(const rs_picture *p, reshed_error *err)
{
    size_t walls = 0, known = 0;
    for (size_t i = 0, n = (size_t)p->height * (size_t)p->width; i < n; i++) {
        walls += p->wall[i];
        known += p->known[i];
    }
    if (known == 0)
        return rs_fail(err, RESHED_EINVAL, "a label to train on|pixels that are known|none");
    if (walls == 0) return rs_fail(err, RESHED_EINVAL, "a label to train on|drawn walls|none");
    return RESHED_OK;
}

reshed_status rs_picture_read(const rs_picture_files *files, double trained_min, double trained_max,
                              rs_picture *out, const char **where, reshed_error *err)
{
    rs_image im = {0};
    drawing d = {0};
    rs_picture p = {0};
    uint8_t *measured = NULL;
    *where = files->image;
    reshed_status st = rs_image_read(files->image, NULL, &im, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)im.height * (size_t)im.width;
    measured = rs_alloc(n, 1);
    if (!measured) st = rs_fail_nomem(err, "a picture", n);
    if (st == RESHED_OK) st = prepare_image(&im, trained_min, trained_max, measured, &p, err);
    if (st == RESHED_OK) st = read_drawing(files, &d, where, err);
    if (st == RESHED_OK)
        st = rs_label_fit(d.wall, d.known, d.height, d.width, p.wall, p.known, p.height, p.width,
                          err);
    if (st == RESHED_OK) {
        except_gaps(measured, im.height, im.width, &p);
        st = check_drawn(&p, err);
    }
    drawing_clear(&d);
    rs_free(measured);
    rs_image_clear(&im);
    if (st == RESHED_OK)
        *out = p;
    else
        rs_picture_clear(&p);
    return st;
}
