/* The layouts in which torch users keep the weights of a ResHedNet. */
#include "support/support.h"

#include <string.h>

#include "support/io_support.h"
#include "support/torch_build.h"

#include "io/weights/torch.h"

/* A state_dict of `levels` levels with blocks[k] blocks each, all tensors views of storage "0". */
typedef struct net {
    const char *prefix;
    int levels, blocks[4], filters, classes;
    long long first; /* the value of every element */
} net;

static void put_tensor(bytes *b, const char *name, const net *n, long long outputs)
{
    char full[128];
    const long long dims[4] = {outputs, 1, 1, 1}, strides[4] = {0, 0, 0, 0};
    snprintf(full, sizeof full, "%s%s", n->prefix, name);
    pickle_add(b, "%s", full);
    pickle_tensor(b, "FloatStorage", "0", 12, n->first, 4, dims, strides);
}

static void put_state(bytes *b, const net *n)
{
    char name[64];
    pickle_add(b, "%g ) R (", "collections OrderedDict");
    for (int k = 0; k < n->levels; k++)
        for (int i = 0; i < n->blocks[k]; i++)
            for (int c = 0; c < 3; c++) {
                snprintf(name, sizeof name, "net%d%s.res_module.%d.c%d.weight", k + 1,
                         k ? ".1" : "", i, c);
                put_tensor(b, name, n, (long long)n->filters << k);
            }
    put_tensor(b, "out.weight", n, n->classes);
    pickle_add(b, "u");
}

static reshed_status read(bytes *pickle, rs_model_file *m, reshed_error *err)
{
    bytes file = torch_build(pickle, 12);
    bytes_free(pickle);
    const reshed_status st = rs_torch_read_mem(file.p, file.n, m, err);
    bytes_free(&file);
    return st;
}

/* Fails the test unless m is that net, `members` times, with the values first[i]. */
static void assert_net(const rs_model_file *m, const net *n, int members, const long long *first)
{
    assert_string_equal(m->model, "ResHedNet");
    assert_int_equal(m->levels, n->levels);
    assert_int_equal(m->filters, n->filters);
    assert_int_equal(m->classes, n->classes);
    for (int k = 0; k < n->levels; k++) assert_int_equal(m->layers[k], n->blocks[k]);
    assert_int_equal(m->members, members);
    for (int i = 0; i < members; i++) {
        assert_string_equal(m->member[i].t[0].name, "net1.res_module.0.c0.weight");
        assert_non_null(rs_tensors_find(&m->member[i], "out.weight"));
        assert_true(rs_tensor_at(&m->member[i].t[0], 0) == (double)first[i]);
    }
}

static const net usual = {"", 3, {3, 4, 5}, 16, 1, 0}, small = {"", 2, {1, 2}, 5, 3, 0};

static void begin(bytes *b)
{
    *b = (bytes){0};
    pickle_add(b, "%b%b", 0x80, 2);
}

static void state_dicts_alone(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"", "module.", "_orig_mod.", "model.net.", "module.x."};
    const net *const nets[] = {&usual, &small};
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++)
        for (int i = 0; i < 2; i++) {
            bytes b;
            rs_model_file m = {0};
            reshed_error err = {0};
            net n = *nets[i];
            n.prefix = prefixes[p];
            begin(&b);
            put_state(&b, &n);
            pickle_add(&b, ".");
            assert_ok(read(&b, &m, &err), &err);
            assert_net(&m, &n, 1, (const long long[]){0});
            assert_string_equal(m.upsampling, "bilinear");
            assert_true(m.upsampling_assumed);
            rs_model_file_clear(&m);
        }
}

