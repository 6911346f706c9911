#include "spm/labelled/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/csv.h"
#include "io/npy.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/png.h"

static const struct {
    const char *name, *unit;
} channels[RS_LABELLED_CHANNELS] = {
    [RS_LABELLED_AMPLITUDE] = {"Amplitude", "m"},
    [RS_LABELLED_PHASE] = {"Phase", "rad"},
    [RS_LABELLED_RESONANCE] = {"Resonance frequency", "Hz"},
    [RS_LABELLED_Q] = {"Quality factor", ""},
    [RS_LABELLED_HEIGHT] = {"Height", "m"},
};

void rs_labelled_frame_clear(rs_labelled_frame *f)
{
    for (int i = 0; i < RS_LABELLED_CHANNELS; i++) rs_image_clear(&f->channel[i]);
    rs_free(f->wall);
    rs_free(f->domain);
    rs_free(f->kind);
    rs_twin_sample_free(f->film);
    *f = (rs_labelled_frame){0};
}

static reshed_status frame_init(rs_labelled_frame *f, const rs_labelled_recipe *r, double pixel,
                                reshed_error *err)
{
    const size_t n = (size_t)r->height * (size_t)r->width;
    f->height = r->height;
    f->width = r->width;
    f->pixel = pixel;
    f->wall = rs_alloc(n, 1);
    f->domain = rs_alloc(n, 1);
    f->kind = rs_alloc(n, 1);
    if (!f->wall || !f->domain || !f->kind) return rs_fail_nomem(err, "the truth", 3 * n);
    for (int i = 0; i < RS_LABELLED_CHANNELS; i++) {
        rs_image *im = &f->channel[i];
        reshed_status st = rs_image_init(im, f->height, f->width, err);
        if (st != RESHED_OK) return st;
        im->dx = im->dy = pixel;
        snprintf(im->channel, sizeof im->channel, "%s", channels[i].name);
        snprintf(im->unit, sizeof im->unit, "%s", channels[i].unit);
    }
    return RESHED_OK;
}

reshed_status rs_labelled_frame_make(const rs_labelled_recipe *r, rs_labelled_frame *out,
                                     reshed_error *err)
{
    reshed_status st = rs_labelled_check(r, err);
    if (st != RESHED_OK) return st;
    const rs_labelled_scene s = rs_labelled_draw(r, 0);
    st = frame_init(out, r, s.pixel, err);
    if (st == RESHED_OK) st = rs_twin_sample_create(&s.film, &out->film, err);
    if (st != RESHED_OK) return st;
    const rs_twin_channels drawn = {.amplitude = out->channel[RS_LABELLED_AMPLITUDE].data,
                                    .phase = out->channel[RS_LABELLED_PHASE].data,
                                    .resonance = out->channel[RS_LABELLED_RESONANCE].data,
                                    .q = out->channel[RS_LABELLED_Q].data,
                                    .height = out->channel[RS_LABELLED_HEIGHT].data,
                                    .wall = out->wall,
                                    .domain = out->domain,
                                    .kind = out->kind};
    return rs_twin_frame(out->film, s.film.level, &s.effects, &s.view, &drawn, err);
}

/* ---------------------------------------------------------------------------------------- files */
/* Room for a prefix and an ending. */
#define PATH_BYTES 4096

static reshed_status check_prefix(const char *prefix, reshed_error *err)
{
    if (strlen(prefix) <= PATH_BYTES - 64) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "path too long|at most %d bytes|%zu bytes", PATH_BYTES - 64,
                   strlen(prefix));
}

reshed_status rs_labelled_write_npy(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err)
{
    char path[PATH_BYTES];
    size_t dims[2] = {(size_t)f->height, (size_t)f->width};
    reshed_status st = check_prefix(prefix, err);
    if (st != RESHED_OK) return st;
    snprintf(path, sizeof path, "%s.npy", prefix);
    st = rs_npy_write(path, RS_NPY_F4, 2, dims, f->channel[RS_LABELLED_AMPLITUDE].data, err);
    snprintf(path, sizeof path, "%s_walls.npy", prefix);
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_U1, 2, dims, f->wall, err);
    snprintf(path, sizeof path, "%s_domains.npy", prefix);
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_U1, 2, dims, f->domain, err);
    snprintf(path, sizeof path, "%s_kinds.npy", prefix);
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_U1, 2, dims, f->kind, err);
    return st;
}

