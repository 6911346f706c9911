/* engine.h - the options of programs that run the network: --algo and --precision, and what
 * --version says of the machine. */
#ifndef RS_TOOLS_CLI_ENGINE_H
#define RS_TOOLS_CLI_ENGINE_H

#include "infer/engine.h"
#include "tools/cli/cli.h"

/* The values of --algo and --precision; false after a usage error. */
bool cli_algo(const cli_program *program, const char *text, rs_algo *out);
bool cli_precision(const cli_program *program, const char *text, rs_precision *out);

/* False after a usage error when the two do not go together. */
bool cli_engine_check(const cli_program *program, const rs_engine_options *o);

/* Where bf16 does not pay on this processor: says so in one line, unless quiet, and makes it fp32. */
void cli_settle_precision(const cli_program *program, bool quiet, rs_precision *precision);

/* --version: the program's, the instruction set in use, and the BLAS; returns the exit status. */
int cli_engine_version(const cli_program *program);

#endif