/* One of the ways to hold several state_dicts, and the values that their members have in order. */
static void put_members(bytes *b, int way, long long *first)
{
    static const char *const names[] = {"b", "a", "c"};
    static const long long keys[3] = {9, -2, 7}, order[3] = {2, 3, 1};
    pickle_add(b, way == 2 ? "]" : way == 3 ? "" : "}");
    pickle_add(b, "(");
    for (int i = 0; i < 3; i++) {
        net n = small;
        n.first = i + 1;
        if (way == 0) pickle_add(b, "%i", keys[i]);
        if (way == 1) pickle_add(b, "%s", names[i]);
        put_state(b, &n);
        first[i] = way == 0 ? order[i] : i + 1;
    }
    pickle_add(b, way == 2 ? "e" : way == 3 ? "t" : "u");
}

static void several_state_dicts(void **state)
{
    (void)state;
    static const char *const keys[] = {"state_dict", "model_state_dict", "weights", "model"};
    for (int way = 0; way < 4; way++)
        for (int wrapped = 0; wrapped <= 4; wrapped++) {
            bytes b;
            rs_model_file m = {0};
            reshed_error err = {0};
            long long first[3];
            begin(&b);
            if (wrapped) pickle_add(&b, "} %s %i s %s", "epoch", 3LL, keys[wrapped - 1]);
            put_members(&b, way, first);
            if (wrapped) pickle_add(&b, "s");
            pickle_add(&b, ".");
            assert_ok(read(&b, &m, &err), &err);
            assert_net(&m, &small, 3, first);
            rs_model_file_clear(&m);
        }
}

static void prefixes_in_atomais_files(void **state)
{
    (void)state;
    bytes b = {0};
    rs_model_file m = {0};
    reshed_error err = {0};
    const net n = {"module.", 3, {1, 2, 3}, 2, 1, 4};
    pickle_meta(&b);
    pickle_add(&b, "} %i", 5LL);
    put_state(&b, &n);
    pickle_add(&b, "s");
    pickle_end(&b);
    assert_ok(read(&b, &m, &err), &err);
    assert_net(&m, &n, 1, &n.first);
    assert_false(m.upsampling_assumed);
    rs_model_file_clear(&m);
}

static void add_string(bytes *b, const char *s, size_t n)
{
    const uint8_t head[5] = {'X', (uint8_t)n};
    bytes_add(b, head, 5);
    bytes_add(b, s, n);
}

/* A scalar of numpy as Python pickles it; protocol 2 has no bytes. */
static void put_numpy(bytes *b, const char *module, const char *type, const char *text, size_t n,
                      bool bytes_too)
{
    pickle_add(b, "%g ( %g ( %s F T t R ( %i %s N N N %i %i %i t b", module, "numpy dtype", type,
               3LL, "<", -1LL, -1LL, 0LL);
    if (bytes_too) {
        const uint8_t head[2] = {'C', (uint8_t)n};
        bytes_add(b, head, 2);
        bytes_add(b, text, n);
    } else {
        pickle_add(b, "%g (", "_codecs encode");
        add_string(b, text, n);
        pickle_add(b, "%s t R", "latin1");
    }
    pickle_add(b, "t R");
}

