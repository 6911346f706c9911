/* drivers.h - from a name, or the path of a shared object, to an instrument.
 *
 *     const rs_driver_option option[] = {{"seed", "7"}, {"clock", "0"}};
 *     rs_driver *d = NULL;
 *     if (rs_driver_open("twin", option, 2, 10, &d, &err) == RS_DRIVER_OK)
 *         d->ops->start(d->self, 0, 10, &err);
 *     rs_driver_close(d);
 *
 * Callers use d->ops directly; what could harm a sample or a tip goes through safety.h instead. */
#ifndef RS_SPM_INSTRUMENT_DRIVERS_H
#define RS_SPM_INSTRUMENT_DRIVERS_H

#include "base/os.h"
#include "reshed_driver.h"

typedef struct rs_driver {
    const rs_driver_ops *ops;
    void *self;
    rs_driver_caps caps;    /* as they were when it was opened; bins change with set_be */
    rs_os_library *library; /* of a driver that was loaded, else NULL */
} rs_driver;

/* The drivers of this program, 0 <= i < count, for --help. */
int rs_driver_builtin_count(void);
const rs_driver_ops *rs_driver_builtin(int i);

/* The table behind name: one of the drivers of this program, or, when there is a '/' in it or it
 * ends in ".so", a shared object, which *library then holds (rs_os_library_close when done with
 * the table). RESHED_EINVAL for a name that is not known (the message lists those that are),
 * RESHED_EIO for a file that cannot be loaded, RESHED_EUNSUPPORTED for one that is no driver, or a
 * driver of another version, or that lacks a function which every driver needs: open, close, caps,
 * halt; and as a group those of scanning (set_frame, get_frame, start, pause, wait_line) and of
 * spectroscopy (set_spectroscopy, run_spectroscopy, move_tip, get_tip): all of a group or none, and
 * one group at least. */
reshed_status rs_driver_find(const char *name, const rs_driver_ops **ops, rs_os_library **library,
                             reshed_error *err);

/* Finds, opens and asks for the capabilities (rs_driver_close). Whatever keeps a table from being
 * found is RS_DRIVER_REFUSED, and so are capabilities that cannot be. */
rs_driver_status rs_driver_open(const char *name, const rs_driver_option *option, int n,
                                double timeout, rs_driver **out, reshed_error *err);
/* NULL is fine. */
void rs_driver_close(rs_driver *d);
/* Asks again, after set_be. */
void rs_driver_update_caps(rs_driver *d);

/* "ok", "retry", "lost line", "refused", "lost". */
const char *rs_driver_status_text(rs_driver_status status);

/* The last option of that name, or NULL. */
const char *rs_driver_option_find(const rs_driver_option *option, int n, const char *name);

#endif
