/* pickle.c reads a pickle without the power that it has in Python.
 *
 * A pickle is a program for a small stack machine. Python's machine may import any module and call
 * any function, which is why a pickle from a stranger must never be loaded there. Ours has the same
 * stack but no way to act: there are no calls, no imports, no attributes. It only ever builds
 * values of fourteen kinds (pickle_value.h):
 *
 *   bytes                      stack                        what happens
 *   }                          {}                           an empty dict is pushed
 *   X 05 00 00 00 m o d e l    {} "model"                   a string, borrowed from the input
 *   X 09 00 00 00 R e s ...    {} "model" "ResHedNet"
 *   s                          {"model": "ResHedNet"}       the pair moves into the dict
 *   c o s \n s y s t e m \n    {...} os.system              a name, kept as two strings
 *   X 02 00 00 00 l s          {...} os.system "ls"
 *   85                         {...} os.system ("ls",)
 *   R                          {...} <os.system("ls",)>     a note of the call, RS_PKL_OBJECT
 *   .                                                       the end: the value on top is the result
 *
 * GLOBAL pushes a name. REDUCE, NEWOBJ and NEWOBJ_EX (calls) push a note of what would have been
 * called with what; whoever reads the result may recognise some of these notes, as torch.c does for
 * torch._utils._rebuild_tensor_v2, and ignores the rest. Three calls are carried out, because they
 * merely spell containers: collections.OrderedDict, collections.defaultdict and dict give a dict.
 * BUILD (setting attributes) drops the state, so an optimizer object shrinks to its class name.
 *
 * A MARK '(' opens a group: operators such as TUPLE or SETITEMS take all that was pushed since the
 * last mark. marks[] holds the height of the stack at each open mark, and no operator may reach
 * below the innermost one.
 *
 * The memo gives earlier values again: BINPUT n names the top of the stack, BINGET n pushes it once
 * more. Values form a graph therefore, maybe with cycles (a list that holds itself). Nothing here
 * walks that graph: values live in an arena and are freed block by block, so neither cycles nor
 * nesting a million deep can loop, leak or overflow the C stack.
 *
 * Bounds. Every operator takes at least one byte of input, makes at most one value, and moves items
 * that other operators pushed or copies within the arena's budget, so work is linear in the input.
 * Lengths are compared with the bytes left before they are believed. Memo indices are below the
 * length of the input, since each PUT takes two bytes and picklers count from 0. The arena, whose
 * lists grow by doubling, has a budget per input byte that no well-formed pickle reaches. */
#include "io/weights/pickle.h"

#include <string.h>

#include "base/alloc.h"
#include "io/weights/pickle_machine.h"

/* -------------------------------------------------------------------------------- the operators */
/* Each takes its argument from the table below. */
typedef reshed_status (*operator_fn)(rs_pkl_machine *m, int arg);

static reshed_status op_proto(rs_pkl_machine *m, int arg)
{
    (void)arg;
    int version = rs_u8(&m->in);
    if (version > 5)
        return rs_fail(m->err, RESHED_EUNSUPPORTED, "pickle protocol|2 to 5|%d", version);
    return RESHED_OK;
}

/* A frame is a hint for readers that take the input in pieces. */
static reshed_status op_frame(rs_pkl_machine *m, int arg)
{
    (void)arg;
    uint64_t n = rs_u64(&m->in);
    if (!m->in.overrun && n > rs_cursor_left(&m->in)) return rs_pkm_bad(m, "frame beyond the end");
    return RESHED_OK;
}

static reshed_status op_stop(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (m->n != 1 || m->n_marks != 0) return rs_pkm_bad(m, "stops with an unfinished value");
    m->p->root = m->stack[0];
    m->stopped = true;
    return RESHED_OK;
}

static reshed_status op_constant(rs_pkl_machine *m, int arg)
{
    const rs_pickle *p = m->p;
    return rs_pkm_push(m, arg == RS_PKL_NONE ? &p->none : arg == RS_PKL_TUPLE ? &p->empty : NULL);
}

static reshed_status op_bool(rs_pkl_machine *m, int arg)
{
    return rs_pkm_push(m, arg ? &m->p->yes : &m->p->no);
}

static reshed_status push_int(rs_pkl_machine *m, int64_t i)
{
    rs_pkl *v = rs_pkm_make(m, RS_PKL_INT);
    if (v) v->u.i = i;
    return rs_pkm_push(m, v);
}

