/* settings.h - numbers by their names, for options that come from Python. */
#ifndef RS_PYTHON_SETTINGS_H
#define RS_PYTHON_SETTINGS_H

#include <stdbool.h>

#include "python/rooms.h"

/* Places that a number may go to: one of the pointers is not NULL. */
typedef struct rs_py_place {
    const char *name;
    double *number;
    int *whole;
    bool *flag;
} rs_py_place;

/* Puts each setting into the place of its name. RESHED_EINVAL names one that has none, or that is no
 * whole number where one is wanted. */
reshed_status rs_py_place_all(const rs_py_setting *setting, int n, const rs_py_place *place,
                              int places, reshed_error *err);

#endif