reshed_status rs_labelled_write_png(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err)
{
    char path[PATH_BYTES];
    size_t n = (size_t)f->height * (size_t)f->width;
    const float *a = f->channel[RS_LABELLED_AMPLITUDE].data;
    reshed_status st = check_prefix(prefix, err);
    if (st != RESHED_OK) return st;
    uint16_t *grey = rs_alloc(n, sizeof *grey);
    if (!grey) return rs_fail_nomem(err, "a picture", n * sizeof *grey);
    float lo = a[0], hi = a[0];
    for (size_t i = 0; i < n; i++) {
        lo = a[i] < lo ? a[i] : lo;
        hi = a[i] > hi ? a[i] : hi;
    }
    float scale = hi > lo ? 65535 / (hi - lo) : 0;
    for (size_t i = 0; i < n; i++) grey[i] = (uint16_t)((a[i] - lo) * scale + 0.5f);
    snprintf(path, sizeof path, "%s.png", prefix);
    st = rs_png_write(path, RS_PNG_GREY16, f->height, f->width, grey, err);
    uint8_t *white = (uint8_t *)grey;
    for (size_t i = 0; i < n; i++) white[i] = f->wall[i] ? 255 : 0;
    snprintf(path, sizeof path, "%s_walls.png", prefix);
    if (st == RESHED_OK) st = rs_png_write(path, RS_PNG_GREY8, f->height, f->width, white, err);
    rs_free(grey);
    return st;
}

static reshed_status add_channel(rs_nsid_writer *w, int number, const rs_image *im,
                                 const char *program, reshed_error *err)
{
    char path[64];
    rs_nsid_data d = {0};
    snprintf(path, sizeof path, "/Measurement_000/Channel_%03d", number);
    reshed_status st = rs_nsid_from_image(im, &d, err);
    if (st == RESHED_OK) {
        snprintf(d.title, sizeof d.title, "%s", im->channel);
        snprintf(d.modality, sizeof d.modality, "PFM");
        snprintf(d.source, sizeof d.source, "%s", program);
        st = rs_nsid_add(w, path, &d, RS_NSID_F32, NULL, 0, err);
    }
    rs_nsid_data_clear(&d);
    return st;
}

static reshed_status add_truth(rs_nsid_writer *w, int number, const char *name,
                               const rs_labelled_frame *f, const uint8_t *map, const char *program,
                               reshed_error *err)
{
    rs_image im;
    reshed_status st = rs_image_init(&im, f->height, f->width, err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; i < (size_t)f->height * (size_t)f->width; i++) im.data[i] = map[i];
    im.dx = im.dy = f->pixel;
    snprintf(im.channel, sizeof im.channel, "%s", name);
    st = add_channel(w, number, &im, program, err);
    rs_image_clear(&im);
    return st;
}

reshed_status rs_labelled_write_h5(const rs_labelled_frame *f, const rs_labelled_recipe *r,
                                   const char *prefix, reshed_error *err)
{
    char path[PATH_BYTES];
    rs_nsid_writer *w = NULL;
    reshed_status st = check_prefix(prefix, err);
    if (st != RESHED_OK) return st;
    snprintf(path, sizeof path, "%s.h5", prefix);
    st = rs_nsid_create(path, RS_NSID_ATOMIC, &w, err);
    for (int i = 0; st == RESHED_OK && i < RS_LABELLED_CHANNELS; i++)
        st = add_channel(w, i, &f->channel[i], r->program, err);
    if (st == RESHED_OK) st = add_truth(w, 5, "Truth walls", f, f->wall, r->program, err);
    if (st == RESHED_OK) st = add_truth(w, 6, "Truth domains", f, f->domain, r->program, err);
    if (st == RESHED_OK) st = add_truth(w, 7, "Truth kinds", f, f->kind, r->program, err);
    if (st == RESHED_OK)
        st = rs_nsid_set_text(w, "/Measurement_000", "twin_options", r->options, err);
    if (st == RESHED_OK)
        st = rs_nsid_set_number(w, "/Measurement_000", "twin_seed", (double)r->seed, err);
    return rs_nsid_finish(w, st, err);
}

reshed_status rs_labelled_write_csv(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err)
{
    static const char *const end_name[] = {"needle", "blunt", "stripe", "film"};
    static const struct {
        const char *name, *unit;
    } head[] = {{"stripe", ""},   {"family", ""}, {"side", ""}, {"tilt", ""},    {"x0", "m"},
                {"y0", "m"},      {"x1", "m"},    {"y1", "m"},  {"length", "m"}, {"angle", "rad"},
                {"contrast", ""}, {"begins", ""}, {"ends", ""}, {"kind", ""}};
    char path[PATH_BYTES];
    rs_csv c = {0};
    reshed_status st = check_prefix(prefix, err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        rs_csv_heading(&c, head[i].name, head[i].unit);
    rs_csv_end_row(&c);
    for (int i = 0; i < rs_twin_wall_count(f->film); i++) {
        rs_twin_wall w;
        rs_twin_wall_get(f->film, i, &w);
        const int whole[] = {w.stripe, w.family, w.side, w.tilt};
        const double number[] = {w.x[0], w.y[0], w.x[1], w.y[1], w.length, w.angle, w.contrast};
        for (int k = 0; k < 4; k++) rs_csv_integer(&c, whole[k]);
        for (int k = 0; k < 7; k++) rs_csv_number(&c, number[k]);
        for (int k = 0; k < 2; k++) rs_csv_text(&c, end_name[w.end[k]]);
        rs_csv_text(&c, rs_twin_kind_name(w.kind));
        rs_csv_end_row(&c);
    }
    snprintf(path, sizeof path, "%s_walls.csv", prefix);
    st = rs_csv_save(&c, path, err);
    rs_csv_clear(&c);
    return st;
}
