#include "spm/instrument/nanonis/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"

#define BODY_SIZE_AT 32
#define MAX_NAMES 4096

/* ------------------------------------------------------------------------------------- requests */

static void store(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

/* Room for n bytes more of the body; keeps the size in the header right. NULL: no room. */
static uint8_t *extend(rs_nano_message *m, size_t n)
{
    if (m->overflow || n > sizeof m->bytes - m->size) {
        m->overflow = true;
        return NULL;
    }
    uint8_t *p = m->bytes + m->size;
    m->size += n;
    store(m->bytes + BODY_SIZE_AT, m->size - RS_NANO_HEADER, 4);
    return p;
}

static void put_uint(rs_nano_message *m, uint64_t v, size_t n)
{
    uint8_t *p = extend(m, n);
    if (p) store(p, v, n);
}

static void put_bytes(rs_nano_message *m, const char *s, size_t n)
{
    uint8_t *p = extend(m, n);
    if (p && n > 0) memcpy(p, s, n);
}

void rs_nano_begin(rs_nano_message *m, const char *name)
{
    size_t n = strlen(name);
    m->overflow = n > RS_NANO_NAME;
    if (m->overflow) n = RS_NANO_NAME;
    memset(m->bytes, 0, RS_NANO_HEADER);
    memcpy(m->bytes, name, n);
    memcpy(m->name, name, n);
    m->name[n] = '\0';
    m->bytes[BODY_SIZE_AT + 5] = 1; /* send a response */
    m->size = RS_NANO_HEADER;
}

void rs_nano_put(rs_nano_message *m, const char *format, const double *value)
{
    for (size_t i = 0; format[i]; i++) {
        float f = (float)value[i];
        uint32_t f_bits;
        uint64_t d_bits;
        memcpy(&f_bits, &f, sizeof f_bits);
        memcpy(&d_bits, &value[i], sizeof d_bits);
        switch (format[i]) {
        case 'H': put_uint(m, (uint16_t)value[i], 2); break;
        case 'I': put_uint(m, (uint32_t)value[i], 4); break;
        case 'i': put_uint(m, (uint32_t)(int32_t)value[i], 4); break;
        case 'f': put_uint(m, f_bits, 4); break;
        case 'd': put_uint(m, d_bits, 8); break;
        default: m->overflow = true;
        }
    }
}

void rs_nano_put_string(rs_nano_message *m, const char *s)
{
    size_t n = strlen(s);
    if (n > sizeof m->bytes) n = sizeof m->bytes; /* does not fit anyway */
    put_uint(m, n, 4);
    put_bytes(m, s, n);
}

void rs_nano_put_strings(rs_nano_message *m, const char *const *s, int n)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += 4 + strlen(s[i]);
    if (bytes > sizeof m->bytes) {
        m->overflow = true;
        return;
    }
    put_uint(m, bytes, 4);
    put_uint(m, (uint32_t)n, 4);
    for (int i = 0; i < n; i++) rs_nano_put_string(m, s[i]);
}

void rs_nano_request(rs_nano_message *m, const char *name, const char *format, const double *value)
{
    rs_nano_begin(m, name);
    rs_nano_put(m, format, value);
}

/* -------------------------------------------------------------------------------------- replies */

reshed_status rs_nano_read_header(const uint8_t header[RS_NANO_HEADER], const char *name,
                                  size_t limit, size_t *body, reshed_error *err)
{
    char padded[RS_NANO_NAME + 1] = "", found[RS_NANO_NAME + 1] = "";
    snprintf(padded, sizeof padded, "%s", name);
    memcpy(found, header, RS_NANO_NAME);
    if (memcmp(padded, found, RS_NANO_NAME) != 0)
        return rs_fail(err, RESHED_ECORRUPT, "reply to another command|%s|%s", padded, found);
    rs_cursor c = rs_cursor_make(header + BODY_SIZE_AT, 4, true);
    int32_t size = rs_i32(&c);
    if (size < 8 || (size_t)size > limit)
        return rs_fail(err, RESHED_ECORRUPT, "%s: size of the reply|8 to %zu bytes|%ld", name,
                       limit, (long)size);
    *body = (size_t)size;
    return RESHED_OK;
}

static rs_cursor open_reply(const rs_nano_reply *r)
{
    return rs_cursor_make(r->body, r->size, true);
}

/* An error block that reaches from c exactly to the end. */
static bool take_error(rs_cursor c, uint32_t *status, const uint8_t **text, size_t *n)
{
    uint32_t flag = rs_u32(&c);
    int32_t size = rs_i32(&c);
    if (c.overrun || size < 0 || (size_t)size != rs_cursor_left(&c)) return false;
    *status = flag;
    *n = (size_t)size;
    *text = rs_take(&c, *n);
    return true;
}

