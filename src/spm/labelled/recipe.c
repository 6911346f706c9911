#include "spm/labelled/recipe.h"

#include "base/image.h"
#include "spm/twin/random.h"

bool rs_labelled_find(const char *name, rs_labelled_setting *out)
{
    int n;
    const rs_twin_field *fields = rs_twin_option_fields(&n);
    *out = (rs_labelled_setting){.field = rs_twin_field_find(fields, n, name)};
    if (out->field) return true;
    fields = rs_twin_effect_fields(&n);
    *out = (rs_labelled_setting){.field = rs_twin_field_find(fields, n, name), .effect = true};
    return out->field != NULL;
}

reshed_status rs_labelled_check(const rs_labelled_recipe *r, reshed_error *err)
{
    if (r->height < 1 || r->width < 1 || r->height > RS_IMAGE_MAX_SIDE ||
        r->width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of a simulated image|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, r->height, r->width);
    if (!(r->pixel >= 0 && r->pixel <= 1))
        return rs_fail(err, RESHED_EINVAL, "pixel size of a simulated image|0 to 1 m|%g", r->pixel);
    return RESHED_OK;
}

static void draw_default(const rs_labelled_recipe *r, uint64_t seed, rs_labelled_scene *s)
{
    rs_twin_options_defaults(&s->film);
    rs_twin_effects_defaults(&s->effects);
    s->pixel = r->pixel > 0 ? r->pixel : 10e-9;
    s->film.seed = s->effects.seed = seed;
    s->film.width = 1.1 * r->width * s->pixel;
    s->film.height = 1.1 * r->height * s->pixel;
}

rs_labelled_scene rs_labelled_draw(const rs_labelled_recipe *r, int64_t i)
{
    rs_labelled_scene s;
    if (r->random)
        rs_twin_randomise(rs_twin_image_seed(r->seed, i), r->height, r->width, r->pixel, r->harsh,
                          &s.film, &s.effects, &s.pixel);
    else
        draw_default(r, r->seed + (uint64_t)i, &s);
    if (r->random)
        rs_twin_film_randomise(r->film, r->height, r->width, s.pixel, r->harsh, &s.film,
                               &s.effects);
    else
        rs_twin_film_options(r->film, s.pixel, &s.film);
    for (int k = 0; k < r->settings; k++) {
        const rs_labelled_setting *set = &r->setting[k];
        rs_twin_field_set(set->field, set->effect ? (void *)&s.effects : (void *)&s.film,
                          set->value);
    }
    s.view = (rs_twin_view){.width = r->width * s.pixel,
                            .height = r->height * s.pixel,
                            .rows = r->height,
                            .cols = r->width,
                            .row_end = r->height};
    return s;
}
