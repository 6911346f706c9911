/* h5_damage.h - readers of HDF5 files on damaged ones, in child processes: the library leaks, and now
 * and then faults, on such files. */
#ifndef RS_TESTS_SUPPORT_H5_DAMAGE_H
#define RS_TESTS_SUPPORT_H5_DAMAGE_H

#include "support/support.h"

/* n seeded mutants of data[len]: each must be read, or fail with a status and a text. The reader
 * gives RESHED_EINTERNAL for a success that is no sane object; it must not use asserts, which would
 * go on in the child. A child that dies is no failure when the library alone dies on the file, too.
 * The count is printed as "# WHAT: ...". */
void h5_survives_mutation(const char *what, test_reader read, const uint8_t *data, size_t len,
                          long n);
/* The same for data cut at every length below len, where every reading must fail. */
void h5_survives_cutting(const char *what, test_reader read, const uint8_t *data, size_t len);

#endif
