#include "io/classes.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/image_file.h"

/* The values of a pixel are float32 or, rounded once more, float16, and may be means over members. */
#define SUM_TOLERANCE 4e-3

void rs_classes_clear(rs_classes *c)
{
    rs_npy_clear(&c->array);
    *c = (rs_classes){0};
}

static bool is_npy(const char *path)
{
    uint8_t head[RS_FORMAT_HEAD];
    size_t n = 0;
    if (rs_os_read_head(path, head, sizeof head, &n, NULL) != RESHED_OK) return false;
    return rs_format_of_bytes(head, n) == RS_FORMAT_NPY;
}

/* Place in the array of a pixel's first class, and the step from class to class. */
static size_t first_of(const rs_classes *c, size_t pixel)
{
    return c->last ? pixel * (size_t)c->classes : pixel;
}

static size_t step_of(const rs_classes *c)
{
    return c->last ? 1 : (size_t)c->height * (size_t)c->width;
}

/* True when the classes of each pixel add up to 1; pixels with NaN do not count, and not all may be
 * such. */
static bool adds_up(const rs_classes *c)
{
    const size_t n = (size_t)c->height * (size_t)c->width, step = step_of(c);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < (size_t)c->classes; k++)
            sum += rs_npy_at(&c->array, first_of(c, i) + k * step);
        if (isnan(sum)) continue;
        if (!(fabs(sum - 1) <= SUM_TOLERANCE)) return false;
        any = true;
    }
    return any;
}

/* Takes the last or the first of three axes for the classes; false when the sizes do not allow it. */
static bool take_axis(rs_classes *c, bool last, const size_t dims[3])
{
    const size_t h = dims[last ? 0 : 1], w = dims[last ? 1 : 2], classes = dims[last ? 2 : 0];
    if (classes < 2 || classes > RS_CLASSES_MAX || h < 1 || w < 1 || h > RS_IMAGE_MAX_SIDE ||
        w > RS_IMAGE_MAX_SIDE || h * w > RS_IMAGE_MAX_PIXELS)
        return false;
    c->height = (int)h;
    c->width = (int)w;
    c->classes = (int)classes;
    c->last = last;
    return true;
}

/* The three axes of an array, those of one element left out; false: there are not three. */
static bool three_axes(const rs_npy *a, size_t dims[3])
{
    int n = 0;
    for (int i = 0; i < a->ndim; i++) {
        if (a->dims[i] == 1) continue;
        if (n == 3) return false;
        dims[n++] = a->dims[i];
    }
    return n == 3;
}

reshed_status rs_classes_read(const char *path, rs_classes *out, reshed_error *err)
{
    rs_classes c = {0};
    size_t dims[3];
    *out = c;
    if (!is_npy(path)) return RESHED_OK;
    reshed_status st = rs_npy_read(path, &c.array, err);
    if (st != RESHED_OK) return st;
    const bool complex = c.array.type == RS_NPY_C8 || c.array.type == RS_NPY_C16;
    if (complex || !three_axes(&c.array, dims)) {
        rs_classes_clear(&c);
        return RESHED_OK;
    }
    c.whole =
        (take_axis(&c, true, dims) && adds_up(&c)) || (take_axis(&c, false, dims) && adds_up(&c));
    const bool last = dims[2] <= dims[0];
    if (!c.whole && !take_axis(&c, last, dims) && !take_axis(&c, !last, dims)) {
        rs_classes_clear(&c);
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "shape of a map of classes|(H, W, C) or (C, H, W), up to %d classes|"
                       "(%zu, %zu, %zu)",
                       RS_CLASSES_MAX, dims[0], dims[1], dims[2]);
    }
    *out = c;
    return RESHED_OK;
}

reshed_status rs_classes_match(rs_classes *c, int height, int width, reshed_error *err)
{
    size_t dims[3];
    if (!three_axes(&c->array, dims))
        return rs_fail(err, RESHED_EINVAL, "axes of a map of classes|3|another number");
    for (int last = 1; last >= 0; last--)
        if (dims[last ? 0 : 1] == (size_t)height && dims[last ? 1 : 2] == (size_t)width &&
            take_axis(c, last, dims))
            return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "size of the maps|that of the map, %d x %d|(%zu, %zu, %zu)",
                   height, width, dims[0], dims[1], dims[2]);
}