/* After the values have been taken from c. `more`: unknown values may follow, as long as the reply
 * ends with the error block of a success. */
static reshed_status finish(const rs_nano_reply *r, const rs_cursor *c, bool more,
                            reshed_error *err)
{
    uint32_t status;
    const uint8_t *text;
    size_t n;
    if (c->overrun || !take_error(*c, &status, &text, &n)) {
        static const uint8_t success[8] = {0};
        if (more && !c->overrun && rs_cursor_left(c) >= 8 &&
            memcmp(r->body + r->size - 8, success, 8) == 0)
            return RESHED_OK;
        /* An error without the values. */
        if (!take_error(open_reply(r), &status, &text, &n) || status == 0)
            return rs_fail(err, RESHED_ECORRUPT, "%s: the reply's content does not fit its size",
                           r->name);
    }
    if (status == 0) return RESHED_OK;
    if (n > 150) n = 150;
    return rs_fail(err, RESHED_EUNSUPPORTED, "%s: the instrument reports: %.*s", r->name,
                   n ? (int)n : 17, n ? (const char *)text : "an unnamed error.");
}

static double take_number(rs_cursor *c, char letter)
{
    switch (letter) {
    case 'H': return rs_u16(c);
    case 'I': return rs_u32(c);
    case 'i': return rs_i32(c);
    case 'f': return (double)rs_f32(c);
    default: return rs_f64(c);
    }
}

reshed_status rs_nano_read(const rs_nano_reply *r, const char *format, double *value,
                           reshed_error *err)
{
    rs_cursor c = open_reply(r);
    double found[16] = {0};
    size_t n = strlen(format);
    if (n > sizeof found / sizeof *found)
        return rs_fail(err, RESHED_EINTERNAL, "%s: too many values", r->name);
    for (size_t i = 0; i < n; i++) found[i] = take_number(&c, format[i]);
    reshed_status st = finish(r, &c, false, err);
    if (st == RESHED_OK && n > 0) memcpy(value, found, n * sizeof *found);
    return st;
}

/* A count or size: what is negative cannot fit, so it fails the cursor. */
static size_t take_count(rs_cursor *c)
{
    int32_t n = rs_i32(c);
    if (n >= 0) return (size_t)n;
    rs_take(c, SIZE_MAX);
    return 0;
}

/* A string, cut to fit in n bytes with its NUL; its full length is returned. */
static size_t take_string(rs_cursor *c, char *s, size_t n)
{
    size_t size = take_count(c);
    const uint8_t *p = rs_take(c, size);
    if (!p) size = 0;
    size_t k = size < n ? size : n - 1;
    if (k > 0) memcpy(s, p, k);
    s[k] = '\0';
    return size;
}

/* rows and cols, and that many f32. */
static const uint8_t *take_table(rs_cursor *c, int *rows, int *cols)
{
    size_t a = take_count(c), b = take_count(c);
    if (a > RS_NANO_MAX_SIDE || b > RS_NANO_MAX_SIDE) rs_take(c, SIZE_MAX);
    if (c->overrun) return NULL;
    *rows = (int)a;
    *cols = (int)b;
    return rs_take(c, a * b * 4); /* below 2^34: fits size_t where frames of this size do */
}

void rs_nano_names_free(rs_nano_names *names)
{
    rs_free(names->name);
    *names = (rs_nano_names){0};
}

/* An array of strings into one block, pointers first. A malformed array fails the cursor and leaves
 * *names empty; only want of memory is an error here. */
static reshed_status take_names(const rs_nano_reply *r, rs_cursor *c, rs_nano_names *names,
                                reshed_error *err)
{
    size_t bytes = take_count(c), n = take_count(c);
    const uint8_t *p = rs_take(c, bytes);
    if (!p || n > MAX_NAMES || n > bytes / 4) {
        if (p && n > 0) rs_take(c, SIZE_MAX);
        return RESHED_OK;
    }
    /* Each string loses its 4 bytes of size and gains a NUL. */
    const size_t room = n * sizeof(char *) + bytes;
    char **list = rs_alloc(room, 1);
    if (!list) return rs_fail_nomem(err, r->name, room);
    char *text = (char *)(list + n);
    rs_cursor a = rs_cursor_make(p, bytes, true);
    for (size_t i = 0; i < n; i++) {
        list[i] = text;
        text += take_string(&a, text, rs_cursor_left(&a) + 1) + 1;
        if (a.overrun) break;
    }
    if (a.overrun || rs_cursor_left(&a) > 0) {
        rs_free(list);
        rs_take(c, SIZE_MAX);
        return RESHED_OK;
    }
    names->n = (int)n;
    names->name = list;
    return RESHED_OK;
}

