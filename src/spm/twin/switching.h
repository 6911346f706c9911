/* switching.h - how the film of the twin switches under a tip with a voltage: the physics
 * behind its hysteresis loops.
 *
 * A place on the film is a population of small volumes under the tip (Preisach 1935). Volume j, of
 * weight w_j, switches down when the tip's voltage passes its V+_j and up when it passes its V-_j;
 * the response is the weighted mean of the volumes' states, so a loop has whatever shape its
 * distributions give it, not that of a fit function:
 *
 *     V+_j = imprint + V+ exp(spread g_j)        V-_j = imprint - V- exp(spread h_j)
 *
 * g_j and h_j are quantiles of a skewed distribution of median 0, shifted a little from place to
 * place. V+, V-, spread and imprint are smooth random functions of position plus what the wall
 * under the tip says:
 *  - along a family of parallel walls the loops are alternately wide and narrow, with the sense in
 *    which the wall leans (`alternate`; the finding of arXiv:2206.11457 on PbTiO3);
 *  - short walls, which end as needles, are wider than long ones (`short`; its finding on PZT);
 *  - elsewhere c and a domains have their own values, and c+ and c- opposite imprints.
 * All of it is a function of the film's seed and the position alone, so a place measured again
 * gives the same loop, and a place nearby nearly the same.
 *
 * Positive voltage at the tip writes polarisation that points down: c-. */
#ifndef RS_SPM_TWIN_SWITCHING_H
#define RS_SPM_TWIN_SWITCHING_H

#include "base/status.h"
#include "spm/twin/sample.h"

typedef struct rs_twin_switching {
    double coercive;        /* V, half-width of the loops in a c domain */
    double coercive_a;      /* relative change of it in an a domain */
    double coercive_wall;   /* at a wall, before the two that follow */
    double alternate;       /* at a wall that leans one way: +, the other way: - */
    double shorter;         /* at a wall much shorter than short_length with a needle's end */
    double short_length;    /* m */
    double reach;           /* m, from a wall to where its influence has fallen to 1/e */
    double spread;          /* relative standard deviation of the volumes' voltages at a place */
    double spread_wall;     /* relative change of it at a wall */
    double skew;            /* of that distribution: 0 symmetric, 1 strongly one-sided */
    double imprint;         /* V */
    double imprint_c;       /* V, further: + in c+, - in c- */
    double scatter;         /* relative standard deviation of the half-width from place to place */
    double scatter_imprint; /* V, of the imprint */
    double scatter_size;    /* m, distance over which places differ */
    double response_a;      /* relative change of the switchable response in an a domain */
    double resonance_bias;  /* Hz/V, shift of the resonance while a voltage is applied */
    double resonance_state; /* Hz, shift between the states: + half up, - half down */
    double electrostatic;   /* of the c level per V, response to a voltage while it is applied */
    double contact;         /* V, contact potential difference: where that response is zero */
} rs_twin_switching;

void rs_twin_switching_defaults(rs_twin_switching *o);
/* Every number by its name, as rs_twin_option_fields; shorter is called "short". */
const rs_twin_field *rs_twin_switching_fields(int *n);
reshed_status rs_twin_switching_check(const rs_twin_switching *o, reshed_error *err);

/* Volumes of a place. */
#define RS_TWIN_VOLUMES 96

/* One place and its state. */
typedef struct rs_twin_site {
    double up[RS_TWIN_VOLUMES];         /* V-: below it the volume points up */
    double down[RS_TWIN_VOLUMES];       /* V+: above it the volume points down */
    double weight[RS_TWIN_VOLUMES];     /* they sum to 1 */
    signed char state[RS_TWIN_VOLUMES]; /* +1 up, -1 down */
    double half_width, imprint;         /* V, that the population was drawn about */
    double response;                    /* m, amplitude of the switchable response */
    double back_re, back_im;            /* m, the instrument's background */
    double resonance, q;                /* Hz, 1: in the c+ state without voltage */
    rs_twin_point point;                /* the film there */
} rs_twin_site;

/* The place at (x,y) of the film, its volumes in the state of the domain. Fails as rs_twin_render
 * does. */
reshed_status rs_twin_site_init(const rs_twin_sample *sample, const rs_twin_switching *o, double x,
                                double y, rs_twin_site *site, reshed_error *err);
/* Applies a voltage: volumes switch and stay so. */
void rs_twin_site_apply(rs_twin_site *site, double volts);
/* Mean state: +1 all up ... -1 all down. */
double rs_twin_site_state(const rs_twin_site *site);

/* One reading of the tip: the complex response in m, the resonance in Hz and Q. volts is the
 * voltage during the reading (0 off field). */
typedef struct rs_twin_reading {
    double re, im, resonance, q;
} rs_twin_reading;
void rs_twin_site_read(const rs_twin_site *site, const rs_twin_switching *o, double volts,
                       rs_twin_reading *out);

/* The noise-free off-field loop of a place, exactly: from its population, not from samples. */
typedef struct rs_twin_loop_truth {
    double v_plus, v_minus; /* V, where half of what switches between the ends has switched */
    double width, imprint;  /* V: v_plus - v_minus, and their mean */
    double area;            /* V m */
    double height;          /* m, between the saturated branches */
    double saturation;      /* weight of the volumes that both ends of the sweep switch */
} rs_twin_loop_truth;

/* For a cycle between v_min and v_max (V); NaN in the voltages, and 0 elsewhere, when nothing
 * switches. */
reshed_status rs_twin_switching_truth(const rs_twin_sample *sample, const rs_twin_switching *o,
                                      double x, double y, double v_min, double v_max,
                                      rs_twin_loop_truth *out, reshed_error *err);

#endif
