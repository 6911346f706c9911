#include "base/tensors.h"

#include <string.h>

#include "base/alloc.h"

size_t rs_dtype_size(rs_dtype dtype)
{
    switch (dtype) {
    case RS_F16: return 2;
    case RS_F32: return 4;
    case RS_F64:
    case RS_I64: return 8;
    }
    return 0;
}

const char *rs_dtype_name(rs_dtype dtype)
{
    switch (dtype) {
    case RS_F16: return "float16";
    case RS_F32: return "float32";
    case RS_F64: return "float64";
    case RS_I64: return "int64";
    }
    return "?";
}

rs_tensor *rs_tensors_add(rs_tensors *set, const char *name, rs_dtype dtype, int ndim,
                          const int64_t *dims)
{
    rs_tensor t = {.dtype = dtype, .ndim = ndim, .count = 1};
    size_t len = strlen(name);
    if (len >= sizeof t.name || ndim < 0 || ndim > RS_TENSOR_MAX_DIMS) return NULL;
    memcpy(t.name, name, len + 1);
    for (int i = 0; i < ndim; i++) {
        if (dims[i] < 0 || !rs_mul(t.count, (size_t)dims[i], &t.count)) return NULL;
        t.dims[i] = dims[i];
    }
    if (set->n == set->capacity) {
        int more = set->capacity ? 2 * set->capacity : 64;
        rs_tensor *grown = rs_regrow(set->t, (size_t)set->n, (size_t)more, sizeof *grown);
        if (!grown) return NULL;
        set->t = grown;
        set->capacity = more;
    }
    t.data = rs_alloc(t.count, rs_dtype_size(dtype));
    if (!t.data) return NULL;
    set->t[set->n] = t;
    return &set->t[set->n++];
}

const rs_tensor *rs_tensors_find(const rs_tensors *set, const char *name)
{
    for (int i = 0; i < set->n; i++)
        if (strcmp(set->t[i].name, name) == 0) return &set->t[i];
    return NULL;
}

void rs_tensors_clear(rs_tensors *set)
{
    for (int i = 0; i < set->n; i++) rs_free(set->t[i].data);
    rs_free(set->t);
    memset(set, 0, sizeof *set);
}

double rs_tensor_at(const rs_tensor *t, size_t i)
{
    switch (t->dtype) {
    case RS_F16: return rs_half_to_float(((const uint16_t *)t->data)[i]);
    case RS_F32: return ((const float *)t->data)[i];
    case RS_F64: return ((const double *)t->data)[i];
    case RS_I64: return (double)((const int64_t *)t->data)[i];
    }
    return 0;
}

float rs_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 1023, u;
    if (e == 31) {
        u = sign | 0x7f800000u | m << 13;
    } else if (e != 0) {
        u = sign | (e + 112) << 23 | m << 13;
    } else { /* zero or subnormal: m * 2^-24 is exact in single precision */
        float f = (float)m * 0x1p-24f;
        memcpy(&u, &f, sizeof u);
        u |= sign;
    }
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

uint16_t rs_float_to_half(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
    uint32_t a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00);  /* NaN */
    if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00); /* rounds to 65536 or above */
    if (a < 0x38800000u) {                                  /* subnormal half: units of 2^-24 */
        float scaled;
        memcpy(&scaled, &a, sizeof scaled);
        scaled = scaled * 0x1p24f + 0x1p23f; /* the addition rounds to an integer, ties to even */
        uint32_t r;
        memcpy(&r, &scaled, sizeof r);
        return (uint16_t)(sign | (r & 0x7fffffu));
    }
    a += 0xfffu + (a >> 13 & 1); /* round to nearest even at bit 13 */
    return (uint16_t)(sign | ((a - 0x38000000u) >> 13));
}

void rs_model_file_clear(rs_model_file *m)
{
    for (int i = 0; m->member && i < m->members; i++) rs_tensors_clear(&m->member[i]);
    rs_free(m->member);
    memset(m, 0, sizeof *m);
}
