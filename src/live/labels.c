#include "live/labels.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "base/thread.h"
#include "io/png.h"

/* Files of one name that may be there already. */
#define MOST 1000
#define PATH 4096

struct rs_labels {
    rs_board *board;
    rs_monitor *lock;
    char stem[PATH];  /* of the path */
    char image[PATH]; /* its name without folder */
    uint8_t *latest;  /* [2][rows,cols] */
    int rows, cols;
};

static reshed_status check_path(const char *beside, reshed_error *err)
{
    const size_t n = strlen(beside);
    return n < PATH ? RESHED_OK
                    : rs_fail(err, RESHED_EINVAL, "path|less than %d bytes|%zu", PATH, n);
}

static void take_path(rs_labels *l, const char *beside)
{
    memset(l->stem, 0, sizeof l->stem);
    memcpy(l->stem, beside, rs_path_stem(beside));
    rs_text_copy(l->image, sizeof l->image, rs_path_name(beside));
}

reshed_status rs_labels_create(rs_board *board, const char *beside, rs_labels **out,
                               reshed_error *err)
{
    reshed_status st = check_path(beside, err);
    if (st != RESHED_OK) return st;
    rs_labels *l = rs_zalloc(1, sizeof *l);
    if (!l) return rs_fail_nomem(err, "labels", sizeof *l);
    l->board = board;
    take_path(l, beside);
    st = rs_monitor_make(&l->lock, err);
    if (st == RESHED_OK)
        *out = l;
    else
        rs_free(l);
    return st;
}

reshed_status rs_labels_begin(rs_labels *l, const char *beside, reshed_error *err)
{
    const reshed_status st = check_path(beside, err);
    if (st != RESHED_OK) return st;
    rs_monitor_enter(l->lock);
    take_path(l, beside);
    rs_free(l->latest);
    l->latest = NULL;
    l->rows = l->cols = 0;
    rs_monitor_leave(l->lock);
    return st;
}

void rs_labels_free(rs_labels *l)
{
    if (!l) return;
    rs_monitor_free(l->lock);
    rs_free(l->latest);
    rs_free(l);
}

static reshed_status check(const rs_labels *l, int rows, int cols, const uint8_t *both,
                           reshed_error *err)
{
    int h, w;
    rs_board_size(l->board, &h, &w);
    if (rows <= 0 || cols <= 0 || rows != h || cols != w)
        return rs_fail(err, RESHED_EINVAL, "labels|%d x %d|%d x %d", h, w, rows, cols);
    for (size_t i = 0; i < (size_t)rows * (size_t)cols; i++)
        if (both[i] > 1) return rs_fail(err, RESHED_EINVAL, "labels|0 or 1|%d", both[i]);
    return RESHED_OK;
}

/* The first pair of names that is free. */
static reshed_status find_names(const rs_labels *l, char *label, char *ignore, size_t room,
                                reshed_error *err)
{
    for (int k = 1; k < MOST; k++) {
        char number[16] = "";
        if (k > 1) snprintf(number, sizeof number, "-%d", k);
        const int a = snprintf(label, room, "%s-label%s.png", l->stem, number);
        const int b = snprintf(ignore, room, "%s-ignore%s.png", l->stem, number);
        if (a >= (int)room || b >= (int)room) break;
        if (!rs_os_is_file(label) && !rs_os_is_file(ignore)) return RESHED_OK;
    }
    return rs_fail(err, RESHED_EIO, "files of labels|a name that is free|none beside %s", l->stem);
}

static reshed_status write_mask(const char *path, int rows, int cols, const uint8_t *mask,
                                reshed_error *err)
{
    const size_t n = (size_t)rows * (size_t)cols;
    uint8_t *grey = rs_alloc(n, 1);
    if (!grey) return rs_fail_nomem(err, "a picture of labels", n);
    for (size_t i = 0; i < n; i++) grey[i] = mask[i] ? 255 : 0;
    const reshed_status st = rs_png_write(path, RS_PNG_GREY8, rows, cols, grey, err);
    rs_free(grey);
    return st;
}

/* A word of a shell's line, and that of no option. */
static void put_word(FILE *f, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+,/";
    if (*text == '-') fputs("./", f);
    if (*text && strspn(text, plain) == strlen(text)) {
        fputs(text, f);
        return;
    }
    fputc('\'', f);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", f);
        else
            fputc(*text, f);
    fputc('\'', f);
}

/* What to type in the folder of the files; "" where there is no memory, or no room, for it. */
static void write_command(const rs_labels *l, const char *label, const char *ignore, char *out,
                          size_t room)
{
    char *text = NULL, tuned[PATH + 16];
    size_t n = 0;
    FILE *f = rs_os_memory_stream(&text, &n);
    *out = '\0';
    if (!f) return;
    snprintf(tuned, sizeof tuned, "%s-tuned.h5", rs_path_name(l->stem));
    fputs("reshed-train tune ", f);
    put_word(f, l->image);
    fputc(' ', f);
    put_word(f, label);
    fputs(" --unknown ", f);
    put_word(f, ignore);
    fputs(" -o ", f);
    put_word(f, tuned);
    fclose(f);
    if (text && n < room) memcpy(out, text, n + 1);
    rs_free(text);
}

reshed_status rs_labels_save(rs_labels *l, int rows, int cols, const uint8_t *label,
                             const uint8_t *ignore, reshed_error *err)
{
    char names[2][PATH + 32], command[4 * PATH];
    reshed_status st = check(l, rows, cols, label, err);
    if (st == RESHED_OK) st = check(l, rows, cols, ignore, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)rows * (size_t)cols;
    uint8_t *both = rs_alloc(2 * n, 1);
    if (!both) return rs_fail_nomem(err, "labels", 2 * n);
    memcpy(both, label, n);
    memcpy(both + n, ignore, n);
    rs_monitor_enter(l->lock);
    st = find_names(l, names[0], names[1], sizeof names[0], err);
    if (st == RESHED_OK) st = write_mask(names[0], rows, cols, label, err);
    if (st == RESHED_OK) st = write_mask(names[1], rows, cols, ignore, err);
    if (st == RESHED_OK) {
        rs_free(l->latest);
        l->latest = both;
        l->rows = rows;
        l->cols = cols;
        write_command(l, rs_path_name(names[0]), rs_path_name(names[1]), command, sizeof command);
        rs_board_labels(l->board, rs_path_name(names[0]), rs_path_name(names[1]), command);
    } else {
        rs_free(both);
    }
    rs_monitor_leave(l->lock);
    return st;
}

uint8_t *rs_labels_get(rs_labels *l, int *rows, int *cols)
{
    uint8_t *copy = NULL;
    rs_monitor_enter(l->lock);
    const size_t n = 2 * (size_t)l->rows * (size_t)l->cols;
    if (l->latest && (copy = rs_alloc(n, 1))) memcpy(copy, l->latest, n);
    *rows = l->rows;
    *cols = l->cols;
    rs_monitor_leave(l->lock);
    return copy;
}