/* BININT is signed, the shorter ones are not. */
static reshed_status op_int(rs_pkl_machine *m, int bytes)
{
    uint64_t u = rs_take_uint(&m->in, bytes);
    return push_int(m, bytes == 4 ? (int32_t)(uint32_t)u : (int64_t)u);
}

/* LONG1, LONG4: two's complement of any length. */
static reshed_status op_long(rs_pkl_machine *m, int length_bytes)
{
    uint64_t n = rs_take_uint(&m->in, length_bytes);
    const uint8_t *s = rs_take(&m->in, (size_t)n);
    if (!s) return rs_pkm_ended(m);
    if (n > 8) {
        rs_pkl *v = rs_pkm_make(m, RS_PKL_BIGINT);
        if (!v) return rs_pkm_no_memory(m);
        v->u.text.s = s;
        v->u.text.n = (size_t)n;
        return rs_pkm_push(m, v);
    }
    uint64_t u = n > 0 && s[n - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = (size_t)n; i-- > 0;) u = u << 8 | s[i];
    int64_t i;
    memcpy(&i, &u, sizeof i);
    return push_int(m, i);
}

static reshed_status op_float(rs_pkl_machine *m, int arg)
{
    (void)arg;
    rs_pkl *v = rs_pkm_make(m, RS_PKL_FLOAT);
    if (!v) return rs_pkm_no_memory(m);
    m->in.big = true; /* the only big-endian number in a pickle */
    v->u.f = rs_f64(&m->in);
    m->in.big = false;
    return rs_pkm_push(m, v);
}

static rs_pkl *make_text(rs_pkl_machine *m, rs_pkl_kind kind, const uint8_t *s, size_t n)
{
    rs_pkl *v = rs_pkm_make(m, kind);
    if (!v) return NULL;
    v->u.text.s = s;
    v->u.text.n = n;
    return v;
}

static reshed_status counted(rs_pkl_machine *m, rs_pkl_kind kind, int length_bytes)
{
    uint64_t n = rs_take_uint(&m->in, length_bytes);
    const uint8_t *s = rs_take(&m->in, n > SIZE_MAX ? SIZE_MAX : (size_t)n);
    if (!s) return rs_pkm_ended(m);
    return rs_pkm_push(m, make_text(m, kind, s, (size_t)n));
}

static reshed_status op_str(rs_pkl_machine *m, int length_bytes)
{
    return counted(m, RS_PKL_STR, length_bytes);
}

static reshed_status op_bytes(rs_pkl_machine *m, int length_bytes)
{
    return counted(m, RS_PKL_BYTES, length_bytes);
}

/* ----------------------------------------------------------------------------------- containers */
static reshed_status op_empty(rs_pkl_machine *m, int kind)
{
    return rs_pkm_push(m, rs_pkm_make(m, (rs_pkl_kind)kind));
}

static reshed_status op_mark(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (m->n_marks == RS_PKL_MAX_MARKS) return rs_pkm_bad(m, "nested too deeply");
    m->marks[m->n_marks++] = m->n;
    return RESHED_OK;
}

static reshed_status op_pop(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 1)) return rs_pkm_bad(m, "nothing to drop");
    m->n--;
    return RESHED_OK;
}

static reshed_status op_pop_mark(rs_pkl_machine *m, int arg)
{
    (void)arg;
    size_t from = 0;
    reshed_status st = rs_pkm_close_group(m, &from);
    if (st == RESHED_OK) m->n = from;
    return st;
}

static reshed_status op_dup(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 1)) return rs_pkm_bad(m, "nothing to double");
    return rs_pkm_push(m, m->stack[m->n - 1]);
}

/* Replaces the values from index `from` on by one container of them. */
static reshed_status gather(rs_pkl_machine *m, rs_pkl_kind kind, size_t from)
{
    rs_pkl *v = rs_pkm_make(m, kind);
    if (!v) return rs_pkm_no_memory(m);
    if (kind == RS_PKL_DICT && (m->n - from) % 2) return rs_pkm_bad(m, "key without a value");
    reshed_status st = rs_pkm_append(m, v, m->stack + from, m->n - from);
    if (st != RESHED_OK) return st;
    m->n = from;
    return rs_pkm_push(m, v);
}

static reshed_status op_tuple_of(rs_pkl_machine *m, int k)
{
    if (!rs_pkm_has(m, (size_t)k)) return rs_pkm_bad(m, "too few values for a tuple");
    return gather(m, RS_PKL_TUPLE, m->n - (size_t)k);
}

