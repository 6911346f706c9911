#define _POSIX_C_SOURCE 200809L
/* reshed-walls as a user meets it: files in, files and texts out. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "io/csv.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/png.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/walls_h5.h"
#include "support/program.h"

enum { H = 96, W = 120, STRIPES = 12 };

/* Twelve slanted stripes, 8 pixels apart: probability falls off from 0.9 on the line. */
static float line_row(int k, int col)
{
    return 2.0f + 8.0f * (float)k + 0.04f * (float)col;
}

static void make_map(float *map)
{
    for (int i = 0; i < H * W; i++) {
        float nearest = 99;
        for (int k = 0; k < STRIPES; k++)
            nearest = fminf(nearest, fabsf((float)(i / W) - line_row(k, i % W)));
        map[i] = fmaxf(0, 0.9f - 0.3f * nearest);
    }
}

static const char *write_map(const char *name)
{
    static float map[H * W];
    reshed_error err = {0};
    size_t dims[2] = {H, W};
    const char *path = test_temp(name);
    make_map(map);
    assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, map, &err), &err);
    return path;
}

/* Runs the program; returns its exit status, and the words of both streams in out[n]. */
static int run(char *out, size_t n, const char *arguments)
{
    char joined[4096];
    snprintf(joined, sizeof joined, "%s 2>&1", arguments);
    const outcome *o = run_program("reshed-walls", joined);
    size_t len = strlen(o->out);
    assert_true(len < n);
    memcpy(out, o->out, len + 1);
    return o->status;
}

static rs_csv_table table(const char *path)
{
    rs_csv_table t;
    reshed_error err = {0};
    assert_ok(rs_csv_read(path, &t, &err), &err);
    return t;
}

static double value(const rs_csv_table *t, size_t row, const char *column)
{
    size_t c;
    double v;
    reshed_error err = {0};
    assert_ok(rs_csv_column(t, column, &c, &err), &err);
    assert_ok(rs_csv_cell_number(t, row, c, &v, &err), &err);
    return v;
}

/* ---------------------------------------------------------------------------------------- files */

static void writes_skeleton_walls_and_points(void **state)
{
    (void)state;
    char out[8192], args[2048];
    const char *map = write_map("map.npy"), *s = test_temp("s.npy"), *p = test_temp("p.csv");
    const char *w = test_temp("w.csv");
    reshed_error err = {0};
    snprintf(args, sizeof args,
             "%s --pixel-size 10 --skeleton %s --points %s --walls %s --every 10 --margin 0 --json",
             map, s, p, w);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_true(json_number(out, "walls") == STRIPES);
    assert_true(json_number(out, "height") == H && json_number(out, "width") == W);
    assert_true(fabs(json_number(out, "threshold") - 0.5) < 1e-12);
    assert_true(fabs(json_number(out, "pixel_size_x") - 10e-9) < 1e-20);
    double length = STRIPES * 119 * 10e-9 * hypot(1, 0.04);
    assert_true(fabs(json_number(out, "wall_length") / length - 1) < 0.02);

    rs_npy a;
    assert_ok(rs_npy_read(s, &a, &err), &err);
    assert_true(a.type == RS_NPY_U1 && a.ndim == 2 && a.dims[0] == H && a.dims[1] == W);
    int on = 0;
    for (size_t i = 0; i < a.count; i++) on += ((uint8_t *)a.data)[i];
    assert_true(on == json_number(out, "skeleton_pixels"));

    rs_csv_table t = table(p);
    assert_true(t.rows == json_number(out, "points"));
    assert_in_range(t.rows, STRIPES * 12 - 6, STRIPES * 12 + 6);
    for (size_t i = 0; i < t.rows; i++) {
        int row = (int)value(&t, i, "row"), col = (int)value(&t, i, "col");
        assert_true(((uint8_t *)a.data)[row * W + col] == 1);
        /* Pixel centres tile the frame: x = (col + 1/2 - W/2) * 10 nm, y upwards. */
        assert_true(fabs(value(&t, i, "x") - (col + 0.5 - W / 2.0) * 10e-9) < 1e-18);
        assert_true(fabs(value(&t, i, "y") + (row + 0.5 - H / 2.0) * 10e-9) < 1e-18);
        assert_true(fabs(value(&t, i, "u") - (2 * (col + 0.5) / W - 1)) < 1e-12);
        assert_true(fabs(value(&t, i, "v") + (2 * (row + 0.5) / H - 1)) < 1e-12);
        assert_in_range((int)value(&t, i, "wall"), 0, STRIPES - 1);
    }
    rs_csv_table_clear(&t);
    rs_npy_clear(&a);

    double own = 0;
    t = table(w);
    assert_int_equal(t.rows, STRIPES);
    for (size_t i = 0; i < t.rows; i++) {
        assert_true(fabs(value(&t, i, "orientation") - (180 - atan(0.04) * RS_RADIAN)) < 1);
        /* Above 0.4 is what lies within 5/3 of a pixel. */
        assert_true(fabs(value(&t, i, "width") - 2 * 4 / 3.0 * 10e-9) < 4e-9);
        assert_true(value(&t, i, "probability") > 0.75);
        assert_true(value(&t, i, "family") == 0);
        if (i) assert_true(value(&t, i, "length") <= value(&t, i - 1, "length"));
        own += value(&t, i, "own length");
    }
    assert_near(own, json_number(out, "wall_length"), 1e-6 * own); /* of the digits in the table */
    rs_csv_table_clear(&t);
}

