#include "python/rooms.h"

#include <string.h>

#include "base/alloc.h"
#include "spm/labelled/frame.h"

enum { MOST_SETTINGS = 128 };

static reshed_status draw(const rs_labelled_recipe *r, rs_py_twin_maps *maps, reshed_error *err)
{
    rs_labelled_frame f = {0};
    const reshed_status st = rs_labelled_frame_make(r, &f, err);
    const size_t n = (size_t)f.height * (size_t)f.width;
    float *const channel[RS_LABELLED_CHANNELS] = {
        [RS_LABELLED_AMPLITUDE] = maps->amplitude, [RS_LABELLED_PHASE] = maps->phase,
        [RS_LABELLED_RESONANCE] = maps->resonance, [RS_LABELLED_Q] = maps->q,
        [RS_LABELLED_HEIGHT] = maps->height,
    };
    if (st == RESHED_OK) {
        for (int k = 0; k < RS_LABELLED_CHANNELS; k++)
            if (channel[k]) memcpy(channel[k], f.channel[k].data, n * sizeof **channel);
        if (maps->wall) memcpy(maps->wall, f.wall, n);
        if (maps->domain) memcpy(maps->domain, f.domain, n);
        if (maps->kind) memcpy(maps->kind, f.kind, n);
        maps->pixel = f.pixel;
    }
    rs_labelled_frame_clear(&f);
    return st;
}

reshed_status rs_py_twin(int height, int width, double pixel, uint64_t seed, const char *film,
                         int random, double harsh, const rs_py_setting *setting, int n,
                         rs_py_twin_maps *maps, reshed_error *err)
{
    rs_labelled_setting set[MOST_SETTINGS];
    rs_labelled_recipe r = {.height = height,
                            .width = width,
                            .pixel = pixel,
                            .seed = seed,
                            .random = random != 0,
                            .harsh = harsh,
                            .setting = set,
                            .settings = n,
                            .program = "reshed.py " RESHED_VERSION,
                            .options = ""};
    if (!rs_twin_film_find(film, &r.film))
        return rs_fail(err, RESHED_EINVAL, "film|pzt, pto, laminate, relaxor, defects or mix|%s",
                       film);
    if (n < 0 || n > MOST_SETTINGS)
        return rs_fail(err, RESHED_EINVAL, "settings|up to %d|%d", MOST_SETTINGS, n);
    for (int i = 0; i < n; i++) {
        if (!rs_labelled_find(setting[i].name, &set[i]))
            return rs_fail(err, RESHED_EINVAL, "setting|one of `reshed-twin list`|%s",
                           setting[i].name);
        set[i].value = setting[i].value;
    }
    const reshed_status st = rs_labelled_check(&r, err);
    return st == RESHED_OK ? draw(&r, maps, err) : st;
}
