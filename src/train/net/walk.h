/* walk.h - walks through the weights of a network for samples of them, the alternatives that the
 * paper argues with (arXiv:2206.11457, introduction): vectors in, vectors out, no network.
 *
 *     rs_walk w = {.rate = 0.05, .friction = 0.1, .decay = 1e-4, .clip = 1, .noise = 0};
 *     loss = rs_member_gradient(m, batch);
 *     rs_walk_step(&w, p, v, g, real, n, rs_member_gradient_norm(m), &random);
 *
 * A step is stochastic-gradient Hamiltonian Monte Carlo with friction (Chen, Fox and Guestrin, ICML
 * 2014, eq. 15) as written for networks by Zhang et al., ICLR 2020 (arXiv:1902.03932, eq. 5):
 *
 *     v <- (1 - friction) v - rate (gradient + decay p) + noise sqrt(2 friction rate) N(0,1)
 *     p <- p + v
 *
 * With noise^2 = temperature / images it walks in exp(-images loss / temperature); without noise it
 * is gradient descent with momentum 1 - friction. */
#ifndef RS_TRAIN_WALK_H
#define RS_TRAIN_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"

typedef struct rs_walk {
    double rate, friction; /* > 0; friction at most 1 */
    double decay;          /* a Gaussian prior: of variance 1 / (images decay) */
    double clip;           /* the gradient's norm is cut to this; 0: never */
    double noise;          /* 0: none */
} rs_walk;

/* One step of p[n] and its velocity v[n] by the gradient g[n] of that norm. Numbers whose real[n] is
 * 0 are padding: they take no noise. A gradient that is not finite leaves all as it was. */
void rs_walk_step(const rs_walk *w, float *p, float *v, const float *g, const uint8_t *real,
                  size_t n, double norm, rs_random *random);

/* The rate of step `at` of a cycle of `steps`: half a cosine from `rate` to nothing (arXiv:1902.03932,
 * eq. 1). */
double rs_walk_cycle_rate(double rate, long at, long steps);

/* What SWAG (Maddox et al., NeurIPS 2019, arXiv:1902.02476) keeps of a walk: mean and variance of each
 * weight, and the last few weights less the mean of their time. */
typedef struct rs_swag {
    size_t n;
    int rank, added;       /* columns kept at most; weights taken */
    double *mean, *square; /* [n]; owned */
    float *deviation;      /* [rank,n], a ring; owned */
} rs_swag;

/* rank >= 2. Cleared with rs_swag_clear, also after a failure. */
reshed_status rs_swag_make(size_t n, int rank, rs_swag *out, reshed_error *err);
void rs_swag_clear(rs_swag *s);
void rs_swag_add(rs_swag *s, const float *p);
/* A sample: the mean, plus noise of half the variance from each weight's own spread and half from the
 * deviations (eq. 1 there). At least two weights must have been added. */
void rs_swag_draw(const rs_swag *s, rs_random *random, float *p);

#endif