static void author_order_visits_every_kth_pixel(void **state)
{
    (void)state;
    char out[8192], args[2048];
    const char *map = write_map("map.npy"), *p = test_temp("author.csv");
    for (int k = 0; k < 2; k++) {
        snprintf(args, sizeof args, "--order=%s --every=1 --margin=0 --points=%s %s --json",
                 k ? "raster" : "author", p, map);
        assert_int_equal(run(out, sizeof out, args), 0);
        /* No point is lost. */
        assert_true(json_number(out, "points") == json_number(out, "skeleton_pixels"));
        rs_csv_table t = table(p);
        assert_true(t.rows == json_number(out, "skeleton_pixels"));
        assert_string_equal(rs_csv_name(&t, 3), "x (px)");
        if (k == 0)
            assert_true(json_number(out, "route_px") == json_number(out, "author_route_px"));
        else
            assert_true(json_number(out, "route_px") > json_number(out, "author_route_px"));
        rs_csv_table_clear(&t);
    }
    snprintf(args, sizeof args, "--every=3 %s --json", map);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_true(json_number(out, "route_px") <= json_number(out, "author_route_px"));
}

static void exclusions_and_controls(void **state)
{
    (void)state;
    char out[8192], args[2048];
    const char *map = write_map("map.npy"), *p = test_temp("control.csv");
    snprintf(args, sizeof args,
             "%s --rows 0-60 --margin 8 --control a:3,c:2 --control-distance 2 --domain-max 9 "
             "--start 60,100 --points %s --pixel-size 5,5 --quiet",
             map, p);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_string_equal(out, "");
    rs_csv_table t = table(p);
    size_t kind;
    reshed_error err = {0};
    int controls[2] = {0, 0};
    assert_ok(rs_csv_column(&t, "kind", &kind, &err), &err);
    for (size_t i = 0; i < t.rows; i++) {
        double row = value(&t, i, "row"), col = value(&t, i, "col");
        assert_true(row >= 8 && row <= 60 && col >= 8 && col <= W - 9);
        controls[0] += strcmp(rs_csv_cell(&t, i, kind), "a-domain") == 0;
        controls[1] += strcmp(rs_csv_cell(&t, i, kind), "c-domain") == 0;
    }
    assert_int_equal(controls[0], 3);
    assert_int_equal(controls[1], 2);
    assert_true(hypot(value(&t, 0, "row") - 60, value(&t, 0, "col") - 100) < 8);
    rs_csv_table_clear(&t);
}

