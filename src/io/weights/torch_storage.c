#include "io/weights/torch_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"

static const rs_torch_type types[] = {
    {"FloatStorage", 4, RS_F32}, {"DoubleStorage", 8, RS_F64},   {"HalfStorage", 2, RS_F16},
    {"LongStorage", 8, RS_I64},  {"BFloat16Storage", 2, RS_F32}, {"IntStorage", 4, RS_I64},
    {"ShortStorage", 2, RS_I64}, {"CharStorage", 1, RS_I64},     {"ByteStorage", 1, RS_I64},
    {"BoolStorage", 1, RS_I64},
};

/* ------------------------------------------------------------------------------ the description */
static int len_of(const rs_pkl *s)
{
    return s->u.text.n < 95 ? (int)s->u.text.n : 95;
}
static const char *text_of(const rs_pkl *s)
{
    return (const char *)s->u.text.s;
}

static reshed_status bad(reshed_error *err, const rs_torch_view *v, const char *what,
                         const char *expected, const rs_pkl *found)
{
    char text[128];
    return rs_fail(err, RESHED_ECORRUPT, "%s|%s|%s|tensor %.*s of member %d", what, expected,
                   found ? rs_pkl_describe(found, text, sizeof text) : "", len_of(v->name),
                   text_of(v->name), v->member);
}

/* A non-negative integer that an int64_t holds. */
static bool take_count(const rs_pkl *v, uint64_t *out)
{
    if (!v || v->kind != RS_PKL_INT || v->u.i < 0) return false;
    *out = (uint64_t)v->u.i;
    return true;
}

static reshed_status parse_storage(const rs_pkl *storage, rs_torch_view *v, reshed_error *err)
{
    const rs_pkl *id = storage && storage->kind == RS_PKL_PERSID ? storage->u.id : NULL;
    const rs_pkl *class = rs_pkl_item(id, 1);
    if (!rs_pkl_is(rs_pkl_item(id, 0), "storage") || !class || class->kind != RS_PKL_GLOBAL)
        return bad(err, v, "storage of a tensor", "('storage', type, key, device, count)", storage);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (rs_pkl_is_global(class, "torch", types[i].name)) v->type = &types[i];
    if (!v->type) {
        char text[128];
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "type of a tensor|real or integer numbers|%s|tensor %.*s of member %d",
                       rs_pkl_describe(class, text, sizeof text), len_of(v->name), text_of(v->name),
                       v->member);
    }
    v->key = rs_pkl_item(id, 2);
    if (!v->key || v->key->kind != RS_PKL_STR || v->key->u.text.n > 64 ||
        memchr(text_of(v->key), 0, v->key->u.text.n))
        return bad(err, v, "key of a storage", "a short string", v->key);
    /* The bytes must be countable, too. */
    if (!take_count(rs_pkl_item(id, 4), &v->storage_count) || v->storage_count > INT64_MAX / 8)
        return bad(err, v, "size of a storage", "a count", rs_pkl_item(id, 4));
    return RESHED_OK;
}

/* Sizes and strides, and that offset + sum (size-1)*stride, the last element, is in the storage. */
static reshed_status parse_shape(const rs_pkl *size, const rs_pkl *stride, rs_torch_view *v,
                                 reshed_error *err)
{
    if (!size || size->kind != RS_PKL_TUPLE) return bad(err, v, "shape", "a tuple", size);
    if (!stride || stride->kind != RS_PKL_TUPLE || stride->u.items.n != size->u.items.n)
        return bad(err, v, "strides", "a tuple as long as the shape", stride);
    if (size->u.items.n > RS_TENSOR_MAX_DIMS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "dimensions|at most %d|%zu|tensor %.*s",
                       RS_TENSOR_MAX_DIMS, size->u.items.n, len_of(v->name), text_of(v->name));
    v->ndim = (int)size->u.items.n;
    v->count = 1;
    uint64_t last = v->offset, limit = v->storage_count;
    if (last >= limit) return bad(err, v, "offset of a tensor lies beyond its storage", "", NULL);
    for (int k = 0; k < v->ndim; k++) {
        uint64_t d, s;
        if (!take_count(size->u.items.at[k], &d) || d == 0)
            return bad(err, v, "shape", "sizes of 1 or more", size->u.items.at[k]);
        if (!take_count(stride->u.items.at[k], &s))
            return bad(err, v, "stride", "0 or more", stride->u.items.at[k]);
        if (d > (uint64_t)(INT64_MAX / 8) / v->count)
            return bad(err, v, "shape", "a countable number of elements", size->u.items.at[k]);
        if (s != 0 && d - 1 > (limit - 1 - last) / s)
            return bad(err, v, "tensor reaches beyond its storage", "", NULL);
        last += (d - 1) * s;
        v->count *= d;
        v->dims[k] = (int64_t)d;
        v->strides[k] = (int64_t)s;
    }
    return RESHED_OK;
}

