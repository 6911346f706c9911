/* truth.c - the walls and the class of every pixel.
 *
 * canvas.inside is the distance, in pixels, to the half-height edge of the nearest stripe, positive
 * in the a domain: the wall is its zero line. Between two neighbours of different sign the nearer
 * one is the wall pixel. Looking only at neighbours above one another where the edge is nearer to
 * horizontal, and only at neighbours beside one another where it is nearer to vertical, gives one
 * wall pixel for each column or row of the edge, that is, an 8-connected line one pixel wide. */
#include "spm/twin/canvas.h"

#include <string.h>

/* Marks the nearer of pixels p and q to the wall between them, when there is one that is to be
 * crossed in this direction. */
static void mark_pair(const twin_canvas *cv, size_t p, size_t q, int across, bool p_in, bool q_in,
                      uint8_t *wp, uint8_t *wq)
{
    float a = cv->inside[p] + cv->outward, b = cv->inside[q] + cv->outward;
    if ((a > 0) == (b > 0)) return;
    size_t outer = a > 0 ? q : p, inner = a > 0 ? p : q;
    if (cv->across[cv->inside[outer] > TWIN_FAR ? outer : inner] != across) return;
    if (cv->visible > 0 && cv->base[outer] < cv->visible) return;
    bool first = fabsf(a) < fabsf(b) || (fabsf(a) == fabsf(b) && a > 0);
    if (first && p_in) *wp = 1;
    if (!first && q_in) *wq = 1;
}

/* Returns whether p is marked for its border with q, across columns (1) or rows (0). */
static bool is_marked(const twin_canvas *cv, size_t p, size_t q, int across)
{
    uint8_t mine = 0, other = 0;
    mark_pair(cv, p, q, across, true, true, &mine, &other);
    return mine;
}

/* Returns whether pixel p in column c is marked for a border with its neighbours in its row or, where rows
 * is true, in its column. */
static bool is_wall(const twin_canvas *cv, size_t p, bool rows)
{
    const size_t cols = (size_t)cv->cols, c = p % cols, r = p / cols;
    return (c > 0 && is_marked(cv, p, p - 1, 1)) || (c + 1 < cols && is_marked(cv, p, p + 1, 1)) ||
           (rows && r > 0 && is_marked(cv, p, p - cols, 0)) ||
           (rows && r + 1 < (size_t)cv->rows && is_marked(cv, p, p + cols, 0));
}

/* Where the direction of an edge turns, at 45 degrees and at corners, a border may be left out in
 * both: then its nearer pixel is marked as well. Every border has one, so walls have no gaps. The
 * canvas has one row beyond those that are asked for, so a border across rows looks along its two. */
static void close_gap(const twin_canvas *cv, size_t p, size_t q, bool p_in, bool q_in, uint8_t *wp,
                      uint8_t *wq)
{
    const int across = q == p + 1;
    const size_t cols = (size_t)cv->cols, place = across ? p / cols : p % cols,
                 last = (size_t)(across ? cv->rows : cv->cols) - 1;
    if (place == 0 || place == last) return; /* its pixel may lie beyond the rim */
    if ((cv->inside[p] + cv->outward > 0) == (cv->inside[q] + cv->outward > 0) ||
        is_marked(cv, p, q, across) || is_marked(cv, q, p, across) || is_wall(cv, p, across) ||
        is_wall(cv, q, across))
        return;
    mark_pair(cv, p, q, !across, p_in, q_in, wp, wq);
}

void twin_mark_walls(const twin_canvas *cv, int from, int to, uint8_t *wall)
{
    size_t cols = (size_t)cv->cols;
    memset(wall, 0, (size_t)(to - from) * cols);
    for (int r = from > 0 ? from - 1 : 0; r < to; r++)
        for (size_t c = 0; c < cols; c++) {
            size_t p = (size_t)r * cols + c;
            uint8_t *w = r >= from ? wall + (p - (size_t)from * cols) : NULL;
            if (w && c + 1 < cols) mark_pair(cv, p, p + 1, 1, true, true, w, w + 1);
            if (w && c + 1 < cols) close_gap(cv, p, p + 1, true, true, w, w + 1);
            if (r + 1 < cv->rows)
                mark_pair(cv, p, p + cols, 0, r >= from, r + 1 < to, w,
                          r + 1 < to ? wall + (p + cols - (size_t)from * cols) : NULL);
            if (r + 1 < cv->rows)
                close_gap(cv, p, p + cols, r >= from, r + 1 < to, w,
                          r + 1 < to ? wall + (p + cols - (size_t)from * cols) : NULL);
        }
}