/* image_walls.h5 brings variance and pixel size along. */
static void reads_the_file_of_reshed_infer(void **state)
{
    (void)state;
    static float map[H * W], variance[H * W];
    char out[8192], args[2048];
    reshed_error err = {0};
    const char *h5 = test_temp("image_walls.h5"), *p = test_temp("h5.csv");
    const char *png = test_temp("picture.png"), *pairs = test_temp("pairs.csv");
    make_map(map);
    for (int i = 0; i < H * W; i++) variance[i] = i % W < 40 ? 0.2f : 0.01f;
    const rs_walls_file f = {.height = H,
                             .width = W,
                             .classes = 1,
                             .mean = map,
                             .variance = variance,
                             .input = map,
                             .dx = 4e-9,
                             .dy = 4e-9,
                             .normalisation = "frame",
                             .weights_checksum = "",
                             .program = "reshed-infer",
                             .source = "",
                             .channel = ""};
    assert_ok(rs_walls_write(h5, &f, &err), &err);
    snprintf(args, sizeof args,
             "--max-variance 0.1 --points %s --spacing 20nm --json --png %s --pairs %s "
             "--branches %s.b %s",
             p, png, pairs, pairs, h5);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_true(fabs(json_number(out, "pixel_size_y") - 4e-9) < 1e-20);
    rs_csv_table t = table(p);
    assert_string_equal(rs_csv_name(&t, 3), "x (m)");
    assert_true(t.rows > 100);
    for (size_t i = 0; i < t.rows; i++) assert_true(value(&t, i, "col") >= 40);
    rs_csv_table_clear(&t);
    rs_image im;
    size_t n;
    uint8_t *bytes = test_read_file(png, &n);
    assert_ok(rs_png_read_mem(bytes, n, &im, &err), &err);
    rs_free(bytes);
    assert_true(im.width >= 1000);
    rs_image_clear(&im);
    t = table(pairs); /* the input is bright on the walls, so the gaps are dark: all are domains */
    assert_in_range(t.rows, 4, 6);
    for (size_t i = 0; i < t.rows; i++)
        assert_true(fabs(value(&t, i, "separation") - 32e-9) < 2e-9);
    rs_csv_table_clear(&t);
}

/* The phase of a _walls.h5, in radians, tells the kinds of its walls: the fifth stripe has c+ above it
 * and c- below. */
static void a_phase_in_the_file_tells_the_kinds(void **state)
{
    (void)state;
    static float map[H * W], amplitude[H * W], phase[H * W];
    char out[8192], args[2048];
    reshed_error err = {0};
    const char *h5 = test_temp("kinds_walls.h5"), *walls = test_temp("kinds.csv");
    make_map(map);
    for (int i = 0; i < H * W; i++) {
        const float d = (float)(i / W) - line_row(5, i % W);
        amplitude[i] = fabsf(tanhf(d));
        phase[i] = d < 0 ? 2.9f : 2.9f - 3.1415927f;
    }
    const rs_walls_file f = {.height = H,
                             .width = W,
                             .classes = 1,
                             .mean = map,
                             .variance = map,
                             .input = amplitude,
                             .phase = phase,
                             .wall180 = map,
                             .phase_channel = "Phase",
                             .normalisation = "frame",
                             .weights_checksum = "",
                             .program = "reshed-infer",
                             .source = "",
                             .channel = ""};
    assert_ok(rs_walls_write(h5, &f, &err), &err);
    snprintf(args, sizeof args, "--json --walls %s %s", walls, h5);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_near(json_number(out, "walls_180"), 1, 0);
    assert_near(json_number(out, "walls_mixed"), 0, 0);
    assert_near(json_number(out, "walls_ferroelastic"), STRIPES - 1, 0);
    const double points = json_number(out, "points");
    rs_csv_table t = table(walls);
    size_t kind;
    assert_ok(rs_csv_column(&t, "kind", &kind, &err), &err);
    for (size_t i = 0; i < t.rows; i++) {
        const bool changes = fabs(value(&t, i, "first row") - (double)line_row(5, 0)) < 4;
        assert_string_equal(rs_csv_cell(&t, i, kind), changes ? "180" : "ferroelastic");
        assert_true(value(&t, i, "kind sure") > 0.9);
    }
    rs_csv_table_clear(&t);
    snprintf(args, sizeof args, "--json --on-180 %s", h5);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_true(json_number(out, "points") > points + 5);
    snprintf(args, sizeof args, "--json %s", write_map("plain.npy"));
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_non_null(strstr(out, "\"walls_180\": null"));
}

