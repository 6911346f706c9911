/* A .npz file is a ZIP archive, stored or deflated, of .npy files. */
#include "io/npz.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/common/stack.h"
#include "io/npy.h"
#include "io/weights/zip.h"

/* An array may unfold to this and so many times the archive. */
#define FREE ((uint64_t)8 << 20)
#define UNPACK_TIMES 4u

/* The name of member i without its ending; false when it is no array. */
static bool array_name(const rs_zip *zip, int64_t i, char *buf, size_t n)
{
    const char *name = rs_zip_name(zip, i);
    const size_t k = name ? strlen(name) : 0;
    if (k < 5 || strcmp(name + k - 4, ".npy") != 0 || k - 4 >= n) return false;
    memcpy(buf, name, k - 4);
    buf[k - 4] = '\0';
    return true;
}

static reshed_status open_archive(const uint8_t *bytes, size_t len, rs_zip **zip, reshed_error *err)
{
    return rs_zip_open_mem(bytes, len, FREE + UNPACK_TIMES * (uint64_t)len, zip, err);
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    rs_zip *zip = NULL;
    rs_channels found = {0};
    char name[64];
    reshed_status st = open_archive(bytes, len, &zip, err);
    const int64_t n = st == RESHED_OK ? rs_zip_count(zip) : 0;
    for (int64_t i = 0; st == RESHED_OK && i < n; i++)
        if (array_name(zip, i, name, sizeof name)) st = rs_channels_add(&found, name, NULL, err);
    if (st == RESHED_OK && found.n == 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "no array in the ZIP archive|NumPy's .npz, with members NAME.npy|none");
    rs_zip_close(zip);
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

static reshed_status read_frame(const uint8_t *bytes, size_t len, int index, int frame,
                                rs_image *out, reshed_error *err)
{
    rs_zip *zip = NULL;
    uint8_t *data = NULL;
    size_t n = 0;
    char name[64];
    int64_t at = -1;
    reshed_status st = open_archive(bytes, len, &zip, err);
    const int64_t members = st == RESHED_OK ? rs_zip_count(zip) : 0;
    for (int64_t i = 0, k = index; i < members && at < 0; i++)
        if (array_name(zip, i, name, sizeof name) && k-- == 0) at = i;
    if (st == RESHED_OK && at < 0)
        st = rs_fail(err, RESHED_EINVAL, "channel number|an array of the archive|%d", index);
    if (st == RESHED_OK) st = rs_zip_read_new(zip, at, UINT64_MAX, &data, &n, err);
    if (st == RESHED_OK) st = rs_npy_image_read_mem(data, n, frame, out, err);
    rs_free(data);
    rs_zip_close(zip);
    return st;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    return read_frame(bytes, len, index, RS_FRAME_ONLY, out, err);
}

const rs_reader rs_npz_reader = {list, read, read_frame};
