/* labelled.h - labelled frames to score maps by: simulated ones and the user's own. */
#ifndef RS_EVALUATE_LABELLED_H
#define RS_EVALUATE_LABELLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spm/twin/films.h"
#include "spm/twin/random.h"

typedef struct eval_frame {
    int height, width, scanned; /* rows from the top that are scanned */
    float *raw;                 /* [H,W] as measured; twin frames in units of the c level */
    float *image;               /* [H,W] scaled to [0,1] by the scanned rows, 0 below */
    uint8_t *truth;             /* [H,W] walls as labelled */
    uint8_t *thin;              /* [H,W] their skeleton */
} eval_frame;

/* One number of the instrument set to a value; field NULL: nothing is changed. */
typedef struct eval_change {
    const rs_twin_field *field;
    double value;
} eval_change;

/* The distribution that simulated frames are drawn from. */
typedef struct eval_twin {
    int size;     /* pixels a side */
    double harsh; /* strength of the instrument's effects: 1 as in training */
    bool plain; /* the default film (a PZT film of the literature), another seed and angle for each
                    frame, at 10 nm a pixel; else films drawn as for training */
    rs_twin_film film; /* kind of the others; 0: the default one's */
    bool steady; /* an instrument at which nothing happens during the frame: no tip change, level
                    jump, lateral jump, scar, hot pixel or double tip, and every line scanned */
} eval_twin;

/* Frame i of a seed, the film and instrument that `reshed-twin dataset` draws for it, changed. */
reshed_status eval_frame_twin(const eval_twin *twin, uint64_t seed, int64_t i,
                              const eval_change *change, eval_frame *out, reshed_error *err);
/* Any image format; walls > 0. Gaps are filled. */
reshed_status eval_frame_read(const char *image, const char *walls, eval_frame *out,
                              reshed_error *err);
/* Frees everything; fine on a zeroed frame. */
void eval_frame_clear(eval_frame *f);

#endif
