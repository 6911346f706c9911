#include "nn/kernels/kernels.h"

#include <string.h>

void rs_kernels_get(rs_isa isa, rs_kernels *k)
{
    memset(k, 0, sizeof *k);
    rs_kernels_overlay__generic(k);
    rs_kernels_overlay_bf16__generic(k);
#if defined(__x86_64__)
    if (isa >= RS_ISA_AVX2) rs_kernels_overlay__avx2(k);
    if (isa >= RS_ISA_AVX512) rs_kernels_overlay__avx512(k);
    if (rs_isa_has_bf16(isa)) rs_kernels_overlay_bf16__avx512bf16(k);
#elif defined(__aarch64__)
    if (isa == RS_ISA_NEON) rs_kernels_overlay__neon(k);
#endif
    k->isa = isa;
}
