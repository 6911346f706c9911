#include "support/support.h"

#include <math.h>
#include <string.h>

#include "support/torch_build.h"

#include "base/alloc.h"
#include "base/os.h"
#include "io/weights/pickle.h"

/* Parses or fails the test. */
static rs_pickle *parse(const bytes *b)
{
    rs_pickle *p = NULL;
    reshed_error err = {0};
    assert_ok(rs_pickle_parse(b->p, b->n, SIZE_MAX, &p, &err), &err);
    return p;
}

/* The status of a pickle that must fail and leave nothing behind. */
static reshed_status refuse(bytes *b)
{
    rs_pickle *p = NULL;
    reshed_error err = {0};
    reshed_status st = rs_pickle_parse(b->p, b->n, SIZE_MAX, &p, &err);
    assert_int_not_equal(st, RESHED_OK);
    assert_int_equal(st, err.status);
    assert_null(p);
    bytes_free(b);
    return st;
}

static void numbers(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "%b%b(%i %i %i %i %i N T F", 0x80, 2, 7LL, 255LL, -3LL, 1LL << 40, INT64_MIN);
    pickle_add(&b, "M%b%b", 0x34, 0x12);                               /* BININT2 */
    pickle_add(&b, "%b%b", 0x8a, 0);                                   /* LONG1 of no bytes is 0 */
    pickle_add(&b, "%b%b%b", 0x8a, 1, 0xff);                           /* -1 */
    pickle_add(&b, "%b%b%b%b", 0x8a, 2, 0xff, 0);                      /* 255 */
    pickle_add(&b, "%b%b%b%b%b%b", 0x8b, 1, 0, 0, 0, 0x80);            /* LONG4: -128 */
    pickle_add(&b, "G%b%b%b%b%b%b%b%b", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0); /* 1.5, big-endian */
    pickle_add(&b, "%b%b%b%b%b%b%b%b%b%b%b", 0x8a, 9, 1, 0, 0, 0, 0, 0, 0, 0, 1); /* 2^64 + 1 */
    pickle_add(&b, "t.");
    rs_pickle *p = parse(&b);
    const rs_pkl *t = rs_pickle_root(p);
    assert_int_equal(t->kind, RS_PKL_TUPLE);
    const int64_t ints[] = {7, 255, -3, INT64_C(1) << 40, INT64_MIN};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(rs_pkl_item(t, i)->kind, RS_PKL_INT);
        assert_true(rs_pkl_item(t, i)->u.i == ints[i]);
    }
    assert_int_equal(rs_pkl_item(t, 5)->kind, RS_PKL_NONE);
    assert_int_equal(rs_pkl_item(t, 6)->u.i, 1);
    assert_int_equal(rs_pkl_item(t, 7)->u.i, 0);
    const int64_t more[] = {0x1234, 0, -1, 255, -128};
    for (size_t i = 0; i < 5; i++) assert_true(rs_pkl_item(t, 8 + i)->u.i == more[i]);
    assert_true(rs_pkl_item(t, 13)->u.f == 1.5);
    assert_int_equal(rs_pkl_item(t, 14)->kind, RS_PKL_BIGINT);
    assert_null(rs_pkl_item(t, 15));
    rs_pickle_free(p);
    bytes_free(&b);
}

/* Every way to write text or bytes, in the protocols that write it so. */
static void texts(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "(%s", "long");
    pickle_add(&b, "%b%b", 0x8c, 5);
    bytes_add(&b, "short", 5);
    pickle_add(&b, "%b%b%b%b%b%b%b%b%b", 0x8d, 4, 0, 0, 0, 0, 0, 0, 0);
    bytes_add(&b, "huge", 4);
    pickle_add(&b, "U%b", 4);
    bytes_add(&b, "py2s", 4);
    pickle_add(&b, "C%b", 3);
    bytes_add(&b, "ab\0", 3);
    pickle_add(&b, "B%b%b%b%b", 2, 0, 0, 0);
    bytes_add(&b, "cd", 2);
    pickle_add(&b, "%b%b%b%b%b%b%b%b%b", 0x8e, 1, 0, 0, 0, 0, 0, 0, 0);
    bytes_add(&b, "e", 1);
    pickle_add(&b, "%b%b%b%b%b%b%b%b%b", 0x96, 1, 0, 0, 0, 0, 0, 0, 0);
    bytes_add(&b, "f", 1);
    pickle_add(&b, "l.");
    rs_pickle *p = parse(&b);
    const rs_pkl *l = rs_pickle_root(p);
    assert_int_equal(l->kind, RS_PKL_LIST);
    const char *strings[] = {"long", "short", "huge", "py2s"};
    for (size_t i = 0; i < 4; i++) assert_true(rs_pkl_is(rs_pkl_item(l, i), strings[i]));
    const size_t lengths[] = {3, 2, 1, 1};
    for (size_t i = 0; i < 4; i++) {
        const rs_pkl *v = rs_pkl_item(l, 4 + i);
        assert_int_equal(v->kind, RS_PKL_BYTES);
        assert_int_equal(v->u.text.n, lengths[i]);
        assert_false(rs_pkl_is(v, "ab"));
    }
    rs_pickle_free(p);
    bytes_free(&b);
}

