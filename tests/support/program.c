#define _POSIX_C_SOURCE 200809L
#include "support/program.h"

#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"

void read_text(const char *path, char *buf, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(buf, 1, room - 1, f);
    buf[n] = '\0';
    fclose(f);
}

const outcome *run_program(const char *name, const char *args)
{
    static outcome o;
    static char out[512], err[512]; /* found once, so that paths of test_temp stay for the tests */
    char command[8192], program[1024];
    const char *bin = getenv("BIN");
    if (!*out) {
        snprintf(out, sizeof out, "%s", test_temp("out"));
        snprintf(err, sizeof err, "%s", test_temp("err"));
    }
    snprintf(program, sizeof program, "%s/%s", bin ? bin : "build", name);
    if (!rs_os_is_file(program)) skip();
    snprintf(command, sizeof command, "%s >%s 2>%s %s", program, out, err, args);
    int rc = system(command);
    assert_true(WIFEXITED(rc));
    o.status = WEXITSTATUS(rc);
    read_text(out, o.out, sizeof o.out);
    read_text(err, o.err, sizeof o.err);
    return &o;
}

double json_number(const char *json, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *at = strstr(json, quoted);
    if (!at) fail_msg("no %s in %s", key, json);
    return strtod(at + strlen(quoted), NULL);
}
