/* limits.h - the largest of everything in a session file, written and, above all, read. */
#ifndef RS_SPM_SESSION_LIMITS_H
#define RS_SPM_SESSION_LIMITS_H

#include <stdint.h>

/* Looks, ever longer apart, at a session that another program is just writing. */
#define RS_SESSION_LOOKS 40
#define RS_SESSION_MAX_TEXT 4000 /* bytes */
#define RS_SESSION_MAX_SIDE 16384
#define RS_SESSION_MAX_BINS 16384
#define RS_SESSION_MAX_STEPS 65536
#define RS_SESSION_MAX_LINE ((uint64_t)1 << 25)    /* values in a line, a spectrum or a patch */
#define RS_SESSION_MAX_ENTRIES ((uint64_t)1 << 24) /* points, events, ... */
#define RS_SESSION_MAX_SETTINGS 1024

#endif
