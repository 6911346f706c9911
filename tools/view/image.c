#include "tools/view/image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "infer/frame.h"
#include "io/image_file.h"

bool view_is_image(const char *file)
{
    uint8_t head[RS_FORMAT_HEAD];
    size_t n = 0;
    if (rs_os_read_head(file, head, sizeof head, &n, NULL) != RESHED_OK) return false;
    return rs_format_of_bytes(head, n) != RS_FORMAT_HDF5;
}

/* What is left of the frame once it is freed. */
static reshed_status keep(view_maps *m, const rs_frame_view *v, reshed_error *err)
{
    const size_t n = (size_t)v->height * (size_t)v->width;
    m->wall = rs_alloc(n, sizeof *m->wall);
    m->variance = rs_alloc(n, sizeof *m->variance);
    if (!m->wall || !m->variance) return rs_fail_nomem(err, "maps", n * sizeof *m->wall);
    memcpy(m->wall, v->wall, n * sizeof *m->wall);
    memcpy(m->variance, v->wall_variance, n * sizeof *m->variance);
    m->score = v->ood_score;
    m->uncertainty = v->mean_uncertainty;
    snprintf(m->fault, sizeof m->fault, "%s", rs_contrast_text(v->contrast));
    return RESHED_OK;
}

reshed_status view_run(const char *file, const char *weights, view_maps *out, const char **where,
                       reshed_error *err)
{
    rs_ensemble *ensemble = NULL;
    rs_frame *frame = NULL;
    rs_frame_view v;
    *out = (view_maps){.score = NAN, .threshold = NAN};
    *where = file;
    reshed_status st = rs_image_read(file, NULL, &out->image, err);
    if (st == RESHED_OK) {
        *where = weights;
        st = rs_ensemble_load(weights, &ensemble, err);
    }
    if (st == RESHED_OK) {
        if (ensemble->model.ood_threshold > 0) out->threshold = ensemble->model.ood_threshold;
        st = rs_frame_create_taking(ensemble, NULL, &frame, err);
    }
    if (st == RESHED_OK) {
        const rs_image *im = &out->image;
        *where = file;
        st = rs_frame_run(frame, im->data, im->height, im->width, im->dx, im->dy, err);
    }
    if (st == RESHED_OK) {
        rs_frame_get(frame, &v);
        st = keep(out, &v, err);
    }
    rs_frame_free(frame);
    rs_ensemble_free(ensemble);
    return st;
}

void view_clear(view_maps *m)
{
    rs_image_clear(&m->image);
    rs_free(m->wall);
    rs_free(m->variance);
}
