#include "io/hdf5_quiet.h"

#include <stdio.h>

rs_hdf5_quiet rs_hdf5_silence(void)
{
    rs_hdf5_quiet was = {NULL, NULL};
    H5Eget_auto2(H5E_DEFAULT, &was.print, &was.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return was;
}

void rs_hdf5_restore(const rs_hdf5_quiet *was)
{
    H5Eclear2(H5E_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, was->print, was->data);
}

static herr_t keep_text(unsigned n, const H5E_error2_t *e, void *ctx)
{
    (void)n;
    snprintf(ctx, 96, "%s", e->desc ? e->desc : "");
    return 1; /* the first is the innermost, enough */
}

reshed_status rs_hdf5_fail(reshed_error *err, reshed_status status, const char *what,
                           const char *where)
{
    char text[96] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_text, text);
    return rs_fail(err, status, "%s%s%s|||%s", what, *text ? ": " : "", text, where);
}
