/* findings.h - what is to be reported of the tests of walls: for each question one p value with the
 * name of its test, an effect with its estimator and interval, and how many walls and points it
 * stands on.
 *
 *     rs_finding f[RS_FINDINGS];
 *     const int n = rs_wall_findings(&tests, f);
 *     for (int i = 0; i < n; i++) printf("%s: p = %g (%s)\n", f[i].question, f[i].p, f[i].test);
 */
#ifndef RS_IMGPROC_WALLS_FINDINGS_H
#define RS_IMGPROC_WALLS_FINDINGS_H

#include "imgproc/walls/tests.h"

#define RS_FINDINGS (3 + RS_WALL_CONTROLS)

typedef struct rs_finding {
    const char
        *question;     /* alternation, long_short, domain_distance, a_domain, c_domain, 180_wall */
    const char *title; /* the same for people */
    const char *test;  /* whose p it is */
    double p, p_holm;  /* alone, and corrected (Holm) for all that are listed together */
    const char *estimator;
    double estimate, lo,
        hi;     /* with its 95 % confidence interval, walls being the units; NaN: none */
    bool plain; /* the estimate is a number, else it is in the metric's unit */
    const char *effect_name; /* of a size without unit */
    double effect;
    int walls;    /* that the test counts, after pieces were joined */
    int controls; /* control points, or 0 */
} rs_finding;

/* The findings of the tests that could be made, in the order above; returns how many. */
int rs_wall_findings(const rs_wall_tests *tests, rs_finding out[RS_FINDINGS]);

#endif
