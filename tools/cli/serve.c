#include "tools/cli/serve.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/child.h"
#include "base/os/temp.h"

static bool take_port(const char *text, int *port)
{
    long n = 0;
    if (!*text || strlen(text) > 5) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        n = 10 * n + (*text - '0');
    }
    *port = (int)n;
    return n <= 65535;
}

/* [a] and a, n bytes. */
static bool take_host(const char *text, size_t n, cli_address *out)
{
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n >= sizeof out->host) return false;
    if (n > 0) snprintf(out->host, sizeof out->host, "%.*s", (int)n, text);
    return true;
}

bool cli_take_address(const cli_program *p, const char *option, const char *text, cli_address *out)
{
    *out = (cli_address){.host = "127.0.0.1"};
    if (!text || take_port(text, &out->port)) return true;
    const char *colon = strrchr(text, ':');
    if (colon && (strchr(text, ':') == colon || (text[0] == '[' && colon[-1] == ']'))) {
        if (take_host(text, (size_t)(colon - text), out) && take_port(colon + 1, &out->port))
            return true;
    } else if (*text && take_host(text, strlen(text), out)) {
        return true;
    }
    cli_usage_error(p, "%s: expected ADDRESS:PORT, found '%s'", option, text);
    return false;
}

/* A page that leads to url, path [n]: what other users see of a process is its arguments, and the url has the
 * token. The folder, new, is this user's alone. */
static bool write_way(const char *url, char *folder, char *path, size_t n)
{
    char *text = NULL;
    size_t len = 0;
    if (!rs_os_make_temp_dir(folder, n)) return false;
    const int k = snprintf(path, n, "%s/live.html", folder);
    FILE *f = k > 0 && (size_t)k < n ? rs_os_memory_stream(&text, &len) : NULL;
    bool ok = f != NULL;
    if (f) {
        fputs("<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"referrer\" "
              "content=\"no-referrer\">"
              "<meta http-equiv=\"refresh\" content=\"0; url=",
              f);
        for (; *url; url++)
            if (strchr("\"&<>'", *url))
                fprintf(f, "&#%d;", *url);
            else
                fputc(*url, f);
        fputs("\"><title>reshed</title>\n", f);
        fclose(f);
        ok = text && rs_os_write_file(path, text, len, NULL) == RESHED_OK;
    }
    rs_free(text);
    if (!ok) rs_os_remove_dir(folder);
    return ok;
}

void cli_open(const cli_program *p, const char *url)
{
    /* Some desktops run the browser below xdg-open, until it is closed: nobody waits for that. */
    static const char script[] =
        "command -v xdg-open >/dev/null || { rm -f \"$1\"; rmdir \"$2\"; exit 1; }\n"
        "{ xdg-open \"$1\"; sleep 20; rm -f \"$1\"; rmdir \"$2\"; } >/dev/null 2>&1 &";
    char folder[1024], path[1024];
    const char *const argv[] = {"sh", "-c", script, "sh", path, folder, NULL};
    reshed_error err = {0};
    if (!write_way(url, folder, path, sizeof path) || rs_child_run(argv, &err) != RESHED_OK)
        cli_warn(p, NULL, "xdg-open does not work here: open the address yourself");
}
