#include "spm/instrument/drivers.h"

#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/nanonis/nanonis.h"
#include "spm/instrument/sim/replay.h"
#include "spm/instrument/sim/twin.h"

#define ENTRY "reshed_driver_ops"

static const rs_driver_ops *(*const builtin[])(void) = {rs_driver_twin_ops, rs_driver_replay_ops,
                                                        rs_driver_nanonis};

int rs_driver_builtin_count(void)
{
    return sizeof builtin / sizeof builtin[0];
}

const rs_driver_ops *rs_driver_builtin(int i)
{
    return builtin[i]();
}

const char *rs_driver_status_text(rs_driver_status status)
{
    switch (status) {
    case RS_DRIVER_OK: return "ok";
    case RS_DRIVER_RETRY: return "retry";
    case RS_DRIVER_LOST_LINE: return "lost line";
    case RS_DRIVER_REFUSED: return "refused";
    case RS_DRIVER_LOST: return "lost";
    }
    return "unknown";
}

const char *rs_driver_option_find(const rs_driver_option *option, int n, const char *name)
{
    for (int i = n - 1; i >= 0; i--)
        if (strcmp(option[i].name, name) == 0) return option[i].value;
    return NULL;
}

/* --------------------------------------------------------------------------------- the table
 */

/* Of a group all functions are there or none. */
static reshed_status check_group(const char *group, int have, int all, reshed_error *err)
{
    if (have == 0 || have == all) return RESHED_OK;
    return rs_fail(err, RESHED_EUNSUPPORTED, "driver's functions of %s|all %d of them, or none|%d",
                   group, all, have);
}

static reshed_status check_ops(const rs_driver_ops *ops, reshed_error *err)
{
    if (ops->abi != RS_DRIVER_ABI)
        return rs_fail(err, RESHED_EUNSUPPORTED, "version of the driver's interface|%d|%lu",
                       RS_DRIVER_ABI, (unsigned long)ops->abi);
    if (ops->size != sizeof *ops)
        return rs_fail(err, RESHED_EUNSUPPORTED, "size of the driver's table|%zu bytes|%zu bytes",
                       sizeof *ops, ops->size);
    if (!ops->name || !ops->name[0] || !ops->help)
        return rs_fail(err, RESHED_EUNSUPPORTED, "driver's name and help|both|one is missing");
    const char *missing = !ops->open    ? "open"
                          : !ops->close ? "close"
                          : !ops->caps  ? "caps"
                          : !ops->halt  ? "halt"
                                        : NULL;
    if (missing)
        return rs_fail(err, RESHED_EUNSUPPORTED, "driver %s|a function %s|none", ops->name,
                       missing);
    int scan = !!ops->set_frame + !!ops->get_frame + !!ops->start + !!ops->pause + !!ops->wait_line;
    int spectroscopy =
        !!ops->set_spectroscopy + !!ops->run_spectroscopy + !!ops->move_tip + !!ops->get_tip;
    reshed_status st = check_group("scanning", scan, 5, err);
    /* A driver may move the tip without being able to measure there. */
    if (st == RESHED_OK && (ops->set_spectroscopy || ops->run_spectroscopy))
        st = check_group("spectroscopy", spectroscopy, 4, err);
    if (st == RESHED_OK && scan == 0 && !ops->set_spectroscopy)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "driver %s|scanning or spectroscopy|neither",
                     ops->name);
    return st;
}

static reshed_status load(const char *path, const rs_driver_ops **ops, rs_os_library **library,
                          reshed_error *err)
{
    rs_os_library *lib = NULL;
    const rs_driver_ops *table = NULL;
    reshed_status st = rs_os_library_open(path, &lib, err);
    if (st != RESHED_OK) return st;
    rs_driver_entry *entry = (rs_driver_entry *)rs_os_library_function(lib, ENTRY);
    if (!entry)
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "shared object|a driver with a function " ENTRY "|none of that name");
    else if (!(table = entry(RS_DRIVER_ABI)))
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "shared object|a driver for version %d of the interface|it knows others only",
                     RS_DRIVER_ABI);
    else
        st = check_ops(table, err);
    if (st != RESHED_OK) {
        rs_os_library_close(lib);
        return st;
    }
    *ops = table;
    *library = lib;
    return RESHED_OK;
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 3 && strcmp(name + n - 3, ".so") == 0);
}