static void integers_of_numpy(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
        size_t n;
        bool raw;
        int value; /* 0: refused */
    } cases[] = {
        {"i8", "\x40\0\0\0\0\0\0\0", 8, false, 64},
        {"i8", "\xc3\x88\0\0\0\0\0\0\0", 9, false, 200},
        {"i8", "\xc8\0\0\0\0\0\0\0", 8, true, 200},
        {"i4", "\x10\x01\0\0", 4, true, 272},
        {"u2", "\x10\0", 2, false, 16},
        {"u1", "\x10", 1, false, 16},
        {"i2", "\xff\xff", 2, true, 0},
        {"i8", "\x40\0\0", 3, false, 0},
        {"i8", "\x40\0\0\0\0\0\0\0\0", 9, false, 0},
        {"i8", "\xc4\x88\0\0\0\0\0\0\0", 9, false, 0}, /* U+0108 is no byte */
        {"i8", "\0\0\0\0\0\0\0\xc3", 8, false, 0},
        {"f8", "\0\0\0\0\0\0\x50\x40", 8, true, 0},
        {"u8", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, true, 0},
    };
    static const char *const modules[] = {"numpy.core.multiarray scalar",
                                          "numpy._core.multiarray scalar"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 2; k++) {
            bytes b = {0};
            rs_model_file m = {0};
            reshed_error err = {0};
            const net n = {"", 3, {1, 2, 3}, 2, 1, 4};
            pickle_meta(&b);
            pickle_add(&b, "}");
            put_numpy(&b, modules[k], "i8", "\x07\0\0\0\0\0\0\0", 8, false); /* a member's key */
            put_state(&b, &n);
            pickle_add(&b, "s %s", "nb_filters");
            put_numpy(&b, modules[k], cases[i].type, cases[i].text, cases[i].n, cases[i].raw);
            pickle_add(&b, "%s", "batch_norm");
            put_numpy(&b, modules[k], "b1", "\x01", 1, false);
            pickle_end(&b);
            const reshed_status st = read(&b, &m, &err);
            if (cases[i].value) {
                assert_ok(st, &err);
                assert_int_equal(m.filters, cases[i].value);
            } else {
                assert_error(st, RESHED_ECORRUPT, &err, "nb_filters");
            }
            rs_model_file_clear(&m);
        }
}

static void refuses_others(void **state)
{
    (void)state;
    bytes b;
    rs_model_file m = {0};
    reshed_error err = {0};
    begin(&b);
    pickle_add(&b, "} %s", "conv1.weight");
    pickle_vector(&b, "0", 12);
    pickle_add(&b, "s .");
    assert_error(read(&b, &m, &err), RESHED_EUNSUPPORTED, &err, "'conv1.weight'");
    begin(&b);
    pickle_add(&b, "%g ) R .", "atomai.nets.fcnn ResHedNet");
    assert_error(read(&b, &m, &err), RESHED_EUNSUPPORTED, &err, "save its state_dict()");
    begin(&b);
    pickle_add(&b, "} %s %i s .", "epoch", 3LL);
    assert_error(read(&b, &m, &err), RESHED_EUNSUPPORTED, &err, "without them");
    begin(&b); /* a member that is none */
    pickle_add(&b, "} ( %i", 0LL);
    put_state(&b, &small);
    pickle_add(&b, "%i %i u .", 1LL, 5LL);
    assert_error(read(&b, &m, &err), RESHED_ECORRUPT, &err, "a state_dict for each member");
    begin(&b); /* other depths: other names */
    pickle_add(&b, "} ( %i", 0LL);
    put_state(&b, &small);
    pickle_add(&b, "%i", 1LL);
    put_state(&b, &usual);
    pickle_add(&b, "u .");
    assert_error(read(&b, &m, &err), RESHED_ECORRUPT, &err, "number of tensors");
    begin(&b); /* a dict that holds itself */
    pickle_add(&b, "} q%b %i h%b s .", 0, 1LL, 0);
    assert_int_equal(read(&b, &m, &err) == RESHED_OK, false);
}

static reshed_status read_bytes(const uint8_t *data, size_t len, reshed_error *err)
{
    bytes b = {0};
    rs_model_file m = {0};
    bytes_add(&b, data, len);
    const reshed_status st = read(&b, &m, err);
    rs_model_file_clear(&m);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    bytes b;
    long long first[3];
    begin(&b);
    put_members(&b, 0, first);
    pickle_add(&b, ".");
    test_truncate(read_bytes, b.p, b.n, b.n);
    test_mutate("several state_dicts", read_bytes, b.p, b.n, test_mutations() / 10);
    bytes_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_dicts_alone),
        cmocka_unit_test(several_state_dicts),
        cmocka_unit_test(prefixes_in_atomais_files),
        cmocka_unit_test(integers_of_numpy),
        cmocka_unit_test(refuses_others),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_torch_layouts", tests, NULL, NULL);
}
