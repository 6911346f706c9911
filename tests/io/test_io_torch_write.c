/* Torch files that we write: our reader gives every bit back, and so do Python's own readers. */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "support/io_support.h"
#include "support/weights_sample.h"

#include "base/alloc.h"
#include "io/weights/torch.h"
#include "io/weights/torch_write.h"
#include "io/weights/zip.h"

/* The sample without what the format has no place for. */
static rs_model_file sample(void)
{
    rs_model_file m = weights_sample();
    m.pixel_size_min = m.pixel_size_max = m.ood_threshold = 0;
    m.ood = (rs_ood_model){0};
    m.recipe[0] = '\0';
    return m;
}

static void every_bit_comes_back(void **state)
{
    (void)state;
    const char *path = test_temp("sample.tar"), *again = test_temp("again.tar");
    reshed_error err = {0};
    rs_model_file m = sample(), back = {0};
    assert_ok(rs_torch_write(path, &m, &err), &err);
    assert_ok(rs_torch_read(path, &back, &err), &err);
    assert_same_weights(&m, &back);
    /* The same model gives the same bytes, also from what was read. */
    assert_ok(rs_torch_write(again, &back, &err), &err);
    size_t n, k;
    uint8_t *a = test_read_file(path, &n), *b = test_read_file(again, &k);
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    rs_free(a);
    rs_free(b);
    rs_model_file_clear(&m);
    rs_model_file_clear(&back);
}

/* Numbers of all lengths that a pickle has for them. */
static void large_numbers_come_back(void **state)
{
    (void)state;
    const char *path = test_temp("large.tar");
    reshed_error err = {0};
    rs_model_file m = sample(), back = {0};
    rs_tensor *t = rs_tensors_add(&m.member[0], "y.long", RS_F16, 2, (int64_t[]){300, 257});
    rs_tensor *u = rs_tensors_add(&m.member[1], "y.long", RS_F16, 2, (int64_t[]){300, 257});
    assert_true(t && u);
    for (size_t i = 0; i < u->count; i++) {
        t = &m.member[0].t[m.member[0].n - 1];
        ((uint16_t *)t->data)[i] = (uint16_t)(i % 30000);
        ((uint16_t *)u->data)[i] = (uint16_t)(i % 30011);
    }
    m.filters = 3000;
    assert_ok(rs_torch_write(path, &m, &err), &err);
    assert_ok(rs_torch_read(path, &back, &err), &err);
    assert_same_weights(&m, &back);
    rs_model_file_clear(&m);
    rs_model_file_clear(&back);
}

/* Prints nothing when all is well; writes the bytes of all tensors, in order, to the second file. */
static const char by_torch[] =
    "import sys, torch\n"
    "d = torch.load(sys.argv[1])\n"
    "assert d['model'] == 'ResHedNet' and d['model_type'] == 'seg' and d['layers'] == [1, 4], d\n"
    "assert d['nb_classes'] == 3 and d['nb_filters'] == 5 and d['upsampling'] == 'nearest', d\n"
    "assert d['batch_norm'] is True and d['dropout'] is None and d['optimizer'] is None, d\n"
    "assert sorted(d['weights']) == [0, 1]\n"
    "with open(sys.argv[2], 'wb') as out:\n"
    "    for i in (0, 1):\n"
    "        for t in d['weights'][i].values(): out.write(t.contiguous().numpy().tobytes())\n"
    "assert d['weights'][0]['z.weight'].shape == (3, 2, 3, 3)\n";

/* The same by Python's library alone: the archive is sound, and the pickle is one. */
static const char by_python[] =
    "import sys, zipfile, pickletools, io\n"
    "z = zipfile.ZipFile(sys.argv[1])\n"
    "assert z.testzip() is None and z.read('archive/version') == b'3\\n'\n"
    "pickletools.dis(z.read('archive/data.pkl'), io.StringIO())\n"
    "assert max(op.proto for op, _, _ in pickletools.genops(z.read('archive/data.pkl'))) == 2\n"
    "n = sum(name.startswith('archive/data/') for name in z.namelist())\n"
    "with open(sys.argv[2], 'wb') as out:\n"
    "    for i in range(n): out.write(z.read('archive/data/%d' % i))\n";

