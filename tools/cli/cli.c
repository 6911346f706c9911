#include "tools/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ------------------------------------------------------------------------------------ messages */

const char *cli_shown(char *buf, const char *text)
{
    return rs_text_escape(buf, CLI_SHOWN, text);
}

static void print_head(const cli_program *program, const char *path)
{
    char shown[CLI_SHOWN];
    fflush(stdout); /* keep the order of results and messages when both go to one place */
    fprintf(stderr, "%s: ", program->name);
    if (path) fprintf(stderr, "%s: ", cli_shown(shown, path));
}

/* The formatted message, escaped. */
static void print_message(const char *format, va_list ap)
{
    char text[CLI_SHOWN], shown[CLI_SHOWN];
    vsnprintf(text, sizeof text, format, ap);
    fputs(cli_shown(shown, text), stderr);
}

int cli_help(const cli_program *program)
{
    fputs(program->usage, stdout);
    return cli_close(program);
}

int cli_version(const cli_program *program)
{
    printf("%s (reshed) %s\n", program->name, RESHED_VERSION);
    return cli_close(program);
}

int cli_fail(const cli_program *program, const char *path, const reshed_error *err)
{
    char text[640];
    print_head(program, path);
    fprintf(stderr, "%s\n", reshed_error_text(err, text, sizeof text));
    return CLI_FAILED;
}

void cli_warn(const cli_program *program, const char *path, const char *format, ...)
{
    va_list ap;
    print_head(program, path);
    va_start(ap, format);
    print_message(format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

int cli_usage_error(const cli_program *program, const char *format, ...)
{
    va_list ap;
    print_head(program, NULL);
    va_start(ap, format);
    print_message(format, ap);
    va_end(ap);
    fprintf(stderr, "\nTry '%s --help'.\n", program->name);
    return CLI_USAGE;
}

int cli_close(const cli_program *program)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return CLI_OK;
    fprintf(stderr, "%s: cannot write to standard output: %s\n", program->name, strerror(errno));
    return CLI_FAILED;
}

/* ------------------------------------------------------------------------------------- options */

/* Returns true when word ("--NAME" or "--NAME=VALUE") names an option of the table, alone or as a prefix. */
static int matches(const struct option *longs, const char *word)
{
    size_t n = strcspn(word + 2, "=");
    int k = 0;
    for (; longs->name; longs++) {
        if (strncmp(longs->name, word + 2, n) != 0) continue;
        if (longs->name[n] == '\0') return 1;
        k++;
    }
    return k;
}

/* Says what was wrong with the option that getopt_long refused. It has stepped past the word it
 * stands in, except for an unknown letter inside a cluster such as -xyz. */
static int option_error(const cli_program *program, char **argv, const char *spec,
                        const struct option *longs, int c)
{
    const char *word = argv[optind - 1];
    int n = (int)strcspn(word, "=");
    if (c == '?' && optopt > 0 && optopt < 256 && !strchr(spec, optopt))
        cli_usage_error(program, "unknown option '-%c'", optopt);
    else if (strncmp(word, "--", 2) != 0)
        cli_usage_error(program, "option '-%c' needs a value", optopt);
    else if (c == ':')
        cli_usage_error(program, "option '%.*s' needs a value", n, word);
    else if (matches(longs, word) > 1)
        cli_usage_error(program, "option '%.*s' is ambiguous", n, word);
    else if (optopt != 0)
        cli_usage_error(program, "option '%.*s' takes no value", n, word);
    else
        cli_usage_error(program, "unknown option '%.*s'", n, word);
    return CLI_OPT_ERROR;
}

int cli_option(const cli_program *program, int argc, char **argv, const char *shorts,
               const struct option *longs)
{
    char spec[64] = ":"; /* tells a missing value from an unknown option, and prints nothing */
    strncat(spec, shorts, sizeof spec - 2);
    opterr = 0;
    int c = getopt_long(argc, argv, spec, longs, NULL);
    return c == '?' || c == ':' ? option_error(program, argv, spec, longs, c) : c;
}

/* ------------------------------------------------------------------------------------- numbers */

bool cli_int(const cli_program *program, const char *option, const char *text, long lo, long hi,
             long *out)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text) || errno == ERANGE || v < lo ||
        v > hi) {
        if (hi == LONG_MAX)
            cli_usage_error(program, "%s: expected a whole number of at least %ld, found '%s'",
                            option, lo, text);
        else
            cli_usage_error(program, "%s: expected a whole number from %ld to %ld, found '%s'",
                            option, lo, hi, text);
        return false;
    }
    *out = v;
    return true;
}

bool cli_frame(const cli_program *program, const char *text, int *out)
{
    long n;
    if (strcmp(text, "all") == 0) {
        *out = CLI_FRAME_ALL;
        return true;
    }
    if (!cli_int(program, "--frame", text, 0, INT32_MAX - 1, &n)) return false;
    *out = (int)n;
    return true;
}

bool cli_double(const cli_program *program, const char *option, const char *text, double lo,
                double hi, double *out)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text) || !isfinite(v) ||
        !(v >= lo && v <= hi)) {
        if (lo == -INFINITY && hi == INFINITY)
            cli_usage_error(program, "%s: expected a number, found '%s'", option, text);
        else if (hi == INFINITY)
            cli_usage_error(program, "%s: expected a number of at least %g, found '%s'", option, lo,
                            text);
        else
            cli_usage_error(program, "%s: expected a number from %g to %g, found '%s'", option, lo,
                            hi, text);
        return false;
    }
    *out = v;
    return true;
}
