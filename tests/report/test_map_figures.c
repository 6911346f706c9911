/* Figures for papers: panels of a size, files of the kind that their name says. */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/npy.h"
#include "report/map_figures.h"
#include "report/save.h"
#include "support/program.h"

enum { H = 48, W = 64 };

/* Two straight walls, one along x and one along y, that do not meet. */
static void film(float image[H * W], float wall[H * W], float variance[H * W])
{
    for (int r = 0; r < H; r++)
        for (int c = 0; c < W; c++) {
            const bool on = (r >= 10 && r <= 12 && c < 30) || (c >= 50 && c <= 52);
            wall[r * W + c] = on ? 0.9f : 0.05f;
            image[r * W + c] = (float)c * 1e-12f;
            variance[r * W + c] = on ? 0.01f : NAN;
        }
}

static void save(rs_figure *f, const char *path, const char *begins)
{
    reshed_error err = {0};
    uint8_t *data = NULL;
    size_t len = 0;
    assert_ok(rs_report_save_figure(RESHED_OK, f, path, &err), &err);
    assert_ok(rs_os_read_file(path, 1 << 24, &data, &len, &err), &err);
    assert_true(len > 1000);
    assert_memory_equal(data, begins, strlen(begins));
    rs_free(data);
}

static void figures_become_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *begins;
    } kind[] = {{"figure.pdf", "%PDF-"}, {"figure.SVG", "<?xml"}, {"figure.png", "\x89PNG"}};
    float image[H * W], wall[H * W], variance[H * W];
    rs_find_options options;
    rs_found found;
    rs_paper paper;
    reshed_error err = {0};
    film(image, wall, variance);
    rs_find_defaults(&options);
    rs_paper_defaults(&paper);
    const rs_find_input find = {.grid = {H, W, 1e-8, 1e-8}, .map = wall};
    assert_ok(rs_find(&find, &options, &found, &err), &err);
    assert_int_equal(found.graph.walls, 2);
    for (int sized = 0; sized < 2; sized++)
        for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
            const rs_mapped in = {.height = H,
                                  .width = W,
                                  .dx = sized ? 1e-8 : 0,
                                  .dy = sized ? 1e-8 : 0,
                                  .image = image,
                                  .wall = wall,
                                  .variance = k ? variance : NULL,
                                  .channel = "Amplitude",
                                  .unit = "m"};
            rs_figure *f = NULL;
            assert_ok(rs_mapped_figure(&in, &f, &err), &err);
            rs_figure_paper(f, &paper);
            save(f, test_temp(kind[k].name), kind[k].begins);
            assert_ok(rs_walls_figure(&in, &found, &f, &err), &err);
            save(f, test_temp(kind[k].name), kind[k].begins);
        }
    rs_found_clear(&found);
}

static void other_names_are_refused(void **state)
{
    (void)state;
    rs_figure *f = NULL;
    reshed_error err = {0};
    assert_true(rs_report_figure_path("x.pdf"));
    assert_false(rs_report_figure_path(".pdf"));
    assert_false(rs_report_figure_path("x.jpg"));
    assert_ok(rs_figure_create(100, 100, 1, 1, &f, &err), &err);
    assert_int_equal(rs_report_save_figure(RESHED_OK, f, test_temp("x.jpg"), &err), RESHED_EINVAL);
    assert_false(rs_os_is_file(test_temp("x.jpg")));
}

static void memory_may_be_short(void **state)
{
    (void)state;
    float image[H * W], wall[H * W], variance[H * W];
    rs_find_options options;
    rs_found found;
    reshed_error err = {0};
    film(image, wall, variance);
    rs_find_defaults(&options);
    const rs_find_input find = {.grid = {H, W, 1, 1}, .map = wall};
    const rs_mapped in = {
        .height = H, .width = W, .image = image, .wall = wall, .variance = variance};
    assert_ok(rs_find(&find, &options, &found, &err), &err);
    long n = 0;
    for (bool failed = true; failed; n++) {
        rs_figure *f = NULL, *g = NULL;
        rs_rgb8 picture = {0};
        test_alloc_fail_at(n);
        reshed_status st = rs_mapped_figure(&in, &f, &err);
        if (st == RESHED_OK) st = rs_walls_figure(&in, &found, &g, &err);
        if (st == RESHED_OK) st = rs_figure_draw(f, &picture, &err);
        rs_rgb8_clear(&picture);
        if (st == RESHED_OK) st = rs_figure_draw(g, &picture, &err);
        failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        rs_rgb8_clear(&picture);
        rs_figure_free(f);
        rs_figure_free(g);
    }
    assert_true(n > 20);
    rs_found_clear(&found);
}

static void programs_take_paper(void **state)
{
    (void)state;
    float image[H * W], wall[H * W], variance[H * W];
    char args[2048], map[512];
    const size_t dims[2] = {H, W};
    reshed_error err = {0};
    film(image, wall, variance);
    snprintf(map, sizeof map, "%s", test_temp("map.npy"));
    assert_ok(rs_npy_write(map, RS_NPY_F4, 2, dims, wall, &err), &err);
    snprintf(args, sizeof args, "--quiet --figure=%s --paper=width=86,dpi=254,letters=no %s",
             test_temp("walls.png"), map);
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 0);
    static const char *const bad[] = {"--figure=walls.jpg", "--paper=width=5", "--paper=width",
                                      "--paper=letters=maybe", "--paper=ink=blue"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(args, sizeof args, "%s %s", bad[i], map);
        o = run_program("reshed-walls", args);
        assert_int_equal(o->status, 2);
        assert_non_null(strstr(o->err, "expected"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_become_files), cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(memory_may_be_short), cmocka_unit_test(programs_take_paper)};
    return cmocka_run_group_tests_name("map_figures", tests, NULL, NULL);
}
