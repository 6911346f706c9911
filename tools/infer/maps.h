/* maps.h - image and maps in the formats of other programs. */
#ifndef RS_TOOLS_INFER_MAPS_H
#define RS_TOOLS_INFER_MAPS_H

#include "base/image.h"
#include "infer/frame.h"

typedef struct infer_maps {
    const rs_image *image; /* where they lie; the values are the view's */
    const rs_frame_view *view;
    double threshold; /* of a wall */
} infer_maps;

/* Image, wall probability and variance; Gwyddion's file has what is above the threshold as mask. */
reshed_status infer_write_gwy(const char *path, const infer_maps *m, reshed_error *err);
reshed_status infer_write_iso(const char *path, const infer_maps *m, reshed_error *err);

/* The k-th of them alone, and how the name of its file ends. */
enum { INFER_GSF = 3 };
extern const char *const infer_gsf_ending[INFER_GSF];
reshed_status infer_write_gsf(const char *path, const infer_maps *m, int k, reshed_error *err);

#endif
