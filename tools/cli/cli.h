/* cli.h - what the programs share: options, usage errors, messages that begin with the file's name,
 * numbers from the command line. A program looks like this:
 *
 *     static const cli_program self = {"reshed-x", "Usage: reshed-x [OPTION]... FILE\n..."};
 *     int main(int argc, char **argv)
 *     {
 *         static const struct option longs[] = {CLI_COMMON_OPTIONS, {"size", 1, NULL, 's'}, {0}};
 *         long size = 256;
 *         for (int c; (c = cli_option(&self, argc, argv, "s:", longs)) != -1;)
 *             switch (c) {
 *             case CLI_OPT_HELP: return cli_help(&self);
 *             case CLI_OPT_VERSION: return cli_version(&self);
 *             case CLI_OPT_ERROR: return CLI_USAGE;
 *             case 's':
 *                 if (!cli_int(&self, "--size", optarg, 4, 65536, &size)) return CLI_USAGE;
 *             }
 *         if (optind == argc) return cli_usage_error(&self, "no FILE given");
 *         ...
 *             if (failed) return cli_fail(&self, path, &err);
 *         return cli_close(&self);
 *     }
 *
 * Exit status of every program: 0 done, 1 failed, 2 wrong usage. Messages go to stderr, results to
 * stdout. */
#ifndef RS_TOOLS_CLI_CLI_H
#define RS_TOOLS_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reshed.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef struct cli_program {
    const char *name;  /* "reshed-weights": the first word of every message */
    const char *usage; /* the text of --help, with its last newline */
} cli_program;

#if defined(__GNUC__)
#define CLI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define CLI_PRINTF(f, a)
#endif

/* ------------------------------------------------------------------------------------- options */

/* Values that cli_option gives for the options every program has; a program's own long options
 * without a letter start at CLI_OPT_FIRST. */
enum {
    CLI_OPT_HELP = 256,
    CLI_OPT_VERSION,
    CLI_OPT_QUIET,
    CLI_OPT_JSON,
    CLI_OPT_ERROR,
    CLI_OPT_FIRST
};

/* The entries of those options: first in a program's table. */
#define CLI_COMMON_OPTIONS                                                                         \
    {"help", no_argument, NULL, CLI_OPT_HELP}, {"version", no_argument, NULL, CLI_OPT_VERSION},    \
        {"quiet", no_argument, NULL, CLI_OPT_QUIET},                                               \
    {                                                                                              \
        "json", no_argument, NULL, CLI_OPT_JSON                                                    \
    }

/* getopt_long with the project's words for its errors: the next option's value, -1 after the last
 * (optind is then the first operand), or CLI_OPT_ERROR once a message has been printed. shorts
 * lists the one-letter options as in getopt, "" for none. */
int cli_option(const cli_program *program, int argc, char **argv, const char *shorts,
               const struct option *longs);

/* ------------------------------------------------------------------------------------ messages */

/* Prints the usage text on stdout; returns CLI_OK, or CLI_FAILED when stdout cannot be written. */
int cli_help(const cli_program *program);
/* Prints "NAME (reshed) VERSION" on stdout; returns as cli_help. */
int cli_version(const cli_program *program);

/* Room for a text that is shown. */
#define CLI_SHOWN 4352
/* A path or a text of a file into buf[CLI_SHOWN] as a terminal may see it (rs_text_escape); returns
 * buf. Every text that is printed on stdout and is not the program's own goes through here; the
 * messages below do it themselves. */
const char *cli_shown(char *buf, const char *text);
#define CLI_TEXT(text) cli_shown((char[CLI_SHOWN]){0}, (text))

/* Prints "NAME: PATH: what (expected X, found Y) at WHERE" on stderr and returns CLI_FAILED. path
 * may be NULL for failures that belong to no file. */
int cli_fail(const cli_program *program, const char *path, const reshed_error *err);

/* Prints "NAME: PATH: MESSAGE" without failing; path may be NULL. */
void cli_warn(const cli_program *program, const char *path, const char *format, ...)
    CLI_PRINTF(3, 4);

/* Prints "NAME: MESSAGE" and where to find help on stderr; returns CLI_USAGE. */
int cli_usage_error(const cli_program *program, const char *format, ...) CLI_PRINTF(2, 3);

/* To be returned from main: flushes stdout. CLI_OK, or CLI_FAILED with a message when something
 * written to stdout was lost (disk full). */
int cli_close(const cli_program *program);

/* ------------------------------------------------------------------------------------- numbers */

/* Parses all of text as a decimal integer in [lo,hi]; else prints a usage error that names the
 * option, gives false and leaves *out. */
bool cli_int(const cli_program *program, const char *option, const char *text, long lo, long hi,
             long *out);
/* --frame: a number from 0, or "all", which is CLI_FRAME_ALL. */
#define CLI_FRAME_ALL (-2)
bool cli_frame(const cli_program *program, const char *text, int *out);
/* As cli_int for a finite number; "1e-9" and "inf" are read as C reads them, and inf is out of range.
 */
bool cli_double(const cli_program *program, const char *option, const char *text, double lo,
                double hi, double *out);

#endif
