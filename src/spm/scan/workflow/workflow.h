/* workflow.h - an acquisition as a file: settings, limits, regions, steps, waveform, metadata.
 *
 *     [settings]              what is asked for, by the names of settings.h
 *     [defaults]              the same, for what nobody asked for: the instrument's own frame and
 *                             abilities come before it
 *     [limits]                max_bias, max_drive, max_speed, max_step
 *     [map]                   weights, norm, front, preview
 *     [regions]               2 = X,Y    3 = X,Y    ... m, centres of further regions
 *     [steps]                 1 = survey    2 = choose every=10    ... (steps.h)
 *     [waveform]              voltages = V, V, ...   or   file = PATH   (numbers; beside the workflow)
 *     [metadata]              sample, operator
 *     [instrument]            driver, and its options as option.NAME: only compared with those that
 *                             are typed, since nothing that a file names is loaded or connected to
 *     [reshed-scan]           format = 1
 *
 * Text as lines.h has it. A file is checked whole: each line that is wrong is a complaint. */
#ifndef RS_SPM_SCAN_WORKFLOW_WORKFLOW_H
#define RS_SPM_SCAN_WORKFLOW_WORKFLOW_H

#include "spm/scan/plan.h"
#include "spm/scan/workflow/lines.h"

enum { RS_WORKFLOW_OPTIONS = 64 };

/* What a plan that was read from a file points to. */
typedef struct rs_workflow {
    rs_ini lines;
    double *voltage;     /* of the plan's settings.list */
    const char *driver;  /* NULL: the file does not say */
    const char *weights; /* the same */
    rs_driver_option option[RS_WORKFLOW_OPTIONS];
    int options;
    const char *given[RS_SCAN_TEXTS]; /* the plan's */
    int givens;
} rs_workflow;

/* Puts into p what the file says; what it does not say stays. p->given becomes w->given. complain
 * (NULL: no one hears) gets each fault; the first is also *err's. RESHED_EINVAL with any fault: p and w
 * are then of no use, but rs_workflow_clear is due. RESHED_EIO, RESHED_ENOMEM. */
reshed_status rs_workflow_read(const char *path, rs_scan_plan *p, rs_workflow *w,
                               void (*complain)(void *ctx, const reshed_error *fault), void *ctx,
                               reshed_error *err);
/* The same of a text. folder: where a waveform's file lies; NULL: none is read. */
reshed_status rs_workflow_parse(const char *text, size_t n, const char *folder, rs_scan_plan *p,
                                rs_workflow *w,
                                void (*complain)(void *ctx, const reshed_error *fault), void *ctx,
                                reshed_error *err);
void rs_workflow_clear(rs_workflow *w);

/* RESHED_EINVAL with both unless the plan's driver and options are those of the file, as far as it says. */
reshed_status rs_workflow_check_driver(const rs_workflow *w, const rs_scan_plan *p,
                                       reshed_error *err);

/* The plan as such a text (rs_free), from which rs_workflow_parse makes the same one. weights NULL: not
 * said. */
reshed_status rs_workflow_text(const rs_scan_plan *p, const char *weights, char **text,
                               reshed_error *err);

#endif
