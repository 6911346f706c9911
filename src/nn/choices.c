#include "nn/choices.h"

/* The first line that fits is taken. */
static const struct {
    bool instruction;
    int maker; /* -1: any */
    bool pays;
    const char *reason;
} bf16[] = {
    {false, -1, false, "without AVX512_BF16 its products are emulated, 2 to 6 times slower"},
    {true, RS_CPU_AMD, true,
     "its dot product starts as often as a fused multiply-add and does two products"},
    {true, RS_CPU_INTEL, false,
     "its dot product starts half as often as a fused multiply-add there, and 1.6 times slower "
     "than fp32 in all"},
    {true, -1, false, "its dot product was not measured on such processors"},
};

rs_choice rs_choice_bf16(const rs_capability *c)
{
    size_t i = 0;
    while (bf16[i].instruction != c->bf16 || (bf16[i].maker >= 0 && bf16[i].maker != (int)c->maker))
        i++;
    return (rs_choice){c->isa, RS_ALGO_AUTO, RS_BF16, bf16[i].pays, bf16[i].reason};
}

int rs_choices(const rs_capability *c, rs_choice out[RS_CHOICES_MAX])
{
    int n = 0;
    out[n++] = (rs_choice){c->isa, RS_ALGO_AUTO, RS_FP32, true, "the default"};
    /* RS_ALGO_WINOGRAD is what auto takes */
    out[n++] =
        (rs_choice){c->isa, RS_ALGO_DIRECT, RS_FP32, false, "4 to 5 times the multiplications"};
    out[n++] = (rs_choice){c->isa, RS_ALGO_GEMM, RS_FP32, false,
                           "the same multiplications, and each pixel copied nine times"};
    out[n++] = rs_choice_bf16(c);
    for (int isa = (int)c->isa - 1; isa >= RS_ISA_GENERIC; isa--)
        if (rs_isa_runs((rs_isa)isa))
            out[n++] = (rs_choice){(rs_isa)isa, RS_ALGO_AUTO, RS_FP32, false, "narrower registers"};
    return n;
}
