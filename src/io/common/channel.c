#include "io/common/channel.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

reshed_status rs_channels_add(rs_channels *list, const char *name, rs_channel **out,
                              reshed_error *err)
{
    if (list->n >= RS_CHANNEL_MAX)
        return rs_fail(err, RESHED_EUNSUPPORTED, "too many channels|at most %d", RS_CHANNEL_MAX);
    if (list->n == list->capacity) {
        int want = list->capacity ? 2 * list->capacity : 8;
        rs_channel *c = rs_regrow(list->c, (size_t)list->n, (size_t)want, sizeof *c);
        if (!c) return rs_fail_nomem(err, "the list of channels", (size_t)want * sizeof *c);
        list->c = c;
        list->capacity = want;
    }
    rs_channel *c = &list->c[list->n++];
    memset(c, 0, sizeof *c);
    rs_text_copy(c->name, sizeof c->name, name);
    if (out) *out = c;
    return RESHED_OK;
}

void rs_channels_clear(rs_channels *list)
{
    rs_free(list->c);
    memset(list, 0, sizeof *list);
}

enum rule { EQUAL, BEGINS, CONTAINS };

static bool name_meets(const char *s, const char *wanted, enum rule rule)
{
    if (!*s) return false;
    if (rule == EQUAL) return strlen(s) == strlen(wanted) && rs_text_begins(s, wanted);
    return *s != '/' && (rule == BEGINS ? rs_text_begins(s, wanted) : rs_text_contains(s, wanted));
}

static bool channel_meets(const rs_channel *c, const char *wanted, enum rule rule)
{
    if (name_meets(c->name, wanted, rule)) return true;
    for (int i = 0; i < RS_CHANNEL_ALIASES; i++)
        if (name_meets(c->alias[i], wanted, rule)) return true;
    return false;
}

/* "Height, Phase, ..." cut to fit. */
static void list_names(const rs_channels *list, char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    for (int i = 0; i < list->n; i++) {
        size_t need = strlen(list->c[i].name) + (i ? 2 : 0);
        if (used + need + 5 >= n) {
            snprintf(buf + used, n - used, "%s", i ? ", ..." : "...");
            return;
        }
        used += (size_t)snprintf(buf + used, n - used, "%s%s", i ? ", " : "", list->c[i].name);
    }
}

/* A number in [0,n) and nothing else. */
static bool as_index(const char *s, int n, int *index)
{
    int v = 0;
    if (!*s) return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > RS_CHANNEL_MAX) return false;
        v = 10 * v + (*s - '0');
    }
    if (v >= n) return false;
    *index = v;
    return true;
}

reshed_status rs_channel_find(const rs_channels *list, const char *wanted, int *index,
                              reshed_error *err)
{
    char names[112]; /* what fits in the error's `expected` */
    for (enum rule rule = EQUAL; rule <= CONTAINS; rule++) {
        int found = 0, at = 0;
        if (!*wanted) break;
        for (int i = 0; i < list->n; i++)
            if (channel_meets(&list->c[i], wanted, rule) && found++ == 0) at = i;
        if (found == 1) {
            *index = at;
            return RESHED_OK;
        }
        if (rule == EQUAL && found == 0 && as_index(wanted, list->n, index)) return RESHED_OK;
        if (found > 1) {
            list_names(list, names, 88);
            return rs_fail(err, RESHED_EINVAL,
                           "channel '%.60s' is ambiguous|one of %s, or a number from 0 to %d|%d "
                           "channels of that name",
                           wanted, names, list->n - 1, found);
        }
    }
    list_names(list, names, sizeof names);
    return rs_fail(err, RESHED_EINVAL, "no channel '%.60s'|%s%s|%d channel%s", wanted,
                   list->n ? "one of " : "", list->n ? names : "a file with channels", list->n,
                   list->n == 1 ? "" : "s");
}

rs_quantity_guess rs_channel_quantity(const rs_channel *c)
{
    rs_quantity_guess best = {RS_QUANTITY_UNKNOWN, 0};
    for (int i = 0; i <= RS_CHANNEL_ALIASES && best.grade < 4; i++) {
        const char *name = i < RS_CHANNEL_ALIASES ? c->alias[i] : c->name;
        if (*name == '/') continue;
        const rs_quantity_guess g = rs_quantity_of_name(name);
        if (g.grade > best.grade) best = g;
    }
    const rs_quantity_guess unit = rs_quantity_of_unit(c->unit);
    return best.grade == 0 || (best.grade < 4 && unit.quantity == RS_QUANTITY_PHASE) ? unit : best;
}

/* Returns the rank by which channels are compared: "Amplitude" and "R" are as good. */
static int rank_of(rs_quantity_guess g)
{
    return g.grade < 3 ? g.grade : 3;
}

int rs_channel_default(const rs_channels *list, rs_quantity quantity, int *candidates)
{
    int first = -1, n = 0, rank = 0;
    for (int i = 0; i < list->n; i++) {
        const rs_quantity_guess g = rs_channel_quantity(&list->c[i]);
        if (g.quantity != quantity || rank_of(g) < rank) continue;
        if (rank_of(g) > rank) {
            first = i;
            n = 0;
            rank = rank_of(g);
        }
        n++;
    }
    if (candidates) *candidates = n;
    return list->n == 1 ? 0 : first;
}

reshed_status rs_channel_choose(const rs_channels *list, const char *wanted, rs_quantity quantity,
                                int *index, reshed_error *err)
{
    char names[144];
    if (wanted) return rs_channel_find(list, wanted, index, err);
    if (list->n == 0)
        return rs_fail(err, RESHED_EINVAL, "no image in this file|at least one channel|none");
    *index = rs_channel_default(list, quantity, NULL);
    if (*index >= 0) return RESHED_OK;
    list_names(list, names, sizeof names);
    return rs_fail(err, RESHED_EINVAL,
                   "none of these channels is known as %s: %s|--channel with a name, or a number "
                   "from 0 to %d",
                   quantity == RS_QUANTITY_AMPLITUDE ? "an amplitude" : rs_quantity_name(quantity),
                   names, list->n - 1);
}

void rs_channel_note(const rs_channels *list, const char *wanted, rs_quantity quantity, int index,
                     rs_image *im)
{
    char names[160] = "";
    size_t used = 0;
    int n = 0;
    if (wanted || list->n < 2) return;
    rs_channel_default(list, quantity, &n);
    if (n < 2) return;
    const rs_quantity_guess taken = rs_channel_quantity(&list->c[index]);
    for (int i = 0; i < list->n && used + 4 < sizeof names; i++) {
        const rs_quantity_guess g = rs_channel_quantity(&list->c[i]);
        if (g.quantity != taken.quantity || rank_of(g) != rank_of(taken)) continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%d %s", used ? ", " : "", i,
                                 list->c[i].name);
    }
    rs_image_note(im, "channel '%s' is the first of %d that show %s (%s); --channel chooses",
                  list->c[index].name, n,
                  quantity == RS_QUANTITY_AMPLITUDE ? "an amplitude" : rs_quantity_name(quantity),
                  used < sizeof names ? names : "...");
}

reshed_status rs_channel_only(const char *name, const char *wanted, reshed_error *err)
{
    if (!wanted) return RESHED_OK;
    rs_channel only = {{0}, {0}, {{0}}};
    rs_channels list = {.n = 1, .capacity = 1, .c = &only};
    int index;
    rs_text_copy(only.name, sizeof only.name, *name ? name : "(unnamed)");
    return rs_channel_find(&list, wanted, &index, err);
}
