#include "nn/tables.h"

#include <string.h>

#include "base/alloc.h"

reshed_status rs_tables_make(const rs_stage *stage, int stages, int levels, int height,
                             rs_tables *out, reshed_error *err)
{
    rs_tables t = {0};
    size_t n = 0;
    for (int i = 0; i < stages; i++) n += (size_t)stage[i].height; /* x with c1, y with c2 */
    for (int k = 0; k < levels; k++) n += (size_t)rs_level_size(height, k);
    t.rows = rs_zalloc((size_t)(stages / 2), sizeof *t.rows);
    t.memory = rs_zalloc(n, sizeof *t.memory);
    t.bytes = n * sizeof *t.memory + (size_t)(stages / 2) * sizeof *t.rows;
    if (!t.rows || !t.memory) {
        rs_tables_clear(&t);
        return rs_fail_nomem(err, "tables of rows", t.bytes);
    }
    float **at = t.memory;
    for (int i = 0; i < stages; i += 2) {
        t.rows[i / 2].x = at;
        t.rows[i / 2].y = at + stage[i].height;
        at += 2 * stage[i].height;
    }
    for (int k = 0; k < levels; k++) {
        t.score[k] = at;
        at += rs_level_size(height, k);
    }
    *out = t;
    return RESHED_OK;
}

void rs_tables_clear(rs_tables *t)
{
    rs_free(t->rows);
    rs_free(t->memory);
    memset(t, 0, sizeof *t);
}

static float *slot(float *rings, const rs_ring *ring, int r)
{
    return rings + ring->offset + (size_t)(r % ring->capacity) * ring->stride;
}

void rs_tables_rings(rs_tables *t, const rs_stage *stage, int stages, float *rings)
{
    for (int i = 0; i < stages; i += 2)
        for (int r = 0; r < stage[i].height; r++) {
            t->rows[i / 2].x[r] = slot(rings, &stage[i].x, r);
            t->rows[i / 2].y[r] = slot(rings, &stage[i].y, r);
        }
}

size_t rs_tables_scores(rs_tables *t, int levels, int height, int width, int classes, float *score)
{
    size_t used = 0;
    for (int k = 0; k < levels; k++) {
        const size_t row = (size_t)rs_level_size(width, k) * (size_t)classes;
        const int h = rs_level_size(height, k);
        for (int r = 0; score && r < h; r++) t->score[k][r] = score + used + (size_t)r * row;
        used += ((size_t)h * row + 15) & ~(size_t)15;
    }
    return used;
}
