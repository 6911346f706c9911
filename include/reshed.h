/* reshed.h - the public C interface of libreshed: ensemble ResHedNet inference for scanning probe
 * microscopy images, after arXiv:2206.11457.
 *
 * A whole program (the tests compile and run this text):
 *
 *     #include <reshed.h>
 *     #include <stdio.h>
 *     int main(int argc, char **argv)
 *     {
 *         static float image[64 * 64];
 *         reshed_ensemble *ensemble = NULL;
 *         reshed_frame *frame = NULL;
 *         reshed_frame_view view;
 *         reshed_error err = {0};
 *         char text[512];
 *         for (int i = 0; i < 64 * 64; i++) image[i] = (float)((i % 64) / 16 % 2);
 *         if (argc > 1 && reshed_ensemble_load(argv[1], &ensemble, &err) == RESHED_OK &&
 *             reshed_frame_create(ensemble, NULL, &frame, &err) == RESHED_OK &&
 *             reshed_frame_run(frame, image, 64, 64, 0, 0, &err) == RESHED_OK) {
 *             reshed_frame_get(frame, &view);
 *             printf("wall probability at the centre: %.3f\n", view.wall[32 * 64 + 32]);
 *         } else {
 *             fprintf(stderr, "%s\n", reshed_error_text(&err, text, sizeof text));
 *         }
 *         reshed_frame_free(frame);
 *         reshed_ensemble_free(ensemble);
 *         return err.status != RESHED_OK;
 *     }
 *
 * reshed_frame_* takes whole images as an instrument gives them, reshed_stream_* the lines of an
 * image as they are scanned, and reshed_plan_* runs the networks alone.
 *
 * Conventions that hold for every call:
 * - A function that can fail returns a reshed_status and fills *err (which may be NULL); on failure
 *   it changes no output and leaves nothing allocated.
 * - `_load` and `_create` give an object that the caller frees with the matching `_free` (NULL is
 *   fine). An object belongs to one thread at a time, but for the ensemble, which any may share.
 * - Options are set by the matching `_defaults` first; NULL in their place means the defaults.
 *   Their first field is their size: a program that was built against an older header of the same
 *   RESHED_ABI gives a shorter struct, and the fields beyond it take their defaults. Any other size
 *   is RESHED_EINVAL.
 * - Images are row-major float32 of shape [H,W]; row 0 is the +y (top) edge of the frame, column 0
 *   its -x edge, whatever the direction of the scan.
 * - The library prints nothing, never exits, and keeps no state of its own between calls.
 */
#ifndef RESHED_H
#define RESHED_H

#include <stddef.h>
#include <stdint.h>

#include "reshed_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* RESHED_VERSION and RESHED_ABI of the library that runs, which may be newer than the header. */
RESHED_API const char *reshed_version(void);
RESHED_API int reshed_abi(void);

/* --------------------------------------------------------------------------------- the ensemble */

/* N trained networks of one shape. Immutable once loaded: any number of threads, plans, frames and
 * streams may share it. */
typedef struct reshed_ensemble reshed_ensemble;

typedef struct reshed_ensemble_info {
    int members;           /* networks in the ensemble, >= 1 */
    int classes;           /* 1: sigmoid wall probability; C > 1: softmax over C classes */
    int filters;           /* channels of the first level */
    int receptive_radius;  /* rows (and columns) of input on each side that can change one output
                              pixel */
    double pixel_size_min; /* metres; the range of pixel sizes seen in training, 0 when unknown */
    double pixel_size_max;
} reshed_ensemble_info;

/* Reads a reshed weights file (HDF5) or an AtomAI *_metadict.tar. The file kind is found by its
 * bytes. */
RESHED_API reshed_status reshed_ensemble_load(const char *path, reshed_ensemble **out,
                                              reshed_error *err);
RESHED_API void reshed_ensemble_free(reshed_ensemble *ensemble);
RESHED_API void reshed_ensemble_get_info(const reshed_ensemble *ensemble,
                                         reshed_ensemble_info *info);
