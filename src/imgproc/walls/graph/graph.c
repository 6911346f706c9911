#include "imgproc/walls/graph/graph.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/polarity.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/line.h"

void rs_wallgraph_options_defaults(rs_wallgraph_options *options)
{
    *options = (rs_wallgraph_options){
        .reach = 10,
        .turn = 40 * RS_DEGREE,
        .corner = 60 * RS_DEGREE,
        .border = 1.5,
        .domain_cover = 0.5,
    };
}

static reshed_status check_range(const char *name, double v, double lo, double hi,
                                 reshed_error *err)
{
    if (v >= lo && v <= hi) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|%g to %g|%g", name, lo, hi, v);
}

reshed_status rs_wallgraph_options_check(const rs_wallgraph_options *o, reshed_error *err)
{
    reshed_status st = check_range("length of spurs in metres", o->spur, 0, HUGE_VAL, err);
    if (st == RESHED_OK)
        st = check_range("least length of a wall in metres", o->min_wall, 0, HUGE_VAL, err);
    if (st == RESHED_OK) st = check_range("reach at a junction in pixels", o->reach, 2, 1000, err);
    if (st == RESHED_OK) st = check_range("turn at a junction in radians", o->turn, 0, RS_PI, err);
    if (st == RESHED_OK) st = check_range("turn at a corner in radians", o->corner, 0, RS_PI, err);
    if (st == RESHED_OK) st = check_range("border in pixels", o->border, 0, 1000, err);
    if (st == RESHED_OK)
        st = check_range("widest domain in metres", o->domain_max, 0, HUGE_VAL, err);
    if (st == RESHED_OK)
        st = check_range("cover of a domain by its walls", o->domain_cover, 0, 1, err);
    return st;
}

const char *rs_node_kind_name(rs_node_kind kind)
{
    switch (kind) {
    case RS_NODE_END: return "end";
    case RS_NODE_BORDER: return "border";
    case RS_NODE_JUNCTION: return "junction";
    case RS_NODE_ISOLATED: return "isolated";
    }
    return "?";
}

const char *rs_wall_end_name(rs_wall_end end)
{
    switch (end) {
    case RS_END_FREE: return "free";
    case RS_END_BORDER: return "border";
    case RS_END_JUNCTION: return "junction";
    case RS_END_CORNER: return "corner";
    case RS_END_CLOSED: return "closed";
    }
    return "?";
}

void rs_wallgraph_clear_lines(rs_wallgraph *graph)
{
    rs_free(graph->node);
    rs_free(graph->branch);
    rs_free(graph->pixel);
    graph->node = NULL;
    graph->branch = NULL;
    graph->pixel = NULL;
    graph->nodes = graph->branches = graph->pixels = 0;
}

void rs_wallgraph_clear(rs_wallgraph *graph)
{
    rs_wallgraph_clear_lines(graph);
    rs_free(graph->wall);
    rs_free(graph->pair);
    rs_free(graph->skeleton);
    rs_free(graph->wall_at);
    memset(graph, 0, sizeof *graph);
}

double rs_wallgraph_length(const rs_wallgraph *graph)
{
    double sum = 0;
    for (int w = 0; w < graph->walls; w++) sum += graph->wall[w].own_length;
    return sum;
}

int rs_wallgraph_junctions(const rs_wallgraph *graph)
{
    int n = 0;
    for (int i = 0; i < graph->nodes; i++) n += graph->node[i].kind == RS_NODE_JUNCTION;
    return n;
}

const char *rs_wall_kind_name(int kind)
{
    return kind >= 0 && kind < RS_WALL_KINDS ? rs_polarity_name((rs_polarity_kind)kind) : "";
}
