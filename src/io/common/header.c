#include "io/common/header.h"

#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* Length of the UTF-8 character at s (which has n bytes left), 0 when it is none. */
static size_t utf8_length(const uint8_t *s, size_t n)
{
    size_t k = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 0;
    if (k == 0 || k > n) return 0;
    for (size_t i = 1; i < k; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return k;
}

void rs_header_text(char *dst, size_t size, const uint8_t *s, size_t n)
{
    char all[512];
    size_t used = 0;
    for (size_t i = 0; i < n && s[i] && used + 4 < sizeof all;) {
        size_t k = utf8_length(s + i, n - i);
        if (k == 0) {
            all[used++] = (char)(0xc0 | s[i] >> 6);
            all[used++] = (char)(0x80 | (s[i] & 0x3f));
            i++;
        } else {
            memcpy(all + used, s + i, k);
            used += k;
            i += k;
        }
    }
    all[used] = '\0';
    rs_text_copy(dst, size, all);
}

void rs_span_text(char *dst, size_t size, rs_span text)
{
    rs_header_text(dst, size, (const uint8_t *)text.s, text.n);
}

static void drop(rs_span *s, size_t n)
{
    s->s += n;
    s->n -= n;
}

bool rs_span_line(rs_span *rest, rs_span *line)
{
    if (rest->n == 0) return false;
    size_t n = 0;
    while (n < rest->n && rest->s[n] != '\n' && rest->s[n] != '\r') n++;
    *line = (rs_span){rest->s, n};
    drop(rest, n);
    if (rest->n >= 2 && rest->s[0] == '\r' && rest->s[1] == '\n')
        drop(rest, 2);
    else if (rest->n > 0)
        drop(rest, 1);
    return true;
}

bool rs_span_field(rs_span *rest, char separator, rs_span *field)
{
    if (rest->n == 0) return false;
    const char *end = memchr(rest->s, separator, rest->n);
    const size_t n = end ? (size_t)(end - rest->s) : rest->n;
    *field = (rs_span){rest->s, n};
    drop(rest, end ? n + 1 : n);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

rs_span rs_span_trim(rs_span s)
{
    while (s.n > 0 && is_blank(s.s[0])) drop(&s, 1);
    while (s.n > 0 && is_blank(s.s[s.n - 1])) s.n--;
    return s;
}

bool rs_span_word(rs_span *rest, rs_span *word)
{
    while (rest->n > 0 && is_blank(rest->s[0])) drop(rest, 1);
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->s[n])) n++;
    *word = (rs_span){rest->s, n};
    drop(rest, n);
    return n > 0;
}

bool rs_span_number(rs_span s, double *out)
{
    s = rs_span_trim(s);
    return s.n > 0 && rs_number_parse(s.s, s.n, out);
}

bool rs_span_is(rs_span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.s, text, s.n) == 0;
}

bool rs_span_begins(rs_span s, const char *text)
{
    return s.n >= strlen(text) && memcmp(s.s, text, strlen(text)) == 0;
}

size_t rs_span_find(rs_span s, const char *text)
{
    const size_t k = strlen(text);
    for (size_t i = 0; k <= s.n && i <= s.n - k; i++)
        if (s.s[i] == text[0] && memcmp(s.s + i, text, k) == 0) return i;
    return s.n;
}