/* "ResHedNet", "Unet", "dilnet" or "SegResNet", AtomAI's names; borrowed. */
RESHED_API const char *reshed_ensemble_network(const reshed_ensemble *ensemble);
/* Sides of images must be multiples of this: 1 (ResHedNet), 2 (dilnet), 4 (SegResNet), 8 (Unet). */
RESHED_API int reshed_ensemble_unit(const reshed_ensemble *ensemble);

/* -------------------------------------------------------------------------- options of networks */

typedef enum reshed_algo {
    RESHED_ALGO_AUTO = 0, /* the fastest known for each layer */
    RESHED_ALGO_WINOGRAD,
    RESHED_ALGO_DIRECT, /* row-independent: a row's bits depend on its receptive rows only */
    RESHED_ALGO_GEMM    /* im2col and a BLAS matrix product */
} reshed_algo;

typedef enum reshed_precision {
    RESHED_FP32 = 0,
    RESHED_BF16 /* for previews: operands of the convolutions in bfloat16; faster with AVX512_BF16
                   and slower without. Goes with AUTO and WINOGRAD. docs/speed.md has its error */
} reshed_precision;

/* --------------------------------------------------------------------------------- whole images
 *
 * What reshed-infer does with an image, and its bits: gaps are filled, the image is brought to
 * square pixels of the trained size and to [0,1], the ensemble runs, and the maps are brought back
 * onto the image's own grid. The frame is judged, too: above a threshold of its score it is unlike
 * those of training, and its maps are not to be trusted. */
typedef struct reshed_frame reshed_frame;

/* The values of the image that become 0 and 1 for the network. */
typedef enum reshed_frame_norm {
    RESHED_FRAME_MIN_MAX = 0, /* the least and the greatest */
    RESHED_FRAME_ROBUST,      /* percentiles 0.5 and 99.5; values outside are clipped */
    RESHED_FRAME_FIXED        /* lo and hi of the options; values outside are clipped */
} reshed_frame_norm;

typedef enum reshed_resample {
    RESHED_RESAMPLE_AUTO = 0, /* into the range of pixel sizes seen in training, where both it and
                                 the image's own are known */
    RESHED_RESAMPLE_OFF,
    RESHED_RESAMPLE_PIXEL_SIZE /* to pixel_size of the options */
} reshed_resample;

typedef struct reshed_frame_options {
    size_t size; /* of this struct, set by reshed_frame_defaults */
    int threads; /* 1 to 1024, or 0 for all processors; the result does not depend on it */
    reshed_algo algo;
    reshed_precision precision;
    int check_precision; /* with RESHED_BF16: not 0 to run fp32 as well and give the difference */
    reshed_frame_norm norm;
    double lo, hi; /* for FIXED: lo < hi, finite */
    reshed_resample resample;
    double pixel_size; /* metres, for PIXEL_SIZE */
    double threshold;  /* 0 to 1 (0.5): a pixel with a larger wall probability counts as wall */
    size_t pad; /* not 0: sides that the network cannot take (reshed_ensemble_unit) grow by zeros at
                   the bottom and on the right, before normalisation, as AtomAI's SegPredictor does; the maps
                   are those of the image. 0: such an image is RESHED_EUNSUPPORTED. */
    size_t average; /* 1 (0 is 1), 2, 4 or 8: the maps are those of so many flips and turns of the
                       image together, turned back, in as many times the time: the mean of their means, and
                       the variance over members and turns. The score is that of the image as it is. */
} reshed_frame_options;

RESHED_API void reshed_frame_defaults(reshed_frame_options *options);
/* RESHED_EINVAL names the option that is out of its range. */
RESHED_API reshed_status reshed_frame_check(const reshed_frame_options *options, reshed_error *err);

/* Packs the weights. The ensemble is not needed afterwards. */
RESHED_API reshed_status reshed_frame_create(const reshed_ensemble *ensemble,
                                             const reshed_frame_options *options,
                                             reshed_frame **out, reshed_error *err);
/* Frees each member's weights once they are packed, as reshed_plan_create_taking. */
RESHED_API reshed_status reshed_frame_create_taking(reshed_ensemble *ensemble,
                                                    const reshed_frame_options *options,
                                                    reshed_frame **out, reshed_error *err);
RESHED_API void reshed_frame_free(reshed_frame *frame);

