#define _DEFAULT_SOURCE
#include "support/scan_program.h"

#include "support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"

static const char *program(void)
{
    static char path[1024];
    const char *bin = getenv("BIN");
    snprintf(path, sizeof path, "%s/reshed-scan", bin ? bin : "build");
    if (!rs_os_is_file(path)) skip();
    return path;
}

const char *scan_temp(char *buf, const char *name)
{
    return strcpy(buf, test_temp(name));
}

pid_t scan_start(const char *args)
{
    char command[6000], out[1024], err[1024];
    snprintf(command, sizeof command, "exec %s >%s 2>%s %s", program(), scan_temp(out, "out"),
             scan_temp(err, "err"), args);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return pid;
}

int scan_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) assert_int_equal(errno, EINTR);
    return status;
}

const outcome *scan_run_to(int expected, const char *args)
{
    const outcome *o = run_program("reshed-scan", args);
    if (o->status != expected) fail_msg("%s: exit %d, %s", args, o->status, o->err);
    return o;
}

rs_session_progress scan_progress(const char *path)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    return p;
}
