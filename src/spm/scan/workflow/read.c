#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "base/text.h"
#include "spm/scan/resume.h"
#include "spm/scan/workflow/workflow.h"

static const char *const sections[] = {"settings",   "defaults",   "limits",   "map",
                                       "regions",    "steps",      "waveform", "metadata",
                                       "instrument", "reshed-scan"};
static const char *const limits[] = {"max_bias", "max_drive", "max_speed", "max_step"};
enum {
    SETTINGS,
    DEFAULTS,
    LIMITS,
    MAP,
    REGIONS,
    STEPS,
    WAVEFORM,
    METADATA,
    INSTRUMENT,
    FORMAT,
    SECTIONS
};
enum { LIMIT_COUNT = sizeof limits / sizeof *limits };

typedef struct reader {
    rs_scan_plan *p;
    rs_workflow *w;
    const char *folder;
    int steps, wave_line; /* lines so far; of the waveform, 0: none */
    bool lame;            /* one of the steps could not be read */
    void (*complain)(void *ctx, const reshed_error *fault);
    void *ctx;
    reshed_status st; /* the first fault's */
    reshed_error first;
} reader;

/* Takes a fault note of the line, made of what is wrong with its value. */
static void fault(reader *r, const rs_ini_line *l, const reshed_error *why)
{
    reshed_error e = {0};
    char where[64] = "";
    const bool same = strcmp(why->what, l->name) == 0;
    if (l->line) snprintf(where, sizeof where, "line %d", l->line);
    rs_fail(&e, why->status, "[%s] %s%s%s|%s|%s|%s", l->section, l->name, same ? "" : ": ",
            same ? "" : why->what, why->expected, why->found, where);
    if (r->st == RESHED_OK || why->status == RESHED_ENOMEM) {
        r->st = why->status;
        r->first = e;
    }
    if (r->complain) r->complain(r->ctx, &e);
}

/* A name that the list does not have. */
static reshed_status unknown(const char *what, const char *name, const char *const *list, int n,
                             reshed_error *err)
{
    char expected[128];
    return rs_fail(err, RESHED_EINVAL, "%s|%s|%s", what,
                   rs_text_expected(expected, sizeof expected, name, list, n), name);
}

static int find(const char *name, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0) return i;
    return -1;
}

static void note_given(reader *r, const char *name)
{
    rs_workflow *w = r->w;
    if (find(name, w->given, w->givens) >= 0 || w->givens == RS_SCAN_TEXTS) return;
    w->given[w->givens++] = name;
    r->p->given = w->given;
    r->p->givens = w->givens;
}

/* A setting by its name, of those that are limits or of the others. */
static reshed_status read_setting(reader *r, const rs_ini_line *l, bool limit, bool given,
                                  reshed_error *err)
{
    const char *names[RS_SCAN_TEXTS];
    int fields, n = 0;
    const rs_scan_field *f = rs_scan_fields(&fields);
    for (int i = 0; i < fields; i++)
        if ((find(f[i].name, limits, LIMIT_COUNT) >= 0) == limit) names[n++] = f[i].name;
    const int k = find(l->name, names, n);
    if (k < 0 && rs_scan_field_find(l->name))
        return rs_fail(err, RESHED_EINVAL, "setting|in [%s]|in [%s]", limit ? "settings" : "limits",
                       l->section);
    if (k < 0) return unknown("setting", l->name, names, n, err);
    const reshed_status st = rs_scan_set(&r->p->settings, l->name, l->value, err);
    if (st == RESHED_OK && given) note_given(r, names[k]);
    return st;
}

static reshed_status read_word(const char *value, const char *const *words, int n, int *out,
                               reshed_error *err)
{
    const int k = find(value, words, n);
    if (k < 0) return unknown("word", value, words, n, err);
    *out = k;
    return RESHED_OK;
}

