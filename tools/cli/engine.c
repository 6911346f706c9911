#include "tools/cli/engine.h"

#include <string.h>

#include "nn/blas.h"

bool cli_algo(const cli_program *program, const char *text, rs_algo *out)
{
    for (rs_algo a = RS_ALGO_AUTO; a <= RS_ALGO_GEMM; a++)
        if (strcmp(text, rs_algo_name(a)) == 0) {
            *out = a;
            return true;
        }
    cli_usage_error(program, "--algo: expected auto, winograd, direct or gemm, found '%s'", text);
    return false;
}

bool cli_precision(const cli_program *program, const char *text, rs_precision *out)
{
    for (rs_precision p = RS_FP32; p <= RS_BF16; p++)
        if (strcmp(text, rs_precision_name(p)) == 0) {
            *out = p;
            return true;
        }
    cli_usage_error(program, "--precision: expected fp32 or bf16, found '%s'", text);
    return false;
}

bool cli_engine_check(const cli_program *program, const rs_engine_options *o)
{
    if (o->precision != RS_BF16 || o->algo == RS_ALGO_AUTO || o->algo == RS_ALGO_WINOGRAD)
        return true;
    cli_usage_error(program, "--precision bf16 goes with --algo auto or winograd");
    return false;
}

void cli_settle_precision(const cli_program *program, bool quiet, rs_precision *precision)
{
    const char *reason;
    if (*precision != RS_BF16 || rs_engine_bf16_pays(&reason)) return;
    *precision = RS_FP32;
    if (!quiet)
        cli_warn(program, NULL, "bf16 does not pay on this processor, fp32 is used: %s", reason);
}

int cli_engine_version(const cli_program *program)
{
    rs_isa isa;
    reshed_error err = {0};
    if (rs_isa_select(&isa, &err) != RESHED_OK) return cli_fail(program, NULL, &err);
    if (cli_version(program) != CLI_OK) return CLI_FAILED;
    printf("instruction set: %s\nbf16: %s\nBLAS: %s\n", rs_isa_name(isa),
           !rs_isa_has_bf16(isa)       ? "emulated, not used"
           : rs_engine_bf16_pays(NULL) ? "AVX512_BF16"
                                       : "AVX512_BF16, not used",
           rs_blas_name());
    return cli_close(program);
}
