#include "spm/session/kept.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

void *rs_session_keep(rs_session_block **list, size_t count, size_t size)
{
    /* Whole cache lines, so that what follows the link is aligned as well as any block. */
    const size_t head = 64;
    size_t bytes;
    if (!rs_mul(count, size, &bytes) || bytes > SIZE_MAX - head) return NULL;
    rs_session_block *b = rs_zalloc(head + bytes, 1);
    if (!b) return NULL;
    b->next = *list;
    *list = b;
    return (char *)b + head;
}

char *rs_session_keep_text(rs_session_block **list, const char *text)
{
    char *t = rs_session_keep(list, strlen(text) + 1, 1);
    return t ? strcpy(t, text) : NULL;
}

void rs_session_drop(rs_session_block *list)
{
    while (list) {
        rs_session_block *next = list->next;
        rs_free(list);
        list = next;
    }
}