/* image [height,width], in any unit; NaN and infinities are gaps. dx, dy: pixel size in metres
 * along a row and along a column, 0 when unknown. Sides from 4 to 16384, also on the network's
 * grid. An image without a finite value is RESHED_EINVAL. After a failure there are no results
 * until a run succeeds. */
RESHED_API reshed_status reshed_frame_run(reshed_frame *frame, const float *image, int height,
                                          int width, double dx, double dy, reshed_error *err);

/* |difference| of two maps over their pixels. */
typedef struct reshed_difference {
    double largest, average;
} reshed_difference;

/* Results of the last run, borrowed; valid until the next call with this frame. All zero when there
 * are none. */
typedef struct reshed_frame_view {
    int height, width, classes, members;
    const float *image;           /* [H,W]: the image, gaps filled */
    const float *mean, *variance; /* [H,W] or [H,W,C]: over the members, of the probabilities */
    /* [H,W]: probability of a wall, and its variance. With one class mean and variance themselves;
     * with several the first class is the background and all else is wall. */
    const float *wall, *wall_variance;
    const float *input; /* [input_height,input_width]: what the network saw */
    int input_height, input_width;
    const char *resampled;   /* the reason for another grid, "" when it is the image's own */
    float lo, hi;            /* what became 0 and 1 */
    size_t filled;           /* pixels that were not finite */
    double mean_uncertainty; /* mean of variance */
    double wall_fraction;    /* share of the pixels that count as wall */
    double ood_score;     /* about 1 for frames like those of training, more for others; 100 or more
                                for a frame without contrast (constant, saturated, finer than
                                float32, squeezed by a hot pixel); else NaN when none can be given:
                                weights that know none, several classes, a frame that is too small */
    double ood_threshold; /* of the weights, 0 when unknown */
    int alarm;            /* 1: the score is above it, or there is no contrast */
    int checked;          /* 1: the precision was checked */
    reshed_difference mean_error, variance_error; /* of bf16, on the network's grid */
    double seconds;                               /* that normalisation and the networks took */
} reshed_frame_view;
RESHED_API void reshed_frame_get(const reshed_frame *frame, reshed_frame_view *view);

/* As reshed_plan_set_cancel, for runs of this frame; a run that is ended so has no results. */
RESHED_API void reshed_frame_set_cancel(reshed_frame *frame, int (*cancel)(void *ctx), void *ctx);

/* Bytes that the frame holds. */
RESHED_API size_t reshed_frame_bytes(const reshed_frame *frame);

/* ------------------------------------------------------------------------------------ inference */

typedef struct reshed_options {
    size_t size; /* of this struct, set by reshed_options_defaults */
    int threads; /* 1 to 1024, or 0 for all processors; the result does not depend on it */
    reshed_algo algo;
    reshed_precision precision;
} reshed_options;

RESHED_API void reshed_options_defaults(reshed_options *options);
RESHED_API reshed_status reshed_options_check(const reshed_options *options, reshed_error *err);

/* Everything decided and allocated for one image size: algorithms, packed weights, workspace.
 * Several plans may share an ensemble, which must outlive them. */
typedef struct reshed_plan reshed_plan;

/* height, width >= 4. */
RESHED_API reshed_status reshed_plan_create(const reshed_ensemble *ensemble, int height, int width,
                                            const reshed_options *options, reshed_plan **out,
                                            reshed_error *err);
/* The same for the last plan that an ensemble makes: each member's weights are freed once they are
 * packed, so that both forms never lie in memory together. Afterwards the ensemble answers
 * reshed_ensemble_get_info but makes no other plan (RESHED_EINVAL); the plan does not need it any
 * more. If packing itself fails (RESHED_ENOMEM) the ensemble can only be freed. */
RESHED_API reshed_status reshed_plan_create_taking(reshed_ensemble *ensemble, int height, int width,
                                                   const reshed_options *options, reshed_plan **out,
                                                   reshed_error *err);
RESHED_API void reshed_plan_free(reshed_plan *plan);

/* Makes the plan fit another image size; the packed weights stay. On failure the plan is as
 * before. */
RESHED_API reshed_status reshed_plan_resize(reshed_plan *plan, int height, int width,
                                            reshed_error *err);