/* A file as reshed-scan writes it: the amplitude, in volts, comes first. */
static void reads_a_session_by_meaning(void **state)
{
    (void)state;
    static const char *const name[] = {"Amplitude", "Phase", "Wall_probability", "Wall_variance"};
    static const char *const unit[] = {"V", "rad", "1", "1"};
    char out[4096], args[2048];
    const char *path = test_temp("session.h5");
    reshed_error err = {0};
    for (int without = 0; without < 2; without++) {
        rs_nsid_writer *w = NULL;
        assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
        for (int k = 0; k < (without ? 2 : 4); k++) {
            rs_image im;
            rs_nsid_data d;
            assert_ok(rs_image_init(&im, H, W, &err), &err);
            make_map(im.data);
            for (int i = 0; k != 2 && i < H * W; i++) im.data[i] = (float)(i % 7) * 1e-4f;
            strcpy(im.channel, name[k]);
            strcpy(im.unit, unit[k]);
            im.dx = im.dy = 5e-9;
            assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
            assert_ok(rs_nsid_add(w, "/Measurement_000/Results", &d, RS_NSID_F32, NULL, 0, &err),
                      &err);
            rs_nsid_data_clear(&d);
            rs_image_clear(&im);
        }
        assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
        snprintf(args, sizeof args, "--max-variance 1 %s", path);
        if (without) {
            assert_int_equal(run(out, sizeof out, path), 1);
            assert_non_null(strstr(out, "known as wall map: Amplitude, Phase"));
            snprintf(args, sizeof args, "-c Amplitude %s", path);
            assert_int_equal(run(out, sizeof out, args), 1); /* volts are no probabilities */
            assert_non_null(strstr(out, "found 0 to 0.0006 V)"));
            snprintf(args, sizeof args, "-c Amplitude --threshold=3e-4 %s", path);
            assert_int_equal(run(out, sizeof out, args), 0);
            assert_non_null(strstr(out, "0.0006 V, do not look like probabilities"));
            assert_non_null(strstr(out, " pixels above 0.0003"));
        } else {
            assert_int_equal(run(out, sizeof out, args), 0);
            assert_non_null(strstr(out, "channel Wall_probability, "));
            assert_null(strstr(out, "do not look like"));
            snprintf(args, sizeof args, "--json %s", path);
            assert_int_equal(run(out, sizeof out, args), 0);
            assert_non_null(strstr(out, "\"channel\": \"Wall_probability\""));
            assert_true(json_number(out, "walls") == STRIPES);
        }
    }
}

/* A network's classes: background, the walls of the map, and what is neither. */
static void classes_are_chosen(void **state)
{
    (void)state;
    test_not_quick();
    static float map[H * W], last[H * W * 3], first[H * W * 3], spread[H * W * 3], label[H * W];
    char out[8192], args[2048];
    reshed_error err = {0};
    make_map(map);
    for (int i = 0; i < H * W; i++) {
        const bool third = i / W < 3; /* rows of the third class at the top */
        const float p[3] = {third ? 0 : 1 - map[i], third ? 0 : map[i], third};
        for (int k = 0; k < 3; k++) {
            last[3 * i + k] = first[k * H * W + i] = p[k];
            spread[3 * i + k] = k == 1 && i % W < 40 ? 0.2f : 0.01f;
        }
        label[i] = third ? 2 : map[i] > 0.4f;
    }
    const size_t hwc[] = {H, W, 3}, chw[] = {3, H, W}, hw[] = {H, W};
    const char *a = test_temp("hwc.npy"), *b = test_temp("chw.npy"), *c = test_temp("label.npy");
    const char *d = test_temp("label.png"), *e = test_temp("c3.h5"), *v = test_temp("v3.npy");
    static uint8_t grey[H * W];
    for (int i = 0; i < H * W; i++) grey[i] = (uint8_t)label[i];
    assert_ok(rs_npy_write(a, RS_NPY_F4, 3, hwc, last, &err), &err);
    assert_ok(rs_npy_write(b, RS_NPY_F4, 3, chw, first, &err), &err);
    assert_ok(rs_npy_write(v, RS_NPY_F4, 3, hwc, spread, &err), &err);
    assert_ok(rs_npy_write(c, RS_NPY_F4, 2, hw, label, &err), &err);
    assert_ok(rs_png_write(d, RS_PNG_GREY8, H, W, grey, &err), &err);
    const rs_walls_file f = {.height = H,
                             .width = W,
                             .classes = 3,
                             .mean = last,
                             .variance = spread,
                             .input = map,
                             .normalisation = "frame",
                             .weights_checksum = "",
                             .program = "reshed-infer",
                             .source = "",
                             .channel = ""};
    assert_ok(rs_walls_write(e, &f, &err), &err);
    const char *const files[] = {a, b, e, c, d};
    for (int k = 0; k < 5; k++) {
        snprintf(args, sizeof args, "--json %s --class=1", files[k]);
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_true(json_number(out, "walls") == STRIPES);
        assert_true(json_number(out, "class") == 1 && json_number(out, "classes") == 3);
        snprintf(args, sizeof args, "--json %s --class=2", files[k]);
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_near(json_number(out, "wall_fraction"), 3.0 / H, 1e-6);
        snprintf(args, sizeof args, "%s --class=3", files[k]);
        assert_int_equal(run(out, sizeof out, args), 1);
        assert_non_null(strstr(out, k < 3 ? "class (expected 0 to 2, found 3)"
                                          : "class (expected one that the map holds: 0, 1, 2"));
        snprintf(args, sizeof args, "%s", files[k]);
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_non_null(strstr(out, "--class chooses"));
        if (k >= 2) continue;
        /* All but the first; the variance is that of the class. */
        snprintf(args, sizeof args, "--json --quiet %s", files[k]);
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_true(json_number(out, "wall_fraction") > 3.0 / H + 0.1);
        snprintf(args, sizeof args, "%s --class=1 --variance=%s --max-variance=0.1 --points=%s.csv",
                 files[k], v, a);
        assert_int_equal(run(out, sizeof out, args), 0);
        snprintf(args, sizeof args, "%s.csv", a);
        rs_csv_table t = table(args);
        assert_true(t.rows > 20);
        for (size_t i = 0; i < t.rows; i++) assert_true(value(&t, i, "col") >= 40);
        rs_csv_table_clear(&t);
    }
    assert_int_equal(run(out, sizeof out, v), 1); /* these do not add up to 1 */
    assert_non_null(strstr(out, "--class=N"));
    snprintf(args, sizeof args, "--class=1 %s", write_map("map.npy"));
    assert_int_equal(run(out, sizeof out, args), 1); /* one layer, of probabilities */
    /* Images that are neither probabilities nor masks. */
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < H * W; i++)
            label[i] = k == 0 ? map[i] * 255 : k == 1 ? map[i] - 0.5f : map[i] > 0.4f ? 255 : 0;
        assert_ok(rs_npy_write(c, RS_NPY_F4, 2, hw, label, &err), &err);
        assert_int_equal(run(out, sizeof out, c), k < 2);
        if (k < 2) assert_non_null(strstr(out, "expected probabilities of a wall, 0 to 1"));
    }
}

