#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support/io_support.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------- pattern */
int pattern_at(int row, int column)
{
    return 10 * row + column + 1;
}

void pattern_image(rs_image *im)
{
    reshed_error err = {0};
    assert_ok(rs_image_init(im, PATTERN_H, PATTERN_W, &err), &err);
    for (int r = 0; r < PATTERN_H; r++)
        for (int c = 0; c < PATTERN_W; c++) im->data[r * PATTERN_W + c] = (float)pattern_at(r, c);
    im->dx = 3e-9;
    im->dy = 2e-9;
    im->x0 = 1e-6;
    im->y0 = -2e-6;
    strcpy(im->unit, "V");
    strcpy(im->channel, "Pattern");
}

void assert_pattern(const rs_image *im, double factor)
{
    assert_int_equal(im->height, PATTERN_H);
    assert_int_equal(im->width, PATTERN_W);
    for (int r = 0; r < PATTERN_H; r++)
        for (int c = 0; c < PATTERN_W; c++) {
            float want = (float)(pattern_at(r, c) * factor), got = im->data[r * PATTERN_W + c];
            if (want != got)
                fail_msg("pixel (%d,%d): expected %g, found %g", r, c, (double)want, (double)got);
        }
}

uint8_t *pattern_png(rs_png_kind kind, int extra, size_t *len)
{
    reshed_error err = {0};
    uint8_t grey[PATTERN_H * PATTERN_W], rgb[PATTERN_H * PATTERN_W * 3], *bytes = NULL;
    uint16_t grey16[PATTERN_H * PATTERN_W];
    for (int i = 0; i < PATTERN_H * PATTERN_W; i++) {
        int v = pattern_at(i / PATTERN_W, i % PATTERN_W);
        grey[i] = (uint8_t)v;
        grey16[i] = (uint16_t)(v * 257 + extra);
        rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = (uint8_t)v;
    }
    const void *p = kind == RS_PNG_GREY8  ? (const void *)grey
                    : kind == RS_PNG_RGB8 ? (const void *)rgb
                                          : grey16;
    assert_ok(rs_png_write_mem(kind, PATTERN_H, PATTERN_W, p, &bytes, len, &err), &err);
    return bytes;
}

bool image_is_sane(const rs_image *im)
{
    return im->height >= 1 && im->width >= 1 && im->data && isfinite(im->dx) && isfinite(im->dy) &&
           im->dx >= 0 && im->dy >= 0 && isfinite(im->x0) && isfinite(im->y0) &&
           memchr(im->unit, 0, sizeof im->unit) && memchr(im->channel, 0, sizeof im->channel);
}

void assert_error(reshed_status st, reshed_status expected, const reshed_error *err,
                  const char *part)
{
    char text[600];
    reshed_error_text(err, text, sizeof text);
    if (st != expected || err->status != expected || !strstr(text, part))
        fail_msg("expected '%s' with '%s', found '%s': %s", reshed_status_text(expected), part,
                 reshed_status_text(st), text);
}

/* ---------------------------------------------------------------------------------------- bytes */
void put_uint(file_bytes *b, uint64_t v, int size, bool big)
{
    assert_true(b->n + (size_t)size <= sizeof b->data);
    for (int i = 0; i < size; i++)
        b->data[b->n + (size_t)(big ? size - 1 - i : i)] = (uint8_t)(v >> (8 * i));
    b->n += (size_t)size;
}

void put_double(file_bytes *b, double v, bool big)
{
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    put_uint(b, u, 8, big);
}

void put_text(file_bytes *b, const char *s, size_t n)
{
    size_t k = strlen(s) < n ? strlen(s) : n;
    assert_true(b->n + n <= sizeof b->data);
    memset(b->data + b->n, 0, n);
    memcpy(b->data + b->n, s, k);
    b->n += n;
}

/* ---------------------------------------------------------------------------------------- forks */
#define BATCH 1000

typedef struct shared {
    volatile long next, wrong, first_wrong, passed;
} shared;

static shared *board;

void fork_count(void)
{
    board->passed++;
}

/* Runs cases from `from` up to `to` in a child; true when it came through all of them. */
static bool child_survives(bool (*check)(void *ctx, long i), void *ctx, long from, long to)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* A sanitizer's report of a fault that is counted would only confuse. */
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        /* cmocka would catch the signal and go on with the next test, here in the child. */
        const struct itimerval limit = {.it_value = {.tv_sec = 2}};
        const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
        for (int k = 0; k < 5; k++) signal(signals[k], SIG_DFL);
        for (long i = from; i < to; i++) {
            board->next = i;
            setitimer(ITIMER_PROF, &limit, NULL);
            if (!check(ctx, i)) {
                if (board->first_wrong < 0) board->first_wrong = i;
                board->wrong++;
            }
        }
        _exit(0); /* no exit handlers: what a library leaks on a damaged file is not ours */
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void limit_file_size(long n)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    limit.rlim_cur = (rlim_t)n;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
}

int files_beside(const char *path, const char *ending)
{
    char folder[512];
    int n = 0;
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t k = strlen(e->d_name), m = strlen(ending);
        n += k >= m && strcmp(e->d_name + k - m, ending) == 0;
    }
    closedir(d);
    return n;
}

forked run_forked(long n, bool (*check)(void *ctx, long i), bool (*bare)(void *ctx, long i),
                  void *ctx)
{
    forked f = {.first_wrong = -1};
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    *board = (shared){.first_wrong = -1};
    long from = 0;
    while (from < n) {
        long to = from + BATCH < n ? from + BATCH : n;
        if (child_survives(check, ctx, from, to)) {
            from = to;
            continue;
        }
        long at = board->next;
        long wrong = board->wrong, first = board->first_wrong, passed = board->passed;
        bool library = !child_survives(bare, ctx, at, at + 1);
        board->wrong = wrong, board->first_wrong = first, board->passed = passed;
        if (library) {
            f.librarys++;
        } else {
            f.ours++;
            if (board->first_wrong < 0) board->first_wrong = at;
        }
        from = at + 1;
    }
    f.wrong = board->wrong;
    f.first_wrong = board->first_wrong;
    f.passed = board->passed;
    munmap(board, sizeof *board);
    board = NULL;
    return f;
}

long test_h5_mutations(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return test_mutations() / 8;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return test_mutations() / 8;
#else
    return test_mutations();
#endif
#else
    return test_mutations();
#endif
}
