#include "io/nsid/usid.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/common/channel.h"

#define GROUPS 10 /* measurements, and channels of each, that are looked at */

void rs_usid_data_clear(rs_usid_data *d)
{
    rs_free(d->position.values);
    rs_free(d->spectral.values);
    rs_free(d->data);
    memset(d, 0, sizeof *d);
}

/* The dataset `name` in the group of `path` or in the group above it; false when there is none. */
static bool companion(rs_nsid_file *file, const char *path, const char *name, char *buf, size_t n)
{
    size_t end = strlen(path);
    for (int up = 0; up < 2; up++) {
        while (end > 0 && path[end - 1] != '/') end--;
        if (end == 0) return false;
        end--;
        int k = snprintf(buf, n, "%.*s/%s", (int)end, path, name);
        if (k > 0 && (size_t)k < n && rs_nsid_exists(file, buf)) return true;
    }
    return false;
}

static bool is_main(rs_nsid_file *file, const char *path)
{
    char buf[256];
    return rs_nsid_exists(file, path) &&
           companion(file, path, "Position_Values", buf, sizeof buf) &&
           companion(file, path, "Spectroscopic_Values", buf, sizeof buf);
}

bool rs_usid_find(rs_nsid_file *file, const char *dataset, char *path, size_t n)
{
    char group[32];
    if (!dataset) dataset = "Raw_Data";
    if (dataset[0] == '/') {
        int k = snprintf(path, n, "%s", dataset);
        return k > 0 && (size_t)k < n && is_main(file, path);
    }
    for (int i = 0; i < GROUPS; i++) {
        snprintf(group, sizeof group, "/Measurement_%03d", i);
        if (!rs_nsid_exists(file, group)) continue;
        for (int j = 0; j < GROUPS; j++) {
            int k = snprintf(path, n, "%s/Channel_%03d/%s", group, j, dataset);
            if (k > 0 && (size_t)k < n && is_main(file, path)) return true;
        }
    }
    return false;
}

bool rs_usid_find_fit(rs_nsid_file *file, char *path, size_t n)
{
    static const char *const names[] = {"Fit", "Guess"};
    for (int k = 0; k < 2; k++)
        for (int i = GROUPS - 1; i >= 0; i--) {
            char name[48];
            snprintf(name, sizeof name, "Raw_Data-SHO_Fit_%03d/%s", i, names[k]);
            if (rs_usid_find(file, name, path, n)) return true;
        }
    return false;
}

/* The coordinates in dataset `name` beside the main one, which must have n for each dimension.
 * by_rows: a row for each dimension, else a column. */
static reshed_status read_axes(rs_nsid_file *file, const char *main, const char *name, bool by_rows,
                               int64_t n, rs_usid_axes *out, reshed_error *err)
{
    rs_nsid_array a = {0};
    char path[256];
    if (!companion(file, main, name, path, sizeof path))
        return rs_fail(err, RESHED_ECORRUPT, "axes of a USID dataset|'%s' beside it||%s", name,
                       main);
    reshed_status st = rs_nsid_read_array(file, path, &a, err);
    if (st != RESHED_OK) return st;
    uint64_t dims = a.ndim == 2 ? a.dims[by_rows ? 0 : 1] : 0;
    if (a.is_complex || a.ndim != 2 || a.dims[by_rows ? 1 : 0] != (uint64_t)n || dims < 1 ||
        dims > RS_USID_MAX_DIMS) {
        st =
            rs_fail(err, RESHED_ECORRUPT,
                    "axes of a USID dataset|%lld coordinates of 1 to %d dimensions|%llu numbers on "
                    "%d axes|%s",
                    (long long)n, RS_USID_MAX_DIMS, (unsigned long long)a.count, a.ndim, path);
        goto done;
    }
    out->dims = (int)dims;
    out->n = n;
    for (int d = 0; d < out->dims; d++) {
        rs_nsid_text_at(file, path, "labels", d, out->dims, out->label[d], sizeof out->label[d]);
        rs_nsid_text_at(file, path, "units", d, out->dims, out->units[d], sizeof out->units[d]);
    }
    if (by_rows) {
        out->values = a.data;
        a.data = NULL;
        goto done;
    }
    out->values = rs_alloc((size_t)a.count, sizeof *out->values);
    if (!out->values) {
        st = rs_fail_nomem(err, "coordinates", (size_t)a.count * sizeof *out->values);
        goto done;
    }
    for (int64_t i = 0; i < n; i++)
        for (int d = 0; d < out->dims; d++) out->values[d * n + i] = a.data[i * out->dims + d];
done:
    rs_nsid_array_clear(&a);
    return st;
}

static reshed_status read_main(rs_nsid_file *file, rs_usid_data *d, reshed_error *err)
{
    static const char *const word[2] = {"Amplitude", "Phase"};
    rs_nsid_array a = {0};
    reshed_status st = rs_nsid_read_members(file, d->path, word, &a, err);
    d->is_fit = st == RESHED_OK;
    if (st == RESHED_EUNSUPPORTED) st = rs_nsid_read_array(file, d->path, &a, err);
    if (st != RESHED_OK) return st;
    d->data = a.data;
    d->is_complex = a.is_complex;
    if (a.ndim != 2 || a.count == 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "USID dataset|positions by points, neither empty|%llu numbers on %d axes|%s",
                       (unsigned long long)a.count, a.ndim, d->path);
    rs_nsid_get_text(file, d->path, "quantity", d->quantity, sizeof d->quantity, NULL);
    rs_nsid_get_text(file, d->path, "units", d->units, sizeof d->units, NULL);
    st = read_axes(file, d->path, "Position_Values", false, (int64_t)a.dims[0], &d->position, err);
    if (st == RESHED_OK)
        st = read_axes(file, d->path, "Spectroscopic_Values", true, (int64_t)a.dims[1],
                       &d->spectral, err);
    return st;
}

reshed_status rs_usid_read(rs_nsid_file *file, const char *path, rs_usid_data *out,
                           reshed_error *err)
{
    rs_usid_data d = {0};
    rs_text_copy(d.path, sizeof d.path, path);
    reshed_status st = rs_nsid_check(file, read_main(file, &d, err), err);
    if (st != RESHED_OK) {
        rs_usid_data_clear(&d);
        return st;
    }
    *out = d;
    return RESHED_OK;
}
