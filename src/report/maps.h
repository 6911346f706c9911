/* maps.h - pictures of the frame on the page: maps in colours, and layers over the amplitude.
 * Private to this room. */
#ifndef RS_REPORT_MAPS_H
#define RS_REPORT_MAPS_H

#include "imgproc/figures/render.h"
#include "report/data.h"
#include "report/overlay.h"
#include "report/page.h"

enum {
    RS_REPORT_SMALL = 560,       /* CSS pixels of an overlay, two beside each other */
    RS_REPORT_LARGE = 860,       /* CSS pixels of the map of points */
    RS_REPORT_LARGE_PIXELS = 768 /* picture pixels of an overlay, at least */
};

/* Marks beside the rows that may still change. */
typedef struct rs_report_fresh {
    rs_segments rows; /* owned (rs_segments_clear) */
    rs_render_layer layer;
} rs_report_fresh;

/* Takes the marks of the data's rows; a failure is the page's. */
void rs_report_fresh_take(rs_page *p, const rs_report_data *d, rs_report_fresh *m);

/* Default options with the data's pixel size and these layers. */
rs_render_options rs_report_map_options(const rs_report_data *d, const rs_render_layer *layer,
                                        int layers);

/* The robust range of a map; false after a failure, which is the page's. */
bool rs_report_map_range(rs_page *p, const rs_report_data *d, rs_session_map map, double *lo,
                         double *hi);

/* Adds a map between lo and hi in colours, with its colour bar and a caption. */
void rs_report_map(rs_page *p, const rs_report_data *d, rs_session_map map, double lo, double hi,
                   rs_colour_map colours, const char *name, const char *unit,
                   const rs_render_options *o, const char *caption);

/* Adds the picture of a map with a colour bar, as wide as gives all maps of the page one height. */
void rs_report_map_picture(rs_page *p, const rs_report_data *d, const rs_rgb8 *picture,
                           const char *caption);

/* Adds the amplitude in grey under the layers; neutral grey where there is no amplitude. width: CSS
 * pixels. */
void rs_report_overlay(rs_page *p, const rs_report_data *d, const rs_render_layer *layer,
                       int layers, int width, const char *caption);

#endif