static reshed_status read_map(reader *r, const rs_ini_line *l, reshed_error *err)
{
    static const char *const names[] = {"weights", "norm", "front", "preview"};
    const int k = find(l->name, names, 4);
    int word = 0;
    reshed_status st = RESHED_OK;
    switch (k) {
    case 0: r->w->weights = l->value; return RESHED_OK;
    case 1: st = rs_scan_plan_set_norm(r->p, l->value, err); break;
    case 2:
        st = read_word(l->value, rs_scan_front_words, 2, &word, err);
        if (st == RESHED_OK) r->p->stream.front = (rs_front_kind)word;
        break;
    case 3:
        st = read_word(l->value, rs_scan_preview_words, 3, &word, err);
        if (st == RESHED_OK) r->p->stream.preview = (rs_preview)word;
        break;
    default: return unknown("key", l->name, names, 4, err);
    }
    if (st == RESHED_OK) note_given(r, names[k]);
    return st;
}

/* "2 = X,Y", "3 = X,Y", ... in order. */
static reshed_status read_region(reader *r, const rs_ini_line *l, reshed_error *err)
{
    rs_scan_plan *p = r->p;
    const char *comma = strchr(l->value, ',');
    double number, x, y;
    if (!rs_number_parse(l->name, strlen(l->name), &number) || number != p->regions + 2)
        return rs_fail(err, RESHED_EINVAL, "number of the region|%d|%s", p->regions + 2, l->name);
    if (p->regions == RS_SCAN_MAX_REGIONS)
        return rs_fail(err, RESHED_EINVAL, "regions|at most %d|more", RS_SCAN_MAX_REGIONS);
    if (!comma || !rs_number_parse(l->value, (size_t)(comma - l->value), &x) ||
        !rs_number_parse(comma + 1, strlen(comma + 1), &y) || !isfinite(x) || !isfinite(y))
        return rs_fail(err, RESHED_EINVAL, "centre|X,Y in metres|%s", l->value);
    p->region_x[p->regions] = x;
    p->region_y[p->regions++] = y;
    return RESHED_OK;
}

/* "1 = survey", ... in order. */
static reshed_status read_step(reader *r, const rs_ini_line *l, reshed_error *err)
{
    rs_flow *s = &r->p->steps;
    double number;
    int at;
    if (!rs_number_parse(l->name, strlen(l->name), &number) || number != r->steps + 1)
        return rs_fail(err, RESHED_EINVAL, "number of the step|%d|%s", r->steps + 1, l->name);
    if (r->steps == RS_STEPS_MAX)
        return rs_fail(err, RESHED_EINVAL, "steps|at most %d|more", RS_STEPS_MAX);
    rs_flow_step step = {0};
    reshed_status st = rs_flow_step_parse(l->value, &step, err);
    s->step[r->steps++] = step;
    s->n = r->steps;
    note_given(r, "workflow");
    r->lame |= st != RESHED_OK;
    return r->lame ? st : rs_flow_check(s, &at, err);
}

/* Numbers with blanks, commas or line ends in between; lines of a file that begin with # are left
 * out. */
static reshed_status parse_voltages(const char *text, size_t len, double **out, int *n,
                                    reshed_error *err)
{
    static const char between[] = " \t\r\n,";
    enum { MOST = 65536 };
    double *v = rs_alloc(MOST, sizeof *v);
    int k = 0;
    if (!v) return rs_fail_nomem(err, "voltages", MOST * sizeof *v);
    for (size_t i = 0; i < len;) {
        size_t end = i;
        while (end < len && !(text[end] && strchr(between, text[end]))) end++;
        if (text[i] == '#' && (i == 0 || text[i - 1] == '\n')) {
            while (i < len && text[i] != '\n') i++;
            continue;
        }
        if (end > i) {
            if (k == MOST || !rs_number_parse(text + i, end - i, &v[k++])) {
                const int shown = end - i < 40 ? (int)(end - i) : 40;
                rs_free(v);
                return rs_fail(err, RESHED_EINVAL, "voltages|at most %d numbers|%.*s as the %d.",
                               MOST, shown, text + i, k);
            }
        }
        i = end + 1;
    }
    *out = v;
    *n = k;
    return RESHED_OK;
}

/* The bytes of a file in the folder, unless its path is a whole one. */
static reshed_status read_beside(const char *folder, const char *name, uint8_t **data, size_t *len,
                                 reshed_error *err)
{
    char path[4096];
    const bool whole = name[0] == '/' || !*folder;
    const int k =
        snprintf(path, sizeof path, "%s%s%s", whole ? "" : folder, whole ? "" : "/", name);
    if (k < 0 || (size_t)k >= sizeof path)
        return rs_fail(err, RESHED_EINVAL, "path|at most %zu bytes|more", sizeof path - 1);
    return rs_os_read_file(path, RS_INI_BYTES, data, len, err);
}

