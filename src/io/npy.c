/* Layout of a .npy file:
 *
 *   0   93 'N' 'U' 'M' 'P' 'Y'    magic
 *   6   major, minor              1.0, 2.0 or 3.0
 *   8   header length             u16 in version 1, u32 in 2 and 3, little-endian
 *   .   header                    a Python dict display in Latin-1 (3: UTF-8), blanks, '\n':
 *                                 {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 *   .   data                      product(shape) elements, nothing after them
 *
 * (NumPy Enhancement Proposal 1 and the numpy.lib.format module's documentation.) */
#include "io/npy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/os.h"
#include "io/common/sample.h"
#include "io/common/stack.h"

static const struct {
    char kind;
    uint8_t size, part; /* bytes of an element; of what the byte order applies to */
    rs_sample sample;   /* of the part */
} types[] = {
    [RS_NPY_B1] = {'b', 1, 1, RS_SAMPLE_U8},  [RS_NPY_U1] = {'u', 1, 1, RS_SAMPLE_U8},
    [RS_NPY_I1] = {'i', 1, 1, RS_SAMPLE_I8},  [RS_NPY_U2] = {'u', 2, 2, RS_SAMPLE_U16},
    [RS_NPY_I2] = {'i', 2, 2, RS_SAMPLE_I16}, [RS_NPY_U4] = {'u', 4, 4, RS_SAMPLE_U32},
    [RS_NPY_I4] = {'i', 4, 4, RS_SAMPLE_I32}, [RS_NPY_U8] = {'u', 8, 8, RS_SAMPLE_U64},
    [RS_NPY_I8] = {'i', 8, 8, RS_SAMPLE_I64}, [RS_NPY_F2] = {'f', 2, 2, RS_SAMPLE_F16},
    [RS_NPY_F4] = {'f', 4, 4, RS_SAMPLE_F32}, [RS_NPY_F8] = {'f', 8, 8, RS_SAMPLE_F64},
    [RS_NPY_C8] = {'c', 8, 4, RS_SAMPLE_F32}, [RS_NPY_C16] = {'c', 16, 8, RS_SAMPLE_F64},
};
#define TYPES ((int)(sizeof types / sizeof *types))

size_t rs_npy_size(rs_npy_type type)
{
    return types[type].size;
}

void rs_npy_clear(rs_npy *a)
{
    rs_free(a->data);
    memset(a, 0, sizeof *a);
}

static bool host_is_big(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 0;
}

double rs_npy_at(const rs_npy *a, size_t i)
{
    double v;
    rs_sample_to_double(types[a->type].sample, host_is_big(),
                        (const uint8_t *)a->data + i * types[a->type].size, 1, &v);
    return a->type == RS_NPY_B1 ? v != 0 : v;
}

/* ----------------------------------------------------------------------------------- the header */
typedef struct parser {
    const char *base, *p, *end;
} parser;

typedef struct header {
    rs_npy a; /* without data */
    bool big, fortran;
    bool has_descr, has_order, has_shape;
} header;

static reshed_status bad(const parser *s, const char *expected, reshed_error *err)
{
    char found[16];
    size_t n = (size_t)(s->end - s->p);
    snprintf(found, sizeof found, "%.*s", (int)(n < 12 ? n : 12), s->p);
    return rs_fail(err, RESHED_ECORRUPT, "NPY header|%s|'%s'|character %zu of the header", expected,
                   found, (size_t)(s->p - s->base));
}

static void skip_blanks(parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n')) s->p++;
}

/* Skips blanks, then takes c if it is next. */
static bool take_char(parser *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

/* A quoted text of fewer than n characters; no escapes, which no header needs. */
static bool take_text(parser *s, char *buf, size_t n)
{
    size_t k = 0;
    skip_blanks(s);
    if (s->p == s->end || (*s->p != '\'' && *s->p != '"')) return false;
    char quote = *s->p;
    const char *q = s->p + 1;
    while (q < s->end && *q != quote && k + 1 < n && *q != '\\') buf[k++] = *q++;
    buf[k] = '\0';
    if (q == s->end || *q != quote) return false;
    s->p = q + 1;
    return true;
}

static bool take_word(parser *s, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return false;
    s->p += n;
    return true;
}

static bool take_size(parser *s, size_t *out)
{
    size_t v = 0;
    skip_blanks(s);
    if (s->p == s->end || *s->p < '0' || *s->p > '9') return false;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        size_t digit = (size_t)(*s->p - '0');
        if (v > (SIZE_MAX - digit) / 10) return false;
        v = 10 * v + digit;
        s->p++;
    }
    if (s->p < s->end && *s->p == 'L') s->p++; /* a long of Python 2 */
    *out = v;
    return true;
}

