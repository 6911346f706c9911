/* scale_bar.h - a bar of a round length in the corner of a map. Private to this room. */
#ifndef RS_IMGPROC_FIGURES_SCALE_BAR_H
#define RS_IMGPROC_FIGURES_SCALE_BAR_H

#include "imgproc/figures/canvas.h"

/* Draws it white on a dark box, so that it can be read over any map, into the lower left corner of
 * the box x, y, w, h, of which a unit is `metres` wide; nothing where there is no room. font: em. */
void rs_scale_bar_draw(rs_canvas *c, double x, double y, double w, double h, double metres,
                       double font);

#endif
