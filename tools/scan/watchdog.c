#include "tools/scan/watchdog.h"

/* Called in the watchdog's process. */
static void told(void *ctx, const char *what, rs_driver_status halt, const reshed_error *why)
{
    char text[512];
    (void)ctx;
    if (halt == RS_DRIVER_OK)
        cli_warn(&scan_program, NULL, "watchdog: %s; the instrument has been halted", what);
    else
        cli_warn(&scan_program, NULL, "watchdog: %s; THE INSTRUMENT COULD NOT BE HALTED: %s", what,
                 reshed_error_text(why, text, sizeof text));
}

reshed_status scan_start_watch(scan_job *j, reshed_error *err)
{
    const rs_scan_plan *p = &j->o->plan;
    if (!p->driver || p->settings.watch <= 0) return RESHED_OK;
    j->run.where = p->driver;
    const reshed_status st =
        rs_watch_start(p->driver, p->option, p->options, told, j, &j->run.watch, err);
    if (st == RESHED_OK) j->run.where = NULL;
    return st;
}
