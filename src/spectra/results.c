#include "spectra/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/csv.h"
#include "io/nsid/write.h"

bool rs_metric_choose(const char *list, rs_metric_choice *choice, char *bad, size_t n)
{
    memset(choice, 0, sizeof *choice);
    for (const char *s = list; *s;) {
        size_t len = strcspn(s, ",");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)(len < 63 ? len : 63), s);
        int m = rs_metric_find(word);
        bool all = strcmp(word, "all") == 0, summary = strcmp(word, "summary") == 0;
        for (int k = 0; k < RS_METRIC_COUNT; k++)
            if (all || (summary && rs_metric_get(k)->in_summary) || k == m)
                choice->chosen[k] = true;
        if (m < 0 && !all && !summary) {
            snprintf(bad, n, "%s", word);
            return false;
        }
        s += len + (s[len] == ',');
    }
    return true;
}

/* ------------------------------------------------------------------------------------ NSID maps */
/* The file and the group that one field's maps are written to. */
typedef struct output {
    rs_nsid_writer *w;
    const rs_responses *in;
    const rs_field_loops *r;
    const char *group;
} output;

static const char *map_type(const rs_nsid_data *d)
{
    bool spectral = d->ndim > 0 && strcmp(d->dim[d->ndim - 1].type, "SPECTRAL") == 0;
    if (d->ndim == 1) return spectral ? "SPECTRUM" : "LINE_PLOT";
    if (d->ndim == 2) return spectral ? "LINE_PLOT_FAMILY" : "IMAGE";
    if (d->ndim == 3) return spectral ? "SPECTRAL_IMAGE" : "IMAGE_STACK";
    return "IMAGE_4D";
}

/* A dataset over the first `axes` point axes (all: in->ndim), then an optional last axis. */
static reshed_status add(const output *o, const char *name, const char *title, const char *units,
                         double *data, bool points, const rs_nsid_dim *last, char *path, size_t n,
                         reshed_error *err)
{
    rs_nsid_data d = {.data = data};
    rs_text_copy(d.name, sizeof d.name, name);
    rs_text_copy(d.title, sizeof d.title, title);
    rs_text_copy(d.quantity, sizeof d.quantity, title);
    rs_text_copy(d.units, sizeof d.units, strcmp(units, "1") == 0 ? "a.u." : units);
    strcpy(d.modality, "band excitation");
    strcpy(d.source, "reshed-beps loops");
    for (int i = 0; points && i < o->in->ndim; i++) d.dim[d.ndim++] = o->in->dim[i];
    if (last) {
        if (d.ndim == RS_NSID_MAX_DIMS)
            return rs_fail(err, RESHED_EUNSUPPORTED, "axes of '%s'|at most %d|%d", name,
                           RS_NSID_MAX_DIMS, d.ndim + 1);
        d.dim[d.ndim++] = *last;
    }
    rs_text_copy(d.data_type, sizeof d.data_type, map_type(&d));
    return rs_nsid_add(o->w, o->group, &d, RS_NSID_F64, path, n, err);
}

static reshed_status describe(const output *o, const char *path, rs_metric m, const char *extra,
                              reshed_error *err)
{
    const rs_metric_info *info = rs_metric_get(m);
    char unit[64];
    const struct {
        const char *name, *text;
    } texts[] = {{"metric_id", info->id},
                 {"method", info->method},
                 {"definition", info->description},
                 {"definition_source", info->source},
                 {"metric_unit", rs_metric_unit(m, o->in->units, unit, sizeof unit)},
                 {"statistic", extra}};
    reshed_status st = RESHED_OK;
    for (size_t i = 0; st == RESHED_OK && i < sizeof texts / sizeof *texts; i++)
        st = rs_nsid_set_text(o->w, path, texts[i].name, texts[i].text, err);
    return st;
}

/* The axis of the cycles. */
static rs_nsid_dim cycle_axis(const rs_loops *l)
{
    rs_nsid_dim d = {.name = "Cycle", .quantity = "Cycle", .units = "a.u.", .n = l->cycles};
    strcpy(d.type, "CHANNEL");
    return d;
}