reshed_status rs_classes_take(const rs_classes *c, int wanted, float **out, reshed_error *err)
{
    const size_t n = (size_t)c->height * (size_t)c->width, step = step_of(c);
    const size_t layer = wanted == RS_CLASSES_WALL ? 0 : (size_t)wanted;
    if (wanted < RS_CLASSES_WALL || wanted >= c->classes)
        return rs_fail(err, RESHED_EINVAL, "class|0 to %d|%d", c->classes - 1, wanted);
    float *map = rs_alloc(n, sizeof *map);
    if (!map) return rs_fail_nomem(err, "a map", n * sizeof *map);
    for (size_t i = 0; i < n; i++)
        map[i] = (float)rs_npy_at(&c->array, first_of(c, i) + layer * step);
    *out = map;
    return RESHED_OK;
}

void rs_classes_likeliest(const rs_classes *c, int wanted, uint8_t *out)
{
    const size_t n = (size_t)c->height * (size_t)c->width, step = step_of(c);
    for (size_t i = 0; i < n; i++) {
        const double mine = rs_npy_at(&c->array, first_of(c, i) + (size_t)wanted * step);
        out[i] = 1;
        for (size_t k = 0; out[i] && k < (size_t)c->classes; k++)
            out[i] = mine >= rs_npy_at(&c->array, first_of(c, i) + k * step);
    }
}

/* --------------------------------------------------------------------------------------- labels */

/* The number in a pixel of which `unit` is one; -1: none. The tolerance is that of float32, and below
 * the least grey value. */
static int label_at(float value, double unit)
{
    const double k = value / unit;
    if (!(k >= 0 && k < RS_CLASSES_LABELS) || fabs(k - floor(k + 0.5)) > 1e-5) return -1;
    return (int)floor(k + 0.5);
}

/* Returns the value that means certainty in map[n]: 1, or a grey value of 8 or 16 bit; 0: none
 * does. */
static double label_unit(const float *map, size_t n)
{
    static const double units[] = {1, 1 / 255.0, 1 / 65535.0};
    for (int u = 0; u < 3; u++) {
        size_t i = 0;
        while (i < n && label_at(map[i], units[u]) >= 0) i++;
        if (i == n) return units[u];
    }
    return 0;
}

int rs_classes_labels(const float *map, size_t n, bool present[RS_CLASSES_LABELS])
{
    const double unit = label_unit(map, n);
    int most = -1;
    memset(present, 0, RS_CLASSES_LABELS * sizeof *present);
    for (size_t i = 0; unit > 0 && i < n; i++) {
        const int k = label_at(map[i], unit);
        present[k] = true;
        if (k > most) most = k;
    }
    return most;
}

reshed_status rs_classes_mark(float *map, size_t n, int wanted, reshed_error *err)
{
    bool present[RS_CLASSES_LABELS];
    char list[4 * RS_CLASSES_LABELS] = "";
    const int most = rs_classes_labels(map, n, present);
    const double unit = label_unit(map, n);
    if (most < 0)
        return rs_fail(err, RESHED_EINVAL,
                       "class %d of a map with one layer|whole numbers of classes, up to %d|"
                       "other values",
                       wanted, RS_CLASSES_LABELS - 1);
    for (int k = 0, used = 0; k <= most; k++)
        if (present[k])
            used += snprintf(list + used, sizeof list - (size_t)used, "%s%d", used ? ", " : "", k);
    if (wanted < 0 || wanted > most || !present[wanted])
        return rs_fail(err, RESHED_EINVAL, "class|one that the map holds: %s|%d", list, wanted);
    for (size_t i = 0; i < n; i++) map[i] = label_at(map[i], unit) == wanted;
    return RESHED_OK;
}