reshed_status rs_torch_view_parse(const rs_pkl *value, const rs_pkl *name, int member,
                                  rs_torch_view *out, reshed_error *err)
{
    rs_torch_view v = {.name = name, .member = member};
    const rs_pkl *of = value && value->kind == RS_PKL_OBJECT ? value->u.call.of : NULL;
    const rs_pkl *call = value;
    if (rs_pkl_is_global(of, "torch._utils", "_rebuild_parameter") ||
        rs_pkl_is_global(of, "torch._utils", "_rebuild_parameter_with_state")) {
        call = rs_pkl_item(value->u.call.args, 0);
        of = call && call->kind == RS_PKL_OBJECT ? call->u.call.of : NULL;
    }
    if (!rs_pkl_is_global(of, "torch._utils", "_rebuild_tensor_v2") &&
        !rs_pkl_is_global(of, "torch._utils", "_rebuild_tensor"))
        return bad(err, &v, "entry of a state_dict", "a tensor", call);
    const rs_pkl *args = call->u.call.args;
    reshed_status st = parse_storage(rs_pkl_item(args, 0), &v, err);
    if (st != RESHED_OK) return st;
    if (!take_count(rs_pkl_item(args, 1), &v.offset))
        return bad(err, &v, "offset of a tensor", "a count", rs_pkl_item(args, 1));
    st = parse_shape(rs_pkl_item(args, 2), rs_pkl_item(args, 3), &v, err);
    if (st == RESHED_OK) *out = v;
    return st;
}

/* --------------------------------------------------------------------------------- the elements */
static bool machine_is_big(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static uint64_t load(const uint8_t *p, int size, bool big)
{
    uint64_t u = 0;
    for (int i = 0; i < size; i++) u |= (uint64_t)p[big ? size - 1 - i : i] << (8 * i);
    return u;
}

/* Two's complement of `size` bytes as an int64_t. */
static int64_t sign_extend(uint64_t u, int size)
{
    if (size < 8 && u >> (8 * size - 1) & 1) u |= UINT64_MAX << (8 * size);
    int64_t i;
    memcpy(&i, &u, sizeof i);
    return i;
}

/* Element i of a tensor's data from the bytes at p. */
static void convert(const rs_torch_type *type, const uint8_t *p, bool big, void *data, size_t i)
{
    uint64_t u = load(p, type->size, big);
    switch (type->to) {
    case RS_F16: ((uint16_t *)data)[i] = (uint16_t)u; break;
    case RS_F32: /* a bfloat16 is the upper half of a float */
        u = type->size == 2 ? u << 16 : u;
        ((uint32_t *)data)[i] = (uint32_t)u;
        break;
    case RS_F64: ((uint64_t *)data)[i] = u; break;
    case RS_I64:
        if (strcmp(type->name, "ByteStorage") != 0 && strcmp(type->name, "BoolStorage") != 0)
            ((int64_t *)data)[i] = sign_extend(u, type->size);
        else
            ((int64_t *)data)[i] = (int64_t)u;
    }
}

/* Walks the view in row-major order. */
static void gather(const rs_torch_view *v, const uint8_t *storage, bool big, void *data)
{
    int64_t at[RS_TENSOR_MAX_DIMS] = {0};
    uint64_t e = v->offset;
    for (size_t i = 0; i < v->count; i++) {
        convert(v->type, storage + e * (size_t)v->type->size, big, data, i);
        for (int k = v->ndim - 1; k >= 0; k--) {
            if (++at[k] < v->dims[k]) {
                e += (uint64_t)v->strides[k];
                break;
            }
            e -= (uint64_t)(at[k] - 1) * (uint64_t)v->strides[k];
            at[k] = 0;
        }
    }
}

/* Returns whether the bytes of the storage are the bytes of the tensor. */
static bool is_plain(const rs_torch_view *v, bool big)
{
    int64_t stride = 1;
    if (big != machine_is_big() || (size_t)v->type->size != rs_dtype_size(v->type->to) ||
        v->count != v->storage_count)
        return false;
    for (int k = v->ndim - 1; k >= 0; k--) {
        if (v->dims[k] > 1 && v->strides[k] != stride) return false;
        stride *= v->dims[k];
    }
    return true; /* as many elements as the storage has, so the offset is 0 */
}

/* --------------------------------------------------------------------------------- the storages */
typedef struct storage {
    int uses;      /* views still to be read */
    uint8_t *data; /* NULL until a view needs it */
} storage;

typedef struct keyed {
    const rs_pkl *key;
    size_t view;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    size_t n = x->key->u.text.n, m = y->key->u.text.n;
    if (n != m) return n < m ? -1 : 1;
    return n ? memcmp(x->key->u.text.s, y->key->u.text.s, n) : 0;
}

/* owner[view] = index of its storage; stores[index].uses counts its views. */
static reshed_status find_shared(const rs_torch_view *views, size_t n, storage *stores,
                                 size_t *owner, reshed_error *err)
{
    keyed *order = rs_alloc(n, sizeof *order);
    size_t k = 0;
    if (!order) return rs_fail_nomem(err, "the storages of a torch file", n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = (keyed){views[i].key, i};
    qsort(order, n, sizeof *order, by_key);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && by_key(&order[i - 1], &order[i]) != 0) k++;
        owner[order[i].view] = k;
        stores[k].uses++;
    }
    rs_free(order);
    return RESHED_OK;
}

