#include "io/hdf5/library.h"

#include <stdio.h>

rs_h5_hush rs_h5_hush_begin(void)
{
    rs_h5_hush h = {0};
    H5Eget_auto2(H5E_DEFAULT, &h.func, &h.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return h;
}

void rs_h5_hush_end(rs_h5_hush hush)
{
    H5Eset_auto2(H5E_DEFAULT, hush.func, hush.data);
}

typedef struct reason {
    char text[120];
    bool nomem;
} reason;

static herr_t take_innermost(unsigned n, const H5E_error2_t *e, void *ctx)
{
    reason *r = ctx;
    if (n == 0) {
        snprintf(r->text, sizeof r->text, "%s", e->desc ? e->desc : "");
        r->nomem = e->min_num == H5E_NOSPACE || e->min_num == H5E_CANTALLOC;
    }
    return 0;
}

reshed_status rs_h5_fail(reshed_error *err, reshed_status status, const char *what,
                         const char *where)
{
    reason r = {{0}, false};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &r);
    if (r.nomem) status = RESHED_ENOMEM;
    return rs_fail(err, status, "%s||HDF5: %s|%s", what, r.text[0] ? r.text : "no reason given",
                   where);
}

hid_t rs_h5_transfer(hid_t dset, hid_t memory)
{
    size_t block = 65536;
    hid_t type = H5Dget_type(dset);
    const size_t stored = type < 0 ? 0 : H5Tget_size(type), used = H5Tget_size(memory);
    rs_h5_close(type);
    if (stored == 0 || used == 0) return -1;
    if (stored > block) block = stored;
    if (used > block) block = used;
    hid_t plist = H5Pcreate(H5P_DATASET_XFER);
    if (plist >= 0 && H5Pset_buffer(plist, block, NULL, NULL) >= 0) return plist;
    rs_h5_close(plist);
    return -1;
}

bool rs_h5_read(hid_t dset, hid_t type, hid_t memory, hid_t file, void *data)
{
    const hid_t how = rs_h5_transfer(dset, type);
    const bool ok = how >= 0 && H5Dread(dset, type, memory, file, how, data) >= 0;
    if (how >= 0) H5Pclose(how);
    return ok;
}

bool rs_h5_write(hid_t dset, hid_t type, hid_t memory, hid_t file, const void *data)
{
    const hid_t how = rs_h5_transfer(dset, type);
    const bool ok = how >= 0 && H5Dwrite(dset, type, memory, file, how, data) >= 0;
    if (how >= 0) H5Pclose(how);
    return ok;
}

void rs_h5_close(hid_t id)
{
    if (id < 0) return;
    switch (H5Iget_type(id)) {
    case H5I_FILE: H5Fclose(id); break;
    case H5I_GROUP:
    case H5I_DATASET: H5Oclose(id); break;
    case H5I_DATATYPE:
        H5Tclose(id); /* a committed type closes the same way */
        break;
    case H5I_DATASPACE: H5Sclose(id); break;
    case H5I_ATTR: H5Aclose(id); break;
    case H5I_GENPROP_LST: H5Pclose(id); break;
    default: break;
    }
}
