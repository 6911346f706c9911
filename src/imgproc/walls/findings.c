#include "imgproc/walls/findings.h"

#include <math.h>

static rs_finding alternation(const rs_wall_tests *t)
{
    const rs_alternation *a = &t->alternation;
    return (rs_finding){.question = "alternation",
                        .title = "Neighbouring parallel walls differ",
                        .test =
                            "permutation of the walls, mean |difference| of neighbours, one-sided",
                        .p = a->p_successive,
                        .least = a->least,
                        .estimator = "mean |difference| of neighbours less that of any two walls",
                        .estimate = a->successive - a->chance,
                        .lo = a->lo,
                        .hi = a->hi,
                        .effect_name = "autocorrelation of neighbours",
                        .effect = a->autocorrelation,
                        .walls = a->walls};
}

static rs_finding ranks(const rs_rank_test *r, bool controls)
{
    return (rs_finding){.test = r->exact ? "Mann-Whitney rank sum, exact, two-sided"
                                         : "Mann-Whitney rank sum, normal, two-sided",
                        .p = r->p,
                        .least = r->least,
                        .estimator = "Hodges-Lehmann shift",
                        .estimate = r->shift,
                        .lo = r->lo,
                        .hi = r->hi,
                        .effect_name = "probability of superiority",
                        .effect = r->effect,
                        .walls = r->n[0] + (controls ? 0 : r->n[1]),
                        .controls = controls ? r->n[1] : 0};
}

static rs_finding trend(const rs_wall_tests *t)
{
    return (rs_finding){.question = "domain_distance",
                        .title = "Trend with the distance from large in-plane domains",
                        .test = t->trend.exact ? "Spearman, all orders, two-sided"
                                               : "Spearman, permutation of the walls, two-sided",
                        .p = t->trend.p,
                        .least = t->trend.least,
                        .estimator = "Spearman's rho",
                        .estimate = t->trend.rho,
                        .lo = t->trend.lo,
                        .hi = t->trend.hi,
                        .plain = true,
                        .effect_name = "Spearman's rho",
                        .effect = t->trend.rho,
                        .walls = t->trend.n};
}

/* Holm (1979): the k-th smallest of n counts n - k times, and none less than one before. */
static void correct(rs_finding *f, int n)
{
    bool done[RS_FINDINGS] = {false};
    double least = 0;
    for (int left = n; left > 0; left--) {
        int next = -1;
        for (int i = 0; i < n; i++)
            if (!done[i] && (next < 0 || f[i].p < f[next].p)) next = i;
        least = fmax(least, fmin(1, left * f[next].p));
        f[next].p_holm = least;
        done[next] = true;
    }
}

/* Brings those that can find something to the front, each kind in its order; returns how many. */
static int part(rs_finding *f, int n)
{
    rs_finding weak[RS_FINDINGS];
    int strong = 0, weaker = 0;
    for (int i = 0; i < n; i++) {
        if (f[i].least <= RS_FINDING_LEVEL) {
            f[strong++] = f[i];
        } else {
            weak[weaker] = f[i];
            weak[weaker++].p_holm = NAN;
        }
    }
    for (int i = 0; i < weaker; i++) f[strong + i] = weak[i];
    return strong;
}

int rs_wall_findings(const rs_wall_tests *t, rs_finding out[RS_FINDINGS], int *few)
{
    static const struct {
        const char *question, *title;
    } control[RS_WALL_CONTROLS] = {{"a_domain", "Walls against a domains"},
                                   {"c_domain", "Walls against c domains"},
                                   {"180_wall", "Walls against 180-degree walls"}};
    int n = 0;
    if (t->has_alternation) out[n++] = alternation(t);
    if (t->has_lengths) {
        out[n] = ranks(&t->lengths, false);
        out[n].question = "long_short";
        out[n++].title = "Long walls against short ones";
    }
    if (t->has_trend && isfinite(t->trend.p)) out[n++] = trend(t);
    for (int c = 0; c < RS_WALL_CONTROLS; c++) {
        if (!t->has_control[c]) continue;
        out[n] = ranks(&t->control[c], true);
        out[n].question = control[c].question;
        out[n++].title = control[c].title;
    }
    const int able = part(out, n);
    if (few) *few = n - able;
    correct(out, able);
    return able;
}
