#include "spm/labelled/dataset.h"

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/tensors.h"

/* Images between two writes. */
#define BATCH 128

typedef struct batch {
    const rs_labelled_recipe *recipe;
    rs_dataset_type type;
    int64_t first;
    float *scratch; /* [threads, height, width] */
    void *images;   /* [BATCH, height, width] of the file's type */
    uint8_t *labels;
    double pixel[BATCH];
    reshed_status status[BATCH];
    reshed_error err[BATCH];
} batch;

/* Stores an image scaled to [0,1] by its first `scanned` of n pixels. */
static void store(rs_dataset_type type, const float *a, size_t n, size_t scanned, void *images,
                  size_t at)
{
    float lo = a[0], hi = a[0];
    for (size_t i = 0; i < scanned; i++) {
        lo = a[i] < lo ? a[i] : lo;
        hi = a[i] > hi ? a[i] : hi;
    }
    float scale = hi > lo ? 1 / (hi - lo) : 0;
    for (size_t i = 0; i < n; i++) {
        float v = i < scanned ? (a[i] - lo) * scale : 0;
        if (type == RS_DATASET_U8) ((uint8_t *)images)[at + i] = (uint8_t)(v * 255 + 0.5f);
        if (type == RS_DATASET_F16) ((uint16_t *)images)[at + i] = rs_float_to_half(v);
        if (type == RS_DATASET_F32) ((float *)images)[at + i] = v;
    }
}

/* Simulates image i of the batch. */
static void simulate(void *ctx, int64_t i, int worker)
{
    batch *b = ctx;
    const int rows = b->recipe->height;
    const size_t cols = (size_t)b->recipe->width, n = (size_t)rows * cols;
    float *image = b->scratch + (size_t)worker * n;
    rs_twin_sample *film = NULL;
    const rs_labelled_scene s = rs_labelled_draw(b->recipe, b->first + i);
    const rs_twin_channels out = {.amplitude = image, .wall = b->labels + (size_t)i * n};
    reshed_status st = rs_twin_sample_create(&s.film, &film, &b->err[i]);
    if (st == RESHED_OK)
        st = rs_twin_frame(film, s.film.level, &s.effects, &s.view, &out, &b->err[i]);
    if (st == RESHED_OK) {
        size_t scanned = (size_t)rs_twin_scanned_rows(&s.effects, rows) * cols;
        store(b->type, image, n, scanned, b->images, (size_t)i * n);
    }
    rs_twin_sample_free(film);
    b->pixel[i] = s.pixel;
    b->status[i] = st;
}

static reshed_status write_batch(batch *b, int64_t first, int64_t count, int threads, rs_dataset *d,
                                 reshed_error *err)
{
    b->first = first;
    rs_parallel_for(threads, count, simulate, b);
    for (int64_t i = 0; i < count; i++)
        if (b->status[i] != RESHED_OK) {
            if (err) *err = b->err[i];
            return b->status[i];
        }
    return rs_dataset_write(d, first, count, b->images, b->labels, b->pixel, err);
}

static reshed_status write_batches(batch *b, int64_t count, int threads, const char *path,
                                   rs_labelled_progress *progress, void *ctx, reshed_error *err)
{
    const rs_labelled_recipe *r = b->recipe;
    rs_dataset *d = NULL;
    const rs_dataset_info info = {.count = count,
                                  .height = r->height,
                                  .width = r->width,
                                  .type = b->type,
                                  .seed = r->seed,
                                  .program = r->program,
                                  .options = r->options};
    reshed_status st = rs_dataset_create(path, &info, &d, err);
    for (int64_t first = 0; st == RESHED_OK && first < count; first += BATCH) {
        int64_t n = count - first < BATCH ? count - first : BATCH;
        st = write_batch(b, first, n, threads, d, err);
        if (progress) progress(ctx, first + n);
    }
    return rs_dataset_finish(d, st, err);
}

reshed_status rs_labelled_dataset(const rs_labelled_recipe *r, int64_t count, rs_dataset_type type,
                                  int threads, const char *path, rs_labelled_progress *progress,
                                  void *ctx, reshed_error *err)
{
    reshed_status st = rs_labelled_check(r, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)r->height * (size_t)r->width;
    threads = rs_threads_or_all(threads);
    batch *b = rs_zalloc(1, sizeof *b);
    if (!b) return rs_fail_nomem(err, "a batch of images", sizeof *b);
    b->recipe = r;
    b->type = type;
    b->scratch = rs_alloc((size_t)threads * n, sizeof *b->scratch);
    b->images = rs_alloc(BATCH * n, rs_dataset_pixel_bytes(type));
    b->labels = rs_alloc(BATCH * n, 1);
    if (b->scratch && b->images && b->labels)
        st = write_batches(b, count, threads, path, progress, ctx, err);
    else
        st = rs_fail_nomem(err, "a batch of images", BATCH * n * 6);
    rs_free(b->scratch);
    rs_free(b->images);
    rs_free(b->labels);
    rs_free(b);
    return st;
}
