#include "io/csv.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"

/* -------------------------------------------------------------------------------------- writing */
static void put(rs_csv *c, const char *s, size_t n)
{
    if (c->nomem) return;
    if (n > c->room - c->len) {
        size_t want = c->room + c->room / 2 + n + 256;
        char *p = rs_regrow(c->text, c->len, want, 1);
        if (!p) {
            c->nomem = true;
            return;
        }
        c->text = p;
        c->room = want;
    }
    memcpy(c->text + c->len, s, n);
    c->len += n;
}

static void next_cell(rs_csv *c)
{
    if (c->column++ > 0) put(c, ",", 1);
}

void rs_csv_text(rs_csv *c, const char *text)
{
    next_cell(c);
    size_t n = strlen(text);
    bool blanks = n > 0 && (text[0] == ' ' || text[n - 1] == ' ');
    /* A row of one empty cell would be a blank line. */
    if (!strpbrk(text, ",\"\r\n") && !blanks && n > 0) {
        put(c, text, n);
        return;
    }
    put(c, "\"", 1);
    for (const char *s = text; *s; s++) put(c, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    put(c, "\"", 1);
}

void rs_csv_heading(rs_csv *c, const char *name, const char *unit)
{
    char both[256];
    snprintf(both, sizeof both, unit[0] ? "%s (%s)" : "%s%s", name, unit);
    rs_csv_text(c, both);
}

void rs_csv_number(rs_csv *c, double v)
{
    char buf[RS_NUMBER_TEXT];
    next_cell(c);
    rs_number_format(buf, v);
    put(c, buf, strlen(buf));
}

void rs_csv_integer(rs_csv *c, int64_t v)
{
    char buf[RS_NUMBER_TEXT];
    next_cell(c);
    put(c, buf, (size_t)snprintf(buf, sizeof buf, "%lld", (long long)v));
}

void rs_csv_end_row(rs_csv *c)
{
    put(c, "\n", 1);
    c->column = 0;
}

reshed_status rs_csv_save(const rs_csv *c, const char *path, reshed_error *err)
{
    if (c->nomem) return rs_fail_nomem(err, "a table", c->room);
    return rs_os_write_file(path, c->text ? c->text : "", c->len, err);
}

void rs_csv_clear(rs_csv *c)
{
    rs_free(c->text);
    memset(c, 0, sizeof *c);
}

/* -------------------------------------------------------------------------------------- reading */
/* Cells are unquoted in place: a cell's text is never longer than what it was read from, and its
 * NUL falls on the separator that ended it. */
typedef struct parser {
    rs_csv_table t;
    size_t cells, cell_room, line_room;
    size_t pos, len, line; /* in the bytes of t.text */
} parser;

void rs_csv_table_clear(rs_csv_table *t)
{
    rs_free(t->text);
    rs_free(t->cell);
    rs_free(t->line);
    memset(t, 0, sizeof *t);
}

/* Appends v to a growing list. */
static reshed_status append(size_t **list, size_t n, size_t *room, size_t v, reshed_error *err)
{
    if (n == *room) {
        size_t want = *room ? 2 * *room : 64;
        size_t *p = rs_regrow(*list, n, want, sizeof *p);
        if (!p) return rs_fail_nomem(err, "a table", want * sizeof *p);
        *list = p;
        *room = want;
    }
    (*list)[n] = v;
    return RESHED_OK;
}

/* One cell; *last: it ended its row. */
static reshed_status take_cell(parser *p, bool *last, reshed_error *err)
{
    char *text = p->t.text;
    size_t to = p->pos, start = p->pos, at = p->line;
    if (p->pos < p->len && text[p->pos] == '"') {
        for (p->pos++;; p->pos++) {
            if (p->pos >= p->len)
                return rs_fail(err, RESHED_ECORRUPT,
                               "quoted cell|a closing '\"'|the end of the file|"
                               "line %zu",
                               at);
            if (text[p->pos] == '"') {
                if (p->pos + 1 < p->len && text[p->pos + 1] == '"')
                    p->pos++;
                else
                    break;
            }
            p->line += text[p->pos] == '\n';
            text[to++] = text[p->pos];
        }
        p->pos++;
    } else {
        while (p->pos < p->len && text[p->pos] != ',' && text[p->pos] != '\n') {
            if (text[p->pos] == '"')
                return rs_fail(err, RESHED_ECORRUPT,
                               "cell|quotes around all of it or none|a '\"' "
                               "inside|line %zu",
                               at);
            text[to++] = text[p->pos++];
        }
        if (to > start && text[to - 1] == '\r') to--;
    }
    if (p->pos < p->len && text[p->pos] == '\r' && p->pos + 1 < p->len && text[p->pos + 1] == '\n')
        p->pos++; /* after a closing quote */
    if (p->pos < p->len && text[p->pos] != ',' && text[p->pos] != '\n')
        return rs_fail(err, RESHED_ECORRUPT,
                       "quoted cell|',' or the end of the line after it|'%c'|"
                       "line %zu",
                       text[p->pos], p->line);
    *last = p->pos >= p->len || text[p->pos] == '\n';
    p->line += p->pos < p->len && *last;
    p->pos++;
    text[to] = '\0';
    return append(&p->t.cell, p->cells++, &p->cell_room, start, err);
}

static reshed_status take_row(parser *p, size_t row, reshed_error *err)
{
    bool last = false;
    size_t line = p->line, n = 0;
    reshed_status st = append(&p->t.line, row, &p->line_room, line, err);
    for (; st == RESHED_OK && !last; n++) {
        if (n == RS_CSV_MAX_COLUMNS)
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "columns of the table|at most %d|more|line %zu", RS_CSV_MAX_COLUMNS,
                           line);
        st = take_cell(p, &last, err);
    }
    if (st != RESHED_OK) return st;
    if (row == 0) p->t.columns = n;
    if (n != p->t.columns)
        return rs_fail(err, RESHED_ECORRUPT, "cells of a row|%zu, as in the first row|%zu|line %zu",
                       p->t.columns, n, line);
    return RESHED_OK;
}

