/* plot_types.h - types of figures: handles, colours, styles, colour scales. plot.h includes them
 * for its callers. */
#ifndef RS_IMGPROC_FIGURES_PLOT_TYPES_H
#define RS_IMGPROC_FIGURES_PLOT_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "imgproc/figures/colour.h"

typedef struct rs_figure rs_figure;
typedef struct rs_panel rs_panel; /* belongs to its figure */

typedef enum rs_document_kind { RS_DOCUMENT_SVG, RS_DOCUMENT_PDF } rs_document_kind;

/* A figure for print. */
typedef struct rs_paper {
    double width_mm; /* 20 to 500 */
    double font_pt;  /* em of the text, 4 to 24; lines and marks go with it */
    double dpi;      /* of a picture of pixels, 50 to 1200 */
    char family[64]; /* a font of this system; "": DejaVu Sans */
    bool letters;    /* a, b, c, ... before the titles of several panels */
    bool
        recoloured; /* viridis and magma are drawn in `colours`, which is one of the sequential maps */
    rs_colour_map colours;
} rs_paper;

/* Colours are 0xRRGGBB. This set (Okabe and Ito) stays distinct for colour-blind readers. */
enum {
    RS_BLACK = 0x000000,
    RS_ORANGE = 0xE69F00,
    RS_SKY = 0x56B4E9,
    RS_GREEN = 0x009E73,
    RS_YELLOW = 0xF0E442,
    RS_BLUE = 0x0072B2,
    RS_VERMILION = 0xD55E00,
    RS_PURPLE = 0xCC79A7,
    RS_GREY = 0x808080
};

typedef enum rs_dash { RS_SOLID, RS_DASHED, RS_DOTTED } rs_dash;

typedef enum rs_marker {
    RS_MARKER_NONE,
    RS_MARKER_DISC,
    RS_MARKER_RING,
    RS_MARKER_SQUARE,
    RS_MARKER_TRIANGLE,
    RS_MARKER_PLUS,
    RS_MARKER_CROSS
} rs_marker;

/* Zero fields mean: black, no line, solid, no markers, default size, opaque. */
typedef struct rs_style {
    uint32_t colour;
    double width; /* of the line, picture pixels */
    rs_dash dash;
    rs_marker marker;
    double marker_size; /* diameter, picture pixels; 0: 6 */
    double opacity;     /* 0 < opacity <= 1; 0: 1 */
} rs_style;

/* From values to colours. */
typedef struct rs_colour_scale {
    rs_colour_map map;
    double lo, hi;    /* lo == hi: percentiles 1 and 99 of the finite values, symmetric about 0 for
                         the diverging map */
    const char *name; /* beside the colour bar; NULL: no colour bar */
    const char *unit; /* may be NULL */
} rs_colour_scale;

#endif