static void containers(void **state)
{
    (void)state;
    bytes b = {0};
    /* {"a": [1, 2], "s": {3}, "f": frozenset((4,)), "o": OrderedDict(x=5), "d": defaultdict(x=6),
     *  "p": OrderedDict([["x", 7]]), "a": (8,)}: a key set twice keeps its last value */
    pickle_add(&b, "} (%s ] (%i %i e", "a", 1LL, 2LL);
    pickle_add(&b, "%s %b (%i %b", "s", 0x8f, 3LL, 0x90);
    pickle_add(&b, "%s (%i %b", "f", 4LL, 0x91);
    pickle_add(&b, "%s %g ) R %s %i s", "o", "collections OrderedDict", "x", 5LL);
    pickle_add(&b, "%s %g %g %b R %s %i s", "d", "collections defaultdict", "__builtin__ dict",
               0x85, "x", 6LL);
    pickle_add(&b, "%s %g ] ] %s a %i a a %b R", "p", "collections OrderedDict", "x", 7LL, 0x85);
    pickle_add(&b, "%s %i %b u .", "a", 8LL, 0x85);
    rs_pickle *p = parse(&b);
    const rs_pkl *d = rs_pickle_root(p);
    assert_int_equal(d->kind, RS_PKL_DICT);
    assert_int_equal(rs_pkl_get(d, "a")->kind, RS_PKL_TUPLE);
    assert_int_equal(rs_pkl_item(rs_pkl_get(d, "a"), 0)->u.i, 8);
    assert_int_equal(rs_pkl_get(d, "s")->kind, RS_PKL_SET);
    assert_int_equal(rs_pkl_item(rs_pkl_get(d, "s"), 0)->u.i, 3);
    assert_int_equal(rs_pkl_item(rs_pkl_get(d, "f"), 0)->u.i, 4);
    const char *dicts[] = {"o", "d", "p"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rs_pkl_get(d, dicts[i])->kind, RS_PKL_DICT);
        assert_int_equal(rs_pkl_get(rs_pkl_get(d, dicts[i]), "x")->u.i, 5 + i);
    }
    assert_null(rs_pkl_get(d, "q"));
    assert_null(rs_pkl_get(rs_pkl_get(d, "a"), "q"));
    rs_pickle_free(p);
    bytes_free(&b);
}

/* The classic attack: os.system("touch FILE"). It becomes a note of a call. */
static void nothing_is_executed(void **state)
{
    (void)state;
    char command[600];
    const char *target = test_temp("owned");
    snprintf(command, sizeof command, "touch %s", target);
    bytes b = {0};
    pickle_add(&b, "%g %s %b R %g %s %b %b } %s %i s b 0 .", "os system", command, 0x85,
               "subprocess Popen", command, 0x85, 0x81, "env", 1LL);
    rs_pickle *p = parse(&b);
    const rs_pkl *v = rs_pickle_root(p);
    char text[128];
    assert_int_equal(v->kind, RS_PKL_OBJECT);
    assert_true(rs_pkl_is_global(v->u.call.of, "os", "system"));
    assert_string_equal(rs_pkl_describe(v, text, sizeof text), "an object of os.system");
    assert_false(rs_os_is_file(target));
    rs_pickle_free(p);
    bytes_free(&b);
}

