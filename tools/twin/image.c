/* image.c - reshed-twin image: one frame with its truth, in the formats asked for. */
#include "tools/twin/job.h"

#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/json.h"
#include "base/os.h"
#include "io/csv.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/npy.h"
#include "io/png.h"

/* A frame as it is drawn: five channels and two maps of the truth. */
typedef struct frame {
    int rows, cols;
    double pixel;   /* m */
    rs_image im[5]; /* amplitude, phase, resonance, q, height */
    uint8_t *wall, *domain;
    rs_twin_sample *sample;
    rs_twin_options opt;
    rs_twin_effects fx;
} frame;

static const struct {
    const char *name, *unit;
} channel[5] = {{"Amplitude", "m"},
                {"Phase", "rad"},
                {"Resonance frequency", "Hz"},
                {"Quality factor", ""},
                {"Height", "m"}};

static void frame_clear(frame *f)
{
    for (int i = 0; i < 5; i++) rs_image_clear(&f->im[i]);
    rs_free(f->wall);
    rs_free(f->domain);
    rs_twin_sample_free(f->sample);
}

static reshed_status frame_make(const twin_job *j, frame *f, reshed_error *err)
{
    f->rows = (int)j->height;
    f->cols = (int)j->width;
    if (j->random) {
        rs_twin_randomise((uint64_t)j->seed << 32, f->rows, f->cols, j->pixel, j->harsh, &f->opt,
                          &f->fx, &f->pixel);
    } else {
        rs_twin_options_defaults(&f->opt);
        rs_twin_effects_defaults(&f->fx);
        f->pixel = j->pixel > 0 ? j->pixel : 10e-9;
        f->opt.seed = f->fx.seed = (uint64_t)j->seed;
        f->opt.width = 1.1 * f->cols * f->pixel;
        f->opt.height = 1.1 * f->rows * f->pixel;
    }
    twin_apply_settings(j, &f->opt, &f->fx);
    size_t n = (size_t)f->rows * (size_t)f->cols;
    f->wall = rs_alloc(n, 1);
    f->domain = rs_alloc(n, 1);
    if (!f->wall || !f->domain) return rs_fail_nomem(err, "the truth", 2 * n);
    for (int i = 0; i < 5; i++) {
        reshed_status st = rs_image_init(&f->im[i], f->rows, f->cols, err);
        if (st != RESHED_OK) return st;
        f->im[i].dx = f->im[i].dy = f->pixel;
        snprintf(f->im[i].channel, sizeof f->im[i].channel, "%s", channel[i].name);
        snprintf(f->im[i].unit, sizeof f->im[i].unit, "%s", channel[i].unit);
    }
    rs_twin_view view = {.width = f->cols * f->pixel,
                         .height = f->rows * f->pixel,
                         .rows = f->rows,
                         .cols = f->cols,
                         .row_end = f->rows};
    rs_twin_channels out = {f->im[0].data, f->im[1].data, f->im[2].data, f->im[3].data,
                            f->im[4].data, f->wall,       f->domain};
    reshed_status st = rs_twin_sample_create(&f->opt, &f->sample, err);
    return st == RESHED_OK ? rs_twin_frame(f->sample, f->opt.level, &f->fx, &view, &out, err) : st;
}

/* ---------------------------------------------------------------------------------------- writing
 */

static reshed_status write_npy(const frame *f, const char *prefix, reshed_error *err)
{
    char path[4096];
    size_t dims[2] = {(size_t)f->rows, (size_t)f->cols};
    snprintf(path, sizeof path, "%s.npy", prefix);
    reshed_status st = rs_npy_write(path, RS_NPY_F4, 2, dims, f->im[0].data, err);
    snprintf(path, sizeof path, "%s_walls.npy", prefix);
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_U1, 2, dims, f->wall, err);
    snprintf(path, sizeof path, "%s_domains.npy", prefix);
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_U1, 2, dims, f->domain, err);
    return st;
}

/* The amplitude in 16 bits, so that noise and faint stripes survive; walls white on black. */
static reshed_status write_png(const frame *f, const char *prefix, reshed_error *err)
{
    char path[4096];
    size_t n = (size_t)f->rows * (size_t)f->cols;
    const float *a = f->im[0].data;
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
    reshed_status st = rs_png_write(path, RS_PNG_GREY16, f->rows, f->cols, grey, err);
    uint8_t *white = (uint8_t *)grey;
    for (size_t i = 0; i < n; i++) white[i] = f->wall[i] ? 255 : 0;
    snprintf(path, sizeof path, "%s_walls.png", prefix);
    if (st == RESHED_OK) st = rs_png_write(path, RS_PNG_GREY8, f->rows, f->cols, white, err);
    rs_free(grey);
    return st;
}

static reshed_status add_channel(rs_nsid_writer *w, int number, const rs_image *im,
                                 reshed_error *err)
{
    char path[64];
    rs_nsid_data d = {0};
    snprintf(path, sizeof path, "/Measurement_000/Channel_%03d", number);
    reshed_status st = rs_nsid_from_image(im, &d, err);
    if (st == RESHED_OK) {
        snprintf(d.title, sizeof d.title, "%s", im->channel);
        snprintf(d.modality, sizeof d.modality, "PFM");
        snprintf(d.source, sizeof d.source, "reshed-twin " RESHED_VERSION);
        st = rs_nsid_add(w, path, &d, RS_NSID_F32, NULL, 0, err);
    }
    rs_nsid_data_clear(&d);
    return st;
}

