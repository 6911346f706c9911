#include "io/phase.h"

#include <math.h>
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

/* The place where `word` begins in text, in any case; NULL: nowhere. */
static const char *find_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && lower(text[i]) == word[i]) i++;
        if (i == n) return text;
    }
    return NULL;
}

/* The name of the phase that goes with an amplitude's; false when that says nothing. */
static bool name_of_phase(const char *amplitude, char *out, size_t n)
{
    static const char *const word[] = {"amplitude", "amp"};
    for (int i = 0; i < 2; i++) {
        const char *at = find_word(amplitude, word[i]);
        if (!at) continue;
        const int before = (int)(at - amplitude);
        return snprintf(out, n, "%.*sphase%s", before, amplitude, at + strlen(word[i])) < (int)n;
    }
    return false;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) a++, b++;
    return lower(*a) == lower(*b);
}

static int choose(const rs_channels *list, const char *amplitude)
{
    char name[128];
    const rs_quantity_guess guess = rs_quantity_of_name(amplitude);
    if (guess.quantity != RS_QUANTITY_AMPLITUDE && guess.quantity != RS_QUANTITY_UNKNOWN) return -1;
    for (int i = 0; name_of_phase(amplitude, name, sizeof name) && i < list->n; i++) {
        if (same_name(list->c[i].name, name)) return i;
        for (int k = 0; k < RS_CHANNEL_ALIASES; k++)
            if (same_name(list->c[i].alias[k], name)) return i;
    }
    const int i = rs_channel_default(list, RS_QUANTITY_PHASE, NULL);
    /* The only channel of a file is its amplitude. */
    return list->n > 1 && i >= 0 && rs_channel_quantity(&list->c[i]).quantity == RS_QUANTITY_PHASE
               ? i
               : -1;
}

static void to_radians(rs_image *im)
{
    const size_t n = (size_t)im->height * (size_t)im->width;
    bool degrees = strcmp(im->unit, "rad") != 0;
    if (!im->unit[0]) {
        float most = 0;
        for (size_t i = 0; i < n; i++)
            if (isfinite(im->data[i])) most = fmaxf(most, fabsf(im->data[i]));
        degrees = (double)most > RADIANS_MOST;
    }
    for (size_t i = 0; degrees && i < n; i++) im->data[i] *= (float)RS_DEGREE;
    snprintf(im->unit, sizeof im->unit, "rad");
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
    reshed_status st = rs_image_read_frame(path, wanted, RS_QUANTITY_PHASE, frame, out, err);
    if (st == RESHED_OK) to_radians(out);
    return st;
}
