#include "io/nsid/image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/common/stack.h"
#include "io/common/units.h"
#include "io/nsid/plain.h"

/* The two axes of an image, and of a stack the third one, of its frames (else -1); false for other data. */
static bool image_axes(const rs_nsid_data *d, int *x, int *y, int *frame)
{
    int axis[3] = {0, 1}, n = 0, spatial = 0;
    if (d->ndim < 2) return false;
    for (int i = 0; d->ndim > 2 && i < d->ndim; i++) {
        if (d->dim[i].n == 1) continue;
        if (n == 3) return false;
        axis[n++] = i;
        spatial += strcmp(d->dim[i].type, "SPATIAL") == 0;
    }
    *frame = -1;
    if (n == 3) { /* the frames are along the axis that is no length */
        int k = 0;
        while (k < 3 && spatial == 2 && strcmp(d->dim[axis[k]].type, "SPATIAL") == 0) k++;
        if (spatial != 2 || (strcmp(d->data_type, "IMAGE_STACK") != 0 &&
                             strcmp(d->dim[axis[k]].type, "TEMPORAL") != 0))
            return false;
        *frame = axis[k];
        for (; k < 2; k++) axis[k] = axis[k + 1];
        n = 2;
    }
    if (d->ndim > 2 && n != 2) return false;
    const char *a = d->dim[axis[0]].name, *b = d->dim[axis[1]].name;
    bool swapped = (a[0] == 'y' || a[0] == 'Y') && (b[0] == 'x' || b[0] == 'X');
    *x = axis[swapped];
    *y = axis[!swapped];
    return true;
}

bool rs_nsid_is_image(const rs_nsid_data *d)
{
    int x, y, frame;
    return !d->is_complex && image_axes(d, &x, &y, &frame) &&
           (strncmp(d->data_type, "IMAGE", 5) == 0 ||
            (strcmp(d->dim[x].type, "SPATIAL") == 0 && strcmp(d->dim[y].type, "SPATIAL") == 0));
}

/* Metres in one unit of an axis. SciFiReaders gives the axes of an Asylum image the unit of the
 * channel, though their values are metres: "deg" beside a phase, "A" beside a current. */
static double axis_metres(const rs_nsid_data *d, const rs_nsid_dim *dim, const char *what,
                          rs_image *im)
{
    bool copied = strcmp(dim->units, d->units) == 0 &&
                  (strcmp(dim->units, "deg") == 0 || strcmp(dim->units, "A") == 0 ||
                   strcmp(dim->units, "V") == 0);
    return copied ? 1 : rs_metres_or_note(dim->units, what, im);
}

/* Returns whether the axis falls; its step and middle in metres, 0 when it is no evenly spaced length,
 * which im is told. */
static bool axis_scale(const rs_nsid_data *d, const rs_nsid_dim *dim, const char *what,
                       double *step, double *middle, rs_image *im)
{
    double first = dim->values[0], last = dim->values[dim->n - 1];
    const double metres = axis_metres(d, dim, what, im);
    double each = dim->n > 1 ? (last - first) / (double)(dim->n - 1) : 0;
    bool even = isfinite(each) && each != 0;
    for (int64_t i = 0; even && i < dim->n; i++)
        even = fabs(dim->values[i] - (first + (double)i * each)) <= 0.05 * fabs(each);
    if (!even && metres > 0)
        rs_image_note(im, "the points of %s are not evenly spaced, so its pixel size is unknown",
                      what);
    *step = even ? fabs(each) * metres : 0;
    *middle = even ? 0.5 * (first + last) * metres : 0;
    return last < first;
}

/* Distance in data between neighbours along an axis. */
static int64_t step_along(const rs_nsid_data *d, int axis)
{
    int64_t step = 1;
    for (int i = d->ndim - 1; i > axis; i--) step *= d->dim[i].n;
    return step;
}

