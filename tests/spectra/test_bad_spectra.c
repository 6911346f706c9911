/* From oscillator fits to loops by way of a file: what a fit says of itself reaches the loop. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/sho_fit.h"
#include "spectra/field_loops.h"
#include "spectra/fits.h"
#include "support/loop_sim.h"

enum { POINTS = 6, STEPS = 32, N = POINTS * STEPS, FEW = STEPS / 4 };

/* What is wrong with `steps` of the spectra of each point. */
static const struct {
    uint32_t flag;
    int steps;
    bool bad;
} wrong[POINTS] = {{0, 0, false},
                   {RS_SHO_TWO_MODES, FEW, false},
                   {RS_SHO_TWO_MODES, FEW + 1, true},
                   {RS_SHO_SATURATED, FEW + 1, true},
                   {RS_SHO_FREQUENCY_LIM, FEW + 1, true},
                   {RS_SHO_STRUCTURE, STEPS, false}};

static void write_fits(const char *path)
{
    static rs_sho_fit fit[N];
    static double v[STEPS], point[POINTS];
    double y[STEPS], frequency[] = {1e5, 2e5, 3e5, 4e5};
    rs_sho_options o;
    rs_sweep s = {0};
    reshed_error err = {0};
    sim_triangle(STEPS, 8, v);
    sim_sweep(STEPS, 8, &s);
    sim_straight_loop(&s, 0, 0, y);
    rs_sweep_clear(&s);
    for (int i = 0; i < N; i++) {
        const int p = i / STEPS, k = i % STEPS;
        const bool spoilt = (k * 7 + 3) % STEPS < wrong[p].steps; /* here and there */
        memset(&fit[i], 0, sizeof fit[i]);
        fit[i].p = (rs_sho){fabs(y[k]) + 0.01, 3e5, 100, y[k] < 0 ? 3.14159 : 0};
        fit[i].flags = spoilt ? wrong[p].flag : 0;
        if (fit[i].flags & RS_SHO_FAILED) fit[i].p.amplitude = 1e3;
    }
    rs_spectra in = {.path = "/raw", .bins = 4, .frequency = frequency, .n = N, .ndim = 2};
    strcpy(in.units, "V");
    in.dim[0] = (rs_nsid_dim){.name = "Point", .quantity = "Point", .units = "a.u.", .n = POINTS};
    in.dim[1] = (rs_nsid_dim){.name = "Bias", .quantity = "Bias", .units = "V", .n = STEPS};
    for (int i = 0; i < POINTS; i++) point[i] = i;
    strcpy(in.dim[0].type, "SPATIAL");
    strcpy(in.dim[1].type, "SPECTRAL");
    in.dim[0].values = point;
    in.dim[1].values = v;
    rs_sho_options_defaults(&o);
    assert_ok(rs_fits_write(path, "raw.h5", &in, &o, fit, false, false, &err), &err);
}

static void flags_of_fits_reach_the_loops(void **state)
{
    (void)state;
    const char *path = test_temp("fits.h5");
    rs_responses_source source = {.degrees = -1};
    rs_responses in = {0};
    rs_field_loops r = {.field = RS_FIELD_OFF};
    rs_field_options o = {0};
    reshed_error err = {0};
    write_fits(path);
    assert_ok(rs_responses_read(path, &source, &in, &err), &err);
    assert_non_null(in.suspect[RS_FIELD_OFF]);
    for (int p = 0; p < POINTS; p++) {
        int suspect = 0, missing = 0;
        for (int k = 0; k < STEPS; k++) {
            suspect += in.suspect[RS_FIELD_OFF][p * STEPS + k];
            missing += isnan(in.re[RS_FIELD_OFF][p * STEPS + k]);
        }
        assert_int_equal(suspect, wrong[p].flag & RS_SHO_SUSPECT ? wrong[p].steps : 0);
        assert_int_equal(missing, wrong[p].flag & RS_SHO_FAILED ? wrong[p].steps : 0);
    }
    rs_loops_defaults(&o.analysis);
    o.analysis.threads = 1;
    assert_ok(rs_responses_unfold(&in, r.field, RS_UNFOLD_MAP, -1, 1, &r.unfolded, &err), &err);
    assert_ok(rs_field_loops_analyse(&in, &o, &r, &err), &err);
    for (int p = 0; p < POINTS; p++)
        if (((r.loops.flags[p] & RS_LOOP_BAD_SPECTRA) != 0) != wrong[p].bad)
            fail_msg("point %d: flags %x", p, (unsigned)r.loops.flags[p]);
    rs_field_loops_clear(&r);
    rs_responses_clear(&in);
    for (long k = 0;; k++) { /* every allocation of the reader fails once */
        test_alloc_fail_at(k);
        const reshed_status st = rs_responses_read(path, &source, &in, &err);
        const bool hit = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (st == RESHED_OK) rs_responses_clear(&in);
        if (!hit) break;
        assert_true(st == RESHED_ENOMEM ||
                    st == RESHED_OK); /* without it a heap is read otherwise */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_of_fits_reach_the_loops)};
    return cmocka_run_group_tests_name("bad_spectra", tests, NULL, NULL);
}