static void thresholds_differ(void **state)
{
    (void)state;
    char out[8192], args[2048];
    const char *map = write_map("map.npy");
    const char *const threshold[] = {"0.8", "0.4", "otsu", "0.2,0.85", "0.2,0.95"};
    double fraction[5];
    for (int i = 0; i < 5; i++) {
        snprintf(args, sizeof args, "%s --threshold %s --json", map, threshold[i]);
        assert_int_equal(run(out, sizeof out, args), 0);
        fraction[i] = json_number(out, "wall_fraction");
    }
    assert_true(fraction[0] < fraction[1] && fraction[1] < fraction[3]);
    assert_true(fraction[2] > 0.1 && fraction[2] < 0.7);
    assert_true(fraction[4] == 0); /* nothing reaches 0.95 */
}

/* ----------------------------------------------------------------------------------- statistics */

/* Values along the stripes, at positions that are up to a pixel off; `planted` alternates. */
static const char *write_values(double planted)
{
    rs_csv c = {0};
    reshed_error err = {0};
    test_rng r = {test_seed()};
    const char *path = test_temp("values.csv");
    rs_csv_heading(&c, "row", "px"), rs_csv_heading(&c, "col", "px");
    rs_csv_heading(&c, "width", "V"), rs_csv_end_row(&c);
    for (int k = 0; k < STRIPES; k++)
        for (int i = 0; i < 9; i++) {
            double col = 8 + 11 * i, row = line_row(k, (int)col);
            if (row > H - 3) continue;
            rs_csv_number(&c, row + test_uniform(&r, -0.7, 0.7));
            rs_csv_number(&c, col + test_uniform(&r, -0.7, 0.7));
            rs_csv_number(&c, 8 + (k % 2 ? planted : -planted) + 0.3 * test_gauss(&r));
            rs_csv_end_row(&c);
        }
    rs_csv_integer(&c, 6), rs_csv_integer(&c, 0); /* between two stripes, and not measured */
    rs_csv_text(&c, ""), rs_csv_end_row(&c);
    assert_ok(rs_csv_save(&c, path, &err), &err);
    rs_csv_clear(&c);
    return path;
}

