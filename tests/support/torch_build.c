#include "support/torch_build.h"

#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

void bytes_add(bytes *b, const void *p, size_t n)
{
    if (n > b->room - b->n) {
        b->room = 2 * b->room + n + 256;
        b->p = realloc(b->p, b->room);
        assert_non_null(b->p);
    }
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}

void bytes_free(bytes *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

/* ---------------------------------------------------------------------------------- pickle text */
static void add_byte(bytes *b, int c)
{
    uint8_t u = (uint8_t)c;
    bytes_add(b, &u, 1);
}

static void add_little(bytes *b, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) add_byte(b, (int)(v >> (8 * i) & 255));
}

static void add_string(bytes *b, const char *s)
{
    add_byte(b, 'X');
    add_little(b, strlen(s), 4);
    bytes_add(b, s, strlen(s));
}

static void add_int(bytes *b, long long v)
{
    if (v >= 0 && v < 256) {
        add_byte(b, 'K');
        add_little(b, (uint64_t)v, 1);
    } else if (v == (int32_t)v) {
        add_byte(b, 'J');
        add_little(b, (uint64_t)v, 4);
    } else {
        add_byte(b, 0x8a);
        add_byte(b, 8);
        add_little(b, (uint64_t)v, 8);
    }
}

static void add_global(bytes *b, const char *module_name)
{
    const char *space = strchr(module_name, ' ');
    add_byte(b, 'c');
    bytes_add(b, module_name, (size_t)(space - module_name));
    add_byte(b, '\n');
    bytes_add(b, space + 1, strlen(space + 1));
    add_byte(b, '\n');
}

void pickle_add(bytes *b, const char *text, ...)
{
    va_list ap;
    va_start(ap, text);
    for (; *text; text++) {
        if (*text == ' ') continue;
        if (*text == 'T') {
            add_byte(b, 0x88);
        } else if (*text == 'F') {
            add_byte(b, 0x89);
        } else if (*text != '%') {
            add_byte(b, *text);
        } else {
            switch (*++text) {
            case 's': add_string(b, va_arg(ap, const char *)); break;
            case 'i': add_int(b, va_arg(ap, long long)); break;
            case 'g': add_global(b, va_arg(ap, const char *)); break;
            case 'b': add_byte(b, va_arg(ap, int)); break;
            default: fail_msg("pickle_add: %%%c", *text);
            }
        }
    }
    va_end(ap);
}

void pickle_tensor(bytes *b, const char *type, const char *key, long long count, long long offset,
                   int ndim, const long long *dims, const long long *strides)
{
    char global[64];
    snprintf(global, sizeof global, "torch %s", type);
    pickle_add(b, "%g ( (%s %g %s %s %i t Q %i (", "torch._utils _rebuild_tensor_v2", "storage",
               global, key, "cpu", count, offset);
    for (int i = 0; i < ndim; i++) add_int(b, dims[i]);
    pickle_add(b, "t (");
    for (int i = 0; i < ndim; i++) add_int(b, strides[i]);
    pickle_add(b, "t F %g ) R t R", "collections OrderedDict");
}

void pickle_vector(bytes *b, const char *key, long long n)
{
    const long long one = 1;
    pickle_tensor(b, "FloatStorage", key, n, 0, 1, &n, &one);
}

void pickle_meta(bytes *b)
{
    pickle_add(b, "%b%b } ( %s %s %s %s %s %i %s T %s N %s %s %s %i %s (%i%i%i l %s N %s", 0x80, 2,
               "model_type", "seg", "model", "ResHedNet", "nb_classes", 1LL, "batch_norm",
               "dropout", "upsampling", "bilinear", "nb_filters", 2LL, "layers", 1LL, 2LL, 3LL,
               "optimizer", "weights");
}

void pickle_end(bytes *b)
{
    pickle_add(b, "u .");
}

/* ------------------------------------------------------------------------------------------ ZIP */
bytes zip_build(const zip_part *parts, size_t n)
{
    zip_error_t e;
    bytes out = {0};
    zip_error_init(&e);
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &e);
    assert_non_null(target);
    zip_t *z = zip_open_from_source(target, ZIP_TRUNCATE, &e);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++) {
        zip_source_t *s = zip_source_buffer(z, parts[i].data, parts[i].n, 0);
        zip_int64_t k = zip_file_add(z, parts[i].name, s, ZIP_FL_ENC_UTF_8);
        assert_true(k >= 0);
        zip_set_file_compression(z, (zip_uint64_t)k,
                                 parts[i].deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    zip_source_keep(target);
    assert_int_equal(zip_close(z), 0);
    assert_int_equal(zip_source_open(target), 0);
    uint8_t buf[4096];
    for (zip_int64_t k; (k = zip_source_read(target, buf, sizeof buf)) > 0;)
        bytes_add(&out, buf, (size_t)k);
    zip_source_close(target);
    zip_source_free(target);
    zip_error_fini(&e);
    return out;
}

bytes torch_build(const bytes *pickle, size_t floats)
{
    float *ramp = malloc((floats ? floats : 1) * sizeof *ramp);
    assert_non_null(ramp);
    for (size_t i = 0; i < floats; i++) ramp[i] = (float)i;
    const zip_part parts[] = {{"t/data.pkl", pickle->p, pickle->n, false},
                              {"t/data/0", ramp, floats * sizeof *ramp, false},
                              {"t/version", "3\n", 2, false}};
    bytes out = zip_build(parts, 3);
    free(ramp);
    return out;
}