static reshed_status op_group(rs_pkl_machine *m, int kind)
{
    size_t from = 0;
    reshed_status st = rs_pkm_close_group(m, &from);
    return st == RESHED_OK ? gather(m, (rs_pkl_kind)kind, from) : st;
}

/* Moves the values from index `from` on into the container of the given kind below them. An object
 * of unknown class may be a list or dict of its own making: it takes them and keeps none. */
static reshed_status pour(rs_pkl_machine *m, rs_pkl_kind kind, size_t from)
{
    size_t k = m->n - from;
    m->n = from;
    if (!rs_pkm_has(m, 1)) return rs_pkm_bad(m, "no container to fill");
    if (kind == RS_PKL_DICT && k % 2) return rs_pkm_bad(m, "key without a value");
    const rs_pkl *to = m->stack[from - 1];
    if (to->kind == RS_PKL_OBJECT) return RESHED_OK;
    if (to->kind != kind) return rs_pkm_bad(m, "fills a value of another kind");
    /* Lists, sets and dicts are made by rs_pkm_make alone, hence in the arena and writable. */
    return rs_pkm_append(m, (rs_pkl *)(uintptr_t)to, m->stack + from, k);
}

static reshed_status op_append(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 2)) return rs_pkm_bad(m, "too few values to append");
    return pour(m, RS_PKL_LIST, m->n - 1);
}

static reshed_status op_setitem(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 3)) return rs_pkm_bad(m, "too few values to set");
    return pour(m, RS_PKL_DICT, m->n - 2);
}

static reshed_status op_pour(rs_pkl_machine *m, int kind)
{
    size_t from = 0;
    reshed_status st = rs_pkm_close_group(m, &from);
    return st == RESHED_OK ? pour(m, (rs_pkl_kind)kind, from) : st;
}

/* ------------------------------------------------------------------------------------- the memo */
static reshed_status remember(rs_pkl_machine *m, uint64_t index)
{
    if (!rs_pkm_has(m, 1)) return rs_pkm_bad(m, "nothing to remember");
    if (index >= m->in.size) return rs_pkm_bad(m, "memo index out of range");
    size_t i = (size_t)index;
    if (i >= m->memo_room) {
        size_t more = i + 1 > 2 * m->memo_room ? i + 1 : 2 * m->memo_room;
        if (more < 64) more = 64;
        if (!rs_pkm_charge(m, more - m->memo_room)) return rs_pkm_no_memory(m);
        const rs_pkl **grown = rs_regrow(m->memo, m->memo_n, more, sizeof *grown);
        if (!grown) return rs_pkm_no_memory(m);
        m->memo = grown;
        m->memo_room = more;
    }
    while (m->memo_n <= i) m->memo[m->memo_n++] = NULL;
    if (!m->memo[i]) m->memo_puts++;
    m->memo[i] = m->stack[m->n - 1];
    return RESHED_OK;
}

static reshed_status op_put(rs_pkl_machine *m, int index_bytes)
{
    uint64_t i = rs_take_uint(&m->in, index_bytes);
    return m->in.overrun ? rs_pkm_ended(m) : remember(m, i);
}

/* MEMOIZE numbers the values itself: the next index is the count of those remembered. */
static reshed_status op_memoize(rs_pkl_machine *m, int arg)
{
    (void)arg;
    return remember(m, m->memo_puts);
}

static reshed_status op_get(rs_pkl_machine *m, int index_bytes)
{
    uint64_t i = rs_take_uint(&m->in, index_bytes);
    if (m->in.overrun) return rs_pkm_ended(m);
    if (i >= m->memo_n || !m->memo[i]) return rs_pkm_bad(m, "unknown memo index");
    return rs_pkm_push(m, m->memo[i]);
}

/* ------------------------------------------------------------------------------ names and calls */
static reshed_status push_global(rs_pkl_machine *m, const rs_pkl *module, const rs_pkl *name)
{
    rs_pkl *v = rs_pkm_make(m, RS_PKL_GLOBAL);
    if (!v) return rs_pkm_no_memory(m);
    v->u.global.module = module;
    v->u.global.name = name;
    return rs_pkm_push(m, v);
}

/* The bytes up to the next line feed as a string. */
static rs_pkl *take_line(rs_pkl_machine *m, reshed_status *st)
{
    const uint8_t *s = m->in.base + m->in.pos;
    size_t left = rs_cursor_left(&m->in);
    const uint8_t *end = left ? memchr(s, '\n', left) : NULL;
    if (!end) {
        rs_take(&m->in, left + 1);
        *st = rs_pkm_ended(m);
        return NULL;
    }
    rs_take(&m->in, (size_t)(end - s) + 1);
    rs_pkl *v = make_text(m, RS_PKL_STR, s, (size_t)(end - s));
    *st = v ? RESHED_OK : rs_pkm_no_memory(m);
    return v;
}

