#include "live/guard.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"

static reshed_status draw(char token[RS_TOKEN], reshed_error *err)
{
    uint8_t bytes[16];
    const reshed_status st = rs_os_random(bytes, sizeof bytes, err);
    for (size_t i = 0; st == RESHED_OK && i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    return st;
}

reshed_status rs_guard_make(rs_guard *g, const char *address, reshed_error *err)
{
    memset(g, 0, sizeof *g);
    rs_text_copy(g->address, sizeof g->address, address);
    g->open = strcmp(address, "localhost") != 0 && strcmp(address, "::1") != 0 &&
              strncmp(address, "127.", 4) != 0;
    reshed_status st = draw(g->watch, err);
    return st == RESHED_OK ? draw(g->steer, err) : st;
}

/* No branch on what the bytes are. */
static bool same(const char *want, const char *got)
{
    unsigned differ = 0;
    for (size_t i = 0; i < RS_TOKEN - 1; i++)
        differ |= (unsigned)(unsigned char)want[i] ^ (unsigned)(unsigned char)got[i];
    return differ == 0;
}

rs_right rs_guard_right(const rs_guard *g, const char *token)
{
    if (!token || strlen(token) != RS_TOKEN - 1) return RS_RIGHT_NONE;
    const bool watch = same(g->watch, token), steer = same(g->steer, token);
    return steer ? RS_RIGHT_STEER : watch ? RS_RIGHT_WATCH : RS_RIGHT_NONE;
}

/* [0-9.]+, or in brackets [0-9a-fA-F:.]+: no name that somebody could let point here. */
static bool in_figures(const char *text, size_t n)
{
    if (n > 2 && text[0] == '[' && text[n - 1] == ']')
        return strspn(text + 1, "0123456789abcdefABCDEF:.") == n - 2;
    return n > 0 && strspn(text, "0123456789.") >= n;
}

bool rs_guard_host(const rs_guard *g, const char *host)
{
    char port[16];
    if (!host) return false;
    const char *colon = strrchr(host, ':');
    const size_t n = colon ? (size_t)(colon - host) : strlen(host);
    snprintf(port, sizeof port, "%d", g->port);
    if (strcmp(colon ? colon + 1 : "80", port) != 0) return false;
    const char *const own[] = {"127.0.0.1", "localhost", "[::1]", g->address};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (n == strlen(own[i]) && rs_text_same(host, own[i], n)) return true;
    return g->open && in_figures(host, n);
}

bool rs_guard_origin(const rs_guard *g, bool post, const char *origin, const char *fetch_site)
{
    static const char scheme[] = "http://";
    if (post && fetch_site && !origin) return false;
    if (fetch_site && strcmp(fetch_site, "same-origin") != 0 && strcmp(fetch_site, "none") != 0)
        return false;
    if (!origin) return true;
    return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
           rs_guard_host(g, origin + sizeof scheme - 1);
}