static bool blank_line(parser *p)
{
    const char *s = p->t.text + p->pos;
    size_t left = p->len - p->pos, n = s[0] == '\n'                               ? 1
                                       : left > 1 && s[0] == '\r' && s[1] == '\n' ? 2
                                                                                  : 0;
    p->pos += n;
    p->line += n > 0;
    return n > 0;
}

reshed_status rs_csv_read_mem(const uint8_t *bytes, size_t len, rs_csv_table *out,
                              reshed_error *err)
{
    parser p = {.len = len, .line = 1};
    size_t rows = 0;
    if (len > RS_CSV_MAX_BYTES)
        return rs_fail(err, RESHED_EUNSUPPORTED, "size of the table|at most %zu bytes|%zu bytes",
                       RS_CSV_MAX_BYTES, len);
    const uint8_t *nul = len ? memchr(bytes, 0, len) : NULL;
    if (nul)
        return rs_fail(err, RESHED_ECORRUPT, "not a table|text|a zero byte|offset %zu",
                       (size_t)(nul - bytes));
    if (!(p.t.text = rs_alloc(len + 1, 1))) return rs_fail_nomem(err, "a table", len + 1);
    if (len) memcpy(p.t.text, bytes, len);
    p.t.text[len] = '\0';
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) p.pos = 3;
    reshed_status st = RESHED_OK;
    while (st == RESHED_OK && p.pos < p.len)
        if (!blank_line(&p)) st = take_row(&p, rows++, err);
    if (st == RESHED_OK && rows == 0)
        st = rs_fail(err, RESHED_ECORRUPT, "empty table|a row of column names|nothing");
    if (st != RESHED_OK) {
        rs_csv_table_clear(&p.t);
        return st;
    }
    p.t.rows = rows - 1;
    *out = p.t;
    return RESHED_OK;
}

reshed_status rs_csv_read(const char *path, rs_csv_table *out, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st = rs_os_read_file(path, RS_CSV_MAX_BYTES, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_csv_read_mem(bytes, len, out, err);
    rs_free(bytes);
    return st;
}

const char *rs_csv_name(const rs_csv_table *t, size_t column)
{
    return t->text + t->cell[column];
}

const char *rs_csv_cell(const rs_csv_table *t, size_t row, size_t column)
{
    return t->text + t->cell[(row + 1) * t->columns + column];
}

/* True for a heading that is name, or name with a unit in brackets after it. */
static bool is_named(const char *heading, const char *name)
{
    for (; *name; name++, heading++) {
        char a = *heading, b = *name;
        if (a >= 'A' && a <= 'Z') a = (char)(a + 32);
        if (b >= 'A' && b <= 'Z') b = (char)(b + 32);
        if (a != b) return false;
    }
    return *heading == '\0' || strncmp(heading, " (", 2) == 0;
}

reshed_status rs_csv_column(const rs_csv_table *t, const char *name, size_t *column,
                            reshed_error *err)
{
    char names[100] = "";
    size_t used = 0;
    for (size_t i = 0; i < t->columns; i++)
        if (is_named(rs_csv_name(t, i), name)) {
            *column = i;
            return RESHED_OK;
        }
    for (size_t i = 0; i < t->columns && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.40s", i ? ", " : "",
                                 rs_csv_name(t, i));
    return rs_fail(err, RESHED_ECORRUPT, "no column '%.60s'|that name in the first row|%s|line %zu",
                   name, names, t->line[0]);
}

reshed_status rs_csv_cell_number(const rs_csv_table *t, size_t row, size_t column, double *out,
                                 reshed_error *err)
{
    const char *s = rs_csv_cell(t, row, column);
    if (rs_number_parse(s, strlen(s), out)) return RESHED_OK;
    return rs_fail(err, RESHED_ECORRUPT, "a cell|a number|'%.40s'|line %zu, column %.40s", s,
                   t->line[row + 1], rs_csv_name(t, column));
}
