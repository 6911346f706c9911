/* drivers.h - the drivers of this program, and those in shared objects.
 *
 * Only instrument.h calls what is in a table; others need this header for --help and --list. */
#ifndef RS_SPM_INSTRUMENT_DRIVERS_H
#define RS_SPM_INSTRUMENT_DRIVERS_H

#include "base/os.h"
#include "reshed_driver.h"

/* Of a table without the functions that came later; ask for those only when `size` has them. */
#define RS_DRIVER_LEAST_SIZE offsetof(rs_driver_ops, rescue)

/* The drivers of this program, 0 <= i < count. */
int rs_driver_count(void);
const char *rs_driver_name(int i);
/* Its options, a line each. */
const char *rs_driver_help(int i);
/* True for the drivers of this program that are simulated: no sample can come to harm. */
bool rs_driver_is_simulated(const char *name);

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

/* RESHED_EUNSUPPORTED as there for a table that is no driver. */
reshed_status rs_driver_check(const rs_driver_ops *ops, reshed_error *err);

#endif
