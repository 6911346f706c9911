#include "spectra/pairs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* The fit of an amplitude and a phase is a number: these bits, and below them the folders in common. */
#define SAME_PATH 64
#define SAME_NAME 32
#define SAME_NUMBER 16
#define MOST_FOLDERS 15

enum { FREE = -1 };

/* A dataset with its texts in the form in which an amplitude's and a phase's are compared. */
typedef struct half {
    int k, number; /* in the file; at the end of its name, -1: none */
    int way;       /* of the tip: 1 back, 0 forth, -1 not told */
    int level;     /* at which it was given away; FREE */
    char path[256], name[3][128];
} half;

typedef struct halves {
    half *amplitude, *phase;
    int amplitudes, phases;
    bool numbered; /* an amplitude and a phase end with the same number */
} halves;

bool rs_same_shape(const rs_nsid_data *a, const rs_nsid_data *b)
{
    if (a->ndim != b->ndim || a->is_complex || b->is_complex) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i].n != b->dim[i].n) return false;
    return true;
}

static bool is_called(const rs_nsid_data *d, const char *name)
{
    return strcmp(d->name, name) == 0 || strcmp(d->title, name) == 0;
}

bool rs_is_amplitude(const rs_nsid_file *file, int k)
{
    const rs_nsid_data *d = rs_nsid_info(file, k);
    const rs_quantity_guess g = rs_channel_quantity(&rs_nsid_channels(file)->c[k]);
    const bool named = rs_text_contains(d->name, "amp") || rs_text_contains(d->title, "amp") ||
                       rs_text_contains(d->quantity, "amp") || rs_text_contains(d->path, "mag");
    return !d->is_complex &&
           (is_called(d, "Amplitude") || (named && g.quantity == RS_QUANTITY_AMPLITUDE));
}

bool rs_is_amplitude_named(const char *path, const char *quantity, const char *units)
{
    rs_channel c = {{0}, {0}, {{0}}};
    const char *name = rs_path_name(path);
    rs_text_copy(c.name, sizeof c.name, name);
    rs_text_copy(c.unit, sizeof c.unit, units);
    rs_text_copy(c.alias[0], sizeof c.alias[0], quantity);
    const bool named = rs_text_contains(name, "amp") || rs_text_contains(quantity, "amp") ||
                       rs_text_contains(name, "mag");
    return named && rs_channel_quantity(&c).quantity == RS_QUANTITY_AMPLITUDE;
}

bool rs_is_phase(const rs_nsid_file *file, int k)
{
    const rs_nsid_data *d = rs_nsid_info(file, k);
    const rs_quantity_guess g = rs_channel_quantity(&rs_nsid_channels(file)->c[k]);
    return !d->is_complex && (is_called(d, "Phase") || g.quantity == RS_QUANTITY_PHASE);
}

/* The number at the end of a name; -1 when there is none. */
static int number_of(const char *name)
{
    size_t n = strlen(name), from = n;
    int value = 0;
    while (from > 0 && n - from < 6 && name[from - 1] >= '0' && name[from - 1] <= '9') from--;
    if (from == n) return -1;
    for (size_t i = from; i < n; i++) value = 10 * value + (name[i] - '0');
    return value;
}