static reshed_status add_metric(const output *o, rs_metric m, double *scratch, reshed_error *err)
{
    const rs_loops *l = &o->r->loops;
    const rs_metric_info *info = rs_metric_get(m);
    size_t points = (size_t)l->points;
    char unit[64], name[96], path[256];
    const struct {
        const double *maps;
        const char *suffix, *statistic;
    } kinds[] = {{l->value, "", l->used > 1 ? "mean over the cycles" : "value"},
                 {l->spread, "_spread", "standard deviation over the cycles"},
                 {l->error, "_error", "standard error by bootstrap"}};
    const char *value = l->apart ? "value of the widest cycle" : kinds[0].statistic;
    rs_metric_unit(m, o->in->units, unit, sizeof unit);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (!kinds[k].maps) continue;
        memcpy(scratch, kinds[k].maps + (size_t)m * points, points * sizeof *scratch);
        snprintf(name, sizeof name, "%s%s", info->id, kinds[k].suffix);
        reshed_status st =
            add(o, name, info->name, unit, scratch, true, NULL, path, sizeof path, err);
        if (st == RESHED_OK) st = describe(o, path, m, k ? kinds[k].statistic : value, err);
        if (st != RESHED_OK) return st;
    }
    if (!l->cycle_value || o->in->ndim == RS_NSID_MAX_DIMS) return RESHED_OK;
    for (size_t p = 0; p < points; p++)
        for (int c = 0; c < l->cycles; c++)
            scratch[p * (size_t)l->cycles + (size_t)c] =
                l->cycle_value[((size_t)c * RS_METRIC_COUNT + (size_t)m) * points + p];
    rs_nsid_dim cycles = cycle_axis(l);
    snprintf(name, sizeof name, "%s_cycles", info->id);
    reshed_status st =
        add(o, name, info->name, unit, scratch, true, &cycles, path, sizeof path, err);
    return st == RESHED_OK ? describe(o, path, m, "value of each cycle", err) : st;
}

static reshed_status add_flags(const output *o, double *scratch, reshed_error *err)
{
    char legend[512] = "", path[256];
    size_t used = 0;
    for (int64_t p = 0; p < o->r->loops.points; p++) scratch[p] = o->r->loops.flags[p];
    for (int k = 0; k < RS_LOOP_FLAGS && used < sizeof legend; k++)
        used += (size_t)snprintf(legend + used, sizeof legend - used, "%s%u: %s", k ? "; " : "",
                                 1u << k, rs_loop_flag_name(k));
    reshed_status st = add(o, "flags", "Flags", "1", scratch, true, NULL, path, sizeof path, err);
    if (st == RESHED_OK) st = rs_nsid_set_text(o->w, path, "flags", legend, err);
    if (st == RESHED_OK) st = rs_nsid_set_number(o->w, path, "untrusted_mask", RS_LOOP_BAD, err);
    if (st != RESHED_OK) return st;
    memcpy(scratch, o->r->loops.z, (size_t)o->r->loops.points * sizeof *scratch);
    return add(o, "outlier_z", "Largest robust z in the map", "1", scratch, true, NULL, NULL, 0,
               err);
}

/* Responses as they were analysed (signs included), and the average loops. */
static reshed_status add_loops(const output *o, double *scratch, reshed_error *err)
{
    const rs_loops *l = &o->r->loops;
    size_t per = (size_t)o->in->steps * (size_t)o->in->cycles, points = (size_t)l->points;
    rs_nsid_dim v = {.name = "Voltage", .quantity = "Bias", .units = "V", .n = (int64_t)per};
    strcpy(v.type, "SPECTRAL");
    v.values = o->in->v;
    reshed_status st = RESHED_OK;
    for (size_t i = 0; i < points * per; i++)
        scratch[i] = o->r->unfolded.response[i] * l->sign[i / (size_t)o->in->steps];
    if (o->in->ndim < RS_NSID_MAX_DIMS)
        st = add(o, "response", "Piezoresponse", o->in->units, scratch, true, &v, NULL, 0, err);
    const struct {
        const char *name, *title;
        double *data;
    } averages[] = {{"median_loop", "Median of all loops", o->r->median},
                    {"mean_loop", "Mean of the trusted loops", o->r->mean}};
    for (int k = 0; st == RESHED_OK && k < 2; k++)
        st = add(o, averages[k].name, averages[k].title, o->in->units, averages[k].data, false, &v,
                 NULL, 0, err);
    return st;
}

