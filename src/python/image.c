#include "python/rooms.h"

#include "base/alloc.h"
#include "imgproc/image/centres.h"
#include "imgproc/image/resample.h"
#include "imgproc/image/skeleton.h"
#include "io/image_file.h"

struct rs_py_image {
    rs_image image;
};

reshed_status rs_py_image_open(const char *path, const char *channel, int frame, rs_py_image **out,
                               reshed_error *err)
{
    rs_py_image *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "an image", sizeof *p);
    const reshed_status st = rs_image_read_frame(path, channel, RS_QUANTITY_AMPLITUDE,
                                                 frame < 0 ? RS_FRAME_ONLY : frame, &p->image, err);
    if (st != RESHED_OK) {
        rs_free(p);
        return st;
    }
    *out = p;
    return RESHED_OK;
}

void rs_py_image_free(rs_py_image *p)
{
    if (!p) return;
    rs_image_clear(&p->image);
    rs_free(p);
}

void rs_py_image_get(const rs_py_image *p, rs_py_image_view *v)
{
    const rs_image *i = &p->image;
    *v = (rs_py_image_view){i->height, i->width, i->data, i->dx,      i->dy,  i->x0,
                            i->y0,     i->angle, i->unit, i->channel, i->note};
}

reshed_status rs_py_resize(const float *in, int in_h, int in_w, float *out, int out_h, int out_w,
                           reshed_error *err)
{
    return rs_resample(in, in_h, in_w, 1, RS_GROW_CATMULL_ROM, out, out_h, out_w, err);
}

reshed_status rs_py_skeletonize(const uint8_t *mask, int height, int width, int keep,
                                uint8_t *skeleton, reshed_error *err)
{
    return (keep ? rs_thin : rs_skeletonize)(mask, height, width, skeleton, err);
}

reshed_status rs_py_locate(const float *map, int height, int width, int classes, double threshold,
                           double edge, double *at, int most, int *found, reshed_error *err)
{
    if (classes < 1) return rs_fail(err, RESHED_EINVAL, "classes|at least 1|%d", classes);
    const int shown = classes > 1 ? classes - 1 : 1;
    int total = 0;
    for (int c = 0; c < shown; c++) {
        rs_centre *centre = NULL;
        int n = 0;
        const reshed_status st =
            rs_centres(map + c, height, width, classes, threshold, edge, &centre, &n, err);
        if (st != RESHED_OK) return st;
        for (int i = 0; i < n; i++, total++) {
            if (!at || total >= most) continue;
            at[3 * total] = centre[i].row;
            at[3 * total + 1] = centre[i].col;
            at[3 * total + 2] = c;
        }
        rs_free(centre);
    }
    *found = total;
    return RESHED_OK;
}