static reshed_status op_global(rs_pkl_machine *m, int arg)
{
    (void)arg;
    reshed_status st;
    rs_pkl *module = take_line(m, &st), *name = NULL;
    if (st == RESHED_OK) name = take_line(m, &st);
    return st == RESHED_OK ? push_global(m, module, name) : st;
}

static reshed_status op_stack_global(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 2)) return rs_pkm_bad(m, "too few values for a name");
    const rs_pkl *module = m->stack[m->n - 2], *name = m->stack[m->n - 1];
    if (module->kind != RS_PKL_STR || name->kind != RS_PKL_STR)
        return rs_pkm_bad(m, "a name that is no string");
    m->n -= 2;
    return push_global(m, module, name);
}

static bool spells_dict(const rs_pkl *of)
{
    return rs_pkl_is_global(of, "collections", "OrderedDict") ||
           rs_pkl_is_global(of, "collections", "defaultdict") ||
           rs_pkl_is_global(of, "builtins", "dict") || rs_pkl_is_global(of, "__builtin__", "dict");
}

/* OrderedDict([(k, v), ...]): how Python 2 spelled one that is not empty. */
static reshed_status fill_from_pairs(rs_pkl_machine *m, rs_pkl *dict, const rs_pkl *pairs)
{
    if (!pairs || (pairs->kind != RS_PKL_LIST && pairs->kind != RS_PKL_TUPLE)) return RESHED_OK;
    for (size_t i = 0; i < pairs->u.items.n; i++) {
        const rs_pkl *pair = pairs->u.items.at[i];
        if ((pair->kind != RS_PKL_TUPLE && pair->kind != RS_PKL_LIST) || pair->u.items.n != 2)
            return rs_pkm_bad(m, "dict made from something else than pairs");
        reshed_status st = rs_pkm_append(m, dict, pair->u.items.at, 2);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

/* REDUCE and NEWOBJ take a callable and its arguments, NEWOBJ_EX keyword arguments as well. */
static reshed_status op_call(rs_pkl_machine *m, int k)
{
    if (!rs_pkm_has(m, (size_t)k)) return rs_pkm_bad(m, "too few values for a call");
    const rs_pkl *of = m->stack[m->n - (size_t)k], *args = m->stack[m->n - (size_t)k + 1];
    bool dict = spells_dict(of);
    rs_pkl *v = rs_pkm_make(m, dict ? RS_PKL_DICT : RS_PKL_OBJECT);
    if (!v) return rs_pkm_no_memory(m);
    m->n -= (size_t)k;
    if (!dict) {
        v->u.call.of = of;
        v->u.call.args = args;
    } else if (!rs_pkl_is_global(of, "collections", "defaultdict")) {
        reshed_status st = fill_from_pairs(m, v, rs_pkl_item(args, 0));
        if (st != RESHED_OK) return st;
    }
    return rs_pkm_push(m, v);
}

static reshed_status op_build(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 2)) return rs_pkm_bad(m, "too few values to build");
    m->n--;
    return RESHED_OK;
}

static reshed_status op_persid(rs_pkl_machine *m, int arg)
{
    (void)arg;
    if (!rs_pkm_has(m, 1)) return rs_pkm_bad(m, "no persistent id");
    rs_pkl *v = rs_pkm_make(m, RS_PKL_PERSID);
    if (!v) return rs_pkm_no_memory(m);
    v->u.id = m->stack[--m->n];
    return rs_pkm_push(m, v);
}

