#define _POSIX_C_SOURCE 200809L
/* The public interface: its program, its checks at the door, sharing between threads. */
#include "reshed.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <stddef.h>
#include <string.h>

#include "api/options.h"
#include "base/alloc.h"
#include "base/cpu.h"
#include "base/parallel.h"

#define ENSEMBLE "tiny_bilinear_ensemble_metadict.tar"

static reshed_ensemble *load(void)
{
    reshed_ensemble *e = NULL;
    reshed_error err = {0};
    assert_ok(reshed_ensemble_load(test_data(ENSEMBLE), &e, &err), &err);
    return e;
}

/* The program in the header's comment, compiled against the installed form of the library: the
 * header and the static and the shared library. */
static void header_program_runs(void **state)
{
    (void)state;
    size_t len;
    uint8_t *text = test_read_file("include/reshed.h", &len);
    const char *source = test_temp("example.c");
    FILE *f = fopen(source, "w");
    assert_non_null(f);
    int lines = 0;
    for (const char *p = (const char *)text, *end = p + len; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl || memcmp(p, " */", 3) == 0) break;
        if (memcmp(p, " *     ", 7) == 0) {
            fprintf(f, "%.*s\n", (int)(nl - p - 7), p + 7);
            lines++;
        }
        p = nl + 1;
    }
    assert_int_equal(fclose(f), 0);
    rs_free(text);
    assert_true(lines > 10);
    const char *build = getenv("B"), *san = getenv("SAN"), *cc = getenv("CC");
    if (!build || (san && *san)) skip(); /* run outside make, or built with a sanitizer's runtime */
    char cmd[1024];
    snprintf(
        cmd, sizeof cmd,
        "%s -std=c11 -Wall -Wextra -Werror -Iinclude %s -o %s -L%s -lreshed -Wl,-rpath,%s && %s %s",
        cc && *cc ? cc : "cc", source, test_temp("example"), build, build, test_temp("example"),
        test_data(ENSEMBLE));
    FILE *out = popen(cmd, "r");
    assert_non_null(out);
    char line[256] = "";
    assert_non_null(fgets(line, sizeof line, out));
    assert_int_equal(pclose(out), 0);
    assert_int_equal(strncmp(line, "wall probability at the centre: 0.", 34), 0);
}

/* AtomAI's other networks say what they are and which sides they take. */
static void networks_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *file, *name;
        int unit;
    } nets[] = {{"tiny_unet_ensemble_metadict.tar", "Unet", 8},
                {"tiny_dilnet_ensemble_metadict.tar", "dilnet", 2},
                {"tiny_segresnet_ensemble_metadict.tar", "SegResNet", 4}};
    for (int i = 0; i < 3; i++) {
        reshed_ensemble *e = NULL;
        reshed_plan *plan = NULL;
        reshed_stream *stream = NULL;
        reshed_error err = {0};
        reshed_ensemble_info info;
        assert_ok(reshed_ensemble_load(test_data(nets[i].file), &e, &err), &err);
        assert_string_equal(reshed_ensemble_network(e), nets[i].name);
        assert_int_equal(reshed_ensemble_unit(e), nets[i].unit);
        reshed_ensemble_get_info(e, &info);
        assert_true(info.receptive_radius > 8 && info.receptive_radius < 200);
        assert_int_equal(reshed_plan_create(e, 33, 40, NULL, &plan, &err), RESHED_EUNSUPPORTED);
        assert_int_equal(reshed_stream_create(e, 32, 32, NULL, &stream, &err), RESHED_EUNSUPPORTED);
        assert_non_null(strstr(err.found, nets[i].name));
        reshed_ensemble_free(e);
    }
}

