/* context.h - the session, instrument and settings that every step of an acquisition works with. */
#ifndef RS_SPM_SCAN_CONTEXT_H
#define RS_SPM_SCAN_CONTEXT_H

#include "spm/instrument/instrument.h"
#include "spm/instrument/watch.h"
#include "spm/scan/helm.h"
#include "spm/scan/request/settings.h"
#include "spm/session/session.h"

/* Longest single wait for the driver, s: between two looks at whether to stop. */
#define RS_SCAN_POLL 0.25
/* s: a driver's answer to a simple request. */
#define RS_SCAN_CALL 10.0

/* All borrowed. */
typedef struct rs_scan_context {
    rs_session *session;
    rs_instrument *instrument; /* NULL where only the session is read */
    const rs_scan_settings *settings;
    double time_zero;               /* rs_os_monotonic that the session's times count from */
    int threads;                    /* for fits and matches; 0: all */
    void *ctx;                      /* of the caller's functions, here and in each step's options */
    bool (*interrupted)(void *ctx); /* NULL: never */
    void (*warn)(void *ctx, bool serious, const char *what,
                 const reshed_error *why); /* NULL: none */
    rs_watch *watch;                       /* the instrument's; NULL: none */
    const rs_helm *helm;                   /* who watches and steers; NULL: nobody */
} rs_scan_context;

/* s, on the session's clock. */
double rs_scan_now(const rs_scan_context *c);
/* True when the caller wants the run to end at once, or the watchdog has the instrument. Asking is
 * the progress that the watchdog looks for. Says once when the watchdog's second process has gone. */
bool rs_scan_interrupted(const rs_scan_context *c);
/* To the caller and into the session's events, as far as these still take anything. */
void rs_scan_warn(const rs_scan_context *c, const char *what, const reshed_error *why);
/* Into the session's events. */
reshed_status rs_scan_log(const rs_scan_context *c, rs_session_level level, const char *text,
                          reshed_error *err);
/* After a put or commit of the session that ended as st. RESHED_EIO: says so, and commits again and
 * again, until the disk takes the data, the caller interrupts or settings.disk_wait is over. Returns the
 * last status; how long it took is an event. */
reshed_status rs_scan_wait_for_disk(const rs_scan_context *c, reshed_status st, reshed_error *err);
/* A wait that begins now for something that should take so many seconds: the instrument counts as
 * lost after twice that and as long as a line may be late. */
rs_wait rs_scan_patience(const rs_scan_context *c, double seconds);

#endif
