/* frame.h - the maps of whole images: an image in, as the instrument gave it; mean, variance and a
 * judgement out, on the image's own grid.
 *
 *     rs_frame_create(ensemble, NULL, &frame, &err);
 *     while (there is an image)
 *         rs_frame_run(frame, image, H, W, dx, dy, &err), rs_frame_get(frame, &view);
 *     rs_frame_free(frame);
 *
 * The way of an image:
 *
 *     image [H,W] -> gaps filled (fill.h) -> square pixels of the trained size (resample.h)
 *         -> [0,1] (normalise.h) -> the ensemble -> out-of-distribution score (judge.h)
 *         -> maps back on the grid of the image
 *
 * The public interface (reshed_frame_*) gives the same to the world. */
#ifndef RS_INFER_FRAME_H
#define RS_INFER_FRAME_H

#include "imgproc/image/normalise.h"
#include "imgproc/image/resample.h"
#include "infer/contrast.h"
#include "infer/engine.h"
#include "infer/ensemble.h"

typedef struct rs_frame rs_frame;

/* The values that become 0 and 1 for the network. */
typedef enum rs_frame_norm {
    RS_FRAME_MIN_MAX = 0, /* the least and the greatest of the image */
    RS_FRAME_ROBUST,      /* its percentiles 0.5 and 99.5; values outside are clipped */
    RS_FRAME_FIXED        /* lo and hi of the options; values outside are clipped */
} rs_frame_norm;

typedef struct rs_frame_options {
    rs_engine_options engine;
    rs_frame_norm norm;
    double lo, hi; /* for RS_FRAME_FIXED: lo < hi, finite */
    rs_resample_request resample;
    double threshold;     /* 0 to 1: pixels with a wall probability above it are wall */
    bool check_precision; /* with bf16: run fp32 as well, and give the difference */
    bool
        pad; /* sides that the network cannot take (rs_arch_unit) grow by zeros at the bottom and on
                 the right, before normalisation, as AtomAI's SegPredictor does; the maps are those of the
                 image. Without, such an image is RESHED_EUNSUPPORTED. */
    int average; /* 1 (0 is 1), 2, 4 or 8: the maps are those of so many flips and turns of the image
                    together, turned back: the mean of their means, the variance over members and
                    turns. It takes that many times as long; the score is that of the image as it is. */
} rs_frame_options;

void rs_frame_defaults(rs_frame_options *o);
/* RESHED_EINVAL names the option that is out of its range. */
reshed_status rs_frame_check(const rs_frame_options *o, reshed_error *err);

/* Packs the weights. options may be NULL for the defaults. The ensemble is not needed
 * afterwards. */
reshed_status rs_frame_create(const rs_ensemble *e, const rs_frame_options *options, rs_frame **out,
                              reshed_error *err);
/* The same, freeing each member's weights once they are packed: the ensemble then still answers
 * questions, but makes no other plan. */
reshed_status rs_frame_create_taking(rs_ensemble *e, const rs_frame_options *options,
                                     rs_frame **out, reshed_error *err);
void rs_frame_free(rs_frame *f);

/* image [height,width], in any unit; NaN and infinities are gaps. dx, dy: pixel size in metres
 * along a row and along a column, 0 when unknown. Sides from 4 to RS_PLAN_MAX_SIDE, also after
 * resampling. An image without a finite value is RESHED_EINVAL. The memory of the maps is kept for
 * the next image. After a failure there are no results until a run succeeds. */
reshed_status rs_frame_run(rs_frame *f, const float *image, int height, int width, double dx,
                           double dy, reshed_error *err);

/* |difference| of two maps over their pixels. */
typedef struct rs_frame_error {
    double largest, average;
} rs_frame_error;

/* Results of the last run, borrowed; valid until the next call. All zero when there are none. */
typedef struct rs_frame_view {
    int height, width, classes, members;
    const float *image;           /* [H,W]: gaps filled */
    const float *mean, *variance; /* [H,W] or [H,W,C] */
    /* [H,W]: probability of a wall and its variance. With one class mean and variance themselves;
     * with several the first class is the background, as in AtomAI's label maps, and all else is
     * wall. */
    const float *wall, *wall_variance;
    const float *input; /* [input_height,input_width]: what the network saw */
    int input_height, input_width;
    const char *resampled;   /* the reason for another grid, "" when it is the image's own */
    rs_norm_range range;     /* what became 0 and 1 */
    size_t filled;           /* pixels that were not finite */
    double mean_uncertainty; /* mean of variance */
    double wall_fraction;    /* share of the pixels above the threshold */
    rs_contrast contrast;    /* a fault of it is an alarm, whatever the weights know */
    double ood_score;        /* NaN where none can be given (rs_ood_judge); with a fault of contrast
                                RS_OOD_NO_CONTRAST at least */
    double ood_threshold;    /* of the weights, 0 when unknown */
    bool alarm;   /* the score is above it, or there is a fault: unlike those of training */
    bool checked; /* the precision was checked */
    rs_frame_error mean_error, variance_error; /* of reduced precision, on the network's grid */
    double seconds;                            /* normalisation, inference, mean and variance */
} rs_frame_view;
void rs_frame_get(const rs_frame *f, rs_frame_view *view);

/* As rs_plan_set_stop; a run that is stopped is RESHED_ECANCELLED and has no results. */
void rs_frame_set_stop(rs_frame *f, bool (*stop)(void *ctx), void *ctx);

/* Bytes that it holds: packed weights, workspace, maps. */
size_t rs_frame_bytes(const rs_frame *f);

#endif
