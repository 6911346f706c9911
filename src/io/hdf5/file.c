#include "io/hdf5/file.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/library.h"

const uint8_t rs_h5_signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* -------------------------------------------------------------------------------------- reading */
static herr_t refuse_link(const char *parent_file, const char *parent_group, const char *child_file,
                          const char *child_object, unsigned *flags, hid_t fapl, void *ctx)
{
    (void)parent_file, (void)parent_group, (void)child_file, (void)child_object;
    (void)flags, (void)fapl, (void)ctx;
    return -1;
}

#define MAX_USER_BLOCK ((uint64_t)1 << 20)

/* The bytes themselves: a copy, or the open file. */
static reshed_status open_raw(rs_h5_file *f, const char *path, const uint8_t *bytes, size_t len,
                              reshed_error *err)
{
    uint8_t head[sizeof rs_h5_signature];
    if (path) {
        reshed_status st = rs_os_open(path, RS_OS_READ, &f->raw, &f->io.size, err);
        if (st != RESHED_OK) return st;
        f->io.file = f->raw;
    } else {
        if (!(f->bytes = rs_alloc(len, 1))) return rs_fail_nomem(err, "an HDF5 file", len);
        if (len) memcpy(f->bytes, bytes, len);
        f->io.bytes = f->bytes;
        f->io.size = len;
    }
    /* A block of another program may come first (MATLAB: 512 bytes), of a power of two. */
    for (uint64_t at = 0; at < f->io.size && at <= MAX_USER_BLOCK; at = at ? 2 * at : 512) {
        if (!rs_h5_io_read(&f->io, at, head, sizeof head) ||
            memcmp(head, rs_h5_signature, sizeof head) != 0)
            continue;
        f->io.size -= at;
        if (f->io.bytes)
            f->io.bytes += at;
        else
            f->io.base = at;
        return RESHED_OK;
    }
    return rs_fail(err, RESHED_ECORRUPT,
                   "not an HDF5 file|the HDF5 signature|other bytes|offset 0");
}

/* Fails with the reason why the library did not open a file: our driver's reason, else its own. */
static reshed_status open_failed(const rs_h5_io *io, const char *what, reshed_error *err)
{
    if (io->failed.status == RESHED_OK) return rs_h5_fail(err, RESHED_ECORRUPT, what, "");
    if (err) *err = io->failed;
    return io->failed.status;
}

/* Returns whether the file says that a program is writing it in SWMR mode; such a file opens with
 * SWMR_READ only. (With it the library reads a block with a wrong checksum again and again, hence
 * not always.) */
static bool is_swmr(rs_h5_file *f)
{
    uint8_t head[12]; /* superblock: 8 version (3 has the flags), 11 consistency flags */
    return rs_h5_io_read(&f->io, 0, head, sizeof head) && head[8] >= 3 && (head[11] & 4);
}

static reshed_status open_library(rs_h5_file *f, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    hid_t plist = rs_h5_io_plist(&f->io);
    f->access = H5Pcreate(H5P_LINK_ACCESS);
    if (plist < 0 || f->access < 0 || H5Pset_elink_cb(f->access, refuse_link, NULL) < 0) {
        st = rs_h5_fail(err, RESHED_EINTERNAL, "cannot set up the HDF5 library", "");
    } else {
        bool swmr = is_swmr(f);
        f->io.growing = swmr && f->io.file;
        if (swmr) H5Pset_metadata_read_attempts(plist, 20);
        f->id = H5Fopen("reshed", H5F_ACC_RDONLY | (swmr ? H5F_ACC_SWMR_READ : 0), plist);
        if (f->id < 0) st = open_failed(&f->io, "cannot open the HDF5 file", err);
    }
    rs_h5_close(plist);
    return st;
}

