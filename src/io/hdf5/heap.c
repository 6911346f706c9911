#include "io/hdf5/heap.h"

#include <string.h>

#include "base/cursor.h"
#include "io/hdf5/library.h"

/* Bytes of a reference in files with 8-byte addresses, which all of ours have. */
#define REFERENCE 16

/* The library would turn references into pointers while it reads. A conversion to an opaque type of
 * the same size, that leaves the bytes alone, makes it hand them out instead. */
static herr_t keep_bytes(hid_t from, hid_t to, H5T_cdata_t *cdata, size_t n, size_t stride,
                         size_t bkg_stride, void *buf, void *bkg, hid_t plist)
{
    (void)from, (void)n, (void)stride, (void)bkg_stride, (void)buf, (void)bkg, (void)plist;
    if (cdata->command == H5T_CONV_INIT) {
        cdata->need_bkg = H5T_BKG_NO;
        return H5Tget_size(to) == REFERENCE ? 0 : -1;
    }
    return 0;
}

bool rs_h5_vlen_read(hid_t attr, int n, rs_h5_vlen *refs)
{
    uint8_t raw[H5S_MAX_RANK * REFERENCE];
    hid_t bytes = H5Tcreate(H5T_OPAQUE, REFERENCE), list = H5Tvlen_create(H5T_NATIVE_UCHAR);
    bool registered = bytes >= 0 && list >= 0 && n >= 1 && n <= H5S_MAX_RANK &&
                      H5Tregister(H5T_PERS_SOFT, "reshed raw", list, bytes, keep_bytes) >= 0;
    bool ok = registered && H5Aread(attr, bytes, raw) >= 0;
    if (registered) H5Tunregister(H5T_PERS_SOFT, "reshed raw", list, bytes, keep_bytes);
    rs_h5_close(list);
    rs_h5_close(bytes);
    if (!ok) return false;
    rs_cursor c = rs_cursor_make(raw, (size_t)n * REFERENCE, false);
    for (int i = 0; i < n; i++) {
        refs[i].length = rs_u32(&c);
        refs[i].collection = rs_u64(&c);
        refs[i].index = rs_u32(&c);
    }
    return true;
}

/* n bytes of the file at offset. A file on disk is read in larger pieces: the texts of a file stand
 * close together. */
static bool take(rs_h5_file *f, uint64_t offset, void *buf, size_t n)
{
    if (f->io.bytes || n > sizeof f->cache) return rs_h5_io_read(&f->io, offset, buf, n);
    if (offset < f->cache_at || n > f->cache_n || offset - f->cache_at > f->cache_n - n) {
        if (offset >= f->io.size) return false;
        uint64_t left = f->io.size - offset;
        f->cache_at = offset;
        f->cache_n = left < sizeof f->cache ? (size_t)left : sizeof f->cache;
        if (!rs_h5_io_read(&f->io, offset, f->cache, f->cache_n)) f->cache_n = 0;
        if (f->cache_n < n) return false;
    }
    memcpy(buf, f->cache + (offset - f->cache_at), n);
    return true;
}

bool rs_h5_heap_read(rs_h5_file *f, const rs_h5_vlen *ref, size_t element, void *buf, size_t room,
                     size_t *n)
{
    uint8_t head[16];
    uint64_t want = (uint64_t)ref->length * element;
    if (ref->length == 0) {
        *n = 0;
        return true;
    }
    if (!take(f, ref->collection, head, sizeof head) || memcmp(head, "GCOL\x01", 5) != 0)
        return false;
    rs_cursor c = rs_cursor_make(head + 8, 8, false);
    uint64_t left = rs_u64(&c), at = ref->collection;
    if (left < sizeof head || left > f->io.size - at) return false;
    /* Each step goes forward by 16 bytes or more, so the walk ends with the collection. */
    for (at += sizeof head, left -= sizeof head; left >= sizeof head;) {
        if (!take(f, at, head, sizeof head)) return false;
        c = rs_cursor_make(head, sizeof head, false);
        unsigned index = rs_u16(&c);
        rs_seek(&c, 8);
        uint64_t size = rs_u64(&c);
        if (index == 0) return false; /* the free space at the end */
        if (size > left - sizeof head) return false;
        if (index == ref->index) {
            if (want > size) return false;
            *n = want < room ? (size_t)want : room;
            return take(f, at + sizeof head, buf, *n);
        }
        uint64_t step = sizeof head + (size + 7) / 8 * 8;
        if (step > left) return false;
        at += step;
        left -= step;
    }
    return false;
}