static void arguments_are_checked(void **state)
{
    (void)state;
    reshed_ensemble *e = NULL;
    reshed_plan *plan = NULL;
    reshed_error err = {0};
    static float image[64], mean[64], variance[64];
    assert_int_equal(reshed_ensemble_load(NULL, &e, &err), RESHED_EINVAL);
    assert_int_equal(reshed_ensemble_load("/nonexistent", &e, &err), RESHED_EIO);
    assert_null(e);
    e = load();
    reshed_ensemble_info info;
    reshed_ensemble_get_info(e, &info);
    assert_true(info.members > 1 && info.classes == 1 && info.filters == 4);
    assert_true(info.receptive_radius > 10 && info.receptive_radius < 80);
    assert_string_equal(reshed_ensemble_network(e), "ResHedNet");
    assert_int_equal(reshed_ensemble_unit(e), 1);
    assert_int_equal(reshed_plan_create(e, 3, 8, NULL, &plan, &err), RESHED_EINVAL);
    assert_int_equal(reshed_plan_create(e, 8, 1 << 20, NULL, &plan, &err), RESHED_EINVAL);
    reshed_options o;
    reshed_options_defaults(&o);
    o.threads = -1;
    assert_int_equal(reshed_plan_create(e, 8, 8, &o, &plan, &err), RESHED_EINVAL);
    reshed_options_defaults(&o);
    o.algo = (reshed_algo)9;
    assert_int_equal(reshed_plan_create(e, 8, 8, &o, &plan, NULL), RESHED_EINVAL);
    for (int a = RESHED_ALGO_DIRECT; a <= RESHED_ALGO_GEMM; a++) { /* not of bf16 */
        reshed_options_defaults(&o);
        o.algo = (reshed_algo)a;
        o.precision = RESHED_BF16;
        assert_int_equal(reshed_plan_create(e, 8, 8, &o, &plan, &err), RESHED_EINVAL);
        assert_non_null(strstr(err.what, "bf16"));
    }
    reshed_options_defaults(&o);
    o.precision = (reshed_precision)2;
    assert_int_equal(reshed_plan_create(e, 8, 8, &o, &plan, &err), RESHED_EINVAL);
    assert_null(plan);
    assert_ok(reshed_plan_create(e, 8, 8, NULL, &plan, &err), &err);
    assert_true(reshed_plan_bytes(plan) > 1000);
    image[17] = NAN;
    mean[0] = 7;
    assert_int_equal(reshed_plan_run(plan, image, mean, variance, NULL, &err), RESHED_EINVAL);
    assert_true(mean[0] == 7); /* nothing written */
    assert_non_null(strstr(err.where, "17"));
    image[17] = 0;
    assert_ok(reshed_plan_run(plan, image, mean, variance, NULL, &err), &err);
    assert_true(mean[0] >= 0 && mean[0] <= 1 && variance[0] >= 0 && variance[0] <= 0.25f);
    reshed_plan_free(plan);
    reshed_ensemble_free(e);
    reshed_plan_free(NULL);
    reshed_ensemble_free(NULL);
}

/* A struct of options that has grown twice. */
typedef struct grown {
    size_t size;
    double first, second, third;
} grown;

static const size_t grown_sizes[] = {offsetof(grown, second), offsetof(grown, third),
                                     sizeof(grown)};

static void older_options_get_the_defaults_of_what_is_new(void **state)
{
    (void)state;
    const size_t wrong[] = {0, 1, sizeof(size_t), offsetof(grown, third) - 1, sizeof(grown) + 8};
    reshed_error err = {0};
    for (size_t k = 0; k < 3; k++) {
        grown out = {sizeof out, -1, -2, -3}, given = {grown_sizes[k], 1, 2, 3};
        assert_ok(rs_api_options("grown", &given, grown_sizes, 3, &out, &err), &err);
        assert_int_equal(out.size, sizeof out);
        assert_true(out.first == 1 && out.second == (k > 0 ? 2 : -2));
        assert_true(out.third == (k > 1 ? 3 : -3));
    }
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        grown out = {sizeof out, -1, -2, -3}, given = {wrong[k], 1, 2, 3};
        assert_int_equal(rs_api_options("grown", &given, grown_sizes, 3, &out, &err),
                         RESHED_EINVAL);
        assert_non_null(strstr(err.expected, "grown_defaults"));
        assert_true(out.first == -1 && out.second == -2 && out.third == -3);
    }
}

