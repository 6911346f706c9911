#include "tools/walls/gwy.h"

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "io/gsf.h"
#include "io/gwy_write.h"
#include "io/instruments/iso28600.h"

/* The loops that a session has measured. */
typedef struct loops {
    int n, steps;
    double *place, *x, *y; /* owned */
} loops;

static void clear(loops *l)
{
    rs_free(l->place);
    rs_free(l->x);
    rs_free(l->y);
    *l = (loops){0};
}

/* The responses of the last field, off-field where both were read; points without a loop are left out. */
static reshed_status read_loops(const walls_job *job, loops *l, reshed_error *err)
{
    rs_session *s = job->session;
    const rs_spectroscopy *wave = &rs_session_get_setup(s)->spectroscopy;
    const size_t fields = wave->off_field ? 2 : 1, steps = (size_t)wave->steps;
    rs_session_progress p;
    float *response = NULL;
    reshed_status st = rs_session_get_progress(s, &p, err);
    if (st != RESHED_OK || p.points < 1 || steps < 1) return st;
    const size_t n = (size_t)p.points;
    rs_session_point *point = rs_alloc(n, sizeof *point);
    response = rs_alloc(fields * steps, sizeof *response);
    l->place = rs_alloc(n, 2 * sizeof *l->place);
    l->x = rs_alloc(steps, sizeof *l->x);
    l->y = rs_alloc(n, steps * sizeof *l->y);
    if (!point || !response || !l->place || !l->x || !l->y)
        st = rs_fail_nomem(err, "the loops", n * steps * sizeof *l->y);
    else
        st = rs_session_read_points(s, 0, p.points, point, err);
    for (size_t i = 0; st == RESHED_OK && i < steps; i++) l->x[i] = wave->voltage[i];
    l->steps = (int)steps;
    for (int k = 0; st == RESHED_OK && k < p.points; k++) {
        rs_session_loop loop = {.response = response};
        if (point[k].state != RS_SESSION_MEASURED) continue;
        st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
        for (size_t i = 0; i < steps; i++)
            l->y[(size_t)l->n * steps + i] = (double)response[(fields - 1) * steps + i];
        l->place[2 * l->n] = point[k].row;
        l->place[2 * l->n + 1] = point[k].col;
        l->n++;
    }
    rs_free(point);
    rs_free(response);
    return st;
}

/* Of the amplitude of a session. */
static const char *amplitude_unit(const walls_job *job)
{
    const char *unit = job->session ? rs_session_get_setup(job->session)->amplitude_unit : "";
    return job->session && (!unit || !unit[0]) ? "V" : unit;
}

bool walls_write_gwy(const walls_job *job)
{
    const char *path = job->request->gwy;
    const size_t points = (size_t)job->found.points.n;
    reshed_error err = {0};
    rs_gwy_map maps[3];
    int n = 0;
    loops l = {0};
    if (!path) return true;
    double *place = rs_alloc(points, 2 * sizeof *place);
    reshed_status st =
        place ? RESHED_OK : rs_fail_nomem(&err, "points", points * 2 * sizeof *place);
    if (st == RESHED_OK && job->session) st = read_loops(job, &l, &err);
    if (st != RESHED_OK) goto done;
    for (size_t i = 0; i < points; i++) {
        place[2 * i] = job->found.points.p[i].at.row;
        place[2 * i + 1] = job->found.points.p[i].at.col;
    }
    const char *unit = amplitude_unit(job);
    const uint8_t *lines = job->found.graph.skeleton;
    if (job->amplitude) maps[n++] = (rs_gwy_map){"Amplitude", unit, job->amplitude, lines};
    maps[n++] = (rs_gwy_map){"Wall probability", "", job->map, lines};
    if (job->variance) maps[n++] = (rs_gwy_map){"Wall variance", "", job->variance, NULL};
    const rs_gwy_content c = {.height = job->grid.height,
                              .width = job->grid.width,
                              .dx = job->sized ? job->grid.dx : 0,
                              .dy = job->sized ? job->grid.dy : 0,
                              .x0 = job->cx,
                              .y0 = job->cy,
                              .maps = maps,
                              .n = n,
                              .points = place,
                              .points_n = (int)points,
                              .curve_title = "Loops",
                              .x_unit = "V",
                              .y_unit = unit,
                              .x_label = "Bias",
                              .y_label = "Response",
                              .places = l.place,
                              .x = l.x,
                              .y = l.y,
                              .curves = l.n,
                              .steps = l.steps};
    st = rs_gwy_write(path, &c, &err);
done:
    rs_free(place);
    clear(&l);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}

/* The skeleton as an image, 0 and 1 (rs_image_clear). */
static reshed_status skeleton_image(const walls_job *job, rs_image *im, reshed_error *err)
{
    const reshed_status st = rs_image_init(im, job->grid.height, job->grid.width, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)im->height * (size_t)im->width;
    for (size_t i = 0; i < n; i++) im->data[i] = job->found.graph.skeleton[i] != 0;
    im->dx = job->sized ? job->grid.dx : 0;
    im->dy = job->sized ? job->grid.dy : 0;
    im->x0 = job->cx;
    im->y0 = job->cy;
    rs_text_copy(im->channel, sizeof im->channel, "Skeleton");
    return RESHED_OK;
}

bool walls_write_exchange(const walls_job *job)
{
    const char *gsf = job->request->gsf, *iso = job->request->iso;
    reshed_error err = {0};
    rs_image lines = {0};
    rs_iso28600_map maps[4];
    int n = 0;
    if (!gsf && !iso) return true;
    reshed_status st = skeleton_image(job, &lines, &err);
    if (st == RESHED_OK && gsf) st = rs_gsf_write(gsf, &lines, &err);
    if (st == RESHED_OK && iso) {
        if (job->amplitude)
            maps[n++] = (rs_iso28600_map){"Amplitude", amplitude_unit(job), job->amplitude};
        maps[n++] = (rs_iso28600_map){"Wall probability", "", job->map};
        if (job->variance) maps[n++] = (rs_iso28600_map){"Wall variance", "", job->variance};
        maps[n++] = (rs_iso28600_map){"Skeleton", "", lines.data};
        const rs_iso28600_content c = {.height = lines.height,
                                       .width = lines.width,
                                       .dx = lines.dx,
                                       .dy = lines.dy,
                                       .x0 = lines.x0,
                                       .y0 = lines.y0,
                                       .angle = job->angle * RS_RADIAN,
                                       .maps = maps,
                                       .n = n};
        gsf = NULL; /* the error, if any, is the other's */
        st = rs_iso28600_write(iso, &c, &err);
    }
    rs_image_clear(&lines);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, gsf ? gsf : iso, &err);
    return false;
}
