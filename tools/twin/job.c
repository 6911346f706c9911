#include "tools/twin/job.h"

#include <string.h>

bool twin_add_setting(twin_job *j, const char *text)
{
    char name[64];
    const char *eq = strchr(text, '=');
    size_t len = eq ? (size_t)(eq - text) : 0;
    rs_labelled_setting s;
    if (!eq || len == 0 || len >= sizeof name) {
        cli_usage_error(j->program, "--set %s: expected NAME=VALUE", text);
        return false;
    }
    if (j->sets == TWIN_MAX_SETS) {
        cli_usage_error(j->program, "--set: at most %d of them", TWIN_MAX_SETS);
        return false;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    if (!rs_labelled_find(name, &s)) {
        cli_usage_error(j->program, "--set %s: no such option; `%s list` names them", name,
                        j->program->name);
        return false;
    }
    if (!cli_double(j->program, name, eq + 1, s.field->lo, s.field->hi, &s.value)) return false;
    j->set[j->sets++] = s;
    return true;
}

rs_labelled_recipe twin_recipe(const twin_job *j, const char *options)
{
    return (rs_labelled_recipe){.height = (int)j->height,
                                .width = (int)j->width,
                                .pixel = j->pixel,
                                .seed = (uint64_t)j->seed,
                                .film = j->film,
                                .random = j->random,
                                .harsh = j->harsh,
                                .setting = j->set,
                                .settings = j->sets,
                                .program = "reshed-twin " RESHED_VERSION,
                                .options = options};
}

void twin_describe(const twin_job *j, const char *command, char *text, size_t n)
{
    int len = snprintf(text, n, "%s --count %ld --height %ld --width %ld --type %s --seed %ld%s",
                       command, j->count, j->height, j->width, rs_dataset_type_name(j->type),
                       j->seed, j->random ? " --random" : "");
    if ((size_t)len < n)
        len += snprintf(text + len, n - (size_t)len, " --harsh %.9g --pixel %.9g", j->harsh,
                        j->pixel * 1e9);
    if (j->film != RS_TWIN_FILM_PZT && (size_t)len < n)
        len += snprintf(text + len, n - (size_t)len, " --film %s", rs_twin_film_name(j->film));
    for (int i = 0; i < j->sets && (size_t)len < n; i++)
        len += snprintf(text + len, n - (size_t)len, " --set %s=%.9g", j->set[i].field->name,
                        j->set[i].value);
}

static void print_fields(const rs_twin_field *f, int n, const void *defaults, const char *title)
{
    printf("%-22s %12s  %s\n", title, "default", "range");
    for (int i = 0; i < n; i++)
        printf("%-22s %12.6g  %g to %g\n", f[i].name, rs_twin_field_get(&f[i], defaults), f[i].lo,
               f[i].hi);
}

int twin_list(const twin_job *j)
{
    rs_twin_options opt;
    rs_twin_effects fx;
    int n;
    rs_twin_options_defaults(&opt);
    rs_twin_effects_defaults(&fx);
    const rs_twin_field *f = rs_twin_option_fields(&n);
    print_fields(f, n, &opt, "film");
    f = rs_twin_effect_fields(&n);
    printf("\n");
    print_fields(f, n, &fx, "instrument");
    return cli_close(j->program);
}
