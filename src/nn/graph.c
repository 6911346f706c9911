#include "nn/graph.h"

#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/kernels.h"

void rs_graph_clear(rs_graph *g)
{
    rs_free(g->place);
    rs_free(g->filter);
    rs_free(g->node);
    memset(g, 0, sizeof *g);
}

int rs_pad_channels(int channels)
{
    return (channels + RS_LANES - 1) / RS_LANES * RS_LANES;
}

int rs_filter_inputs(const rs_filter *f)
{
    if (f->image) return 1;
    return rs_pad_channels(f->cin[0]) + (f->cin[1] ? rs_pad_channels(f->cin[1]) : 0);
}

int rs_graph_written(const rs_graph *g, int node, int place, int r1, int height)
{
    const int all = rs_level_size(height, g->place[place].level);
    const rs_op *n = node < 0 ? NULL : &g->node[node];
    const rs_use *u = n ? n->use : &g->image;
    if (n && n->to == place) return r1;
    for (int i = 0, uses = n ? n->uses : 1; i < uses; i++, u++) {
        if (u->to != place) continue;
        if (!u->pool) return r1;
        return r1 == rs_level_size(height, n->level) ? all : r1 / 2;
    }
    return -1;
}

/* --------------------------------------------------------------------------------- what is reached */

static int radius_of(const rs_graph *g, int place, int before)
{
    int most = 0;
    for (int i = 0; i < before; i++) {
        const rs_op *n = &g->node[i];
        const int pixel = 1 << n->level;
        bool writes = n->to == place, pooled = false;
        for (int j = 0; j < n->uses; j++) {
            writes |= n->use[j].to == place;
            pooled |= n->use[j].to == place && n->use[j].pool;
        }
        if (!writes) continue;
        int r = g->place[n->in].reach + (pooled ? pixel : 0);
        if (n->kind == RS_OP_CONV) r += n->dilation * pixel;
        if (n->kind == RS_OP_GROW) r += 2 * pixel;
        if (n->residual >= 0 && g->place[n->residual].reach > r) r = g->place[n->residual].reach;
        if (r > most) most = r;
    }
    return most;
}

int rs_graph_radius(const rs_graph *g)
{
    int most = 0;
    /* a place's writers come before its readers */
    for (int i = 0; i < g->nodes; i++) {
        const rs_op *n = &g->node[i];
        g->place[n->in].reach = radius_of(g, n->in, i);
        if (n->residual >= 0) g->place[n->residual].reach = radius_of(g, n->residual, i);
    }
    for (int k = 0; k < g->scores; k++) {
        const int r = radius_of(g, g->score[k], g->nodes);
        if (r > most) most = r;
    }
    return most;
}

/* ------------------------------------------------------------------------------- multiply-adds */

static double pixels_of(int level, int height, int width)
{
    return (double)rs_level_size(height, level) * rs_level_size(width, level);
}

static double per_pixel(const rs_graph *g, int filter)
{
    if (filter < 0) return 0;
    const rs_filter *f = &g->filter[filter];
    return (double)f->k * f->k * (f->cin[0] + f->cin[1]) * f->cout;
}

static double of_use(const rs_graph *g, const rs_use *u, int level, int height, int width)
{
    if (u->kind != RS_USE_POINT && u->kind != RS_USE_HEAD) return 0;
    return per_pixel(g, u->filter) * pixels_of(level + u->pool, height, width);
}

double rs_graph_macs(const rs_graph *g, int node, int height, int width)
{
    if (node < 0) return of_use(g, &g->image, 0, height, width);
    if (node == g->nodes) return per_pixel(g, g->mix) * pixels_of(0, height, width);
    const rs_op *n = &g->node[node];
    double macs = per_pixel(g, n->filter) * pixels_of(n->level, height, width);
    for (int i = 0; i < n->uses; i++) macs += of_use(g, &n->use[i], n->level, height, width);
    return macs;
}
