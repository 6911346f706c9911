#include "tools/cli/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

struct cli_file {
    char *path, *of; /* in one block, owned; of NULL: an input */
    rs_os_place place;
    int order; /* of being named, so that messages do not depend on how sorting goes */
};

static void add(cli_files *files, const char *path, const char *ending, const char *of)
{
    if (!path || strcmp(path, "-") == 0 || files->failed) return;
    if (files->n == files->room) {
        const int room = files->room ? 2 * files->room : 16;
        cli_file *grown = rs_regrow(files->file, (size_t)files->n, (size_t)room, sizeof *grown);
        files->failed = !grown;
        if (!grown) return;
        files->file = grown;
        files->room = room;
    }
    cli_file *f = &files->file[files->n];
    const size_t length = strlen(path) + strlen(ending) + 1, rest = of ? strlen(of) + 1 : 0;
    char *text = rs_alloc(length + rest, 1);
    files->failed = !text;
    if (!text) return;
    strcat(strcpy(text, path), ending);
    if (of) strcpy(text + length, of);
    *f = (cli_file){.path = text, .of = of ? text + length : NULL, .order = files->n++};
    rs_os_place_of(text, &f->place);
}

void cli_files_input(cli_files *files, const char *path)
{
    add(files, path, "", NULL);
}

void cli_files_output(cli_files *files, const char *path, const char *of)
{
    add(files, path, "", of);
}

void cli_files_output_named(cli_files *files, const char *prefix, const char *ending,
                            const char *of)
{
    add(files, prefix, ending, of);
}

void cli_files_clear(cli_files *files)
{
    for (int i = 0; i < files->n; i++) rs_free(files->file[i].path);
    rs_free(files->file);
    *files = (cli_files){0};
}

static int by_place(const void *a, const void *b)
{
    const cli_file *x = a, *y = b;
    const int k = rs_os_place_compare(&x->place, &y->place);
    return k ? k : x->order - y->order;
}

/* The two that would be one file, as far as any is written; in the order of being named. */
static int clash(const cli_program *program, const cli_file *a, const cli_file *b,
                 const char *remedy)
{
    if (!a->of || !b->of) {
        const cli_file *in = a->of ? b : a, *out = a->of ? a : b;
        return cli_usage_error(
            program, "%s: the output %s would replace the input %s%s; %s", out->of, out->path,
            in->path, strcmp(in->path, out->path) ? " (they are the same file)" : "", remedy);
    }
    if (strcmp(a->of, b->of) == 0)
        return cli_usage_error(program, "%s is given twice, and would write %s twice", a->of,
                               a->path);
    return cli_usage_error(program, "%s and %s would write the same file, %s%s%s; %s", a->of, b->of,
                           a->path, strcmp(a->path, b->path) ? " and " : "",
                           strcmp(a->path, b->path) ? b->path : "", remedy);
}

int cli_files_check(const cli_program *program, cli_files *files, const char *remedy)
{
    if (files->failed) {
        reshed_error err = {0};
        rs_fail_nomem(&err, "the list of files", (size_t)files->n * sizeof *files->file);
        return cli_fail(program, NULL, &err);
    }
    const cli_file *first = NULL, *second = NULL;
    if (files->n > 1) qsort(files->file, (size_t)files->n, sizeof *files->file, by_place);
    for (int i = 0, from = 0; i < files->n; i++) {
        if (rs_os_place_compare(&files->file[from].place, &files->file[i].place) != 0) from = i;
        const cli_file *a = &files->file[from], *b = &files->file[i];
        /* Within a group of one place: any output clashes with what was named first, and the first
         * output with an input before it. */
        if (a == b || (!a->of && !b->of) || (second && second->order <= b->order)) continue;
        first = a;
        second = b;
    }
    return first ? clash(program, first, second, remedy) : CLI_OK;
}
