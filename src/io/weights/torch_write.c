/* What torch.save writes of
 *
 *     {"model_type": "seg", "model": "ResHedNet", "nb_classes": 1, "batch_norm": True, "dropout": None,
 *      "upsampling": "bilinear", "nb_filters": 16, "layers": [3, 4, 5], "optimizer": None,
 *      "weights": {0: OrderedDict(name=tensor, ...), 1: ...}}
 *
 * is a pickle of protocol 2 in which each tensor calls torch._utils._rebuild_tensor_v2 on a storage,
 * known to the ZIP archive by a number. Nothing is memoised: readers do not need it. */
#include "io/weights/torch_write.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/weights/model.h"
#include "io/weights/zip.h"

/* ----------------------------------------------------------------------------------- the pickle */
typedef struct pickle {
    uint8_t *p; /* owned */
    size_t n, room;
    bool failed; /* memory ran out */
} pickle;

static void put(pickle *k, const void *bytes, size_t n)
{
    if (!k->failed && n > k->room - k->n) {
        const size_t room = 2 * (k->n + n) + 1024;
        uint8_t *p = rs_regrow(k->p, k->n, room, 1);
        k->failed = !p;
        if (p) k->p = p, k->room = room;
    }
    if (k->failed) return;
    memcpy(k->p + k->n, bytes, n);
    k->n += n;
}

static void put_ops(pickle *k, const char *ops)
{
    put(k, ops, strlen(ops));
}

static void put_little(pickle *k, char op, uint64_t v, int bytes)
{
    put(k, &op, 1);
    for (int i = 0; i < bytes; i++) put(k, &(uint8_t){(uint8_t)(v >> 8 * i)}, 1);
}

static void put_text(pickle *k, const char *s)
{
    put_little(k, 'X', strlen(s), 4);
    put_ops(k, s);
}

/* 0 or more. */
static void put_int(pickle *k, int64_t v)
{
    if (v < 256) {
        put_little(k, 'K', (uint64_t)v, 1);
    } else if (v <= INT32_MAX) {
        put_little(k, 'J', (uint64_t)v, 4);
    } else {
        put(k, "\x8a\x08", 2); /* LONG1 of eight bytes, little-endian */
        for (int i = 0; i < 8; i++) put(k, &(uint8_t){(uint8_t)((uint64_t)v >> 8 * i)}, 1);
    }
}

static void put_global(pickle *k, const char *module, const char *name)
{
    put_ops(k, "c");
    put_ops(k, module);
    put_ops(k, "\n");
    put_ops(k, name);
    put_ops(k, "\n");
}

static const char *storage_type(rs_dtype t)
{
    switch (t) {
    case RS_F16: return "HalfStorage";
    case RS_F32: return "FloatStorage";
    case RS_F64: return "DoubleStorage";
    case RS_I64: return "LongStorage";
    }
    return "";
}

/* ( persistent id ) Q, offset, shape, strides, requires_grad, hooks. */
static void put_tensor(pickle *k, const rs_tensor *t, size_t number)
{
    char key[24];
    int64_t stride[RS_TENSOR_MAX_DIMS], step = 1;
    snprintf(key, sizeof key, "%zu", number);
    put_global(k, "torch._utils", "_rebuild_tensor_v2");
    put_ops(k, "((");
    put_text(k, "storage");
    put_global(k, "torch", storage_type(t->dtype));
    put_text(k, key);
    put_text(k, "cpu");
    put_int(k, (int64_t)t->count);
    put_ops(k, "tQ");
    put_int(k, 0);
    put_ops(k, "(");
    for (int d = 0; d < t->ndim; d++) put_int(k, t->dims[d]);
    for (int d = t->ndim - 1; d >= 0; d--) {
        stride[d] = step;
        step *= t->dims[d];
    }
    put_ops(k, "t(");
    for (int d = 0; d < t->ndim; d++) put_int(k, stride[d]);
    put_ops(k, "t\x89");
    put_global(k, "collections", "OrderedDict");
    put_ops(k, ")RtR");
}

