/* The instruments of reshed-bench, and the program itself. No time is judged here. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/layers.h"
#include "benchmarks/peers.h"
#include "benchmarks/pieces.h"
#include "benchmarks/random_model.h"
#include "base/alloc.h"
#include "base/os.h"
#include "infer/engine.h"
#include "io/npy.h"
#include "support/model.h"
#include "support/program.h"

/* ----------------------------------------------------------------------------------------- sums */

static void summary_of_odd_and_even(void **state)
{
    (void)state;
    const double odd[] = {3, 1, 5}, even[] = {4, 1, 3, 10};
    bench_summary s = bench_summarise(odd, 3);
    assert_true(s.median == 3 && s.best == 1 && s.worst == 5);
    s = bench_summarise(even, 4);
    assert_true(s.median == 3.5 && s.best == 1 && s.worst == 10);
    s = bench_summarise(odd, 1);
    assert_true(s.median == 3 && s.best == 3 && s.worst == 3);
}

static void work_of_a_network(void **state)
{
    (void)state;
    /* Counted by hand: 25, 4 and 1 pixels of 1, 2 and 4 channels, one block each. */
    const rs_arch small = {.levels = 3, .layers = {1, 1, 1}, .filters = 1, .classes = 1};
    const double image = 25, first = 450 + 25 + 8, second = 288 + 8 + 8, third = 288 + 4, mix = 75;
    assert_true(bench_network_macs(&small, 5, 5) == image + first + second + third + mix);
    /* The paper's network: 60.67 G. */
    const rs_arch paper = {.levels = 3, .layers = {3, 4, 5}, .filters = 64, .classes = 1};
    assert_true(bench_network_macs(&paper, 256, 256) == 60678144000.0);
}

static void peak_and_clock_are_numbers(void **state)
{
    (void)state;
    rs_kernels k;
    for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa)) {
        rs_kernels_get((rs_isa)isa, &k);
        assert_true(k.lanes >= 1);
        /* a = 0.999 a + 0.001 leaves 1 where it is, in every lane of every chain: the start values
         * 0, 1, ... all end there. */
        const float want = (float)(k.lanes * RS_PEAK_CHAINS), got = k.peak(40000);
        assert_true(fabsf(got - want) < 1e-2f * want);
    }
    assert_true(bench_fma_peak(&k, 1) > 0 && isfinite(bench_core_hz()));
}

/* --------------------------------------------------------------------------------------- layers */

static rs_plan *tiny_plan(rs_model_file *m, rs_algo algo, int threads)
{
    static const int layers[3] = {1, 2, 1};
    rs_plan *plan = NULL;
    reshed_error err = {0};
    test_model(m, 2, 16, 1, layers, "bilinear", 5);
    const rs_plan_options o = {.threads = threads, .isa = rs_isa_best(), .algo = algo};
    assert_ok(rs_plan_create(m, NULL, 40, 36, &o, &plan, &err), &err);
    return plan;
}

static void layers_add_up(void **state)
{
    (void)state;
    enum { N = 40 * 36 };
    static float image[N], before[2][N], after[2][N];
    static const rs_algo algos[] = {RS_ALGO_WINOGRAD, RS_ALGO_DIRECT, RS_ALGO_GEMM};
    reshed_error err = {0};
    test_image(image, 40, 36, 3);
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads <= 3; threads++) { /* 3: threads share a member */
            rs_model_file m;
            rs_plan *plan = tiny_plan(&m, algos[i], threads);
            const int stages = rs_plan_schedule(plan)->stages;
            bench_layer layer[16];
            assert_int_equal(stages, 8);
            rs_plan_run(plan, image, before[0], before[1], NULL);
            assert_ok(bench_layers(plan, 2, threads, image, 2, layer, &err), &err);
            rs_plan_run(plan, image, after[0], after[1], NULL);
            assert_memory_equal(before, after, sizeof before);
            double macs = 0;
            for (int j = 0; j < stages + 2; j++) {
                macs += layer[j].macs;
                assert_true(layer[j].seconds > 0);
                for (int p = 0; p < RS_PHASES; p++) assert_true(layer[j].phase[p] >= 0);
            }
            assert_true(macs == bench_network_macs(rs_plan_arch(plan), 40, 36));
            assert_string_equal(layer[0].name, "image");
            assert_string_equal(layer[1].name, "1.1 c1");
            assert_string_equal(layer[stages].name, "3.1 c2");
            assert_string_equal(layer[stages + 1].name, "mix");
            assert_string_equal(layer[stages + 2].name, "rest");
            assert_true(layer[1].phase[RS_PHASE_PRODUCT] > 0);
            assert_true(layer[1].weight_bytes >= 9 * 16 * 16 * 4);
            assert_true(layer[2].phase[RS_PHASE_AFTER] > 0);
            assert_true((layer[1].phase[RS_PHASE_IN] > 0) == (algos[i] != RS_ALGO_DIRECT));
            rs_plan_free(plan);
            rs_model_file_clear(&m);
        }
}

