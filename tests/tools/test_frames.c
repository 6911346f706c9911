/* --frame: one frame of a stack, or all of them, through reshed-infer and reshed-walls. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/os.h"
#include "io/npy.h"
#include "io/walls_read.h"
#include "support/program.h"

enum { F = 3, H = 32, W = 40 };

/* Frame k has k + 1 walls along rows. */
static const char *write_stack(const char *name)
{
    static float v[F * H * W];
    const size_t dims[3] = {F, H, W};
    reshed_error err = {0};
    const char *path = test_temp(name);
    test_rng r = {test_seed()};
    for (int i = 0; i < F * H * W; i++) {
        const int f = i / (H * W), row = i / W % H;
        v[i] = (float)(row % 8 < 3 && row / 8 <= f ? 0.9 : test_uniform(&r, 0, 0.1));
    }
    assert_ok(rs_npy_write(path, RS_NPY_F4, 3, dims, v, &err), &err);
    return path;
}

static const outcome *run(const char *program, const char *options, const char *path, int status)
{
    char args[4096];
    snprintf(args, sizeof args, "%s %s", options, path);
    const outcome *o = run_program(program, args);
    if (o->status != status) fail_msg("%s %s: exit %d: %s", program, args, o->status, o->err);
    return o;
}

static void walls_of_each_frame(void **state)
{
    (void)state;
    char path[1024], csv[1024], options[2048];
    snprintf(path, sizeof path, "%s", write_stack("stack.npy"));
    snprintf(csv, sizeof csv, "%s", test_temp("walls.csv"));
    const outcome *o = run("reshed-walls", "", path, 1);
    assert_non_null(strstr(o->err, "--frame=N or all for a stack"));
    for (int k = 0; k < F; k++) {
        snprintf(options, sizeof options, "--json --frame=%d", k);
        o = run("reshed-walls", options, path, 0);
        assert_near(json_number(o->out, "walls"), k + 1, 0);
        assert_near(json_number(o->out, "frame"), k, 0);
        assert_near(json_number(o->out, "frames"), F, 0);
    }
    snprintf(options, sizeof options, "--frame=all --walls=%s", csv);
    o = run("reshed-walls", options, path, 0);
    assert_non_null(strstr(o->out, "frame 0 of 3"));
    assert_non_null(strstr(o->out, "frame 2 of 3"));
    assert_false(rs_os_is_file(csv));
    for (int k = 0; k < F; k++) {
        char name[64];
        snprintf(name, sizeof name, "walls_frame%03d.csv", k);
        assert_true(rs_os_is_file(test_temp(name)));
    }
    run("reshed-walls", "--frame=3", path, 1);
    run("reshed-walls", "--frame=-1", path, 2);
}

static void maps_of_each_frame(void **state)
{
    (void)state;
    char path[1024], options[2048], name[64];
    reshed_error err = {0};
    snprintf(path, sizeof path, "%s", write_stack("film.npy"));
    snprintf(options, sizeof options, "--weights=%s",
             test_data("tiny_bilinear_ensemble_metadict.tar"));
    const outcome *o = run("reshed-infer", options, path, 1);
    assert_non_null(strstr(o->err, "a stack of 3 frames"));
    snprintf(options, sizeof options, "--json --frame=all --weights=%s",
             test_data("tiny_bilinear_ensemble_metadict.tar"));
    o = run("reshed-infer", options, path, 0);
    assert_near(json_number(strrchr(o->out, '{'), "frame"), F - 1, 0);
    for (int k = 0; k < F; k++) {
        rs_walls_map m = {0};
        snprintf(name, sizeof name, "film_frame%03d_walls.h5", k);
        assert_ok(rs_walls_read(test_temp(name), &m, &err), &err);
        assert_true(m.height == H && m.width == W);
        rs_walls_map_clear(&m);
        snprintf(name, sizeof name, "film_frame%03d_mean.png", k);
        assert_true(rs_os_is_file(test_temp(name)));
    }
    run("reshed-infer", "--frame=all --mean=m.npy", path, 2);
    run("reshed-infer", "--frame=x", path, 2);
}

/* A frame without a finite value fails; the frames after it are done, and the exit status tells. */
static void a_bad_frame_does_not_end_the_run(void **state)
{
    (void)state;
    char path[1024], csv[1024], options[2048];
    rs_npy a;
    reshed_error err = {0};
    snprintf(path, sizeof path, "%s", write_stack("gaps.npy"));
    snprintf(csv, sizeof csv, "%s", test_temp("gaps.csv"));
    assert_ok(rs_npy_read(path, &a, &err), &err);
    for (int i = 0; i < H * W; i++) ((float *)a.data)[H * W + i] = NAN;
    assert_ok(rs_npy_write(path, RS_NPY_F4, a.ndim, a.dims, a.data, &err), &err);
    rs_npy_clear(&a);
    snprintf(options, sizeof options, "--frame=all --walls=%s", csv);
    const outcome *o = run("reshed-walls", options, path, 1);
    assert_non_null(strstr(o->out, "frame 0 of 3"));
    assert_non_null(strstr(o->out, "frame 2 of 3"));
    assert_true(rs_os_is_file(test_temp("gaps_frame002.csv")));
    assert_false(rs_os_is_file(test_temp("gaps_frame001.csv")));
    snprintf(options, sizeof options, "--frame=all --weights=%s",
             test_data("tiny_bilinear_ensemble_metadict.tar"));
    o = run("reshed-infer", options, path, 1);
    assert_non_null(strstr(o->out, "frame 0 of 3"));
    assert_non_null(strstr(o->out, "frame 2 of 3"));
    assert_true(rs_os_is_file(test_temp("gaps_frame002_walls.h5")));
    assert_false(rs_os_is_file(test_temp("gaps_frame001_walls.h5")));
    snprintf(options, sizeof options, "--frame=all --spur=5nm --walls=%s", csv);
    o = run("reshed-walls", options, path, 2); /* said once, as it is the same for each */
    assert_null(strstr(strstr(o->err, "no pixel size") + 1, "no pixel size"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walls_of_each_frame),
        cmocka_unit_test(maps_of_each_frame),
        cmocka_unit_test(a_bad_frame_does_not_end_the_run),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
