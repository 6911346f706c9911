#define _XOPEN_SOURCE 700
/* No output replaces an input or another output, whatever they are called and linked by. */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/npy.h"
#include "support/program.h"
#include "tools/cli/files.h"

/* A folder of its own for each test; every path below is within it. */
static char folder[1024];

static const char *in_folder(const char *name)
{
    static char path[4][2048];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

static int make_folder(void **state)
{
    (void)state;
    static int n;
    char name[32];
    snprintf(name, sizeof name, "files%d", n++);
    snprintf(folder, sizeof folder, "%s", test_temp(name));
    return mkdir(folder, 0700);
}

/* An image of 32 x 32 pixels under that name. */
static void write_image(const char *name)
{
    float data[32 * 32];
    test_rng r = {test_seed()};
    const size_t dims[2] = {32, 32};
    reshed_error err = {0};
    for (int i = 0; i < 32 * 32; i++) data[i] = (float)test_uniform(&r, 0, 1);
    assert_ok(rs_npy_write(in_folder(name), RS_NPY_F4, 2, dims, data, &err), &err);
}

/* Runs a program in the folder: words of `format` are its arguments. */
static const outcome *run(const char *program, const char *arguments)
{
    static char line[6000];
    char here[1024], bin[1200];
    const char *given = getenv("BIN");
    assert_non_null(getcwd(here, sizeof here));
    snprintf(bin, sizeof bin, "%s", given ? given : "build");
    char *real = realpath(bin, NULL);
    if (!real) skip();
    char weights[2048];
    char *data = realpath(test_data("tiny_bilinear_ensemble_metadict.tar"), NULL);
    snprintf(weights, sizeof weights, "%s", data ? data : "");
    setenv("W", weights, 1);
    setenv("BIN", real, 1);
    free(real);
    free(data);
    assert_int_equal(chdir(folder), 0);
    snprintf(line, sizeof line, "%s", arguments);
    const outcome *o = run_program(program, line);
    assert_int_equal(chdir(here), 0);
    return o;
}

static void expect(const char *program, const char *arguments, int status, const char *said)
{
    const outcome *o = run(program, arguments);
    if (o->status != status || !strstr(o->err, said))
        fail_msg("%s %s: exit %d: %s", program, arguments, o->status, o->err);
}

static void infer_checks_the_whole_batch(void **state)
{
    (void)state;
    test_not_quick();
    write_image("scan.npy");
    write_image("other.npy");
    write_image("scan.dat"); /* told by its bytes */
    write_image("scan_mean.png");
    assert_int_equal(symlink("scan.npy", in_folder("soft.npy")), 0);
    assert_int_equal(link(in_folder("scan.npy"), in_folder("hard.npy")), 0);
    assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
    size_t before;
    uint8_t *bytes = test_read_file(in_folder("scan.npy"), &before);
    static const struct {
        const char *arguments, *said;
    } cases[] = {
        {"-w $W other.npy scan.npy scan.dat",
         "scan.npy and scan.dat would write the same file, scan_walls.h5"},
        {"-w $W scan.npy ./scan.dat", "scan.npy and ./scan.dat would write the same file"},
        {"-w $W scan.npy sub/../scan.dat", "would write the same file"},
        {"-w $W scan.npy scan_mean.png",
         "the output scan_mean.png would replace the input scan_mean.png"},
        {"-w $W scan_mean.png scan.npy", "would replace the input scan_mean.png"},
        {"-w $W scan.npy scan.npy", "scan.npy is given twice"},
        {"-w $W --mean scan.npy scan.npy", "--mean: the output scan.npy would replace the input"},
        {"-w $W --var ./scan.npy scan.npy", "--var: the output ./scan.npy would replace"},
        {"-w $W --mean soft.npy scan.npy", "soft.npy would replace the input scan.npy"},
        {"-w $W --h5 hard.npy scan.npy", "hard.npy would replace the input scan.npy"},
        {"-w $W --mean scan.npy soft.npy", "scan.npy would replace the input soft.npy"},
        {"-w $W --mean m.npy --var sub/../m.npy scan.npy", "--mean and --var would write the same"},
        {"-w $W --png scan --h5 scan_mean.png other.npy", "--h5 and --png would write"},
        {"-w $W --truth other.npy --mean other.npy scan.npy", "would replace the input other.npy"},
        {"-w other.npy --mean other.npy scan.npy", "would replace the input other.npy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect("reshed-infer", cases[i].arguments, 2, cases[i].said);
        assert_false(rs_os_is_file(in_folder("other_walls.h5"))); /* nothing was done */
    }
    size_t after;
    uint8_t *now = test_read_file(in_folder("scan.npy"), &after);
    assert_true(before == after && memcmp(bytes, now, after) == 0);
    rs_free(bytes);
    rs_free(now);
    expect("reshed-infer", "-w $W scan.npy other.npy", 0, "");
    expect("reshed-infer", "-w $W scan.npy other.npy", 0, ""); /* own outputs are replaced */
    expect("reshed-infer", "-w $W --mean sub/scan.npy scan.npy", 0, "");
}

static void the_others_check_as_well(void **state)
{
    (void)state;
    write_image("map.npy");
    test_write_file(in_folder("a.h5"), "x", 1);
    assert_int_equal(symlink("a.h5", in_folder("b.h5")), 0);
    expect("reshed-walls", "--skeleton map.npy map.npy", 2, "would replace the input map.npy");
    expect("reshed-walls", "--amplitude a.h5 --points b.h5 map.npy", 2, "replace the input a.h5");
    expect("reshed-walls", "--frame-of a.h5 --points a.h5 map.npy", 2, "replace the input a.h5");
    expect("reshed-walls", "--points p.csv --walls ./p.csv map.npy", 2,
           "--points and --walls would write the same file");
    expect("reshed-walls", "--points p.csv --walls w.csv map.npy", 0, "");
    expect("reshed-beps", "sho a.h5 -o b.h5", 2, "b.h5 would replace the input a.h5");
    expect("reshed-beps", "loops a.h5 -o b.h5", 2, "b.h5 would replace the input a.h5");
    expect("reshed-beps", "loops a.h5 -o c.h5 --csv c.h5", 2, "-o and --csv would write");
    expect("reshed-beps", "loops a.h5 --csv p_maps.png --png p", 2, "--csv and --png would write");
    expect("reshed-weights", "import a.h5 -o b.h5", 2, "b.h5 would replace the input a.h5");
}

static void survives_no_memory(void **state)
{
    (void)state;
    static const cli_program self = {"test", ""};
    for (long n = 0;; n++) {
        cli_files f = {0};
        test_alloc_fail_at(n);
        for (int i = 0; i < 20; i++) {
            char name[16];
            snprintf(name, sizeof name, "in%d", i);
            cli_files_input(&f, name);
            cli_files_output_named(&f, name, ".out", name);
        }
        cli_files_output(&f, NULL, "x");
        cli_files_output(&f, "-", "x");
        const int status = cli_files_check(&self, &f, "x");
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        cli_files_clear(&f);
        assert_int_equal(status, failed ? CLI_FAILED : CLI_OK);
        if (!failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(infer_checks_the_whole_batch, make_folder),
        cmocka_unit_test_setup(the_others_check_as_well, make_folder),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
