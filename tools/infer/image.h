/* image.h - what reshed-infer does with one image: read, fill, resample, normalise, infer,
 * bring the maps back, score, write. */
#ifndef RS_TOOLS_INFER_IMAGE_H
#define RS_TOOLS_INFER_IMAGE_H

#include "base/tensors.h"
#include "tools/cli/cli.h"
#include "imgproc/image/normalise.h"
#include "imgproc/image/resample.h"
#include "infer/score.h"
#include "nn/plan.h"

typedef enum infer_norm { INFER_FRAME, INFER_ROBUST, INFER_RANGE } infer_norm;

/* What the command line asks for. */
typedef struct infer_request {
    const char *channel; /* NULL for the usual one */
    infer_norm norm;
    double lo, hi; /* of INFER_RANGE */
    rs_resample_request resample;
    const char *mean, *variance, *h5, *png, *truth; /* NULL when not asked for */
    const char *reliability;                        /* the diagram's PNG; goes with truth */
    bool defaults; /* no output was named: write all, beside the input */
    bool quiet;
    bool check_precision; /* measure the reduced precision against fp32 */
} infer_request;

/* The ensemble at work; the plan is made at the first image and resized for others. */
typedef struct infer_engine {
    const cli_program *program;
    rs_model_file *model; /* its tensors go into the plan */
    rs_arch arch;
    char digest[65]; /* of the weights, "" when no file that records it is asked for */
    rs_plan_options options;
    rs_plan *plan; /* owned; NULL before the first image */
    rs_plan *full; /* the same in fp32, when precision is checked; owned */
} infer_engine;

/* |difference| of two maps over their pixels, on the network's grid. */
typedef struct infer_error {
    double largest, average;
} infer_error;

typedef struct infer_result {
    int height, width;
    double mean_uncertainty; /* mean over the pixels of the predictive variance */
    double wall_fraction;    /* pixels whose wall probability is above RS_THRESHOLD_DEFAULT */
    double seconds;          /* normalisation, inference, mean and variance */
    size_t filled;           /* pixels without a value, filled in */
    bool checked;
    infer_error mean_error, variance_error; /* of reduced precision, when checked */
    bool ood_known;                         /* the weights say what frames are usual */
    double ood_score;
    bool ood; /* above the weights' threshold: unlike the frames of training */
    bool scored;
    double iou, best_f, best_threshold;
    rs_edge_score edge;                    /* at probability 0.5 */
    rs_edge_score edge_strict, edge_loose; /* the same, matched within 1 and 2 pixels */
    rs_calibration calibration;
} infer_result;

/* "fp32", "bf16" */
const char *infer_precision_name(rs_precision precision);

/* false after an error message; nothing is left half-written. */
bool infer_image(infer_engine *engine, const infer_request *request, const char *path,
                 infer_result *result);

#endif
