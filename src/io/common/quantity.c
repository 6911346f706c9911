#include "io/common/quantity.h"

#include <stddef.h>
#include <string.h>

#include "io/common/units.h"

#define WORDS 16
#define WORD 24

/* The words of a name, in lower case. */
typedef struct words {
    int n;
    char w[WORDS][WORD];
} words;

typedef enum kind { NONE, DIGIT, LOWER, UPPER, FOREIGN } kind;

static kind kind_of(char c)
{
    if (c >= '0' && c <= '9') return DIGIT;
    if (c >= 'a' && c <= 'z') return LOWER;
    if (c >= 'A' && c <= 'Z') return UPPER;
    return (unsigned char)c >= 0x80 ? FOREIGN : NONE;
}

/* Returns whether a word ends between s[i - 1] and s[i]. "PFMAmp" has a capital that begins a word
 * after capitals: the one before a small letter. */
static bool breaks(const char *s, size_t i)
{
    const kind before = kind_of(s[i - 1]), here = kind_of(s[i]);
    if (before == UPPER && here == LOWER) return false;
    if (before == UPPER && here == UPPER)
        return kind_of(s[i + 1]) == LOWER && (s[i + 1] != 's' || kind_of(s[i + 2]) == LOWER);
    return before != here;
}

static void split(const char *name, words *out)
{
    size_t k = 0;
    out->n = 0;
    for (size_t i = 0; name[i] && out->n < WORDS; i++) {
        if (kind_of(name[i]) == NONE) continue;
        char *w = out->w[out->n];
        if (k + 1 < WORD)
            w[k++] = (char)(kind_of(name[i]) == UPPER ? name[i] - 'A' + 'a' : name[i]);
        if (name[i + 1] && !breaks(name, i + 1)) continue;
        w[k] = '\0';
        k = 0;
        out->n++;
    }
}

static const char *const PHASE[] = {"phase", "phas", "pha", "phs", "theta", "argument", "arg"};
/* With one of these it is no response of the sample, whatever else the name says. */
static const char *const NEVER[] = {
    "error", "err",     "setpoint", "drive",   "driving", "excitation",  "modulation",
    "bias",  "noise",   "std",      "stdev",   "sigma",   "frequency",   "freq",
    "gain",  "quality", "skeleton", "current", "voltage", "temperature", "potential"};
static const char *const OTHER[] = {
    "height",      "topography", "topo",  "z",        "zsensor",     "zsnsr",
    "sensor",      "deflection", "defl",  "friction", "lateral",     "loss",
    "dissipation", "diss",       "x",     "y",        "real",        "imag",
    "imaginary",   "re",         "im",    "cos",      "sin",         "quad",
    "quadrature",  "inphase",    "user",  "lix",      "liy",         "adhesion",
    "stiffness",   "slope",      "force", "time",     "capacitance", "resistance"};
static const char *const AMPLITUDE[] = {"amplitude",
                                        "amplitudes",
                                        "amplitud",
                                        "ampl",
                                        "ampli",
                                        "amp",
                                        "\xe6\x8c\xaf\xe5\xb9\x85" /* Japanese */};
static const char *const MAGNITUDE[] = {"magnitude", "mag",           "modulus", "abs",
                                        "r",         "piezoresponse", "piezo",   "pr"};
static const char *const RESPONSE[] = {"response", "pfm", "vpfm", "lpfm", "displacement", "deff"};
static const char *const WALLS[] = {"wall", "walls", "truth", "label", "labels", "mask"};
static const char *const PROBABILITY[] = {"probability", "prediction", "mean"};
static const char *const VARIANCE[] = {"variance", "var", "uncertainty"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define HAS(w, list) has((w), (list), COUNT(list))

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0) return true;
    return false;
}

static bool has(const words *w, const char *const *list, size_t n)
{
    for (int i = 0; i < w->n; i++)
        if (is_one_of(w->w[i], list, n)) return true;
    return false;
}

/* The word without what instruments put around it when they write without capitals: "pfmamp",
 * "ampretrace". What is left may be empty. */
static void strip(char *word)
{
    static const char *const before[] = {"vpfm", "lpfm", "pfm", "nap", "dart", "piezo", "lockin",
                                         "li",   "be",   "sho", "ip",  "oop",  "lat",   "vert"};
    static const char *const after[] = {"retrace", "trace", "forward", "backward",
                                        "fwd",     "bwd",   "raw"};
    size_t n = strlen(word);
    for (size_t i = 0; i < COUNT(after); i++) {
        const size_t k = strlen(after[i]);
        if (n > k && strcmp(word + n - k, after[i]) == 0) {
            word[n -= k] = '\0';
            break;
        }
    }
    for (size_t i = 0; i < COUNT(before); i++) {
        const size_t k = strlen(before[i]);
        if (n > k && strncmp(word, before[i], k) == 0) {
            memmove(word, word + k, n - k + 1);
            break;
        }
    }
}

