#include "support/film.h"

#include <string.h>

#include "base/alloc.h"
#include "spm/twin/random.h"

rs_twin_options film_bare(void)
{
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.width = o.height = 1.2 * FILM_N * FILM_PX;
    o.spacing[0] = o.spacing[1] = o.run = 0;
    o.thin_density = o.inplane_density = 0;
    o.minus_fraction = o.offset = 0;
    o.curve_density = o.ring_density = o.spot_density = 0;
    o.slow = o.texture = o.height_roughness = o.resonance_slow = 0;
    o.wedge = o.uneven = o.tilt_spread = o.bend = o.roughness = o.asymmetry = o.rim = o.shadow = 0;
    o.mixed_tilt = 0;
    return o;
}

rs_twin_view film_view(void)
{
    const double side = FILM_N * FILM_PX;
    rs_twin_view v = {.width = side, .height = side, .rows = FILM_N, .cols = FILM_N};
    v.row_end = FILM_N;
    return v;
}

rs_twin_channels film_channels(film_canvas *c, int from)
{
    size_t at = (size_t)from * FILM_N;
    rs_twin_channels out = {c->amplitude + at, c->phase + at, c->resonance + at, c->q + at,
                            c->height + at,    c->wall + at,  c->domain + at,    NULL};
    return out;
}

rs_twin_sample *film_make(const rs_twin_options *o)
{
    reshed_error err = {0};
    rs_twin_sample *s = NULL;
    assert_ok(rs_twin_sample_create(o, &s, &err), &err);
    return s;
}

film_canvas *film_draw(const rs_twin_options *o)
{
    reshed_error err = {0};
    film_canvas *c = rs_alloc(1, sizeof *c);
    assert_non_null(c);
    memset(c, 0xff, sizeof *c); /* NaN */
    rs_twin_sample *s = film_make(o);
    rs_twin_view v = film_view();
    rs_twin_channels out = film_channels(c, 0);
    assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    rs_twin_sample_free(s);
    return c;
}

size_t film_count(const uint8_t *a, size_t n, uint8_t value)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += a[i] == value;
    return k;
}

reshed_status film_random_frame(uint64_t seed, double harsh, float *image, uint8_t *wall)
{
    rs_twin_options o;
    rs_twin_effects fx;
    rs_twin_sample *s = NULL;
    reshed_error err = {0};
    double px;
    rs_twin_randomise(seed, FILM_N, FILM_N, 0, harsh, &o, &fx, &px);
    reshed_status st = rs_twin_sample_create(&o, &s, &err);
    rs_twin_view v = {.width = FILM_N * px,
                      .height = FILM_N * px,
                      .rows = FILM_N,
                      .cols = FILM_N,
                      .row_end = FILM_N};
    rs_twin_channels out = {.amplitude = image, .wall = wall};
    if (st == RESHED_OK) st = rs_twin_frame(s, o.level, &fx, &v, &out, &err);
    rs_twin_sample_free(s);
    return st;
}