reshed_status rs_h5_open(const char *path, const uint8_t *bytes, size_t len, rs_h5_file **out,
                         reshed_error *err)
{
    rs_h5_file *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "an HDF5 file", sizeof *f);
    f->id = f->access = -1;
    reshed_status st = open_raw(f, path, bytes, len, err);
    if (st == RESHED_OK) st = open_library(f, err);
    if (st != RESHED_OK) {
        rs_h5_file_close(f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}

void rs_h5_file_close(rs_h5_file *f)
{
    if (!f) return;
    rs_h5_close(f->access);
    rs_h5_close(f->id);
    rs_os_close(f->raw);
    rs_free(f->bytes);
    rs_free(f);
}

reshed_status rs_h5_file_check(const rs_h5_file *f, reshed_status st, reshed_error *err)
{
    if (!f || f->io.failed.status == RESHED_OK) return st;
    if (err) *err = f->io.failed;
    return f->io.failed.status;
}

bool rs_h5_address_ok(const rs_h5_file *f, uint64_t address)
{
    return address < f->io.size;
}

hid_t rs_h5_object(const rs_h5_file *f, const char *path, bool dataset)
{
    H5L_info_t info;
    if (H5Lget_info(f->id, path, &info, f->access) >= 0 && info.type == H5L_TYPE_HARD &&
        !rs_h5_address_ok(f, info.u.address))
        return -1;
    hid_t id = H5Oopen(f->id, path, f->access);
    if (id >= 0 && dataset && H5Iget_type(id) != H5I_DATASET) {
        rs_h5_close(id);
        return -1;
    }
    return id;
}

/* -------------------------------------------------------------------------------------- writing */
static bool is_atomic(rs_h5_mode mode)
{
    return mode == RS_H5_ATOMIC || mode == RS_H5_ATOMIC_CHECKED;
}

/* H5Fcreate through the file access list `plist`. */
static hid_t create_file(const char *path, bool checked, hid_t plist)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE), id = -1;
    bool ok = create >= 0;
    if (ok && checked)
        ok = H5Pset_libver_bounds(plist, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
             H5Pset_obj_track_times(create, false) >= 0;
    if (ok) id = H5Fcreate(path, H5F_ACC_TRUNC, create, plist);
    rs_h5_close(create);
    return id;
}

static reshed_status open_out(rs_h5_out *o, const char *path, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    if (strlen(path) >= sizeof o->path)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof o->path - 1, strlen(path));
    strcpy(o->path, path);
    strcpy(o->temp, path);
    if (is_atomic(o->mode)) st = rs_os_temp_name(path, o->temp, sizeof o->temp, err);
    if (st == RESHED_OK)
        st = rs_os_open(o->temp, o->mode == RS_H5_APPEND ? RS_OS_UPDATE : RS_OS_CREATE, &o->io.file,
                        &o->io.size, err);
    if (st != RESHED_OK) return st;
    o->io.writable = true;
    hid_t plist = rs_h5_io_plist(&o->io);
    if (plist < 0)
        st = rs_h5_fail(err, RESHED_EINTERNAL, "cannot set up the HDF5 library", "");
    else if (o->mode == RS_H5_APPEND)
        o->id = H5Fopen(o->temp, H5F_ACC_RDWR, plist);
    else
        o->id = create_file(o->temp, o->mode == RS_H5_ATOMIC_CHECKED, plist);
    if (st == RESHED_OK && o->id < 0)
        st = open_failed(&o->io, "cannot open the HDF5 file for writing", err);
    rs_h5_close(plist);
    if (st != RESHED_OK && o->mode != RS_H5_APPEND) rs_os_discard_temp(o->temp);
    return st;
}

reshed_status rs_h5_out_open(const char *path, rs_h5_mode mode, rs_h5_out **out, reshed_error *err)
{
    rs_h5_out *o = rs_zalloc(1, sizeof *o);
    if (!o) return rs_fail_nomem(err, "an HDF5 writer", sizeof *o);
    o->id = -1;
    o->mode = mode;
    reshed_status st = open_out(o, path, err);
    if (st != RESHED_OK) {
        rs_os_close(o->io.file);
        rs_free(o);
        return st;
    }
    *out = o;
    return RESHED_OK;
}

reshed_status rs_h5_out_check(const rs_h5_out *o, reshed_error *err)
{
    if (o->io.failed.status != RESHED_OK && err) *err = o->io.failed;
    return o->io.failed.status;
}

reshed_status rs_h5_out_flush(rs_h5_out *o, reshed_error *err)
{
    if (H5Fflush(o->id, H5F_SCOPE_LOCAL) < 0)
        return rs_h5_fail(err, RESHED_EIO, "cannot write the HDF5 file", "");
    reshed_status st = rs_h5_out_check(o, err);
    return st == RESHED_OK ? rs_os_sync(o->io.file, err) : st;
}

reshed_status rs_h5_out_finish(rs_h5_out *o, reshed_status st, reshed_error *err)
{
    if (H5Fclose(o->id) < 0 && st == RESHED_OK)
        st = rs_h5_fail(err, RESHED_EIO, "cannot write the HDF5 file", "");
    if (st == RESHED_OK) st = rs_h5_out_check(o, err);
    if (st == RESHED_OK) st = rs_os_sync(o->io.file, err);
    rs_os_close(o->io.file);
    if (is_atomic(o->mode)) {
        if (st == RESHED_OK)
            st = rs_os_commit_temp(o->temp, o->path, err);
        else
            rs_os_discard_temp(o->temp);
    }
    rs_free(o);
    return st;
}
