/* io_support.h - what the tests of the readers and writers share. */
#ifndef RS_TESTS_SUPPORT_IO_SUPPORT_H
#define RS_TESTS_SUPPORT_IO_SUPPORT_H

#include "base/image.h"
#include "io/png.h"
#include "support/support.h"

/* The test pattern: no two pixels equal, no symmetry, at most 127: 10*row + column + 1. */
#define PATTERN_H 4
#define PATTERN_W 6
int pattern_at(int row, int column);
/* An image of it (rs_image_clear): pixels 3 by 2 nm, centre at (1, -2) um, unit "V". */
void pattern_image(rs_image *im);
/* Fails the test unless im is the pattern times `factor`, exactly. */
void assert_pattern(const rs_image *im, double factor);

/* A PNG file of it (rs_free), grey or RGB; 16-bit counts are 257 times the 8-bit ones plus
 * `extra`. */
uint8_t *pattern_png(rs_png_kind kind, int extra, size_t *len);

/* Returns true for an image with sizes, a finite scale and texts that end. */
bool image_is_sane(const rs_image *im);

/* Fails the test unless err holds this status and says `part` in some field. */
void assert_error(reshed_status st, reshed_status expected, const reshed_error *err,
                  const char *part);

/* A growing block of bytes, for building files by hand. */
typedef struct file_bytes {
    uint8_t data[16384];
    size_t n;
} file_bytes;
void put_uint(file_bytes *b, uint64_t v, int size, bool big);
void put_double(file_bytes *b, double v, bool big);
void put_text(file_bytes *b, const char *s, size_t n); /* padded with zeros, or cut, to n bytes */

/* Runs check(ctx, i) for i in [0, n) in child processes, so that a crash or a hang (2 s of
 * processor time) inside a library ends one child and is counted. A case that ends its child is
 * tried again with `bare`, which must use the library alone: when that dies as well the fault is
 * the library's. */
typedef struct forked {
    long wrong;       /* check returned false */
    long ours;        /* check died, bare did not */
    long librarys;    /* both died */
    long first_wrong; /* the first case of `wrong` or `ours`, -1 when there is none */
    long passed;      /* counted by check through fork_count */
} forked;
forked run_forked(long n, bool (*check)(void *ctx, long i), bool (*bare)(void *ctx, long i),
                  void *ctx);
/* Inside check: adds one to `passed`. */
void fork_count(void);
/* Inside check: from now on no file of this process can grow beyond n bytes. */
void limit_file_size(long n);
/* Files in the folder of `path` whose name ends in `ending`. */
int files_beside(const char *path, const char *ending);

/* Damaged HDF5 files to try: as many as test_mutations says, but an eighth with the address
 * sanitizer. libhdf5 1.10 reads past its own buffers in about one damaged file of a thousand (its
 * attribute decoder), which only the sanitizer sees and the bare read does not always reach. */
long test_h5_mutations(void);

#endif
