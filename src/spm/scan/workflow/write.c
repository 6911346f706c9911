#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "spm/scan/workflow/workflow.h"

/* A value is continued in the next line from here on. */
enum { WIDE = 100 };

typedef struct text {
    char *s;
    size_t n, room;
    bool failed;
} text;

static void add(text *t, const char *s, size_t n)
{
    if (t->failed) return;
    if (t->n + n + 1 > t->room) {
        const size_t room = 2 * (t->n + n + 1);
        char *more = rs_regrow(t->s, t->room, room, 1);
        if (!more) {
            t->failed = true;
            return;
        }
        t->s = more;
        t->room = room;
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

static void put(text *t, const char *s)
{
    add(t, s, strlen(s));
}

static void section(text *t, const char *name, const char *comment)
{
    put(t, "\n[");
    put(t, name);
    put(t, "]");
    if (*comment) put(t, " ; ");
    put(t, comment);
    put(t, "\n");
}

/* NAME = VALUE. Bytes that would be lost or mean something else become \xNN, a long value several
 * lines: none of them begins or ends with a blank. */
static void line(text *t, const char *name, const char *value)
{
    size_t width = 0;
    put(t, name);
    put(t, " = ");
    for (const char *s = value; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        char code[8];
        if (width >= WIDE && (c & 0xc0) != 0x80) { /* not within a character */
            put(t, "\\\n    ");
            width = 0;
        }
        const bool edge = width == 0 || width >= WIDE - 1 || !s[1];
        if (c == '\\')
            snprintf(code, sizeof code, "\\\\");
        else if (c < 0x20 || c == 0x7f || c == ';' || ((c == ' ' || c == '#') && edge))
            snprintf(code, sizeof code, "\\x%02x", c);
        else
            snprintf(code, sizeof code, "%c", c);
        put(t, code);
        width += strlen(code);
    }
    put(t, "\n");
}

static bool is_limit(const rs_scan_field *f)
{
    return strncmp(f->name, "max_", 4) == 0 && strcmp(f->name, "max_points") != 0;
}

static void setting(text *t, const rs_scan_settings *s, const rs_scan_field *f)
{
    char number[RS_NUMBER_TEXT];
    const double v = rs_scan_get(s, f);
    const char *word = rs_scan_word(f, v);
    line(t, f->name, word ? word : rs_number_format(number, v));
}

/* Settings that were asked for, or those that were not. */
static void settings(text *t, const rs_scan_plan *p, bool given, bool limits)
{
    int n;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (int i = 0; i < n; i++) {
        if (is_limit(&f[i]) != limits || rs_scan_plan_given(p, f[i].name) != given) continue;
        setting(t, &p->settings, &f[i]);
    }
}

static void waveform(text *t, const rs_scan_settings *s)
{
    char number[RS_NUMBER_TEXT];
    text list = {0};
    if ((int)s->shape != RS_SCAN_LIST || s->listed == 0) return;
    for (int i = 0; i < s->listed; i++) {
        if (i) put(&list, ", ");
        put(&list, rs_number_format(number, s->list[i]));
    }
    section(t, "waveform", "V");
    t->failed |= list.failed;
    if (!list.failed) line(t, "voltages", list.s);
    rs_free(list.s);
}

static void regions(text *t, const rs_scan_plan *p)
{
    if (p->regions == 0) return;
    section(t, "regions", "m");
    for (int i = 0; i < p->regions; i++) {
        char x[RS_NUMBER_TEXT], y[RS_NUMBER_TEXT], number[16], xy[2 * RS_NUMBER_TEXT + 2];
        snprintf(number, sizeof number, "%d", i + 2);
        snprintf(xy, sizeof xy, "%s,%s", rs_number_format(x, p->region_x[i]),
                 rs_number_format(y, p->region_y[i]));
        line(t, number, xy);
    }
}

static void steps(text *t, const rs_flow *s)
{
    section(t, "steps", "");
    for (int i = 0; i < s->n; i++) {
        char number[16], one[RS_STEP_TEXT];
        snprintf(number, sizeof number, "%d", i + 1);
        line(t, number, rs_flow_step_format(one, &s->step[i]));
    }
}

static void instrument(text *t, const rs_scan_plan *p)
{
    if (!p->driver) return;
    section(t, "instrument", "has to be typed again: only compared");
    line(t, "driver", p->driver);
    for (int i = 0; i < p->options; i++) {
        char name[80];
        bool last = true;
        for (int k = i + 1; k < p->options; k++)
            last &= strcmp(p->option[k].name, p->option[i].name) != 0;
        snprintf(name, sizeof name, "option.%.60s", p->option[i].name);
        if (last) line(t, name, p->option[i].value);
    }
}

reshed_status rs_workflow_text(const rs_scan_plan *p, const char *weights, char **out,
                               reshed_error *err)
{
    text t = {0};
    put(&t, "# A workflow of reshed-scan: --workflow FILE does this, docs/scan.md says what is "
            "what.\n");
    section(&t, "reshed-scan", "");
    line(&t, "format", "1");
    if (p->program) line(&t, "program", p->program);
    instrument(&t, p);
    section(&t, "settings", "asked for");
    settings(&t, p, true, false);
    section(&t, "defaults", "not asked for: the instrument's own frame comes before these");
    settings(&t, p, false, false);
    section(&t, "limits", "beside the instrument's own; 0: none");
    settings(&t, p, true, true);
    waveform(&t, &p->settings);
    section(&t, "map", "");
    if (weights) line(&t, "weights", weights);
    line(&t, "norm", p->norm);
    line(&t, "front", rs_scan_front_words[p->stream.front]);
    line(&t, "preview", rs_scan_preview_words[p->stream.preview]);
    regions(&t, p);
    steps(&t, &p->steps);
    if (p->sample || p->operator_name) section(&t, "metadata", "");
    if (p->sample) line(&t, "sample", p->sample);
    if (p->operator_name) line(&t, "operator", p->operator_name);
    if (t.failed) {
        rs_free(t.s);
        return rs_fail_nomem(err, "a workflow", t.room);
    }
    *out = t.s;
    return RESHED_OK;
}