static reshed_status take_descr(parser *s, header *h, reshed_error *err)
{
    char text[16];
    parser at = *s;
    if (take_char(s, '['))
        return rs_fail(err, RESHED_EUNSUPPORTED, "NPY array|plain numbers|a structured array");
    if (!take_text(s, text, sizeof text)) return bad(&at, "a type such as '<f4'", err);
    h->big = text[0] == '>' || (text[0] == '=' && host_is_big());
    if (!strchr("<>|=", text[0]) || !text[0]) return bad(&at, "a type such as '<f4'", err);
    for (int t = 0; t < TYPES; t++) {
        char name[8];
        snprintf(name, sizeof name, "%c%d", types[t].kind, types[t].size);
        if (strcmp(text + 1, name) == 0) {
            h->a.type = (rs_npy_type)t;
            h->has_descr = true;
            return RESHED_OK;
        }
    }
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "type of the NPY array|b1, u1, i1, ... f2, f4, f8, c8 or c16|'%s'", text);
}

static reshed_status take_shape(parser *s, header *h, reshed_error *err)
{
    if (!take_char(s, '(')) return bad(s, "a shape such as (2, 3)", err);
    h->a.ndim = 0;
    while (!take_char(s, ')')) {
        size_t n;
        if (!take_size(s, &n)) return bad(s, "a length", err);
        if (h->a.ndim == RS_NPY_MAX_DIMS)
            return rs_fail(err, RESHED_EUNSUPPORTED, "axes of the NPY array|at most %d|more",
                           RS_NPY_MAX_DIMS);
        h->a.dims[h->a.ndim++] = n;
        if (!take_char(s, ',')) {
            if (!take_char(s, ')')) return bad(s, "',' or ')'", err);
            break;
        }
    }
    h->has_shape = true;
    return RESHED_OK;
}

static reshed_status take_entry(parser *s, header *h, reshed_error *err)
{
    char key[24];
    parser at = *s;
    if (!take_text(s, key, sizeof key) || !take_char(s, ':')) return bad(&at, "a key", err);
    if (strcmp(key, "descr") == 0 && !h->has_descr) return take_descr(s, h, err);
    if (strcmp(key, "shape") == 0 && !h->has_shape) return take_shape(s, h, err);
    if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
        h->fortran = take_word(s, "True");
        h->has_order = h->fortran || take_word(s, "False");
        return h->has_order ? RESHED_OK : bad(s, "True or False", err);
    }
    return bad(&at, "descr, fortran_order and shape, once each", err);
}

static reshed_status parse_dict(const char *text, size_t n, header *h, reshed_error *err)
{
    parser s = {text, text, text + n};
    if (!take_char(&s, '{')) return bad(&s, "'{'", err);
    while (!take_char(&s, '}')) {
        reshed_status st = take_entry(&s, h, err);
        if (st != RESHED_OK) return st;
        if (!take_char(&s, ',')) {
            if (!take_char(&s, '}')) return bad(&s, "',' or '}'", err);
            break;
        }
    }
    skip_blanks(&s);
    if (s.p != s.end) return bad(&s, "the end of the header", err);
    if (!h->has_descr || !h->has_order || !h->has_shape)
        return rs_fail(err, RESHED_ECORRUPT, "NPY header|descr, fortran_order and shape|no %s",
                       !h->has_descr   ? "descr"
                       : !h->has_order ? "fortran_order"
                                       : "shape");
    return RESHED_OK;
}

