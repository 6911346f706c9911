#include "train/compare.h"

#include <math.h>

/* Neither those that members are judged by while they learn, nor the tables' own. */
#define SET 9
#define SIZE 128
#define HARSH 0.5

reshed_status rs_train_compare(const rs_model_file *m, rs_twin_film film, int frames,
                               const rs_picture *own, int owns, int threads, rs_train_scores *out,
                               reshed_error *err)
{
    const rs_picture_scene scene = {film, SIZE, HARSH};
    rs_picture *held = NULL;
    rs_wall_scores s;
    *out = (rs_train_scores){NAN, NAN};
    reshed_status st = rs_pictures_simulate(&scene, SET, frames, threads, &held, err);
    if (st == RESHED_OK) st = rs_score_ensemble(m, held, frames, threads, &s, err);
    if (st == RESHED_OK) out->holdout = s.f;
    rs_pictures_free(held, frames);
    if (st != RESHED_OK || owns < 1) return st;
    st = rs_score_ensemble(m, own, owns, threads, &s, err);
    if (st == RESHED_OK) out->own = s.f;
    return st;
}

double rs_train_compared_pixels(int frames, const rs_picture *own, int owns)
{
    double sum = (double)frames * SIZE * SIZE;
    for (int i = 0; i < owns; i++) sum += (double)own[i].height * own[i].width;
    return sum;
}
