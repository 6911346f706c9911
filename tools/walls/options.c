#include "tools/walls/options.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/numeric.h"
#include "io/classes.h"
#include "io/image_file.h"
#include "tools/cli/paper.h"

/* "A,B" or "A-B", split at `mark`; text without one gives *b = a. False after a message. */
static bool parse_two(const cli_program *program, const char *option, const char *text, char mark,
                      double lo, double hi, double out[2])
{
    char first[64];
    const char *at = strchr(text, mark);
    size_t n = at ? (size_t)(at - text) : strlen(text);
    if (n >= sizeof first) {
        cli_usage_error(program, "%s: '%s' is no number", option, text);
        return false;
    }
    memcpy(first, text, n);
    first[n] = '\0';
    if (!cli_double(program, option, first, lo, hi, &out[0])) return false;
    out[1] = out[0];
    return !at || cli_double(program, option, at + 1, lo, hi, &out[1]);
}

static bool parse_length(const cli_program *program, const char *option, const char *text,
                         rs_length *out)
{
    static const struct {
        const char *name;
        double metres;
    } unit[] = {{"nm", 1e-9}, {"um", 1e-6}, {"px", 0}};
    size_t n = strlen(text);
    double scale = 0, value;
    for (size_t k = 0; k < sizeof unit / sizeof *unit; k++)
        if (n > 2 && strcmp(text + n - 2, unit[k].name) == 0) {
            scale = unit[k].metres;
            n -= 2;
            break;
        }
    if (!rs_number_parse(text, n, &value) || !(value >= 0) || !isfinite(value)) {
        cli_usage_error(program, "%s: expected a length such as 5, 5px, 20nm or 0.1um, found '%s'",
                        option, text);
        return false;
    }
    *out = (rs_length){scale > 0 ? value * scale : value, scale > 0};
    return true;
}

static bool parse_angle(const cli_program *program, const char *option, const char *text,
                        double most, double *out)
{
    if (!cli_double(program, option, text, 0, most, out)) return false;
    *out *= RS_DEGREE;
    return true;
}

static bool parse_threshold(const cli_program *program, const char *text, walls_request *r)
{
    double v[2];
    r->threshold_given = true;
    if (strcmp(text, "otsu") == 0) {
        r->find.rule = RS_FIND_OTSU;
        return true;
    }
    if (!parse_two(program, "--threshold", text, ',', -1e30, 1e30, v)) return false;
    r->find.rule = strchr(text, ',') ? RS_FIND_HYSTERESIS : RS_FIND_ABOVE;
    r->find.low = v[0];
    r->find.high = v[1];
    if (v[0] <= v[1]) return true;
    cli_usage_error(program, "--threshold: expected LOW,HIGH with LOW <= HIGH, found '%s'", text);
    return false;
}

/* The place of text in list[n], or -1 after a message. */
static int parse_word(const cli_program *program, const char *option, const char *text,
                      const char *const *list, int n)
{
    char all[128] = "";
    for (int i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0) return i;
        strcat(strcat(all, i ? ", " : ""), list[i]);
    }
    cli_usage_error(program, "%s: expected one of %s, found '%s'", option, all, text);
    return -1;
}

static bool parse_control(const cli_program *program, const char *text, walls_request *r)
{
    static const char *const kind[RS_FIND_CONTROLS] = {"a:", "c:", "180:"};
    char part[32];
    while (*text) {
        size_t n = strcspn(text, ",");
        long count;
        int k = 0;
        while (k < RS_FIND_CONTROLS && strncmp(text, kind[k], strlen(kind[k])) != 0) k++;
        if (k == RS_FIND_CONTROLS || n >= sizeof part) {
            cli_usage_error(program, "--control: expected a:N, c:N or 180:N, found '%s'", text);
            return false;
        }
        memcpy(part, text, n);
        part[n] = '\0';
        if (!cli_int(program, "--control", part + strlen(kind[k]), 0, 100000, &count)) return false;
        r->find.control[k] = (int)count;
        text += n + (text[n] == ',');
    }
    return true;
}

void walls_request_defaults(walls_request *r)
{
    *r = (walls_request){.large_domain = {15, false},
                         .rows = {-1, -1},
                         .permutations = 9999,
                         .seed = 1,
                         .wall_class = -1,
                         .of_stack = RS_FRAME_ONLY};
    rs_find_defaults(&r->find);
    rs_paper_defaults(&r->paper);
}

