/* Steps of training against PyTorch in double precision (training/make_training_goldens.py): loss, gradients,
 * weights and statistics after steps, statistics recomputed; on every instruction set. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/npy.h"
#include "io/weights/weights.h"
#include "support/tolerance.h"
#include "train/net/member.h"

#define RATE 2e-3
#define STEPS 5

/* Relative to the largest number of a tensor: the gradient of single precision, and weights after
 * steps that divide a gradient by its own size. */
#define TOL_GRADIENT 1e-4
#define TOL_WEIGHT 1e-4

typedef struct golden {
    rs_model_file file;
    rs_arch arch;
    rs_npy data, loss;
    rs_batch batch[2];
    rs_member_options options;
} golden;

static golden golden_read(const char *name)
{
    golden g = {.options = rs_member_defaults()};
    reshed_error err = {0};
    char path[80];
    snprintf(path, sizeof path, "training_%s.tar", name);
    assert_ok(rs_weights_load(test_data(path), &g.file, &err), &err);
    assert_ok(rs_arch_from_file(&g.file, &g.arch, &err), &err);
    snprintf(path, sizeof path, "training_%s_batch.npy", name);
    assert_ok(rs_npy_read(test_data(path), &g.data, &err), &err);
    snprintf(path, sizeof path, "training_%s_loss.npy", name);
    assert_ok(rs_npy_read(test_data(path), &g.loss, &err), &err);
    assert_int_equal(g.data.ndim, 4);
    const size_t part = g.data.count / 6;
    for (int i = 0; i < 2; i++) {
        float *v = (float *)g.data.data + 3 * (size_t)i * part;
        g.batch[i] = (rs_batch){.n = (int)g.data.dims[1],
                                .height = (int)g.data.dims[2],
                                .width = (int)g.data.dims[3],
                                .image = v,
                                .target = v + part,
                                .weight = v + 2 * part};
    }
    g.options.batch = g.batch[0].n;
    g.options.height = g.batch[0].height;
    g.options.width = g.batch[0].width;
    g.options.decay = 1e-2;
    g.options.clip = 0.5;
    g.options.frozen = strcmp(name, "frozen") == 0;
    return g;
}

static void golden_clear(golden *g)
{
    rs_model_file_clear(&g->file);
    rs_npy_clear(&g->data);
    rs_npy_clear(&g->loss);
}

static double loss_at(const golden *g, int i)
{
    return ((const double *)g->loss.data)[i];
}

/* Every tensor of `got` against that of the golden member. */
static void compare(const rs_tensors *got, const rs_tensors *want, double tolerance,
                    const char *what)
{
    for (int i = 0; i < got->n; i++) {
        const rs_tensor *a = &got->t[i], *b = rs_tensors_find(want, a->name);
        double most = 0, worst = 0;
        assert_non_null(b);
        assert_int_equal(a->count, b->count);
        for (size_t k = 0; k < a->count; k++) {
            most = fmax(most, fabs(rs_tensor_at(b, k)));
            worst = fmax(worst, fabs(rs_tensor_at(a, k) - rs_tensor_at(b, k)));
        }
        /* what a batch norm takes away is zero in exact arithmetic */
        if (!(worst <= tolerance * fmax(most, 1e-3)))
            fail_msg("%s, %s: off by %g where the largest is %g", what, a->name, worst, most);
    }
}

static void compare_state(const rs_member *m, const golden *g, int member, const char *what)
{
    rs_tensors t = {0};
    reshed_error err = {0};
    assert_ok(rs_member_tensors(m, &t, &err), &err);
    assert_int_equal(t.n, g->file.member[member].n);
    compare(&t, &g->file.member[member], TOL_WEIGHT, what);
    rs_tensors_clear(&t);
}

static void run(const char *name, rs_isa isa)
{
    golden g = golden_read(name);
    reshed_error err = {0};
    rs_member *m = NULL;
    rs_tensors t = {0};
    g.options.isa = isa;
    assert_ok(rs_member_create(&g.arch, &g.options, 1, &m, &err), &err);
    assert_ok(rs_member_load(m, &g.file.member[0], &err), &err);
    compare_state(m, &g, 0, "loaded");
    assert_near(rs_member_gradient(m, &g.batch[0]), loss_at(&g, 0), 1e-5);
    assert_ok(rs_member_gradient_tensors(m, &t, &err), &err);
    compare(&t, &g.file.member[1], TOL_GRADIENT, "gradient");
    rs_tensors_clear(&t);

    assert_ok(rs_member_load(m, &g.file.member[0], &err), &err);
    for (int i = 0; i < STEPS; i++) {
        assert_near(rs_member_step(m, &g.batch[i % 2], RATE), loss_at(&g, i), 2e-5);
        if (i == 0) compare_state(m, &g, 2, "one step");
    }
    assert_int_equal(rs_member_steps(m), STEPS);
    compare_state(m, &g, 3, "five steps");
    assert_near(rs_member_evaluate(m, &g.batch[0], NULL), loss_at(&g, STEPS), 5e-5);

    assert_ok(rs_member_load(m, &g.file.member[0], &err), &err);
    rs_member_statistics_begin(m);
    for (int i = 0; i < 2; i++) rs_member_statistics_add(m, &g.batch[i]);
    rs_member_statistics_end(m);
    compare_state(m, &g, 4, "statistics of two batches");
    rs_member_free(m);
    golden_clear(&g);
}

static void every_isa(const char *name)
{
    for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa))
        run(name, (rs_isa)isa);
}

static void steps_are_those_of_pytorch(void **state)
{
    (void)state;
    every_isa("bilinear");
}

static void steps_with_nearest_resize(void **state)
{
    (void)state;
    every_isa("nearest");
}

static void steps_with_frozen_statistics(void **state)
{
    (void)state;
    every_isa("frozen");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_pytorch),
        cmocka_unit_test(steps_with_nearest_resize),
        cmocka_unit_test(steps_with_frozen_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