static reshed_status read_header(rs_cursor *c, header *h, reshed_error *err)
{
    static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    const uint8_t *m = rs_take(c, sizeof magic);
    if (!m || memcmp(m, magic, sizeof magic) != 0)
        return rs_fail(err, RESHED_ECORRUPT, "not an NPY file|93 'NUMPY'|other bytes|offset 0");
    uint8_t major = rs_u8(c), minor = rs_u8(c);
    if (!c->overrun && (major < 1 || major > 3 || minor != 0))
        return rs_fail(err, RESHED_EUNSUPPORTED, "NPY version|1.0, 2.0 or 3.0|%u.%u|offset 6",
                       major, minor);
    size_t n = major == 1 ? rs_u16(c) : rs_u32(c);
    const uint8_t *text = rs_take(c, n);
    if (!text)
        return rs_fail(err, RESHED_ECORRUPT, "NPY header|%zu bytes|%zu bytes|end of the file",
                       c->need_at, c->size);
    reshed_status st = parse_dict((const char *)text, n, h, err);
    if (st != RESHED_OK) return st;
    h->a.count = 1;
    bool empty = false;
    for (int i = 0; i < h->a.ndim; i++) empty = empty || h->a.dims[i] == 0;
    for (int i = 0; i < h->a.ndim && !empty; i++)
        if (!rs_mul(h->a.count, h->a.dims[i], &h->a.count) || h->a.count > RS_NPY_MAX_COUNT)
            return rs_fail(err, RESHED_EUNSUPPORTED, "elements of the NPY array|at most %zu|more",
                           RS_NPY_MAX_COUNT);
    if (empty) h->a.count = 0;
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- reading */
/* From column-major to row-major: element (i0,i1,i2,i3) lies at i0 + n0*(i1 + n1*(i2 + n2*i3)). */
static void to_c_order(const rs_npy *a, const uint8_t *src, uint8_t *dst)
{
    size_t n[RS_NPY_MAX_DIMS] = {1, 1, 1, 1}, size = types[a->type].size;
    for (int i = 0; i < a->ndim; i++) n[i] = a->dims[i];
    for (size_t i = 0; i < n[0]; i++)
        for (size_t j = 0; j < n[1]; j++)
            for (size_t k = 0; k < n[2]; k++)
                for (size_t l = 0; l < n[3]; l++, dst += size)
                    memcpy(dst, src + (i + n[0] * (j + n[1] * (k + n[2] * l))) * size, size);
}

reshed_status rs_npy_read_mem(const uint8_t *bytes, size_t len, rs_npy *out, reshed_error *err)
{
    rs_cursor c = rs_cursor_make(bytes, len, false);
    header h = {.has_descr = false};
    reshed_status st = read_header(&c, &h, err);
    if (st != RESHED_OK) return st;
    size_t size = types[h.a.type].size, part = types[h.a.type].part;
    size_t need = h.a.count * size, left = rs_cursor_left(&c); /* at most 2^30 times 16 */
    if (need != left)
        return rs_fail(err, RESHED_ECORRUPT, "data of the NPY file|%zu bytes|%zu bytes|offset %zu",
                       need, left, c.pos);
    uint8_t *data = rs_alloc(need, 1);
    if (!data) return rs_fail_nomem(err, "an NPY array", need);
    const uint8_t *src = rs_take(&c, need);
    uint8_t *scratch = NULL;
    if (h.fortran && h.a.ndim > 1 && h.a.count > 0) {
        if (!(scratch = rs_alloc(need, 1))) {
            rs_free(data);
            return rs_fail_nomem(err, "an NPY array", need);
        }
        to_c_order(&h.a, src, scratch);
        src = scratch;
    }
    rs_sample_native(part, h.big, src, need / part, data);
    rs_free(scratch);
    h.a.data = data;
    *out = h.a;
    return RESHED_OK;
}

reshed_status rs_npy_read(const char *path, rs_npy *out, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st =
        rs_os_read_file(path, RS_NPY_MAX_COUNT * 16 + ((size_t)1 << 20), &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_npy_read_mem(bytes, len, out, err);
    rs_free(bytes);
    return st;
}

reshed_status rs_npy_to_image(const rs_npy *a, int frame, rs_image *out, reshed_error *err)
{
    rs_image im;
    rs_stack s;
    uint64_t dims[RS_NPY_MAX_DIMS];
    const size_t size = types[a->type].size;
    for (int i = 0; i < a->ndim; i++) dims[i] = a->dims[i];
    if (!rs_stack_of(dims, a->ndim, &s))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "shape of the NPY array|an image, (H, W), or a stack, (N, H, W)|%d axes, "
                       "the last of %zu",
                       a->ndim, a->ndim ? a->dims[a->ndim - 1] : 1);
    if (types[a->type].kind == 'c')
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "type of the NPY array|real numbers, for an image|complex numbers");
    reshed_status st = rs_stack_choose(s.frames, frame, &frame, err);
    if (st == RESHED_OK) st = rs_image_init(&im, s.height, s.width, err);
    if (st != RESHED_OK) return st;
    const uint8_t *first = (const uint8_t *)a->data + (size_t)frame * s.frame_step * size;
    const int64_t run = s.column_step == 1 ? s.width : 1; /* pixels that lie side by side */
    for (int64_t r = 0; r < s.height; r++)
        for (int64_t c = 0; c < s.width; c += run)
            rs_sample_to_float(types[a->type].sample, host_is_big(),
                               first + ((size_t)r * s.row_step + (size_t)c * s.column_step) * size,
                               (size_t)run, im.data + r * s.width + c);
    const size_t n = (size_t)(s.height * s.width);
    for (size_t i = 0; a->type == RS_NPY_B1 && i < n; i++) im.data[i] = im.data[i] != 0;
    if (s.frames > 1) {
        im.frame = frame;
        im.frames = (int)s.frames;
    }
    *out = im;
    return RESHED_OK;
}

