/* The digital twin. */
#include "benchmarks/pieces.h"

#include <stdio.h>

#include "base/alloc.h"
#include "spm/twin/random.h"

typedef struct state {
    int side;
    double pixel;
    rs_twin_options film;
    rs_twin_effects effects;
    float *amplitude; /* [side,side]; owned, as the rest */
    uint8_t *wall;
} state;

static void release(void *p)
{
    state *s = p;
    rs_free(s->amplitude);
    rs_free(s->wall);
}

/* A film, its image with all effects of an instrument, and the truth. */
static void run(void *p)
{
    const state *s = p;
    const double side = s->side * s->pixel;
    rs_twin_sample *film = NULL;
    const rs_twin_view view = {
        .width = side, .height = side, .rows = s->side, .cols = s->side, .row_end = s->side};
    const rs_twin_channels out = {.amplitude = s->amplitude, .wall = s->wall};
    if (rs_twin_sample_create(&s->film, &film, NULL) == RESHED_OK)
        rs_twin_frame(film, s->film.level, &s->effects, &view, &out, NULL);
    rs_twin_sample_free(film);
}

static reshed_status make_frame(const bench_env *env, const bench_piece *piece, bench_run *out,
                                reshed_error *err)
{
    state *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a piece", sizeof *s);
    const size_t n = (size_t)env->size * (size_t)env->size;
    out->state = s;
    out->run = run;
    out->release = release;
    s->side = env->size;
    s->amplitude = rs_alloc(n, sizeof *s->amplitude);
    s->wall = rs_alloc(n, 1);
    if (!s->amplitude || !s->wall) return rs_fail_nomem(err, "a twin's image", n * 5);
    rs_twin_randomise(env->seed, s->side, s->side, 8e-9, 1, &s->film, &s->effects, &s->pixel);
    (void)piece;
    snprintf(out->shape, sizeof out->shape, "%d x %d", s->side, s->side);
    out->items = 1;
    out->item = "image";
    return RESHED_OK;
}

static const bench_piece pieces[] = {
    {"spm", "twin image and truth", make_frame, 0, 0},
};

const bench_piece *bench_pieces_spm(int *n)
{
    *n = (int)(sizeof pieces / sizeof *pieces);
    return pieces;
}
