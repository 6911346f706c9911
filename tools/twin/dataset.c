/* dataset.c - reshed-twin dataset: many labelled images into one file. */
#include "tools/twin/job.h"

#include "base/json.h"
#include "base/os.h"
#include "base/progress.h"
#include "spm/labelled/dataset.h"

static void show(void *bar, int64_t done)
{
    rs_progress_update(bar, (long)done);
}

int twin_dataset(const twin_job *j)
{
    reshed_error err = {0};
    char options[TWIN_DESCRIPTION];
    rs_progress bar;
    twin_describe(j, "dataset", options, sizeof options);
    rs_labelled_recipe recipe = twin_recipe(j, options);
    recipe.random = true;
    double start = rs_os_monotonic();
    rs_progress_start(&bar, j->quiet ? NULL : stderr, j->program->name, j->count);
    reshed_status st = rs_labelled_dataset(&recipe, j->count, j->type, (int)j->threads, j->output,
                                           show, &bar, &err);
    rs_progress_finish(&bar);
    double seconds = rs_os_monotonic() - start;
    if (st != RESHED_OK) return cli_fail(j->program, j->output, &err);
    if (j->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "file", j->output);
        rs_json_integer(&json, "images", j->count);
        rs_json_integer(&json, "height", j->height);
        rs_json_integer(&json, "width", j->width);
        rs_json_number(&json, "seconds", seconds);
        rs_json_number(&json, "images_per_second", (double)j->count / seconds);
        rs_json_end(&json);
    } else if (!j->quiet) {
        printf("%s: %ld images of %ld x %ld in %.1f s (%.0f a second)\n", CLI_TEXT(j->output),
               j->count, j->height, j->width, seconds, (double)j->count / seconds);
    }
    return cli_close(j->program);
}
