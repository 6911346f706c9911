/* channel.h - choosing one channel of a file by what the user typed. */
#ifndef RS_IO_CHANNEL_H
#define RS_IO_CHANNEL_H

#include <stddef.h>

#include "base/status.h"

#define RS_CHANNEL_MAX 4096 /* channels of one file */

/* The channels of a file: for each a name to show and further names that also find it. */
typedef struct rs_channels {
    int n, capacity;
    char (*name)[64]; /* owned */
    char (*alias)[4][256];
} rs_channels;

/* Appends a channel; "" is an absent alias, and fewer than four may be given (NULL ends them).
 * RESHED_ENOMEM, or RESHED_EUNSUPPORTED above RS_CHANNEL_MAX. */
reshed_status rs_channels_add(rs_channels *c, const char *name, const char *const *aliases,
                              reshed_error *err);
void rs_channels_clear(rs_channels *c);

/* The channel that `wanted` names. Letter case never counts. The first rule that some channel meets
 * decides: a name or alias equal to it; a number N in [0,n) (the N-th); a name or alias that begins
 * with it; one that contains it. Several channels by that rule, or none by any, is RESHED_EINVAL,
 * and the message lists the channels. */
reshed_status rs_channel_find(const rs_channels *c, const char *wanted, int *index,
                              reshed_error *err);

/* The first channel whose name contains "amplitude", else the first. n must be > 0. */
int rs_channel_default(const rs_channels *c);

/* rs_channel_find, or rs_channel_default when wanted is NULL. */
reshed_status rs_channel_choose(const rs_channels *c, const char *wanted, int *index,
                                reshed_error *err);

#endif