reshed_status rs_npy_image_read_mem(const uint8_t *bytes, size_t len, int frame, rs_image *out,
                                    reshed_error *err)
{
    rs_npy a;
    reshed_status st = rs_npy_read_mem(bytes, len, &a, err);
    if (st != RESHED_OK) return st;
    st = rs_npy_to_image(&a, frame, out, err);
    rs_npy_clear(&a);
    return st;
}

/* -------------------------------------------------------------------------------------- writing */
reshed_status rs_npy_write_mem(rs_npy_type type, int ndim, const size_t *dims, const void *data,
                               uint8_t **bytes, size_t *len, reshed_error *err)
{
    char text[192], shape[112] = "";
    size_t need = types[type].size, used = 0;
    if (ndim < 0 || ndim > RS_NPY_MAX_DIMS)
        return rs_fail(err, RESHED_EINVAL, "axes of an NPY array|0 to %d|%d", RS_NPY_MAX_DIMS,
                       ndim);
    for (int i = 0; i < ndim; i++) {
        if (!rs_mul(need, dims[i], &need))
            return rs_fail(err, RESHED_EINVAL,
                           "size of an NPY array|fewer bytes than memory can hold|"
                           "more");
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%zu%s", dims[i],
                                 ndim == 1      ? ","
                                 : i + 1 < ndim ? ", "
                                                : "");
    }
    int k =
        snprintf(text, sizeof text, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (%s), }",
                 types[type].part == 1 ? '|' : '<', types[type].kind, types[type].size, shape);
    size_t head = (10 + (size_t)k + 1 + 63) / 64 * 64;
    uint8_t *b = need <= SIZE_MAX - head ? rs_alloc(head + need, 1) : NULL;
    if (!b) return rs_fail_nomem(err, "an NPY file", need);
    memcpy(b, "\x93NUMPY\x01\x00", 8);
    rs_put_u16(b + 8, (uint16_t)(head - 10));
    memset(b + 10, ' ', head - 10);
    memcpy(b + 10, text, (size_t)k);
    b[head - 1] = '\n';
    rs_sample_native(types[type].part, false, data, need / types[type].part, b + head);
    *bytes = b;
    *len = head + need;
    return RESHED_OK;
}

reshed_status rs_npy_write(const char *path, rs_npy_type type, int ndim, const size_t *dims,
                           const void *data, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st = rs_npy_write_mem(type, ndim, dims, data, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_os_write_file(path, bytes, len, err);
    rs_free(bytes);
    return st;
}
