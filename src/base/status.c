#include "base/status.h"

#include <stdarg.h>
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
    case RESHED_ECANCELLED: return "cancelled";
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

/* Formats into text[n] with `separator` where format has a bar. */
static void format_fields(char *text, size_t n, char separator, const char *format, va_list ap)
{
    char split[512];
    size_t k = 0;
    for (; format[k] && k + 1 < sizeof split; k++)
        split[k] = format[k] == '|' ? separator : format[k];
    split[k] = '\0';
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    vsnprintf(text, n, split, ap); /* same conversions as format, which the compiler checked */
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}

reshed_status rs_fail(reshed_error *err, reshed_status status, const char *format, ...)
{
    if (!err) return status;
    /* Arguments may contain any byte. Formatted with two different separators, the texts differ at
     * the separators alone. */
    char text[1024], other[1024];
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    format_fields(text, sizeof text, '\x1f', format, ap);
    format_fields(other, sizeof other, '\x1e', format, again);
    va_end(again);
    va_end(ap);
    memset(err, 0, sizeof *err);
    err->status = status;
    char *const field[] = {err->what, err->expected, err->found, err->where};
    const size_t room[] = {sizeof err->what, sizeof err->expected, sizeof err->found,
                           sizeof err->where};
    const size_t length = strlen(text);
    for (size_t k = 0, from = 0; k < 4 && from <= length; k++) {
        size_t to = from;
        while (to < length && text[to] == other[to]) to++;
        text[to] = '\0';
        rs_text_escape(field[k], room[k], text + from);
        from = to + 1;
    }
    return status;
}

reshed_status rs_fail_nomem(reshed_error *err, const char *what, size_t bytes)
{
    return rs_fail(err, RESHED_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}