static reshed_status add_truth(rs_nsid_writer *w, int number, const char *name, const frame *f,
                               const uint8_t *map, reshed_error *err)
{
    rs_image im;
    reshed_status st = rs_image_init(&im, f->rows, f->cols, err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; i < (size_t)f->rows * (size_t)f->cols; i++) im.data[i] = map[i];
    im.dx = im.dy = f->pixel;
    snprintf(im.channel, sizeof im.channel, "%s", name);
    st = add_channel(w, number, &im, err);
    rs_image_clear(&im);
    return st;
}

static reshed_status write_nsid(const twin_job *j, const frame *f, const char *prefix,
                                reshed_error *err)
{
    char path[4096], options[TWIN_DESCRIPTION];
    rs_nsid_writer *w = NULL;
    snprintf(path, sizeof path, "%s.h5", prefix);
    twin_describe(j, "image", options, sizeof options);
    reshed_status st = rs_nsid_create(path, RS_NSID_ATOMIC, &w, err);
    for (int i = 0; i < 5 && st == RESHED_OK; i++) st = add_channel(w, i, &f->im[i], err);
    if (st == RESHED_OK) st = add_truth(w, 5, "Truth walls", f, f->wall, err);
    if (st == RESHED_OK) st = add_truth(w, 6, "Truth domains", f, f->domain, err);
    if (st == RESHED_OK) st = rs_nsid_set_text(w, "/Measurement_000", "twin_options", options, err);
    if (st == RESHED_OK)
        st = rs_nsid_set_number(w, "/Measurement_000", "twin_seed", (double)j->seed, err);
    return rs_nsid_finish(w, st, err);
}

static reshed_status write_walls(const frame *f, const char *prefix, reshed_error *err)
{
    static const char *const end_name[] = {"needle", "blunt", "stripe", "film"};
    static const struct {
        const char *name, *unit;
    } head[] = {{"stripe", ""},   {"family", ""}, {"side", ""}, {"tilt", ""},    {"x0", "m"},
                {"y0", "m"},      {"x1", "m"},    {"y1", "m"},  {"length", "m"}, {"angle", "rad"},
                {"contrast", ""}, {"begins", ""}, {"ends", ""}};
    char path[4096];
    rs_csv c = {0};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        rs_csv_heading(&c, head[i].name, head[i].unit);
    rs_csv_end_row(&c);
    for (int i = 0; i < rs_twin_wall_count(f->sample); i++) {
        rs_twin_wall w;
        rs_twin_wall_get(f->sample, i, &w);
        const int whole[] = {w.stripe, w.family, w.side, w.tilt};
        const double number[] = {w.x[0], w.y[0], w.x[1], w.y[1], w.length, w.angle, w.contrast};
        for (int k = 0; k < 4; k++) rs_csv_integer(&c, whole[k]);
        for (int k = 0; k < 7; k++) rs_csv_number(&c, number[k]);
        for (int k = 0; k < 2; k++) rs_csv_text(&c, end_name[w.end[k]]);
        rs_csv_end_row(&c);
    }
    snprintf(path, sizeof path, "%s_walls.csv", prefix);
    reshed_status st = rs_csv_save(&c, path, err);
    rs_csv_clear(&c);
    return st;
}

/* Whether the list of formats names this one. */
static bool wanted(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        if (strncmp(p, name, n) == 0 && (p[n] == '\0' || p[n] == ',')) return true;
    }
    return false;
}

static bool check_formats(const twin_job *j)
{
    static const char *const known[] = {"h5", "npy", "png", "csv"};
    size_t total = 0;
    for (size_t i = 0; i < 4; i++)
        if (wanted(j->formats, known[i])) total += strlen(known[i]) + 1;
    if (total == strlen(j->formats) + 1) return true;
    cli_usage_error(j->program, "--formats: expected a list of h5, npy, png, csv, found %s",
                    j->formats);
    return false;
}

int twin_image(const twin_job *j)
{
    reshed_error err = {0};
    frame f = {0};
    double start = rs_os_monotonic();
    if (!check_formats(j)) return CLI_USAGE;
    if (strlen(j->output) > 4000) return cli_usage_error(j->program, "--output: name too long");
    reshed_status st = frame_make(j, &f, &err);
    if (st == RESHED_OK && wanted(j->formats, "h5")) st = write_nsid(j, &f, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "npy")) st = write_npy(&f, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "png")) st = write_png(&f, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "csv")) st = write_walls(&f, j->output, &err);
    size_t n = (size_t)f.rows * (size_t)f.cols, walls = 0;
    for (size_t i = 0; st == RESHED_OK && i < n; i++) walls += f.wall[i];
    int objects = f.sample ? rs_twin_wall_count(f.sample) : 0;
    double pixel = f.pixel;
    frame_clear(&f);
    if (st != RESHED_OK) return cli_fail(j->program, j->output, &err);
    if (j->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "file", j->output);
        rs_json_integer(&json, "height", j->height);
        rs_json_integer(&json, "width", j->width);
        rs_json_number(&json, "pixel_size", pixel);
        rs_json_integer(&json, "wall_objects", objects);
        rs_json_number(&json, "wall_fraction", (double)walls / (double)n);
        rs_json_number(&json, "seconds", rs_os_monotonic() - start);
        rs_json_end(&json);
    } else if (!j->quiet) {
        printf("%s: %ld x %ld pixels of %.3g nm, %d walls, %.1f %% of the pixels\n", j->output,
               j->height, j->width, pixel * 1e9, objects, 100 * (double)walls / (double)n);
    }
    return cli_close(j->program);
}
