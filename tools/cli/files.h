/* files.h - what a program will read and write, so that no output replaces an input or another output.
 *
 *     cli_files files = {0};
 *     cli_files_input(&files, path);
 *     cli_files_output(&files, out, "--mean");
 *     int status = cli_files_check(&self, &files, "name other outputs");
 *     cli_files_clear(&files);
 *
 * Links to one file, hard or symbolic, are one file; so are two spellings of its path. */
#ifndef RS_TOOLS_CLI_FILES_H
#define RS_TOOLS_CLI_FILES_H

#include <stdbool.h>

#include "tools/cli/cli.h"

typedef struct cli_file cli_file;

typedef struct cli_files {
    cli_file *file; /* [n]; owned */
    int n, room;
    bool failed; /* memory ran out */
} cli_files;

/* NULL paths, and "-", are passed over. Paths and words are copied. `of` says whose output it is: an
 * option, or the input that it is made from. */
void cli_files_input(cli_files *files, const char *path);
void cli_files_output(cli_files *files, const char *path, const char *of);
/* PREFIX and ending in one: output "PREFIXENDING". */
void cli_files_output_named(cli_files *files, const char *prefix, const char *ending,
                            const char *of);

/* CLI_OK, or another exit status after a message that names both files and ends with the remedy. To be
 * called before the first output is written: a path that does not exist yet is told by its folder. */
int cli_files_check(const cli_program *program, cli_files *files, const char *remedy);

void cli_files_clear(cli_files *files);

#endif
