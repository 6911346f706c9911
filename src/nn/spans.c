#include "nn/spans.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "nn/exec.h"

bool rs_span_empty(rs_span s)
{
    return s.lo >= s.hi;
}

bool rs_span_within(rs_span a, rs_span b)
{
    return a.lo >= b.lo && a.hi <= b.hi;
}

static rs_span cut(rs_span s, rs_span there)
{
    return (rs_span){rs_max_int(s.lo, there.lo), rs_min_int(s.hi, there.hi)};
}

static rs_span dilate(rs_span s, rs_span there)
{
    return rs_span_empty(s) ? s : cut((rs_span){s.lo - 1, s.hi + 1}, there);
}

static rs_span either(rs_span a, rs_span b)
{
    if (rs_span_empty(a)) return b;
    if (rs_span_empty(b)) return a;
    return (rs_span){rs_min_int(a.lo, b.lo), rs_max_int(a.hi, b.hi)};
}

rs_span rs_span_erode(rs_span s, rs_span there)
{
    if (rs_span_empty(s)) return s;
    return (rs_span){s.lo == there.lo ? s.lo : s.lo + 1, s.hi == there.hi ? s.hi : s.hi - 1};
}

rs_span rs_span_pooled(rs_span s, rs_span there_above)
{
    return cut((rs_span){(s.lo + 1) / 2, s.hi / 2}, there_above);
}

rs_extent rs_extent_make(const rs_arch *arch, int height, rs_span image)
{
    rs_extent e = {.arch = arch, .height = height};
    e.there[0] = image;
    for (int k = 1; k < arch->levels; k++) {
        e.there[k] = (rs_span){(e.there[k - 1].lo + 1) / 2, e.there[k - 1].hi / 2};
        if (e.there[k].hi < e.there[k].lo) e.there[k].hi = e.there[k].lo;
    }
    return e;
}

static int count_blocks(const rs_arch *arch)
{
    int n = 0;
    for (int k = 0; k < arch->levels; k++) n += arch->layers[k];
    return n;
}

reshed_status rs_spans_make(const rs_arch *arch, rs_spans *out, reshed_error *err)
{
    const int n = count_blocks(arch);
    rs_span *memory = rs_zalloc(3 * (size_t)n, sizeof *memory);
    if (!memory) return rs_fail_nomem(err, "spans of rows", 3 * (size_t)n * sizeof *memory);
    *out = (rs_spans){.blocks = n, .x = memory, .y = memory + n, .out = memory + 2 * n};
    return RESHED_OK;
}

void rs_spans_clear(rs_spans *s)
{
    rs_free(s->x);
    memset(s, 0, sizeof *s);
}

int rs_block_level(const rs_arch *arch, int block)
{
    int k = 0;
    while (block >= arch->layers[k]) block -= arch->layers[k++];
    return k;
}

bool rs_block_pooled(const rs_arch *arch, int block)
{
    for (int k = 0, last = -1; k + 1 < arch->levels; k++)
        if ((last += arch->layers[k]) == block) return true;
    return false;
}

rs_span rs_span_sampled(const rs_extent *e, int level, rs_span output)
{
    const int m = rs_level_size(e->height, level);
    int lo, hi, ignored;
    float t;
    if (rs_span_empty(output)) return (rs_span){0, 0};
    rs_sample(output.lo, e->height, m, e->arch->upsampling, &lo, &ignored, &t);
    rs_sample(output.hi - 1, e->height, m, e->arch->upsampling, &ignored, &hi, &t);
    /* what lies outside is clamped to the last row, as at the edge of a frame */
    const rs_span there = e->there[level];
    lo = rs_min_int(rs_max_int(lo, there.lo), there.hi - 1);
    hi = rs_min_int(rs_max_int(hi, there.lo), there.hi - 1);
    return (rs_span){lo, hi + 1};
}

void rs_spans_behind(const rs_extent *e, rs_span output, rs_spans *out)
{
    int b = out->blocks;
    rs_span above = {0, 0}; /* x of the level above */
    for (int k = e->arch->levels - 1; k >= 0; k--) {
        rs_span need = rs_span_sampled(e, k, output);
        if (k + 1 < e->arch->levels) {
            need = either(need, (rs_span){2 * above.lo, 2 * above.hi});
            need = cut((rs_span){need.lo & ~1, (need.hi + 1) & ~1}, e->there[k]);
        }
        for (int i = 0; i < e->arch->layers[k]; i++) {
            b--;
            out->out[b] = need;
            out->y[b] = dilate(need, e->there[k]);
            need = out->x[b] = dilate(out->y[b], e->there[k]);
        }
        above = need;
    }
}

void rs_spans_determined(const rs_extent *e, rs_span image, rs_spans *out)
{
    int b = 0;
    rs_span x = cut(image, e->there[0]);
    for (int k = 0; k < e->arch->levels; k++) {
        for (int i = 0; i < e->arch->layers[k]; i++, b++) {
            out->x[b] = x;
            out->y[b] = rs_span_erode(x, e->there[k]);
            x = out->out[b] = rs_span_erode(out->y[b], e->there[k]);
        }
        if (k + 1 < e->arch->levels) x = rs_span_pooled(x, e->there[k + 1]);
    }
}

void rs_spans_touched(const rs_extent *e, rs_span image, rs_spans *out)
{
    int b = 0;
    rs_span x = cut(image, e->there[0]);
    for (int k = 0; k < e->arch->levels; k++) {
        for (int i = 0; i < e->arch->layers[k]; i++, b++) {
            out->x[b] = x;
            out->y[b] = dilate(x, e->there[k]);
            x = out->out[b] = dilate(out->y[b], e->there[k]);
        }
        if (k + 1 < e->arch->levels) x = cut((rs_span){x.lo / 2, (x.hi + 1) / 2}, e->there[k + 1]);
    }
}
