#include "imgproc/image/centres.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/image.h"

typedef struct search {
    uint8_t *left; /* [H,W] 1: above the threshold and in no region yet */
    int32_t *todo; /* pixels whose neighbours are to be looked at */
    int height, width;
} search;

/* Takes the region of a pixel out of s->left. */
static rs_centre take(search *s, int32_t seed)
{
    double row = 0, col = 0;
    int pixels = 0, waiting = 0;
    s->left[seed] = 0;
    s->todo[waiting++] = seed;
    while (waiting > 0) {
        const int32_t at = s->todo[--waiting];
        const int y = at / s->width, x = at % s->width;
        const int32_t next[4] = {at - s->width, at + s->width, at - 1, at + 1};
        const bool inside[4] = {y > 0, y<s->height - 1, x> 0, x < s->width - 1};
        row += y;
        col += x;
        pixels++;
        for (int k = 0; k < 4; k++)
            if (inside[k] && s->left[next[k]]) {
                s->left[next[k]] = 0;
                s->todo[waiting++] = next[k];
            }
    }
    return (rs_centre){row / pixels, col / pixels, pixels};
}

static bool is_inside(const search *s, const rs_centre *c, double edge)
{
    return c->row >= edge && c->row <= s->height - 1 - edge && c->col >= edge &&
           c->col <= s->width - 1 - edge;
}

reshed_status rs_centres(const float *map, int height, int width, int stride, double threshold,
                         double edge, rs_centre **out, int *n, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE ||
        (size_t)height * (size_t)width > RS_IMAGE_MAX_PIXELS || stride < 1)
        return rs_fail(err, RESHED_EINVAL, "size of the map|1 to %d pixels a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    if (!(edge >= 0)) return rs_fail(err, RESHED_EINVAL, "edge|pixels >= 0|%g", edge);
    const size_t count = (size_t)height * (size_t)width;
    search s = {rs_alloc(count, 1), rs_alloc(count, sizeof *s.todo), height, width};
    rs_centre *found = NULL;
    size_t room = 0, have = 0;
    reshed_status st = RESHED_OK;
    if (!s.left || !s.todo) st = rs_fail_nomem(err, "regions", count * 5);
    for (size_t i = 0; st == RESHED_OK && i < count; i++)
        s.left[i] = map[i * (size_t)stride] > (float)threshold;
    for (size_t i = 0; st == RESHED_OK && i < count; i++) {
        if (!s.left[i]) continue;
        const rs_centre c = take(&s, (int32_t)i);
        if (!is_inside(&s, &c, edge)) continue;
        if (have == room) {
            const size_t more = room ? 2 * room : 64;
            rs_centre *grown = rs_regrow(found, have, more, sizeof *grown);
            if (!grown) {
                st = rs_fail_nomem(err, "regions", more * sizeof *grown);
                break;
            }
            found = grown;
            room = more;
        }
        found[have++] = c;
    }
    rs_free(s.left);
    rs_free(s.todo);
    if (st != RESHED_OK) {
        rs_free(found);
        return st;
    }
    *out = found;
    *n = (int)have;
    return RESHED_OK;
}
