#include "tools/cli/find_weights.h"

#include <stdlib.h>

#include "base/os.h"

#ifndef RESHED_PREFIX
#define RESHED_PREFIX "/usr/local"
#endif

/* The trained ensemble, and the small stand-in that is shipped until it is there. */
static const char *const names[] = {"reshednet16x10.h5", "tiny8x4.h5"};

bool cli_find_weights(const cli_program *program, const char *option, char *path, size_t n)
{
    const char *named = option && *option ? option : getenv("RESHED_WEIGHTS");
    if (named && *named) {
        if (snprintf(path, n, "%s", named) < (int)n) return true;
        cli_usage_error(program, "the path of the weights is too long");
        return false;
    }
    char dir[4096];
    if (!rs_os_program_dir(dir, sizeof dir)) dir[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* build/reshed-infer and build/<config>/reshed-infer are one and two folders deep. */
        static const char *const below[] = {"/../share/reshed/", "/../weights/", "/../../weights/"};
        for (size_t k = 0; *dir && k < sizeof below / sizeof *below; k++)
            if (snprintf(path, n, "%s%s%s", dir, below[k], names[i]) < (int)n &&
                rs_os_is_file(path))
                return true;
        if (snprintf(path, n, "%s/share/reshed/%s", RESHED_PREFIX, names[i]) < (int)n &&
            rs_os_is_file(path))
            return true;
    }
    fprintf(stderr,
            "%s: no weights found: give --weights FILE or set RESHED_WEIGHTS (looked for %s in "
            "share/reshed/ and weights/ near the program and in %s/share/reshed)\n",
            program->name, names[0], RESHED_PREFIX);
    return false;
}
