#define _XOPEN_SOURCE 700 /* mkfifo, terminals */
#include "support/support.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/image.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/tensors.h"
#include "base/text.h"

static void error_text_has_all_parts(void **state)
{
    (void)state;
    reshed_error err = {0};
    char text[256];
    assert_int_equal(
        rs_fail(&err, RESHED_ECORRUPT, "size of %s|%d bytes|%d bytes|offset %d", "a|b", 4, 3, 12),
        RESHED_ECORRUPT);
    assert_string_equal(reshed_error_text(&err, text, sizeof text),
                        "size of a|b (expected 4 bytes, found 3 bytes) at offset 12");
    rs_fail(&err, RESHED_EIO, "cannot open");
    assert_string_equal(reshed_error_text(&err, text, sizeof text), "cannot open");
    /* Whatever an argument holds, the fields are those of the format. */
    for (int c = 1; c < 256; c++) {
        char what[16], want[64];
        snprintf(what, sizeof what, "a%cb", c);
        rs_fail(&err, RESHED_ECORRUPT, "%s|4|%d", what, 3);
        rs_text_escape(want, sizeof want, what);
        assert_string_equal(err.what, want);
        assert_string_equal(err.expected, "4");
        assert_string_equal(err.found, "3");
        assert_string_equal(err.where, "");
    }
    rs_fail(&err, RESHED_ECORRUPT, "name||%s", "evil\x1b[2J");
    assert_string_equal(reshed_error_text(&err, text, sizeof text), "name (found evil\\x1b[2J)");
    assert_string_equal(reshed_error_text(&err, text, 6), "name ");
    assert_int_equal(rs_fail(NULL, RESHED_EIO, "x"), RESHED_EIO);
}

static void alloc_refuses_overflow(void **state)
{
    (void)state;
    volatile size_t huge = SIZE_MAX / 2;
    assert_null(rs_alloc(huge, 3));
    assert_null(rs_alloc(huge, 1));
    void *p = rs_zalloc(3, 5);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    rs_free(p);
    test_alloc_fail_at(0);
    p = rs_alloc(1, 1);
    assert_null(p);
    test_alloc_fail_at(-1);
}

static void cursor_stays_inside(void **state)
{
    (void)state;
    const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7};
    rs_cursor c = rs_cursor_make(b, sizeof b, false);
    assert_int_equal(rs_u16(&c), 0x0201);
    c.big = true;
    assert_int_equal(rs_u32(&c), 0x03040506);
    assert_int_equal(rs_u16(&c), 0);
    assert_true(c.overrun);
    assert_int_equal(c.need_at, 8);
    assert_int_equal(rs_u8(&c), 0); /* a failed cursor stays failed */
    c = rs_cursor_make(b, sizeof b, false);
    assert_null(rs_take(&c, SIZE_MAX));
    assert_int_equal(c.need_at, SIZE_MAX);
}

static void half_precision_round_trips(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = rs_half_to_float((uint16_t)h);
        if (isnan(f)) continue;
        assert_int_equal(rs_float_to_half(f), h);
    }
    assert_int_equal(rs_float_to_half(1.0f + 0x1p-11f), 0x3c00); /* tie to even */
    assert_int_equal(rs_float_to_half(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);
    assert_int_equal(rs_float_to_half(65519.9f), 0x7bff);
    assert_int_equal(rs_float_to_half(65520.0f), 0x7c00);
    assert_int_equal(rs_float_to_half(0x1p-25f), 0);
    assert_int_equal(rs_float_to_half(0x1.8p-25f), 1);
}