static reshed_status read_waveform(reader *r, const rs_ini_line *l, reshed_error *err)
{
    static const char *const names[] = {"voltages", "file"};
    const int k = find(l->name, names, 2);
    uint8_t *data = NULL;
    size_t len = strlen(l->value);
    int n = 0;
    if (k < 0) return unknown("key", l->name, names, 2, err);
    if (r->wave_line)
        return rs_fail(err, RESHED_EINVAL, "waveform|voltages or file|both, the other in line %d",
                       r->wave_line);
    r->wave_line = l->line;
    if (k == 1 && !r->folder) return rs_fail(err, RESHED_EINVAL, "waveform|voltages|a file");
    reshed_status st = k ? read_beside(r->folder, l->value, &data, &len, err) : RESHED_OK;
    if (st == RESHED_OK)
        st = parse_voltages(k ? (const char *)data : l->value, len, &r->w->voltage, &n, err);
    rs_free(data);
    if (st == RESHED_OK) st = rs_scan_set_list(&r->p->settings, r->w->voltage, n, err);
    if (st == RESHED_OK) note_given(r, "shape");
    return st;
}

static reshed_status read_metadata(reader *r, const rs_ini_line *l, reshed_error *err)
{
    static const char *const names[] = {"sample", "operator"};
    const int k = find(l->name, names, 2);
    if (k < 0) return unknown("key", l->name, names, 2, err);
    if (strlen(l->value) > 4000)
        return rs_fail(err, RESHED_EINVAL, "text|at most 4000 bytes|%zu", strlen(l->value));
    *(k ? &r->p->operator_name : &r->p->sample) = l->value;
    return RESHED_OK;
}

static reshed_status read_instrument(reader *r, const rs_ini_line *l, reshed_error *err)
{
    static const char *const names[] = {"driver", "option.NAME"};
    static const char prefix[] = "option.";
    rs_workflow *w = r->w;
    const size_t n = sizeof prefix - 1;
    if (strcmp(l->name, "driver") == 0) {
        w->driver = l->value;
        return RESHED_OK;
    }
    if (strncmp(l->name, prefix, n) != 0 || !l->name[n])
        return unknown("key", l->name, names, 2, err);
    if (w->options == RS_WORKFLOW_OPTIONS)
        return rs_fail(err, RESHED_EINVAL, "options|at most %d|more", RS_WORKFLOW_OPTIONS);
    w->option[w->options++] = (rs_driver_option){l->name + n, l->value};
    return RESHED_OK;
}

static reshed_status read_format(const rs_ini_line *l, reshed_error *err)
{
    static const char *const names[] = {"format", "program"};
    const int k = find(l->name, names, 2);
    if (k < 0) return unknown("key", l->name, names, 2, err);
    if (k == 0 && strcmp(l->value, "1") != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "format|1|%s", l->value);
    return RESHED_OK;
}

static reshed_status read_line(reader *r, const rs_ini_line *l, reshed_error *err)
{
    switch (find(l->section, sections, SECTIONS)) {
    case SETTINGS: return read_setting(r, l, false, true, err);
    case DEFAULTS: return read_setting(r, l, false, false, err);
    case LIMITS: return read_setting(r, l, true, true, err);
    case MAP: return read_map(r, l, err);
    case REGIONS: return read_region(r, l, err);
    case STEPS: return read_step(r, l, err);
    case WAVEFORM: return RESHED_OK; /* before the others: they may be typed over what it says */
    case METADATA: return read_metadata(r, l, err);
    case INSTRUMENT: return read_instrument(r, l, err);
    case FORMAT: return read_format(l, err);
    default: return unknown("section", l->section, sections, SECTIONS, err);
    }
}

