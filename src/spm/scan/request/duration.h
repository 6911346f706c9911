/* duration.h - how long an acquisition takes, in the instrument's seconds: told from the settings before
 * it begins, and from what its parts were seen to take while it runs.
 *
 *     rs_durations t = rs_durations_planned(settings, excites_bands, n);
 *     printf("%.0f s\n", t.survey + rs_durations_of_points(&t, settings, 0, n));
 *
 * Beside the loops there are the ways between them, a patch and a reference loop before the first point
 * and before every so many. */
#ifndef RS_SPM_SCAN_REQUEST_DURATION_H
#define RS_SPM_SCAN_REQUEST_DURATION_H

#include <stdbool.h>

#include "spm/scan/request/settings.h"

typedef struct rs_durations {
    double survey; /* all lines, once */
    double point;  /* the way to it and its loop */
    double patch, reference;
} rs_durations;

/* As the settings have it, for a list of n points: the way from one to the next is that of a short tour
 * of places that lie anywhere in the frame. bands: the instrument excites bands, which takes be_repeats
 * pulses at each pixel and each voltage. */
rs_durations rs_durations_planned(const rs_scan_settings *s, bool bands, int n);

/* A loop alone. */
double rs_durations_loop(const rs_scan_settings *s, bool bands);

/* n points that follow `done` ones of the same list, with their patches and reference loops. */
double rs_durations_of_points(const rs_durations *t, const rs_scan_settings *s, int done, int n);
/* The most points, of n, for which there are `seconds`. */
int rs_durations_fit(const rs_durations *t, const rs_scan_settings *s, int done, int n,
                     double seconds);

/* What parts of the run took, to put in the place of what was planned. Zeroed: nothing seen. */
typedef struct rs_durations_seen {
    struct rs_durations_part {
        double sum;
        int n;
    } point, patch, reference;
} rs_durations_seen;
void rs_durations_add(struct rs_durations_part *part, double seconds);
rs_durations rs_durations_known(const rs_durations *planned, const rs_durations_seen *seen);

/* A list that is thinned evenly along its way while it runs. Zeroed: nothing is planned yet. */
typedef struct rs_thinning {
    int done;      /* points that were done at the latest plan */
    int fit;       /* points there is time for then, of those to come */
    double share;  /* of the points to come */
    double credit; /* points owed to the share, below 1 */
} rs_thinning;
/* Returns true if the next point is measured, false if it is passed over, so that what is measured of the
 * `pending` points to come (the next one included) fits into `seconds`. The first point is measured in any
 * case. Plans anew only once a point more is done: passing over changes nothing that a plan rests on. */
bool rs_thinning_keeps(rs_thinning *thin, const rs_durations *t, const rs_scan_settings *s,
                       int done, int pending, double seconds);

#endif