reshed_status rs_driver_find(const char *name, const rs_driver_ops **ops, rs_os_library **library,
                             reshed_error *err)
{
    char names[96] = "";
    if (is_path(name)) return load(name, ops, library, err);
    for (int i = 0; i < rs_driver_builtin_count(); i++) {
        const rs_driver_ops *table = rs_driver_builtin(i);
        if (strcmp(table->name, name) == 0) {
            *ops = table;
            *library = NULL;
            return RESHED_OK;
        }
        strncat(names, table->name, sizeof names - strlen(names) - 1);
        strncat(names, ", ", sizeof names - strlen(names) - 1);
    }
    return rs_fail(err, RESHED_EINVAL, "driver|%sor the path of a shared object|%s", names, name);
}

/* ---------------------------------------------------------------------------------- the handle
 */

/* What a driver says about itself is looked at before anyone takes sizes from it. */
static reshed_status check_caps(rs_driver *d, reshed_error *err)
{
    rs_driver_caps *c = &d->caps;
    rs_driver_update_caps(d);
    if (c->channels < 0 || c->channels > RS_DRIVER_MAX_CHANNELS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "channels of the driver %s|0 to %d|%d",
                       d->ops->name, RS_DRIVER_MAX_CHANNELS, c->channels);
    if (c->bins < 0 || (c->bins == 0) != !c->band_excitation)
        return rs_fail(err, RESHED_EUNSUPPORTED, "bins of the driver %s|%s|%d", d->ops->name,
                       c->band_excitation ? "1 or more" : "0 without band excitation", c->bins);
    if (!(c->clock_rate > 0))
        return rs_fail(err, RESHED_EUNSUPPORTED, "clock of the driver %s|above 0|%g", d->ops->name,
                       c->clock_rate);
    return RESHED_OK;
}

rs_driver_status rs_driver_open(const char *name, const rs_driver_option *option, int n,
                                double timeout, rs_driver **out, reshed_error *err)
{
    reshed_error own = {0};
    rs_driver *d = NULL;
    rs_driver_status st = RS_DRIVER_REFUSED;
    if (!err) err = &own;
    d = rs_zalloc(1, sizeof *d);
    if (!d) {
        rs_fail_nomem(err, "a driver", sizeof *d);
        return st;
    }
    if (rs_driver_find(name, &d->ops, &d->library, err) != RESHED_OK) goto fail;
    st = d->ops->open(option, n, timeout, &d->self, err);
    if (st != RS_DRIVER_OK) goto fail;
    if (check_caps(d, err) != RESHED_OK) {
        d->ops->close(d->self);
        st = RS_DRIVER_REFUSED;
        goto fail;
    }
    *out = d;
    return RS_DRIVER_OK;
fail:
    rs_os_library_close(d->library);
    rs_free(d);
    return st;
}

void rs_driver_close(rs_driver *d)
{
    if (!d) return;
    d->ops->close(d->self);
    rs_os_library_close(d->library);
    rs_free(d);
}

void rs_driver_update_caps(rs_driver *d)
{
    memset(&d->caps, 0, sizeof d->caps);
    rs_driver_caps *c = &d->caps;
    d->ops->caps(d->self, c);
    c->instrument[sizeof c->instrument - 1] = '\0';
    for (int i = 0; i < RS_DRIVER_MAX_CHANNELS; i++) {
        c->channel[i][sizeof c->channel[i] - 1] = '\0';
        c->unit[i][sizeof c->unit[i] - 1] = '\0';
    }
}