/* A device that is given as output stays one. */
static void devices_are_not_replaced(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("fifo");
    remove(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(rs_os_write_file(path, "x", 1, &err), RESHED_EIO);
    assert_string_equal(err.what, "output");
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_true(S_ISFIFO(s.st_mode));
}

/* What killed writers of the same process number have left, as in containers, is passed over and
 * left alone; so is a link that leads nowhere. */
static void leftovers_are_passed_over(void **state)
{
    (void)state;
    reshed_error err = {0};
    char next[600], name[700];
    const char *path = test_temp("left");
    assert_ok(rs_os_temp_name(path, next, sizeof next, &err), &err);
    char *dash = strrchr(next, '-');
    const unsigned serial = (unsigned)strtoul(dash + 1, NULL, 10);
    *dash = '\0';
    for (unsigned k = 1; k <= 5; k++) {
        snprintf(name, sizeof name, "%s-%u.tmp", next, serial + k);
        remove(name);
        if (k == 3)
            assert_int_equal(symlink("/nonexistent/x", name), 0);
        else
            test_write_file(name, "left", 4);
    }
    assert_ok(rs_os_write_file(path, "new", 3, &err), &err);
    size_t n;
    uint8_t *d = test_read_file(path, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(d, "new", 3);
    rs_free(d);
    for (unsigned k = 1; k <= 5; k++) {
        snprintf(name, sizeof name, "%s-%u.tmp", next, serial + k);
        assert_int_equal(remove(name), 0);
    }
}

/* A folder is made, and made again, under every spelling of its name. */
static void folders_are_made(void **state)
{
    (void)state;
    reshed_error err = {0};
    char path[600];
    snprintf(path, sizeof path, "%s//", test_temp("folder"));
    assert_ok(rs_os_make_folder(path, &err), &err);
    assert_ok(rs_os_make_folder(path, &err), &err);
    strcat(path, "x/y");
    assert_int_equal(rs_os_make_folder(path, &err), RESHED_EIO);
    rs_os_clear_folder(test_temp("folder"), "x");
    assert_ok(rs_os_make_folder("/", &err), &err);
}

/* A stream that counts as a terminal; NULL where the machine has none to give. */
static FILE *terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0) return NULL;
    const int fd = open(ptsname(*master), O_RDWR | O_NOCTTY);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

/* Nothing is left to do when all was done before: the bar is full, and no number is none. */
static void progress_of_nothing(void **state)
{
    (void)state;
    rs_progress p;
    char text[400] = "";
    const char *path = test_temp("progress");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    rs_progress_start(&p, f, "fit", 10);
    p.total -= 10;
    p.shown -= 100;
    rs_progress_update(&p, 0);
    rs_progress_finish(&p);
    fclose(f);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    assert_string_equal(text, "fit: 0 of 0, 0 s left\n");
    fclose(f);
    int master;
    f = terminal(&master);
    if (f) {
        rs_progress_start(&p, f, "fit", 10);
        p.total = 0;
        rs_progress_update(&p, 0);
        const ssize_t n = read(master, text, sizeof text - 1);
        assert_true(n > 0);
        text[n] = '\0';
        assert_non_null(strstr(text, "fit [####"));
        assert_non_null(strstr(text, "#] 0/0   0 s left"));
        fclose(f);
    }
    if (master >= 0) close(master);
}

static void write_replaces_whole_file(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("whole");
    assert_ok(rs_os_write_file(path, "first", 5, &err), &err);
    assert_ok(rs_os_write_file(path, "second!", 7, &err), &err);
    size_t n;
    uint8_t *d = test_read_file(path, &n);
    assert_int_equal(n, 7);
    assert_memory_equal(d, "second!", 7);
    rs_free(d);
    assert_int_equal(rs_os_write_file("/nonexistent/x", "a", 1, &err), RESHED_EIO);
    assert_int_equal(rs_os_read_file(path, 3, &d, &n, &err), RESHED_EUNSUPPORTED);
    assert_int_equal(rs_os_read_file("/tmp", 3, &d, &n, &err), RESHED_EIO);
}

static void add_one(void *ctx, int64_t i, int worker)
{
    (void)worker;
    ((int *)ctx)[i]++;
}

static void parallel_visits_each_once(void **state)
{
    (void)state;
    int seen[100] = {0};
    rs_parallel_for(7, 100, add_one, seen);
    for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
}

static void tensors_find_and_grow(void **state)
{
    (void)state;
    rs_tensors set = {0};
    int64_t dims[2] = {2, 3};
    char name[32];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "t%d", i);
        rs_tensor *t = rs_tensors_add(&set, name, RS_F32, 2, dims);
        assert_non_null(t);
        assert_int_equal(t->count, 6);
        ((float *)t->data)[5] = (float)i;
    }
    assert_true(rs_tensor_at(rs_tensors_find(&set, "t137"), 5) == 137);
    assert_null(rs_tensors_find(&set, "t200"));
    int64_t evil[3] = {INT64_MAX, INT64_MAX, 2};
    assert_null(rs_tensors_add(&set, "evil", RS_F32, 3, evil));
    rs_tensors_clear(&set);
}

static void image_sizes_are_checked(void **state)
{
    (void)state;
    rs_image im;
    reshed_error err = {0};
    assert_int_equal(rs_image_init(&im, 0, 5, &err), RESHED_EUNSUPPORTED);
    assert_int_equal(rs_image_init(&im, INT64_MAX, INT64_MAX, &err), RESHED_EUNSUPPORTED);
    assert_int_equal(rs_image_init(&im, 65536, 65536, &err), RESHED_EUNSUPPORTED);
    assert_ok(rs_image_init(&im, 3, 5, &err), &err);
    rs_image_clear(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_text_has_all_parts),  cmocka_unit_test(alloc_refuses_overflow),
        cmocka_unit_test(cursor_stays_inside),       cmocka_unit_test(half_precision_round_trips),
        cmocka_unit_test(devices_are_not_replaced),  cmocka_unit_test(write_replaces_whole_file),
        cmocka_unit_test(leftovers_are_passed_over), cmocka_unit_test(folders_are_made),
        cmocka_unit_test(progress_of_nothing),       cmocka_unit_test(parallel_visits_each_once),
        cmocka_unit_test(tensors_find_and_grow),     cmocka_unit_test(image_sizes_are_checked),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
