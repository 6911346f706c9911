#include "io/walls_read.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "io/nsid/nsid.h"

void rs_walls_map_clear(rs_walls_map *map)
{
    rs_free(map->mean);
    rs_free(map->variance);
    rs_free(map->input);
    rs_free(map->likeliest);
    rs_free(map->phase);
    memset(map, 0, sizeof *map);
}

static reshed_status check_format(rs_nsid_file *f, reshed_error *err)
{
    char format[32];
    double version = 0;
    reshed_status st = rs_nsid_get_text(f, "/", "format", format, sizeof format, NULL);
    if (st == RESHED_ENOMEM) return rs_fail_nomem(err, "the format's name", sizeof format);
    if (st || strcmp(format, "reshed-walls") != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "kind of HDF5 file|a wall map of reshed-infer|%s",
                       st ? "no format attribute" : format);
    st = rs_nsid_get_number(f, "/", "format_version", &version, err);
    if (st) return st;
    if (version != 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "format version of the wall map|1|%g", version);
    return RESHED_OK;
}

/* True for an array that can be the map: [H,W] or [H,W,C], with the sizes of out once these are
 * known. */
static reshed_status check_shape(const rs_nsid_array *a, const char *path, const rs_walls_map *m,
                                 reshed_error *err)
{
    uint64_t h = a->ndim > 0 ? a->dims[0] : 0, w = a->ndim > 1 ? a->dims[1] : 0;
    if ((a->ndim != 2 && a->ndim != 3) || a->is_complex || a->count == 0 || h > RS_IMAGE_MAX_SIDE ||
        w > RS_IMAGE_MAX_SIDE || h * w > RS_IMAGE_MAX_PIXELS || a->count / (h * w) > 1024)
        return rs_fail(err, RESHED_ECORRUPT, "shape of a map|real, (H,W) or (H,W,C)|%d axes|%s",
                       a->ndim, path);
    if (m->height && (h != (uint64_t)m->height || w != (uint64_t)m->width))
        return rs_fail(err, RESHED_ECORRUPT, "size of a map|%d x %d|%llu x %llu|%s", m->height,
                       m->width, (unsigned long long)h, (unsigned long long)w, path);
    return RESHED_OK;
}

/* Marks where none of the classes of values[pixels,classes] is likelier than `layer`. */
static reshed_status mark_likeliest(const double *values, size_t pixels, size_t classes,
                                    size_t layer, uint8_t **out, reshed_error *err)
{
    uint8_t *mark = rs_alloc(pixels, 1);
    if (!mark) return rs_fail_nomem(err, "a map of classes", pixels);
    for (size_t i = 0; i < pixels; i++) {
        const double *v = values + i * classes;
        mark[i] = 1;
        for (size_t k = 0; mark[i] && k < classes; k++) mark[i] = v[layer] >= v[k];
    }
    *out = mark;
    return RESHED_OK;
}

/* Reads a map of one value a pixel, of several that of a class; *classes (may be NULL) says how many
 * there are. likeliest, where it is given, is filled when there are several. */
static reshed_status read_map(rs_nsid_file *f, const char *path, int layer, rs_walls_map *m,
                              int *classes, float **out, uint8_t **likeliest, reshed_error *err)
{
    rs_nsid_array a = {0};
    reshed_status st = rs_nsid_read_array(f, path, &a, err);
    if (st) return st;
    st = check_shape(&a, path, m, err);
    if (st) goto done;
    size_t pixels = (size_t)(a.dims[0] * a.dims[1]), each = (size_t)a.count / pixels;
    if (each == 1) layer = 0;
    if (layer < 0 || (size_t)layer >= each) {
        st = rs_fail(err, RESHED_EINVAL, "class|0 to %zu|%d", each - 1, layer);
        goto done;
    }
    if (likeliest && each > 1)
        st = mark_likeliest(a.data, pixels, each, (size_t)layer, likeliest, err);
    if (st) goto done;
    float *map = rs_alloc(pixels, sizeof *map);
    if (!map) {
        st = rs_fail_nomem(err, "a wall map", pixels * sizeof *map);
        goto done;
    }
    for (size_t i = 0; i < pixels; i++) map[i] = (float)a.data[i * each + (size_t)layer];
    m->height = (int)a.dims[0];
    m->width = (int)a.dims[1];
    if (classes) *classes = (int)each;
    *out = map;
done:
    rs_nsid_array_clear(&a);
    return st;
}

