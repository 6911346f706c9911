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