/* Kinds of points by their words; one that is not known is refused with its line, never taken as a point
 * on a wall. */
static void kinds_of_points_by_their_words(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        bool known;
    } list[] = {{"wall", true}, {"a-domain", true},  {"c-domain", true}, {"180-wall", true},
                {"", true},     {"A-domain", false}, {"control", false}, {"1", false}};
    char out[8192], args[2048];
    const char *map = write_map("map.npy"), *path = test_temp("kinds.csv");
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "row,col,width,kind\n6,10,1,wall\n\n6,20,2,%s\n", list[i].word);
        assert_int_equal(fclose(f), 0);
        snprintf(args, sizeof args, "%s --values %s --metric width", map, path);
        assert_int_equal(run(out, sizeof out, args), list[i].known ? 0 : 1);
        if (list[i].known) continue;
        assert_non_null(strstr(out, "line 4"));
        assert_non_null(strstr(out, "wall, a-domain, c-domain, 180-wall"));
        assert_non_null(strstr(out, list[i].word));
    }
}

static void statistics_by_wall(void **state)
{
    (void)state;
    char out[8192], args[2048];
    const char *map = write_map("map.npy"), *stats = test_temp("stats.csv");
    for (int planted = 1; planted >= 0; planted--) {
        snprintf(args, sizeof args,
                 "%s --values %s --metric width --stats %s --seed 3 --long 115 --json", map,
                 write_values(planted), stats);
        assert_int_equal(run(out, sizeof out, args), 0);
        const char *s = strstr(out, "\"stats\"");
        assert_non_null(s);
        assert_true(json_number(s, "walls") == STRIPES);
        const char *a = strstr(s, "\"alternation\"");
        double p = json_number(a, "p"), difference = json_number(a, "difference");
        if (planted) {
            assert_true(fabs(fabs(difference) - 2) < 0.3);
            assert_true(p < 0.01);
        } else {
            assert_true(p > 0.001 && fabs(difference) < 0.5);
        }
        assert_true(json_number(strstr(s, "\"long_short\""), "p") <= 1);
        rs_csv_table t = table(stats);
        assert_int_equal(t.rows, STRIPES);
        for (size_t i = 0; i < t.rows; i++) {
            assert_true(fabs(value(&t, i, "mean") - 8) < planted + 0.5);
            assert_true(value(&t, i, "values") >= 7);
            assert_true(value(&t, i, "sd") < 0.7);
        }
        rs_csv_table_clear(&t);
    }
    snprintf(args, sizeof args, "%s --values %s --metric width", map, write_values(1));
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_non_null(strstr(out, "Neighbouring parallel walls differ: p = "));
    assert_non_null(strstr(out, "(permutation of the walls, mean |difference| of neighbours"));
    assert_non_null(strstr(out, "; 12 walls\n"));
    assert_non_null(strstr(out, "of 12 measured walls 12 are parallel (family 1), on 12 lines"));
    snprintf(args, sizeof args, "%s --values %s --metric area", map, write_values(1));
    assert_int_equal(run(out, sizeof out, args), 1);
    assert_non_null(strstr(out, "values.csv: "));
    assert_non_null(strstr(out, "area"));
}

/* --------------------------------------------------------------------------------- the contract */

/* A wall along the diagonal, two pixels wide, which scikit-image's rule thins to nothing. */
static void keeps_diagonal_walls(void **state)
{
    (void)state;
    static float diagonal[64 * 64];
    char out[8192], args[2048];
    reshed_error err = {0};
    const size_t dims[2] = {64, 64};
    const char *map = test_temp("diagonal.npy");
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < 2 && i + k < 64; k++) diagonal[i * 64 + i + k] = 0.9f;
    assert_ok(rs_npy_write(map, RS_NPY_F4, 2, dims, diagonal, &err), &err);
    static const struct {
        const char *options;
        double least, most;
    } runs[] = {{"", 86, 91},
                {"--thinning=keep", 86, 91},
                {"--thinning=skimage", 0, 3},
                {"--skeleton=skimage", 0, 3},
                {"--skeleton skimage", 0, 3}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        snprintf(args, sizeof args, "%s --json %s", map, runs[i].options);
        assert_int_equal(run(out, sizeof out, args), 0);
        const double length = json_number(out, "wall_length");
        if (!(length >= runs[i].least && length <= runs[i].most))
            fail_msg("%s: %g pixels long", runs[i].options, length);
        assert_non_null(
            strstr(out, i < 2 ? "\"thinning\": \"keep\"" : "\"thinning\": \"skimage\""));
    }
    assert_false(rs_os_is_file("skimage"));
}