static void put_member(pickle *k, const rs_tensors *set, size_t *number)
{
    put_global(k, "collections", "OrderedDict");
    put_ops(k, ")R(");
    for (int i = 0; i < set->n; i++) {
        put_text(k, set->t[i].name);
        put_tensor(k, &set->t[i], (*number)++);
    }
    put_ops(k, "u");
}

static void put_flag(pickle *k, bool v)
{
    put_ops(k, v ? "\x88" : "\x89");
}

static void put_description(pickle *k, const rs_model_file *m)
{
    put_text(k, "model_type"), put_text(k, "seg");
    put_text(k, "model"), put_text(k, m->model);
    put_text(k, "nb_classes"), put_int(k, m->classes);
    const bool unet = strcmp(m->model, "Unet") == 0;
    put_text(k, "batch_norm"), put_flag(k, !m->no_batch_norm);
    put_text(k, "dropout");
    if (unet || strcmp(m->model, "dilnet") == 0)
        put_flag(k, m->dropout);
    else
        put_ops(k, "N");
    put_text(k, "upsampling"), put_text(k, m->upsampling);
    if (unet) put_text(k, "with_dilation"), put_flag(k, m->dilated);
    put_text(k, "nb_filters"), put_int(k, m->filters);
    put_text(k, "layers"), put_ops(k, "](");
    for (int i = 0; i < m->levels; i++) put_int(k, m->layers[i]);
    put_ops(k, "e");
    put_text(k, "optimizer"), put_ops(k, "N");
}

static void put_all(pickle *k, const rs_model_file *m)
{
    size_t number = 0;
    put_ops(k, "\x80\x02}(");
    put_description(k, m);
    put_text(k, "weights");
    put_ops(k, "}(");
    for (int i = 0; i < m->members; i++) {
        put_int(k, i);
        put_member(k, &m->member[i], &number);
    }
    put_ops(k, "uu.");
}

/* ---------------------------------------------------------------------------------- the archive */
#define NAME_ROOM 32
#define OTHERS 3

static const char *byte_order(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first ? "little" : "big";
}

/* The members of the archive: the pickle, the storages, byte order, version. */
static void list_parts(const rs_model_file *m, const pickle *k, rs_zip_part *part,
                       char (*name)[NAME_ROOM])
{
    size_t n = 0;
    part[n++] = (rs_zip_part){"archive/data.pkl", k->p, k->n};
    for (int i = 0; i < m->members; i++)
        for (int j = 0; j < m->member[i].n; j++) {
            const rs_tensor *t = &m->member[i].t[j];
            snprintf(name[n - 1], NAME_ROOM, "archive/data/%zu", n - 1);
            part[n] = (rs_zip_part){name[n - 1], t->data, t->count * rs_dtype_size(t->dtype)};
            n++;
        }
    part[n++] = (rs_zip_part){"archive/byteorder", byte_order(), strlen(byte_order())};
    part[n++] = (rs_zip_part){"archive/version", "3\n", 2};
}

reshed_status rs_torch_write(const char *path, const rs_model_file *m, reshed_error *err)
{
    pickle k = {0};
    size_t tensors = 0;
    reshed_status st = rs_model_file_check(m, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < m->members; i++) tensors += (size_t)m->member[i].n;
    rs_zip_part *part = rs_alloc(tensors + OTHERS, sizeof *part);
    char(*name)[NAME_ROOM] = rs_alloc(tensors, sizeof *name);
    put_all(&k, m);
    if (part && name && !k.failed) {
        list_parts(m, &k, part, name);
        st = rs_zip_write(path, part, tensors + OTHERS, err);
    } else {
        st = rs_fail_nomem(err, "a torch file", tensors * (sizeof *part + NAME_ROOM));
    }
    rs_free(k.p);
    rs_free(part);
    rs_free(name);
    return st;
}
