/* sim.c - life, clock, halt and options of the simulated instrument. */
#include "spm/instrument/sim/sim.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "spm/instrument/sim/private.h"

/* Longest sleep before looking for a halt again, s. */
#define SLICE 0.005

void rs_sim_defaults(rs_sim_options *opt)
{
    *opt = (rs_sim_options){.clock = 1,
                            .queue = 512,
                            .stall = -1,
                            .stall_seconds = 5,
                            .lose = -1,
                            .nan = -1,
                            .disconnect = -1,
                            .lose_spectrum = -1,
                            .nan_spectrum = -1};
}

const rs_twin_field *rs_sim_fields(int *n)
{
#define PLAIN(field, least, most)                                                                  \
    {                                                                                              \
#field, offsetof(rs_sim_options, field), least, most                                       \
    }
    static const rs_twin_field fields[] = {
        PLAIN(clock, 0, 1e9),          PLAIN(queue, 64, 1e9),        PLAIN(reply_delay, 0, 3600),
        PLAIN(stall, -1, 1e9),         PLAIN(stall_seconds, 0, 1e9), PLAIN(lose, -1, 1e9),
        PLAIN(nan, -1, 1e9),           PLAIN(disconnect, -1, 1e9),   PLAIN(reconnect, 0, 1),
        PLAIN(lose_spectrum, -1, 1e9), PLAIN(nan_spectrum, -1, 1e9),
    };
#undef PLAIN
    *n = sizeof fields / sizeof fields[0];
    return fields;
}

rs_driver_status rs_option_take(const rs_driver_option *option, const rs_option_table *tables,
                                int n_tables, reshed_error *err)
{
    for (int i = 0; i < n_tables; i++) {
        const rs_twin_field *f = rs_twin_field_find(tables[i].field, tables[i].n, option->name);
        double value = 1;
        if (!f) continue;
        bool real = strcmp(f->name, "clock") == 0 && strcmp(option->value, "real") == 0;
        if (!real && !rs_number_parse(option->value, strlen(option->value), &value))
            return sim_refuse(err, "option %s|a number|'%s'", f->name, option->value);
        if (!(value >= f->lo && value <= f->hi))
            return sim_refuse(err, "option %s|%g to %g|%g", f->name, f->lo, f->hi, value);
        rs_twin_field_set(f, tables[i].target, value);
        return RS_DRIVER_OK;
    }
    return sim_refuse(err, "option|one that --help lists|'%s'", option->name);
}

/* ----------------------------------------------------------------------------------------- life */

rs_limits sim_limits(const rs_sim *sim)
{
    rs_limits l;
    rs_limits_none(&l);
    l.driver = sim->caps.limits;
    return l;
}

rs_driver_status rs_sim_init(rs_sim *sim, const rs_sim_options *opt, const rs_sim_source *source,
                             const rs_driver_caps *caps, const rs_frame *frame, double resonance,
                             reshed_error *err)
{
    sim->opt = *opt;
    sim->source = *source;
    sim->caps = *caps;
    sim->caps.clock_rate = opt->clock > 0 ? opt->clock : INFINITY;
    sim->caps.bins = 0;
    sim->origin = rs_os_monotonic();
    atomic_init(&sim->halted, false);
    atomic_init(&sim->lost, false);
    sim->engaged = true;
    sim->drive = 1;
    sim->scan = (rs_sim_scan){.serial = -1, .stall = INT_MAX};
    sim->x = frame->cx;
    sim->y = frame->cy;
    sim->opt.reply_delay = 0; /* these two calls are our own */
    rs_driver_status st = rs_sim_set_frame(sim, frame, 0, err);
    rs_be_setup be = {.centre = resonance,
                      .band = 50e3,
                      .amplitude = 1,
                      .phase_variation = 1,
                      .repeats = 1,
                      .duration = 64 / 50e3};
    if (st == RS_DRIVER_OK && caps->band_excitation && resonance > 0)
        st = rs_sim_set_be(sim, &be, 0, err);
    sim->opt.reply_delay = opt->reply_delay;
    return st;
}

