#include "io/walls_h5.h"

#include <stdbool.h>

#include "base/image.h"
#include "io/hdf5/h5.h"

#define CHUNK 64 /* side, in pixels: 16 KiB of one class */
#define DEFLATE_LEVEL 4

/* One float32 dataset of up to four axes; the two image axes are cut into chunks. */
static bool write_map(hid_t file, const char *name, int ndim, const hsize_t *dims, int image_axis,
                      const float *data)
{
    hsize_t chunk[4];
    for (int i = 0; i < ndim; i++) {
        bool image = i == image_axis || i == image_axis + 1;
        chunk[i] = image ? (dims[i] < CHUNK ? dims[i] : CHUNK) : i < image_axis ? 1 : dims[i];
    }
    hid_t space = H5Screate_simple(ndim, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dset = -1;
    if (space >= 0 && plist >= 0 && H5Pset_chunk(plist, ndim, chunk) >= 0 &&
        H5Pset_shuffle(plist) >= 0 && H5Pset_deflate(plist, DEFLATE_LEVEL) >= 0 &&
        H5Pset_fletcher32(plist) >= 0)
        dset = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    bool ok = dset >= 0 && rs_h5_write(dset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, data);
    rs_h5_close(dset);
    rs_h5_close(plist);
    rs_h5_close(space);
    return ok;
}

static bool write_maps(hid_t file, const rs_walls_file *f)
{
    hsize_t dims[4] = {(hsize_t)f->members, (hsize_t)f->height, (hsize_t)f->width,
                       (hsize_t)f->classes};
    int ndim = f->classes > 1 ? 3 : 2;
    return write_map(file, "mean", ndim, dims + 1, 0, f->mean) &&
           write_map(file, "variance", ndim, dims + 1, 0, f->variance) &&
           write_map(file, "input", 2, dims + 1, 0, f->input) &&
           (!f->phase || write_map(file, "phase", 2, dims + 1, 0, f->phase)) &&
           (!f->wall180 || write_map(file, "wall180", 2, dims + 1, 0, f->wall180)) &&
           (!f->member || write_map(file, "members", ndim + 1, dims, 1, f->member));
}

static bool write_attributes(hid_t root, const rs_walls_file *f)
{
    return rs_h5_set_text(root, "format", "reshed-walls") &&
           rs_h5_set_int(root, "format_version", 1) &&
           rs_h5_set_text(root, "program", f->program) &&
           rs_h5_set_text(root, "program_version", RESHED_VERSION) &&
           rs_h5_set_text(root, "weights_checksum", f->weights_checksum) &&
           rs_h5_set_text(root, "normalisation", f->normalisation) &&
           rs_h5_set_number(root, "normalisation_lo", f->lo) &&
           rs_h5_set_number(root, "normalisation_hi", f->hi) &&
           rs_h5_set_text(root, "precision", f->precision ? f->precision : "fp32") &&
           (f->average < 2 || rs_h5_set_int(root, "average", f->average)) &&
           rs_h5_set_number(root, "dx", f->dx) && rs_h5_set_number(root, "dy", f->dy) &&
           rs_h5_set_number(root, "x0", f->x0) && rs_h5_set_number(root, "y0", f->y0) &&
           rs_h5_set_text(root, "source", f->source) &&
           rs_h5_set_text(root, "channel", f->channel) &&
           (!f->phase || rs_h5_set_text(root, "phase_channel", f->phase_channel)) &&
           rs_h5_set_text(root, "orientation", "row 0 is the +y (top) edge, column 0 the -x edge");
}

static reshed_status check(const rs_walls_file *f, reshed_error *err)
{
    if (f->height < 1 || f->width < 1 || f->height > RS_IMAGE_MAX_SIDE ||
        f->width > RS_IMAGE_MAX_SIDE || f->classes < 1)
        return rs_fail(err, RESHED_EINVAL,
                       "size of a wall map|sides from 1 to %d, classes from 1|"
                       "%d x %d x %d",
                       RS_IMAGE_MAX_SIDE, f->height, f->width, f->classes);
    if ((f->member != NULL) != (f->members > 0))
        return rs_fail(err, RESHED_EINVAL,
                       "members of a wall map|maps for each member or none|%d %s", f->members,
                       f->member ? "with maps" : "without maps");
    return RESHED_OK;
}

reshed_status rs_walls_write(const char *path, const rs_walls_file *f, reshed_error *err)
{
    rs_h5_out *out = NULL;
    reshed_status st = check(f, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_h5_out_open(path, RS_H5_ATOMIC, &out, err);
    if (st == RESHED_OK) {
        if (!write_maps(out->id, f) || !write_attributes(out->id, f))
            st = rs_h5_fail(err, RESHED_EIO, "cannot write the wall map", "");
        st = rs_h5_out_finish(out, st, err);
    }
    rs_h5_hush_end(hush);
    return st;
}
