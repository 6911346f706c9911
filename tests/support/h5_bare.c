#include "support/h5_bare.h"

#include <stdlib.h>

#include "support/support.h"

static herr_t walk_attribute(hid_t object, const char *name, const H5A_info_t *info, void *ctx)
{
    (void)info, (void)ctx;
    hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = H5Aget_type(a), s = H5Aget_space(a);
    hssize_t n = H5Sget_simple_extent_npoints(s);
    size_t size = H5Tget_size(t);
    if (a >= 0 && n > 0 && n < 4096 && size > 0 && size < 4096) {
        void *p = calloc((size_t)n, size);
        if (p && H5Aread(a, t, p) >= 0) H5Dvlen_reclaim(t, s, H5P_DEFAULT, p);
        free(p);
    }
    H5Sclose(s), H5Tclose(t), H5Aclose(a);
    return 0;
}

/* As it is stored and, where that is short, as numbers. */
static void walk_dataset(hid_t dataset)
{
    double few[4096];
    hid_t t = H5Dget_type(dataset), s = H5Dget_space(dataset), p = H5Dget_create_plist(dataset);
    hssize_t n = H5Sget_simple_extent_npoints(s);
    size_t size = H5Tget_size(t);
    H5Dget_storage_size(dataset);
    if (n > 0 && n < 1 << 20 && size > 0 && size < 64) {
        void *data = calloc((size_t)n, size);
        if (data && H5Dread(dataset, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0 &&
            H5Tdetect_class(t, H5T_VLEN) > 0)
            H5Dvlen_reclaim(t, s, H5P_DEFAULT, data);
        free(data);
    }
    if (n > 0 && n <= 4096) H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, few);
    H5Pclose(p), H5Sclose(s), H5Tclose(t);
}

static herr_t walk_object(hid_t root, const char *name, const H5O_info_t *info, void *ctx)
{
    (void)ctx;
    hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0) return 0;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, walk_attribute, NULL);
    H5Aexists(object, "labels");
    if (info->type == H5O_TYPE_DATASET) walk_dataset(object);
    H5Oclose(object);
    return 0;
}

void h5_walk(const uint8_t *data, size_t len)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 16, 0);
    H5Pset_file_image(access, (void *)(uintptr_t)data, len);
    hid_t f = H5Fopen("bare", H5F_ACC_RDONLY, access);
    if (f >= 0) {
        H5Ovisit2(f, H5_INDEX_NAME, H5_ITER_INC, walk_object, NULL, H5O_INFO_BASIC);
        H5Fclose(f);
    }
    H5Pclose(access);
}

void h5_put_texts(hid_t object, const char *name, int n, const char *const *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    hsize_t size = (hsize_t)n;
    H5Tset_size(type, H5T_VARIABLE);
    hid_t space = H5Screate_simple(1, &size, NULL);
    hid_t attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attr, type, text) >= 0);
    H5Aclose(attr), H5Sclose(space), H5Tclose(type);
}

void h5_put_ancillary(hid_t group, const char *name, int rows, int columns, const double *v,
                      const char *const *labels, const char *const *units, int n)
{
    hsize_t size[2] = {(hsize_t)rows, (hsize_t)columns};
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t id =
        H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    h5_put_texts(id, "labels", n, labels);
    h5_put_texts(id, "units", n, units);
    H5Dclose(id), H5Sclose(space);
}

void h5_read_set(const char *path, const char *name, hid_t type, void *out, hsize_t dims[3])
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
    assert_true(set >= 0 && space >= 0);
    H5Sget_simple_extent_dims(space, dims, NULL);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
}
