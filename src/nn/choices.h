/* choices.h - which settings of the engine pay on a processor, and why: a table by capability, from
 * the measurements of docs/speed.md. `reshed-bench --check-table` measures every line of it. */
#ifndef RS_NN_CHOICES_H
#define RS_NN_CHOICES_H

#include "base/cpu.h"
#include "nn/layers.h"

/* Whether a setting is faster than the default, fp32 with the best instruction set and `auto`. */
typedef struct rs_choice {
    rs_isa isa;
    rs_algo algo;
    rs_precision precision;
    bool pays;
    const char *reason; /* half a sentence */
} rs_choice;

/* bf16 on a processor: a setting that does not pay is not used by the programs. */
rs_choice rs_choice_bf16(const rs_capability *c);

#define RS_CHOICES_MAX 10

/* The default and then every other setting there is with c->isa or less on this machine; returns
 * their number. */
int rs_choices(const rs_capability *c, rs_choice out[RS_CHOICES_MAX]);

#endif
