#include "train/budget.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/numeric.h"
#include "base/os.h"
#include "base/parallel.h"
#include "train/run.h"

#define PACE_STEPS 5
#define LEAST_STEPS 10
/* Of the minutes, for the steps: the rest goes to scores, checkpoints and files. */
#define SHARE 0.85
/* Beginning with "member_", as all files of the folder. */
#define NAME "member_steps.txt"

/* The steps that were settled for these minutes; 0 when none were. */
static long settled(const char *path, double minutes)
{
    uint8_t *text = NULL;
    size_t n;
    double steps = 0, asked = 0;
    if (!rs_os_is_file(path) || rs_os_read_file(path, 256, &text, &n, NULL) != RESHED_OK) return 0;
    const uint8_t *end = memchr(text, '\n', n);
    const bool ok = end && rs_number_parse((char *)text, (size_t)(end - text), &asked) &&
                    rs_number_parse((const char *)end + 1, n - (size_t)(end - text) - 1, &steps);
    rs_free(text);
    return ok && asked == minutes && steps >= 1 && steps <= 1e8 ? (long)steps : 0;
}

reshed_status rs_train_budget(rs_train_recipe *r, double minutes, int threads, const char *folder,
                              reshed_error *err)
{
    char path[4096] = "", text[2 * RS_NUMBER_TEXT + 8], a[RS_NUMBER_TEXT];
    double pace = 0;
    if (folder) {
        const int n = snprintf(path, sizeof path, "%s/%s", folder, NAME);
        if (n < 0 || (size_t)n >= sizeof path)
            return rs_fail(err, RESHED_EINVAL, "path of checkpoints|fewer than %zu bytes|%d",
                           sizeof path, n);
        const long found = settled(path, minutes);
        if (found > 0) {
            rs_train_set_steps(r, found);
            return RESHED_OK;
        }
    }
    reshed_status st = rs_train_pace(r, PACE_STEPS, &pace, err);
    if (st != RESHED_OK) return st;
    threads = rs_min_int(rs_threads_or_all(threads), r->members);
    const int rounds = (r->members + threads - 1) / threads;
    const double steps = minutes * 60 * SHARE / (rounds * fmax(pace, 1e-6));
    rs_train_set_steps(r, (long)rs_clamp(steps, LEAST_STEPS, 1e8));
    if (!folder) return RESHED_OK;
    const int n =
        snprintf(text, sizeof text, "%s\n%ld", rs_number_format(a, minutes), r->rate.steps);
    return rs_os_write_file(path, text, (size_t)n, err);
}
