/* nsid_sample.h - a small NSID dataset for the tests of its reader and writer. */
#ifndef RS_TESTS_SUPPORT_NSID_SAMPLE_H
#define RS_TESTS_SUPPORT_NSID_SAMPLE_H

#include "io/nsid/nsid.h"
#include "io/nsid/write.h"

/* A dataset of ndim axes of lengths 2, 2, 3, 2, 2; its data are shared by all samples. */
rs_nsid_data nsid_sample(int ndim, bool is_complex);
/* Writes a file with this dataset alone, or fails the test. */
void write_nsid(const char *path, const rs_nsid_data *d, rs_nsid_store store);
/* Opens a file or fails the test. */
rs_nsid_file *open_nsid(const char *path);

#endif
