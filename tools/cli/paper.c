#include "tools/cli/paper.h"

#include <string.h>

#include "report/save.h"

bool cli_figure(const cli_program *program, const char *text, const char **path)
{
    *path = text;
    if (rs_report_figure_path(text)) return true;
    cli_usage_error(program, "--figure: expected a name *.pdf, *.svg or *.png, found '%s'", text);
    return false;
}

static bool set(const cli_program *program, const char *key, const char *value, rs_paper *paper)
{
    const struct {
        const char *key;
        double lo, hi;
        double *to;
    } number[] = {{"width", 20, 500, &paper->width_mm},
                  {"font", 4, 24, &paper->font_pt},
                  {"dpi", 50, 1200, &paper->dpi}};
    char option[32];
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (strcmp(key, number[i].key) == 0) {
            snprintf(option, sizeof option, "--paper %s", number[i].key);
            return cli_double(program, option, value, number[i].lo, number[i].hi, number[i].to);
        }
    if (strcmp(key, "letters") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
        paper->letters = value[0] == 'y';
        return true;
    }
    if (strcmp(key, "colours") == 0) {
        static const char *const map[] = {"grey", "viridis", "magma"};
        static const rs_colour_map maps[] = {RS_MAP_GREY, RS_MAP_VIRIDIS, RS_MAP_MAGMA};
        for (int i = 0; i < 3; i++)
            if (strcmp(value, map[i]) == 0) {
                paper->colours = maps[i];
                return paper->recoloured = true;
            }
    }
    if (strcmp(key, "family") == 0 && *value && strlen(value) < sizeof paper->family) {
        snprintf(paper->family, sizeof paper->family, "%s", value);
        return true;
    }
    cli_usage_error(program,
                    "--paper: expected width=MM, font=PT, family=NAME, dpi=N, letters=yes or "
                    "letters=no, colours=viridis, magma or grey, found '%s=%s'",
                    key, value);
    return false;
}

bool cli_paper(const cli_program *program, const char *text, rs_paper *paper)
{
    char part[128];
    for (const char *p = text;; p += strlen(part) + 1) {
        const size_t n = strcspn(p, ",");
        snprintf(part, sizeof part, "%.*s", (int)n, p);
        if (n >= sizeof part || !strchr(part, '=')) {
            cli_usage_error(program, "--paper: expected KEY=VALUE,..., found '%s'", text);
            return false;
        }
        const bool last = p[n] == '\0';
        char *value = strchr(part, '=');
        *value = '\0';
        if (!set(program, part, value + 1, paper)) return false;
        *value = '=';
        if (last) return true;
    }
}
