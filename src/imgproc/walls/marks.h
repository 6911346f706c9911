/* marks.h - walls that are none: a line of the scan that differs from its neighbours. */
#ifndef RS_IMGPROC_WALLS_MARKS_H
#define RS_IMGPROC_WALLS_MARKS_H

#include "imgproc/walls/graph/graph.h"

/* Sets scan_line of each wall and returns how many have it: straight along a row, which is the fast
 * axis, for nine of ten pixels, and one pixel high, in the mask or in the amplitude. A domain wall can
 * be so by chance, so such walls are flagged and stay. mask and amplitude [H,W]; NULL: not known. */
int rs_wall_marks(rs_wallgraph *graph, const uint8_t *mask, const float *amplitude);

#endif
