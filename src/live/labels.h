/* labels.h - walls that a person has drawn on the frame: kept, and saved as PNG for training. */
#ifndef RS_LIVE_LABELS_H
#define RS_LIVE_LABELS_H

#include "live/board.h"

typedef struct rs_labels rs_labels;

/* Files go beside `beside` (a session, an image): its name without ending, then -label.png and -ignore.png,
 * -label-2.png and so on where these exist. The board, borrowed, is told. */
reshed_status rs_labels_create(rs_board *board, const char *beside, rs_labels **out,
                               reshed_error *err);
/* Another frame: files go beside that, and the latest are forgotten. From any thread, before the board's begin. */
reshed_status rs_labels_begin(rs_labels *l, const char *beside, reshed_error *err);
void rs_labels_free(rs_labels *l);
/* label and ignore [rows,cols] of 0 and 1; RESHED_EINVAL: other values, or another size than the board's frame. From any
 * thread. */
reshed_status rs_labels_save(rs_labels *l, int rows, int cols, const uint8_t *label,
                             const uint8_t *ignore, reshed_error *err);
/* Both of the latest, [2][rows,cols], into a new block (rs_free); NULL: none were saved. */
uint8_t *rs_labels_get(rs_labels *l, int *rows, int *cols);

#endif
