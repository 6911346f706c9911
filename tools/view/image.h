/* image.h - an image and the ensemble's maps of it, for the page. */
#ifndef RS_TOOLS_VIEW_IMAGE_H
#define RS_TOOLS_VIEW_IMAGE_H

#include <stdbool.h>

#include "base/image.h"

typedef struct view_maps {
    rs_image image;
    float *wall, *variance;  /* [height,width] of the image; owned */
    double score, threshold; /* out of distribution; NaN: none */
    double uncertainty;      /* mean of the variance */
    char fault[128];         /* of the contrast, "": none */
} view_maps;

/* False for what can only be a session. */
bool view_is_image(const char *file);
/* weights: a path. *out is to be cleared also after a failure; *where is the file that it belongs to. */
reshed_status view_run(const char *file, const char *weights, view_maps *out, const char **where,
                       reshed_error *err);
void view_clear(view_maps *m);

#endif
