#include "io/hdf5/driver.h"

#include <string.h>

/* The header of the driver interface since HDF5 1.13. */
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include "base/alloc.h"

/* The largest read that may go beyond the end of a file that is only read. */
#define UNWRITTEN_MOST ((size_t)1 << 20)

/* An open file: what the library knows of it, and what we do. */
typedef struct driver_file {
    H5FD_t public; /* first: the library's handle is a pointer to it */
    rs_h5_io *io;
    haddr_t end_of_use; /* end of what the library has allocated ("EOA") */
} driver_file;

/* The entry of the property list. */
typedef struct driver_info {
    rs_h5_io *io;
} driver_info;

bool rs_h5_io_read(rs_h5_io *io, uint64_t offset, void *buf, size_t n)
{
    if (offset > io->size || n > io->size - offset) return false;
    if (io->journal) return rs_journal_read(io->journal, offset, buf, n);
    if (!io->bytes) {
        if (rs_os_read_at(io->file, io->base + offset, buf, n) == n) return true;
        if (!io->writable && !io->growing)
            rs_fail(&io->failed, RESHED_EIO, "cannot read the file|%zu bytes|fewer|offset %llu", n,
                    (unsigned long long)offset);
        return false;
    }
    if (n) memcpy(buf, io->bytes + offset, n);
    return true;
}

static H5FD_t *on_open(const char *name, unsigned flags, hid_t fapl, haddr_t max)
{
    (void)name, (void)max;
    const driver_info *info = H5Pget_driver_info(fapl);
    if (!info || ((flags & H5F_ACC_RDWR) && !info->io->writable)) return NULL;
    driver_file *f = rs_zalloc(1, sizeof *f);
    if (!f) {
        rs_fail_nomem(&info->io->failed, "an open HDF5 file", sizeof *f);
        return NULL;
    }
    f->io = info->io;
    return &f->public;
}

static herr_t on_close(H5FD_t *file)
{
    rs_free(file);
    return 0;
}

static int on_compare(const H5FD_t *a, const H5FD_t *b)
{
    uintptr_t x = (uintptr_t)((const driver_file *)a)->io,
              y = (uintptr_t)((const driver_file *)b)->io;
    return (x > y) - (x < y);
}

/* Without the library's accumulator of metadata, which does not check addresses. The superblock
 * says nothing of the driver, so any other can open the file. */
static herr_t on_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t on_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)file)->end_of_use;
}

static herr_t on_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((driver_file *)file)->end_of_use = end;
    return 0;
}

static haddr_t on_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)file)->io->size;
}

static uint64_t number(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Returns whether the free list of a local heap ends: the library follows one that goes round for ever,
 * and takes memory at each step. head: "HEAP", version, 3 bytes, size of the data, first free block (1:
 * none), address of the data; a free block begins with the next one and its size. Of files with 8-byte
 * numbers alone, which all are that anybody has. */
static bool heap_ends(rs_h5_io *io, const uint8_t head[32])
{
    uint8_t start[16], block[16];
    if (!rs_h5_io_read(io, 0, start, sizeof start)) return true;
    const int at = start[8] < 2 ? 13 : 9;
    if (start[at] != 8 || start[at + 1] != 8) return true;
    const uint64_t size = number(head + 8), data = number(head + 24);
    uint64_t next = number(head + 16);
    for (uint64_t steps = 0; next != 1; steps++) {
        if (steps > io->size / sizeof block || next >= size || data > UINT64_MAX - next ||
            !rs_h5_io_read(io, data + next, block, sizeof block))
            return false;
        next = number(block);
    }
    return true;
}

static herr_t on_read(H5FD_t *file, H5FD_mem_t type, hid_t plist, haddr_t at, size_t n, void *buf)
{
    (void)plist;
    const driver_file *f = (const driver_file *)file;
    /* A dataset that could not be read is passed over as if it were not there: no half of a file. */
    if (!f->io->writable && !f->io->growing && f->io->failed.status != RESHED_OK) return -1;
    if (f->io->growing && (at > f->io->size || n > f->io->size - at))
        f->io->size = rs_os_size(f->io->file);
    uint64_t end = f->end_of_use > f->io->size ? f->end_of_use : f->io->size;
    if (at > end || n > end - at) return -1;
    /* Space that was allocated but never written reads as zeros. A file that is only read has little
     * of it, at its end while another program writes; a damaged one claims gigabytes. */
    if (!f->io->writable && end > f->io->size && (at > f->io->size || n > f->io->size - at) &&
        n > UNWRITTEN_MOST)
        return -1;
    size_t have = at >= f->io->size ? 0 : n < f->io->size - at ? n : (size_t)(f->io->size - at);
    memset((char *)buf + have, 0, n - have);
    if (have > 0 && !rs_h5_io_read(f->io, at, buf, have)) return -1;
    return type == H5FD_MEM_LHEAP && !f->io->writable && have >= 32 &&
                   memcmp(buf, "HEAP", 4) == 0 && !heap_ends(f->io, buf)
               ? -1
               : 0;
}

static herr_t on_write(H5FD_t *file, H5FD_mem_t type, hid_t plist, haddr_t at, size_t n,
                       const void *buf)
{
    (void)type, (void)plist;
    rs_h5_io *io = ((driver_file *)file)->io;
    if (!io->writable) return -1;
    if (io->journal) {
        if (!rs_journal_write(io->journal, at, buf, n))
            rs_fail_nomem(&io->failed, "a change of the file", n);
    } else if (io->failed.status == RESHED_OK) {
        rs_os_write_at(io->file, at, buf, n, &io->failed);
    }
    if (at + n > io->size) io->size = at + n;
    return 0;
}

/* The file on the disk ends where the library thinks it does. */
static herr_t on_truncate(H5FD_t *file, hid_t plist, hbool_t closing)
{
    (void)plist, (void)closing;
    driver_file *f = (driver_file *)file;
    rs_h5_io *io = f->io;
    if (!io->writable || io->size == f->end_of_use) return 0;
    if (io->journal) {
        if (!rs_journal_resize(io->journal, f->end_of_use))
            rs_fail_nomem(&io->failed, "a change of the file", 0);
    } else if (io->failed.status == RESHED_OK) {
        rs_os_resize(io->file, f->end_of_use, &io->failed);
    }
    io->size = f->end_of_use;
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
#endif
#if H5_VERSION_GE(1, 13, 0)
    .value = (H5FD_class_value_t)600, /* from the range that is free for applications */
#endif
    .name = "reshed",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = on_open,
    .close = on_close,
    .cmp = on_compare,
    .query = on_query,
    .get_eoa = on_get_eoa,
    .set_eoa = on_set_eoa,
    .get_eof = on_get_eof,
    .read = on_read,
    .write = on_write,
    .truncate = on_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* rs_os_open has locked the file already. The library marks a file as being written, and minds such
 * marks, only when its driver can lock. */
static herr_t on_lock(H5FD_t *file, hbool_t writing)
{
    (void)file, (void)writing;
    return 0;
}

static herr_t on_unlock(H5FD_t *file)
{
    (void)file;
    return 0;
}

hid_t rs_h5_io_plist(rs_h5_io *io)
{
    driver_info info = {io};
    H5FD_class_t class = driver;
    if (io->journal) {
        class.lock = on_lock;
        class.unlock = on_unlock;
    }
    hid_t plist = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&class);
    bool ok = plist >= 0 && id >= 0 && H5Pset_driver(plist, id, &info) >= 0;
    if (id >= 0) H5FDunregister(id); /* the list keeps its own hold on it */
    if (ok) return plist;
    if (plist >= 0) H5Pclose(plist);
    return -1;
}
