/* watch.h - halts an instrument that nobody looks after any more.
 *
 * Two watchers. A thread looks whether the caller makes progress (rs_instrument_alive, and every
 * wait of instrument.h); when there is none for `seconds`, it takes the instrument over: whatever
 * acts is refused from then on, and the driver's halt is called. A second process looks whether the
 * thread still gives signs; when it does not, or when this process has died, it kills what is left
 * of it and halts the instrument over a connection of its own (the driver's rescue). A driver
 * without rescue - the simulated ones, whose instrument ends with this process - has the thread
 * alone.
 *
 * Nothing is handed back: two writers never have the instrument.
 *
 *     rs_watch_start("nanonis", option, n, 60, told, ctx, &watch, err);   // first of all
 *     rs_instrument_open(...);
 *     rs_watch_attach(watch, instrument, err);
 *     ... rs_instrument_alive(instrument) ...
 *     rs_watch_detach(watch);
 *     rs_instrument_close(instrument);
 *     rs_watch_end(watch); */
#ifndef RS_SPM_INSTRUMENT_WATCH_H
#define RS_SPM_INSTRUMENT_WATCH_H

#include "spm/instrument/instrument.h"

typedef struct rs_watch rs_watch;

/* Called in the second process, after it has acted: what it saw, and how the halt went. */
typedef void rs_watch_told(void *ctx, const char *what, rs_driver_status halt,
                           const reshed_error *err);

/* Starts the second process if the driver has a rescue: call it while this process has one thread
 * and nothing open. What is given is borrowed until rs_watch_end. */
reshed_status rs_watch_start(const char *driver, const rs_driver_option *option, int n,
                             rs_watch_told *told, void *ctx, rs_watch **out, reshed_error *err);
/* seconds > 0: without progress, and without a sign of this process. */
reshed_status rs_watch_attach(rs_watch *w, rs_instrument *i, double seconds, reshed_error *err);
/* True when there is a second process, and it listens. */
bool rs_watch_is_double(rs_watch *w);
/* True once: there was one, and it has gone. */
bool rs_watch_take_loss(rs_watch *w);
/* Both: NULL is fine. The instrument must be halted or at rest. */
void rs_watch_detach(rs_watch *w);
void rs_watch_end(rs_watch *w);

#endif
