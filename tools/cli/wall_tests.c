#include "tools/cli/wall_tests.h"

#include "imgproc/walls/findings.h"

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
    rs_json_number(j, "chance", s->alternation.chance);
    rs_json_integer(j, "pieces", s->in_family);
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

/* One entry for each question: the p value that answers it and what it stands on; and the questions
 * that too few walls stand for. */
static void put_findings(rs_json *j, const rs_wall_tests *s)
{
    rs_finding f[RS_FINDINGS];
    int few;
    const int n = rs_wall_findings(s, f, &few);
    rs_json_array(j, "findings");
    for (int i = 0; i < n; i++) {
        rs_json_object(j, NULL);
        rs_json_string(j, "question", f[i].question);
        rs_json_string(j, "test", f[i].test);
        rs_json_number(j, "p", f[i].p);
        rs_json_number(j, "p_holm", f[i].p_holm);
        rs_json_string(j, "estimator", f[i].estimator);
        rs_json_number(j, "estimate", f[i].estimate);
        rs_json_number(j, "ci95_low", f[i].lo);
        rs_json_number(j, "ci95_high", f[i].hi);
        rs_json_string(j, "effect_name", f[i].effect_name);
        rs_json_number(j, "effect", f[i].effect);
        rs_json_integer(j, "walls", f[i].walls);
        if (f[i].controls) rs_json_integer(j, "controls", f[i].controls);
        rs_json_end(j);
    }
    rs_json_end(j);
    rs_json_array(j, "too_few");
    for (int i = n; i < n + few; i++) rs_json_string(j, NULL, f[i].question);
    rs_json_end(j);
}

void cli_wall_tests_json(rs_json *j, const char *metric, const rs_wall_tests *s)
{
    rs_json_object(j, "stats");
    rs_json_string(j, "metric", metric);
    rs_json_integer(j, "points", s->points);
    rs_json_integer(j, "walls", s->measured);
    rs_json_integer(j, "left_out", s->unmeasured);
    rs_json_integer(j, "off_walls", s->off);
    put_alternation(j, s);
    put_lengths(j, s);
    put_trend(j, s);
    put_findings(j, s);
    rs_json_end(j);
}
