#include "python/rooms.h"

#include "base/alloc.h"
#include "beps/sho_fit.h"
#include "python/settings.h"

struct rs_py_sho_plan {
    rs_sho_plan *plan;
    int bins;
};

reshed_status rs_py_sho_create(const double *frequency, int64_t bins, const rs_py_setting *setting,
                               int n, rs_py_sho_plan **out, reshed_error *err)
{
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    const rs_py_place place[] = {
        {.name = "f_min", .number = &o.f_min},       {.name = "f_max", .number = &o.f_max},
        {.name = "q_min", .number = &o.q_min},       {.name = "q_max", .number = &o.q_max},
        {.name = "a_min", .number = &o.a_min},       {.name = "a_max", .number = &o.a_max},
        {.name = "min_r2", .number = &o.min_r2},     {.name = "unbiased", .flag = &o.unbiased},
        {.name = "conjugate", .flag = &o.conjugate}, {.name = "max_passes", .whole = &o.max_passes},
        {.name = "threads", .whole = &o.threads}};
    reshed_status st = rs_py_place_all(setting, n, place, (int)(sizeof place / sizeof *place), err);
    if (st != RESHED_OK) return st;
    rs_py_sho_plan *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "a plan of fits", sizeof *p);
    st = rs_sho_plan_create(frequency, bins, &o, &p->plan, err);
    if (st != RESHED_OK) {
        rs_free(p);
        return st;
    }
    p->bins = (int)bins;
    *out = p;
    return RESHED_OK;
}

void rs_py_sho_free(rs_py_sho_plan *p)
{
    if (!p) return;
    rs_sho_plan_free(p->plan);
    rs_free(p);
}

/* Spectra that are fitted at a time. */
#define PORTION 1024

reshed_status rs_py_sho_run(rs_py_sho_plan *p, const float *spectra, int64_t n, rs_py_sho *fit,
                            reshed_error *err)
{
    if (n < 0) return rs_fail(err, RESHED_EINVAL, "spectra|0 or more|%lld", (long long)n);
    rs_sho_fit *raw = rs_alloc(PORTION, sizeof *raw);
    if (!raw) return rs_fail_nomem(err, "fits", PORTION * sizeof *raw);
    for (int64_t i = 0; i < n; i += PORTION) {
        const int64_t some = n - i < PORTION ? n - i : PORTION;
        rs_sho_fit_f32(p->plan, spectra + i * 2 * p->bins, some, raw);
        for (int64_t k = 0; k < some; k++) {
            const rs_sho_fit *f = &raw[k];
            fit[i + k] = (rs_py_sho){.amplitude = f->p.amplitude,
                                     .frequency = f->p.frequency,
                                     .q = f->p.q,
                                     .phase = f->p.phase,
                                     .peak = f->peak,
                                     .amplitude_se = f->se.amplitude,
                                     .frequency_se = f->se.frequency,
                                     .q_se = f->se.q,
                                     .phase_se = f->se.phase,
                                     .peak_se = f->se_peak,
                                     .r2 = f->r2,
                                     .noise = f->noise,
                                     .flags = f->flags,
                                     .failed = (f->flags & RS_SHO_FAILED) != 0};
        }
    }
    rs_free(raw);
    return RESHED_OK;
}

const char *rs_py_sho_flag_text(uint32_t flag)
{
    return rs_sho_flag_text(flag);
}