static int python(const char *script, const char *tar, const char *out)
{
    const char *file = test_temp("script.py");
    char command[2048];
    test_write_file(file, script, strlen(script));
    snprintf(command, sizeof command, "python3 %s %s %s", file, tar, out);
    return system(command);
}

static void pythons_own_readers_agree(void **state)
{
    (void)state;
    const char *path = test_temp("python.tar"), *out = test_temp("bytes");
    reshed_error err = {0};
    rs_model_file m = sample();
    assert_ok(rs_torch_write(path, &m, &err), &err);
    const bool none = system("python3 -c 'import zipfile' 2>/dev/null") != 0;
    const bool torch =
        !none && !test_quick() &&
        system(
            "python3 -c 'import importlib.util as u, sys; sys.exit(not u.find_spec(\"torch\"))'") ==
            0;
    printf("# read by %s\n", none ? "our reader alone" : torch ? "torch" : "zipfile, pickletools");
    if (!none) {
        assert_int_equal(python(torch ? by_torch : by_python, path, out), 0);
        size_t n, at = 0;
        uint8_t *bytes = test_read_file(out, &n);
        for (int i = 0; i < m.members; i++)
            for (int k = 0; k < m.member[i].n; k++) {
                const rs_tensor *t = &m.member[i].t[k];
                const size_t size = t->count * rs_dtype_size(t->dtype);
                assert_true(at + size <= n);
                assert_memory_equal(bytes + at, t->data, size);
                at += size;
            }
        assert_int_equal(at, n);
        rs_free(bytes);
    }
    rs_model_file_clear(&m);
}

static void failures_leave_what_was_there(void **state)
{
    (void)state;
    const char *path = test_temp("kept.tar");
    reshed_error err = {0};
    rs_model_file m = sample();
    test_write_file(path, "before", 6);
    for (long k = 0; k < 4000; k++) {
        test_alloc_fail_at(k);
        const reshed_status st = rs_torch_write(path, &m, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            break;
        }
        if (st == RESHED_OK) continue; /* libzip did without */
        size_t n;
        uint8_t *bytes = test_read_file(path, &n);
        assert_int_equal(st, RESHED_ENOMEM);
        assert_true(n == 6 || n > 1000);
        rs_free(bytes);
    }
    assert_int_equal(files_beside(path, ".tmp"), 0);
    assert_int_equal(rs_torch_write("/nowhere/at/all.tar", &m, &err), RESHED_EIO);
    m.classes = 0;
    assert_int_equal(rs_torch_write(path, &m, &err), RESHED_ECORRUPT);
    rs_model_file_clear(&m);
}

static void archives_refuse_one_name_twice(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_zip_part part[] = {{"a", "1", 1}, {"b", "", 0}, {"a", "2", 1}};
    const char *path = test_temp("twice.zip");
    assert_int_equal(rs_zip_write(path, part, 3, &err), RESHED_EIO);
    assert_ok(rs_zip_write(path, part, 2, &err), &err);
    size_t n;
    uint8_t *bytes = test_read_file(path, &n), one;
    rs_zip *zip = NULL;
    assert_ok(rs_zip_open_mem(bytes, n, 100, &zip, &err), &err);
    assert_int_equal(rs_zip_count(zip), 2);
    assert_ok(rs_zip_read(zip, 0, &one, 1, &err), &err);
    assert_int_equal(one, '1');
    rs_zip_close(zip);
    rs_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(large_numbers_come_back),
        cmocka_unit_test(pythons_own_readers_agree),
        cmocka_unit_test(failures_leave_what_was_there),
        cmocka_unit_test(archives_refuse_one_name_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
