/* memory.h - memory from the operating system, for rs_alloc (base/alloc.h). Apart from os.h,
 * whose functions use rs_alloc. */
#ifndef RS_BASE_OS_MEMORY_H
#define RS_BASE_OS_MEMORY_H

#include <stddef.h>

/* bytes is a multiple of 64 and > 0; 64-byte aligned, or NULL. Use rs_alloc instead. */
void *rs_os_alloc(size_t bytes);
void rs_os_free(void *p);
/* Gives freed memory back to the system, where the allocator would keep it for later. */
void rs_os_trim(void);

#endif
