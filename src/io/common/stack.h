/* stack.h - arrays of three axes as frames of images. */
#ifndef RS_IO_COMMON_STACK_H
#define RS_IO_COMMON_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

/* Stands for a frame: the only one there is. */
#define RS_FRAME_ONLY (-1)

/* Where the pixels of a frame lie in the array, in elements. */
typedef struct rs_stack {
    int64_t frames, height, width;
    int axis[3]; /* of the frames (-1: there is one), rows and columns, in dims */
    size_t frame_step, row_step, column_step;
} rs_stack;

/* The axes of an array [dims] in C order, those of one element left out: two are an image; of three the
 * first are frames, unless it has 8 or more elements and the last has fewer, which is it then. False for
 * other numbers of axes. */
bool rs_stack_of(const uint64_t *dims, int ndim, rs_stack *s);

/* Settles the number of the frame to read: RS_FRAME_ONLY, or from 0. RESHED_EINVAL when there are
 * several and none was asked for, or there is no such frame; RESHED_EUNSUPPORTED of a stack without frames. */
reshed_status rs_stack_choose(int64_t frames, int wanted, int *frame, reshed_error *err);

#endif
