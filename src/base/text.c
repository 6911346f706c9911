#include "base/text.h"

#include <stdio.h>
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

size_t rs_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned lo = 0x80, hi = 0xbf;
    size_t n;
    if (s[0] < 0x80) return s[0] != 0;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        n = 3;
        if (s[0] == 0xe0) lo = 0xa0;
        if (s[0] == 0xed) hi = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        if (s[0] == 0xf0) lo = 0x90;
        if (s[0] == 0xf4) hi = 0x8f;
    } else {
        return 0;
    }
    if (s[1] < lo || s[1] > hi) return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

/* The character of n bytes at s neither moves the cursor nor changes what stands around it. */
static bool is_plain(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    if (n == 1) return u[0] >= 0x20 && u[0] != 0x7f;
    if (n == 2) return !(u[0] == 0xc2 && u[1] < 0xa0) && !(u[0] == 0xd8 && u[1] == 0x9c);
    if (n != 3) return true;
    const unsigned c = (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    return !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

char *rs_text_escape(char *dst, size_t n, const char *s)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    while (*s) {
        const size_t k = rs_utf8_length(s);
        if (k > 0 && is_plain(s, k)) {
            if (used + k >= n) break;
            memcpy(dst + used, s, k);
            used += k;
            s += k;
            continue;
        }
        if (used + 4 * (k ? k : 1) >= n) break;
        for (size_t i = 0; i < (k ? k : 1); i++, s++) {
            const unsigned char u = (unsigned char)*s;
            const char hex[4] = {'\\', 'x', digits[u >> 4], digits[u & 15]};
            memcpy(dst + used, hex, sizeof hex);
            used += sizeof hex;
        }
    }
    dst[used] = '\0';
    return dst;
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

/* --------------------------------------------------------------------------------- mistyped words */

/* Longer words are compared by their beginning. */
enum { LONGEST = 40 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int beginning(const char *s)
{
    int n = 0;
    while (n < LONGEST && s[n]) n++;
    return n;
}

/* Damerau's distance with each letter moved once at most (optimal string alignment). */
static int distance(const char *a, const char *b)
{
    const int n = beginning(a), m = beginning(b);
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int k = 0; k <= m; k++) d[0][k] = k;
    for (int i = 1; i <= n; i++)
        for (int k = 1; k <= m; k++) {
            const bool same = rs_text_same(&a[i - 1], &b[k - 1], 1);
            d[i][k] = least(d[i - 1][k - 1] + !same, 1 + least(d[i - 1][k], d[i][k - 1]));
            if (i > 1 && k > 1 && rs_text_same(&a[i - 1], &b[k - 2], 1) &&
                rs_text_same(&a[i - 2], &b[k - 1], 1))
                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
        }
    return d[n][m];
}

int rs_text_nearest(const char *text, const char *const *list, int n)
{
    int best = -1, smallest = LONGEST + 1;
    for (int i = 0; i < n; i++) {
        const int d = distance(text, list[i]);
        if (d >= smallest) continue;
        smallest = d;
        best = i;
    }
    return best >= 0 && 3 * smallest <= (int)strlen(list[best]) ? best : -1;
}

const char *rs_text_expected(char *buf, size_t room, const char *text, const char *const *list,
                             int n)
{
    const int near = rs_text_nearest(text, list, n);
    size_t at = 0;
    buf[0] = '\0';
    if (near >= 0) {
        snprintf(buf, room, "%s?", list[near]);
        return buf;
    }
    for (int i = 0; i < n && at < room; i++)
        at += (size_t)snprintf(buf + at, room - at, "%s%s",
                               i == 0      ? ""
                               : i < n - 1 ? ", "
                                           : " or ",
                               list[i]);
    return buf;
}