static reshed_status add_unfolding(const output *o, double *scratch, reshed_error *err)
{
    static const char *const names[] = {"unfold_angle", "unfold_offset", "unfold_ratio"};
    static const char *const titles[] = {"Phase of the response", "Offset of the response",
                                         "Spread across over along the response"};
    size_t points = (size_t)o->r->loops.points, cycles = (size_t)o->in->cycles;
    if (!o->r->unfolded.line) return RESHED_OK;
    for (int k = 0; k < 3; k++) {
        for (size_t p = 0; p < points; p++) {
            const rs_unfold *u = &o->r->unfolded.line[p * cycles];
            scratch[p] = k == 0 ? u->angle : k == 1 ? u->offset : u->ratio;
        }
        const char *unit = k == 0 ? "rad" : k == 1 ? o->in->units : "1";
        reshed_status st = add(o, names[k], titles[k], unit, scratch, true, NULL, NULL, 0, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

static reshed_status add_difference(const output *o, reshed_error *err)
{
    char unit[64];
    if (!o->r->difference_slope) return RESHED_OK;
    snprintf(unit, sizeof unit, "%s/V", o->in->units);
    reshed_status st = add(o, "difference_slope", "Slope of on-field minus off-field", unit,
                           o->r->difference_slope, true, NULL, NULL, 0, err);
    if (st == RESHED_OK)
        st = add(o, "difference_cpd", "Voltage where on-field equals off-field", "V",
                 o->r->difference_cpd, true, NULL, NULL, 0, err);
    if (st == RESHED_OK)
        st = add(o, "difference_r2", "R2 of on-field minus off-field", "1", o->r->difference_r2,
                 true, NULL, NULL, 0, err);
    return st;
}

static reshed_status write_method(const output *o, const char *input, const rs_loops_options *opt,
                                  reshed_error *err)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"program", "reshed-beps loops " RESHED_VERSION},
                 {"input_file", input},
                 {"input_dataset", o->in->path},
                 {"field", rs_field_name(o->r->field)},
                 {"unfolding", o->r->unfolded.how}};
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"steps", o->in->steps},
                   {"cycles", o->in->cycles},
                   {"cycles_used", o->r->loops.used},
                   {"first_cycle_used", o->r->loops.first},
                   {"cycles_have_own_voltages", o->r->loops.apart},
                   {"reference_angle", o->r->unfolded.reference},
                   {"turned_by_area", o->r->orient},
                   {"spikes_kept", opt->keep_spikes},
                   {"slope_removed", o->r->slope_removed},
                   {"saturated_fraction", opt->metric.sat_fraction},
                   {"nucleation_threshold", opt->metric.nucleation},
                   {"onset_slope", opt->metric.onset_slope},
                   {"outlier_z_limit", opt->outlier},
                   {"bootstrap_samples", opt->bootstrap},
                   {"bootstrap_seed", (double)opt->seed}};
    reshed_status st = RESHED_OK;
    for (size_t i = 0; st == RESHED_OK && i < sizeof texts / sizeof *texts; i++)
        st = rs_nsid_set_text(o->w, o->group, texts[i].name, texts[i].text, err);
    for (size_t i = 0; st == RESHED_OK && i < sizeof numbers / sizeof *numbers; i++)
        if (isfinite(numbers[i].value))
            st = rs_nsid_set_number(o->w, o->group, numbers[i].name, numbers[i].value, err);
    return st;
}

reshed_status rs_results_write_h5(const char *path, const char *input, const rs_responses *in,
                                  const rs_loops_options *options, const rs_field_loops *r, int n,
                                  const rs_metric_choice *choice, reshed_error *err)
{
    output o = {.in = in};
    size_t points = (size_t)in->points, per = (size_t)in->steps * (size_t)in->cycles;
    double *scratch = rs_alloc(points * per, sizeof *scratch);
    if (!scratch) return rs_fail_nomem(err, "a map", points * per * sizeof *scratch);
    reshed_status st = rs_nsid_create(path, RS_NSID_ATOMIC, &o.w, err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        o.r = &r[i];
        o.group = r[i].field == RS_FIELD_ON ? "/Measurement_000/Loops_On_Field"
                                            : "/Measurement_000/Loops";
        for (int m = 0; st == RESHED_OK && m < RS_METRIC_COUNT; m++)
            if (choice->chosen[m]) st = add_metric(&o, m, scratch, err);
        if (st == RESHED_OK) st = add_flags(&o, scratch, err);
        if (st == RESHED_OK) st = add_loops(&o, scratch, err);
        if (st == RESHED_OK) st = add_unfolding(&o, scratch, err);
        if (st == RESHED_OK) st = add_difference(&o, err);
        if (st == RESHED_OK) st = write_method(&o, input, options, err);
    }
    st = rs_nsid_finish(o.w, st, err);
    rs_free(scratch);
    return st;
}

