#include "spm/scan/request/duration.h"

#include <math.h>

#define TOUR 0.75 /* length of a short tour over sqrt(n * area), of n places anywhere in it */

/* s of the pulses at one place. */
static double pulses(const rs_scan_settings *s, bool bands)
{
    return bands && s->be_band > 0 ? s->be_repeats * s->be_duration : 0;
}

double rs_durations_loop(const rs_scan_settings *s, bool bands)
{
    const double fields = s->off_field != 0 ? 2 : 1;
    return rs_scan_steps(s) * fields * (s->settle + fmax(s->dwell, pulses(s, bands)));
}

rs_durations rs_durations_planned(const rs_scan_settings *s, bool bands, int n)
{
    const double pulse = pulses(s, bands), loop = rs_durations_loop(s, bands);
    const double way = TOUR * sqrt(s->width * s->height / fmax(n, 1)) / s->speed;
    const double home = 0.5 * sqrt(s->width * s->height) / s->speed; /* to a place anywhere */
    const double there_and_back = 2;
    return (rs_durations){
        .survey = s->rows * fmax(1 / s->line_rate, there_and_back * s->cols * pulse),
        .point = way + loop,
        .patch = s->patch * fmax(1 / s->line_rate, there_and_back * s->patch * pulse),
        .reference = loop + home};
}

/* How often something comes before the points done ... done + n - 1 that is due every so many. */
static int times(double every, int done, int n)
{
    const int step = (int)every;
    if (!(every > 0) || step < 1) return 0;
    return (done + n + step - 1) / step - (done + step - 1) / step;
}

double rs_durations_of_points(const rs_durations *t, const rs_scan_settings *s, int done, int n)
{
    return n * t->point + times(s->drift_every, done, n) * t->patch +
           times(s->reference_every, done, n) * t->reference;
}

int rs_durations_fit(const rs_durations *t, const rs_scan_settings *s, int done, int n,
                     double seconds)
{
    int lo = 0, hi = n; /* lo fit */
    while (lo < hi) {
        const int middle = lo + (hi - lo + 1) / 2;
        if (rs_durations_of_points(t, s, done, middle) <= seconds)
            lo = middle;
        else
            hi = middle - 1;
    }
    return lo;
}

void rs_durations_add(struct rs_durations_part *part, double seconds)
{
    part->sum += seconds;
    part->n++;
}

static double known(double planned, const struct rs_durations_part *seen)
{
    return seen->n ? seen->sum / seen->n : planned;
}

rs_durations rs_durations_known(const rs_durations *planned, const rs_durations_seen *seen)
{
    return (rs_durations){.survey = planned->survey,
                          .point = known(planned->point, &seen->point),
                          .patch = known(planned->patch, &seen->patch),
                          .reference = known(planned->reference, &seen->reference)};
}

bool rs_thinning_keeps(rs_thinning *thin, const rs_durations *t, const rs_scan_settings *s,
                       int done, int pending, double seconds)
{
    const double rounding = 1e-9; /* of a sum of shares that should be a whole point */
    if (done == 0) return true;
    if (done != thin->done) {
        thin->done = done;
        thin->fit = rs_durations_fit(t, s, done, pending, seconds);
        thin->share = pending > 0 ? (double)thin->fit / pending : 0;
    }
    thin->credit += thin->share;
    if (thin->credit < 1 - rounding) return false;
    thin->credit = fmax(thin->credit - 1, 0);
    return true;
}
