#include "python/settings.h"

#include <math.h>
#include <string.h>

static reshed_status put(const rs_py_setting *s, const rs_py_place *p, reshed_error *err)
{
    if (p->number) *p->number = s->value;
    if (p->flag) *p->flag = s->value != 0;
    if (!p->whole) return RESHED_OK;
    if (!(fabs(s->value) < 1e9) || s->value != floor(s->value))
        return rs_fail(err, RESHED_EINVAL, "%s|a whole number|%g", s->name, s->value);
    *p->whole = (int)s->value;
    return RESHED_OK;
}

reshed_status rs_py_place_all(const rs_py_setting *setting, int n, const rs_py_place *place,
                              int places, reshed_error *err)
{
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < places && strcmp(place[k].name, setting[i].name) != 0) k++;
        if (k == places)
            return rs_fail(err, RESHED_EINVAL, "option|a known name|%s", setting[i].name);
        const reshed_status st = put(&setting[i], &place[k], err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}