/* --------------------------------------------------------------------------------------- pieces */

static void every_piece_runs_on_every_isa(void **state)
{
    (void)state;
    test_not_quick();
    reshed_error err = {0};
    for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa)) {
        rs_kernels k;
        rs_kernels_get((rs_isa)isa, &k);
        const bench_env env = {
            .kernels = &k, .filters = 4, .size = 24, .seed = 1, .flush_bytes = 4096};
        bench_piece_result *r = NULL;
        int n = 0;
        /* Once all, and then the network's alone, which depend on the instruction set. */
        assert_ok(
            bench_pieces_measure(&env, isa == RS_ISA_GENERIC ? "" : "nn ", NULL, "", &r, &n, &err),
            &err);
        assert_true(n > 30);
        for (int i = 0; i < n; i++) {
            assert_true(r[i].hot.median > 0 && r[i].cold.median > 0);
            assert_true(r[i].shape[0] && r[i].name[0] && r[i].peer[0] == '\0');
            assert_true((r[i].items > 0) == (r[i].item != NULL));
        }
        rs_free(r);
    }
}

/* ------------------------------------------------------------------------------------- children */

static void a_child_answers_until_it_ends(void **state)
{
    (void)state;
    static const char *const script =
        "echo ready; while read -r line; do [ \"$line\" = stop ] && exit 0; echo \"<$line>\"; done";
    const char *argv[] = {"sh", "-c", script, NULL};
    rs_child *c = NULL;
    reshed_error err = {0};
    char reply[16];
    assert_ok(rs_child_start(argv, &c, &err), &err);
    assert_ok(rs_child_ask(c, NULL, reply, sizeof reply, &err), &err);
    assert_string_equal(reply, "ready");
    assert_ok(rs_child_ask(c, "a b", reply, sizeof reply, &err), &err);
    assert_string_equal(reply, "<a b>");
    assert_int_equal(rs_child_ask(c, "much longer than that", reply, sizeof reply, &err),
                     RESHED_ECORRUPT);
    rs_child_end(c);
    assert_ok(rs_child_start(argv, &c, &err), &err);
    assert_ok(rs_child_ask(c, NULL, reply, sizeof reply, &err), &err);
    assert_int_equal(rs_child_ask(c, "stop", reply, sizeof reply, &err), RESHED_EIO);
    assert_int_equal(rs_child_ask(c, "more", reply, sizeof reply, &err), RESHED_EIO);
    rs_child_end(c);
}

static void a_child_that_cannot_start_or_fails(void **state)
{
    (void)state;
    const char *none[] = {"no-such-program-anywhere", NULL}, *bad[] = {"false", NULL};
    const char *good[] = {"sh", "-c", "echo not seen", NULL};
    rs_child *c = NULL;
    reshed_error err = {0};
    assert_int_equal(rs_child_start(none, &c, &err), RESHED_EIO);
    assert_null(c);
    assert_int_equal(rs_child_run(none, &err), RESHED_EIO);
    assert_int_equal(rs_child_run(bad, &err), RESHED_EIO);
    assert_ok(rs_child_run(good, &err), &err);
    rs_child_end(NULL);
}

/* ---------------------------------------------------------------------------------------- peers */

static void json_fields(void **state)
{
    (void)state;
    static const char *const json = "{\"a\":1.5e-3,\"b\": \"x y\", \"c\": -2}";
    char text[8] = "-";
    double v = 0;
    assert_true(bench_json_number(json, "a", &v) && v == 1.5e-3);
    assert_true(bench_json_number(json, "c", &v) && v == -2);
    assert_true(bench_json_string(json, "b", text, sizeof text));
    assert_string_equal(text, "x y");
    assert_false(bench_json_number(json, "b", &v) || bench_json_number(json, "d", &v));
    assert_false(bench_json_string(json, "a", text, sizeof text));
    assert_false(bench_json_string("{\"a\": \"unended", "a", text, sizeof text));
}

static void write_text(const char *path, const char *text)
{
    reshed_error err = {0};
    assert_ok(rs_os_write_file(path, text, strlen(text), &err), &err);
}

/* A peer that says what it is told to: runs take 0.25 s, and its output is in the file `output`. */
static void write_peer(const char *path, const char *output)
{
    char text[2048];
    snprintf(text, sizeof text,
             "echo '{\"version\": \"7.0\", \"config\": \"plain\", \"tried\": \"plain 0.1 s\"}'\n"
             "while read -r what path; do case $what in\n"
             "run) echo '{\"seconds\": 0.25, \"cpu_seconds\": 0.5}';;\n"
             "save) cp '%s' \"$path\"; echo '{\"saved\": 1}';;\n"
             "esac; done\n",
             output);
    write_text(path, text);
}

