#include "api/options.h"

#include <string.h>

reshed_status rs_api_options(const char *what, const void *given, const size_t *known, int n,
                             void *out, reshed_error *err)
{
    const size_t now = known[n - 1];
    size_t size;
    if (!given) return RESHED_OK;
    memcpy(&size, given, sizeof size);
    int k = 0;
    while (k < n && known[k] != size) k++;
    if (k == n)
        return rs_fail(err, RESHED_EINVAL, "size of the options|%zu, as %s_defaults sets it|%zu",
                       now, what, size);
    memcpy(out, given, size);
    memcpy(out, &now, sizeof now);
    return RESHED_OK;
}