/* A program that forgot to call _defaults, or was built against a newer header. */
static void options_of_another_size_are_refused(void **state)
{
    (void)state;
    reshed_ensemble *e = load();
    reshed_error err = {0};
    for (int k = 0; k < 3; k++) {
        reshed_options p;
        reshed_frame_options f;
        reshed_stream_options s;
        reshed_plan *plan = NULL;
        reshed_frame *frame = NULL;
        reshed_stream *stream = NULL;
        reshed_options_defaults(&p);
        reshed_frame_defaults(&f);
        reshed_stream_defaults(&s);
        assert_ok(reshed_options_check(&p, &err), &err);
        assert_ok(reshed_frame_check(&f, &err), &err);
        assert_ok(reshed_stream_check(&s, &err), &err);
        assert_true(p.size == sizeof p && f.size == sizeof f && s.size == sizeof s);
        const size_t off = k == 1 ? 8 : (size_t)-8;
        p.size = k ? p.size + off : 0;
        f.size = offsetof(reshed_frame_options, pad); /* before there was padding */
        f.pad = 9;
        assert_ok(reshed_frame_check(&f, &err), &err);
        f.size = offsetof(reshed_frame_options, average); /* before there was averaging */
        f.average = 3;
        assert_ok(reshed_frame_check(&f, &err), &err);
        f.size = sizeof f;
        assert_int_equal(reshed_frame_check(&f, &err), RESHED_EINVAL);
        assert_string_equal(err.what, "turns to be averaged");
        f.size = k ? sizeof f + 3 * off : 0;
        s.size = k ? s.size + off : 0;
        assert_int_equal(reshed_options_check(&p, &err), RESHED_EINVAL);
        assert_int_equal(reshed_plan_create(e, 8, 8, &p, &plan, &err), RESHED_EINVAL);
        assert_string_equal(err.what, "size of the options");
        assert_int_equal(reshed_frame_check(&f, &err), RESHED_EINVAL);
        assert_int_equal(reshed_frame_create(e, &f, &frame, &err), RESHED_EINVAL);
        assert_string_equal(err.what, "size of the options");
        assert_int_equal(reshed_stream_check(&s, &err), RESHED_EINVAL);
        assert_int_equal(reshed_stream_create(e, 16, 16, &s, &stream, &err), RESHED_EINVAL);
        assert_string_equal(err.what, "size of the options");
        assert_true(!plan && !frame && !stream);
    }
    assert_int_equal(reshed_options_check(NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_frame_check(NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_check(NULL, &err), RESHED_EINVAL);
    reshed_ensemble_free(e);
}

static void the_library_says_its_version(void **state)
{
    (void)state;
    assert_string_equal(reshed_version(), RESHED_VERSION);
    assert_int_equal(reshed_abi(), RESHED_ABI);
}

static void an_unavailable_isa_is_an_error(void **state)
{
    (void)state;
    reshed_ensemble *e = load();
    reshed_plan *plan = NULL;
    reshed_error err = {0};
    setenv("RESHED_ISA", "mmx", 1);
    assert_int_equal(reshed_plan_create(e, 8, 8, NULL, &plan, &err), RESHED_EUNSUPPORTED);
    assert_string_equal(err.found, "mmx");
    /* One of another maker's processors. */
    const char *other = rs_isa_runs(RS_ISA_NEON) ? "avx2" : "neon";
    setenv("RESHED_ISA", other, 1);
    assert_int_equal(reshed_plan_create(e, 8, 8, NULL, &plan, &err), RESHED_EUNSUPPORTED);
    assert_string_equal(err.found, other);
    setenv("RESHED_ISA", "generic", 1);
    assert_ok(reshed_plan_create(e, 8, 8, NULL, &plan, &err), &err);
    unsetenv("RESHED_ISA");
    reshed_plan_free(plan);
    reshed_ensemble_free(e);
}

static void taking_gives_the_same_bits(void **state)
{
    (void)state;
    static float image[30 * 31], a[30 * 31], b[30 * 31], v[30 * 31], w[30 * 31];
    reshed_error err = {0};
    reshed_plan *p = NULL, *q = NULL, *none = NULL;
    for (int i = 0; i < 30 * 31; i++) image[i] = (float)(i % 31) / 31;
    reshed_ensemble *e = load();
    assert_ok(reshed_plan_create(e, 30, 31, NULL, &p, &err), &err);
    assert_ok(reshed_plan_create_taking(e, 8, 8, NULL, &q, &err), &err);
    assert_int_equal(reshed_plan_create(e, 30, 31, NULL, &none, &err), RESHED_EINVAL);
    reshed_ensemble_free(e);
    assert_ok(reshed_plan_resize(q, 30, 31, &err), &err);
    assert_ok(reshed_plan_run(p, image, a, v, NULL, &err), &err);
    assert_ok(reshed_plan_run(q, image, b, w, NULL, &err), &err);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(v, w, sizeof v);
    reshed_plan_free(p);
    reshed_plan_free(q);
}

typedef struct shared_run {
    const reshed_ensemble *e;
    float mean[4][20 * 20];
    reshed_status st[4];
} shared_run;

static void run_own_plan(void *ctx, int64_t i, int worker)
{
    shared_run *r = ctx;
    float image[20 * 20], variance[20 * 20];
    reshed_plan *p = NULL;
    (void)worker;
    for (int k = 0; k < 400; k++) image[k] = (float)(k % 7) / 7;
    reshed_options o;
    reshed_options_defaults(&o);
    o.threads = 1;
    r->st[i] = reshed_plan_create(r->e, 20, 20, &o, &p, NULL);
    if (r->st[i] == RESHED_OK)
        r->st[i] = reshed_plan_run(p, image, r->mean[i], variance, NULL, NULL);
    reshed_plan_free(p);
}

static void threads_share_an_ensemble(void **state)
{
    (void)state;
    static shared_run r;
    reshed_ensemble *e = load();
    r.e = e;
    rs_parallel_for(4, 4, run_own_plan, &r);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r.st[i], RESHED_OK);
        assert_memory_equal(r.mean[i], r.mean[0], sizeof r.mean[0]);
    }
    reshed_ensemble_free(e);
}

