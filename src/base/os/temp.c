#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "base/os/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool rs_os_make_temp_dir(char *buf, size_t n)
{
    const char *root = getenv("TMPDIR");
    const int k = snprintf(buf, n, "%s/reshed-XXXXXX", root && *root ? root : "/tmp");
    return k > 0 && (size_t)k < n && mkdtemp(buf);
}

bool rs_os_remove_dir(const char *path)
{
    return rmdir(path) == 0;
}
