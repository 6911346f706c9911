/* forked.h - hostile input for readers that stand on a library which may itself fault. */
#ifndef RS_TESTS_FORKED_H
#define RS_TESTS_FORKED_H

#include "support.h"

/* The library alone on the same bytes, reading all that a generic dump would. */
typedef void (*forked_bare)(const uint8_t *data, size_t len);

/* Like test_mutate and test_truncate, but in child processes: a crash, or a hang, ends one
 * child. The case is then tried with `bare`. When that dies too, the fault is the library's and is
 * counted in the line printed; otherwise it is ours and the test fails. Prefixes must all be
 * refused. */
void forked_mutate(const char *name, test_reader read, forked_bare bare, const uint8_t *data,
                   size_t len, long n);
void forked_truncate(const char *name, test_reader read, forked_bare bare, const uint8_t *data,
                     size_t len);

#endif