reshed_status rs_nano_read_names(const rs_nano_reply *r, rs_nano_names *names, int **slots,
                                 reshed_error *err)
{
    rs_cursor c = open_reply(r);
    rs_nano_names found = {0};
    int *index = NULL;
    reshed_status st = take_names(r, &c, &found, err);
    if (st == RESHED_OK && slots) {
        size_t n = take_count(&c);
        if (n != (size_t)found.n) rs_take(&c, SIZE_MAX);
        if (!c.overrun && !(index = rs_alloc(n, sizeof *index)))
            st = rs_fail_nomem(err, r->name, n * sizeof *index);
        for (size_t i = 0; index && i < n; i++) index[i] = rs_i32(&c);
    }
    if (st == RESHED_OK) st = finish(r, &c, false, err);
    if (st != RESHED_OK) {
        rs_nano_names_free(&found);
        rs_free(index);
        return st;
    }
    *names = found;
    if (slots) *slots = index;
    return RESHED_OK;
}

reshed_status rs_nano_read_version(const rs_nano_reply *r, char *text, size_t n, reshed_error *err)
{
    rs_cursor c = open_reply(r);
    char line[64], version[64];
    take_string(&c, line, sizeof line);
    take_string(&c, version, sizeof version);
    uint32_t host = rs_u32(&c), engine = rs_u32(&c);
    reshed_status st = finish(r, &c, false, err);
    if (st != RESHED_OK) return st;
    snprintf(text, n, "SPECS Nanonis %s, %s, host R%lu, RT engine R%lu", line, version,
             (unsigned long)host, (unsigned long)engine);
    return RESHED_OK;
}

reshed_status rs_nano_read_buffer(const rs_nano_reply *r, int *pixels, int *lines,
                                  reshed_error *err)
{
    rs_cursor c = open_reply(r);
    size_t n = take_count(&c);
    if (n > MAX_NAMES) rs_take(&c, SIZE_MAX);
    rs_take(&c, c.overrun ? SIZE_MAX : 4 * n);
    size_t cols = take_count(&c), rows = take_count(&c);
    reshed_status st = finish(r, &c, false, err);
    if (st != RESHED_OK) return st;
    if (cols < 1 || cols > RS_NANO_MAX_SIDE || rows < 1 || rows > RS_NANO_MAX_SIDE)
        return rs_fail(err, RESHED_ECORRUPT, "%s: pixels and lines|1 to %d|%zu and %zu", r->name,
                       RS_NANO_MAX_SIDE, cols, rows);
    *pixels = (int)cols;
    *lines = (int)rows;
    return RESHED_OK;
}

reshed_status rs_nano_read_props(const rs_nano_reply *r, rs_nano_props *props, reshed_error *err)
{
    rs_cursor c = open_reply(r);
    rs_nano_props found;
    rs_take(&c, 12); /* continuous, bouncy, autosave */
    size_t series = take_string(&c, found.series, sizeof found.series);
    size_t comment = take_string(&c, found.comment, sizeof found.comment);
    reshed_status st = finish(r, &c, true, err);
    if (st != RESHED_OK) return st;
    if (series >= sizeof found.series || comment >= sizeof found.comment)
        return rs_fail(err, RESHED_EUNSUPPORTED, "%s: a series name or comment is too long",
                       r->name);
    *props = found;
    return RESHED_OK;
}

reshed_status rs_nano_read_frame(const rs_nano_reply *r, rs_nano_frame *frame, reshed_error *err)
{
    rs_cursor c = open_reply(r);
    rs_nano_frame found = {0};
    take_string(&c, found.channel, sizeof found.channel);
    found.values = take_table(&c, &found.rows, &found.cols);
    found.up = rs_u32(&c) != 0;
    reshed_status st = finish(r, &c, false, err);
    if (st == RESHED_OK) *frame = found;
    return st;
}

reshed_status rs_nano_read_curves(const rs_nano_reply *r, rs_nano_curves *curves, reshed_error *err)
{
    rs_cursor c = open_reply(r);
    rs_nano_curves found = {0};
    reshed_status st = take_names(r, &c, &found.channel, err);
    if (st == RESHED_OK) {
        found.values = take_table(&c, &found.rows, &found.cols);
        size_t fixed = take_count(&c);
        rs_take(&c, fixed > MAX_NAMES ? SIZE_MAX : 4 * fixed);
        st = finish(r, &c, false, err);
    }
    if (st == RESHED_OK && found.channel.n != found.rows)
        st = rs_fail(err, RESHED_ECORRUPT, "%s: names of the channels|%d|%d", r->name, found.rows,
                     found.channel.n);
    if (st != RESHED_OK) {
        rs_nano_names_free(&found.channel);
        return st;
    }
    *curves = found;
    return RESHED_OK;
}

void rs_nano_floats(const uint8_t *p, size_t n, float *out)
{
    rs_cursor c = rs_cursor_make(p, 4 * n, true);
    for (size_t i = 0; i < n; i++) out[i] = rs_f32(&c);
}
