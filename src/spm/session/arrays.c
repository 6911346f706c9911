#include "spm/session/arrays.h"

#include <string.h>

#include "base/alloc.h"
#include "io/nsid/make.h"
#include "spm/session/limits.h"

/* -------------------------------------------------------------------------------------- numbers */
bool rs_session_write_doubles(hid_t file, const char *group, const char *name, const char *unit,
                              const double *v, int n)
{
    const rs_nsid_place place = {.type = H5T_IEEE_F64LE};
    hsize_t dim = (hsize_t)n;
    if (n == 0) return true;
    hid_t g = rs_nsid_open_group(file, group), d = -1;
    if (g >= 0) d = rs_nsid_make_dataset(g, name, 1, &dim, NULL, v, &place);
    bool ok = d >= 0 && (!unit || rs_h5_set_text(d, "units", unit));
    rs_h5_close(d);
    rs_h5_close(g);
    return ok;
}

reshed_status rs_session_read_doubles(rs_h5_file *in, rs_session_block **kept, const char *path,
                                      int n, const double **out, reshed_error *err)
{
    rs_h5_shape shape;
    double *v = NULL;
    *out = NULL;
    if (n == 0) return RESHED_OK;
    hid_t d = rs_h5_object(in, path, true);
    if (d < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the dataset", path);
    reshed_status st =
        rs_h5_check_dataset(d, in->io.size, 1, RS_SESSION_MAX_STEPS, &shape, path, err);
    if (st == RESHED_OK && (shape.ndim != 1 || shape.is_complex || shape.count != (uint64_t)n))
        st = rs_fail(err, RESHED_ECORRUPT, "elements of the dataset|%d|another number|%s", n, path);
    if (st == RESHED_OK) st = rs_h5_read_doubles(d, &shape, &v, path, err);
    rs_h5_close(d);
    if (st != RESHED_OK) return st;
    double *block = rs_session_keep(kept, (size_t)n, sizeof *v);
    if (block) {
        memcpy(block, v, (size_t)n * sizeof *v);
        *out = block;
    } else {
        st = rs_fail_nomem(err, "an array of the session", (size_t)n * sizeof *v);
    }
    rs_free(v);
    return st;
}

bool rs_session_write_bytes(hid_t file, const char *group, const char *name, const uint8_t *v,
                            int n)
{
    const hsize_t dim = (hsize_t)n;
    const rs_nsid_place place = {.type = H5T_STD_U8LE};
    hid_t g = rs_nsid_open_group(file, group), d = -1;
    if (g >= 0) d = rs_nsid_make_dataset(g, name, 1, &dim, NULL, NULL, &place);
    bool ok = d >= 0 && rs_h5_write(d, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, v);
    rs_h5_close(d);
    rs_h5_close(g);
    return ok;
}

/* ---------------------------------------------------------------------------------------- texts */
/* A type of n bytes of text that ends with a NUL. */
static hid_t text_type(size_t n)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && H5Tset_size(type, n) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    rs_h5_close(type);
    return -1;
}

bool rs_session_write_texts(hid_t file, const char *group, const char *name, const char *v,
                            size_t size, int n)
{
    hsize_t dim = (hsize_t)n;
    if (n == 0) return true;
    hid_t type = text_type(size), g = rs_nsid_open_group(file, group), d = -1;
    const rs_nsid_place place = {.type = type};
    if (g >= 0 && type >= 0) d = rs_nsid_make_dataset(g, name, 1, &dim, NULL, NULL, &place);
    bool ok = d >= 0 && rs_h5_write(d, type, H5S_ALL, H5S_ALL, v);
    rs_h5_close(d);
    rs_h5_close(g);
    rs_h5_close(type);
    return ok;
}

reshed_status rs_session_read_texts(rs_h5_file *in, const char *path, char *v, size_t size, int n,
                                    reshed_error *err)
{
    if (n == 0) return RESHED_OK;
    hid_t d = rs_h5_object(in, path, true), type = -1, space = -1, plist = -1;
    hid_t memory = text_type(size);
    hsize_t dim = 0;
    if (d >= 0) type = H5Dget_type(d), space = H5Dget_space(d), plist = H5Dget_create_plist(d);
    bool ok = memory >= 0 && type >= 0 && space >= 0 && plist >= 0 &&
              H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
              H5Tget_size(type) == size && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &dim, NULL) == 1 && dim == (hsize_t)n &&
              H5Pget_layout(plist) == H5D_CONTIGUOUS && H5Pget_external_count(plist) == 0 &&
              rs_h5_read(d, memory, H5S_ALL, H5S_ALL, v);
    reshed_status st =
        ok ? RESHED_OK : rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the texts", path);
    for (int i = 0; i < n; i++) v[(size_t)i * size + size - 1] = '\0';
    rs_h5_close(plist);
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(memory);
    rs_h5_close(d);
    return st;
}
