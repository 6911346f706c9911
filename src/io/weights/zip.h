/* zip.h - reads members of a ZIP archive that lies in memory, and writes archives (a thin layer over
 * libzip).
 *
 * Sizes come from the central directory, so that local headers with zero sizes (data descriptors,
 * as torch writes them) and ZIP64 records are no special case. The archive is not trusted: each
 * member's size is known before anything is allocated for it, and the bytes that all reads together
 * may unpack are capped. */
#ifndef RS_IO_WEIGHTS_ZIP_H
#define RS_IO_WEIGHTS_ZIP_H

#include <stdint.h>

#include "base/status.h"

typedef struct rs_zip rs_zip;

/* Opens the archive data[len], which must outlive *out. budget: bytes that may be unpacked through
 * *out in total; a member that would pass it is RESHED_EUNSUPPORTED, so a small archive cannot
 * unfold into a huge one. Not an archive, or a broken one: RESHED_ECORRUPT. */
reshed_status rs_zip_open_mem(const void *data, size_t len, uint64_t budget, rs_zip **out,
                              reshed_error *err);
/* z may be NULL. */
void rs_zip_close(rs_zip *z);

/* Number of members, directories included. */
int64_t rs_zip_count(const rs_zip *z);
/* Name of member i in [0, count), borrowed until rs_zip_close; NULL when it cannot be
 * read. */
const char *rs_zip_name(const rs_zip *z, int64_t i);
/* Index of the member of that name (the first, if several), -1 when there is none. */
int64_t rs_zip_find(const rs_zip *z, const char *name);

/* Unpacked size of member i, as the central directory states it. */
reshed_status rs_zip_size(const rs_zip *z, int64_t i, uint64_t *size, reshed_error *err);

/* Unpacks member i into buf of exactly its size; a member that is shorter, longer or fails its
 * CRC-32 is RESHED_ECORRUPT (buf then holds rubbish), an encrypted one or one with an unknown
 * compression RESHED_EUNSUPPORTED. */
reshed_status rs_zip_read(rs_zip *z, int64_t i, void *buf, size_t size, reshed_error *err);

/* The same into a new block (rs_free) of size+1 bytes, the last of which is 0. A member above max
 * bytes is RESHED_EUNSUPPORTED. */
reshed_status rs_zip_read_new(rs_zip *z, int64_t i, uint64_t max, uint8_t **data, size_t *size,
                              reshed_error *err);

/* A member to write: data[n], borrowed. */
typedef struct rs_zip_part {
    const char *name;
    const void *data;
    size_t n;
} rs_zip_part;

/* Writes an archive of these members, in this order and uncompressed, to path, which holds the old or the
 * new content, never a part. Names must differ. Times are not recorded. */
reshed_status rs_zip_write(const char *path, const rs_zip_part *part, size_t parts,
                           reshed_error *err);

#endif