/* A map of noise is all junctions. */
static void points_keep_their_distance(void **state)
{
    (void)state;
    test_not_quick();
    static float map[48 * 48];
    char out[8192], args[2048];
    reshed_error err = {0};
    test_rng r = {test_seed()};
    const size_t dims[2] = {48, 48};
    const char *noise = test_temp("noise.npy"), *p = test_temp("noise.csv");
    for (int i = 0; i < 48 * 48; i++) map[i] = (float)test_uniform(&r, 0, 1);
    assert_ok(rs_npy_write(noise, RS_NPY_F4, 2, dims, map, &err), &err);
    static const struct {
        const char *options;
        double stated, least; /* metres or pixels; pixels */
    } runs[] = {{"", 2, 2},
                {"--order=author", 2, 2},
                {"--order=raster --every=1", 1, 1},
                {"--spacing=1.5", 1.5, 1.5},
                {"--every=1 --min-distance=4", 4, 4},
                {"--pixel-size=5 --min-distance=15nm", 15e-9, 3},
                {"--pixel-size=5 --order=author", 10e-9, 2},
                {"--min-distance=0 --every=5 --min-wall=0 --margin=0", 0, 0}};
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        snprintf(args, sizeof args, "%s --points=%s --json %s", noise, p, runs[k].options);
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_near(json_number(out, "min_distance"), runs[k].stated, 1e-9 * runs[k].stated);
        rs_csv_table t = table(p);
        double nearest = INFINITY;
        assert_true(t.rows > 10);
        for (size_t i = 0; i < t.rows; i++)
            for (size_t j = 0; j < i; j++)
                nearest = fmin(nearest, hypot(value(&t, i, "row") - value(&t, j, "row"),
                                              value(&t, i, "col") - value(&t, j, "col")));
        if (!(nearest >= runs[k].least)) fail_msg("%s: %g pixels", runs[k].options, nearest);
        if (runs[k].least == 0) assert_true(nearest == 0);
        rs_csv_table_clear(&t);
    }
}

static void help_version_and_errors(void **state)
{
    (void)state;
    char out[16384], args[2048];
    const char *map = write_map("map.npy");
    assert_int_equal(run(out, sizeof out, "--help"), 0);
    assert_non_null(strstr(out, "Usage: reshed-walls"));
    assert_int_equal(run(out, sizeof out, "--version"), 0);
    assert_int_equal(strncmp(out, "reshed-walls (reshed) ", 22), 0);

    const char *const usage[] = {"",
                                 "--order=best MAP",
                                 "--every=0 MAP",
                                 "--spur=5mm MAP",
                                 "--threshold=0.5,0.4 MAP",
                                 "--threshold=low MAP",
                                 "--control=b:3 MAP",
                                 "--control=180:3 MAP",
                                 "--values=v.csv MAP",
                                 "--spacing=5 --order=author MAP",
                                 "--margin=10nm MAP",
                                 "--class=-1 MAP",
                                 "--min-distance=10nm MAP",
                                 "--min-distance=-1 MAP",
                                 "--max-variance=0.1 MAP",
                                 "--pixels=middle MAP",
                                 "MAP MAP --in-plane=MAP",
                                 "--thinning=zhang MAP",
                                 "--what MAP"};
    for (size_t i = 0; i < sizeof usage / sizeof *usage; i++) {
        size_t n = 0;
        for (const char *c = usage[i]; *c; c++) {
            if (strncmp(c, "MAP", 3) == 0) {
                n += (size_t)snprintf(args + n, sizeof args - n, "%s", map);
                c += 2;
            } else {
                args[n++] = *c;
            }
        }
        args[n] = '\0';
        if (run(out, sizeof out, args) != 2) fail_msg("'%s' is no usage error: %s", args, out);
        assert_int_equal(strncmp(out, "reshed-walls: ", 14), 0);
    }
    assert_int_equal(run(out, sizeof out, "/nonexistent.npy"), 1);
    assert_int_equal(strncmp(out, "reshed-walls: /nonexistent.npy: ", 32), 0);
    snprintf(args, sizeof args, "%s --points /nonexistent/p.csv", map);
    assert_int_equal(run(out, sizeof out, args), 1);
    assert_int_equal(strncmp(out, "reshed-walls: /nonexistent/p.csv: ", 34), 0);
    /* A companion of another size. */
    float small[6] = {0};
    size_t dims[2] = {2, 3};
    reshed_error err = {0};
    assert_ok(rs_npy_write(test_temp("small.npy"), RS_NPY_F4, 2, dims, small, &err), &err);
    snprintf(args, sizeof args, "%s --variance %s", map, test_temp("small.npy"));
    assert_int_equal(run(out, sizeof out, args), 1);
    assert_non_null(strstr(out, "96 x 120"));
}

