/* loopdata.h - what the two loop fits share: the samples that count, scaled, and where to start. */
#ifndef RS_BEPS_LOOPDATA_H
#define RS_BEPS_LOOPDATA_H

#include <stdbool.h>

#include "beps/loop.h"

/* The usable samples of a loop, scaled to mid and height. */
typedef struct rs_loop_data {
    int n;
    double *v, *y;
    uint8_t *falling;
    double mid, height;
    double v_min, v_max, step;
    int n_asc, n_desc;
    /* Starting values, scaled: levels, and where each branch passes a quarter, a half and three
     * quarters of the height (NaN where it does not): [descending][k]. */
    double bottom, top, at[2][3];
} rs_loop_data;

/* Takes work [3*n] for v, y and falling, and uses scratch [2*n]. scaled: to the middle and the
 * height of the loop; else mid 0, height 1. False when there is too little to fit. */
bool rs_loop_data_take(const rs_sweep *s, const double *y, const uint8_t *skip, bool scaled,
                       double *work, double *scratch, rs_loop_data *d);

#endif
