/* cpu.h - which instruction set the kernels use. */
#ifndef RS_BASE_CPU_H
#define RS_BASE_CPU_H

#include <stdbool.h>

#include "base/status.h"

/* Ordered: each includes those before it that the machine has at all (see rs_isa_runs). */
typedef enum rs_isa { RS_ISA_GENERIC, RS_ISA_NEON, RS_ISA_AVX2, RS_ISA_AVX512 } rs_isa;

/* "generic", "neon", "avx2", "avx512" */
const char *rs_isa_name(rs_isa isa);

/* The best that processor and operating system support. */
rs_isa rs_isa_best(void);

/* Returns true for an instruction set of this machine: between generic and the best lie those of
 * other makers. */
bool rs_isa_runs(rs_isa isa);

/* rs_isa_best(), unless the environment's RESHED_ISA names another; an unknown or unavailable name
 * is RESHED_EUNSUPPORTED. */
reshed_status rs_isa_select(rs_isa *isa, reshed_error *err);

/* Returns true when an instruction set comes, on this processor, with the bf16 dot product
 * (AVX512_BF16): no level of its own, it goes with RS_ISA_AVX512; without it bf16 is emulated. */
bool rs_isa_has_bf16(rs_isa isa);

typedef enum rs_cpu_maker { RS_CPU_OTHER, RS_CPU_AMD, RS_CPU_INTEL } rs_cpu_maker;

/* What decides which settings pay: an instruction set, and how well a processor carries it out. */
typedef struct rs_capability {
    rs_isa isa;
    bool bf16; /* rs_isa_has_bf16 */
    rs_cpu_maker maker;
} rs_capability;

/* Of this machine with an instruction set. */
rs_capability rs_capability_of(rs_isa isa);

/* The processor's model name into buf; "unknown" when it cannot be had. */
void rs_cpu_name(char *buf, size_t n);

#endif
