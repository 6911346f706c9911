/* length.h - lengths that people give in pixels or in metres. */
#ifndef RS_IMGPROC_WALLS_LENGTH_H
#define RS_IMGPROC_WALLS_LENGTH_H

#include <stdbool.h>

#include "imgproc/image/grid.h"

typedef struct rs_length {
    double value;
    bool metres; /* else pixels: of sqrt(dx dy) metres where they are not square */
} rs_length;

/* The length in the grid's units: metres, or pixels where the grid's are 1. */
double rs_length_on(const rs_grid *grid, rs_length length);

#endif
