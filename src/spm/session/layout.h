/* layout.h - all datasets of a session file that grow or are written after it was created. The same
 * list makes the file and checks it when it is opened. docs/formats.md describes the file. */
#ifndef RS_SPM_SESSION_LAYOUT_H
#define RS_SPM_SESSION_LAYOUT_H

#include <stdbool.h>

#include "reshed_driver.h"
#include "spm/session/place.h"

/* The datasets with one entry for each spectrum of a series. */
enum {
    SERIES_SPECTRA,
    SERIES_AMPLITUDE,
    SERIES_PHASE,
    SERIES_SHO_AMPLITUDE,
    SERIES_SHO_FREQUENCY,
    SERIES_SHO_Q,
    SERIES_SHO_PHASE,
    SERIES_RESPONSE,
    SERIES_ITEMS
};

/* In the order in which they are created, which is that of their bytes in the file. */
typedef enum rs_session_item {
    ITEM_COMPLETE,
    ITEM_CHANNEL_TRACE,
    ITEM_CHANNEL_RETRACE = ITEM_CHANNEL_TRACE + RS_DRIVER_MAX_CHANNELS,
    ITEM_SPECTRA_TRACE = ITEM_CHANNEL_RETRACE + RS_DRIVER_MAX_CHANNELS,
    ITEM_SPECTRA_RETRACE,
    ITEM_ARRIVAL_TRACE,
    ITEM_ARRIVAL_RETRACE,
    ITEM_PROCESSED,
    ITEM_STATES,
    ITEM_MAP,
    ITEM_MASK = ITEM_MAP + RS_SESSION_MAPS,
    ITEM_IMAGE = ITEM_MASK + RS_SESSION_MASKS, /* the author's, of the same maps and masks */
    ITEM_IMAGE_MASK = ITEM_IMAGE + RS_SESSION_MAPS,
    ITEM_POINTS = ITEM_IMAGE_MASK + RS_SESSION_MASKS,
    ITEM_TARGET,
    ITEM_REARANGE,
    ITEM_CONVERT,
    ITEM_MEASURE,
    ITEM_REFERENCES,
    ITEM_SERIES, /* SERIES_ITEMS of points, then of references */
    ITEM_PATCHES = ITEM_SERIES + 2 * SERIES_ITEMS,
    ITEM_PATCH_DATA,
    ITEM_DRIFT,
    ITEM_EVENTS,
    ITEM_METRIC, /* of points, then of references */
    ITEMS = ITEM_METRIC + 2
} rs_session_item;

/* Fills places[ITEMS] for a session of this setup. */
void rs_session_lay_out(const rs_session_setup *setup, rs_session_place *places);

/* Each subject places its own items; false when a session of this setup does not have the item. */
bool rs_session_place_line(const rs_session_setup *s, int item, rs_session_place *p); /* lines.c */
bool rs_session_place_map(const rs_session_setup *s, int item, rs_session_place *p);  /* maps.c */
bool rs_session_place_point(const rs_session_setup *s, int item,
                            rs_session_place *p); /* points.c */
bool rs_session_place_series(const rs_session_setup *s, int item,
                             rs_session_place *p);                                   /* spectra.c */
bool rs_session_place_log(const rs_session_setup *s, int item, rs_session_place *p); /* logs.c */

#endif
