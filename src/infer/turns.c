#include "infer/turns.h"

#include <stddef.h>

enum { FLIP_ROWS = 1, FLIP_COLS = 2, SWAP = 4 };

static const int turns[RS_TURNS] = {
    0,    FLIP_ROWS | FLIP_COLS,        FLIP_ROWS,        FLIP_COLS,
    SWAP, SWAP | FLIP_ROWS | FLIP_COLS, SWAP | FLIP_ROWS, SWAP | FLIP_COLS};

bool rs_turns_known(int n)
{
    return n == 1 || n == 2 || n == 4 || n == 8;
}

bool rs_turn_swaps(int turn)
{
    return turns[turn] & SWAP;
}

/* The pixel of the image [height,width] that pixel (r,c) of the turn shows. */
static size_t source(int height, int width, int turn, int r, int c)
{
    const int how = turns[turn];
    int y = how & SWAP ? c : r, x = how & SWAP ? r : c;
    if (how & FLIP_ROWS) y = height - 1 - y;
    if (how & FLIP_COLS) x = width - 1 - x;
    return (size_t)y * (size_t)width + (size_t)x;
}

void rs_turn(const float *x, int height, int width, int turn, float *out)
{
    const int h = rs_turn_swaps(turn) ? width : height, w = rs_turn_swaps(turn) ? height : width;
    for (int r = 0; r < h; r++)
        for (int c = 0; c < w; c++) *out++ = x[source(height, width, turn, r, c)];
}

void rs_turn_add(const float *mean, const float *variance, int height, int width, int classes,
                 int turn, const rs_turn_sums *sums)
{
    const int h = rs_turn_swaps(turn) ? width : height, w = rs_turn_swaps(turn) ? height : width;
    for (int r = 0; r < h; r++)
        for (int c = 0; c < w; c++) {
            size_t to = source(height, width, turn, r, c) * (size_t)classes;
            for (int k = 0; k < classes; k++, to++) {
                const float away = *mean++ - sums->mean[to];
                sums->away[to] += away;
                sums->variance[to] += *variance++ + away * away;
            }
        }
}

void rs_turn_finish(int height, int width, int classes, int n, const rs_turn_sums *sums)
{
    const size_t values = (size_t)height * (size_t)width * (size_t)classes;
    for (size_t i = 0; i < values; i++) {
        const float away = sums->away[i] / (float)n;
        const float variance = sums->variance[i] / (float)n - away * away;
        sums->mean[i] += away;
        sums->variance[i] = variance > 0 ? variance : 0;
    }
}
