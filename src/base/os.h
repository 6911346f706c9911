/* os.h - the seam to the operating system: every POSIX call of the project is behind these calls
 * or those of os/ and thread.h, so that a port touches these files
 * alone and the tests can make each call fail. */
#ifndef RS_BASE_OS_H
#define RS_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* Seconds from a fixed, arbitrary moment; never goes back. */
double rs_os_monotonic(void);

/* Processor seconds that all threads of this process have used so far. */
double rs_os_cpu_seconds(void);
/* Of the calling thread. */
double rs_os_thread_seconds(void);

/* Returns after that many seconds, or a little more; at once when seconds <= 0 or NaN. */
void rs_os_sleep(double seconds);

/* Processors that this process may use, >= 1. */
int rs_os_processors(void);

bool rs_os_isatty(FILE *stream);

/* True when what is written to stream now is taken at once: not so a terminal that is held (Ctrl-S)
 * and a pipe that nobody reads. A line of at most 512 bytes then does not block. */
bool rs_os_takes_more(FILE *stream);

/* Columns of the terminal behind stream, 80 when unknown. */
int rs_os_columns(FILE *stream);

/* Largest resident set of this process so far, in bytes; 0 when unknown. */
size_t rs_os_peak_rss(void);

/* True for the path of an existing regular file, or of a link to one. */
bool rs_os_is_file(const char *path);

/* Which file a path leads to, links followed; of one that does not exist, where it would be made. */
typedef struct rs_os_place {
    uint64_t device, inode; /* of the file, or of its folder */
    char name[256];         /* in that folder, "" when the file exists */
} rs_os_place;
/* A path whose folder does not exist either is known by its text alone. */
void rs_os_place_of(const char *path, rs_os_place *out);
/* < 0, 0 for the same place, > 0: an order for sorting. */
int rs_os_place_compare(const rs_os_place *a, const rs_os_place *b);

/* The folder of the running program, without a trailing slash, into buf; false when unknown. */
bool rs_os_program_dir(char *buf, size_t n);

/* Reads a whole regular file of at most max bytes into a new block (rs_free). */
reshed_status rs_os_read_file(const char *path, size_t max, uint8_t **data, size_t *len,
                              reshed_error *err);

/* Reads at most n bytes from the start of path; *got says how many there were. */
reshed_status rs_os_read_head(const char *path, uint8_t *buf, size_t n, size_t *got,
                              reshed_error *err);

/* A regular file open for reading, or reading and writing, at any place. */
typedef struct rs_os_file rs_os_file;
typedef enum rs_os_mode {
    RS_OS_READ,
    RS_OS_UPDATE, /* an existing file; one writer at a time, another one is RESHED_EIO */
    RS_OS_CREATE  /* a new file, likewise; one that exists is RESHED_EIO */
} rs_os_mode;
reshed_status rs_os_open(const char *path, rs_os_mode mode, rs_os_file **out, uint64_t *size,
                         reshed_error *err);
/* Reads up to n bytes from offset; fewer at the end of the file or after an error. */
size_t rs_os_read_at(const rs_os_file *f, uint64_t offset, void *buf, size_t n);
reshed_status rs_os_write_at(rs_os_file *f, uint64_t offset, const void *buf, size_t n,
                             reshed_error *err);
reshed_status rs_os_resize(rs_os_file *f, uint64_t size, reshed_error *err);
/* Returns once what was written is on the disk. */
reshed_status rs_os_sync(rs_os_file *f, reshed_error *err);
/* True while a process has path open for writing through rs_os_open. */
bool rs_os_is_locked(const char *path);
/* Its length now, which another program may be changing; 0 when unknown. */
uint64_t rs_os_size(const rs_os_file *f);
/* Returns once the name of a file that was created or renamed is on the disk. */
void rs_os_sync_folder(const char *path);
/* NULL is fine. */
void rs_os_close(rs_os_file *f);

/* Makes a folder; one that is there already is fine. The folder that it lies in must exist. */
reshed_status rs_os_make_folder(const char *path, reshed_error *err);
/* RESHED_EIO when a file of that name cannot be written: it is a folder, or the folder that it is to
 * lie in is not there or takes none. For what takes long, before it begins. */
reshed_status rs_os_check_output(const char *path, reshed_error *err);
/* Removes the files directly in a folder whose names begin with prefix, and then the folder if
 * nothing else is in it; what cannot be removed stays. */
void rs_os_clear_folder(const char *path, const char *prefix);

/* Replaces path by these bytes: a temporary file in the same folder is written, synced and renamed,
 * so that path holds the old or the new content, never a part. */
reshed_status rs_os_write_file(const char *path, const void *data, size_t len, reshed_error *err);

/* For writers that need a path of their own (HDF5): a name in path's folder that does not exist
 * yet, into buf; then rs_os_commit_temp syncs it and renames it to path, or rs_os_discard_temp
 * removes it. */
reshed_status rs_os_temp_name(const char *path, char *buf, size_t n, reshed_error *err);
reshed_status rs_os_commit_temp(const char *temp, const char *path, reshed_error *err);
void rs_os_discard_temp(const char *temp);

/* n bytes that nobody can guess. */
reshed_status rs_os_random(void *bytes, size_t n, reshed_error *err);

/* A stream into memory: *text (rs_free) and its length *n are valid after fflush and after fclose, and *text
 * ends with a NUL. NULL: no memory. */
FILE *rs_os_memory_stream(char **text, size_t *n);

/* A shared object, loaded from path (a name without '/' is looked for in the current folder, not
 * in the system's). RESHED_EIO with the loader's own words. */
typedef struct rs_os_library rs_os_library;
reshed_status rs_os_library_open(const char *path, rs_os_library **out, reshed_error *err);
/* The function of that name, to be cast to its true type; NULL when there is none. */
typedef void rs_os_function(void);
rs_os_function *rs_os_library_function(rs_os_library *library, const char *name);
/* NULL is fine. */
void rs_os_library_close(rs_os_library *library);

#endif