/* Counts how often it was asked, and says yes at the n-th time; n 0: never. */
typedef struct asked {
    int times, yes_at;
} asked;

static int ask(void *ctx)
{
    asked *a = ctx;
    return ++a->times == a->yes_at;
}

static void a_run_is_cancelled_and_can_run_again(void **state)
{
    (void)state;
    enum { SIDE = 40 };
    static float image[SIDE * SIDE], mean[SIDE * SIDE], again[SIDE * SIDE], v[SIDE * SIDE];
    reshed_ensemble *e = load();
    reshed_error err = {0};
    for (int i = 0; i < SIDE * SIDE; i++) image[i] = (float)(i % 11) / 11;
    for (int threads = 1; threads <= 16; threads *= 4) { /* 16: threads share a member */
        reshed_plan *p = NULL;
        reshed_frame *f = NULL;
        reshed_frame_view view;
        reshed_options o;
        reshed_frame_options fo;
        asked a = {0, 1};
        reshed_options_defaults(&o);
        reshed_frame_defaults(&fo);
        o.threads = fo.threads = threads;
        assert_ok(reshed_plan_create(e, SIDE, SIDE, &o, &p, &err), &err);
        assert_ok(reshed_plan_run(p, image, mean, v, NULL, &err), &err);
        reshed_plan_set_cancel(p, ask, &a);
        assert_int_equal(reshed_plan_run(p, image, again, v, NULL, &err), RESHED_ECANCELLED);
        assert_int_equal(err.status, RESHED_ECANCELLED);
        assert_int_equal(a.times, 1);
        a.yes_at = 0;
        assert_ok(reshed_plan_run(p, image, again, v, NULL, &err), &err);
        assert_memory_equal(mean, again, sizeof mean);
        reshed_plan_set_cancel(p, NULL, NULL);
        reshed_plan_free(p);

        a = (asked){0, 1};
        assert_ok(reshed_frame_create(e, &fo, &f, &err), &err);
        reshed_frame_set_cancel(f, ask, &a);
        assert_int_equal(reshed_frame_run(f, image, SIDE, SIDE, 0, 0, &err), RESHED_ECANCELLED);
        reshed_frame_get(f, &view);
        assert_null(view.mean);
        a.yes_at = 0;
        assert_ok(reshed_frame_run(f, image, SIDE, SIDE, 0, 0, &err), &err);
        reshed_frame_free(f);
    }
    reshed_ensemble_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_program_runs),
        cmocka_unit_test(networks_are_named),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(older_options_get_the_defaults_of_what_is_new),
        cmocka_unit_test(options_of_another_size_are_refused),
        cmocka_unit_test(the_library_says_its_version),
        cmocka_unit_test(an_unavailable_isa_is_an_error),
        cmocka_unit_test(taking_gives_the_same_bits),
        cmocka_unit_test(threads_share_an_ensemble),
        cmocka_unit_test(a_run_is_cancelled_and_can_run_again),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
