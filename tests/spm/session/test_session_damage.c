/* Damaged session files, other files, and short memory do no harm. */
#include "support/session_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "support/io_support.h"

typedef struct damage {
    uint8_t *data;
    size_t len;
    long cuts; /* places to cut at */
    char path[1024];
} damage;

/* Reads everything that a session says it has. */
static bool read_all(const char *path, bool *opened)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    *opened = false;
    reshed_status st = rs_session_open(path, &s, &err);
    if (st != RESHED_OK) return s == NULL && err.status == st && err.what[0];
    *opened = true;
    const rs_session_setup *u = rs_session_get_setup(s);
    bool ok = u->frame.rows >= 1 && u->frame.cols >= 1 && u->caps.bins >= 0 && u->sample != NULL;
    size_t cols = (size_t)u->frame.cols, bins = (size_t)u->caps.bins;
    size_t channels = (size_t)u->caps.channels;
    float *v = rs_alloc(cols * (channels + 2 * bins + 1), sizeof *v);
    if (ok && v && rs_session_get_progress(s, &p, &err) == RESHED_OK) {
        rs_line line = {.cols = u->frame.cols,
                        .bins = u->caps.bins,
                        .channels = u->caps.channels,
                        .channel = v,
                        .spectra = v + cols * channels};
        for (int r = 0; r < u->frame.rows && r < 64; r++) {
            rs_session_read_line(s, r, false, &line, NULL, &err);
            for (int k = 0; k < RS_SESSION_MAPS; k++)
                rs_session_read_map(s, (rs_session_map)k, r, 1, v, &err);
        }
        for (int k = 0; k < p.points && k < 64; k++) {
            rs_session_point point;
            double metric[RS_SESSION_MAX_METRICS];
            rs_session_loop loop = {.metric = metric};
            rs_session_read_points(s, k, 1, &point, &err);
            rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err);
        }
        for (int k = 0; k < p.events && k < 64; k++) {
            rs_session_event e;
            if (rs_session_read_events(s, k, 1, &e, &err) == RESHED_OK)
                ok = ok && memchr(e.text, 0, sizeof e.text) != NULL;
        }
    }
    rs_free(v);
    rs_session_finish(s, RESHED_OK, NULL);
    return ok;
}

static bool mutant_is_safe(void *ctx, long i)
{
    damage *d = ctx;
    bool opened;
    uint8_t *copy = rs_alloc(d->len + 256, 1);
    test_write_file(d->path, copy, test_mutant(i, d->data, d->len, copy));
    rs_free(copy);
    bool ok = read_all(d->path, &opened);
    if (opened) fork_count();
    return ok;
}

/* The library alone. */
static herr_t look(hid_t id, const char *name, const H5O_info_t *info, void *ctx)
{
    (void)info, (void)ctx;
    hid_t o = H5Oopen(id, name, H5P_DEFAULT);
    if (o < 0) return 0;
    for (int k = 0, n = H5Aget_num_attrs(o); k < n; k++) {
        hid_t a = H5Aopen_by_idx(o, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)k, H5P_DEFAULT,
                                 H5P_DEFAULT);
        if (a >= 0) H5Aclose(a);
    }
    if (H5Iget_type(o) == H5I_DATASET) {
        hid_t t = H5Dget_type(o), s = H5Dget_space(o), p = H5Dget_create_plist(o);
        if (s >= 0 && t >= 0 && H5Sget_simple_extent_npoints(s) < 4096 &&
            H5Tget_class(t) != H5T_VLEN && H5Tget_size(t) < 4096) {
            void *v = malloc(4096 * 4096);
            if (v) H5Dread(o, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
            free(v);
        }
        if (t >= 0) H5Tclose(t);
        if (s >= 0) H5Sclose(s);
        if (p >= 0) H5Pclose(p);
    }
    H5Oclose(o);
    return 0;
}

static bool bare_mutant(void *ctx, long i)
{
    damage *d = ctx;
    uint8_t *copy = malloc(d->len + 256);
    test_write_file(d->path, copy, test_mutant(i, d->data, d->len, copy));
    free(copy);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t f = H5Fopen(d->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f < 0) return true;
    H5Ovisit2(f, H5_INDEX_NAME, H5_ITER_INC, look, NULL, H5O_INFO_BASIC);
    H5Fclose(f);
    return true;
}