/* values NULL: those of d. */
static reshed_status to_image(const rs_nsid_data *d, int frame, const float *values, rs_image *out,
                              reshed_error *err)
{
    int x, y, f;
    rs_image im;
    double middle_x, middle_y;
    if (!rs_nsid_is_image(d) || !image_axes(d, &x, &y, &f))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "kind of the dataset|an image: real, two axes|%s%s of %d axes|%s",
                       d->is_complex ? "complex " : "", d->data_type, d->ndim, d->path);
    const int64_t frames = f < 0 ? 1 : d->dim[f].n, nx = d->dim[x].n, ny = d->dim[y].n;
    reshed_status st = rs_stack_choose(frames, frame, &frame, err);
    if (st == RESHED_OK) st = rs_image_init(&im, ny, nx, err);
    if (st != RESHED_OK) return st;
    bool x_falls = axis_scale(d, &d->dim[x], "the x axis", &im.dx, &middle_x, &im);
    bool y_falls = axis_scale(d, &d->dim[y], "the y axis", &im.dy, &middle_y, &im);
    im.x0 = middle_x;
    im.y0 = middle_y;
    const int64_t across = step_along(d, x), up = step_along(d, y),
                  first = f < 0 ? 0 : frame * step_along(d, f);
    for (int64_t r = 0; r < ny; r++) {
        int64_t j = y_falls ? r : ny - 1 - r;
        for (int64_t c = 0; c < nx; c++) {
            int64_t i = x_falls ? nx - 1 - c : c;
            const int64_t at = first + i * across + j * up;
            im.data[r * nx + c] = values ? values[at] : (float)d->data[at];
        }
    }
    if (frames > 1) {
        im.frame = frame;
        im.frames = (int)frames;
    }
    rs_text_copy(im.unit, sizeof im.unit, d->units);
    rs_text_copy(im.channel, sizeof im.channel, d->title[0] ? d->title : d->quantity);
    *out = im;
    return RESHED_OK;
}

reshed_status rs_nsid_to_image(const rs_nsid_data *d, rs_image *out, reshed_error *err)
{
    return to_image(d, RS_FRAME_ONLY, NULL, out, err);
}

static reshed_status fill_axis(rs_nsid_dim *dim, const char *name, int n, double step,
                               double middle, reshed_error *err)
{
    dim->values = rs_alloc((size_t)n, sizeof *dim->values);
    if (!dim->values)
        return rs_fail_nomem(err, "the coordinates of an axis", (size_t)n * sizeof(double));
    dim->n = n;
    snprintf(dim->name, sizeof dim->name, "%s", name);
    snprintf(dim->quantity, sizeof dim->quantity, "Position");
    snprintf(dim->units, sizeof dim->units, "%s", step > 0 ? "m" : "px");
    snprintf(dim->type, sizeof dim->type, "SPATIAL");
    for (int i = 0; i < n; i++) dim->values[i] = step > 0 ? middle + (i - 0.5 * (n - 1)) * step : i;
    return RESHED_OK;
}

reshed_status rs_nsid_from_image(const rs_image *im, rs_nsid_data *out, reshed_error *err)
{
    rs_nsid_data d = {.ndim = 2};
    size_t w = (size_t)im->width, h = (size_t)im->height;
    d.count = (uint64_t)w * h;
    reshed_status st = fill_axis(&d.dim[0], "x", im->width, im->dx, im->x0, err);
    if (st == RESHED_OK) st = fill_axis(&d.dim[1], "y", im->height, im->dy, im->y0, err);
    if (st == RESHED_OK && !(d.data = rs_alloc(d.count, sizeof *d.data)))
        st = rs_fail_nomem(err, "an image", d.count * sizeof *d.data);
    if (st != RESHED_OK) {
        rs_nsid_data_clear(&d);
        return st;
    }
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j < h; j++) d.data[i * h + j] = im->data[(h - 1 - j) * w + i];
    const char *name = im->channel[0] ? im->channel : "generic";
    rs_text_copy(d.name, sizeof d.name, name);
    rs_text_copy(d.quantity, sizeof d.quantity, name);
    rs_text_copy(d.units, sizeof d.units, im->unit);
    strcpy(d.data_type, "IMAGE");
    strcpy(d.modality, "generic");
    strcpy(d.source, "generic");
    *out = d;
    return RESHED_OK;
}

/* The channels that are images; map NULL or [count]: their numbers in the file. */
static reshed_status list_images(const rs_nsid_file *file, rs_channels *out, int *map,
                                 reshed_error *err)
{
    rs_channels list = {0};
    const rs_channels *all = rs_nsid_channels(file);
    for (int k = 0; k < rs_nsid_count(file); k++) {
        rs_channel *c;
        if (!rs_nsid_is_image(rs_nsid_info(file, k))) continue;
        reshed_status st = rs_channels_add(&list, "", &c, err);
        if (st != RESHED_OK) {
            rs_channels_clear(&list);
            return st;
        }
        *c = all->c[k];
        if (map) map[list.n - 1] = k;
    }
    *out = list;
    return RESHED_OK;
}

/* The images of the file: the main datasets among them, else the plain ones; *plain tells. map as in
 * list_images, with room for either. */
