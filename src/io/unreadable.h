/* unreadable.h - kinds of files that are known but not read: what they are, and the way out. */
#ifndef RS_IO_UNREADABLE_H
#define RS_IO_UNREADABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct rs_unreadable {
    const char *name;   /* "Omicron MATRIX" */
    const char *advice; /* "export ..." */
} rs_unreadable;

/* By the first n bytes of the file; NULL when they say nothing. */
const rs_unreadable *rs_unreadable_find(const uint8_t *head, size_t n);

#endif
