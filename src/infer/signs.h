/* signs.h - the wall map of a frame parted by what the phase says: ferroelastic walls (mixed ones
 * among them) and 180-degree walls (imgproc/image/polarity.h). */
#ifndef RS_INFER_SIGNS_H
#define RS_INFER_SIGNS_H

#include "imgproc/image/polarity.h"
#include "infer/frame.h"

typedef struct rs_signs {
    float *mean; /* [H,W] the frame's wall probability, 0 at 180-degree walls; owned */
    float
        *wall180; /* [H,W] how sure a 180-degree wall runs through the pixel; 0 elsewhere; owned */
    rs_polarity polarity;
    double wall_fraction;    /* of mean, above the threshold */
    double wall180_fraction; /* share of the pixels through which a 180-degree wall runs */
} rs_signs;

/* Parts the maps of a frame. phase [H,W]: radians, of the frame's own size. Where no sign changes,
 * mean has the frame's bits. Errors: RESHED_ENOMEM. */
reshed_status rs_signs_make(const rs_frame_view *frame, const float *phase, double threshold,
                            rs_signs *out, reshed_error *err);
void rs_signs_clear(rs_signs *s);

#endif
