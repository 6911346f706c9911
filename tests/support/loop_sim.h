/* loop_sim.h - hysteresis loops of known widths and areas that no fitted function can describe:
 * sums of grains, each a rectangular hysteron that switches up at its own voltage and down at
 * another (Preisach 1935). */
#ifndef RS_TESTS_SUPPORT_LOOP_SIM_H
#define RS_TESTS_SUPPORT_LOOP_SIM_H

#include "beps/loop.h"
#include "support/support.h"

/* The exact truth of a simulated loop: the voltages at which half of the switching is done, and the
 * area, which is that of its rectangles. */
typedef struct sim_truth {
    double v_plus, v_minus, area, height;
} sim_truth;

/* The triangle of n steps (a multiple of 4) and that amplitude, from 0 V upwards. */
void sim_triangle(int n, double amplitude, double *v);
/* Its sweep (rs_sweep_clear); n <= 1024. */
void sim_sweep(int n, double amplitude, rs_sweep *s);

/* A loop of straight pieces: from -1 to +1 between 2 and 4 V on the way up and between -3 and -5 V
 * on the way down, plus offset + slope*v. Every number of it can be read off. y [s->n]. */
void sim_straight_loop(const rs_sweep *s, double offset, double slope, double *y);

/* A loop on the triangle v [n]: 60 to 300 grains of different weights, whose switching voltages
 * follow one of three distributions (normal, skewed, two-peaked) with random centres (2 to 5.5 V
 * from an imprint of -1 to 1 V) and spreads (0.3 to 1.2 V). Noise: sigma times half the height, the
 * amplitude of the saturated response. */
void sim_loop(test_rng *r, const double *v, int n, double sigma, double *y, sim_truth *truth);

#endif
