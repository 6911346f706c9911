#include "report/recipe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "beps/flags.h"

/* The rules of the latest choice among the steps, "survey; choose every=4 a_domain=3; loops". */
static void take_rules(const char *steps, rs_find_options *options)
{
    static const char kind[] = "choose";
    const char *last = NULL;
    for (const char *at = steps; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        at += strspn(at, " ");
        if (strncmp(at, kind, sizeof kind - 1) == 0) last = at + sizeof kind - 1;
    }
    while (last && *(last += strspn(last, " ")) && *last != ';') {
        const size_t n = strcspn(last, " ;"), eq = strcspn(last, "= ;");
        char name[32];
        double value;
        snprintf(name, sizeof name, "%.*s", (int)(eq < 31 ? eq : 31), last);
        if (strcmp(name, "a_domain") == 0 || strcmp(name, "c_domain") == 0)
            snprintf(name, sizeof name, "control_%c", *last);
        if (strcmp(name, "walls") == 0) {
            for (int k = 0; k < RS_FIND_WHICH; k++)
                if (n - eq - 1 == strlen(rs_find_which_name[k]) &&
                    strncmp(last + eq + 1, rs_find_which_name[k], n - eq - 1) == 0)
                    rs_find_set(options, name, k);
        }
        if (eq < n && rs_number_parse(last + eq + 1, n - eq - 1, &value))
            rs_find_set(options, name, value);
        last += n;
    }
}

void rs_report_recipe(const rs_session_setup *setup, rs_find_options *options)
{
    rs_find_defaults(options);
    if (setup->settings > 0) rs_find_unnamed(options);
    for (int i = 0; i < setup->settings; i++) {
        const char *text = setup->setting[i].value;
        double value;
        if (rs_number_parse(text, strlen(text), &value))
            rs_find_set(options, setup->setting[i].name, value);
    }
    for (int i = 0; i < setup->settings; i++)
        if (strcmp(setup->setting[i].name, "workflow") == 0)
            take_rules(setup->setting[i].value, options);
}

reshed_status rs_report_final_rows(rs_session *s, uint8_t *rows, reshed_error *err)
{
    const int n = rs_session_get_setup(s)->frame.rows;
    const reshed_status st = rs_session_read_states(s, 0, n, rows, err);
    for (int r = 0; st == RESHED_OK && r < n; r++) rows[r] = rows[r] == RS_SESSION_FINAL;
    return st;
}

static int find_metric(const rs_session_setup *s, const char *name)
{
    for (int k = 0; k < s->metrics; k++)
        if (strcmp(s->metric[k].name, name) == 0) return k;
    return -1;
}

static reshed_status no_metric(const rs_session_setup *s, const char *name, reshed_error *err)
{
    char list[512] = "";
    size_t n = 0;
    for (int k = 0; k < s->metrics && n < sizeof list - 64; k++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", k ? ", " : "", s->metric[k].name);
    return rs_fail(err, RESHED_EINVAL, "metric|one of %s|%s",
                   n ? list : "the loops, of which the session has none", name);
}

int rs_report_kind(const rs_session_point *p)
{
    return p->kind > RS_POINT_WALL && p->kind <= RS_WALL_CONTROLS ? p->kind : RS_POINT_WALL;
}

/* The value of metric m at point k. */
static reshed_status read_value(rs_session *s, int k, int m, int flags, rs_place *place, int *kind,
                                double *value, reshed_error *err)
{
    rs_session_point p;
    double metric[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = metric};
    reshed_status st = rs_session_read_points(s, k, 1, &p, err);
    if (st != RESHED_OK) return st;
    *place = (rs_place){p.row, p.col};
    *kind = rs_report_kind(&p);
    *value = NAN;
    if (p.state != RS_SESSION_MEASURED) return RESHED_OK;
    st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
    if (st != RESHED_OK) return st;
    if (flags < 0 || !rs_loop_flags_bad(metric[flags])) *value = metric[m];
    return RESHED_OK;
}

reshed_status rs_report_values(rs_session *s, const char *metric, int *n, rs_place **place,
                               int **kind, double **value, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(s);
    const int m = find_metric(setup, metric), flags = find_metric(setup, "flags");
    rs_session_progress progress;
    rs_place *at = NULL;
    double *v = NULL;
    int *kinds = NULL;
    if (m < 0) return no_metric(setup, metric, err);
    reshed_status st = rs_session_get_progress(s, &progress, err);
    if (st != RESHED_OK) return st;
    const size_t points = (size_t)progress.points;
    at = rs_alloc(points + 1, sizeof *at);
    v = rs_alloc(points + 1, sizeof *v);
    kinds = rs_alloc(points + 1, sizeof *kinds);
    if (!at || !v || !kinds) st = rs_fail_nomem(err, "values", points * sizeof *at);
    for (int k = 0; k < progress.points && st == RESHED_OK; k++)
        st = read_value(s, k, m, flags, &at[k], &kinds[k], &v[k], err);
    if (st == RESHED_OK) {
        *n = progress.points;
        *place = at;
        *kind = kinds;
        *value = v;
    } else {
        rs_free(at);
        rs_free(kinds);
        rs_free(v);
    }
    return st;
}
