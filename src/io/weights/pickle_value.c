#include "io/weights/pickle_value.h"

#include <stdio.h>
#include <string.h>

bool rs_pkl_is(const rs_pkl *v, const char *s)
{
    size_t n = strlen(s);
    return v && v->kind == RS_PKL_STR && v->u.text.n == n && memcmp(v->u.text.s, s, n) == 0;
}

bool rs_pkl_is_global(const rs_pkl *v, const char *module, const char *name)
{
    return v && v->kind == RS_PKL_GLOBAL && rs_pkl_is(v->u.global.module, module) &&
           rs_pkl_is(v->u.global.name, name);
}

const rs_pkl *rs_pkl_get(const rs_pkl *v, const char *key)
{
    if (!v || v->kind != RS_PKL_DICT) return NULL;
    /* From the end: a key that was set again has its last value. */
    for (size_t i = v->u.items.n; i >= 2; i -= 2)
        if (rs_pkl_is(v->u.items.at[i - 2], key)) return v->u.items.at[i - 1];
    return NULL;
}

bool rs_pkl_is_numpy(const rs_pkl *v)
{
    const rs_pkl *of = v && v->kind == RS_PKL_OBJECT ? v->u.call.of : NULL;
    return rs_pkl_is_global(of, "numpy.core.multiarray", "scalar") ||
           rs_pkl_is_global(of, "numpy._core.multiarray", "scalar");
}

/* The bytes of a bytes object, which protocol 2 writes as codecs.encode(text, 'latin1'): at most
 * size of them, or false. */
static bool take_bytes(const rs_pkl *v, uint8_t *out, size_t size)
{
    if (v && v->kind == RS_PKL_BYTES) {
        if (v->u.text.n != size) return false;
        memcpy(out, v->u.text.s, size);
        return true;
    }
    const rs_pkl *of = v && v->kind == RS_PKL_OBJECT ? v->u.call.of : NULL;
    const rs_pkl *text = of ? rs_pkl_item(v->u.call.args, 0) : NULL;
    if (!rs_pkl_is_global(of, "_codecs", "encode") || !text || text->kind != RS_PKL_STR)
        return false;
    const uint8_t *s = text->u.text.s, *end = s + text->u.text.n;
    size_t n = 0;
    for (; s < end && n < size; n++) { /* characters up to U+00FF */
        if (*s < 0x80) {
            out[n] = *s++;
        } else {
            if (end - s < 2 || (*s & 0xfc) != 0xc0 || (s[1] & 0xc0) != 0x80) return false;
            out[n] = (uint8_t)((s[0] & 3) << 6 | (s[1] & 0x3f));
            s += 2;
        }
    }
    return n == size && s == end;
}

bool rs_pkl_integer(const rs_pkl *v, int64_t *out)
{
    static const char *const types[] = {"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"};
    static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8};
    uint8_t raw[8] = {0};
    if (v && v->kind == RS_PKL_INT) {
        *out = v->u.i;
        return true;
    }
    if (!rs_pkl_is_numpy(v)) return false;
    const rs_pkl *type = rs_pkl_item(v->u.call.args, 0), *bytes = rs_pkl_item(v->u.call.args, 1);
    if (!type || type->kind != RS_PKL_OBJECT ||
        !rs_pkl_is_global(type->u.call.of, "numpy", "dtype"))
        return false;
    for (size_t i = 0; i < sizeof sizes; i++) {
        if (!rs_pkl_is(rs_pkl_item(type->u.call.args, 0), types[i])) continue;
        const size_t n = sizes[i];
        uint64_t u = 0;
        if (!take_bytes(bytes, raw, n)) return false;
        for (size_t k = 0; k < n; k++) u |= (uint64_t)raw[k] << (8 * k);
        if (types[i][0] == 'i' && n < 8 && u >> (8 * n - 1)) u |= UINT64_MAX << (8 * n);
        if (types[i][0] == 'u' && u > INT64_MAX) return false;
        memcpy(out, &u, sizeof u);
        return true;
    }
    return false;
}

const rs_pkl *rs_pkl_item(const rs_pkl *v, size_t i)
{
    if (!v || (v->kind != RS_PKL_TUPLE && v->kind != RS_PKL_LIST && v->kind != RS_PKL_SET))
        return NULL;
    return i < v->u.items.n ? v->u.items.at[i] : NULL;
}

static int shown(const rs_pkl *text)
{
    return text->u.text.n < 60 ? (int)text->u.text.n : 60;
}

const char *rs_pkl_describe(const rs_pkl *v, char *buf, size_t n)
{
    static const char *const names[] = {
        [RS_PKL_NONE] = "None",        [RS_PKL_BOOL] = "a boolean",
        [RS_PKL_INT] = "an integer",   [RS_PKL_BIGINT] = "a very large integer",
        [RS_PKL_FLOAT] = "a number",   [RS_PKL_STR] = "a string",
        [RS_PKL_BYTES] = "bytes",      [RS_PKL_TUPLE] = "a tuple",
        [RS_PKL_LIST] = "a list",      [RS_PKL_SET] = "a set",
        [RS_PKL_DICT] = "a dict",      [RS_PKL_GLOBAL] = "a class",
        [RS_PKL_OBJECT] = "an object", [RS_PKL_PERSID] = "a storage"};
    const rs_pkl *of = v && v->kind == RS_PKL_OBJECT ? v->u.call.of : v;
    if (!v)
        snprintf(buf, n, "nothing");
    else if (v->kind == RS_PKL_BOOL)
        snprintf(buf, n, "%s", v->u.i ? "True" : "False");
    else if (v->kind == RS_PKL_INT)
        snprintf(buf, n, "%lld", (long long)v->u.i);
    else if (v->kind == RS_PKL_FLOAT)
        snprintf(buf, n, "%g", v->u.f);
    else if (v->kind == RS_PKL_STR)
        snprintf(buf, n, "'%.*s'", shown(v), (const char *)v->u.text.s);
    else if (of->kind == RS_PKL_GLOBAL)
        snprintf(buf, n, "%s %.*s.%.*s", of == v ? "the class" : "an object of",
                 shown(of->u.global.module), (const char *)of->u.global.module->u.text.s,
                 shown(of->u.global.name), (const char *)of->u.global.name->u.text.s);
    else
        snprintf(buf, n, "%s", names[v->kind]);
    return buf;
}