enum {
    OPT_THRESHOLD = CLI_OPT_FIRST,
    OPT_CLASS,
    OPT_FRAME,
    OPT_THINNING,
    OPT_SPUR,
    OPT_MIN_WALL,
    OPT_REACH,
    OPT_TURN,
    OPT_CORNER,
    OPT_DOMAIN_MAX,
    OPT_AMPLITUDE,
    OPT_EVERY,
    OPT_SPACING,
    OPT_MIN_DISTANCE,
    OPT_ORDER,
    OPT_START,
    OPT_MARGIN,
    OPT_MAX_POINTS,
    OPT_ROWS,
    OPT_VARIANCE,
    OPT_MAX_VARIANCE,
    OPT_CONTROL,
    OPT_CONTROL_DISTANCE,
    OPT_PHASE,
    OPT_ON_180,
    OPT_SKELETON,
    OPT_POINTS,
    OPT_WALLS,
    OPT_BRANCHES,
    OPT_PAIRS,
    OPT_PNG,
    OPT_FIGURE,
    OPT_PAPER,
    OPT_VALUES,
    OPT_METRIC,
    OPT_STATS,
    OPT_GWY,
    OPT_GSF,
    OPT_ISO,
    OPT_LONG,
    OPT_LARGE_DOMAIN,
    OPT_IN_PLANE,
    OPT_FAMILY_ANGLE,
    OPT_PERMUTATIONS,
    OPT_SEED,
    OPT_PIXEL_SIZE,
    OPT_PIXELS,
    OPT_FOR,
    OPT_DEVICE,
    OPT_FRAME_OF
};

static const struct option LONGS[] = {
    CLI_COMMON_OPTIONS,
    {"threshold", required_argument, NULL, OPT_THRESHOLD},
    {"class", required_argument, NULL, OPT_CLASS},
    {"frame", required_argument, NULL, OPT_FRAME},
    {"thinning", required_argument, NULL, OPT_THINNING},
    {"spur", required_argument, NULL, OPT_SPUR},
    {"min-wall", required_argument, NULL, OPT_MIN_WALL},
    {"reach", required_argument, NULL, OPT_REACH},
    {"turn", required_argument, NULL, OPT_TURN},
    {"corner", required_argument, NULL, OPT_CORNER},
    {"domain-max", required_argument, NULL, OPT_DOMAIN_MAX},
    {"amplitude", required_argument, NULL, OPT_AMPLITUDE},
    {"every", required_argument, NULL, OPT_EVERY},
    {"spacing", required_argument, NULL, OPT_SPACING},
    {"min-distance", required_argument, NULL, OPT_MIN_DISTANCE},
    {"order", required_argument, NULL, OPT_ORDER},
    {"start", required_argument, NULL, OPT_START},
    {"margin", required_argument, NULL, OPT_MARGIN},
    {"max-points", required_argument, NULL, OPT_MAX_POINTS},
    {"rows", required_argument, NULL, OPT_ROWS},
    {"variance", required_argument, NULL, OPT_VARIANCE},
    {"max-variance", required_argument, NULL, OPT_MAX_VARIANCE},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"control-distance", required_argument, NULL, OPT_CONTROL_DISTANCE},
    {"phase", required_argument, NULL, OPT_PHASE},
    {"on-180", no_argument, NULL, OPT_ON_180},
    {"skeleton", required_argument, NULL, OPT_SKELETON},
    {"points", required_argument, NULL, OPT_POINTS},
    {"walls", required_argument, NULL, OPT_WALLS},
    {"branches", required_argument, NULL, OPT_BRANCHES},
    {"pairs", required_argument, NULL, OPT_PAIRS},
    {"png", required_argument, NULL, OPT_PNG},
    {"figure", required_argument, NULL, OPT_FIGURE},
    {"paper", required_argument, NULL, OPT_PAPER},
    {"values", required_argument, NULL, OPT_VALUES},
    {"metric", required_argument, NULL, OPT_METRIC},
    {"stats", required_argument, NULL, OPT_STATS},
    {"gwy", required_argument, NULL, OPT_GWY},
    {"gsf", required_argument, NULL, OPT_GSF},
    {"iso", required_argument, NULL, OPT_ISO},
    {"long", required_argument, NULL, OPT_LONG},
    {"large-domain", required_argument, NULL, OPT_LARGE_DOMAIN},
    {"in-plane", required_argument, NULL, OPT_IN_PLANE},
    {"family-angle", required_argument, NULL, OPT_FAMILY_ANGLE},
    {"permutations", required_argument, NULL, OPT_PERMUTATIONS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"channel", required_argument, NULL, 'c'},
    {"pixel-size", required_argument, NULL, OPT_PIXEL_SIZE},
    {"pixels", required_argument, NULL, OPT_PIXELS},
    {"for", required_argument, NULL, OPT_FOR},
    {"device", required_argument, NULL, OPT_DEVICE},
    {"frame-of", required_argument, NULL, OPT_FRAME_OF},
    {0}};