/* The first c pixel from p on, in steps of `step`, `room` of them at most; -1: none in reach. */
static long first_c(const twin_canvas *cv, long p, long step, int room)
{
    int reach = room < TWIN_KIND_ROWS - 2 ? room : TWIN_KIND_ROWS - 2;
    for (int k = 1; k <= reach; k++)
        if (cv->inside[p + k * step] <= -1) return p + k * step;
    return -1;
}

/* Whether the nearest c domains on both sides of a wall pixel have different signs. */
static bool sign_changes(const twin_canvas *cv, int r, int c)
{
    const long cols = cv->cols, p = r * cols + c;
    const bool across = cv->across[p];
    const int row = cv->first_row + r, rows = cv->view->rows;
    /* Rows outside the view do not exist, whatever the canvas holds. */
    long a = first_c(cv, p, across ? -1 : -cols, across ? c : row);
    long b = first_c(cv, p, across ? 1 : cols, across ? cv->cols - 1 - c : rows - 1 - row);
    return a >= 0 && b >= 0 && (cv->minus[a] < 0) != (cv->minus[b] < 0);
}

/* Whether a 180-degree wall runs through pixel (r,c), outside every a domain. */
static bool is_180(const twin_canvas *cv, int r, int c)
{
    const size_t cols = (size_t)cv->cols, p = (size_t)r * cols + (size_t)c;
    const size_t next[4] = {c > 0 ? p - 1 : p, c + 1 < cv->cols ? p + 1 : p, r > 0 ? p - cols : p,
                            r + 1 < cv->rows ? p + cols : p};
    if (cv->inside[p] > 0) return false;
    for (int k = 0; k < 4; k++) {
        float a = cv->minus[p], b = cv->minus[next[k]];
        float bright = fmaxf(cv->base[p], cv->base[next[k]]);
        if ((a < 0) != (b < 0) && cv->inside[next[k]] <= 0 && fabsf(a) <= fabsf(b) &&
            (cv->visible <= 0 || bright >= cv->visible))
            return true;
    }
    return false;
}

void twin_mark_kinds(const twin_canvas *cv, int from, int to, uint8_t *kind)
{
    twin_mark_walls(cv, from, to, kind);
    for (int r = from; cv->minus && r < to; r++)
        for (int c = 0; c < cv->cols; c++) {
            uint8_t *k = &kind[(size_t)(r - from) * (size_t)cv->cols + (size_t)c];
            if (*k)
                *k = sign_changes(cv, r, c) ? RS_TWIN_MIXED : RS_TWIN_FERROELASTIC;
            else if (is_180(cv, r, c))
                *k = RS_TWIN_180;
        }
}

void twin_mark_domains(const twin_canvas *cv, int from, int to, uint8_t *domain)
{
    size_t cols = (size_t)cv->cols;
    for (int r = from; r < to; r++)
        for (size_t c = 0; c < cols; c++) {
            size_t p = (size_t)r * cols + c;
            bool minus = cv->minus && cv->minus[p] < 0;
            domain[(size_t)(r - from) * cols + c] = cv->inside[p] > 0 ? RS_TWIN_A
                                                    : minus           ? RS_TWIN_CMINUS
                                                                      : RS_TWIN_CPLUS;
        }
    for (int r = from; cv->minus && r < to; r++)
        for (int c = 0; c < cv->cols; c++)
            if (is_180(cv, r, c)) domain[(size_t)(r - from) * cols + (size_t)c] = RS_TWIN_WALL180;
}
