/* canvas.h - a surface to draw on, and text: the only header that knows cairo. Private to this
 * room. */
#ifndef RS_IMGPROC_FIGURES_CANVAS_H
#define RS_IMGPROC_FIGURES_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cairo.h>

#include "imgproc/figures/plot_types.h"
#include "imgproc/figures/rgb8.h"

typedef struct rs_canvas {
    cairo_surface_t *surface;
    cairo_t *cr;
    double scale;       /* of what is drawn */
    const char *family; /* of the text, borrowed; NULL: DejaVu Sans */
} rs_canvas;

/* A white picture to draw on, width x height times scale pixels large. Sides above cairo's limit of
 * 32767 are RESHED_EUNSUPPORTED. */
reshed_status rs_canvas_open(rs_canvas *c, double width, double height, double scale,
                             reshed_error *err);
/* Frees everything; a zeroed canvas is fine. */
void rs_canvas_close(rs_canvas *c);
/* Fails when something so far could not be drawn. */
reshed_status rs_canvas_check(const rs_canvas *c, reshed_error *err);
/* Copies the picture; the caller owns *out. */
reshed_status rs_canvas_picture(const rs_canvas *c, rs_rgb8 *out, reshed_error *err);

/* A canvas whose drawing becomes a document of lines and text; finishing it gives the document,
 * *data [*len], freed with rs_free. The same drawing is the same document. */
typedef struct rs_document {
    rs_document_kind kind;
    uint8_t *data; /* owned */
    size_t len, capacity;
    bool failed; /* memory was short */
} rs_document;
/* scale: points (1/72 inch) per unit of what is drawn. RESHED_EUNSUPPORTED where cairo was built
 * without that kind. */
reshed_status rs_canvas_open_document(rs_canvas *c, rs_document *d, rs_document_kind kind,
                                      double width, double height, double scale, reshed_error *err);
reshed_status rs_canvas_finish_document(rs_canvas *c, rs_document *d, uint8_t **data, size_t *len,
                                        reshed_error *err);

/* 0xRRGGBB. */
void rs_canvas_colour(rs_canvas *c, uint32_t rgb, double opacity);

/* rgb[height,width,3] into the rectangle. Enlarged pixels stay sharp, reduced ones are averaged. */
void rs_canvas_pixels(rs_canvas *c, const uint8_t *rgb, int height, int width, double x, double y,
                      double w, double h);

/* ---------------------------------------------------------------------------------------- text */
/* Upright, of the canvas' family; "DejaVu Sans" has the most scientific signs. Bytes that are no UTF-8 and
 * control characters are shown as '?'. */

typedef struct rs_text {
    double size; /* em, picture pixels */
    bool bold;
    double ax, ay; /* the point of the text that is put at (x,y): 0 left/top, 1 right/baseline; top
                      is that of capitals */
    bool upwards;  /* turned to read from bottom to top; (ax,ay) turn with it */
    bool halo;     /* a white rim, for text over data */
} rs_text;

double rs_text_width(rs_canvas *c, const rs_text *t, const char *s);
/* Height of capitals. */
double rs_text_height(const rs_text *t);
/* In the current colour. */
void rs_text_draw(rs_canvas *c, const rs_text *t, double x, double y, const char *s);

#endif
