#include "tools/infer/maps.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/gsf.h"
#include "io/gwy_write.h"
#include "io/instruments/iso28600.h"

const char *const infer_gsf_ending[INFER_GSF] = {"_image.gsf", "_mean.gsf", "_variance.gsf"};

typedef struct one {
    const char *title, *unit;
    const float *data;
} one;

static one map_of(const infer_maps *m, int k)
{
    const rs_image *im = m->image;
    if (k == 0) return (one){im->channel[0] ? im->channel : "Image", im->unit, m->view->image};
    if (k == 1) return (one){"Wall probability", "", m->view->wall};
    return (one){"Wall variance", "", m->view->wall_variance};
}

reshed_status infer_write_gwy(const char *path, const infer_maps *m, reshed_error *err)
{
    const rs_image *im = m->image;
    const size_t n = (size_t)m->view->height * (size_t)m->view->width;
    rs_gwy_map maps[3];
    uint8_t *mask = rs_alloc(n, 1);
    if (!mask) return rs_fail_nomem(err, "a mask", n);
    for (size_t i = 0; i < n; i++) mask[i] = (double)m->view->wall[i] > m->threshold;
    for (int k = 0; k < 3; k++) {
        const one o = map_of(m, k);
        maps[k] = (rs_gwy_map){o.title, o.unit, o.data, k < 2 ? mask : NULL};
    }
    const rs_gwy_content c = {.height = m->view->height,
                              .width = m->view->width,
                              .dx = im->dx,
                              .dy = im->dy,
                              .x0 = im->x0,
                              .y0 = im->y0,
                              .maps = maps,
                              .n = 3};
    const reshed_status st = rs_gwy_write(path, &c, err);
    rs_free(mask);
    return st;
}

reshed_status infer_write_iso(const char *path, const infer_maps *m, reshed_error *err)
{
    const rs_image *im = m->image;
    rs_iso28600_map maps[3];
    for (int k = 0; k < 3; k++) {
        const one o = map_of(m, k);
        maps[k] = (rs_iso28600_map){o.title, o.unit, o.data};
    }
    const rs_iso28600_content c = {.height = m->view->height,
                                   .width = m->view->width,
                                   .dx = im->dx,
                                   .dy = im->dy,
                                   .x0 = im->x0,
                                   .y0 = im->y0,
                                   .angle = im->angle,
                                   .maps = maps,
                                   .n = 3};
    return rs_iso28600_write(path, &c, err);
}

reshed_status infer_write_gsf(const char *path, const infer_maps *m, int k, reshed_error *err)
{
    const one o = map_of(m, k);
    rs_image im;
    const reshed_status st = rs_image_init(&im, m->view->height, m->view->width, err);
    if (st != RESHED_OK) return st;
    memcpy(im.data, o.data, (size_t)im.height * (size_t)im.width * sizeof *im.data);
    im.dx = m->image->dx;
    im.dy = m->image->dy;
    im.x0 = m->image->x0;
    im.y0 = m->image->y0;
    rs_text_copy(im.unit, sizeof im.unit, o.unit);
    rs_text_copy(im.channel, sizeof im.channel, o.title);
    const reshed_status written = rs_gsf_write(path, &im, err);
    rs_image_clear(&im);
    return written;
}
