#include "spm/scan/request/regions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *rs_regions_format(char buf[RS_SCAN_REGIONS_TEXT], const double *x, const double *y,
                              int n)
{
    size_t at = 0;
    buf[0] = '\0';
    for (int i = 0; i < n && i < RS_SCAN_MAX_REGIONS; i++) {
        char one[RS_NUMBER_TEXT], other[RS_NUMBER_TEXT];
        const int k = snprintf(buf + at, RS_SCAN_REGIONS_TEXT - at, "%s%s,%s", i ? " " : "",
                               rs_number_format(one, x[i]), rs_number_format(other, y[i]));
        at += (size_t)k;
    }
    return buf;
}

reshed_status rs_regions_parse(const char *text, double *x, double *y, int *n, reshed_error *err)
{
    double at[2][RS_SCAN_MAX_REGIONS];
    int k = 0;
    for (const char *s = text; *s; k++) {
        const size_t len = strcspn(s, " "), comma = strcspn(s, ", ");
        if (k == RS_SCAN_MAX_REGIONS)
            return rs_fail(err, RESHED_EINVAL, "further regions|at most %d|more",
                           RS_SCAN_MAX_REGIONS);
        if (comma >= len || !rs_number_parse(s, comma, &at[0][k]) ||
            !rs_number_parse(s + comma + 1, len - comma - 1, &at[1][k]) || !isfinite(at[0][k]) ||
            !isfinite(at[1][k]))
            return rs_fail(err, RESHED_EINVAL, "further regions|X,Y X,Y ... in metres|%.80s", text);
        s += len;
        s += *s == ' ';
    }
    memcpy(x, at[0], (size_t)k * sizeof *x);
    memcpy(y, at[1], (size_t)k * sizeof *y);
    *n = k;
    return RESHED_OK;
}

reshed_status rs_regions_path(char *buf, size_t size, const char *first, int k, reshed_error *err)
{
    const int stem = (int)rs_path_stem(first);
    const int n = k == 0 ? snprintf(buf, size, "%s", first)
                         : snprintf(buf, size, "%.*s_%d%s", stem, first, k + 1, first + stem);
    if (n >= 0 && (size_t)n < size) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%d bytes", size - 1, n);
}
