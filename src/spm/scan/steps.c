#include "spm/scan/steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

static const char *const kinds[RS_STEP_KINDS] = {"survey", "rescan", "choose", "loops", "repeat"};
static const char *const untils[] = {"times", "calm"};
/* Settings that a choice may have of its own. */
static const char *const rules[RS_STEP_RULES] = {"threshold",    "thinning", "every", "min_wall",
                                                 "min_distance", "margin",   "order", "max_points"};

const char *rs_flow_step_name(rs_flow_step_kind kind)
{
    return kinds[kind];
}

void rs_flow_default(rs_flow *s)
{
    *s = (rs_flow){.n = 3};
    s->step[0].kind = RS_STEP_SURVEY;
    s->step[1].kind = RS_STEP_CHOOSE;
    s->step[1].control_distance = 6;
    s->step[2].kind = RS_STEP_LOOPS;
}

/* ---------------------------------------------------------------------------------------- a line */

/* NAME=VALUE of a step's line. */
typedef struct word {
    char name[24], value[40];
} word;

/* Cuts the next word out of *text; false at its end. Too long ones are cut, and match nothing. */
static bool next_word(const char **text, word *w)
{
    const char *s = *text + strspn(*text, " \t");
    const size_t n = strcspn(s, " \t"), eq = strcspn(s, "= \t");
    *text = s + n;
    snprintf(w->name, sizeof w->name, "%.*s", (int)(eq < 64 ? eq : 64), s);
    const size_t rest = eq < n ? n - eq - 1 : 0;
    snprintf(w->value, sizeof w->value, "%.*s", (int)(rest < 64 ? rest : 64),
             eq < n ? s + eq + 1 : "");
    return n > 0;
}

/* The number of a word in a list. */
static reshed_status find_word(const char *what, const char *text, const char *const *list, int n,
                               int *out, reshed_error *err)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, list[i]) == 0) {
            *out = i;
            return RESHED_OK;
        }
    char expected[160];
    return rs_fail(err, RESHED_EINVAL, "%s|%s|%s", what,
                   rs_text_expected(expected, sizeof expected, text, list, n), text);
}

static reshed_status whole(const char *what, const char *text, int lo, int hi, int *out,
                           reshed_error *err)
{
    double v;
    if (!rs_number_parse(text, strlen(text), &v) || !(v >= lo && v <= hi) || v != floor(v))
        return rs_fail(err, RESHED_EINVAL, "%s|a whole number from %d to %d|%s", what, lo, hi,
                       text);
    *out = (int)v;
    return RESHED_OK;
}

/* "40-80" */
static reshed_status parse_rows(const char *text, rs_flow_step *s, reshed_error *err)
{
    const char *dash = strchr(text, '-');
    double a = -1, b = -1;
    if (!dash || !rs_number_parse(text, (size_t)(dash - text), &a) ||
        !rs_number_parse(dash + 1, strlen(dash + 1), &b) || !(a >= 0 && b >= a && b < 16384) ||
        a != floor(a) || b != floor(b))
        return rs_fail(err, RESHED_EINVAL, "rows|FIRST-LAST, from 0|%s", text);
    s->first = (int)a;
    s->last = (int)b;
    return RESHED_OK;
}

static reshed_status parse_rule(const word *w, rs_flow_step *s, reshed_error *err)
{
    rs_scan_settings scratch;
    rs_scan_settings_defaults(&scratch);
    const reshed_status st = rs_scan_set(&scratch, w->name, w->value, err);
    if (st != RESHED_OK) return st;
    const rs_scan_field *f = rs_scan_field_find(w->name);
    s->rule[s->rules].field = f;
    s->rule[s->rules++].value = rs_scan_get(&scratch, f);
    return RESHED_OK;
}

