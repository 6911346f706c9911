#include "spm/session/layout.h"

static bool place_item(const rs_session_setup *s, int item, rs_session_place *p)
{
    if (item == ITEM_COMPLETE) {
        rs_session_place_single(p, CELL_U8, "/Session", "complete");
        return true;
    }
    if (item <= ITEM_PROCESSED) return rs_session_place_line(s, item, p);
    if (item < ITEM_POINTS) return rs_session_place_map(s, item, p);
    if (item < ITEM_REFERENCES) return rs_session_place_point(s, item, p);
    if (item < ITEM_PATCHES || item >= ITEM_METRIC) return rs_session_place_series(s, item, p);
    return rs_session_place_log(s, item, p);
}

void rs_session_lay_out(const rs_session_setup *setup, rs_session_place *places)
{
    for (int i = 0; i < ITEMS; i++) {
        places[i] = (rs_session_place){0};
        if (!place_item(setup, i, &places[i])) places[i] = (rs_session_place){0};
    }
}