static bool prefix_fails(void *ctx, long i)
{
    damage *d = ctx;
    bool opened;
    test_write_file(d->path, d->data, d->len * (size_t)i / (size_t)d->cuts);
    return read_all(d->path, &opened) && !opened;
}

static bool bare_nothing(void *ctx, long i)
{
    (void)ctx, (void)i;
    return true;
}

static void take_session(damage *d, int puts)
{
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("damage.h5"));
    strcpy(d->path, test_temp("mutant.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, puts, 1, &m);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    d->data = test_read_file(path, &d->len);
}

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    damage d;
    take_session(&d, sim_puts());
    long n = test_h5_mutations() / 40;
    d.cuts = (int)test_tier(10, 100, 2000);
    forked f = run_forked(n, mutant_is_safe, bare_mutant, &d);
    printf("# session: %ld damaged files (seed %llu), %ld read, %ld end the library itself\n", n,
           (unsigned long long)test_seed(), f.passed, f.librarys);
    if (f.wrong || f.ours)
        fail_msg("%ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    f = run_forked(d.cuts, prefix_fails, bare_nothing, &d);
    if (f.wrong || f.ours)
        fail_msg("cut: %ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    rs_free(d.data);
}

/* Each allocation of a session that is opened, continued and closed fails in turn. */
static bool alloc_is_survived(void *ctx, long i)
{
    damage *d = ctx;
    static sim_model m;
    reshed_error err = {0};
    rs_session *s = NULL;
    test_write_file(d->path, d->data, d->len);
    int done = 0;
    test_alloc_fail_at(i);
    reshed_status st = rs_session_resume(d->path, 1, &s, &err);
    if (st == RESHED_OK) {
        sim_after(&m, 0);
        for (int k = 0; k < 12 && st == RESHED_OK; k++) {
            st = sim_put(&m, s, k, &err);
            if (st == RESHED_OK && sim_is_durable(k)) done = k + 1;
        }
        rs_session_finish(s, RESHED_ETIMEOUT, NULL);
    }
    bool failed = test_alloc_failed();
    test_alloc_fail_at(-1);
    if (failed && st == RESHED_OK) fork_count(); /* the library did without */
    s = NULL;
    if (rs_session_open(d->path, &s, &err) != RESHED_OK) return false;
    static sim_model there;
    sim_read(s, &there);
    rs_session_finish(s, RESHED_OK, NULL);
    for (int k = 0; k < done; k++) {
        /* All lines that were answered are there. */
        if (k / 3 == SIM_LOST_ROW || k % 3 == 2) continue;
        if (there.arrival[k % 3][k / 3].state != RS_SESSION_ARRIVED ||
            memcmp(there.spectra[k % 3][k / 3], m.spectra[k % 3][k / 3],
                   sizeof there.spectra[0][0]) != 0)
            return false;
    }
    return true;
}

static void short_memory_does_no_harm(void **state)
{
    (void)state;
    test_not_quick();
    damage d;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("short.h5"));
    strcpy(d.path, test_temp("shorter.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 1, &m);
    assert_int_equal(rs_session_finish(s, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    d.data = test_read_file(path, &d.len);
    test_write_file(d.path, d.data, d.len);
    test_alloc_reset();
    assert_ok(rs_session_resume(d.path, 1, &s, &err), &err);
    sim_after(&m, 0);
    for (int k = 0; k < 12; k++) assert_ok(sim_put(&m, s, k, &err), &err);
    rs_session_finish(s, RESHED_ETIMEOUT, NULL);
    long n = test_alloc_count();
    forked f = run_forked(n, alloc_is_survived, bare_nothing, &d);
    printf("# session: %ld allocations failed in turn\n", n);
    if (f.wrong || f.ours)
        fail_msg("%ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    rs_free(d.data);
}

static void refuses_other_files(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_int_equal(rs_session_open(test_temp("nothing.h5"), &s, &err), RESHED_EIO);
    assert_int_equal(rs_session_resume(test_temp("nothing.h5"), 1, &s, &err), RESHED_EIO);
    assert_error(rs_session_open(test_data("nsid_h5py.h5"), &s, &err), RESHED_ECORRUPT, &err,
                 "not a session");
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(short_memory_does_no_harm),
        cmocka_unit_test(refuses_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