static reshed_status parse_choose(const word *w, rs_flow_step *s, reshed_error *err)
{
    static const char *const own[] = {"walls", "a_domain", "c_domain", "control_distance"};
    const char *all[4 + RS_STEP_RULES];
    int k = 0, which = 0;
    memcpy(all, own, sizeof own);
    memcpy(all + 4, rules, sizeof rules);
    reshed_status st = find_word("word of a choice", w->name, all, 4 + RS_STEP_RULES, &which, err);
    if (st != RESHED_OK) return st;
    switch (which) {
    case 0:
        st = find_word("walls", w->value, rs_find_which_name, RS_FIND_WHICH, &k, err);
        if (st == RESHED_OK) s->walls = (rs_choose_walls)k;
        return st;
    case 1: return whole("a_domain", w->value, 0, 100000, &s->a_domain, err);
    case 2: return whole("c_domain", w->value, 0, 100000, &s->c_domain, err);
    case 3:
        if (rs_number_parse(w->value, strlen(w->value), &s->control_distance) &&
            s->control_distance >= 0 && s->control_distance <= 1e4)
            return RESHED_OK;
        return rs_fail(err, RESHED_EINVAL, "control_distance|0 to 10000 pixels|%s", w->value);
    default: return parse_rule(w, s, err);
    }
}

static reshed_status parse_repeat(const word *w, rs_flow_step *s, reshed_error *err)
{
    static const char *const own[] = {"steps", "until", "times"};
    int which = 0, k = 0;
    reshed_status st = find_word("word of a repeat", w->name, own, 3, &which, err);
    if (st != RESHED_OK) return st;
    if (which == 0) return whole("steps", w->value, 1, RS_STEPS_MAX - 1, &s->back, err);
    if (which == 2) return whole("times", w->value, 1, 1000, &s->times, err);
    st = find_word("until", w->value, untils, 2, &k, err);
    if (st == RESHED_OK) s->until = (rs_flow_step_until)k;
    return st;
}

static reshed_status parse_word(const word *w, rs_flow_step *s, reshed_error *err)
{
    static const char *const rows[] = {"rows"};
    int k = 0;
    reshed_status st;
    switch (s->kind) {
    case RS_STEP_RESCAN:
        st = find_word("word of a rescan", w->name, rows, 1, &k, err);
        return st == RESHED_OK ? parse_rows(w->value, s, err) : st;
    case RS_STEP_CHOOSE: return parse_choose(w, s, err);
    case RS_STEP_REPEAT: return parse_repeat(w, s, err);
    default: return rs_fail(err, RESHED_EINVAL, "%s|nothing after it|%s", kinds[s->kind], w->name);
    }
}

reshed_status rs_flow_step_parse(const char *text, rs_flow_step *out, reshed_error *err)
{
    rs_flow_step s = {.control_distance = 6, .first = -1};
    char seen[16][24];
    word w;
    int k = 0, n = 0;
    if (!next_word(&text, &w)) return rs_fail(err, RESHED_EINVAL, "step|survey ...|nothing");
    reshed_status st = find_word("step", w.name, kinds, RS_STEP_KINDS, &k, err);
    if (st == RESHED_OK && w.value[0])
        st = rs_fail(err, RESHED_EINVAL, "step|%s|%s=%s", w.name, w.name, w.value);
    s.kind = (rs_flow_step_kind)k;
    while (st == RESHED_OK && next_word(&text, &w)) {
        for (int i = 0; i < n; i++)
            if (strcmp(seen[i], w.name) == 0)
                return rs_fail(err, RESHED_EINVAL, "%s of a step|once|again", w.name);
        st = parse_word(&w, &s, err);
        if (st == RESHED_OK)
            memcpy(seen[n++], w.name, sizeof w.name); /* at most all words there are */
    }
    if (st == RESHED_OK && s.kind == RS_STEP_RESCAN && s.first < 0)
        st = rs_fail(err, RESHED_EINVAL, "rescan|rows=FIRST-LAST|none");
    if (st == RESHED_OK && s.kind == RS_STEP_REPEAT && (s.back == 0 || s.times == 0))
        st = rs_fail(err, RESHED_EINVAL, "repeat|steps=N and times=N|%s is missing",
                     s.back == 0 ? "steps" : "times");
    if (st == RESHED_OK) *out = s;
    return st;
}

