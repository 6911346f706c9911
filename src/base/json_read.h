/* json_read.h - reads JSON (RFC 8259) that comes from outside: bounded, strict, one block of memory.
 *
 *     rs_json_doc *d = NULL;
 *     st = rs_json_read(text, n, &d, err);
 *     const rs_json_value *v = rs_json_member(rs_json_root(d), "row");
 *     if (v && v->kind == RS_JSON_NUMBER) row = v->number;
 *     rs_json_free(d);
 *
 * Refused: what is no JSON, bytes that are no UTF-8, a NUL within a string, more than RS_JSON_DEPTH levels, numbers
 * that are not finite doubles. Of a key that stands twice the first counts. */
#ifndef RS_BASE_JSON_READ_H
#define RS_BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef enum rs_json_kind {
    RS_JSON_NULL = 0,
    RS_JSON_BOOL,
    RS_JSON_NUMBER,
    RS_JSON_STRING,
    RS_JSON_ARRAY,
    RS_JSON_OBJECT
} rs_json_kind;

/* Texts end with a NUL and live as long as the document. */
typedef struct rs_json_value {
    rs_json_kind kind;
    bool yes;                          /* of a BOOL */
    double number;                     /* of a NUMBER */
    const char *text;                  /* of a STRING */
    const char *key;                   /* of a member of an object, else NULL */
    int n;                             /* members of an ARRAY or OBJECT */
    const struct rs_json_value *next;  /* the member after it, NULL: the last */
    const struct rs_json_value *first; /* member; NULL: none */
} rs_json_value;

typedef struct rs_json_doc rs_json_doc;

/* RESHED_ECORRUPT says at which byte. */
reshed_status rs_json_read(const char *text, size_t n, rs_json_doc **out, reshed_error *err);
/* NULL is fine. */
void rs_json_free(rs_json_doc *d);
const rs_json_value *rs_json_root(const rs_json_doc *d);
/* NULL: v is NULL or no object, or has none of that name. */
const rs_json_value *rs_json_member(const rs_json_value *v, const char *key);

#endif