static void peers_run_compare_and_are_missed(void **state)
{
    (void)state;
    enum { N = 2, H = 4, W = 6 };
    float image[H * W] = {0}, members[N * H * W], theirs[N * H * W];
    const size_t dims[4] = {N, 1, H, W};
    char home[1024], output[1024];
    reshed_error err = {0};
    for (int i = 0; i < N * H * W; i++) {
        members[i] = (float)i;
        theirs[i] = members[i] + (i == 17 ? 0.5f : 0.125f);
    }
    snprintf(output, sizeof output, "%s", test_temp("output.npy"));
    assert_ok(rs_npy_write(output, RS_NPY_F4, 4, dims, theirs, &err), &err);
    write_peer(test_temp("torch_peer.py"), output);
    write_text(test_temp("export_onnx.py"), "exit 1\n"); /* so there is no ONNX Runtime */
    snprintf(home, sizeof home, "%s", test_temp("x"));
    *strrchr(home, '/') = '\0';
    const bench_peers_options o = {
        .scripts = home, .tools = home, .home = home, .python = "sh", .node = "sh", .quiet = true};
    bench_peer *peers = rs_zalloc(BENCH_PEERS, sizeof *peers);
    assert_non_null(peers);
    assert_ok(bench_peers_start(&o, "w.h5", N, image, H, W, 2, peers, &err), &err);
    bench_peer *p = &peers[BENCH_PYTORCH];
    assert_non_null(p->child);
    assert_string_equal(p->version, "7.0");
    assert_string_equal(p->config, "plain");
    assert_true(isnan(p->difference));
    assert_ok(bench_peer_run(p, &err), &err);
    assert_ok(bench_peer_run(p, &err), &err);
    assert_int_equal(p->times.n, 2);
    assert_true(p->times.wall[1] == 0.25 && p->times.cpu[1] == 0.5);
    assert_ok(bench_peer_compare(p, &o, members, N, H, W, 1, &err), &err);
    assert_true(p->difference == 0.5);
    assert_int_equal(bench_peer_compare(p, &o, members, N, H, W + 1, 1, &err), RESHED_ECORRUPT);
    assert_null(peers[BENCH_ONNXRUNTIME].child);
    assert_non_null(strstr(peers[BENCH_ONNXRUNTIME].missing, "no ONNX files"));
    bench_peers_end(peers);
    rs_free(peers);
}

static void without_their_folder_both_are_missing(void **state)
{
    (void)state;
    const float image[4] = {0};
    const bench_peers_options o = {.scripts = "no/such",
                                   .tools = "no/such",
                                   .home = "no/such/folder",
                                   .python = "sh",
                                   .node = "sh",
                                   .quiet = true};
    bench_peer *peers = rs_zalloc(BENCH_PEERS, sizeof *peers);
    reshed_error err = {0};
    assert_non_null(peers);
    assert_ok(bench_peers_start(&o, "w.h5", 1, image, 2, 2, 1, peers, &err), &err);
    for (int i = 0; i < BENCH_PEERS; i++) {
        assert_null(peers[i].child);
        assert_non_null(strstr(peers[i].missing, "no/such/folder"));
    }
    bench_peers_end(peers);
    rs_free(peers);
}

/* ---------------------------------------------------------------------------------- the program */

/* Runs it; returns its exit status, and its standard output in out[n]. */
static int run(char *out, size_t n, const char *arguments)
{
    const outcome *o = run_program("reshed-bench", arguments);
    size_t len = strlen(o->out);
    assert_true(len < n);
    memcpy(out, o->out, len + 1);
    return o->status;
}

/* The end of the JSON value at s, or NULL: enough of the grammar to know that a line is one. */
static const char *json_end(const char *s)
{
    if (*s == '{' || *s == '[') {
        const char open = *s++, close = open == '{' ? '}' : ']';
        for (; *s != close; s += strspn(s, ", ")) {
            if (open == '{') {
                if (*s != '"' || !(s = strchr(s + 1, '"')) || strncmp(s, "\": ", 3) != 0)
                    return NULL;
                s += 3;
            }
            if (!(s = json_end(s)) || (*s != ',' && *s != close)) return NULL;
        }
        return s + 1;
    }
    if (*s == '"') return (s = strchr(s + 1, '"')) ? s + 1 : NULL;
    if (strncmp(s, "null", 4) == 0) return s + 4;
    char *end;
    strtod(s, &end);
    return end == s ? NULL : end;
}