const char *rs_flow_step_format(char buf[RS_STEP_TEXT], const rs_flow_step *s)
{
    char v[RS_NUMBER_TEXT];
    int n = snprintf(buf, RS_STEP_TEXT, "%s", kinds[s->kind]);
#define ADD(...) n += snprintf(buf + n, (size_t)(RS_STEP_TEXT - n), __VA_ARGS__)
    if (s->kind == RS_STEP_RESCAN) ADD(" rows=%d-%d", s->first, s->last);
    if (s->kind == RS_STEP_REPEAT)
        ADD(" steps=%d until=%s times=%d", s->back, untils[s->until], s->times);
    if (s->kind != RS_STEP_CHOOSE) return buf;
    if (s->walls) ADD(" walls=%s", rs_find_which_name[s->walls]);
    if (s->a_domain) ADD(" a_domain=%d", s->a_domain);
    if (s->c_domain) ADD(" c_domain=%d", s->c_domain);
    if (s->control_distance != 6)
        ADD(" control_distance=%s", rs_number_format(v, s->control_distance));
    for (int i = 0; i < s->rules && n < RS_STEP_TEXT - 40; i++)
        ADD(" %s=%s", s->rule[i].field->name, rs_number_format(v, s->rule[i].value));
#undef ADD
    return buf;
}

/* -------------------------------------------------------------------------------------- all steps */

const char *rs_flow_format(char buf[RS_STEPS_TEXT], const rs_flow *s)
{
    char one[RS_STEP_TEXT];
    size_t n = 0;
    buf[0] = '\0';
    for (int i = 0; i < s->n && n < RS_STEPS_TEXT; i++)
        n += (size_t)snprintf(buf + n, RS_STEPS_TEXT - n, "%s%s", i ? "; " : "",
                              rs_flow_step_format(one, &s->step[i]));
    return buf;
}

reshed_status rs_flow_parse(const char *text, rs_flow *out, reshed_error *err)
{
    rs_flow s = {0};
    char line[RS_STEP_TEXT];
    int at;
    reshed_status st = RESHED_OK;
    while (st == RESHED_OK && *text) {
        const size_t n = strcspn(text, ";");
        if (s.n == RS_STEPS_MAX || n >= sizeof line)
            return rs_fail(err, RESHED_EINVAL, "steps|at most %d short ones|more", RS_STEPS_MAX);
        memcpy(line, text, n);
        line[n] = '\0';
        st = rs_flow_step_parse(line, &s.step[s.n++], err);
        text += n + (text[n] == ';');
    }
    if (st == RESHED_OK) st = rs_flow_check(&s, &at, err);
    if (st == RESHED_OK) *out = s;
    return st;
}

reshed_status rs_flow_check(const rs_flow *s, int *at, reshed_error *err)
{
    char text[RS_STEPS_TEXT];
    bool chosen = false;
    *at = 0;
    if (s->n == 0 || s->step[0].kind != RS_STEP_SURVEY)
        return rs_fail(err, RESHED_EINVAL, "first step|survey|%s",
                       s->n ? kinds[s->step[0].kind] : "none");
    for (int i = 1; i < s->n; i++) {
        const rs_flow_step *t = &s->step[i];
        *at = i;
        if (t->kind == RS_STEP_SURVEY)
            return rs_fail(err, RESHED_EINVAL, "survey|the first step|step %d", i + 1);
        if (t->kind == RS_STEP_LOOPS && !chosen)
            return rs_fail(err, RESHED_EINVAL, "loops|choose before it|step %d", i + 1);
        chosen |= t->kind == RS_STEP_CHOOSE;
        if (t->kind != RS_STEP_REPEAT) continue;
        if (t->back >= i) /* the survey is not one of them */
            return rs_fail(err, RESHED_EINVAL, "steps to repeat|at most %d, those after survey|%d",
                           i - 1, t->back);
        for (int k = i - t->back; k < i; k++)
            if (s->step[k].kind == RS_STEP_REPEAT)
                return rs_fail(err, RESHED_EINVAL, "repeat|none within another|step %d", k + 1);
    }
    if (strlen(rs_flow_format(text, s)) + 1 >= RS_STEPS_TEXT)
        return rs_fail(err, RESHED_EINVAL, "steps|less than %d characters|more", RS_STEPS_TEXT);
    return RESHED_OK;
}

