#include "nn/stream_state.h"

void rs_stream_cut(rs_stream *s, rs_span there)
{
    s->extent = rs_extent_make(&s->arch, s->height, there);
    for (int y = 0; y < s->height; y++) {
        s->field[y] = (rs_span){y, y + 1};
        if (y < there.lo || y >= there.hi) continue;
        rs_spans_behind(&s->extent, (rs_span){y, y + 1}, &s->need);
        s->field[y] = s->need.x[0];
    }
}

int rs_stream_marked(const rs_stream *s, rs_span rows)
{
    return s->changed[rows.hi] - s->changed[rows.lo];
}

void rs_stream_sum(rs_stream *s, const uint8_t *flag)
{
    s->changed[0] = 0;
    for (int y = 0; y < s->height; y++) s->changed[y + 1] = s->changed[y] + (flag[y] != 0);
}

bool rs_stream_can_be_final(const rs_stream *s, int y)
{
    return s->scanned[y] && rs_stream_marked(s, s->field[y]) == s->field[y].hi - s->field[y].lo;
}

bool rs_stream_wants_final(const rs_stream *s, int y)
{
    return rs_stream_can_be_final(s, y) && !(s->kind[y] == EXACT && s->clean[y]);
}

void rs_stream_states(rs_stream *s)
{
    rs_stream_sum(s, s->scanned);
    for (int y = 0; y < s->height; y++) {
        s->state[y] = (uint8_t)(!s->scanned[y]                       ? RS_ROW_UNSCANNED
                                : s->kind[y] == EXACT && s->clean[y] ? RS_ROW_FINAL
                                                                     : RS_ROW_PROVISIONAL);
        s->stale[y] = s->scanned[y] && !s->clean[y];
    }
}
