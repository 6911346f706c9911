/* plot_model.h - the parts of a figure, as plot.c collects them and plot_draw.c draws them. Private
 * to the plotting files: plot.c calls plot_draw.c, which calls plot_notes.c, plot_layout.c and
 * plot_ink.c; all of them include this header. */
#ifndef RS_IMGPROC_FIGURES_PLOT_MODEL_H
#define RS_IMGPROC_FIGURES_PLOT_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "imgproc/figures/plot_types.h"

typedef struct rs_plot_box {
    double x, y, w, h; /* picture pixels, y downwards */
} rs_plot_box;

typedef enum rs_plot_kind {
    RS_PLOT_IMAGE,
    RS_PLOT_BAND,
    RS_PLOT_BARS,
    RS_PLOT_LINE,
    RS_PLOT_SCATTER,
    RS_PLOT_VERTICAL,
    RS_PLOT_HORIZONTAL,
    RS_PLOT_ARROW,
    RS_PLOT_TEXT,
    RS_PLOT_NOTE
} rs_plot_kind;

/* One thing in a panel. Which fields count depends on the kind; all pointers are owned. */
typedef struct rs_plot_item {
    rs_plot_kind kind;
    size_t n;
    double *x, *y; /* [n]; arrow: both ends; text, vertical, horizontal: one point */
    double *y2;    /* [n]; band: the upper edge; scatter: the values */
    float *image;  /* [height,width] */
    int height, width;
    double x0, x1, y0, y1; /* of the image */
    double bar_width;
    rs_style style;
    rs_colour_scale scale;         /* its strings are scale_name and scale_unit */
    double lo, hi;                 /* of the scale, once found */
    bool below, above;             /* values lie outside it */
    char *label;                   /* never NULL; text and note: what to write */
    char *scale_name, *scale_unit; /* name NULL: no colour bar */
} rs_plot_item;

typedef struct rs_plot_axis {
    char *name, *unit; /* never NULL */
    bool fixed;
    double lo, hi;
} rs_plot_axis;

struct rs_panel {
    rs_figure *figure;
    int row, column, row_span, column_span;
    char *title; /* never NULL */
    rs_plot_axis x, y;
    bool equal_aspect, grid;
    bool scale_bar; /* and no ticks */
    int n, capacity;
    rs_plot_item *item; /* [n]; owned */
};

enum { RS_PLOT_MAX_CELLS = 16 };

struct rs_figure {
    double width, height; /* units: picture pixels but for figures on paper */
    int rows, columns;
    double font;           /* 0: choose */
    double pixels, points; /* per unit */
    char family[64];       /* "": the canvas' own */
    bool letters;
    double dpi; /* of a PNG; 0: no size on paper */
    bool recoloured;
    rs_colour_map colours; /* of what is viridis or magma, then */
    double column_weight[RS_PLOT_MAX_CELLS], row_weight[RS_PLOT_MAX_CELLS];
    char *title;
    int n, capacity;
    rs_panel **panel;     /* [n]; owned, each by itself, so that handles stay valid */
    reshed_error failure; /* the first one; status RESHED_OK: none */
};

#endif