reshed_status rs_flow_check_frame(const rs_flow *s, int rows, reshed_error *err)
{
    for (int i = 0; i < s->n; i++) {
        const rs_flow_step *t = &s->step[i];
        if (t->kind == RS_STEP_RESCAN && t->last >= rows)
            return rs_fail(err, RESHED_EINVAL, "rows of step %d|0 to %d|%d-%d", i + 1, rows - 1,
                           t->first, t->last);
    }
    return RESHED_OK;
}

bool rs_flow_has_rule(const rs_flow *s, const char *setting)
{
    for (int i = 0; i < s->n; i++)
        for (int k = 0; k < s->step[i].rules; k++)
            if (strcmp(s->step[i].rule[k].field->name, setting) == 0) return true;
    return false;
}

void rs_flow_drop(rs_flow *s, const char *setting)
{
    for (int i = 0; i < s->n; i++) {
        rs_flow_step *t = &s->step[i];
        int kept = 0;
        for (int k = 0; k < t->rules; k++)
            if (strcmp(t->rule[k].field->name, setting) != 0) t->rule[kept++] = t->rule[k];
        t->rules = kept;
    }
}

const rs_flow_step *rs_flow_last_choose(const rs_flow *s)
{
    for (int i = s->n - 1; i >= 0; i--)
        if (s->step[i].kind == RS_STEP_CHOOSE) return &s->step[i];
    return NULL;
}

bool rs_flow_choose_once(const rs_flow *s)
{
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        n += s->step[i].kind == RS_STEP_CHOOSE;
        for (int k = i - s->step[i].back; s->step[i].kind == RS_STEP_REPEAT && k < i; k++)
            n += s->step[k].kind == RS_STEP_CHOOSE;
    }
    return n <= 1;
}

rs_scan_settings rs_flow_step_settings(const rs_scan_settings *run, const rs_flow_step *step)
{
    rs_scan_settings s = *run;
    for (int i = 0; i < step->rules; i++)
        memcpy((char *)&s + step->rule[i].field->offset, &step->rule[i].value, sizeof(double));
    return s;
}

/* ------------------------------------------------------------------------------------ the counter */

static void advance(const rs_flow *s, rs_flow_place *p, bool again)
{
    const rs_flow_step *t = &s->step[p->at];
    if (again) {
        p->at -= t->back;
        p->round++;
        return;
    }
    if (t->kind == RS_STEP_REPEAT) p->round = 1;
    p->at++;
}

void rs_flow_mark(const rs_flow *s, rs_flow_place *p, bool again, char *text, size_t room)
{
    const rs_flow_step *t = &s->step[p->at];
    if (again)
        snprintf(text, room, "step %d of %d: back to step %d, round %d", p->at + 1, s->n,
                 p->at + 1 - t->back, p->round + 1);
    else
        snprintf(text, room, "step %d of %d done: %s", p->at + 1, s->n, kinds[t->kind]);
    advance(s, p, again);
}

void rs_flow_take_mark(const rs_flow *s, rs_flow_place *p, const char *text)
{
    char done[64], back[64];
    if (p->at >= s->n) return;
    snprintf(done, sizeof done, "step %d of %d done: ", p->at + 1, s->n);
    snprintf(back, sizeof back, "step %d of %d: back to ", p->at + 1, s->n);
    if (strncmp(text, done, strlen(done)) == 0)
        advance(s, p, false);
    else if (s->step[p->at].kind == RS_STEP_REPEAT && strncmp(text, back, strlen(back)) == 0)
        advance(s, p, true);
}
