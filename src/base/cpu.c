#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

const char *rs_isa_name(rs_isa isa)
{
    switch (isa) {
    case RS_ISA_GENERIC: return "generic";
    case RS_ISA_NEON: return "neon";
    case RS_ISA_AVX2: return "avx2";
    case RS_ISA_AVX512: return "avx512";
    }
    return "?";
}

rs_isa rs_isa_best(void)
{
#if defined(__x86_64__)
    /* The compiler's builtin reads XCR0 as well: a feature counts only when the system saves its
     * registers (gcc and clang, cpu model initialisation). */
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (avx2 && avx512) return RS_ISA_AVX512;
    if (avx2) return RS_ISA_AVX2;
    return RS_ISA_GENERIC;
#elif defined(__aarch64__)
    return RS_ISA_NEON; /* part of every 64-bit ARM processor that runs such programs */
#else
    return RS_ISA_GENERIC;
#endif
}

bool rs_isa_runs(rs_isa isa)
{
#if defined(__aarch64__)
    const bool made_for = isa == RS_ISA_GENERIC || isa == RS_ISA_NEON;
#else
    const bool made_for = isa != RS_ISA_NEON;
#endif
    return made_for && isa <= rs_isa_best();
}

bool rs_isa_has_bf16(rs_isa isa)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return isa == RS_ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
    (void)isa;
    return false;
#endif
}

reshed_status rs_isa_select(rs_isa *isa, reshed_error *err)
{
    rs_isa best = rs_isa_best();
    const char *want = getenv("RESHED_ISA");
    if (!want || !*want) {
        *isa = best;
        return RESHED_OK;
    }
    for (int i = RS_ISA_GENERIC; i <= RS_ISA_AVX512; i++) {
        if (strcmp(want, rs_isa_name((rs_isa)i)) != 0) continue;
        if (!rs_isa_runs((rs_isa)i))
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "RESHED_ISA|one that this machine has, at best %s|%s", rs_isa_name(best),
                           want);
        *isa = (rs_isa)i;
        return RESHED_OK;
    }
    return rs_fail(err, RESHED_EUNSUPPORTED, "RESHED_ISA|generic, neon, avx2 or avx512|%s", want);
}

rs_capability rs_capability_of(rs_isa isa)
{
    rs_capability c = {.isa = isa, .bf16 = rs_isa_has_bf16(isa), .maker = RS_CPU_OTHER};
#if defined(__x86_64__)
    unsigned a, b, d, e;
    char maker[12];
    if (__get_cpuid(0, &a, &b, &e, &d)) {
        memcpy(maker, &b, 4);
        memcpy(maker + 4, &d, 4);
        memcpy(maker + 8, &e, 4);
        if (memcmp(maker, "AuthenticAMD", 12) == 0) c.maker = RS_CPU_AMD;
        if (memcmp(maker, "GenuineIntel", 12) == 0) c.maker = RS_CPU_INTEL;
    }
#endif
    return c;
}

void rs_cpu_name(char *buf, size_t n)
{
    snprintf(buf, n, "unknown");
#if defined(__x86_64__)
    unsigned r[12], top = 0, b, c, d;
    if (__get_cpuid(0x80000000u, &top, &b, &c, &d) && top >= 0x80000004u) {
        for (unsigned i = 0; i < 3; i++)
            __get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3]);
        snprintf(buf, n, "%.48s", (const char *)r);
        for (size_t k = strlen(buf); k > 0 && buf[k - 1] == ' '; k--) buf[k - 1] = '\0';
    }
#endif
}