/* Options whose value is the name of a file or column. */
static const char **name_option(walls_request *r, int c)
{
    switch (c) {
    case 'c': return &r->channel;
    case OPT_AMPLITUDE: return &r->amplitude;
    case OPT_VARIANCE: return &r->variance;
    case OPT_PHASE: return &r->phase;
    case OPT_SKELETON: return &r->skeleton;
    case OPT_POINTS: return &r->points;
    case OPT_WALLS: return &r->walls;
    case OPT_BRANCHES: return &r->branches;
    case OPT_PAIRS: return &r->pairs;
    case OPT_DEVICE: return &r->device;
    case OPT_PNG: return &r->png;
    case OPT_VALUES: return &r->values;
    case OPT_METRIC: return &r->metric;
    case OPT_STATS: return &r->stats;
    case OPT_GWY: return &r->gwy;
    case OPT_GSF: return &r->gsf;
    case OPT_ISO: return &r->iso;
    case OPT_IN_PLANE: return &r->in_plane;
    case OPT_FRAME_OF: return &r->frame_of;
    default: return NULL;
    }
}

/* Options whose value is a length. */
static rs_length *length_option(walls_request *r, int c)
{
    switch (c) {
    case OPT_SPUR: return &r->find.spur;
    case OPT_MIN_WALL: return &r->find.min_wall;
    case OPT_DOMAIN_MAX: return &r->find.domain_max;
    case OPT_SPACING: return &r->find.spacing;
    case OPT_MIN_DISTANCE: return &r->find.min_distance;
    case OPT_MARGIN: return &r->find.margin;
    case OPT_CONTROL_DISTANCE: return &r->find.control_distance;
    case OPT_LONG: return &r->long_wall;
    case OPT_LARGE_DOMAIN: return &r->large_domain;
    default: return NULL;
    }
}

/* Every other option; false after a message. */
static bool other_option(const cli_program *program, walls_request *r, int c, const char *text)
{
    static const char *const orders[] = {"route", "author", "raster"};
    static const char *const thinnings[] = {"keep", "skimage"};
    static const char *const instruments[] = {"asylum", "nanonis", "aecroscopy"};
    static const char *const rules[] = {"centred", "inclusive", "half-open"};
    double two[2];
    long count;
    int k;
    switch (c) {
    case OPT_FIGURE: return cli_figure(program, text, &r->figure);
    case OPT_PAPER: return cli_paper(program, text, &r->paper);
    case OPT_THRESHOLD: return parse_threshold(program, text, r);
    case OPT_CLASS:
        if (!cli_int(program, "--class", text, 0, RS_CLASSES_MAX - 1, &count)) return false;
        r->wall_class = (int)count;
        return true;
    case OPT_FRAME: return cli_frame(program, text, &r->of_stack);
    case OPT_REACH: return cli_double(program, "--reach", text, 2, 1000, &r->find.reach);
    case OPT_TURN: return parse_angle(program, "--turn", text, 180, &r->find.turn);
    case OPT_CORNER: return parse_angle(program, "--corner", text, 180, &r->find.corner);
    case OPT_FAMILY_ANGLE:
        return parse_angle(program, "--family-angle", text, 90, &r->find.family_angle);
    case OPT_EVERY:
        if (!cli_int(program, "--every", text, 1, 1000000, &count)) return false;
        r->find.every = (int)count;
        return true;
    case OPT_MAX_POINTS:
        if (!cli_int(program, "--max-points", text, 0, 1000000, &count)) return false;
        r->find.max_points = (int)count;
        return true;
    case OPT_MAX_VARIANCE:
        return cli_double(program, "--max-variance", text, 0, 1e30, &r->find.max_variance);
    case OPT_ON_180: return r->find.on_180 = true;
    case OPT_CONTROL: return parse_control(program, text, r);
    case OPT_PERMUTATIONS:
        return cli_int(program, "--permutations", text, 1, 100000000, &r->permutations);
    case OPT_SEED: return cli_int(program, "--seed", text, 0, 2000000000, &r->seed);
    case OPT_START:
        r->has_start = true;
        return parse_two(program, "--start", text, ',', -1e6, 1e6, r->start);
    case OPT_ROWS:
        if (!parse_two(program, "--rows", text, '-', 0, 1e6, two)) return false;
        r->rows[0] = (long)two[0];
        r->rows[1] = (long)two[1];
        return true;
    case OPT_PIXEL_SIZE:
        if (!parse_two(program, "--pixel-size", text, ',', 1e-3, 1e9, two)) return false;
        r->pixel_size[0] = two[0] * 1e-9;
        r->pixel_size[1] = two[1] * 1e-9;
        return true;
    case OPT_ORDER:
        k = parse_word(program, "--order", text, orders, 3);
        r->find.order = (rs_find_order)k;
        return k >= 0;
    case OPT_THINNING:
        k = parse_word(program, "--thinning", text, thinnings, 2);
        r->find.thinning = (rs_find_thinning)k;
        return k >= 0;
    case OPT_FOR:
        k = parse_word(program, "--for", text, instruments, 3);
        r->instrument = (walls_instrument)(k + 1);
        return k >= 0;
    case OPT_PIXELS:
        k = parse_word(program, "--pixels", text, rules, 3);
        r->rule = (rs_pixel_rule)k;
        r->rule_typed = true;
        return k >= 0;
    default: return false;
    }
}

