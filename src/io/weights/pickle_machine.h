/* pickle_machine.h - the stack machine of pickle.c: its arena of values, its stack and its
 * marks. */
#ifndef RS_IO_WEIGHTS_PICKLE_MACHINE_H
#define RS_IO_WEIGHTS_PICKLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"
#include "base/status.h"
#include "io/weights/pickle_value.h"

/* Python's own pickler gives up at about a third of its recursion limit of 1000. */
#define RS_PKL_MAX_MARKS 4096

typedef union rs_pkl_block {
    struct {
        union rs_pkl_block *next;
        size_t used, size; /* of the bytes after this header */
    } head;
    max_align_t align;
} rs_pkl_block;

/* The values of a pickle. */
typedef struct rs_pickle {
    rs_pkl_block *blocks;
    size_t budget; /* bytes that may still be taken for blocks */
    bool spent;    /* a request went beyond it */
    const rs_pkl *root;
    rs_pkl none, yes, no, empty; /* shared by all who push them; empty is the tuple () */
} rs_pickle;

typedef struct rs_pkl_machine {
    rs_cursor in;
    rs_pickle *p;
    const rs_pkl **stack;
    size_t n, room;
    size_t *marks; /* [RS_PKL_MAX_MARKS] */
    size_t n_marks;
    const rs_pkl **memo; /* NULL where nothing was put */
    size_t memo_n, memo_room, memo_puts;
    size_t op_at; /* where the current operator stands */
    bool stopped;
    reshed_error *err;
} rs_pkl_machine;

/* Failures: what the current operator does wrong; the input has ended; memory is short, or the
 * arena's budget is spent. */
reshed_status rs_pkm_bad(rs_pkl_machine *m, const char *what);
reshed_status rs_pkm_ended(rs_pkl_machine *m);
reshed_status rs_pkm_no_memory(rs_pkl_machine *m);

/* A new value in the arena, zeroed but for its kind; NULL when memory is short. */
rs_pkl *rs_pkm_make(rs_pkl_machine *m, rs_pkl_kind kind);
/* Counts room for that many pointers, twice since they move when it grows, against the arena's budget;
 * false when it is spent. */
bool rs_pkm_charge(rs_pkl_machine *m, size_t slots);
/* v NULL: memory was short. */
reshed_status rs_pkm_push(rs_pkl_machine *m, const rs_pkl *v);
/* Returns whether k values stand above the innermost mark. */
bool rs_pkm_has(const rs_pkl_machine *m, size_t k);
/* Closes the innermost group: *from is the index of its first value. */
reshed_status rs_pkm_close_group(rs_pkl_machine *m, size_t *from);
/* Appends k values to a list, set or dict. */
reshed_status rs_pkm_append(rs_pkl_machine *m, rs_pkl *to, const rs_pkl *const *from, size_t k);
/* Frees the arena's blocks. */
void rs_pkm_clear_arena(rs_pickle *p);

/* Bytes that the arena may take for len bytes of input. */
size_t rs_pkm_budget(size_t len);

#endif