static const struct {
    operator_fn run; /* NULL: not an operator of protocols 2 to 5 that we take */
    int arg;
} operators[256] = {
    [0x80] = {op_proto, 0},
    [0x95] = {op_frame, 0},
    ['.'] = {op_stop, 0},

    ['N'] = {op_constant, RS_PKL_NONE},
    [')'] = {op_constant, RS_PKL_TUPLE},
    [0x88] = {op_bool, 1},
    [0x89] = {op_bool, 0},
    ['K'] = {op_int, 1},
    ['M'] = {op_int, 2},
    ['J'] = {op_int, 4},
    [0x8a] = {op_long, 1},
    [0x8b] = {op_long, 4},
    ['G'] = {op_float, 0},

    [0x8c] = {op_str, 1},   /* SHORT_BINUNICODE */
    ['X'] = {op_str, 4},    /* BINUNICODE */
    [0x8d] = {op_str, 8},   /* BINUNICODE8 */
    ['U'] = {op_str, 1},    /* SHORT_BINSTRING: text of Python 2 */
    ['T'] = {op_str, 4},    /* BINSTRING */
    ['C'] = {op_bytes, 1},  /* SHORT_BINBYTES */
    ['B'] = {op_bytes, 4},  /* BINBYTES */
    [0x8e] = {op_bytes, 8}, /* BINBYTES8 */
    [0x96] = {op_bytes, 8}, /* BYTEARRAY8 */

    [']'] = {op_empty, RS_PKL_LIST},
    ['}'] = {op_empty, RS_PKL_DICT},
    [0x8f] = {op_empty, RS_PKL_SET},
    ['('] = {op_mark, 0},
    ['0'] = {op_pop, 0},
    ['1'] = {op_pop_mark, 0},
    ['2'] = {op_dup, 0},
    [0x85] = {op_tuple_of, 1},
    [0x86] = {op_tuple_of, 2},
    [0x87] = {op_tuple_of, 3},
    ['t'] = {op_group, RS_PKL_TUPLE},
    ['l'] = {op_group, RS_PKL_LIST},
    ['d'] = {op_group, RS_PKL_DICT},
    [0x91] = {op_group, RS_PKL_SET}, /* FROZENSET */
    ['a'] = {op_append, 0},
    ['s'] = {op_setitem, 0},
    ['e'] = {op_pour, RS_PKL_LIST}, /* APPENDS */
    ['u'] = {op_pour, RS_PKL_DICT}, /* SETITEMS */
    [0x90] = {op_pour, RS_PKL_SET}, /* ADDITEMS */

    ['q'] = {op_put, 1},
    ['r'] = {op_put, 4},
    [0x94] = {op_memoize, 0},
    ['h'] = {op_get, 1},
    ['j'] = {op_get, 4},

    ['c'] = {op_global, 0},
    [0x93] = {op_stack_global, 0},
    ['R'] = {op_call, 2},
    [0x81] = {op_call, 2}, /* NEWOBJ */
    [0x92] = {op_call, 3}, /* NEWOBJ_EX */
    ['b'] = {op_build, 0},
    ['Q'] = {op_persid, 0},
};

static reshed_status run(rs_pkl_machine *m)
{
    while (!m->stopped) {
        m->op_at = m->in.pos;
        int op = rs_u8(&m->in);
        if (m->in.overrun) return rs_pkm_ended(m);
        if (!operators[op].run)
            return rs_fail(m->err, RESHED_EUNSUPPORTED,
                           "pickle operator|one of protocols 2 to 5|0x%02x|byte %zu of the pickle",
                           (unsigned)op, m->op_at);
        reshed_status st = operators[op].run(m, operators[op].arg);
        if (st != RESHED_OK) return st;
        if (m->in.overrun) return rs_pkm_ended(m);
    }
    return RESHED_OK;
}

reshed_status rs_pickle_parse(const void *data, size_t len, size_t most, rs_pickle **out,
                              reshed_error *err)
{
    rs_pkl_machine m = {.in = rs_cursor_make(data, len, false), .err = err};
    reshed_status st;
    m.p = rs_zalloc(1, sizeof *m.p);
    m.marks = rs_alloc(RS_PKL_MAX_MARKS, sizeof *m.marks);
    if (!m.p || !m.marks) {
        st = rs_pkm_no_memory(&m);
        goto done;
    }
    m.p->budget = rs_pkm_budget(len);
    if (m.p->budget > most) m.p->budget = most;
    m.p->none.kind = RS_PKL_NONE;
    m.p->yes = (rs_pkl){.kind = RS_PKL_BOOL, .u.i = 1};
    m.p->no.kind = RS_PKL_BOOL;
    m.p->empty.kind = RS_PKL_TUPLE;
    st = run(&m);
    if (st == RESHED_OK) {
        *out = m.p;
        m.p = NULL;
    }
done:
    rs_free(m.stack);
    rs_free(m.memo);
    rs_free(m.marks);
    rs_pickle_free(m.p);
    return st;
}

void rs_pickle_free(rs_pickle *p)
{
    if (!p) return;
    rs_pkm_clear_arena(p);
    rs_free(p);
}

const rs_pkl *rs_pickle_root(const rs_pickle *p)
{
    return p->root;
}
