#include "io/phase.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/numeric.h"
#include "io/image_file.h"

/* Two turns: more cannot be an angle in radians between -pi and 2 pi, with room for unwrapping. */
#define RADIANS_MOST (4 * RS_PI)

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ------------------------------------------------------------------------------- which channel */
#define NAME 128

/* A name without what writers put between its parts, in lower case. */
static void plain_name(const char *name, char out[NAME])
{
    size_t k = 0;
    for (; *name && k + 1 < NAME; name++)
        if (*name != ' ' && *name != '_' && *name != '\t') out[k++] = lower(*name);
    out[k] = '\0';
}

static bool same_name(const char *name, const char *plain)
{
    char other[NAME];
    plain_name(name, other);
    return strcmp(other, plain) == 0;
}

/* The channel of that plain name; -1: none. Of several aliases that fit none is meant. */
static int find_named(const rs_channels *list, const char *plain)
{
    int found = -1;
    for (int i = 0; i < list->n; i++)
        if (same_name(list->c[i].name, plain)) return i;
    for (int i = 0; i < list->n; i++) {
        bool fits = false;
        for (int k = 0; k < RS_CHANNEL_ALIASES; k++)
            fits = fits || same_name(list->c[i].alias[k], plain);
        if (fits && found >= 0) return -1;
        if (fits) found = i;
    }
    return found;
}

/* The channel named like the amplitude, with a word for the phase in the place of its word; -1: none. */
static int find_partner(const rs_channels *list, const char *amplitude)
{
    static const char *const from[] = {"amplitude", "ampl", "amp", "magnitude", "mag"},
                             *const to[] = {"phase", "phas", "pha", "phs"};
    char own[NAME], name[NAME + 8];
    plain_name(amplitude, own);
    for (size_t f = 0; f < sizeof from / sizeof *from; f++)
        for (const char *at = strstr(own, from[f]); at; at = strstr(at + 1, from[f]))
            for (size_t t = 0; t < sizeof to / sizeof *to; t++) {
                snprintf(name, sizeof name, "%.*s%s%s", (int)(at - own), own, to[t],
                         at + strlen(from[f]));
                const int i = find_named(list, name);
                if (i >= 0) return i;
            }
    return -1;
}

/* Returns whether both names have numbers, and others: those of Amp2 and Pha1. */
static bool numbers_differ(const char *a, const char *b)
{
    static const char digits[] = "0123456789";
    a += strcspn(a, digits);
    b += strcspn(b, digits);
    const bool both = *a && *b;
    while (*a && *b) {
        const size_t n = strspn(a, digits), m = strspn(b, digits);
        if (n != m || strncmp(a, b, n) != 0) return true;
        a += n + strcspn(a + n, digits);
        b += m + strcspn(b + m, digits);
    }
    return both && (*a || *b);
}

static int choose(const rs_channels *list, const char *amplitude)
{
    const rs_quantity_guess guess = rs_quantity_of_name(amplitude);
    int only = -1, phases = 0;
    if (guess.quantity != RS_QUANTITY_AMPLITUDE && guess.quantity != RS_QUANTITY_UNKNOWN) return -1;
    if (list->n < 2) return -1; /* the only channel of a file is its amplitude */
    const int partner = find_partner(list, amplitude);
    if (partner >= 0) return partner;
    for (int i = 0; i < list->n; i++) {
        if (rs_channel_quantity(&list->c[i]).quantity != RS_QUANTITY_PHASE) continue;
        only = i;
        phases++;
    }
    return phases == 1 && !numbers_differ(amplitude, list->c[only].name) ? only : -1;
}

/* -------------------------------------------------------------------------------------- its unit */
/* Radians in one unit; 0: not known. */
static double radians_per(const char *unit)
{
    static const struct {
        const char *name;
        double radians;
    } known[] = {{"rad", 1},
                 {"rads", 1},
                 {"radian", 1},
                 {"radians", 1},
                 {"mrad", 1e-3},
                 {"deg", RS_DEGREE},
                 {"degs", RS_DEGREE},
                 {"degree", RS_DEGREE},
                 {"degrees", RS_DEGREE},
                 {"\xc2\xb0", RS_DEGREE},
                 {"\xc2\xba", RS_DEGREE},
                 {"\xb0", RS_DEGREE}};
    char plain[NAME];
    plain_name(unit, plain);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(plain, known[i].name) == 0) return known[i].radians;
    return 0;
}

void rs_phase_to_radians(rs_image *im)
{
    const size_t n = (size_t)im->height * (size_t)im->width;
    double factor = radians_per(im->unit);
    if (factor == 0) {
        float most = 0;
        for (size_t i = 0; i < n; i++)
            if (isfinite(im->data[i])) most = fmaxf(most, fabsf(im->data[i]));
        factor = (double)most > RADIANS_MOST ? RS_DEGREE : 1;
        rs_image_note(im, "the phase has %s%s: up to %.3g, it is taken as %s",
                      im->unit[0] ? "the unit " : "no unit", im->unit, (double)most,
                      factor == 1 ? "radians" : "degrees");
    }
    for (size_t i = 0; factor != 1 && i < n; i++) im->data[i] *= (float)factor;
    snprintf(im->unit, sizeof im->unit, "rad");
}

/* A phase of one image stands for all frames of its amplitude. */
static reshed_status read_frame_or_only(const char *path, const char *channel, int frame,
                                        rs_image *out, reshed_error *err)
{
    int frames = 0;
    const reshed_status st = rs_image_read_frame(path, channel, RS_QUANTITY_PHASE, frame, out, err);
    if (st != RESHED_EINVAL || frame == RS_FRAME_ONLY ||
        rs_image_frames(path, channel, RS_QUANTITY_PHASE, &frames, NULL) != RESHED_OK || frames > 1)
        return st;
    return rs_image_read_frame(path, channel, RS_QUANTITY_PHASE, RS_FRAME_ONLY, out, err);
}

reshed_status rs_phase_read(const char *path, const char *wanted, const char *amplitude, int frame,
                            rs_image *out, reshed_error *err)
{
    char number[16];
    rs_channels list = {0};
    *out = (rs_image){0};
    if (!wanted) {
        if (rs_image_list(path, &list, NULL) != RESHED_OK) return RESHED_OK;
        const int i = choose(&list, amplitude);
        rs_channels_clear(&list);
        if (i < 0) return RESHED_OK;
        snprintf(number, sizeof number, "%d", i);
        wanted = number;
    }
    reshed_status st = read_frame_or_only(path, wanted, frame, out, err);
    if (st == RESHED_OK) rs_phase_to_radians(out);
    return st;
}
