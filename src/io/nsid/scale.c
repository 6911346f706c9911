#include "io/nsid/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/common/units.h"

/* One axis of an image: its step and middle in metres, 0 when unknown. */
typedef struct extent {
    double step, middle;
    bool falls;
} extent;

static size_t group_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* ------------------------------------------------------------------------------------ TopoStats */
static bool topostats(rs_nsid_file *file, const char *path, rs_image *im)
{
    char where[300];
    rs_nsid_array a = {0};
    snprintf(where, sizeof where, "%.*s/pixel_to_nm_scaling", (int)group_length(path), path);
    if (!rs_nsid_exists(file, where) || rs_nsid_read_array(file, where, &a, NULL) != RESHED_OK)
        return false;
    if (a.count == 1 && !a.is_complex && isfinite(a.data[0]) && a.data[0] > 0)
        im->dx = im->dy = a.data[0] * 1e-9;
    rs_nsid_array_clear(&a);
    return im->dx > 0;
}

/* ------------------------------------------------------------------------------------- HyperSpy */
/* The group axis-N beside the data has name, scale, offset and units of axis N of the array. */
static void axis_group(const char *path, int axis, char *where, size_t size)
{
    snprintf(where, size, "%.*s/axis-%d", (int)group_length(path), path, axis);
}

static bool hyperspy(rs_nsid_file *file, const char *path, int axis, int64_t n, const char *what,
                     rs_image *im, extent *out)
{
    char where[300], units[32] = "";
    double scale, offset = 0;
    axis_group(path, axis, where, sizeof where);
    if (!rs_nsid_exists(file, where) ||
        rs_nsid_get_number(file, where, "scale", &scale, NULL) != RESHED_OK)
        return false;
    rs_nsid_get_number(file, where, "offset", &offset, NULL);
    rs_nsid_get_text(file, where, "units", units, sizeof units, NULL);
    /* Data without a calibration have the scale 1 and no unit. */
    const bool known = units[0] && strcmp(units, "<undefined>") != 0 &&
                       strcmp(units, "None") != 0 && strcmp(units, "px") != 0;
    const double metres = known ? rs_metres_or_note(units, what, im) : 0;
    if (!(metres > 0) || !isfinite(scale) || scale == 0) return true;
    out->step = fabs(scale) * metres;
    out->middle = (offset + scale * 0.5 * (double)(n - 1)) * metres;
    out->falls = scale < 0;
    return true;
}

/* ---------------------------------------------------------------------------------------- NeXus */
/* Part k of a list "y:x", "y,x" or "[y,x]" of n parts. */
static bool part_of(const char *list, int k, int n, char *buf, size_t size)
{
    int at = 0;
    size_t used = 0;
    buf[0] = '\0';
    for (const char *s = list; *s; s++) {
        if (*s == ':' || *s == ',')
            at++;
        else if (*s != '[' && *s != ']' && *s != ' ' && at == k && used + 1 < size)
            buf[used++] = *s;
    }
    buf[used] = '\0';
    return used > 0 && at == n - 1;
}

/* The name of the coordinates of an axis: the group lists them as axes, older files the dataset. */
static bool nexus_axis(rs_nsid_file *file, const rs_nsid_plain *p, int axis, char *name,
                       size_t size)
{
    char group[256], list[128];
    snprintf(group, sizeof group, "%.*s", (int)group_length(p->path), p->path);
    if (!group[0]) strcpy(group, "/");
    if (rs_nsid_text_at(file, group, "axes", axis, p->ndim, name, size) && name[0]) return true;
    if (rs_nsid_get_text(file, p->path, "axes", list, sizeof list, NULL) != RESHED_OK) return false;
    return part_of(list, axis, p->ndim, name, size);
}

static bool nexus(rs_nsid_file *file, const rs_nsid_plain *p, int axis, const char *what,
                  rs_image *im, extent *out)
{
    char name[64], where[340], units[32] = "";
    rs_nsid_array a = {0};
    if (!nexus_axis(file, p, axis, name, sizeof name) || strcmp(name, ".") == 0) return false;
    snprintf(where, sizeof where, "%.*s/%s", (int)group_length(p->path), p->path, name);
    if (!rs_nsid_exists(file, where) || rs_nsid_read_array(file, where, &a, NULL) != RESHED_OK)
        return false;
    const int64_t n = (int64_t)p->dims[axis];
    const bool fits = !a.is_complex && a.count == (uint64_t)n && n > 1;
    if (fits && rs_nsid_get_text(file, where, "units", units, sizeof units, NULL) == RESHED_OK &&
        strcmp(units, "px") != 0 && strcmp(units, "pixel") != 0) {
        const double metres = rs_metres_or_note(units, what, im);
        const double each = (a.data[n - 1] - a.data[0]) / (double)(n - 1);
        bool even = isfinite(each) && each != 0;
        for (int64_t i = 0; even && i < n; i++)
            even = fabs(a.data[i] - (a.data[0] + (double)i * each)) <= 0.05 * fabs(each);
        if (!even && metres > 0)
            rs_image_note(
                im, "the points of %s are not evenly spaced, so its pixel size is unknown", what);
        if (even && metres > 0) {
            out->step = fabs(each) * metres;
            out->middle = 0.5 * (a.data[0] + a.data[n - 1]) * metres;
            out->falls = each < 0;
        }
    }
    rs_nsid_array_clear(&a);
    return fits;
}

/* Returns 'x' or 'y' of an axis with such a name ("x", "X axis", "sample_y"), else 0. */
static char letter_of(rs_nsid_file *file, const rs_nsid_plain *p, int axis)
{
    char where[300], name[64] = "";
    axis_group(p->path, axis, where, sizeof where);
    if (!rs_nsid_exists(file, where) ||
        rs_nsid_get_text(file, where, "name", name, sizeof name, NULL) != RESHED_OK)
        if (!nexus_axis(file, p, axis, name, sizeof name)) return 0;
    const size_t n = strlen(name);
    if (n == 0) return 0;
    const char first = (char)(name[0] | 0x20), last = (char)(name[n - 1] | 0x20);
    if (first == 'x' || first == 'y') return first;
    return n > 1 && strchr("_- ", name[n - 2]) && (last == 'x' || last == 'y') ? last : 0;
}

void rs_nsid_plain_scale(rs_nsid_file *file, int k, rs_image *im, rs_nsid_turn *turn)
{
    static const char *const what[2] = {"the y axis", "the x axis"};
    const rs_nsid_plain *p = rs_nsid_plain_info(file, k);
    extent e[2] = {{0, 0, false}, {0, 0, false}}; /* of rows and columns */
    *turn = (rs_nsid_turn){.transposed = p->matlab};
    if (p->matlab || topostats(file, p->path, im)) return;
    turn->transposed =
        letter_of(file, p, p->axis[1]) == 'x' && letter_of(file, p, p->axis[2]) == 'y';
    for (int i = 0; i < 2; i++) {
        const int axis = p->axis[1 + (turn->transposed ? !i : i)];
        if (hyperspy(file, p->path, axis, (int64_t)p->dims[axis], what[i], im, &e[i])) continue;
        if (nexus(file, p, axis, what[i], im, &e[i]) && i == 0)
            turn->upwards = e[0].step > 0 && !e[0].falls;
    }
    turn->leftwards = e[1].falls;
    im->dy = e[0].step;
    im->dx = e[1].step;
    im->y0 = turn->upwards || e[0].falls ? e[0].middle : -e[0].middle;
    im->x0 = e[1].middle;
}
