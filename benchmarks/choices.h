/* choices.h - every setting of the engine beside the default, on this machine: is the table of
 * nn/choices.h right here? */
#ifndef RS_BENCHMARKS_CHOICES_H
#define RS_BENCHMARKS_CHOICES_H

#include "benchmarks/measure.h"
#include "nn/choices.h"

/* Differences below this are the machine's moods. */
#define BENCH_CHOICE_MARGIN 0.05

typedef struct bench_choice {
    rs_choice choice;
    double seconds, base; /* processor time of a member, and the default's between the same runs */
    double ratio;         /* median of seconds / base, run by run */
    /* Faster where the table says that it does not pay, or slower where it does: by the medians
     * and by the best runs. */
    bool wrong;
} bench_choice;

/* Settings of instruction set `isa`, each in turns with the default, `runs` (1 to BENCH_MAX_RUNS)
 * times. The model is only read. image [size,size], normalised. out[RS_CHOICES_MAX]. */
reshed_status bench_choices(const rs_model_file *model, rs_isa isa, int threads, int size, int runs,
                            const float *image, bench_choice *out, int *n, reshed_error *err);

#endif
