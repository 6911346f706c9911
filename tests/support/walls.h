/* walls.h - shapes with known walls, for the tests of the wall rooms. */
#ifndef RS_TESTS_SUPPORT_WALLS_H
#define RS_TESTS_SUPPORT_WALLS_H

#include "imgproc/walls/graph/graph.h"
#include "support/support.h"

/* A mask and its skeleton. Coordinates are in pixels: x is the column, y the row. */
typedef struct drawing {
    int height, width;
    uint8_t *mask, *skeleton; /* [height,width]; owned */
} drawing;

void drawing_init(drawing *d, int height, int width);
void drawing_clear(drawing *d);
/* Sets the pixels within half of the segment, or of the circle line, in the mask. */
void draw_segment(drawing *d, double x0, double y0, double x1, double y1, double half);
void draw_circle(drawing *d, double x, double y, double radius, double half);
/* Makes the skeleton from the mask. */
void thin(drawing *d);

/* Skeleton and mask from lines of text: '#' both, '+' mask only, anything else none. */
void drawing_from_text(drawing *d, const char *const *rows, int height);

/* The graph of a drawing with square pixels of `size` metres; options NULL for the defaults. */
void build_graph(const drawing *d, double size, const rs_wallgraph_options *options,
                 rs_wallgraph *graph);

/* Makes *copy another graph with the same contents (rs_wallgraph_clear). */
void copy_graph(const rs_wallgraph *g, rs_wallgraph *copy);

/* Returns how many ends of its walls are of a kind. */
int count_ends(const rs_wallgraph *g, rs_wall_end kind);

/* Asserts what must hold in every graph: indices within range, neighbouring pixels along every
 * line, every skeleton pixel labelled. */
void assert_graph_is_sound(const rs_wallgraph *g);

#endif
