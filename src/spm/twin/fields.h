/* fields.h - the numbers of an options struct by name, for programs and for tables: the film's
 * (options.h), the instrument's (effects.h) and the switching's (switching.h). */
#ifndef RS_SPM_TWIN_FIELDS_H
#define RS_SPM_TWIN_FIELDS_H

#include <stddef.h>

#include "base/status.h"

typedef struct rs_twin_field {
    const char *name; /* "spacing[0]", "stripe_width.lo" */
    size_t offset;    /* of a double in the struct */
    double lo, hi;    /* the range that it may have */
} rs_twin_field;

/* The field of a member of an options struct. */
#define RS_TWIN_FIELD(type, member, least, most)                                                   \
    {                                                                                              \
#member, offsetof(type, member), least, most                                               \
    }

/* NULL when there is none of that name. */
const rs_twin_field *rs_twin_field_find(const rs_twin_field *fields, int n, const char *name);
double rs_twin_field_get(const rs_twin_field *field, const void *options);
void rs_twin_field_set(const rs_twin_field *field, void *options, double value);
/* RESHED_EINVAL names the first field out of range or not a number; kind is what such a field is
 * called. */
reshed_status rs_twin_fields_check(const rs_twin_field *fields, int n, const void *options,
                                   const char *kind, reshed_error *err);

#endif
