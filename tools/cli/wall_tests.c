#include "tools/cli/wall_tests.h"

static void put_alternation(rs_json *j, const rs_wall_tests *s)
{
    if (!s->has_alternation) {
        rs_json_null(j, "alternation");
        return;
    }
    rs_json_object(j, "alternation");
    rs_json_integer(j, "family", s->family);
    rs_json_integer(j, "walls", s->alternation.walls);
    rs_json_number(j, "difference", s->alternation.difference);
    rs_json_number(j, "p", s->alternation.p);
    rs_json_number(j, "successive", s->alternation.successive);
    rs_json_number(j, "p_successive", s->alternation.p_successive);
    rs_json_number(j, "autocorrelation", s->alternation.autocorrelation);
    rs_json_end(j);
}

static void put_lengths(rs_json *j, const rs_wall_tests *s)
{
    if (!s->has_lengths) {
        rs_json_null(j, "long_short");
        return;
    }
    rs_json_object(j, "long_short");
    rs_json_integer(j, "long", s->lengths.n[0]);
    rs_json_integer(j, "short", s->lengths.n[1]);
    rs_json_number(j, "limit", s->limit);
    rs_json_number(j, "median_long", s->lengths.median[0]);
    rs_json_number(j, "median_short", s->lengths.median[1]);
    rs_json_number(j, "shift", s->lengths.shift);
    rs_json_number(j, "u", s->lengths.u);
    rs_json_number(j, "effect", s->lengths.effect);
    rs_json_number(j, "p", s->lengths.p);
    rs_json_bool(j, "exact", s->lengths.exact);
    rs_json_end(j);
}

static void put_trend(rs_json *j, const rs_wall_tests *s)
{
    if (!s->has_trend) {
        rs_json_null(j, "domain_distance");
        return;
    }
    rs_json_object(j, "domain_distance");
    rs_json_integer(j, "domains", s->domains);
    rs_json_integer(j, "walls", s->trend.n);
    rs_json_number(j, "rho", s->trend.rho);
    rs_json_number(j, "p", s->trend.p);
    rs_json_end(j);
}

void cli_wall_tests_json(rs_json *j, const char *metric, const rs_wall_tests *s)
{
    rs_json_object(j, "stats");
    rs_json_string(j, "metric", metric);
    rs_json_integer(j, "points", s->points);
    rs_json_integer(j, "walls", s->measured);
    put_alternation(j, s);
    put_lengths(j, s);
    put_trend(j, s);
    rs_json_end(j);
}
