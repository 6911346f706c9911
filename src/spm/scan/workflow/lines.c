#include "spm/scan/workflow/lines.h"

#include <ini.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

typedef struct parser {
    const char *text;
    size_t n, at;
    int line;      /* the one that libinih has now */
    bool indented; /* it begins with a blank */
    bool open;     /* the latest value ends with a backslash: more of it follows */
    rs_ini out;
    reshed_status st;
    reshed_error err;
} parser;

#define FAIL(p, ...) ((p)->st = rs_fail(&(p)->err, RESHED_EINVAL, __VA_ARGS__))

/* The next line, for libinih: NULL at the end, and after a failure. */
static char *next_line(char *buf, int room, void *stream)
{
    parser *p = stream;
    if (p->at >= p->n || p->st != RESHED_OK) return NULL;
    const char *s = p->text + p->at, *end = memchr(s, '\n', p->n - p->at);
    const size_t n = end ? (size_t)(end - s) : p->n - p->at;
    p->line++;
    if (n > RS_INI_LINE || n + 2 > (size_t)room) {
        FAIL(p, "line|at most %d bytes|%zu|line %d", RS_INI_LINE, n, p->line);
        return NULL;
    }
    memcpy(buf, s, n);
    buf[n] = '\n';
    buf[n + 1] = '\0';
    p->indented = n > 0 && (*s == ' ' || *s == '\t');
    p->at += n + 1;
    return buf;
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* Resolves backslashes in place; *open: it ends with one. */
static void unescape(parser *p, char *s, bool *open)
{
    char *to = s;
    *open = false;
    for (; *s; s++) {
        if (*s != '\\') {
            *to++ = *s;
        } else if (s[1] == '\\') {
            *to++ = *s++;
        } else if (s[1] == 'x' && digit(s[2]) >= 0 && digit(s[3]) >= 0 &&
                   16 * digit(s[2]) + digit(s[3]) > 0) {
            *to++ = (char)(16 * digit(s[2]) + digit(s[3]));
            s += 3;
        } else if (!s[1]) {
            *open = true;
        } else {
            FAIL(p, "backslash|\\\\ or \\xNN|\\%.3s|line %d", s + 1, p->line);
            return;
        }
    }
    *to = '\0';
}

static reshed_status no_memory(parser *p, size_t bytes)
{
    return p->st = rs_fail_nomem(&p->err, "lines", bytes);
}

/* One block for the three texts of a line. */
static reshed_status add(parser *p, const char *section, const char *name, const char *value)
{
    rs_ini *o = &p->out;
    const size_t a = strlen(section) + 1, b = strlen(name) + 1, c = strlen(value) + 1;
    if (o->n == RS_INI_LINES)
        return FAIL(p, "lines|at most %d with a value|more|line %d", RS_INI_LINES, p->line);
    if (o->n == o->room) {
        const int room = o->room ? 2 * o->room : 32;
        rs_ini_line *at = rs_regrow(o->at, (size_t)o->room, (size_t)room, sizeof *at);
        if (!at) return no_memory(p, (size_t)room * sizeof *at);
        o->at = at;
        o->room = room;
    }
    char *text = rs_alloc(a + b + c, 1);
    if (!text) return no_memory(p, a + b + c);
    memcpy(text, section, a);
    memcpy(text + a, name, b);
    memcpy(text + a + b, value, c);
    o->at[o->n++] = (rs_ini_line){text, text + a, text + a + b, p->line};
    return RESHED_OK;
}

/* More of the latest value. */
static reshed_status append(parser *p, const char *value)
{
    rs_ini_line *last = &p->out.at[p->out.n - 1];
    const size_t had = (size_t)(last->value - last->section) + strlen(last->value);
    const size_t name = (size_t)(last->name - last->section),
                 at = (size_t)(last->value - last->section), more = strlen(value) + 1;
    char *text = rs_alloc(had + more, 1);
    if (!text) return no_memory(p, had + more);
    memcpy(text, last->section, had);
    memcpy(text + had, value, more);
    rs_free((char *)last->section);
    *last = (rs_ini_line){text, text + name, text + at, last->line};
    return RESHED_OK;
}

static bool is_there(const rs_ini *o, const char *section, const char *name)
{
    for (int i = 0; i < o->n; i++)
        if (strcmp(o->at[i].section, section) == 0 && strcmp(o->at[i].name, name) == 0) return true;
    return false;
}

/* libinih's handler. */
static int take(void *user, const char *section, const char *name, const char *text)
{
    parser *p = user;
    const rs_ini_line *last = p->out.n ? &p->out.at[p->out.n - 1] : NULL;
    char value[RS_INI_LINE + 1];
    bool more;
    if (p->st != RESHED_OK) return 1;
    const bool goes_on = p->open && p->indented && strcmp(last->section, section) == 0;
    if (p->open && !goes_on)
        FAIL(p, "[%s] %s|an indented line after the backslash|another|line %d", last->section,
             last->name, p->line);
    else if (p->indented && last && !goes_on && strcmp(last->section, section) == 0)
        FAIL(p, "indented line|none, or a backslash at the end of the one before|%s|line %d", text,
             p->line);
    else if (!goes_on && is_there(&p->out, section, name))
        FAIL(p, "[%s] %s|once|again|line %d", section, name, p->line);
    if (p->st != RESHED_OK) return 1;
    const size_t n = strlen(text);
    memcpy(value, text, n < sizeof value ? n + 1 : sizeof value); /* a line has no more */
    value[sizeof value - 1] = '\0';
    unescape(p, value, &more);
    if (p->st != RESHED_OK) return 1;
    if (goes_on)
        append(p, value);
    else
        add(p, section, name, value);
    p->open = more;
    return 1;
}

reshed_status rs_ini_parse(const char *text, size_t n, rs_ini *out, reshed_error *err)
{
    parser p = {.text = text, .n = n};
    if (n > RS_INI_BYTES)
        FAIL(&p, "text|at most %d bytes|%zu", RS_INI_BYTES, n);
    else if (memchr(text, '\0', n))
        FAIL(&p, "text|no NUL|one");
    if (p.st == RESHED_OK) {
        const int wrong = ini_parse_stream(next_line, &p, take, &p);
        if (p.st == RESHED_OK && wrong < 0) no_memory(&p, n);
        if (p.st == RESHED_OK && wrong > 0)
            FAIL(&p, "line|[section], NAME = VALUE or a comment|another|line %d", wrong);
        if (p.st == RESHED_OK && p.open)
            FAIL(&p, "[%s] %s|an indented line after the backslash|the end",
                 p.out.at[p.out.n - 1].section, p.out.at[p.out.n - 1].name);
    }
    if (p.st == RESHED_OK) {
        *out = p.out;
        return RESHED_OK;
    }
    rs_ini_clear(&p.out);
    if (err) *err = p.err;
    return p.st;
}

void rs_ini_clear(rs_ini *ini)
{
    for (int i = 0; i < ini->n; i++) rs_free((char *)ini->at[i].section);
    rs_free(ini->at);
    *ini = (rs_ini){0};
}