static reshed_status find_member(rs_zip *zip, const char *prefix, const rs_torch_view *v,
                                 int64_t *index, reshed_error *err)
{
    char path[256];
    uint64_t bytes;
    snprintf(path, sizeof path, "%.128s/data/%.*s", prefix, len_of(v->key), text_of(v->key));
    *index = rs_zip_find(zip, path);
    if (*index < 0)
        return rs_fail(err, RESHED_ECORRUPT, "no storage %s|||tensor %.*s of member %d", path,
                       len_of(v->name), text_of(v->name), v->member);
    reshed_status st = rs_zip_size(zip, *index, &bytes, err);
    if (st == RESHED_OK && bytes != v->storage_count * (uint64_t)v->type->size)
        st = rs_fail(err, RESHED_ECORRUPT,
                     "size of storage %s|%llu bytes|%llu bytes|tensor %.*s of member %d", path,
                     (unsigned long long)(v->storage_count * (uint64_t)v->type->size),
                     (unsigned long long)bytes, len_of(v->name), text_of(v->name), v->member);
    return st;
}

static reshed_status load_view(rs_zip *zip, const char *prefix, bool big, const rs_torch_view *v,
                               storage *s, rs_tensors *set, reshed_error *err)
{
    int64_t index = -1;
    char name[sizeof((rs_tensor *)0)->name];
    size_t bytes = 0;
    const size_t length = v->name->u.text.n - v->skip;
    if (length >= sizeof name || memchr(text_of(v->name), 0, v->name->u.text.n))
        return bad(err, v, "name of a tensor", "at most 95 characters", v->name);
    snprintf(name, sizeof name, "%.*s", (int)length, text_of(v->name) + v->skip);
    reshed_status st = find_member(zip, prefix, v, &index, err);
    if (st != RESHED_OK) return st;
    rs_tensor *t = rs_tensors_add(&set[v->member], name, v->type->to, v->ndim, v->dims);
    if (!t) return rs_fail_nomem(err, name, (size_t)v->count * rs_dtype_size(v->type->to));
    if (s->uses == 1 && !s->data && is_plain(v, big))
        return rs_zip_read(zip, index, t->data, t->count * (size_t)v->type->size, err);
    if (!s->data) {
        st = rs_zip_read_new(zip, index, UINT64_MAX, &s->data, &bytes, err);
        if (st != RESHED_OK) return st;
    }
    gather(v, s->data, big, t->data);
    return RESHED_OK;
}

reshed_status rs_torch_load_views(rs_zip *zip, const char *prefix, bool big,
                                  const rs_torch_view *views, size_t n, rs_tensors *set,
                                  reshed_error *err)
{
    reshed_status st = RESHED_OK;
    storage *stores = rs_zalloc(n, sizeof *stores);
    size_t *owner = rs_alloc(n, sizeof *owner);
    if (!stores || !owner)
        st = rs_fail_nomem(err, "the storages of a torch file", n * sizeof *stores);
    else
        st = find_shared(views, n, stores, owner, err);
    for (size_t i = 0; i < n && st == RESHED_OK; i++) {
        storage *s = &stores[owner[i]];
        st = load_view(zip, prefix, big, &views[i], s, set, err);
        if (--s->uses == 0) {
            rs_free(s->data);
            s->data = NULL;
        }
    }
    for (size_t i = 0; stores && i < n; i++) rs_free(stores[i].data);
    rs_free(stores);
    rs_free(owner);
    return st;
}
