#include "spm/twin/fields.h"

#include <string.h>

const rs_twin_field *rs_twin_field_find(const rs_twin_field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

double rs_twin_field_get(const rs_twin_field *field, const void *options)
{
    double value;
    memcpy(&value, (const char *)options + field->offset, sizeof value);
    return value;
}

void rs_twin_field_set(const rs_twin_field *field, void *options, double value)
{
    memcpy((char *)options + field->offset, &value, sizeof value);
}

reshed_status rs_twin_fields_check(const rs_twin_field *fields, int n, const void *options,
                                   const char *kind, reshed_error *err)
{
    for (int i = 0; i < n; i++) {
        double value = rs_twin_field_get(&fields[i], options);
        if (!(value >= fields[i].lo && value <= fields[i].hi))
            return rs_fail(err, RESHED_EINVAL, "%s %s|%g to %g|%g", kind, fields[i].name,
                           fields[i].lo, fields[i].hi, value);
    }
    return RESHED_OK;
}