static reshed_status read_scale(rs_nsid_file *f, rs_walls_map *m, reshed_error *err)
{
    const char *const name[] = {"dx", "dy", "x0", "y0"};
    double *const value[] = {&m->dx, &m->dy, &m->x0, &m->y0};
    for (int i = 0; i < 4; i++) {
        reshed_status st = rs_nsid_get_number(f, "/", name[i], value[i], err);
        if (st) return st;
        if (!isfinite(*value[i]) || (i < 2 && *value[i] < 0))
            return rs_fail(err, RESHED_ECORRUPT, "attribute %s|a length in metres|%g", name[i],
                           *value[i]);
    }
    return RESHED_OK;
}

static reshed_status read_all(rs_nsid_file *f, int wall, rs_walls_map *m, reshed_error *err)
{
    const int layer = wall == -1 ? 0 : wall;
    int classes = 0;
    reshed_status st = check_format(f, err);
    if (!st)
        st = read_map(f, "/mean", layer, m, &m->classes, &m->mean, wall >= 0 ? &m->likeliest : NULL,
                      err);
    if (!st) st = read_map(f, "/variance", layer, m, &classes, &m->variance, NULL, err);
    if (!st && classes != m->classes)
        st = rs_fail(err, RESHED_ECORRUPT, "classes of /variance|%d|%d", m->classes, classes);
    if (!st && rs_nsid_exists(f, "/input"))
        st = read_map(f, "/input", 0, m, NULL, &m->input, NULL, err);
    if (!st && rs_nsid_exists(f, "/phase"))
        st = read_map(f, "/phase", 0, m, NULL, &m->phase, NULL, err);
    if (!st) st = read_scale(f, m, err);
    if (st) return st;
    size_t n = (size_t)m->height * (size_t)m->width;
    for (size_t i = 0; m->classes > 1 && wall == -1 && i < n; i++) m->mean[i] = 1 - m->mean[i];
    /* Names are for people: their absence is no reason to refuse the maps. */
    if (rs_nsid_get_text(f, "/", "source", m->source, sizeof m->source, NULL)) m->source[0] = '\0';
    if (rs_nsid_get_text(f, "/", "channel", m->channel, sizeof m->channel, NULL))
        m->channel[0] = '\0';
    return RESHED_OK;
}

static reshed_status take(rs_nsid_file *f, int wall, rs_walls_map *out, reshed_error *err)
{
    rs_walls_map m = {0};
    reshed_status st = rs_nsid_check(f, read_all(f, wall, &m, err), err);
    rs_nsid_close(f);
    if (st)
        rs_walls_map_clear(&m);
    else
        *out = m;
    return st;
}

reshed_status rs_walls_read_class(const char *path, int wall, rs_walls_map *out, reshed_error *err)
{
    rs_nsid_file *f = NULL;
    reshed_status st = rs_nsid_open(path, &f, err);
    return st ? st : take(f, wall, out, err);
}

reshed_status rs_walls_read(const char *path, rs_walls_map *out, reshed_error *err)
{
    return rs_walls_read_class(path, -1, out, err);
}

reshed_status rs_walls_read_mem(const uint8_t *bytes, size_t len, rs_walls_map *out,
                                reshed_error *err)
{
    rs_nsid_file *f = NULL;
    reshed_status st = rs_nsid_open_mem(bytes, len, &f, err);
    return st ? st : take(f, -1, out, err);
}