/* Copies text in small letters, without blanks and the like, each word for either quantity as '*'. */
static void simplify(char *to, size_t room, const char *text)
{
    static const char *const words[] = {"amplitude", "ampl",  "amp",  "magnitude",
                                        "mag",       "phase", "phas", "pha"};
    size_t used = 0;
    while (*text && used + 1 < room) {
        size_t w = 0, n = sizeof words / sizeof *words;
        while (w < n && !rs_text_begins(text, words[w])) w++;
        if (w < n) {
            to[used++] = '*';
            text += strlen(words[w]);
            continue;
        }
        const char c = *text++;
        if (c == ' ' || c == '_' || c == '-') continue;
        to[used++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    to[used] = '\0';
}

static int way_of(const rs_nsid_data *d)
{
    static const char *const back[] = {"retrace", "backward", "bwd"}, *const forth[] = {"trace",
                                                                                        "forward",
                                                                                        "fwd"};
    for (int i = 0; i < 3; i++)
        if (rs_text_contains(d->name, back[i]) || rs_text_contains(d->title, back[i])) return 1;
    for (int i = 0; i < 3; i++)
        if (rs_text_contains(d->name, forth[i]) || rs_text_contains(d->title, forth[i])) return 0;
    return -1;
}

static void make_half(const rs_nsid_data *d, int k, half *h)
{
    h->k = k;
    h->level = FREE;
    h->way = way_of(d);
    h->number = number_of(d->name);
    if (h->number < 0) h->number = number_of(d->title);
    simplify(h->path, sizeof h->path, d->path);
    simplify(h->name[0], sizeof h->name[0], d->name);
    simplify(h->name[1], sizeof h->name[1], d->title);
    simplify(h->name[2], sizeof h->name[2], d->quantity);
}

/* Names and titles that have the word agree; where neither does, the quantities. */
static bool same_name(const half *a, const half *p)
{
    bool same = false;
    for (int i = 0; i < 3 && !(i == 2 && same); i++) {
        if (!strchr(a->name[i], '*') || !strchr(p->name[i], '*')) continue;
        if (strcmp(a->name[i], p->name[i]) != 0) return false;
        same = true;
    }
    return same;
}

static int common_folders(const char *a, const char *b)
{
    int n = 0;
    for (; *a && *a == *b; a++, b++) n += *a == '/';
    return n < MOST_FOLDERS ? n : MOST_FOLDERS;
}

/* How well two halves fit; -1: not at all. Where numbers pair datasets, other numbers part them. */
static int fit_of(const rs_nsid_file *file, const halves *h, const half *a, const half *p)
{
    const bool path = strcmp(a->path, p->path) == 0, number = a->number == p->number;
    if (!rs_same_shape(rs_nsid_info(file, a->k), rs_nsid_info(file, p->k))) return -1;
    if (h->numbered && !number && a->number >= 0 && p->number >= 0) return -1;
    if (a->way >= 0 && p->way >= 0 && a->way != p->way) return -1;
    return (path ? SAME_PATH : 0) + (path || same_name(a, p) ? SAME_NAME : 0) +
           (number && a->number >= 0 ? SAME_NUMBER : 0) +
           common_folders(rs_nsid_info(file, a->k)->path, rs_nsid_info(file, p->k)->path);
}

/* The best fit below `below` of halves that are free; -1 when there is none. */
static int next_level(const rs_nsid_file *file, const halves *h, int below)
{
    int best = -1;
    for (int i = 0; i < h->amplitudes; i++)
        for (int j = 0; h->amplitude[i].level == FREE && j < h->phases; j++) {
            if (h->phase[j].level != FREE) continue;
            const int fit = fit_of(file, h, &h->amplitude[i], &h->phase[j]);
            if (fit > best && fit < below) best = fit;
        }
    return best;
}

static bool is_open(const half *h, int level)
{
    return h->level == FREE || h->level == level;
}

/* Amplitude i with the phases that fit it at that level. */
static void match(const rs_nsid_file *file, halves *h, int i, int level, rs_pair *pair)
{
    half *a = &h->amplitude[i];
    int phases = 0, amplitudes = 0, rank = 0, next = -1, after = 0, limit = -1, seen = 0;
    int first[2] = {-1, -1}, chosen = -1;
    for (int j = 0; j < h->phases; j++)
        if (is_open(&h->phase[j], level) && fit_of(file, h, a, &h->phase[j]) == level) {
            if (phases < 2) first[phases] = j;
            phases++;
        }
    if (phases == 0) return;
    for (int j = 0; j < h->amplitudes; j++) {
        half *b = &h->amplitude[j];
        if (!is_open(b, level) || fit_of(file, h, b, &h->phase[first[0]]) != level) continue;
        amplitudes++;
        rank += b->k < a->k;
        if (b->k > a->k && limit < 0) limit = b->k;
    }
    for (int j = 0; j < h->phases; j++) {
        const half *p = &h->phase[j];
        if (!is_open(p, level) || fit_of(file, h, a, p) != level) continue;
        if (seen++ == rank && phases == amplitudes) chosen = j;
        if (p->k < a->k || (limit >= 0 && p->k > limit)) continue;
        if (after++ == 0) next = j;
    }
    /* Names that differ may stand in any order: it tells nothing of them. */
    if (phases != amplitudes && after > 0 && (phases == 1 || (level & SAME_NAME))) chosen = next;
    a->level = level;
    if (chosen >= 0 && h->phase[chosen].level == FREE) {
        pair->phase = h->phase[chosen].k;
        h->phase[chosen].level = level;
    } else if (phases > 1) {
        for (int r = 0; r < 2; r++) pair->rival[r] = h->phase[first[r]].k;
        for (int j = 0; j < h->phases; j++)
            if (h->phase[j].level == FREE && fit_of(file, h, a, &h->phase[j]) == level)
                h->phase[j].level = level;
    }
}

static void find_numbered(const rs_nsid_file *file, halves *h)
{
    bool numbered = false;
    for (int i = 0; i < h->amplitudes; i++)
        for (int j = 0; !numbered && j < h->phases; j++)
            numbered = h->amplitude[i].number >= 0 &&
                       h->amplitude[i].number == h->phase[j].number &&
                       fit_of(file, h, &h->amplitude[i], &h->phase[j]) >= 0;
    h->numbered = numbered;
}

reshed_status rs_pairs_find(const rs_nsid_file *file, rs_pair **pairs, reshed_error *err)
{
    const int n = rs_nsid_count(file);
    halves h = {0};
    reshed_status st = RESHED_OK;
    rs_pair *out = rs_alloc((size_t)n, sizeof *out);
    for (int k = 0; k < n; k++) {
        h.amplitudes += rs_is_amplitude(file, k);
        h.phases += rs_is_phase(file, k) && !rs_is_amplitude(file, k);
    }
    h.amplitude = rs_alloc((size_t)h.amplitudes + 1, sizeof *h.amplitude);
    h.phase = rs_alloc((size_t)h.phases + 1, sizeof *h.phase);
    if (!out || !h.amplitude || !h.phase) {
        st = rs_fail_nomem(err, "the names of datasets", (size_t)n * sizeof *h.phase);
        goto done;
    }
    h.amplitudes = h.phases = 0;
    for (int k = 0; k < n; k++) {
        out[k] = (rs_pair){-1, {-1, -1}};
        if (rs_is_amplitude(file, k))
            make_half(rs_nsid_info(file, k), k, &h.amplitude[h.amplitudes++]);
        else if (rs_is_phase(file, k))
            make_half(rs_nsid_info(file, k), k, &h.phase[h.phases++]);
    }
    find_numbered(file, &h);
    for (int level = next_level(file, &h, 1 << 10); level >= 0; level = next_level(file, &h, level))
        for (int i = 0; i < h.amplitudes; i++)
            if (h.amplitude[i].level == FREE) match(file, &h, i, level, &out[h.amplitude[i].k]);
    *pairs = out;
    out = NULL;
done:
    rs_free(out);
    rs_free(h.amplitude);
    rs_free(h.phase);
    return st;
}
