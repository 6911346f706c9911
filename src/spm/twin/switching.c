#include "spm/twin/switching.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/statistics.h"
#include "spm/twin/objects.h"

/* Streams of the smooth random functions; volumes take two each from VOLUME on. */
enum {
    FIELD_WIDTH = 301,
    FIELD_IMPRINT,
    FIELD_PLUS,
    FIELD_MINUS,
    FIELD_SPREAD,
    FIELD_VOLUME = 400
};

/* A place moves each volume from its quantile by so many standard deviations of the population. */
#define WANDER 0.35

void rs_twin_switching_defaults(rs_twin_switching *o)
{
    *o = (rs_twin_switching){
        .coercive = 3.0,
        .coercive_a = 0.3,
        .coercive_wall = 0,
        .alternate = 0.25,
        .shorter = 0.3,
        .short_length = 350e-9,
        .reach = 20e-9,
        .spread = 0.16,
        .spread_wall = 0.3,
        .skew = 0.3,
        .imprint = 0.5,
        .imprint_c = 0.3,
        .scatter = 0.06,
        .scatter_imprint = 0.15,
        .scatter_size = 30e-9,
        .response_a = -0.35,
        .resonance_bias = -30,
        .resonance_state = 200,
        .electrostatic = 0.03,
        .contact = 0.4,
    };
}

const rs_twin_field *rs_twin_switching_fields(int *n)
{
#define PLAIN(member, least, most) RS_TWIN_FIELD(rs_twin_switching, member, least, most)
    static const rs_twin_field fields[] = {
        PLAIN(coercive, 0.05, 1e3),
        PLAIN(coercive_a, -0.9, 10),
        PLAIN(coercive_wall, -0.9, 10),
        PLAIN(alternate, -0.9, 0.9),
        {"short", offsetof(rs_twin_switching, shorter), -0.9, 10},
        PLAIN(short_length, 1e-12, 1e-2),
        PLAIN(reach, 1e-12, 1e-2),
        PLAIN(spread, 0, 2),
        PLAIN(spread_wall, -1, 10),
        PLAIN(skew, 0, 1),
        PLAIN(imprint, -1e3, 1e3),
        PLAIN(imprint_c, -1e3, 1e3),
        PLAIN(scatter, 0, 1),
        PLAIN(scatter_imprint, 0, 1e3),
        PLAIN(scatter_size, 1e-12, 1),
        PLAIN(response_a, -1, 10),
        PLAIN(resonance_bias, -1e6, 1e6),
        PLAIN(resonance_state, -1e6, 1e6),
        PLAIN(electrostatic, -10, 10),
        PLAIN(contact, -1e3, 1e3),
    };
#undef PLAIN
    *n = sizeof fields / sizeof fields[0];
    return fields;
}

reshed_status rs_twin_switching_check(const rs_twin_switching *o, reshed_error *err)
{
    int n;
    const rs_twin_field *f = rs_twin_switching_fields(&n);
    return rs_twin_fields_check(f, n, o, "switching option", err);
}

/* ----------------------------------------------------------------------- smooth random functions
 *
 * A sum of lattice values under a Gaussian bump of half a cell, over the 4 x 4 nearest nodes: unit
 * variance everywhere, nearly normal, and without a visible seam (a node enters with the weight
 * exp(-8)). One set of weights serves every function, since all share the lattice. */

typedef struct smooth {
    int64_t i, j;
    double weight[4][4];
} smooth;

static smooth smooth_at(double x, double y)
{
    smooth s;
    double fx = floor(x), fy = floor(y), sum = 0;
    s.i = (int64_t)fx - 1;
    s.j = (int64_t)fy - 1;
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) {
            double dx = x - fx - (a - 1), dy = y - fy - (b - 1);
            double w = exp(-2 * (dx * dx + dy * dy));
            s.weight[a][b] = w;
            sum += w * w;
        }
    double scale = sqrt(3 / sum); /* the lattice's variance is 1/3 */
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) s.weight[a][b] *= scale;
    return s;
}

static double smooth_value(const smooth *s, uint64_t seed)
{
    double sum = 0;
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            sum += s->weight[a][b] * (double)rs_lattice2(seed, s->i + a, s->j + b);
    return sum;
}

/* ------------------------------------------------------------------------------------ the place */

static double normal_quantile(double p)
{
    return sqrt(2) * rs_erfinv(2 * p - 1);
}

