/* canvas.h - the raster that the twin's objects are painted on. */
#ifndef RS_SPM_TWIN_CANVAS_H
#define RS_SPM_TWIN_CANVAS_H

#include <stddef.h>

#include "spm/twin/objects.h"

/* Rows first_row ... first_row+rows-1 of a view. Every value painted depends on the position of its
 * pixel alone, so a row has the same bits whatever other rows are on the canvas. */
typedef struct twin_canvas {
    const rs_twin_view *view;
    int first_row, rows, cols;
    double px, py;   /* m, pixel size */
    double x0, y0;   /* m, centre of pixel (0,0) of the view, without drift */
    float *base;     /* [rows,cols] c-domain response, of the c level */
    float *pass;     /* what the stripes leave of it */
    float *share;    /* of a domain, 0 ... 1 */
    float *inside;   /* pixels, distance to the nearest edge of the nearest stripe, > 0 inside */
    float *relief;   /* m, height due to the stripes; NULL when not wanted */
    float visible;   /* of the c level: walls beside less are not marked */
    float marked;    /* contrast: of stripes with less no walls are marked */
    float outward;   /* pixels, by which they are marked outside the edge */
    float *minus;    /* pixels, distance to the 180-degree wall, < 0 in c-; NULL: all c+ */
    uint8_t *across; /* 1 where that edge is steeper across columns than across rows */
    uint8_t *near;   /* scratch of the curves: nearest side */
    float *distance; /* scratch of the curves */
    float *along;    /* scratch of the curves */
} twin_canvas;

#define TWIN_FAR (-1e9f)

/* Position of the pixel in column 0 of canvas row r. */
static inline double twin_row_x(const twin_canvas *cv, int r)
{
    const rs_twin_view *v = cv->view;
    return cv->x0 + (v->dx ? (double)v->dx[cv->first_row + r] : 0);
}

static inline double twin_row_y(const twin_canvas *cv, int r)
{
    const rs_twin_view *v = cv->view;
    int row = cv->first_row + r;
    return cv->y0 - row * cv->py + (v->dy ? (double)v->dy[row] : 0);
}

/* The smallest box that holds every pixel, drift included. */
typedef struct twin_box {
    double x_lo, x_hi, y_lo, y_hi; /* m */
} twin_box;
twin_box twin_canvas_box(const twin_canvas *cv);

/* Adds lattice noise of about unit variance times `gain`, features of `size` metres, to out
 * [rows,cols]. table: scratch of twin_noise_table(cv) floats. */
void twin_add_noise(const twin_canvas *cv, uint64_t seed, double size, float gain, float *out,
                    float *table);
size_t twin_noise_table(const twin_canvas *cv);

/* scratch: twin_stripe_table(cv) elements. */
void twin_paint_stripe(twin_canvas *cv, const twin_stripe *st, twin_edges *scratch);
size_t twin_stripe_table(const twin_canvas *cv);
void twin_paint_feature(twin_canvas *cv, const twin_feature *f);
void twin_paint_minus(twin_canvas *cv, const rs_twin_sample *sample);
void twin_paint_islands(twin_canvas *cv, const rs_twin_sample *sample);
/* Multiplies the base by the mosaic's and the mottle's brightness; before features and stripes. */
void twin_paint_patches(twin_canvas *cv, const rs_twin_sample *sample, float *table);

/* The truth of canvas rows [from,to), written to rows [0,to-from) of wall and domain (either may be
 * NULL). The canvas must hold a row more on each side, except at the rim of the view. */
void twin_mark_walls(const twin_canvas *cv, int from, int to, uint8_t *wall);
/* Rows of the canvas that kinds need on each side. */
#define TWIN_KIND_ROWS 26
void twin_mark_kinds(const twin_canvas *cv, int from, int to, uint8_t *kind);
void twin_mark_domains(const twin_canvas *cv, int from, int to, uint8_t *domain);

#endif