/* Each map has outputs of its own name; one that fails is told, and the others are done. */
static void several_maps(void **state)
{
    (void)state;
    char out[8192], args[2048], a[512], b[512];
    snprintf(a, sizeof a, "%s", write_map("one.npy"));
    snprintf(b, sizeof b, "%s", write_map("two.npy"));
    remove(test_temp("w_one.csv"));
    snprintf(args, sizeof args, "%s %s/none.npy %s --json --walls %s", a, test_temp(""), b,
             test_temp("w.csv"));
    assert_int_equal(run(out, sizeof out, args), 1);
    rs_csv_table t = table(test_temp("w_one.csv"));
    assert_int_equal(t.rows, STRIPES);
    rs_csv_table_clear(&t);
    t = table(test_temp("w_two.csv"));
    rs_csv_table_clear(&t);
    assert_non_null(strstr(out, "\"failed\": true"));
    const char *failed = strstr(out, "none.npy\""), *last = strstr(out, "two.npy");
    assert_true(failed && last && strstr(out, "one.npy\"") < last);
    snprintf(args, sizeof args, "%s %s --quiet --walls %s", a, a, test_temp("w.csv"));
    assert_int_equal(run(out, sizeof out, args), 2); /* one name for two */
    snprintf(args, sizeof args, "%s %s --variance=%s", a, b, a);
    assert_int_equal(run(out, sizeof out, args), 2);
    assert_non_null(strstr(out, "of one MAP"));
}

/* The program's own picture, with its bars, is no map; a line of the scan is flagged. */
static void own_pictures_and_scan_lines(void **state)
{
    (void)state;
    char out[8192], args[2048];
    static float map[H * W];
    const size_t dims[2] = {H, W};
    reshed_error err = {0};
    const char *npy = test_temp("marks.npy"), *png = test_temp("marks.png");
    const char *csv = test_temp("marks.csv");
    for (int c = 10; c < 60; c++) map[20 * W + c] = 0.9f;
    for (int c = 10; c < 80; c++) map[60 * W + c] = map[61 * W + c] = 0.9f;
    for (int r = 10; r < 90; r++) map[r * W + 100] = 0.9f;
    assert_ok(rs_npy_write(npy, RS_NPY_F4, 2, dims, map, &err), &err);
    snprintf(args, sizeof args, "%s --json --png %s --walls %s", npy, png, csv);
    assert_int_equal(run(out, sizeof out, args), 0);
    assert_true(json_number(out, "walls") == 3 && json_number(out, "scan_lines") == 1);
    rs_csv_table t = table(csv);
    for (size_t i = 0; i < t.rows; i++)
        assert_true(value(&t, i, "scan line") == (value(&t, i, "first row") == 20));
    rs_csv_table_clear(&t);
    assert_int_equal(run(out, sizeof out, png), 1);
    assert_non_null(strstr(out, "no data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_skeleton_walls_and_points),
        cmocka_unit_test(author_order_visits_every_kth_pixel),
        cmocka_unit_test(exclusions_and_controls),
        cmocka_unit_test(reads_the_file_of_reshed_infer),
        cmocka_unit_test(a_phase_in_the_file_tells_the_kinds),
        cmocka_unit_test(reads_a_session_by_meaning),
        cmocka_unit_test(classes_are_chosen),
        cmocka_unit_test(thresholds_differ),
        cmocka_unit_test(statistics_by_wall),
        cmocka_unit_test(kinds_of_points_by_their_words),
        cmocka_unit_test(keeps_diagonal_walls),
        cmocka_unit_test(points_keep_their_distance),
        cmocka_unit_test(several_maps),
        cmocka_unit_test(own_pictures_and_scan_lines),
        cmocka_unit_test(help_version_and_errors),
    };
    return cmocka_run_group_tests_name("walls_tool", tests, NULL, NULL);
}