/* Objects of unknown classes take items, attributes and keyword arguments, and keep none. */
static void unknown_objects_are_opaque(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "( %g ) %b ( %s %i u ( %i e %i a } b", "x Y", 0x81, "k", 1LL, 2LL, 3LL);
    pickle_add(&b, "%b%b", 0x8c, 1);
    bytes_add(&b, "m", 1);
    pickle_add(&b, "%b%b", 0x8c, 1);
    bytes_add(&b, "n", 1);
    pickle_add(&b, "%b ) } %b", 0x93, 0x92); /* STACK_GLOBAL, NEWOBJ_EX */
    pickle_add(&b, "%s Q t .", "far");       /* BINPERSID */
    rs_pickle *p = parse(&b);
    const rs_pkl *t = rs_pickle_root(p);
    assert_int_equal(t->u.items.n, 3);
    assert_true(rs_pkl_is_global(rs_pkl_item(t, 0)->u.call.of, "x", "Y"));
    assert_true(rs_pkl_is_global(rs_pkl_item(t, 1)->u.call.of, "m", "n"));
    assert_int_equal(rs_pkl_item(t, 2)->kind, RS_PKL_PERSID);
    assert_true(rs_pkl_is(rs_pkl_item(t, 2)->u.id, "far"));
    rs_pickle_free(p);
    bytes_free(&b);
}

static void memo(void **state)
{
    (void)state;
    bytes b = {0};
    /* Three ways to number: BINPUT 0, LONG_BINPUT 1, MEMOIZE (2). */
    pickle_add(&b, "(%s q%b %s r%b%b%b%b %s %b", "a", 0, "b", 1, 0, 0, 0, "c", 0x94);
    pickle_add(&b, "h%b j%b%b%b%b h%b t.", 2, 1, 0, 0, 0, 0);
    rs_pickle *p = parse(&b);
    const rs_pkl *t = rs_pickle_root(p);
    for (size_t i = 0; i < 3; i++) assert_ptr_equal(rs_pkl_item(t, i), rs_pkl_item(t, 5 - i));
    rs_pickle_free(p);
    bytes_free(&b);

    pickle_add(&b, "h%b.", 0); /* nothing put */
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
    pickle_add(&b, "N r%b%b%b%b.", 0xff, 0xff, 0xff, 0xff); /* a memo of 4 G entries */
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
}

/* A list that is its own item, and a dict that is its own value. */
static void cycles_neither_loop_nor_leak(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "] q%b h%b a } q%b %s h%b s a .", 0, 0, 1, "self", 1);
    rs_pickle *p = parse(&b);
    const rs_pkl *l = rs_pickle_root(p);
    assert_ptr_equal(rs_pkl_item(l, 0), l);
    const rs_pkl *d = rs_pkl_item(l, 1);
    assert_ptr_equal(rs_pkl_get(d, "self"), d);
    rs_pickle_free(p);
    bytes_free(&b);
}

/* A million lists, each in the other. */
static void deep_nesting_is_harmless(void **state)
{
    (void)state;
    enum { N = 1000000 };
    bytes b = {0};
    for (int i = 0; i < N; i++) bytes_add(&b, "]", 1);
    for (int i = 0; i < N - 1; i++) bytes_add(&b, "a", 1);
    bytes_add(&b, ".", 1);
    rs_pickle *p = parse(&b);
    const rs_pkl *v = rs_pickle_root(p);
    long depth = 0;
    for (; v; v = rs_pkl_item(v, 0)) depth++;
    assert_int_equal(depth, N);
    rs_pickle_free(p);
    bytes_free(&b);

    for (int i = 0; i < N; i++) bytes_add(&b, "(", 1);
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
}

/* Sizes that the input cannot hold are refused before anything is allocated for them. */
static void huge_counts_are_refused(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "X%b%b%b%b.", 0xff, 0xff, 0xff, 0xff);
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
    for (int op = 0x8d; op <= 0x8e; op++) {
        pickle_add(&b, "%b%b%b%b%b%b%b%b%b.", op, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
        assert_int_equal(refuse(&b), RESHED_ECORRUPT);
    }
    pickle_add(&b, "%b%b%b%b%b%b%b%b%bN.", 0x95, 9, 0, 0, 0, 0, 0, 0, 0); /* FRAME */
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
    pickle_add(&b, "%b%b%b%b%b.", 0x8b, 0xff, 0xff, 0xff, 0x7f); /* LONG4 */
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
}