/* A word that means an amplitude once it is stripped, and none of the plain words. */
static bool has_compound(const words *w, const char *const *list, size_t n)
{
    for (int i = 0; i < w->n; i++) {
        char bare[WORD];
        strcpy(bare, w->w[i]);
        strip(bare);
        if (bare[1] && is_one_of(bare, list, n)) return true;
    }
    return false;
}

static bool has_part(const words *w, const char *part)
{
    for (int i = 0; i < w->n; i++)
        if (strstr(w->w[i], part)) return true;
    return false;
}

/* Returns whether a first word with a number follows: d33, d 31. */
static bool is_coefficient(const words *w)
{
    for (int i = 0; i + 1 < w->n; i++)
        if (strcmp(w->w[i], "d") == 0 && strlen(w->w[i + 1]) == 2 && w->w[i + 1][0] >= '1' &&
            w->w[i + 1][0] <= '3')
            return true;
    return false;
}

static rs_quantity_guess sure(rs_quantity quantity, int grade)
{
    return (rs_quantity_guess){quantity, grade};
}

rs_quantity_guess rs_quantity_of_name(const char *name)
{
    words w;
    split(name, &w);
    const bool wall = HAS(&w, WALLS), map = HAS(&w, PROBABILITY), doubt = HAS(&w, VARIANCE);
    if (HAS(&w, PHASE) || has_part(&w, "phase")) return sure(RS_QUANTITY_PHASE, 4);
    if (HAS(&w, NEVER) || has_part(&w, "setpoint")) return sure(RS_QUANTITY_OTHER, 4);
    if (doubt) return sure(wall || w.n == 1 ? RS_QUANTITY_WALL_VARIANCE : RS_QUANTITY_OTHER, 4);
    if (wall || map) return sure(RS_QUANTITY_WALLS, map ? 4 : 2);
    if (HAS(&w, AMPLITUDE) || has_part(&w, "amplitud") ||
        has_compound(&w, AMPLITUDE, COUNT(AMPLITUDE)))
        return sure(RS_QUANTITY_AMPLITUDE, 4);
    if (HAS(&w, OTHER) || has_compound(&w, OTHER, COUNT(OTHER)) || has_part(&w, "height") ||
        has_part(&w, "topo"))
        return sure(RS_QUANTITY_OTHER, 4);
    if (HAS(&w, MAGNITUDE) || has_part(&w, "piezoresp") ||
        has_compound(&w, MAGNITUDE, COUNT(MAGNITUDE)) || (w.n == 1 && strcmp(w.w[0], "a") == 0))
        return sure(RS_QUANTITY_AMPLITUDE, 3);
    for (int i = 0; i + 1 < w.n; i++) /* "Piezo Response" */
        if (strncmp(w.w[i], "piezo", 5) == 0) return sure(RS_QUANTITY_AMPLITUDE, 3);
    if (HAS(&w, RESPONSE) || is_coefficient(&w)) return sure(RS_QUANTITY_AMPLITUDE, 2);
    return sure(RS_QUANTITY_UNKNOWN, 0);
}

rs_quantity_guess rs_quantity_of_unit(const char *unit)
{
    static const char *const amplitude[] = {"pm",   "pm/V",      "nm/V",      "m/V",
                                            "V",    "mV",        "uV",        "nV",
                                            "volt", "\xc2\xb5V", "\xce\xbcV", "picometer"};
    static const char *const angle[] = {"deg",    "degree",   "degrees", "rad",
                                        "radian", "\xc2\xb0", "\xb0"};
    static const char *const other[] = {"Hz", "kHz", "MHz", "Ohm", "ohm", "N",  "nN", "Pa", "GPa",
                                        "s",  "ms",  "K",   "pA",  "nA",  "uA", "S",  "F"};
    if (is_one_of(unit, amplitude, COUNT(amplitude))) return sure(RS_QUANTITY_AMPLITUDE, 1);
    if (is_one_of(unit, angle, COUNT(angle))) return sure(RS_QUANTITY_PHASE, 1);
    if (is_one_of(unit, other, COUNT(other))) return sure(RS_QUANTITY_OTHER, 1);
    return sure(RS_QUANTITY_UNKNOWN, 0);
}

bool rs_unit_is_physical(const char *unit)
{
    return rs_quantity_of_unit(unit).grade > 0 || rs_metres_per(unit) > 0;
}

const char *rs_quantity_name(rs_quantity quantity)
{
    switch (quantity) {
    case RS_QUANTITY_UNKNOWN: return "unknown quantity";
    case RS_QUANTITY_OTHER: return "other quantity";
    case RS_QUANTITY_AMPLITUDE: return "amplitude";
    case RS_QUANTITY_PHASE: return "phase";
    case RS_QUANTITY_WALLS: return "wall map";
    case RS_QUANTITY_WALL_VARIANCE: return "wall variance";
    }
    return "unknown quantity";
}