/* Bytes that the plan holds: exact for its own allocations, without the ensemble. */
RESHED_API size_t reshed_plan_bytes(const reshed_plan *plan);

/* image [H,W], already in the network's units: see reshed_normalise. Every value must be finite,
 * else RESHED_EINVAL. mean, variance: [H,W] ([H,W,C] when classes is C > 1): over the members, of
 * the probabilities; the variance is the population variance (paper, Eq. 1a and 1b). members: NULL
 * or [N,H,W] ([N,H,W,C]): each member's probabilities. Allocates nothing. Same bits for any number
 * of threads. */
RESHED_API reshed_status reshed_plan_run(reshed_plan *plan, const float *image, float *mean,
                                         float *variance, float *members, reshed_error *err);

/* From now on reshed_plan_run asks cancel(ctx) about every 50 ms, on the thread that called it; an
 * answer other than 0 ends the run with RESHED_ECANCELLED, and what mean, variance and members hold
 * is then of no use. The plan can run again. NULL: no longer. */
RESHED_API void reshed_plan_set_cancel(reshed_plan *plan, int (*cancel)(void *ctx), void *ctx);

/* Maps image[n] linearly so that its smallest value becomes 0 and its largest 1 (a constant image
 * becomes 0), in place. Non-finite values are an error. */
RESHED_API reshed_status reshed_normalise(float *image, size_t n, reshed_error *err);

/* ------------------------------------------------------------------------------------ streaming
 *
 * Inference while the image is being scanned:
 *
 *     reshed_stream_create(ensemble, H, W, NULL, &stream, &err);
 *     while (a line has come)
 *         reshed_stream_push(stream, row, 1, line, &err), reshed_stream_get(stream, &view);
 *     reshed_stream_finish(stream, &err);
 *
 * After each push the map is what the ensemble says of everything scanned so far, at a fraction of
 * the work. A row of the map is final once everything within its receptive field has been scanned:
 * it then has the same bits whatever the order and the portions in which the lines came, and the
 * same as RESHED_ALGO_DIRECT gives for the whole frame under the same normalisation. A provisional
 * row can still change: it agrees with the whole frame as it is known so far to 2e-5. Decide on
 * final rows only. docs/streaming.md draws how it works. */
typedef struct reshed_stream reshed_stream;

typedef enum reshed_row_state {
    RESHED_ROW_UNSCANNED = 0,
    RESHED_ROW_PROVISIONAL, /* something within its receptive field is unscanned or has changed */
    RESHED_ROW_FINAL
} reshed_row_state;

/* The values that become 0 and 1 for the network. A row is final for the range in force; when that
 * changes (all but FIXED), rows become stale and are computed again, newest first, as time
 * allows. */
typedef enum reshed_stream_norm {
    RESHED_STREAM_ROBUST = 0, /* percentiles 0.5 and 99.5 of the first 16 lines; values outside are
                                 clipped; widened when more than 2 % of later pixels are */
    RESHED_STREAM_SCANNED,    /* least and greatest value scanned so far */
    RESHED_STREAM_FRAME,      /* the same of the canvas, unscanned pixels counted as 0, as AtomAI's
                                 predictor does with a frame that is being filled */
    RESHED_STREAM_FIXED       /* lo and hi of the options */
} reshed_stream_norm;

/* The network's picture of rows that are not scanned yet. */
typedef enum reshed_front {
    RESHED_FRONT_ZERO = 0, /* 0 after normalisation (FRAME: before it) */
    RESHED_FRONT_REFLECT   /* the scanned rows, mirrored: dearer */
} reshed_front;

/* The arithmetic of provisional rows. */
typedef enum reshed_preview {
    RESHED_PREVIEW_FP32 = 0,
    RESHED_PREVIEW_BF16, /* faster where there is AVX512_BF16; with the error of RESHED_BF16 */
    RESHED_PREVIEW_OFF   /* not at all: NaN until they are final */
} reshed_preview;

