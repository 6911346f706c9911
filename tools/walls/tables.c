#include "tools/walls/tables.h"

#include <math.h>

#include "base/numeric.h"
#include "io/csv.h"

static void headings(rs_csv *c, const char *const (*list)[2], int n, const char *unit)
{
    for (int i = 0; i < n; i++)
        rs_csv_heading(c, list[i][0], list[i][1][0] == '*' ? unit : list[i][1]);
    rs_csv_end_row(c);
}

/* A unit "*" stands for that of lengths. */
#define HEADINGS(c, job, ...)                                                                      \
    do {                                                                                           \
        static const char *const list_[][2] = {__VA_ARGS__};                                       \
        headings(c, list_, sizeof list_ / sizeof *list_, walls_unit(job));                         \
    } while (0)

static bool save(const walls_job *job, rs_csv *c, const char *path)
{
    reshed_error err = {0};
    reshed_status st = rs_csv_save(c, path, &err);
    rs_csv_clear(c);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}

/* --------------------------------------------------------------------------------------- points */

static bool write_points(const walls_job *job, const char *path)
{
    rs_csv c = {0};
    HEADINGS(&c, job, {"point", ""}, {"row", "px"}, {"col", "px"}, {"x", "*"}, {"y", "*"},
             {"u", ""}, {"v", ""}, {"kind", ""}, {"wall", ""}, {"along", "*"}, {"frame_x", "*"},
             {"frame_y", "*"}, {"probability", ""}, {"probability sd", ""});
    for (int i = 0; i < job->found.points.n; i++) {
        const rs_point *p = &job->found.points.p[i];
        rs_rowcol at = {p->at.row, p->at.col};
        rs_xy frame, stage, normalised;
        rs_pixel_to_frame(&job->coords, &at, 1, &frame);
        rs_frame_to_stage(&job->coords, &frame, 1, &stage);
        rs_pixel_to_device(&job->coords, &at, 1, &normalised);
        rs_csv_integer(&c, i);
        rs_csv_integer(&c, p->at.row);
        rs_csv_integer(&c, p->at.col);
        rs_csv_number(&c, stage.x);
        rs_csv_number(&c, stage.y);
        rs_csv_number(&c, normalised.x);
        rs_csv_number(&c, normalised.y);
        rs_csv_text(&c, rs_point_kind_name(p->kind));
        rs_csv_integer(&c, p->wall);
        rs_csv_number(&c, p->along);
        rs_csv_number(&c, frame.x);
        rs_csv_number(&c, frame.y);
        const size_t k = (size_t)p->at.row * (size_t)job->grid.width + (size_t)p->at.col;
        rs_csv_number(&c, (double)job->map[k]);
        rs_csv_number(&c, job->variance ? sqrt((double)job->variance[k]) : NAN);
        rs_csv_end_row(&c);
    }
    return save(job, &c, path);
}

/* ------------------------------------------------------------------------------ walls, branches */

static void put_line(rs_csv *c, const walls_job *job, const rs_wall_line *line)
{
    const rs_pixel *p = job->found.graph.pixel + line->first, *last = p + line->count - 1;
    rs_csv_integer(c, line->count);
    rs_csv_number(c, line->length_px);
    rs_csv_number(c, line->length);
    rs_csv_number(c, line->chord);
    rs_csv_number(c, line->orientation * RS_RADIAN);
    rs_csv_number(c, line->width);
    rs_csv_number(c, line->width_sd);
    rs_csv_number(c, line->probability);
    rs_csv_number(c, line->variance);
    rs_csv_integer(c, p->row);
    rs_csv_integer(c, p->col);
    rs_csv_integer(c, last->row);
    rs_csv_integer(c, last->col);
}

#define LINE_HEADINGS                                                                              \
    {"pixels", ""}, {"chain length", "px"}, {"length", "*"}, {"chord", "*"},                       \
        {"orientation", "deg"}, {"width", "*"}, {"width sd", "*"}, {"probability", ""},            \
        {"variance", ""}, {"first row", "px"}, {"first col", "px"}, {"last row", "px"},            \
    {                                                                                              \
        "last col", "px"                                                                           \
    }

static bool write_walls(const walls_job *job, const char *path)
{
    rs_csv c = {0};
    HEADINGS(&c, job, {"wall", ""}, LINE_HEADINGS, {"first end", ""}, {"last end", ""},
             {"pair", ""}, {"family", ""}, {"place", "*"}, {"own length", "*"}, {"kind", ""},
             {"kind sure", ""}, {"scan line", ""});
    for (int w = 0; w < job->found.graph.walls; w++) {
        const rs_wall *wall = &job->found.graph.wall[w];
        rs_csv_integer(&c, w);
        put_line(&c, job, &wall->line);
        rs_csv_text(&c, rs_wall_end_name(wall->end[0]));
        rs_csv_text(&c, rs_wall_end_name(wall->end[1]));
        rs_csv_integer(&c, wall->pair);
        rs_csv_integer(&c, wall->family);
        rs_csv_number(&c, wall->place);
        rs_csv_number(&c, wall->own_length);
        rs_csv_text(&c, rs_wall_kind_name(wall->kind));
        rs_csv_number(&c, wall->sure);
        rs_csv_integer(&c, wall->scan_line);
        rs_csv_end_row(&c);
    }
    return save(job, &c, path);
}

static bool write_branches(const walls_job *job, const char *path)
{
    rs_csv c = {0};
    HEADINGS(&c, job, {"branch", ""}, LINE_HEADINGS, {"first node", ""}, {"first kind", ""},
             {"last node", ""}, {"last kind", ""}, {"wall", ""});
    for (int b = 0; b < job->found.graph.branches; b++) {
        const rs_branch *branch = &job->found.graph.branch[b];
        rs_csv_integer(&c, b);
        put_line(&c, job, &branch->line);
        for (int e = 0; e < 2; e++) {
            int node = branch->node[e];
            rs_csv_integer(&c, node);
            rs_csv_text(&c,
                        node < 0 ? "closed" : rs_node_kind_name(job->found.graph.node[node].kind));
        }
        rs_csv_integer(&c, branch->wall);
        rs_csv_end_row(&c);
    }
    return save(job, &c, path);
}

static bool write_pairs(const walls_job *job, const char *path)
{
    rs_csv c = {0};
    HEADINGS(&c, job, {"pair", ""}, {"wall a", ""}, {"wall b", ""}, {"separation", "*"},
             {"separation sd", "*"}, {"overlap", "*"}, {"cover", ""}, {"contrast", ""});
    for (int k = 0; k < job->found.graph.pairs; k++) {
        const rs_wall_pair *pair = &job->found.graph.pair[k];
        rs_csv_integer(&c, k);
        rs_csv_integer(&c, pair->wall[0]);
        rs_csv_integer(&c, pair->wall[1]);
        rs_csv_number(&c, pair->separation);
        rs_csv_number(&c, pair->separation_sd);
        rs_csv_number(&c, pair->overlap);
        rs_csv_number(&c, pair->cover);
        rs_csv_number(&c, pair->contrast);
        rs_csv_end_row(&c);
    }
    return save(job, &c, path);
}

bool walls_write_tables(const walls_job *job)
{
    const walls_request *r = job->request;
    return (!r->points || write_points(job, r->points)) &&
           (!r->walls || write_walls(job, r->walls)) &&
           (!r->branches || write_branches(job, r->branches)) &&
           (!r->pairs || write_pairs(job, r->pairs));
}