static reshed_status list_all(rs_nsid_file *file, rs_channels *out, int *map, bool *plain,
                              reshed_error *err)
{
    rs_channels list = {0};
    reshed_status st = list_images(file, &list, map, err);
    *plain = st == RESHED_OK && list.n == 0 && rs_nsid_plain_count(file) > 0;
    if (*plain) {
        st = rs_nsid_plain_list(file, &list, map, err);
    }
    if (st == RESHED_OK) *out = list;
    return st;
}

reshed_status rs_nsid_image_list(rs_nsid_file *file, rs_channels *out, reshed_error *err)
{
    bool plain;
    return list_all(file, out, NULL, &plain, err);
}

/* Returns true when a plain dataset has that path, or that name alone. */
static bool find_plain(const rs_nsid_file *file, const char *path, int *k)
{
    int found = 0;
    for (int pass = 0; pass < 2 && found == 0; pass++)
        for (int i = 0; i < rs_nsid_plain_count(file); i++) {
            const char *whole = rs_nsid_plain_info(file, i)->path, *last = strrchr(whole, '/');
            if (strcmp(pass && last ? last + 1 : whole, path) != 0) continue;
            *k = i;
            found++;
        }
    return found == 1;
}

/* The dataset that `channel` names, its name, and what there is to say of the choice in the note of
 * *said. */
static reshed_status choose(rs_nsid_file *file, const char *channel, int *k, bool *plain,
                            rs_image *said, reshed_error *err)
{
    rs_channels list = {0};
    int index = 0, other;
    const int n = rs_nsid_count(file), room = n + rs_nsid_plain_count(file);
    int *map = rs_alloc((size_t)room, sizeof *map);
    if (!map) return rs_fail_nomem(err, "the list of images", (size_t)room * sizeof *map);
    reshed_status st = list_all(file, &list, map, plain, err);
    if (st == RESHED_OK && list.n == 0) {
        st = rs_fail(
            err, RESHED_EUNSUPPORTED,
            "no image in the HDF5 file|a dataset with two axes|%d main datasets of NSID, no "
            "image among them",
            n);
    } else if (st == RESHED_OK) {
        st = rs_channel_choose(&list, channel, RS_QUANTITY_AMPLITUDE, &index, err);
        if (st == RESHED_OK) {
            *k = map[index];
            rs_channel_note(&list, channel, RS_QUANTITY_AMPLITUDE, index, said);
            rs_text_copy(said->channel, sizeof said->channel, list.c[index].name);
        } else if (channel && find_plain(file, channel, k)) {
            *plain = true;
            rs_text_copy(said->channel, sizeof said->channel, channel);
            st = RESHED_OK;
        } else if (channel && rs_nsid_find(file, channel, &other, NULL) == RESHED_OK) {
            *k = other; /* rs_nsid_to_image says what it is instead */
            *plain = false;
            rs_text_copy(said->channel, sizeof said->channel, rs_nsid_label(file, other));
            st = RESHED_OK;
        }
    }
    rs_channels_clear(&list);
    rs_free(map);
    return st;
}

reshed_status rs_nsid_image_read(rs_nsid_file *file, const char *channel, int frame, rs_image *out,
                                 reshed_error *err)
{
    int k = 0;
    bool plain = false;
    rs_nsid_data d = {0};
    float *values = NULL;
    rs_image said = {0};
    reshed_status st = choose(file, channel, &k, &plain, &said, err);
    const rs_nsid_data *info = st == RESHED_OK && !plain ? rs_nsid_info(file, k) : NULL;
    if (info && !rs_nsid_is_image(info)) return rs_nsid_to_image(info, out, err);
    if (st == RESHED_OK && plain) {
        st = rs_nsid_plain_image(file, k, frame, out, err);
    } else if (st == RESHED_OK) {
        st = rs_nsid_read_floats(file, k, &d, &values, err);
        if (st == RESHED_OK) st = to_image(&d, frame, values, out, err);
    }
    rs_free(values);
    if (st == RESHED_OK && (st = rs_nsid_check(file, st, err)) != RESHED_OK) rs_image_clear(out);
    if (st == RESHED_OK) {
        rs_text_copy(out->channel, sizeof out->channel, said.channel);
        if (said.note[0]) rs_image_note(out, "%s", said.note);
    }
    rs_nsid_data_clear(&d);
    return st;
}

reshed_status rs_nsid_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                     int frame, rs_image *out, reshed_error *err)
{
    rs_nsid_file *f = NULL;
    reshed_status st = rs_nsid_open_mem(bytes, len, &f, err);
    if (st == RESHED_OK) st = rs_nsid_image_read(f, channel, frame, out, err);
    rs_nsid_close(f);
    return st;
}
