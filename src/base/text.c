#include "base/text.h"

#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool rs_text_same(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]) || a[i] == '\0') return false;
    return true;
}

bool rs_text_begins(const char *s, const char *prefix)
{
    return rs_text_same(s, prefix, strlen(prefix));
}

bool rs_text_contains(const char *s, const char *part)
{
    for (; *s; s++)
        if (rs_text_begins(s, part)) return true;
    return *part == '\0';
}

void rs_text_copy(char *dst, size_t n, const char *s)
{
    size_t k = strlen(s);
    if (k >= n) {
        k = n - 1;
        while (k > 0 && ((unsigned char)s[k] & 0xc0) == 0x80) k--;
    }
    memcpy(dst, s, k);
    dst[k] = '\0';
}

const char *rs_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t rs_path_stem(const char *path)
{
    const char *name = rs_path_name(path), *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - path) : strlen(path);
}
