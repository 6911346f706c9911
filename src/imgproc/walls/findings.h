/* findings.h - what is to be reported of the tests of walls: for each question one p value with the
 * name of its test, an effect with its estimator and interval, and how many walls and points it
 * stands on.
 *
 *     rs_finding f[RS_FINDINGS];
 *     const int n = rs_wall_findings(&tests, f, NULL);
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
    double least;      /* p that so many walls can give at best */
    const char *estimator;
    double estimate, lo,
        hi;     /* with its 95 % confidence interval, walls being the units; NaN: none */
    bool plain; /* the estimate is a number, else it is in the metric's unit */
    const char *effect_name; /* of a size without unit */
    double effect;
    int walls;    /* that the test counts, after pieces were joined */
    int controls; /* control points, or 0 */
} rs_finding;

#define RS_FINDING_LEVEL 0.05

/* The findings of the tests that can find something, in the order above; returns how many. Tests that
 * stand on so few walls that no data could bring their p to RS_FINDING_LEVEL are none, and the others are
 * not corrected for them: these *few (NULL: not wanted) follow in `out`, with a NaN for p_holm. */
int rs_wall_findings(const rs_wall_tests *tests, rs_finding out[RS_FINDINGS], int *few);

#endif
