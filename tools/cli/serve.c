#include "tools/cli/serve.h"

#include <stdio.h>
#include <string.h>

#include "base/os_child.h"

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

void cli_open(const cli_program *p, const char *url)
{
    const char *const argv[] = {"xdg-open", url, NULL};
    reshed_error err = {0};
    if (rs_child_run(argv, &err) != RESHED_OK)
        cli_warn(p, NULL, "xdg-open does not work here: open the address yourself");
}
