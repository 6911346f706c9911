#include "live/action.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

/* The edits of the points follow the others. */
static const struct {
    const char *action, *edit;
    rs_order_kind kind;
} words[] = {{"pause", NULL, RS_ORDER_PAUSE},     {"go_on", NULL, RS_ORDER_GO_ON},
             {"stop", NULL, RS_ORDER_STOP},       {"rescan_from", NULL, RS_ORDER_RESCAN},
             {"confirm", NULL, RS_ORDER_CONFIRM}, {"again", NULL, RS_ORDER_AGAIN},
             {"note", NULL, RS_ORDER_NOTE},       {"points", "remove", RS_ORDER_REMOVE},
             {"points", "add", RS_ORDER_ADD},     {"points", "move", RS_ORDER_MOVE},
             {"points", "thin", RS_ORDER_THIN},   {"points", "route", RS_ORDER_ROUTE}};

static const char *text_of(const rs_json_value *v, const char *key)
{
    const rs_json_value *m = rs_json_member(v, key);
    return m && m->kind == RS_JSON_STRING ? m->text : NULL;
}

static bool number_of(const rs_json_value *v, const char *key, double *out)
{
    const rs_json_value *m = rs_json_member(v, key);
    if (!m || m->kind != RS_JSON_NUMBER) return false;
    *out = m->number;
    return true;
}

static bool whole(double x, int *out)
{
    if (!(x >= 0 && x <= INT_MAX) || x != floor(x)) return false;
    *out = (int)x;
    return true;
}

static reshed_status wants(reshed_error *err, const char *key, const char *what)
{
    return rs_fail(err, RESHED_EINVAL, "%s|%s|something else", key, what);
}

static reshed_status take_whole(const rs_json_value *v, const char *key, int *out,
                                reshed_error *err)
{
    double x;
    if (number_of(v, key, &x) && whole(x, out)) return RESHED_OK;
    return wants(err, key, "a whole number, 0 or more");
}

static reshed_status take_place(const rs_json_value *v, rs_order *o, reshed_error *err)
{
    if (number_of(v, "row", &o->at) && number_of(v, "col", &o->to)) return RESHED_OK;
    return wants(err, "row, col", "numbers");
}

/* A number, or a list of them. */
static reshed_status take_indices(const rs_json_value *v, int most, rs_order *o, reshed_error *err)
{
    const rs_json_value *m = rs_json_member(v, "index");
    if (m && m->kind == RS_JSON_NUMBER) {
        o->n = 1;
        return whole(m->number, &o->index[0]) ? RESHED_OK
                                              : wants(err, "index", "a whole number, 0 or more");
    }
    if (!m || m->kind != RS_JSON_ARRAY || m->n < 1 || m->n > most)
        return rs_fail(err, RESHED_EINVAL, "index|1 to %d whole numbers|something else", most);
    for (m = m->first; m; m = m->next)
        if (m->kind != RS_JSON_NUMBER || !whole(m->number, &o->index[o->n++]))
            return wants(err, "index", "whole numbers, 0 or more");
    return RESHED_OK;
}

static reshed_status take_note(const rs_json_value *v, rs_order *o, reshed_error *err)
{
    const char *text = text_of(v, "text");
    if (!text || !*text || strlen(text) >= sizeof o->text)
        return wants(err, "text", "1 to 200 bytes");
    rs_text_copy(o->text, sizeof o->text, text);
    return RESHED_OK;
}

static reshed_status take_yes(const rs_json_value *v, rs_order *o, reshed_error *err)
{
    const rs_json_value *m = rs_json_member(v, "yes");
    if (!m || m->kind != RS_JSON_BOOL) return wants(err, "yes", "true or false");
    o->yes = m->yes;
    return RESHED_OK;
}

/* What else the action needs. */
static reshed_status take_more(const rs_json_value *v, rs_order *o, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    switch (o->kind) {
    case RS_ORDER_RESCAN: return take_whole(v, "row", &o->row, err);
    case RS_ORDER_THIN: return take_whole(v, "keep", &o->row, err);
    case RS_ORDER_CONFIRM: return take_yes(v, o, err);
    case RS_ORDER_REMOVE: return take_indices(v, RS_ORDER_INDICES, o, err);
    case RS_ORDER_AGAIN: return take_indices(v, 1, o, err);
    case RS_ORDER_ADD: return take_place(v, o, err);
    case RS_ORDER_MOVE:
        st = take_indices(v, 1, o, err);
        return st == RESHED_OK ? take_place(v, o, err) : st;
    case RS_ORDER_NOTE: return take_note(v, o, err);
    case RS_ORDER_PAUSE:
    case RS_ORDER_GO_ON:
    case RS_ORDER_STOP:
    case RS_ORDER_ROUTE: break;
    }
    return st;
}

/* An order that is for points as they were seen says when that was. */
static reshed_status check_number(const rs_order *o, reshed_error *err)
{
    const bool of_points = o->kind == RS_ORDER_REMOVE || o->kind == RS_ORDER_MOVE ||
                           o->kind == RS_ORDER_THIN || (o->kind == RS_ORDER_CONFIRM && o->yes);
    return !of_points || o->number > 0 ? RESHED_OK
                                       : wants(err, "number", "that of the state with the points");
}

static bool is_id(const char *id)
{
    const size_t n = id ? strlen(id) : 0;
    if (n < 1 || n > 64) return false;
    for (size_t i = 0; i < n; i++)
        if (id[i] < '!' || id[i] > '~') return false;
    return true;
}

static reshed_status read_order(const rs_json_value *v, rs_order *o, bool *take, reshed_error *err)
{
    const char *id = text_of(v, "id"), *action = text_of(v, "action"), *edit = text_of(v, "edit");
    double number = 0;
    memset(o, 0, sizeof *o);
    if (!is_id(id)) return wants(err, "id", "1 to 64 printable characters without spaces");
    if (!action) return wants(err, "action", "the name of one");
    rs_text_copy(o->id, sizeof o->id, id);
    if (number_of(v, "number", &number) && number > 0 && number < 9e15) o->number = (int64_t)number;
    *take = strcmp(action, "take") == 0;
    if (*take) return RESHED_OK;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].action, action) != 0) continue;
        if (words[i].edit && (!edit || strcmp(words[i].edit, edit) != 0)) continue;
        o->kind = words[i].kind;
        const reshed_status st = take_more(v, o, err);
        return st == RESHED_OK ? check_number(o, err) : st;
    }
    return rs_fail(err, RESHED_EINVAL, "action|one of the protocol's|%.40s%s%.40s", action,
                   edit ? " " : "", edit ? edit : "");
}

reshed_status rs_action_read(const char *text, size_t n, rs_order *out, bool *take,
                             reshed_error *err)
{
    rs_json_doc *d = NULL;
    reshed_status st = rs_json_read(text, n, &d, err);
    if (st == RESHED_ECORRUPT && err) err->status = st = RESHED_EINVAL;
    if (st == RESHED_OK) st = read_order(rs_json_root(d), out, take, err);
    rs_json_free(d);
    return st;
}
