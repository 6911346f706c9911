#include "io/common/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *symbol, *word;
    double metres;
} prefixes[] = {
    {"f", "femto", 1e-15},       {"p", "pico", 1e-12},        {"n", "nano", 1e-9},
    {"u", "micro", 1e-6},        {"\xc2\xb5", "mikro", 1e-6}, /* micro sign */
    {"\xce\xbc", "micro", 1e-6},                              /* Greek mu */
    {"\xb5", "mu", 1e-6}, /* micro sign in Latin-1 and in Igor's Macintosh Roman */
    {"m", "milli", 1e-3},        {"c", "centi", 1e-2},        {"k", "kilo", 1e3},
};

static bool is(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && rs_text_begins(a, b);
}

/* The unit without blanks, brackets and quotes around it, into buf[n]; "" when it does not fit. */
static void trim(const char *unit, char *buf, size_t n)
{
    static const char around[] = " \t\r\n()[]{}<>\"'.";
    size_t k;
    unit += strspn(unit, around);
    for (k = strlen(unit); k > 0 && strchr(around, unit[k - 1]);) k--;
    if (k >= n) k = 0;
    memcpy(buf, unit, k);
    buf[k] = '\0';
}

/* A word of several letters, whose case cannot mean anything. */
static double metres_of_word(const char *s)
{
    static const char *const metre[] = {"meter", "metre", "meters", "metres"};
    static const char *const micron[] = {"micron", "microns", "mikron", "\xc2\xb5", "\xce\xbc"};
    static const char *const angstrom[] = {"A",
                                           "Angstrom",
                                           "Angstroms",
                                           "Angstr\xc3\xb6m",
                                           "\xc3\x85ngstr\xc3\xb6m",
                                           "\xc3\xa5ngstr\xc3\xb6m",
                                           "Angstr\xf6m",
                                           "\xc5ngstr\xf6m",
                                           "Angstroem",
                                           "\xc3\x85",
                                           "\xe2\x84\xab",
                                           "\xc5",
                                           "\x81", /* the last in Macintosh Roman */
                                           "Ang"};
    for (size_t i = 0; i < sizeof metre / sizeof *metre; i++)
        if (is(s, metre[i])) return 1;
    for (size_t i = 0; i < sizeof micron / sizeof *micron; i++)
        if (is(s, micron[i])) return 1e-6;
    for (size_t i = 0; i < sizeof angstrom / sizeof *angstrom; i++)
        if (is(s, angstrom[i]) && strcmp(s, "a") != 0) return 1e-10;
    return 0;
}

double rs_metres_per(const char *unit)
{
    char s[48];
    trim(unit, s, sizeof s);
    if (strcmp(s, "m") == 0) return 1;
    double metres = metres_of_word(s);
    for (size_t i = 0; metres == 0 && i < sizeof prefixes / sizeof *prefixes; i++) {
        const char *symbol = prefixes[i].symbol, *word = prefixes[i].word;
        const size_t n = strlen(symbol), k = strlen(word);
        const bool starts = strncmp(s, symbol, n) == 0;
        /* "nm", "nmeter", "NM"; not "Nm" or "nM", which mean other things. "Mm" and "MM" are taken
         * for nothing. */
        if (starts && (strcmp(s + n, "m") == 0 || metres_of_word(s + n) == 1))
            return prefixes[i].metres;
        if (strchr("npu", *symbol) && *symbol - 'a' + 'A' == s[0] && strcmp(s + 1, "M") == 0)
            return prefixes[i].metres;
        if (rs_text_begins(s, word)) {
            const char *rest = s + k + strspn(s + k, " -");
            if (metres_of_word(rest) == 1 || strcmp(rest, "m") == 0) metres = prefixes[i].metres;
        }
    }
    return metres;
}

double rs_metres_or_note(const char *unit, const char *what, rs_image *im)
{
    static const char *const pixels[] = {"px",    "pixel",  "pixels", "pix",
                                         "point", "points", "index"};
    const double metres = rs_metres_per(unit);
    char s[48];
    trim(unit, s, sizeof s);
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        if (is(s, pixels[i])) return metres;
    if (metres == 0 && !*unit)
        rs_image_note(im, "%s has no unit, so its pixel size is unknown", what);
    else if (metres == 0)
        rs_image_note(im, "unit '%s' of %s is no known length, so its pixel size is unknown", unit,
                      what);
    return metres;
}
