#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *locale_point(void)
{
    const char *p = localeconv()->decimal_point;
    return p && *p ? p : ".";
}

const char *rs_number_format(char buf[RS_NUMBER_TEXT], double v)
{
    if (isnan(v)) return strcpy(buf, "nan");
    if (isinf(v)) return strcpy(buf, v < 0 ? "-inf" : "inf");
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, RS_NUMBER_TEXT, "%.*g", digits, v);
        if (strtod(buf, NULL) == v) break;
    }
    const char *point = locale_point();
    char *at = strstr(buf, point);
    if (at && strcmp(point, ".") != 0) {
        size_t k = strlen(point);
        *at = '.';
        memmove(at + 1, at + k, strlen(at + k) + 1);
    }
    return buf;
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && rs_text_same(s, word, n);
}

bool rs_number_parse(const char *s, size_t n, double *out)
{
    char buf[80];
    size_t used = 0;
    while (n > 0 && (*s == ' ' || *s == '\t')) s++, n--;
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t')) n--;
    if (n == 0 || n > 60) return false;
    bool sign = *s == '+' || *s == '-';
    if (is_word(s + sign, n - sign, "nan")) {
        *out = NAN;
        return true;
    }
    if (is_word(s + sign, n - sign, "inf") || is_word(s + sign, n - sign, "infinity")) {
        *out = *s == '-' ? -INFINITY : INFINITY;
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!strchr("0123456789+-.eE", s[i]) || s[i] == '\0') return false;
        if (s[i] == '.') {
            const char *point = locale_point();
            size_t k = strlen(point);
            if (used + k + (n - i) > sizeof buf) return false;
            memcpy(buf + used, point, k);
            used += k;
        } else {
            buf[used++] = s[i];
        }
    }
    buf[used] = '\0';
    char *end;
    double v = strtod(buf, &end);
    if (end == buf || *end) return false;
    *out = v;
    return true;
}
