/* plan.h - what a person asks of an acquisition, and the same as the texts that a session keeps, so
 * that a resumed run or a later analysis does what was asked then. */
#ifndef RS_SPM_SCAN_PLAN_H
#define RS_SPM_SCAN_PLAN_H

#include "base/number.h"
#include "infer/live.h"
#include "spm/scan/request/regions.h"
#include "spm/scan/request/settings.h"
#include "spm/scan/steps.h"
#include "spm/session/session.h"

/* Texts and arrays are borrowed. */
typedef struct rs_scan_plan {
    const char *driver;             /* its name, or the path of a shared object */
    const rs_driver_ops *table;     /* NULL: that of the driver of this name */
    const rs_driver_option *option; /* [options] of it */
    int options;
    rs_scan_settings settings;
    const char *const *given; /* [givens] names of the settings that were asked for: of the frame,
                                 the others are the instrument's; also norm, front, preview, workflow */
    int givens;
    rs_live_options stream; /* norm, lo, hi, front, preview, threads */
    const char *norm;       /* the stream's, in words */
    double region_x[RS_SCAN_MAX_REGIONS], region_y[RS_SCAN_MAX_REGIONS]; /* m: centres of */
    int regions;                                  /* so many further regions, beside the first */
    rs_flow steps;                                /* of each region */
    const char *sample, *operator_name, *program; /* for the session; NULL: not said */
} rs_scan_plan;

/* Words of the stream's options, by their enums. */
extern const char *const rs_scan_front_words[2];
extern const char *const rs_scan_preview_words[3];

/* Defaults of settings and stream, everything else empty. */
void rs_scan_plan_defaults(rs_scan_plan *p);
/* True when that setting was asked for. */
bool rs_scan_plan_given(const rs_scan_plan *p, const char *name);
/* "robust", "scanned", "frame" or "LO,HI" into p->stream and, borrowed, p->norm.
 * RESHED_EINVAL, p unchanged, for anything else. */
reshed_status rs_scan_plan_set_norm(rs_scan_plan *p, const char *text, reshed_error *err);

/* Every setting as text. */
enum { RS_SCAN_TEXTS = 96 };
typedef struct rs_scan_texts {
    rs_driver_option setting[RS_SCAN_TEXTS];
    char value[RS_SCAN_TEXTS][RS_NUMBER_TEXT];
    char regions[RS_SCAN_REGIONS_TEXT], steps[RS_STEPS_TEXT];
    int n;
} rs_scan_texts;
/* setting points into t, and for norm into p. */
void rs_scan_plan_texts(const rs_scan_plan *p, rs_scan_texts *t);
/* Takes what a session says of settings, steps and stream; p->norm and settings.list then belong to the
 * session. */
reshed_status rs_scan_plan_from_session(rs_scan_plan *p, const rs_session *s, reshed_error *err);

/* Steps against the frame; further regions, which are of its size, speed and loops against limits: those
 * that were typed, or all that hold for an open instrument. */
reshed_status rs_scan_plan_check(const rs_scan_plan *p, const rs_frame *frame,
                                 const rs_limits *limits, reshed_error *err);

#endif