static void the_program_prints_the_contract(void **state)
{
    (void)state;
    static char out[1 << 16];
    static const char *const keys[] = {
        "isa",         "precision",      "threads",          "filters",          "members",
        "size",        "member_seconds", "ensemble_seconds", "effective_gflops", "fma_peak_gflops",
        "peak_rss_mib"};
    assert_int_equal(run(out, sizeof out,
                         "--size=64,32 --threads=1,2 --filters=4 --members=2 --runs=2 --layers "
                         "--kernels=normalise --json"),
                     0);
    assert_non_null(strstr(out, "\"precision\": \"fp32\""));
    const char *line = out;
    for (int i = 0; i < 4; i++) {
        static const char *const size[] = {"\"size\": 64,", "\"size\": 32,"};
        const char *end = json_end(line);
        if (!end || *end != '\n') fail_msg("not a JSON object a line: %s", line);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            char key[64];
            snprintf(key, sizeof key, "\"%s\": ", keys[k]);
            const char *at = strstr(line, key);
            if (!at || at > end) fail_msg("no %s in line %d", keys[k], i);
        }
        assert_true(strstr(line, size[i % 2]) && strstr(line, size[i % 2]) < end);
        assert_true(strstr(line, i < 2 ? "\"threads\": 1," : "\"threads\": 2,") < end);
        assert_non_null(strstr(line, "\"layers\": [{\"name\": \"image\""));
        assert_true((strstr(line, "\"kernels\": [{") != NULL) == (i == 0));
        line = end + 1;
    }
    assert_true(*line == '\0');
}

static void the_program_reads_weights_and_says_what_is_wrong(void **state)
{
    (void)state;
    test_not_quick();
    static char out[1 << 14];
    char args[1024];
    assert_int_equal(run(out, sizeof out, "--size=3"), 2);
    assert_int_equal(run(out, sizeof out, "--size=64,"), 2);
    assert_int_equal(run(out, sizeof out, "--threads=0"), 2);
    assert_int_equal(run(out, sizeof out, "--algo=magic"), 2);
    assert_int_equal(run(out, sizeof out, "--precision=fp16"), 2);
    assert_int_equal(run(out, sizeof out, "--precision=bf16 --algo=direct"), 2);
    assert_int_equal(run(out, sizeof out, "--precision=bf16 --peers"), 2);
    assert_int_equal(run(out, sizeof out, "--net=vgg"), 2);
    assert_int_equal(run(out, sizeof out, "--net=unet --filters=2 --members=1 --size=20"), 1);
    assert_int_equal(run(out, sizeof out,
                         "--net=unet --filters=2 --members=1 --size=16 --runs=1 --layers --json"),
                     0);
    assert_non_null(strstr(out, "\"network\": \"Unet\""));
    assert_non_null(strstr(out, "\"name\": \"c6.1\""));
    const bool pays = rs_engine_bf16_pays(NULL);
    assert_int_equal(
        run(out, sizeof out,
            "--quiet --precision=bf16 --size=16 --filters=4 --members=1 --runs=1 --json"),
        0);
    assert_non_null(strstr(out, pays ? "\"precision\": \"bf16\"" : "\"precision\": \"fp32\""));
    /* What is printed of each setting; no time is judged, so a line may be called wrong. */
    assert_in_range(
        run(out, sizeof out, "--check-table --size=16 --filters=4 --members=1 --runs=1"), 0, 1);
    assert_non_null(strstr(out, "generic   auto      fp32"));
    assert_non_null(strstr(out, "direct"));
    assert_in_range(
        run(out, sizeof out, "--check-table --json --size=16 --filters=4 --members=1 --runs=1"), 0,
        1);
    assert_non_null(strstr(out, "\"precision\": \"bf16\", \"cpu_seconds\""));
    assert_int_equal(run(out, sizeof out, "extra"), 2);
    assert_int_equal(run(out, sizeof out, "--weights=/no/such/file"), 1);
    snprintf(args, sizeof args, "--weights='%s' --size=40 --runs=1 --threads=1",
             test_data("tiny_bilinear_ensemble_metadict.tar"));
    if (rs_os_is_file(test_data("tiny_bilinear_ensemble_metadict.tar"))) {
        assert_int_equal(run(out, sizeof out, args), 0);
        assert_non_null(strstr(out, " filters"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary_of_odd_and_even),
        cmocka_unit_test(work_of_a_network),
        cmocka_unit_test(peak_and_clock_are_numbers),
        cmocka_unit_test(layers_add_up),
        cmocka_unit_test(every_piece_runs_on_every_isa),
        cmocka_unit_test(a_child_answers_until_it_ends),
        cmocka_unit_test(a_child_that_cannot_start_or_fails),
        cmocka_unit_test(json_fields),
        cmocka_unit_test(peers_run_compare_and_are_missed),
        cmocka_unit_test(without_their_folder_both_are_missing),
        cmocka_unit_test(the_program_prints_the_contract),
        cmocka_unit_test(the_program_reads_weights_and_says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