/* Median 0 whatever the skew, so that V+ and V- stay what they are called. */
static double skewed(double z, double skew)
{
    return skew > 1e-6 ? expm1(skew * z) / skew : z;
}

/* 1 at walls much shorter than short_length that end as a needle, 0 at long ones. */
static double shortness(const rs_twin_sample *sample, const rs_twin_switching *o, int stripe)
{
    const twin_stripe *st = &sample->stripe[stripe];
    if (st->end[0] != RS_TWIN_END_NEEDLE && st->end[1] != RS_TWIN_END_NEEDLE) return 0;
    double begin, end;
    twin_stripe_span(st, &begin, &end);
    double ratio = (end - begin) / o->short_length;
    return 1 / (1 + ratio * ratio * ratio * ratio);
}

static void place_means(const rs_twin_sample *sample, const rs_twin_switching *o, const smooth *s,
                        rs_twin_site *site, double *plus, double *minus, double *spread)
{
    const rs_twin_point *p = &site->point;
    uint64_t seed = rs_hash64(sample->opt.seed);
    double away = 1 + o->coercive_a * (double)p->a, at = away, near = 0;
    if (p->stripe >= 0) {
        double d = (double)p->wall / o->reach;
        near = exp(-d * d);
        at = 1 + o->coercive_wall + o->alternate * p->tilt +
             o->shorter * shortness(sample, o, p->stripe);
    }
    double factor = away + near * (at - away);
    double local = 1 + o->scatter * smooth_value(s, seed + FIELD_WIDTH);
    double half = o->coercive * fmax(factor, 0.05) * fmax(local, 0.05);
    site->half_width = half;
    site->imprint = o->imprint + o->imprint_c * (double)p->c +
                    o->scatter_imprint * smooth_value(s, seed + FIELD_IMPRINT);
    *plus = half * fmax(1 + 0.5 * o->scatter * smooth_value(s, seed + FIELD_PLUS), 0.05);
    *minus = half * fmax(1 + 0.5 * o->scatter * smooth_value(s, seed + FIELD_MINUS), 0.05);
    *spread = o->spread * fmax(1 + o->spread_wall * near, 0) *
              fmax(1 + 0.15 * smooth_value(s, seed + FIELD_SPREAD), 0.05);
}

static void place_volumes(const rs_twin_sample *sample, const rs_twin_switching *o, const smooth *s,
                          double plus, double minus, double spread, rs_twin_site *site)
{
    const int n = RS_TWIN_VOLUMES;
    uint64_t seed = rs_hash64(sample->opt.seed) + FIELD_VOLUME;
    /* Which V+ goes with which V- is the same everywhere: a stride that visits all. */
    const int stride = 37;
    double total = 0;
    for (int j = 0; j < n; j++) {
        double g = normal_quantile((j + 0.5) / n);
        double h = normal_quantile((j * stride % n + 0.5) / n);
        g += WANDER * smooth_value(s, seed + 3 * (uint64_t)j);
        h += WANDER * smooth_value(s, seed + 3 * (uint64_t)j + 1);
        site->down[j] = site->imprint + plus * exp(spread * skewed(g, o->skew));
        site->up[j] = site->imprint - minus * exp(spread * skewed(h, o->skew));
        site->weight[j] = exp(0.4 * smooth_value(s, seed + 3 * (uint64_t)j + 2));
        total += site->weight[j];
    }
    double share = 0.5 * (1 + (double)site->point.c); /* that points up */
    for (int j = 0; j < n; j++) {
        site->weight[j] /= total;
        site->state[j] = (j * stride % n + 0.5) / n < share ? 1 : -1;
    }
}

reshed_status rs_twin_site_init(const rs_twin_sample *sample, const rs_twin_switching *o, double x,
                                double y, rs_twin_site *site, reshed_error *err)
{
    float resonance, q;
    double plus, minus, spread;
    rs_twin_site new = {0};
    reshed_status st = rs_twin_switching_check(o, err);
    rs_twin_view view = {
        .cx = x, .cy = y, .width = 1e-9, .height = 1e-9, .rows = 1, .cols = 1, .row_end = 1};
    rs_twin_channels out = {.resonance = &resonance, .q = &q};
    if (st == RESHED_OK) st = rs_twin_render(sample, &view, &out, err);
    if (st != RESHED_OK) return st;
    rs_twin_probe(sample, x, y, &new.point);
    smooth s = smooth_at(x / o->scatter_size, y / o->scatter_size);
    place_means(sample, o, &s, &new, &plus, &minus, &spread);
    place_volumes(sample, o, &s, plus, minus, spread, &new);
    new.response = sample->opt.level *fmax(1 + o->response_a * (double)new.point.a, 0);
    new.back_re = TWIN_BACKGROUND_RE * sample->opt.level * sample->opt.offset;
    new.back_im = TWIN_BACKGROUND_IM * sample->opt.level * sample->opt.offset;
    new.resonance = (double)resonance;
    new.q = (double)q;
    *site = new;
    return RESHED_OK;
}

