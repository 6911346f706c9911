/* peak.h - memory in proportion to the file: damaged files of a kind, each read in a child process whose peak
 * is looked at. */
#ifndef RS_TESTS_SUPPORT_PEAK_H
#define RS_TESTS_SUPPORT_PEAK_H

#include "support/support.h"

/* The bound: what a program may take that reads a file of n bytes, whatever the file says. */
#define PEAK_MOST(n) ((size_t)50000000 + 8 * (n))

/* Returns whether this process has stayed within the bound of a file of len bytes; true under sanitizers,
 * which take memory of their own. */
bool peak_is_small(size_t len);

/* Repairs what guards a file, so that the damage gets past it. */
typedef void (*peak_mender)(uint8_t *data, size_t len);

/* Reads 60, 400 or (check-long) 100,000 mutants of data[len], mended when mend is not NULL, and fails the test
 * when one takes too much or ends its process; hdf5: HDF5 alone is tried on what does. */
void peak_try_mutants(const char *name, test_reader read, peak_mender mend, const uint8_t *data,
                      size_t len, bool hdf5);
/* One file as it is: it must be refused with `expected`, unless that is RESHED_OK (read or refused). */
void peak_try_whole(const char *name, test_reader read, const void *data, size_t len,
                    reshed_status expected);
/* For run_forked: no library is to blame. */
bool peak_no_library(void *ctx, long i);

#endif
