#include "support/weights_sample.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "support/support.h"

rs_model_file weights_sample(void)
{
    rs_model_file m = {.classes = 3, .filters = 5, .levels = 2, .layers = {1, 4}, .members = 2};
    strcpy(m.model, "ResHedNet");
    strcpy(m.upsampling, "nearest");
    m.pixel_size_min = 2e-9;
    m.pixel_size_max = 40e-9;
    m.ood_threshold = 0.125;
    strcpy(m.recipe, "seed 7\nsteps 1200");
    m.ood = (rs_ood_model){.version = 7, .features = 3, .frames = 50};
    for (int i = 0; i < 9; i++) m.ood.whiten[i / 3][i % 3] = 1.0 / (i + 3) - 0.1;
    for (int i = 0; i < 3; i++) m.ood.centre[i] = i ? -1e-300 * i : 1.0 / 3;
    m.member = rs_zalloc(2, sizeof *m.member);
    assert_non_null(m.member);
    static const struct {
        const char *name;
        rs_dtype dtype;
        int ndim;
        int64_t dims[4];
    } parts[] = {
        {"z.weight", RS_F32, 4, {3, 2, 3, 3}}, {"a.bias", RS_F32, 1, {7}},
        {"n.half", RS_F16, 2, {4, 5}},         {"b.double", RS_F64, 3, {2, 1, 6}},
        {"c.count", RS_I64, 0, {0}},           {"d.list", RS_I64, 1, {1}},
        {"e.scale", RS_F32, 0, {0}},
    };
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            rs_tensor *t = rs_tensors_add(&m.member[i], parts[k].name, parts[k].dtype,
                                          parts[k].ndim, parts[k].dims);
            assert_non_null(t);
            for (size_t j = 0; j < t->count; j++) {
                double v = (double)(100 * (i + 1)) + (double)j / 3 - 50 * (double)k;
                if (t->dtype == RS_F16) ((uint16_t *)t->data)[j] = rs_float_to_half((float)v);
                if (t->dtype == RS_F32) ((float *)t->data)[j] = (float)v;
                if (t->dtype == RS_F64) ((double *)t->data)[j] = v;
                if (t->dtype == RS_I64) ((int64_t *)t->data)[j] = INT64_MIN + (int64_t)j + i;
            }
            if (k == 0) {
                ((float *)t->data)[3] = NAN;
                ((float *)t->data)[4] = -0.0f;
                ((float *)t->data)[5] = 0x1p-149f;
            }
        }
    return m;
}

void assert_same_weights(const rs_model_file *a, const rs_model_file *b)
{
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->upsampling, b->upsampling);
    assert_string_equal(a->recipe, b->recipe);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->filters, b->filters);
    assert_int_equal(a->levels, b->levels);
    assert_memory_equal(a->layers, b->layers, sizeof a->layers);
    assert_true(a->pixel_size_min == b->pixel_size_min);
    assert_true(a->pixel_size_max == b->pixel_size_max);
    assert_true(a->ood_threshold == b->ood_threshold);
    assert_memory_equal(&a->ood, &b->ood, sizeof a->ood);
    assert_int_equal(a->members, b->members);
    for (int i = 0; i < a->members; i++) {
        assert_int_equal(a->member[i].n, b->member[i].n);
        for (int k = 0; k < a->member[i].n; k++) {
            const rs_tensor *s = &a->member[i].t[k], *t = &b->member[i].t[k];
            assert_string_equal(s->name, t->name); /* the order, too */
            assert_int_equal(s->dtype, t->dtype);
            assert_int_equal(s->ndim, t->ndim);
            assert_memory_equal(s->dims, t->dims, sizeof s->dims);
            assert_memory_equal(s->data, t->data, s->count * rs_dtype_size(s->dtype));
        }
    }
}

const char *write_weights(const char *name, const rs_model_file *m,
                          const rs_weights_options *options)
{
    const char *path = test_temp(name);
    reshed_error err = {0};
    assert_ok(rs_weights_write_h5(path, m, options, &err), &err);
    return path;
}

rs_model_file load_weights(const char *path)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    assert_ok(rs_weights_load(path, &m, &err), &err);
    return m;
}
