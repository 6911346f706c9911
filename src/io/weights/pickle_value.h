/* pickle_value.h - the values of a pickle (pickle.h reads them). */
#ifndef RS_IO_WEIGHTS_PICKLE_VALUE_H
#define RS_IO_WEIGHTS_PICKLE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rs_pkl_kind {
    RS_PKL_NONE,
    RS_PKL_BOOL,   /* i is 0 or 1 */
    RS_PKL_INT,    /* i */
    RS_PKL_BIGINT, /* text: an integer beyond 64 bits, little-endian two's complement */
    RS_PKL_FLOAT,  /* f */
    RS_PKL_STR,    /* text: UTF-8, not verified; also a str of Python 2 */
    RS_PKL_BYTES,  /* text: bytes or bytearray */
    RS_PKL_TUPLE,  /* items */
    RS_PKL_LIST,
    RS_PKL_SET,
    RS_PKL_DICT,   /* items: key, value, key, value, ... in the order of insertion; also OrderedDict
                      and defaultdict */
    RS_PKL_GLOBAL, /* global: a class or function, by name only */
    RS_PKL_OBJECT, /* call: what calling `of` with `args` would have given; its state is dropped */
    RS_PKL_PERSID  /* id: a reference to something outside the pickle (a torch storage) */
} rs_pkl_kind;

/* A value. Values can be shared and can contain themselves: a walk over them must be bounded. */
typedef struct rs_pkl rs_pkl;
struct rs_pkl {
    rs_pkl_kind kind;
    union {
        int64_t i;
        double f;
        struct {
            const uint8_t *s; /* borrowed from the parsed bytes, not NUL-terminated */
            size_t n;
        } text;
        struct {
            const rs_pkl **at;
            size_t n, room;
        } items;
        struct {
            const rs_pkl *module, *name; /* both RS_PKL_STR */
        } global;
        struct {
            const rs_pkl *of, *args;
        } call;
        const rs_pkl *id;
    } u;
};

/* Each of these takes NULL for v and then gives false or NULL. */

/* Returns whether v is the string s. */
bool rs_pkl_is(const rs_pkl *v, const char *s);
/* Returns whether v is the class or function module.name. */
bool rs_pkl_is_global(const rs_pkl *v, const char *module, const char *name);
/* The value of a string key of a dict, NULL when v is no dict or lacks it. */
const rs_pkl *rs_pkl_get(const rs_pkl *v, const char *key);
/* Returns whether v is a scalar of numpy. */
bool rs_pkl_is_numpy(const rs_pkl *v);
/* The value of an integer, also of one of numpy's types; false when v is none. Bytes of numpy's are taken
 * as little-endian. */
bool rs_pkl_integer(const rs_pkl *v, int64_t *out);
/* Item i of a tuple, list or set; NULL past the end. */
const rs_pkl *rs_pkl_item(const rs_pkl *v, size_t i);
/* The kind of v in words: "a dict", "an object of class ...". Cut to n bytes; returns
 * buf. */
const char *rs_pkl_describe(const rs_pkl *v, char *buf, size_t n);

#endif