static const char *long_name(int c)
{
    for (const struct option *o = LONGS; o->name; o++)
        if (o->val == c) return o->name;
    return "?";
}

static bool set_option(const cli_program *program, walls_request *r, int c, const char *text)
{
    const char **name = name_option(r, c);
    rs_length *length = length_option(r, c);
    char option[64];
    if (c == OPT_SKELETON && strcmp(text, "skimage") == 0) {
        r->find.thinning = RS_FIND_SKIMAGE;
        return true;
    }
    if (name) *name = text;
    if (name || !length) return name || other_option(program, r, c, text);
    snprintf(option, sizeof option, "--%s", long_name(c));
    return parse_length(program, option, text, length);
}

int walls_parse(const cli_program *program, int argc, char **argv, walls_request *r)
{
    for (int c; (c = cli_option(program, argc, argv, "c:", LONGS)) != -1;) {
        if (c == CLI_OPT_HELP) return cli_help(program);
        if (c == CLI_OPT_VERSION) return cli_version(program);
        if (c == CLI_OPT_ERROR) return CLI_USAGE;
        if (c >= CLI_OPT_FIRST && c < CLI_OPT_FIRST + 64)
            r->typed |= UINT64_C(1) << (c - CLI_OPT_FIRST);
        if (c == CLI_OPT_QUIET)
            r->quiet = true;
        else if (c == CLI_OPT_JSON)
            r->json = true;
        else if (!set_option(program, r, c, optarg))
            return CLI_USAGE;
    }
    if (optind == argc) return cli_usage_error(program, "no MAP given");
    r->maps = argv + optind;
    r->n_maps = argc - optind;
    r->map = r->maps[0];
    if (r->n_maps > 1 && (r->variance || r->amplitude || r->phase || r->in_plane || r->values))
        return cli_usage_error(program,
                               "--variance, --amplitude, --phase, --in-plane and --values "
                               "are of one MAP, %d given",
                               r->n_maps);
    if ((r->values && !r->metric) || (r->stats && !r->metric))
        return cli_usage_error(program, "--values and --stats need --metric");
    if (r->device && r->instrument == WALLS_ANY)
        return cli_usage_error(program, "--device needs --for");
    if (r->instrument != WALLS_ANY && !r->rule_typed)
        r->rule = r->instrument == WALLS_NANONIS ? RS_PIXEL_CENTRED : RS_PIXEL_INCLUSIVE;
    if (r->find.spacing.value > 0 && r->find.order != RS_FIND_ROUTE)
        return cli_usage_error(program, "--spacing: the other orders take --every");
    if (r->find.control[RS_FIND_180_WALL] && !r->phase)
        return cli_usage_error(program, "--control=180:N needs --phase");
    return -1;
}

static bool typed(const walls_request *r, int option)
{
    return r->typed >> (option - CLI_OPT_FIRST) & 1;
}

void walls_take_recipe(walls_request *r, const rs_find_options *recipe)
{
    rs_find_options *f = &r->find;
    if (!typed(r, OPT_THRESHOLD)) f->low = recipe->low;
    if (!typed(r, OPT_THINNING) && f->thinning == RS_FIND_KEEP) f->thinning = recipe->thinning;
    if (!typed(r, OPT_MIN_WALL)) f->min_wall = recipe->min_wall;
    if (!typed(r, OPT_MARGIN)) f->margin = recipe->margin;
    if (!typed(r, OPT_MIN_DISTANCE)) f->min_distance = recipe->min_distance;
    if (!typed(r, OPT_ON_180)) f->on_180 = recipe->on_180;
    if (!typed(r, OPT_MAX_POINTS)) f->max_points = recipe->max_points;
    if (!typed(r, OPT_ORDER)) f->order = recipe->order;
    f->which = recipe->which;
    if (!typed(r, OPT_EVERY) && !typed(r, OPT_SPACING)) f->every = recipe->every;
    if (!typed(r, OPT_CONTROL))
        for (int k = 0; k < RS_FIND_CONTROLS; k++) f->control[k] = recipe->control[k];
    if (!typed(r, OPT_CONTROL_DISTANCE)) f->control_distance = recipe->control_distance;
}
