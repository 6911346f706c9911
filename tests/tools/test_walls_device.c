/* Points for an instrument: emulators that take an image of a film and put a tip on it as that
 * instrument's programs do. The film has walls at known places in metres; what the preset writes must
 * bring the tip onto them. */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/gsf.h"
#include "io/npy.h"
#include "support/program.h"

enum { N = 96, WALLS = 3, MOST = 400 };

static const double side = 4.8e-7, cx = 2.5e-6,
                    cy = -1.25e-6; /* m, edge to edge; centre on the stage */

/* Level and upright walls, as shares of the side; two of them where the rules are farthest apart. */
static const double level[WALLS] = {0.06, 0.52, 0.94}, upright[WALLS] = {0.06, 0.47, 0.94};

/* Where the instrument has the centre of pixel k, 0 to 1 from the left or the bottom edge. */
static double centre_of(int k, bool inclusive)
{
    return inclusive ? (double)k / (N - 1) : (k + 0.5) / N;
}

static double distance(double at, const double *wall)
{
    double least = 1;
    for (int i = 0; i < WALLS; i++) least = fmin(least, fabs(at - wall[i]));
    return least;
}

/* The image, as a map of wall probability. The pixels of Igor's file are side/(N - 1) apart. */
static const char *take_image(bool inclusive, const char *name)
{
    static float map[N * N];
    static char path[1024];
    reshed_error err = {0};
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) {
            const double x = centre_of(c, inclusive), y = centre_of(N - 1 - r, inclusive);
            const double away = fmin(distance(x, upright), distance(y, level));
            map[r * N + c] = away * N < 1.2 ? 0.9f : 0.02f;
        }
    rs_image im = {.height = N, .width = N, .data = map, .x0 = cx, .y0 = cy};
    im.dx = im.dy = inclusive ? side / (N - 1) : side / N;
    snprintf(path, sizeof path, "%s", test_temp(name));
    assert_ok(rs_gsf_write(path, &im, &err), &err);
    return path;
}

/* The points in a device file, as the emulator's tip positions in metres on the stage. */
static int load(const char *path, const char *instrument, double *x, double *y)
{
    reshed_error err = {0};
    int n = 0;
    if (strcmp(instrument, "aecroscopy") == 0) {
        rs_npy a;
        assert_ok(rs_npy_read(path, &a, &err), &err);
        assert_true(a.ndim == 2 && a.dims[1] == 2 && a.type == RS_NPY_F8);
        for (n = 0; n < (int)a.dims[0]; n++) {
            x[n] = cx + side / 2 * rs_npy_at(&a, 2 * (size_t)n);
            y[n] = cy + side / 2 * rs_npy_at(&a, 2 * (size_t)n + 1);
        }
        rs_npy_clear(&a);
        return n;
    }
    char line[256];
    bool igor = strcmp(instrument, "asylum") == 0, inside = !igor, ended = !igor;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (int k = 0; fgets(line, sizeof line, f); k++) {
        if (k == 0) assert_string_equal(line, igor ? "IGOR\n" : "X (m)\tY (m)\n");
        if (strcmp(line, "END\n") == 0) ended = true;
        if (igor && strcmp(line, "BEGIN\n") == 0) inside = true;
        if (inside && !(igor && ended) && n < MOST && sscanf(line, "%lf %lf", &x[n], &y[n]) == 2)
            n++;
    }
    fclose(f);
    assert_true(ended);
    return n;
}

static void tips_land_on_walls(void **state)
{
    (void)state;
    static const char *const instrument[] = {"asylum", "nanonis", "aecroscopy"};
    for (int i = 0; i < 3; i++) {
        char args[4096], device[1024];
        double x[MOST], y[MOST], worst = 0;
        snprintf(device, sizeof device, "%s", test_temp("points.device"));
        snprintf(args, sizeof args, "%s --every=3 --margin=2px --quiet --for=%s --device=%s",
                 take_image(i != 1, "film.gsf"), instrument[i], device);
        assert_int_equal(run_program("reshed-walls", args)->status, 0);
        const int n = load(device, instrument[i], x, y);
        assert_true(n > 100 && n < MOST);
        for (int k = 0; k < n; k++) {
            const double u = (x[k] - cx) / side + 0.5, v = (y[k] - cy) / side + 0.5;
            worst = fmax(worst, N * fmin(distance(u, upright), distance(v, level)));
        }
        printf("# %s: %d points, %.2f pixels from a wall at most\n", instrument[i], n, worst);
        assert_true(worst < 1);
    }
}

static void what_is_needed_is_said(void **state)
{
    (void)state;
    char args[2048];
    static float map[N * N];
    reshed_error err = {0};
    const size_t dims[2] = {N, N};
    for (int i = 0; i < N; i++) map[40 * N + i] = map[41 * N + i] = 0.9f;
    const char *bare = test_temp("bare.npy");
    assert_ok(rs_npy_write(bare, RS_NPY_F4, 2, dims, map, &err), &err);
    snprintf(args, sizeof args, "%s --device=%s.txt", bare, bare);
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 2);
    assert_non_null(strstr(o->err, "--device needs --for"));
    snprintf(args, sizeof args, "%s --device=%s.txt --for=nanonis --quiet", bare, bare);
    o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "--frame-of or --pixel-size"));
    snprintf(args, sizeof args, "%s --device=%s.txt --for=park", bare, bare);
    o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 2);
    assert_non_null(strstr(o->err, "asylum, nanonis, aecroscopy"));
    snprintf(args, sizeof args, "%s --device=%s --for=aecroscopy", bare, bare);
    assert_int_equal(run_program("reshed-walls", args)->status,
                     2); /* no output replaces an input */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tips_land_on_walls),
        cmocka_unit_test(what_is_needed_is_said),
    };
    return cmocka_run_group_tests_name("walls_device", tests, NULL, NULL);
}
