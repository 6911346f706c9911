/* What each program reads, and where its pixels lie (options.c takes that from --for):
 *
 *   asylum      Igor text: two waves, metres on the stage. Igor's scaling of an image puts the first and
 *               the last pixel on the edges of the scan (5 um in 256 pixels: 5/255 um apart)
 *   nanonis     text, two columns with a heading: metres on the stage; pixels tile the frame
 *   aecroscopy  NPY (N,2) of float64: x, y from -1 to 1 over the frame, as do_beps_specific takes them;
 *               raster_scan puts the first and the last pixel on the edges */
#include "tools/walls/device.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "io/npy.h"

/* at[2n]: x and y of each point, as the device takes them. */
static void places(const walls_job *job, bool normalised, double *at)
{
    for (int i = 0; i < job->found.points.n; i++) {
        const rs_pixel pixel = job->found.points.p[i].at;
        const rs_rowcol p = {pixel.row, pixel.col};
        rs_xy xy;
        if (normalised)
            rs_pixel_to_device(&job->coords, &p, 1, &xy);
        else
            rs_pixel_to_stage(&job->coords, &p, 1, &xy);
        at[2 * i] = xy.x;
        at[2 * i + 1] = xy.y;
    }
}

static reshed_status write_text(const char *path, bool igor, const double *at, int n,
                                reshed_error *err)
{
    const size_t room = 128 + (size_t)n * (2 * RS_NUMBER_TEXT + 4);
    char *text = rs_alloc(room, 1), x[RS_NUMBER_TEXT], y[RS_NUMBER_TEXT];
    if (!text) return rs_fail_nomem(err, "a list of points", room);
    size_t used = (size_t)snprintf(
        text, room, "%s", igor ? "IGOR\nWAVES/D/O reshed_x, reshed_y\nBEGIN\n" : "X (m)\tY (m)\n");
    for (int i = 0; i < n; i++)
        used +=
            (size_t)snprintf(text + used, room - used, "%s%s\t%s\n", igor ? "\t" : "",
                             rs_number_format(x, at[2 * i]), rs_number_format(y, at[2 * i + 1]));
    if (igor) used += (size_t)snprintf(text + used, room - used, "END\n");
    const reshed_status st = rs_os_write_file(path, (const uint8_t *)text, used, err);
    rs_free(text);
    return st;
}

bool walls_write_device(const walls_job *job)
{
    const walls_request *r = job->request;
    const int n = job->found.points.n;
    const size_t dims[2] = {(size_t)n, 2};
    reshed_error err = {0};
    if (!r->device) return true;
    double *at = rs_alloc((size_t)n, 2 * sizeof *at);
    reshed_status st = at ? RESHED_OK : rs_fail_nomem(&err, "points", (size_t)n * sizeof *at);
    if (st == RESHED_OK && r->instrument != WALLS_AECROSCOPY && !job->sized)
        st = rs_fail(&err, RESHED_EINVAL,
                     "size of a pixel|known, as by --frame-of or --pixel-size|unknown");
    if (st == RESHED_OK) places(job, r->instrument == WALLS_AECROSCOPY, at);
    if (st == RESHED_OK && r->instrument == WALLS_AECROSCOPY)
        st = rs_npy_write(r->device, RS_NPY_F8, 2, dims, at, &err);
    else if (st == RESHED_OK)
        st = write_text(r->device, r->instrument == WALLS_ASYLUM, at, n, &err);
    rs_free(at);
    if (st != RESHED_OK) cli_fail(job->program, r->device, &err);
    return st == RESHED_OK;
}
