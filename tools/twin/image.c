/* image.c - reshed-twin image: one frame with its truth, in the formats asked for. */
#include "tools/twin/job.h"

#include <string.h>

#include "base/json.h"
#include "base/os.h"
#include "spm/labelled/frame.h"

/* Returns whether the list of formats names this one. */
static bool wanted(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        if (strncmp(p, name, n) == 0 && (p[n] == '\0' || p[n] == ',')) return true;
    }
    return false;
}

static bool check_formats(const twin_job *j)
{
    static const char *const known[] = {"h5", "npy", "png", "csv"};
    size_t total = 0;
    for (size_t i = 0; i < 4; i++)
        if (wanted(j->formats, known[i])) total += strlen(known[i]) + 1;
    if (total == strlen(j->formats) + 1) return true;
    cli_usage_error(j->program, "--formats: expected a list of h5, npy, png, csv, found %s",
                    j->formats);
    return false;
}

int twin_image(const twin_job *j)
{
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    char options[TWIN_DESCRIPTION];
    double start = rs_os_monotonic();
    if (!check_formats(j)) return CLI_USAGE;
    if (strlen(j->output) > 4000) return cli_usage_error(j->program, "--output: name too long");
    twin_describe(j, "image", options, sizeof options);
    const rs_labelled_recipe recipe = twin_recipe(j, options);
    reshed_status st = rs_labelled_frame_make(&recipe, &f, &err);
    if (st == RESHED_OK && wanted(j->formats, "h5"))
        st = rs_labelled_write_h5(&f, &recipe, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "npy"))
        st = rs_labelled_write_npy(&f, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "png"))
        st = rs_labelled_write_png(&f, j->output, &err);
    if (st == RESHED_OK && wanted(j->formats, "csv"))
        st = rs_labelled_write_csv(&f, j->output, &err);
    size_t n = (size_t)f.height * (size_t)f.width, walls = 0;
    for (size_t i = 0; st == RESHED_OK && i < n; i++) walls += f.wall[i];
    int objects = f.film ? rs_twin_wall_count(f.film) : 0;
    double pixel = f.pixel;
    rs_labelled_frame_clear(&f);
    if (st != RESHED_OK) return cli_fail(j->program, j->output, &err);
    if (j->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "file", j->output);
        rs_json_integer(&json, "height", j->height);
        rs_json_integer(&json, "width", j->width);
        rs_json_number(&json, "pixel_size", pixel);
        rs_json_integer(&json, "wall_objects", objects);
        rs_json_number(&json, "wall_fraction", (double)walls / (double)n);
        rs_json_number(&json, "seconds", rs_os_monotonic() - start);
        rs_json_end(&json);
    } else if (!j->quiet) {
        printf("%s: %ld x %ld pixels of %.3g nm, %d walls, %.1f %% of the pixels\n",
               CLI_TEXT(j->output), j->height, j->width, pixel * 1e9, objects,
               100 * (double)walls / (double)n);
    }
    return cli_close(j->program);
}