/* What lines say of each other. */
static void check_together(reader *r)
{
    const rs_scan_settings *s = &r->p->settings;
    rs_ini_line l = {"settings", "rows", "", 0};
    reshed_error why = {0};
    if ((int)s->shape == RS_SCAN_LIST && s->listed == 0) {
        l.name = "shape";
        rs_fail(&why, RESHED_EINVAL, "shape|[waveform] voltages or file|none");
        fault(r, &l, &why);
    }
    if ((int)s->shape == RS_SCAN_LIST && s->listed > 0 &&
        (int)s->steps * (int)s->cycles != s->listed) {
        l.name = "steps";
        rs_fail(&why, RESHED_EINVAL, "steps times cycles|%d, as the voltages have it|%g x %g",
                s->listed, s->steps, s->cycles);
        fault(r, &l, &why);
    }
    if ((int)s->shape != RS_SCAN_LIST && s->voltage > 0 && (int)s->steps % 4) {
        l.name = "steps";
        rs_fail(&why, RESHED_EINVAL, "steps|a multiple of 4|%g", s->steps);
        fault(r, &l, &why);
    }
    l.section = "steps";
    l.name = "rescan";
    if (rs_scan_plan_given(r->p, "rows") &&
        rs_flow_check_frame(&r->p->steps, (int)s->rows, &why) != RESHED_OK)
        fault(r, &l, &why);
}

reshed_status rs_workflow_parse(const char *text, size_t n, const char *folder, rs_scan_plan *p,
                                rs_workflow *w,
                                void (*complain)(void *ctx, const reshed_error *fault), void *ctx,
                                reshed_error *err)
{
    reader r = {.p = p, .w = w, .folder = folder, .complain = complain, .ctx = ctx};
    *w = (rs_workflow){0};
    const reshed_status st = rs_ini_parse(text, n, &w->lines, err);
    if (st != RESHED_OK) {
        if (complain && err) complain(ctx, err);
        return st;
    }
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < w->lines.n; i++) {
            const rs_ini_line *l = &w->lines.at[i];
            reshed_error why = {0};
            const bool wave = strcmp(l->section, sections[WAVEFORM]) == 0;
            if (wave != (pass == 0)) continue;
            if ((wave ? read_waveform(&r, l, &why) : read_line(&r, l, &why)) != RESHED_OK)
                fault(&r, l, &why);
        }
    if (r.st == RESHED_OK) check_together(&r);
    if (r.st != RESHED_OK && err) *err = r.first;
    return r.st;
}

reshed_status rs_workflow_read(const char *path, rs_scan_plan *p, rs_workflow *w,
                               void (*complain)(void *ctx, const reshed_error *fault), void *ctx,
                               reshed_error *err)
{
    char folder[4096];
    uint8_t *data = NULL;
    size_t n = 0;
    *w = (rs_workflow){0};
    const size_t path_n = (size_t)(rs_path_name(path) - path);
    if (path_n >= sizeof folder)
        return rs_fail(err, RESHED_EINVAL, "path|at most %zu bytes|%zu", sizeof folder - 1, path_n);
    memcpy(folder, path, path_n);
    folder[path_n > 1 ? path_n - 1 : path_n] = '\0';
    reshed_status st = rs_os_read_file(path, RS_INI_BYTES, &data, &n, err);
    if (st == RESHED_OK)
        st = rs_workflow_parse((const char *)data, n, folder, p, w, complain, ctx, err);
    else if (complain && err)
        complain(ctx, err);
    rs_free(data);
    return st;
}

void rs_workflow_clear(rs_workflow *w)
{
    rs_ini_clear(&w->lines);
    rs_free(w->voltage);
    *w = (rs_workflow){0};
}

reshed_status rs_workflow_check_driver(const rs_workflow *w, const rs_scan_plan *p,
                                       reshed_error *err)
{
    const rs_session_setup says = {.driver = w->driver ? w->driver : p->driver,
                                   .driver_option = w->option,
                                   .driver_options = w->options};
    if (!w->driver && w->options == 0) return RESHED_OK;
    char want[RS_SCAN_DRIVER_TEXT], have[RS_SCAN_DRIVER_TEXT];
    if (!p->driver || rs_scan_resume_check_driver(p, &says, NULL) != RESHED_OK) {
        rs_scan_driver_text(says.driver ? says.driver : "", w->option, w->options, want);
        return rs_fail(err, RESHED_EINVAL,
                       "[instrument], which is not used but has to be typed|%s|%s", want,
                       p->driver ? rs_scan_driver_text(p->driver, p->option, p->options, have)
                                 : "no --driver");
    }
    return RESHED_OK;
}
