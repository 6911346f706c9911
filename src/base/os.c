#define _GNU_SOURCE /* sched_getaffinity; everything else here is POSIX.1-2008 */
#include "base/os.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double rs_os_monotonic(void)
{
    return clock_seconds(CLOCK_MONOTONIC);
}

double rs_os_cpu_seconds(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double rs_os_thread_seconds(void)
{
    return clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

reshed_status rs_os_random(void *bytes, size_t n, reshed_error *err)
{
    if (getentropy(bytes, n) == 0) return RESHED_OK;
    return rs_fail(err, RESHED_EIO, "random numbers|%zu bytes|%s", n, strerror(errno));
}

FILE *rs_os_memory_stream(char **text, size_t *n)
{
    *text = NULL;
    *n = 0;
    return open_memstream(text, n);
}

void rs_os_sleep(double seconds)
{
    if (!(seconds > 0)) return;
    if (seconds > 1e9) seconds = 1e9;
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)(1e9 * (seconds - (double)left.tv_sec));
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

int rs_os_processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (int)n;
}

bool rs_os_isatty(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

bool rs_os_takes_more(FILE *stream)
{
    struct pollfd p = {.fd = fileno(stream), .events = POLLOUT};
    return poll(&p, 1, 0) > 0;
}

int rs_os_columns(FILE *stream)
{
    struct winsize w;
    if (ioctl(fileno(stream), TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
    return 80;
}

size_t rs_os_peak_rss(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
#ifdef __APPLE__
    return (size_t)u.ru_maxrss;
#else
    return (size_t)u.ru_maxrss * 1024;
#endif
}

bool rs_os_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

void rs_os_place_of(const char *path, rs_os_place *out)
{
    struct stat st;
    char folder[4096];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    memset(out, 0, sizeof *out);
    if (stat(path, &st) == 0) {
        out->device = (uint64_t)st.st_dev;
        out->inode = (uint64_t)st.st_ino;
        return;
    }
    const size_t k = slash ? (size_t)(slash - path) : 0;
    if (slash && k < sizeof folder) memcpy(folder, path, k);
    strcpy(folder + (k < sizeof folder ? k : 0), !slash ? "." : k == 0 ? "/" : "");
    if (k < sizeof folder - 1 && stat(folder, &st) == 0) {
        out->device = (uint64_t)st.st_dev;
        out->inode = (uint64_t)st.st_ino;
    } else {
        name = path;
    }
    /* The end of a name that is too long tells more than its beginning. */
    const size_t n = strlen(name);
    strcpy(out->name, n < sizeof out->name ? name : name + n - (sizeof out->name - 1));
}

int rs_os_place_compare(const rs_os_place *a, const rs_os_place *b)
{
    if (a->device != b->device) return a->device < b->device ? -1 : 1;
    if (a->inode != b->inode) return a->inode < b->inode ? -1 : 1;
    return strcmp(a->name, b->name);
}

bool rs_os_program_dir(char *buf, size_t n)
{
    ssize_t k = readlink("/proc/self/exe", buf, n - 1);
    if (k <= 0) return false;
    buf[k] = '\0';
    char *slash = strrchr(buf, '/');
    if (!slash) return false;
    *slash = '\0';
    return true;
}

/* An open descriptor on a regular file and its size. */
static reshed_status open_regular(const char *path, int *fd, size_t *size, reshed_error *err)
{
    struct stat st;
    int f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block us here */
    if (f < 0) return rs_fail(err, RESHED_EIO, "cannot open: %s", strerror(errno));
    if (fstat(f, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(f);
        return rs_fail(err, RESHED_EIO, "cannot read|a regular file|something else");
    }
    *fd = f;
    *size = (size_t)st.st_size;
    return RESHED_OK;
}

/* Up to n bytes; stops early only at the end of the file. */
static reshed_status read_fully(int fd, uint8_t *buf, size_t n, size_t *got, reshed_error *err)
{
    size_t done = 0;
    while (done < n) {
        size_t want = n - done < (1u << 30) ? n - done : (1u << 30);
        ssize_t k = read(fd, buf + done, want);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return rs_fail(err, RESHED_EIO, "cannot read: %s", strerror(errno));
        if (k == 0) break;
        done += (size_t)k;
    }
    *got = done;
    return RESHED_OK;
}

reshed_status rs_os_read_file(const char *path, size_t max, uint8_t **data, size_t *len,
                              reshed_error *err)
{
    int fd;
    size_t size, got = 0;
    reshed_status st = open_regular(path, &fd, &size, err);
    if (st != RESHED_OK) return st;
    uint8_t *buf = NULL;
    if (size > max)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "file too large|at most %zu bytes|%zu bytes", max,
                     size);
    else if (!(buf = rs_alloc(size, 1)))
        st = rs_fail_nomem(err, "the file's content", size);
    else
        st = read_fully(fd, buf, size, &got, err);
    close(fd);
    if (st == RESHED_OK && got != size)
        st = rs_fail(err, RESHED_EIO, "file shrank while it was read|%zu bytes|%zu bytes", size,
                     got);
    if (st != RESHED_OK) {
        rs_free(buf);
        return st;
    }
    *data = buf;
    *len = size;
    return RESHED_OK;
}

reshed_status rs_os_read_head(const char *path, uint8_t *buf, size_t n, size_t *got,
                              reshed_error *err)
{
    int fd;
    size_t size;
    reshed_status st = open_regular(path, &fd, &size, err);
    if (st != RESHED_OK) return st;
    st = read_fully(fd, buf, n, got, err);
    close(fd);
    return st;
}

struct rs_os_file {
    int fd;
};

/* A record lock: unlike flock, which HDF5 uses, it leaves other programs free to read along. Where
 * it can be, it is the descriptor's and not the process', so that closing another one does not end
 * it. */
static bool lock_for_writing(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
#ifdef F_OFD_SETLK
    int rc = fcntl(fd, F_OFD_SETLK, &whole);
#else
    int rc = fcntl(fd, F_SETLK, &whole);
#endif
    return rc == 0 || (errno != EACCES && errno != EAGAIN); /* some file systems have no locks */
}

bool rs_os_is_locked(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
#ifdef F_OFD_GETLK
    bool locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
#else
    bool locked = fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
#endif
    if (fd >= 0) close(fd);
    return locked;
}

reshed_status rs_os_open(const char *path, rs_os_mode mode, rs_os_file **out, uint64_t *size,
                         reshed_error *err)
{
    static const int flags[] = {O_RDONLY, O_RDWR, O_RDWR | O_CREAT | O_EXCL};
    struct stat st;
    reshed_status status = RESHED_OK;
    rs_os_file *f = rs_alloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "an open file", sizeof *f);
    f->fd = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK, 0666);
    if (f->fd < 0)
        status = rs_fail(err, RESHED_EIO, "cannot %s: %s", mode == RS_OS_CREATE ? "create" : "open",
                         strerror(errno));
    else if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = rs_fail(err, RESHED_EIO, "cannot open|a regular file|something else");
    else if (mode != RS_OS_READ && !lock_for_writing(f->fd))
        status = rs_fail(err, RESHED_EIO, "cannot open|a file that no program writes|one in use");
    if (status != RESHED_OK) {
        if (f->fd >= 0) close(f->fd);
        rs_free(f);
        return status;
    }
    if (size) *size = (uint64_t)st.st_size;
    *out = f;
    return RESHED_OK;
}

size_t rs_os_read_at(const rs_os_file *f, uint64_t offset, void *buf, size_t n)
{
    size_t done = 0;
    if (offset > INT64_MAX - n) return 0;
    while (done < n) {
        ssize_t k = pread(f->fd, (char *)buf + done, n - done, (off_t)(offset + done));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        done += (size_t)k;
    }
    return done;
}

reshed_status rs_os_write_at(rs_os_file *f, uint64_t offset, const void *buf, size_t n,
                             reshed_error *err)
{
    size_t done = 0;
    if (n > INT64_MAX || offset > INT64_MAX - n)
        return rs_fail(err, RESHED_EINVAL, "cannot write|a place within a file|offset %llu",
                       (unsigned long long)offset);
    while (done < n) {
        ssize_t k = pwrite(f->fd, (const char *)buf + done, n - done, (off_t)(offset + done));
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
        done += (size_t)k;
    }
    return RESHED_OK;
}

reshed_status rs_os_resize(rs_os_file *f, uint64_t size, reshed_error *err)
{
    if (size <= INT64_MAX && ftruncate(f->fd, (off_t)size) == 0) return RESHED_OK;
    return rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
}

reshed_status rs_os_sync(rs_os_file *f, reshed_error *err)
{
    if (fsync(f->fd) == 0) return RESHED_OK;
    return rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
}

uint64_t rs_os_size(const rs_os_file *f)
{
    struct stat st;
    return fstat(f->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* A name is durable only once the folder that holds it is. */
void rs_os_sync_folder(const char *path)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    int k = slash ? snprintf(dir, sizeof dir, "%.*s", (int)(slash - path + 1), path)
                  : snprintf(dir, sizeof dir, ".");
    if (k < 0 || (size_t)k >= sizeof dir) return;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

reshed_status rs_os_make_folder(const char *path, reshed_error *err)
{
    struct stat s;
    char name[4096];
    size_t n = strlen(path);
    if (mkdir(path, 0777) != 0 && !(errno == EEXIST && stat(path, &s) == 0 && S_ISDIR(s.st_mode)))
        return rs_fail(err, RESHED_EIO, "cannot make the folder: %s", strerror(errno));
    /* One that is there already may have been made by a program that was killed just then. */
    while (n > 1 && path[n - 1] == '/') n--;
    if (n < sizeof name) {
        memcpy(name, path, n);
        name[n] = '\0';
        rs_os_sync_folder(name);
    }
    return RESHED_OK;
}

reshed_status rs_os_check_output(const char *path, reshed_error *err)
{
    struct stat s;
    char folder[4096];
    const char *slash = strrchr(path, '/');
    const size_t k = slash ? (size_t)(slash - path) + 1 : 0;
    if (k + 2 > sizeof folder)
        return rs_fail(err, RESHED_EIO, "path too long|fewer than %zu bytes|%zu", sizeof folder,
                       strlen(path));
    memcpy(folder, path, k);
    strcpy(folder + k, k ? "" : ".");
    if (path[k] == '\0' || (stat(path, &s) == 0 && S_ISDIR(s.st_mode)))
        return rs_fail(err, RESHED_EIO, "output|a file|a folder");
    if (access(folder, W_OK | X_OK) != 0)
        return rs_fail(err, RESHED_EIO, "cannot write into the output's folder: %s",
                       strerror(errno));
    return RESHED_OK;
}

void rs_os_clear_folder(const char *path, const char *prefix)
{
    char file[4096];
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || e->d_name[0] == '.') continue;
        const int n = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (n > 0 && (size_t)n < sizeof file) unlink(file);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

void rs_os_close(rs_os_file *f)
{
    if (!f) return;
    close(f->fd);
    rs_free(f);
}

/* Temporary files of killed writers that are passed over. */
#define MAX_LEFTOVERS 10000

reshed_status rs_os_temp_name(const char *path, char *buf, size_t n, reshed_error *err)
{
    static atomic_uint serial; /* names only: two writers in one process must not collide */
    struct stat s;
    /* Renamed over, a device would be gone: /dev/null too, for root. */
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
        return rs_fail(err, RESHED_EIO, "output|a file|a device, pipe or socket");
    /* Killed writers leave theirs behind, and in a container every process may have the same
     * number. */
    for (int i = 0; i < MAX_LEFTOVERS; i++) {
        int k =
            snprintf(buf, n, "%s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&serial, 1u));
        if (k < 0 || (size_t)k >= n)
            return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes", n - 32,
                           strlen(path));
        if (lstat(buf, &s) != 0) return RESHED_OK;
    }
    return rs_fail(err, RESHED_EIO, "cannot create|fewer than %d leftovers beside it|%s",
                   MAX_LEFTOVERS, buf);
}

static reshed_status write_fully(int fd, const uint8_t *p, size_t n, reshed_error *err)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n < (1u << 30) ? n : (1u << 30));
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
        p += k;
        n -= (size_t)k;
    }
    return RESHED_OK;
}

reshed_status rs_os_commit_temp(const char *temp, const char *path, reshed_error *err)
{
    int fd = open(temp, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (!ok || rename(temp, path) != 0) {
        reshed_status st = rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
        unlink(temp);
        return st;
    }
    rs_os_sync_folder(path);
    return RESHED_OK;
}

void rs_os_discard_temp(const char *temp)
{
    unlink(temp);
}

reshed_status rs_os_write_file(const char *path, const void *data, size_t len, reshed_error *err)
{
    char temp[4096];
    reshed_status st = rs_os_temp_name(path, temp, sizeof temp, err);
    if (st != RESHED_OK) return st;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    /* Another machine that shares the folder may have been faster, with the same number. */
    for (int i = 0; fd < 0 && errno == EEXIST && i < MAX_LEFTOVERS; i++) {
        st = rs_os_temp_name(path, temp, sizeof temp, err);
        if (st != RESHED_OK) return st;
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd < 0) return rs_fail(err, RESHED_EIO, "cannot create: %s", strerror(errno));
    st = write_fully(fd, data, len, err);
    if (close(fd) != 0 && st == RESHED_OK)
        st = rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(errno));
    if (st != RESHED_OK) {
        rs_os_discard_temp(temp);
        return st;
    }
    return rs_os_commit_temp(temp, path, err);
}

/* ------------------------------------------------------------------------------- shared objects */

struct rs_os_library {
    void *handle;
};

reshed_status rs_os_library_open(const char *path, rs_os_library **out, reshed_error *err)
{
    /* Without a slash the loader would search the system's folders for it. */
    char here[512];
    const char *name = path;
    if (!strchr(path, '/')) {
        int n = snprintf(here, sizeof here, "./%s", path);
        if (n < 0 || (size_t)n >= sizeof here)
            return rs_fail(err, RESHED_EINVAL, "name of a shared object|at most %zu bytes|%zu",
                           sizeof here - 3, strlen(path));
        name = here;
    }
    rs_os_library *library = rs_alloc(1, sizeof *library);
    if (!library) return rs_fail_nomem(err, "a shared object", sizeof *library);
    library->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library->handle) {
        rs_fail(err, RESHED_EIO, "cannot load: %s", dlerror());
        rs_free(library);
        return RESHED_EIO;
    }
    *out = library;
    return RESHED_OK;
}

rs_os_function *rs_os_library_function(rs_os_library *library, const char *name)
{
    /* ISO C has no cast from an object pointer to a function pointer; POSIX promises that the bytes
     * are the same. */
    void *symbol = dlsym(library->handle, name);
    rs_os_function *function = NULL;
    memcpy(&function, &symbol, sizeof function);
    return function;
}

void rs_os_library_close(rs_os_library *library)
{
    if (!library) return;
    dlclose(library->handle);
    rs_free(library);
}
