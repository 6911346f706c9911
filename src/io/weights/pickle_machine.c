#include "io/weights/pickle_machine.h"

#include <string.h>

#include "base/alloc.h"

/* The costliest operator, EMPTY_LIST, makes a value of 32 bytes from one byte, and up to 4 slots of 8
 * bytes of the stack, which doubles; appending one item takes two bytes and as many slots. */
#define ARENA_PER_BYTE 96u
#define ARENA_BASE ((size_t)64 << 10)
#define BLOCK_BYTES ((size_t)16 << 10)

static void *take(rs_pickle *p, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    rs_pkl_block *b = p->blocks;
    if (!b || bytes > b->head.size - b->head.used) {
        size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        if (size > p->budget) {
            p->spent = true;
            return NULL;
        }
        b = rs_alloc(1, sizeof *b + size);
        if (!b) return NULL;
        p->budget -= size;
        b->head.used = 0;
        b->head.size = size;
        b->head.next = p->blocks;
        p->blocks = b;
    }
    uint8_t *at = (uint8_t *)(b + 1) + b->head.used;
    b->head.used += bytes;
    return at;
}

reshed_status rs_pkm_bad(rs_pkl_machine *m, const char *what)
{
    return rs_fail(m->err, RESHED_ECORRUPT, "pickle: %s|||byte %zu of the pickle", what, m->op_at);
}

reshed_status rs_pkm_ended(rs_pkl_machine *m)
{
    return rs_fail(m->err, RESHED_ECORRUPT, "pickle ends too early|%zu bytes or more|%zu bytes",
                   m->in.need_at, m->in.size);
}

reshed_status rs_pkm_no_memory(rs_pkl_machine *m)
{
    if (m->p && m->p->spent) return rs_pkm_bad(m, "unfolds beyond what its size allows");
    return rs_fail_nomem(m->err, "a pickle", m->in.size);
}

rs_pkl *rs_pkm_make(rs_pkl_machine *m, rs_pkl_kind kind)
{
    rs_pkl *v = take(m->p, sizeof *v);
    if (!v) return NULL;
    memset(v, 0, sizeof *v);
    v->kind = kind;
    return v;
}

bool rs_pkm_charge(rs_pkl_machine *m, size_t slots)
{
    const size_t bytes = 2 * slots * sizeof *m->stack;
    if (bytes > m->p->budget) {
        m->p->spent = true;
        return false;
    }
    m->p->budget -= bytes;
    return true;
}

reshed_status rs_pkm_push(rs_pkl_machine *m, const rs_pkl *v)
{
    if (!v) return rs_pkm_no_memory(m);
    if (m->n == m->room) {
        size_t more = m->room ? 2 * m->room : 256;
        if (!rs_pkm_charge(m, more - m->room)) return rs_pkm_no_memory(m);
        const rs_pkl **grown = rs_regrow(m->stack, m->n, more, sizeof *grown);
        if (!grown) return rs_pkm_no_memory(m);
        m->stack = grown;
        m->room = more;
    }
    m->stack[m->n++] = v;
    return RESHED_OK;
}

bool rs_pkm_has(const rs_pkl_machine *m, size_t k)
{
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    return m->n - floor >= k;
}

reshed_status rs_pkm_close_group(rs_pkl_machine *m, size_t *from)
{
    if (m->n_marks == 0) return rs_pkm_bad(m, "no open mark");
    *from = m->marks[--m->n_marks];
    return RESHED_OK;
}

reshed_status rs_pkm_append(rs_pkl_machine *m, rs_pkl *to, const rs_pkl *const *from, size_t k)
{
    size_t n = to->u.items.n, room = to->u.items.room;
    if (k > room - n) {
        size_t more = n + k > 2 * room ? n + k : 2 * room;
        const rs_pkl **grown = take(m->p, more * sizeof *grown);
        if (!grown) return rs_pkm_no_memory(m);
        if (n) memcpy(grown, to->u.items.at, n * sizeof *grown);
        to->u.items.at = grown;
        to->u.items.room = more;
    }
    if (k) memcpy(to->u.items.at + n, from, k * sizeof *from);
    to->u.items.n = n + k;
    return RESHED_OK;
}

void rs_pkm_clear_arena(rs_pickle *p)
{
    while (p->blocks) {
        rs_pkl_block *b = p->blocks;
        p->blocks = b->head.next;
        rs_free(b);
    }
}

size_t rs_pkm_budget(size_t len)
{
    size_t most = (SIZE_MAX - ARENA_BASE) / ARENA_PER_BYTE;
    return ARENA_BASE + ARENA_PER_BYTE * (len < most ? len : most);
}
