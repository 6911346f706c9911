#include "spm/instrument/drivers.h"

#include <string.h>

#include "spm/instrument/nanonis/nanonis.h"
#include "spm/instrument/sim/replay.h"
#include "spm/instrument/sim/twin.h"

#define ENTRY "reshed_driver_ops"

/* The one list of the drivers of this program. */
static const struct {
    const rs_driver_ops *(*ops)(void);
    bool simulated;
} builtin[] = {
    {rs_driver_twin_ops, true}, {rs_driver_replay_ops, true}, {rs_driver_nanonis, false}};

int rs_driver_count(void)
{
    return sizeof builtin / sizeof builtin[0];
}

const char *rs_driver_name(int i)
{
    return builtin[i].ops()->name;
}

const char *rs_driver_help(int i)
{
    return builtin[i].ops()->help;
}

bool rs_driver_is_simulated(const char *name)
{
    for (int i = 0; i < rs_driver_count(); i++)
        if (strcmp(rs_driver_name(i), name) == 0) return builtin[i].simulated;
    return false;
}

/* ------------------------------------------------------------------------------------ the table */

/* Of a group all functions are there or none. */
static reshed_status check_group(const char *group, int have, int all, reshed_error *err)
{
    if (have == 0 || have == all) return RESHED_OK;
    return rs_fail(err, RESHED_EUNSUPPORTED, "driver's functions of %s|all %d of them, or none|%d",
                   group, all, have);
}

reshed_status rs_driver_check(const rs_driver_ops *ops, reshed_error *err)
{
    if (ops->abi != RS_DRIVER_ABI)
        return rs_fail(err, RESHED_EUNSUPPORTED, "version of the driver's interface|%d|%lu",
                       RS_DRIVER_ABI, (unsigned long)ops->abi);
    if (ops->size < RS_DRIVER_LEAST_SIZE)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of the driver's table|%zu bytes or more|%zu bytes",
                       RS_DRIVER_LEAST_SIZE, ops->size);
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
        st = rs_driver_check(table, err);
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
    for (int i = 0; i < rs_driver_count(); i++) {
        const rs_driver_ops *table = builtin[i].ops();
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
