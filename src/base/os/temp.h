/* temp.h - a folder for files that live as long as a run. */
#ifndef RS_BASE_OS_TEMP_H
#define RS_BASE_OS_TEMP_H

#include <stdbool.h>
#include <stddef.h>

/* Makes a new folder in $TMPDIR or /tmp and puts its path into buf; false when that cannot be. */
bool rs_os_make_temp_dir(char *buf, size_t n);

/* Removes a folder that is empty. */
bool rs_os_remove_dir(const char *path);

#endif
