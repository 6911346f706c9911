#include "io/common/stack.h"

/* Of a short last axis: channels or frames after the pixels. */
#define SHORT 8

bool rs_stack_of(const uint64_t *dims, int ndim, rs_stack *s)
{
    int axis[3], n = 0, left = ndim;
    size_t step[3], after = 1;
    for (int i = ndim - 1; i >= 0; i--) { /* the last first */
        const bool dropped = dims[i] == 1 && left > 2;
        if (!dropped && n == 3) return false;
        if (dropped) {
            left--;
        } else {
            step[n] = after;
            axis[n++] = i;
        }
        if (dims[i] > RS_IMAGE_MAX_PIXELS || (dims[i] != 0 && after > SIZE_MAX / dims[i]))
            return false;
        after *= (size_t)dims[i];
    }
    if (n < 2) return false;
    const bool last = n == 3 && dims[axis[0]] < SHORT && dims[axis[2]] >= SHORT;
    const int f = last ? 0 : 2, r = last ? 2 : 1, c = last ? 1 : 0;
    *s = (rs_stack){.frames = n == 3 ? (int64_t)dims[axis[f]] : 1,
                    .height = (int64_t)dims[axis[r]],
                    .width = (int64_t)dims[axis[c]],
                    .axis = {n == 3 ? axis[f] : -1, axis[r], axis[c]},
                    .frame_step = n == 3 ? step[f] : 0,
                    .row_step = step[r],
                    .column_step = step[c]};
    return true;
}

reshed_status rs_stack_choose(int64_t frames, int wanted, int *frame, reshed_error *err)
{
    if (frames < 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "a stack|one frame or more|%lld",
                       (long long)frames);
    if (wanted == RS_FRAME_ONLY && frames > 1)
        return rs_fail(err, RESHED_EINVAL,
                       "a stack of %lld frames|--frame=N, from 0 to %lld, or --frame=all|none",
                       (long long)frames, (long long)frames - 1);
    if (wanted != RS_FRAME_ONLY && (wanted < 0 || wanted >= frames))
        return rs_fail(err, RESHED_EINVAL, "frame|0 to %lld|%d", (long long)frames - 1, wanted);
    *frame = wanted == RS_FRAME_ONLY ? 0 : wanted;
    return RESHED_OK;
}
