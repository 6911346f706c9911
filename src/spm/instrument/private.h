/* private.h - the handle of an instrument (instrument.h), for instrument.c and the tests of
 * drivers. */
#ifndef RS_SPM_INSTRUMENT_PRIVATE_H
#define RS_SPM_INSTRUMENT_PRIVATE_H

#include <stdatomic.h>

#include "base/os.h"
#include "reshed_driver.h"
#include "spm/instrument/limits.h"

struct rs_instrument {
    const rs_driver_ops *ops;
    void *self;
    rs_driver_caps caps;    /* as they were when it was opened, or last set up */
    rs_limits limits;       /* what holds */
    rs_os_library *library; /* of a driver that was loaded, else NULL */
    atomic_bool busy;       /* set to work, and neither at rest nor halted since */
    atomic_int acting;      /* calls under way that act on tip, scan or sample */
    atomic_bool taken;      /* the watchdog has it: nothing acts any more */
    _Atomic double alive;   /* rs_os_monotonic of the caller's latest progress */
    /* Of the watchdog (watch.h), or NULL: told when `busy` changes. */
    void (*say)(void *watch, bool busy);
    void *watch;
};

/* Asks the driver for its capabilities again: bins change with set_be. */
void rs_instrument_read_caps(struct rs_instrument *i);
/* Takes note that voltages are off and nothing moves. */
void rs_instrument_settled(struct rs_instrument *i);

#endif
