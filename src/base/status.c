#include "base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *reshed_status_text(reshed_status status)
{
    switch (status) {
    case RESHED_OK: return "ok";
    case RESHED_EINVAL: return "invalid argument";
    case RESHED_EUNSUPPORTED: return "unsupported";
    case RESHED_EIO: return "input/output error";
    case RESHED_ECORRUPT: return "corrupt data";
    case RESHED_ENOMEM: return "out of memory";
    case RESHED_ETIMEOUT: return "timed out";
    case RESHED_EINTERNAL: return "internal error";
    }
    return "unknown status";
}

const char *reshed_error_text(const reshed_error *err, char *buf, size_t n)
{
    if (n == 0) return buf;
    const char *what = err->what[0] ? err->what : reshed_status_text(err->status);
    const char *e = err->expected, *f = err->found, *w = err->where;
    snprintf(buf, n, "%s%s%s%s%s%s%s%s%s", what, *e || *f ? " (" : "", *e ? "expected " : "", e,
             *e && *f ? ", " : "", *f ? "found " : "", f, *e || *f ? ")" : "", *w ? " at " : "");
    size_t used = strlen(buf);
    snprintf(buf + used, n - used, "%s", w);
    return buf;
}

/* Escapes the text from s to the next separator or the end into dst[n]; returns where the next field
 * starts. */
static char *copy_field(char *dst, size_t n, char *s)
{
    char *end = s + strcspn(s, "\x1f");
    const bool more = *end != '\0';
    *end = '\0';
    rs_text_escape(dst, n, s);
    return more ? end + 1 : end;
}

reshed_status rs_fail(reshed_error *err, reshed_status status, const char *format, ...)
{
    if (!err) return status;
    /* Split the format, not the formatted text: arguments may contain '|'. */
    char split[512], text[1024];
    size_t k = 0;
    for (; format[k] && k + 1 < sizeof split; k++)
        split[k] = (char)(format[k] == '|' ? '\x1f' : format[k]);
    split[k] = '\0';
    va_list ap;
    va_start(ap, format);
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    vsnprintf(text, sizeof text, split,
              ap); /* same conversions as format, which the compiler checked */
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    va_end(ap);
    memset(err, 0, sizeof *err);
    err->status = status;
    char *s = copy_field(err->what, sizeof err->what, text);
    s = copy_field(err->expected, sizeof err->expected, s);
    s = copy_field(err->found, sizeof err->found, s);
    copy_field(err->where, sizeof err->where, s);
    return status;
}

reshed_status rs_fail_nomem(reshed_error *err, const char *what, size_t bytes)
{
    return rs_fail(err, RESHED_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}