void rs_twin_site_apply(rs_twin_site *site, double volts)
{
    for (int j = 0; j < RS_TWIN_VOLUMES; j++) {
        if (volts >= site->down[j]) site->state[j] = -1;
        if (volts <= site->up[j]) site->state[j] = 1;
    }
}

double rs_twin_site_state(const rs_twin_site *site)
{
    double sum = 0;
    for (int j = 0; j < RS_TWIN_VOLUMES; j++) sum += site->weight[j] * site->state[j];
    return sum;
}

void rs_twin_site_read(const rs_twin_site *site, const rs_twin_switching *o, double volts,
                       rs_twin_reading *out)
{
    double state = rs_twin_site_state(site);
    /* The force between charges is in phase with the drive and does not know the polarisation; it
     * is measured against the switchable response of a c domain. */
    double level = site->response / fmax(1 + o->response_a * (double)site->point.a, 1e-9);
    double force = o->electrostatic * level * (volts - o->contact);
    *out = (rs_twin_reading){.re = site->response * state + site->back_re + force,
                             .im = site->back_im,
                             .resonance = site->resonance + o->resonance_bias * volts +
                                          0.5 * o->resonance_state * (state - 1),
                             .q = site->q};
}

/* ------------------------------------------------------------------------------------ the truth */

typedef struct step {
    double at, weight;
} step;

static int by_voltage(const void *a, const void *b)
{
    double x = ((const step *)a)->at, y = ((const step *)b)->at;
    return x < y ? -1 : x > y;
}

/* The voltage that parts the weights evenly, between the middles of two volumes. */
static double weighted_median(step *s, int n, double total)
{
    qsort(s, (size_t)n, sizeof *s, by_voltage);
    double sum = 0;
    for (int j = 0; j < n; j++) {
        double middle = sum + 0.5 * s[j].weight;
        if (middle >= 0.5 * total) {
            if (j == 0) return s[0].at;
            double before = sum - 0.5 * s[j - 1].weight;
            double t = (0.5 * total - before) / (middle - before);
            return s[j - 1].at + t * (s[j].at - s[j - 1].at);
        }
        sum += s[j].weight;
    }
    return s[n - 1].at;
}

reshed_status rs_twin_switching_truth(const rs_twin_sample *sample, const rs_twin_switching *o,
                                      double x, double y, double v_min, double v_max,
                                      rs_twin_loop_truth *out, reshed_error *err)
{
    rs_twin_site site;
    step down[RS_TWIN_VOLUMES], up[RS_TWIN_VOLUMES];
    int n = 0;
    rs_twin_loop_truth t = {.v_plus = NAN, .v_minus = NAN, .width = NAN, .imprint = NAN};
    if (!(v_min < v_max))
        return rs_fail(err, RESHED_EINVAL, "ends of a loop|low < high|%g, %g", v_min, v_max);
    reshed_status st = rs_twin_site_init(sample, o, x, y, &site, err);
    if (st != RESHED_OK) return st;
    for (int j = 0; j < RS_TWIN_VOLUMES; j++) {
        if (site.down[j] > v_max || site.up[j] < v_min || site.up[j] >= site.down[j]) continue;
        down[n] = (step){site.down[j], site.weight[j]};
        up[n] = (step){site.up[j], site.weight[j]};
        t.saturation += site.weight[j];
        t.area += 2 * site.response * site.weight[j] * (site.down[j] - site.up[j]);
        n++;
    }
    t.height = 2 * site.response * t.saturation;
    if (n > 0) {
        t.v_plus = weighted_median(down, n, t.saturation);
        t.v_minus = weighted_median(up, n, t.saturation);
        t.width = t.v_plus - t.v_minus;
        t.imprint = 0.5 * (t.v_plus + t.v_minus);
    }
    *out = t;
    return RESHED_OK;
}
