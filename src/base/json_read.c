#include "base/json_read.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"

struct rs_json_doc {
    rs_json_value *value; /* [room]; the first is the root */
    size_t used, room;
    char *text; /* copies of all strings, which are never longer than what was read */
    size_t put;
};

typedef struct reader {
    rs_json_doc *doc;
    const char *at, *end;
    int depth;
} reader;

void rs_json_free(rs_json_doc *d)
{
    if (!d) return;
    rs_free(d->value);
    rs_free(d->text);
    rs_free(d);
}

const rs_json_value *rs_json_root(const rs_json_doc *d)
{
    return d ? d->value : NULL;
}

const rs_json_value *rs_json_member(const rs_json_value *v, const char *key)
{
    if (!v || v->kind != RS_JSON_OBJECT) return NULL;
    for (const rs_json_value *m = v->first; m; m = m->next)
        if (strcmp(m->key, key) == 0) return m;
    return NULL;
}

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(reader *r, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

/* Four hexadecimal digits. */
static bool take_hex(reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        const char c = *r->at++;
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

static void put_utf8(rs_json_doc *d, uint32_t c)
{
    char *t = d->text + d->put;
    size_t n = 1;
    if (c < 0x80) {
        t[0] = (char)c;
    } else if (c < 0x800) {
        t[0] = (char)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        t[0] = (char)(0xe0 | c >> 12);
        n = 3;
    } else {
        t[0] = (char)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) t[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3f));
    d->put += n;
}

/* What follows \u: one code unit, or the two of a surrogate pair. */
static bool take_unicode(reader *r)
{
    uint32_t c, low;
    if (!take_hex(r, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000)) return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take(r, "\\u") || !take_hex(r, &low) || low < 0xdc00 || low >= 0xe000) return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(r->doc, c);
    return true;
}

static bool take_escape(reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at >= r->end) return false;
    const char c = *r->at++;
    if (c == 'u') return take_unicode(r);
    const char *which = c ? strchr(from, c) : NULL;
    if (!which) return false;
    r->doc->text[r->doc->put++] = to[which - from];
    return true;
}

/* One character as it stands. */
static bool take_plain(reader *r)
{
    char c[5] = "";
    const size_t left = (size_t)(r->end - r->at);
    if ((unsigned char)*r->at < 0x20) return false;
    memcpy(c, r->at, left < 4 ? left : 4);
    const size_t n = rs_utf8_length(c);
    if (n == 0) return false;
    memcpy(r->doc->text + r->doc->put, r->at, n);
    r->doc->put += n;
    r->at += n;
    return true;
}

static bool take_string(reader *r, const char **out)
{
    if (!take(r, "\"")) return false;
    *out = r->doc->text + r->doc->put;
    while (r->at < r->end && *r->at != '"') {
        const bool ok = *r->at == '\\' ? (r->at++, take_escape(r)) : take_plain(r);
        if (!ok) return false;
    }
    if (!take(r, "\"")) return false;
    r->doc->text[r->doc->put++] = '\0';
    return true;
}

static size_t digits(const char *at, const char *end)
{
    size_t n = 0;
    while (at + n < end && at[n] >= '0' && at[n] <= '9') n++;
    return n;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool take_number(reader *r, double *out)
{
    const char *start = r->at, *p = r->at;
    if (p < r->end && *p == '-') p++;
    size_t n = digits(p, r->end);
    if (n == 0 || (*p == '0' && n > 1)) return false;
    p += n;
    if (p < r->end && *p == '.') {
        n = digits(++p, r->end);
        if (n == 0) return false;
        p += n;
    }
    if (p < r->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < r->end && (*p == '+' || *p == '-')) p++;
        n = digits(p, r->end);
        if (n == 0) return false;
        p += n;
    }
    r->at = p;
    return rs_number_parse(start, (size_t)(p - start), out) && isfinite(*out);
}

static rs_json_value *add(reader *r)
{
    rs_json_doc *d = r->doc;
    return d->used < d->room ? &d->value[d->used++] : NULL;
}

static bool take_value(reader *r, rs_json_value *v);

/* Members up to `close`; the opening bracket is behind. */
static bool take_members(reader *r, rs_json_value *v, const char *close)
{
    const rs_json_value **link = &v->first;
    if (++r->depth > RS_JSON_DEPTH) return false;
    skip_space(r);
    for (bool more = !take(r, close); more; more = !take(r, close)) {
        const char *key = NULL;
        if (v->n > 0 && !take(r, ",")) return false;
        skip_space(r);
        if (v->kind == RS_JSON_OBJECT) {
            if (!take_string(r, &key)) return false;
            skip_space(r);
            if (!take(r, ":")) return false;
        }
        rs_json_value *m = add(r);
        if (!m || !take_value(r, m)) return false;
        m->key = key;
        *link = m;
        link = &m->next;
        v->n++;
        skip_space(r);
    }
    r->depth--;
    return true;
}

static bool take_value(reader *r, rs_json_value *v)
{
    skip_space(r);
    if (r->at >= r->end) return false;
    switch (*r->at) {
    case '{':
        r->at++;
        v->kind = RS_JSON_OBJECT;
        return take_members(r, v, "}");
    case '[':
        r->at++;
        v->kind = RS_JSON_ARRAY;
        return take_members(r, v, "]");
    case '"': v->kind = RS_JSON_STRING; return take_string(r, &v->text);
    case 't':
        v->kind = RS_JSON_BOOL;
        v->yes = true;
        return take(r, "true");
    case 'f': v->kind = RS_JSON_BOOL; return take(r, "false");
    case 'n': return take(r, "null");
    default: v->kind = RS_JSON_NUMBER; return take_number(r, &v->number);
    }
}

reshed_status rs_json_read(const char *text, size_t n, rs_json_doc **out, reshed_error *err)
{
    if (n > SIZE_MAX / sizeof(rs_json_value) / 2)
        return rs_fail(err, RESHED_EINVAL, "JSON|less than the memory|%zu bytes", n);
    rs_json_doc *d = rs_zalloc(1, sizeof *d);
    if (!d) return rs_fail_nomem(err, "JSON", sizeof *d);
    d->room = n / 2 + 2; /* each value but the first takes two characters at least */
    d->value = rs_zalloc(d->room, sizeof *d->value);
    d->text = rs_alloc(n + 1, 1);
    reader r = {.doc = d, .at = text, .end = text + n};
    reshed_status st = d->value && d->text ? RESHED_OK : rs_fail_nomem(err, "JSON", d->room);
    if (st == RESHED_OK) {
        bool ok = take_value(&r, add(&r));
        if (ok) skip_space(&r);
        if (!ok || r.at < r.end)
            st = rs_fail(err, RESHED_ECORRUPT, "JSON|well-formed|something else|byte %zu",
                         (size_t)(r.at - text));
    }
    if (st == RESHED_OK)
        *out = d;
    else
        rs_json_free(d);
    return st;
}