/* Each dict made from the same long list of pairs copies it: 6 bytes of input for 16 KB. */
static void copies_have_a_budget(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_add(&b, "( ] (");
    for (int i = 0; i < 1000; i++) pickle_add(&b, "N N %b", 0x86);
    pickle_add(&b, "e q%b %g q%b", 0, "collections OrderedDict", 1);
    for (int i = 0; i < 10000; i++) pickle_add(&b, "h%b h%b %b R", 1, 0, 0x85);
    pickle_add(&b, "t .");
    test_alloc_reset();
    assert_int_equal(refuse(&b), RESHED_ECORRUPT);
    assert_true(test_alloc_count() < 1000);
}

static void broken_machines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        reshed_status status;
    } cases[] = {
        {"", RESHED_ECORRUPT},
        {"N", RESHED_ECORRUPT},
        {".", RESHED_ECORRUPT},
        {"NN.", RESHED_ECORRUPT},
        {"(N.", RESHED_ECORRUPT},
        {"t.", RESHED_ECORRUPT},
        {"0.", RESHED_ECORRUPT},
        {"1.", RESHED_ECORRUPT},
        {"2.", RESHED_ECORRUPT},
        {"N(0.", RESHED_ECORRUPT},
        {"]a.", RESHED_ECORRUPT},
        {"NNa.", RESHED_ECORRUPT},
        {"]NNs.", RESHED_ECORRUPT},
        {"}NNNs.", RESHED_ECORRUPT},
        {"}(NNNu.", RESHED_ECORRUPT},
        {"(NNNd.", RESHED_ECORRUPT},
        {"(e.", RESHED_ECORRUPT},
        {"R.", RESHED_ECORRUPT},
        {"N(R.", RESHED_ECORRUPT},
        {"b.", RESHED_ECORRUPT},
        {"Q.", RESHED_ECORRUPT},
        {"cos", RESHED_ECORRUPT},
        {"cos\nsystem", RESHED_ECORRUPT},
        {"\x93.", RESHED_ECORRUPT},
        {"NN\x93.", RESHED_ECORRUPT},
        {"N\x85\x85\x86.", RESHED_ECORRUPT},
        {"P1\n.", RESHED_EUNSUPPORTED},
        {"I1\n.", RESHED_EUNSUPPORTED},
        {"\x82\x01.", RESHED_EUNSUPPORTED},
        {"\x97.", RESHED_EUNSUPPORTED},
        {"\x80\x06N.", RESHED_EUNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = {0};
        bytes_add(&b, cases[i].text, strlen(cases[i].text));
        if (refuse(&b) != cases[i].status) fail_msg("case %zu: '%s'", i, cases[i].text);
    }
}

/* -------------------------------------------------------------------------------- hostile bytes */
static reshed_status read_any(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_pickle *p = NULL;
    reshed_status st = rs_pickle_parse(data, len, SIZE_MAX, &p, err);
    rs_pickle_free(p);
    return st;
}

/* Uses every operator that picklers write. */
static bytes sample(void)
{
    bytes b = {0};
    pickle_meta(&b);
    pickle_add(&b, "} (%i %g ) R q%b (%s", 0LL, "collections OrderedDict", 9, "a.weight");
    pickle_vector(&b, "0", 6);
    pickle_add(&b, "u %i h%b %s ] (%i %b (%i %b e %b %g ) %b } b a u", 1LL, 9, "x", 5LL, 0x8f, 6LL,
               0x90, 0x94, "torch.optim.adam Adam", 0x81);
    pickle_end(&b);
    return b;
}

static void survives_truncation_mutation_and_want(void **state)
{
    (void)state;
    bytes b = sample();
    test_truncate(read_any, b.p, b.n, b.n);
    test_mutate("pickle", read_any, b.p, b.n, 5 * test_mutations());
    test_each_alloc(read_any, b.p, b.n);
    bytes_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(texts),
        cmocka_unit_test(containers),
        cmocka_unit_test(nothing_is_executed),
        cmocka_unit_test(unknown_objects_are_opaque),
        cmocka_unit_test(memo),
        cmocka_unit_test(cycles_neither_loop_nor_leak),
        cmocka_unit_test(deep_nesting_is_harmless),
        cmocka_unit_test(huge_counts_are_refused),
        cmocka_unit_test(copies_have_a_budget),
        cmocka_unit_test(broken_machines_are_refused),
        cmocka_unit_test(survives_truncation_mutation_and_want),
    };
    return cmocka_run_group_tests_name("io_pickle", tests, NULL, NULL);
}
