/* dataset.c - reshed-twin dataset: many labelled images into one file. */
#include "tools/twin/job.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/tensors.h"

/* Images made between two writes. */
#define BATCH 128

typedef struct batch {
    const twin_job *j;
    int64_t first;
    float *scratch; /* [threads, height, width] */
    void *images;   /* [BATCH, height, width] of the file's type */
    uint8_t *labels;
    double pixel[BATCH];
    reshed_status status[BATCH];
    reshed_error err[BATCH];
} batch;

/* Stores an image scaled to [0,1] by its scanned rows, as a frame is given to the network. */
static void store(const twin_job *j, const float *a, size_t n, size_t scanned, void *images,
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
        if (j->type == RS_DATASET_U8) ((uint8_t *)images)[at + i] = (uint8_t)(v * 255 + 0.5f);
        if (j->type == RS_DATASET_F16) ((uint16_t *)images)[at + i] = rs_float_to_half(v);
        if (j->type == RS_DATASET_F32) ((float *)images)[at + i] = v;
    }
}

static void make_one(void *ctx, int64_t i, int worker)
{
    batch *b = ctx;
    const twin_job *j = b->j;
    int rows = (int)j->height, cols = (int)j->width;
    size_t n = (size_t)rows * (size_t)cols;
    float *image = b->scratch + (size_t)worker * n;
    rs_twin_options opt;
    rs_twin_effects fx;
    rs_twin_sample *sample = NULL;
    double px;
    uint64_t seed = ((uint64_t)j->seed << 32) + (uint64_t)(b->first + i);
    rs_twin_randomise(seed, rows, cols, j->pixel, j->harsh, &opt, &fx, &px);
    twin_apply_settings(j, &opt, &fx);
    rs_twin_view view = {.width = cols * px, .height = rows * px, .cols = cols};
    view.rows = view.row_end = rows;
    rs_twin_channels out = {.amplitude = image, .wall = b->labels + (size_t)i * n};
    reshed_status st = rs_twin_sample_create(&opt, &sample, &b->err[i]);
    if (st == RESHED_OK) st = rs_twin_frame(sample, opt.level, &fx, &view, &out, &b->err[i]);
    if (st == RESHED_OK) {
        size_t scanned = (size_t)rs_twin_scanned_rows(&fx, rows) * (size_t)cols;
        store(j, image, n, scanned, b->images, (size_t)i * n);
    }
    rs_twin_sample_free(sample);
    b->pixel[i] = px;
    b->status[i] = st;
}

static reshed_status make_batch(batch *b, int64_t first, int64_t count, int threads, rs_dataset *d,
                                reshed_error *err)
{
    b->first = first;
    rs_parallel_for(threads, count, make_one, b);
    for (int64_t i = 0; i < count; i++)
        if (b->status[i] != RESHED_OK) {
            *err = b->err[i];
            return b->status[i];
        }
    return rs_dataset_write(d, first, count, b->images, b->labels, b->pixel, err);
}

static reshed_status make_dataset(const twin_job *j, double *seconds, reshed_error *err)
{
    char options[TWIN_DESCRIPTION];
    rs_dataset *d = NULL;
    rs_progress bar;
    int threads = rs_threads_or_all((int)j->threads);
    size_t n = (size_t)j->height * (size_t)j->width;
    double start = rs_os_monotonic();
    reshed_status st = RESHED_OK;
    batch *b = rs_zalloc(1, sizeof *b);
    if (b) {
        b->j = j;
        b->scratch = rs_alloc((size_t)threads * n, sizeof *b->scratch);
        b->images = rs_alloc(BATCH * n, rs_dataset_pixel_bytes(j->type));
        b->labels = rs_alloc(BATCH * n, 1);
    }
    if (!b || !b->scratch || !b->images || !b->labels) {
        st = rs_fail_nomem(err, "a batch of images", BATCH * n * 6);
        goto done;
    }
    twin_describe(j, "dataset", options, sizeof options);
    rs_dataset_info info = {.count = j->count,
                            .height = (int)j->height,
                            .width = (int)j->width,
                            .type = j->type,
                            .seed = (uint64_t)j->seed,
                            .program = "reshed-twin " RESHED_VERSION,
                            .options = options};
    st = rs_dataset_create(j->output, &info, &d, err);
    rs_progress_start(&bar, j->quiet ? NULL : stderr, j->program->name, j->count);
    for (long first = 0; st == RESHED_OK && first < j->count; first += BATCH) {
        long count = j->count - first < BATCH ? j->count - first : BATCH;
        st = make_batch(b, first, count, threads, d, err);
        rs_progress_update(&bar, first + count);
    }
    rs_progress_finish(&bar);
    st = rs_dataset_finish(d, st, err);
    *seconds = rs_os_monotonic() - start;
done:
    if (b) {
        rs_free(b->scratch);
        rs_free(b->images);
        rs_free(b->labels);
    }
    rs_free(b);
    return st;
}

int twin_dataset(const twin_job *j)
{
    reshed_error err = {0};
    double seconds = 0;
    if (make_dataset(j, &seconds, &err) != RESHED_OK) return cli_fail(j->program, j->output, &err);
    if (j->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "file", j->output);
        rs_json_integer(&json, "images", j->count);
        rs_json_integer(&json, "height", j->height);
        rs_json_integer(&json, "width", j->width);
        rs_json_number(&json, "seconds", seconds);
        rs_json_number(&json, "images_per_second", (double)j->count / seconds);
        rs_json_end(&json);
    } else if (!j->quiet) {
        printf("%s: %ld images of %ld x %ld in %.1f s (%.0f a second)\n", j->output, j->count,
               j->height, j->width, seconds, (double)j->count / seconds);
    }
    return cli_close(j->program);
}