typedef struct reshed_stream_options {
    size_t size; /* of this struct, set by reshed_stream_defaults */
    int threads; /* 1 to 1024, or 0 for all processors, but no more than members are used */
    reshed_stream_norm norm;
    float lo, hi; /* for FIXED: lo < hi */
    reshed_front front;
    reshed_preview preview;
    double budget; /* seconds that a push may take, 0: as long as it needs. Rows that became final
                      come first, then the provisional ones, then stale ones; what does not fit
                      waits for the next push, and lag says so */
    double (*clock)(void *ctx); /* seconds, for the budget; NULL: the system's monotonic clock */
    void *clock_ctx;
} reshed_stream_options;

RESHED_API void reshed_stream_defaults(reshed_stream_options *options);
/* RESHED_EINVAL names the option that is out of its range. */
RESHED_API reshed_status reshed_stream_check(const reshed_stream_options *options,
                                             reshed_error *err);

/* height, width >= 16. The ensemble is not needed afterwards. */
RESHED_API reshed_status reshed_stream_create(const reshed_ensemble *ensemble, int height,
                                              int width, const reshed_stream_options *options,
                                              reshed_stream **out, reshed_error *err);
/* Frees each member's weights once they are packed, as reshed_plan_create_taking. */
RESHED_API reshed_status reshed_stream_create_taking(reshed_ensemble *ensemble, int height,
                                                     int width,
                                                     const reshed_stream_options *options,
                                                     reshed_stream **out, reshed_error *err);
RESHED_API void reshed_stream_free(reshed_stream *stream);

/* Rows first ... first+rows-1 have been scanned: data [rows,W] in the image's own units. In any
 * order; a row that was scanned before is replaced, and what depends on it becomes provisional
 * until it is computed again (rows near the scan cheaply, others at up to the price of a receptive
 * field of rows). Pixels that are not finite are filled from their neighbours in the row; a row
 * without any finite pixel counts as missing and stays unscanned, or as it was before. Allocates
 * nothing. RESHED_EINVAL, and nothing is changed: rows outside the frame, or a frame that is
 * finished. */
RESHED_API reshed_status reshed_stream_push(reshed_stream *stream, int first, int rows,
                                            const float *data, reshed_error *err);
/* Goes on with what the budget has left over, without a new row. However small the budget, each
 * call gets something done: called often enough, lag becomes 0 and no scanned row stays stale
 * (without a preview: only those that cannot be final yet). */
RESHED_API reshed_status reshed_stream_work(reshed_stream *stream, reshed_error *err);
/* Ends the frame: missing rows between scanned ones are interpolated, what lies beyond the scanned
 * rows counts as the edge of the frame, and every row in between becomes final; rows that are final
 * keep their bits. Takes as long as it needs. RESHED_EINVAL when fewer rows were scanned than the
 * network's coarsest level needs. */
RESHED_API reshed_status reshed_stream_finish(reshed_stream *stream, reshed_error *err);
/* Begins a new frame of the same size. */
RESHED_API void reshed_stream_reset(reshed_stream *stream);

/* Borrowed; valid until the next call with this stream. */
typedef struct reshed_stream_view {
    int height, width, classes, members;
    const float *mean, *variance; /* [H,W] or [H,W,C]; NaN where nothing has been computed yet */
    const float *member;          /* [N,H,W] or [N,H,W,C]: each member's probabilities */
    const float *input;           /* [H,W]: what the network sees */
    const uint8_t *state;         /* [H]: reshed_row_state */
    const uint8_t *stale; /* [H]: 1 where the values belong to an older range or older rows */
    int lag;              /* rows pushed that the map does not show yet */
    float lo, hi;         /* the range in force */
    int range_changes;    /* how often it has changed in this frame */
    size_t filled;        /* pixels that were not finite */
    double clipped;       /* share of the pixels that lie outside the range in force */
} reshed_stream_view;
RESHED_API void reshed_stream_get(const reshed_stream *stream, reshed_stream_view *view);

/* The rows [*first, *end) of the image that row `row` of the map depends on. */
RESHED_API void reshed_stream_field(const reshed_stream *stream, int row, int *first, int *end);

/* Bytes of packed weights, and of everything else that the stream holds. */
RESHED_API void reshed_stream_bytes(const reshed_stream *stream, size_t *weights, size_t *state);

#ifdef __cplusplus
}
#endif

#endif