/* ------------------------------------------------------------------------------------------ CSV */
static void csv_heading(rs_csv *c, const rs_responses *in, const rs_field_loops *r, int n,
                        const rs_metric_choice *choice)
{
    char unit[64], name[96];
    rs_csv_heading(c, "point", "");
    for (int i = 0; in->ndim > 1 && i < in->ndim; i++) {
        snprintf(name, sizeof name, "index_%s", in->dim[i].name);
        rs_csv_heading(c, name, "");
    }
    if (in->x) {
        rs_csv_heading(c, "x", in->position_units);
        rs_csv_heading(c, "y", in->position_units);
    }
    if (in->row) {
        rs_csv_heading(c, "row", "px");
        rs_csv_heading(c, "col", "px");
        rs_csv_heading(c, "wall", "");
        rs_csv_heading(c, "kind", "");
    }
    if (n > 1) rs_csv_heading(c, "field", "");
    if (r->loops.apart) {
        rs_csv_heading(c, "cycle", "");
        rs_csv_heading(c, "v_min", "V");
        rs_csv_heading(c, "v_max", "V");
    }
    rs_csv_heading(c, "trusted", "");
    rs_csv_heading(c, "flags", "");
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        if (!choice->chosen[m]) continue;
        const char *id = rs_metric_get(m)->id;
        rs_metric_unit(m, in->units, unit, sizeof unit);
        const char *shown = strcmp(unit, "1") == 0 ? "" : unit;
        rs_csv_heading(c, id, shown);
        for (int k = 0; k < 2; k++) {
            if (!(k ? r->loops.error : r->loops.spread)) continue;
            snprintf(name, sizeof name, "%s_%s", id, k ? "error" : "spread");
            rs_csv_heading(c, name, shown);
        }
    }
    rs_csv_end_row(c);
}

static void csv_cycle(rs_csv *c, const rs_responses *in, int cycle)
{
    const double *v = in->v + (size_t)cycle * (size_t)in->steps;
    double low = v[0], high = v[0];
    for (int i = 1; i < in->steps; i++) {
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    rs_csv_integer(c, cycle);
    rs_csv_number(c, low);
    rs_csv_number(c, high);
}

/* The words of reshed-walls' tables, by which it tells control points. */
static const char *point_kind(double kind)
{
    return kind == 1 ? "a-domain" : kind == 2 ? "c-domain" : kind == 3 ? "180-wall" : "wall";
}

/* cycle: -1 for what stands for all of them. */
static void csv_row(rs_csv *c, const rs_responses *in, const rs_field_loops *r, int n, int64_t p,
                    int cycle, const rs_metric_choice *choice)
{
    char words[160];
    int64_t index[RS_NSID_MAX_DIMS], left = p;
    const rs_loops *l = &r->loops;
    for (int i = in->ndim - 1; i >= 0; i--) {
        index[i] = left % in->dim[i].n;
        left /= in->dim[i].n;
    }
    rs_csv_integer(c, p);
    for (int i = 0; in->ndim > 1 && i < in->ndim; i++) rs_csv_integer(c, index[i]);
    if (in->x) {
        rs_csv_number(c, in->x[p]);
        rs_csv_number(c, in->y[p]);
    }
    if (in->row) {
        rs_csv_number(c, in->row[p]);
        rs_csv_number(c, in->col[p]);
        rs_csv_number(c, in->wall[p]);
        rs_csv_text(c, point_kind(in->kind[p]));
    }
    if (n > 1) rs_csv_text(c, rs_field_name(r->field));
    if (cycle >= 0) csv_cycle(c, in, cycle);
    const uint32_t flags = cycle < 0 ? l->flags[p] : l->cycle_flags[cycle * l->points + p];
    rs_csv_integer(c, !(flags & RS_LOOP_BAD));
    rs_csv_text(c, rs_loop_flag_words(flags, words, sizeof words));
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        if (!choice->chosen[m]) continue;
        size_t at = (size_t)m * (size_t)l->points + (size_t)p;
        const double *one =
            cycle < 0 ? l->value
                      : l->cycle_value + (size_t)cycle * RS_METRIC_COUNT * (size_t)l->points;
        rs_csv_number(c, one[at]);
        if (l->spread) rs_csv_number(c, l->spread[at]);
        if (l->error) rs_csv_number(c, l->error[at]);
    }
    rs_csv_end_row(c);
}

reshed_status rs_results_write_csv(const char *path, const rs_responses *in,
                                   const rs_field_loops *r, int n, const rs_metric_choice *choice,
                                   reshed_error *err)
{
    rs_csv c = {0};
    csv_heading(&c, in, r, n, choice);
    for (int64_t p = 0; p < in->points; p++)
        for (int i = 0; i < n; i++)
            for (int k = r[i].loops.apart ? 0 : -1; k < (r[i].loops.apart ? in->cycles : 0); k++)
                csv_row(&c, in, &r[i], n, p, k, choice);
    reshed_status st = rs_csv_save(&c, path, err);
    rs_csv_clear(&c);
    return st;
}
