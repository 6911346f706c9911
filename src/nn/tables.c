#include "nn/tables.h"

#include <string.h>

#include "base/alloc.h"

reshed_status rs_tables_make(const rs_graph *g, int height, rs_tables *out, reshed_error *err)
{
    rs_tables t = {0};
    size_t n = 0;
    for (int i = 0; i < g->places; i++) n += (size_t)rs_level_size(height, g->place[i].level);
    t.rows = rs_zalloc((size_t)g->places, sizeof *t.rows);
    t.memory = rs_zalloc(n, sizeof *t.memory);
    t.bytes = n * sizeof *t.memory + (size_t)g->places * sizeof *t.rows;
    if (!t.rows || !t.memory) {
        rs_tables_clear(&t);
        return rs_fail_nomem(err, "tables of rows", t.bytes);
    }
    float **at = t.memory;
    for (int i = 0; i < g->places; i++) {
        t.rows[i] = at;
        at += rs_level_size(height, g->place[i].level);
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

void rs_tables_rings(rs_tables *t, const rs_graph *g, int height, const rs_ring *ring, float *rings)
{
    for (int i = 0; i < g->places; i++) {
        const int h = rs_level_size(height, g->place[i].level);
        if (g->place[i].score) continue;
        for (int r = 0; r < h; r++)
            t->rows[i][r] =
                rings + ring[i].offset + (size_t)(r % ring[i].capacity) * ring[i].stride;
    }
}

size_t rs_tables_scores(rs_tables *t, const rs_graph *g, int height, int width, float *score)
{
    size_t used = 0;
    for (int k = 0; k < g->scores; k++) {
        const int level = g->place[g->score[k]].level, h = rs_level_size(height, level);
        const size_t row = (size_t)rs_level_size(width, level) * (size_t)g->arch.classes;
        for (int r = 0; score && r < h; r++)
            t->rows[g->score[k]][r] = score + used + (size_t)r * row;
        used += ((size_t)h * row + 15) & ~(size_t)15;
    }
    return used;
}
