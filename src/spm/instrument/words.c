#include "spm/instrument/words.h"

#include <string.h>

const char *rs_driver_status_text(rs_driver_status status)
{
    switch (status) {
    case RS_DRIVER_OK: return "ok";
    case RS_DRIVER_RETRY: return "retry";
    case RS_DRIVER_LOST_LINE: return "lost line";
    case RS_DRIVER_REFUSED: return "refused";
    case RS_DRIVER_LOST: return "lost";
    }
    return "unknown";
}

const char *rs_driver_option_find(const rs_driver_option *option, int n, const char *name)
{
    for (int i = n - 1; i >= 0; i--)
        if (strcmp(option[i].name, name) == 0) return option[i].value;
    return NULL;
}