void rs_sim_clear(rs_sim *sim)
{
    rs_free(sim->be_frequency);
    rs_free(sim->row_moment);
    rs_free((void *)sim->spectroscopy.voltage);
    sim->be_frequency = NULL;
    sim->row_moment = NULL;
    sim->spectroscopy.voltage = NULL;
}

void rs_sim_caps(void *self, rs_driver_caps *caps)
{
    const rs_sim *sim = self;
    *caps = sim->caps;
}

/* ---------------------------------------------------------------------------------------- clock */

double rs_sim_now(const rs_sim *sim)
{
    if (sim->opt.clock == 0) return sim->now;
    return (rs_os_monotonic() - sim->origin) * sim->opt.clock;
}

double rs_sim_worked(rs_sim *sim)
{
    sim_settle(sim, false);
    if (!sim->scan.active) return sim->worked;
    return sim->scan.worked + sim->scan.period * sim_lines_done(sim) / sim_lines_per_row(sim);
}

rs_driver_status sim_wait(rs_sim *sim, double when, double timeout, reshed_error *err)
{
    if (sim->opt.clock == 0) {
        if (when > sim->now) sim->now = when;
        return RS_DRIVER_OK;
    }
    double end = rs_os_monotonic() + (timeout > 0 ? timeout : 0);
    for (;;) {
        if (atomic_load(&sim->halted)) return sim_refuse(err, "the instrument was halted");
        double left = (when - rs_sim_now(sim)) / sim->opt.clock, until = end - rs_os_monotonic();
        if (left <= 0) return RS_DRIVER_OK;
        if (until <= 0) {
            rs_fail(err, RESHED_ETIMEOUT, "not finished in %g s", timeout);
            return RS_DRIVER_RETRY;
        }
        rs_os_sleep(fmin(SLICE, fmin(left, until)));
    }
}

/* ----------------------------------------------------------------------------------------- halt */

rs_driver_status rs_sim_halt(void *self, double timeout, reshed_error *err)
{
    /* From any thread: the flag is all that is touched, and every call begins by looking at it. */
    rs_sim *sim = self;
    (void)timeout;
    atomic_store(&sim->halted, true);
    if (!atomic_load(&sim->lost)) return RS_DRIVER_OK;
    rs_fail(err, RESHED_EIO, "the instrument does not answer");
    return RS_DRIVER_LOST;
}

static void apply_halt(rs_sim *sim)
{
    sim_settle(sim, true);
    sim_stop_motion(sim);
    sim->measuring = false;
    sim->bias = 0;
    sim->drive = 0;
    sim->engaged = false;
}

rs_driver_status sim_enter(rs_sim *sim, double timeout, reshed_error *err)
{
    if (atomic_load(&sim->lost)) {
        rs_fail(err, RESHED_EIO, "the instrument does not answer");
        return RS_DRIVER_LOST;
    }
    if (sim->opt.reply_delay > 0) {
        bool late = !(sim->opt.reply_delay <= timeout);
        rs_os_sleep(late ? timeout : sim->opt.reply_delay);
        if (late) {
            rs_fail(err, RESHED_ETIMEOUT, "no answer in %g s", timeout);
            return RS_DRIVER_RETRY;
        }
    }
    if (atomic_load(&sim->halted)) apply_halt(sim);
    return RS_DRIVER_OK;
}

rs_driver_status sim_ready(rs_sim *sim, const char *what, reshed_error *err)
{
    sim_settle(sim, false);
    if (atomic_load(&sim->halted)) return sim_refuse(err, "%s after a halt|the tip engaged", what);
    if (sim->scan.active) return sim_refuse(err, "%s|no scan under way|one", what);
    if (sim->measuring) return sim_refuse(err, "%s|no spectroscopy under way|one", what);
    if (sim->motion.active) return sim_refuse(err, "%s|the tip at rest|it moves", what);
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_engage(void *self, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    atomic_store(&sim->halted, false);
    sim->engaged = true;
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_withdraw(void *self, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    sim_settle(sim, true);
    sim->measuring = false;
    sim->engaged = false;
    return RS_DRIVER_OK;
}
