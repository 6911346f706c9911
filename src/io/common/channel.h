/* channel.h - choosing one channel of a file by what the user typed. */
#ifndef RS_IO_COMMON_CHANNEL_H
#define RS_IO_COMMON_CHANNEL_H

#include <stddef.h>

#include "base/image.h"
#include "io/common/quantity.h"

#define RS_CHANNEL_MAX 4096 /* channels of one file */
#define RS_CHANNEL_ALIASES 6

/* A name to show and further names that also find the channel ("" is none), the most telling of its
 * quantity first. */
typedef struct rs_channel {
    char name[64];
    char unit[32]; /* of the values, "" when unknown */
    char alias[RS_CHANNEL_ALIASES][128];
} rs_channel;

/* The channels of a file, in its order. {0} is the empty list. */
typedef struct rs_channels {
    int n, capacity;
    rs_channel *c; /* [capacity]; owned */
} rs_channels;

/* Appends a channel without aliases and gives it, borrowed until the next add, for the caller to
 * fill. RESHED_ENOMEM, or RESHED_EUNSUPPORTED above RS_CHANNEL_MAX. A name longer than the field is
 * cut. */
reshed_status rs_channels_add(rs_channels *list, const char *name, rs_channel **out,
                              reshed_error *err);
void rs_channels_clear(rs_channels *list);

/* The channel that `wanted` names. Letter case (ASCII) never counts. The first rule that some
 * channel meets decides: a name or alias equal to it; a number N in [0,n) for the N-th; a name or
 * alias that begins with it; one that contains it. Aliases that begin with '/' are paths and are
 * found by equality only. Several channels by that rule, or none by any, is RESHED_EINVAL, and the
 * message lists the channels. */
reshed_status rs_channel_find(const rs_channels *list, const char *wanted, int *index,
                              reshed_error *err);

/* The quantity of a channel: by the first of its aliases and its name that tells one for sure, else
 * by the surest of them, else by its unit. A unit of angles overrules what is not sure. */
rs_quantity_guess rs_channel_quantity(const rs_channel *c);

/* The channel that shows `quantity`, and how many do (*candidates, may be NULL): the first of those
 * that are surest (grades 3 and 4 are equal here), or the only one of the list, whatever it shows. -1 when there is none, or none can
 * be told. */
int rs_channel_default(const rs_channels *list, rs_quantity quantity, int *candidates);

/* rs_channel_find, or rs_channel_default when wanted is NULL. An empty list is RESHED_EINVAL, and so
 * are several channels of which none shows `quantity`; the message lists them. */
reshed_status rs_channel_choose(const rs_channels *list, const char *wanted, rs_quantity quantity,
                                int *index, reshed_error *err);

/* Adds to the notes of im, read as channel `index` of the list by rs_channel_choose, when others were
 * as good: which was taken, and how to choose. */
void rs_channel_note(const rs_channels *list, const char *wanted, rs_quantity quantity, int index,
                     rs_image *im);

/* For formats with one channel: wanted must be NULL, "0", or find `name`. */
reshed_status rs_channel_only(const char *name, const char *wanted, reshed_error *err);

#endif
