#include "train/budget.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/numeric.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "train/run.h"

#define PACE_TIMES 3
#define LEAST_STEPS 10
/* Of the minutes: the rest goes to checkpoints, files and a machine that is not as fast later. */
#define SHARE 0.9
/* Beginning with "member_", as all files of the folder. */
#define NAME "member_steps.txt"
#define KEY (RS_NUMBER_TEXT + 100)

/* The line that the steps are found under: everything that they were settled by. */
static reshed_status make_key(const rs_train_recipe *r, double minutes, int threads, char key[KEY],
                              reshed_error *err)
{
    char words[RS_MODEL_RECIPE], number[RS_NUMBER_TEXT], hex[65];
    uint8_t digest[32];
    rs_train_recipe same = *r;
    rs_sha256 s;
    rs_train_set_steps(&same, 1);
    if (!rs_train_describe(&same, NULL, words, sizeof words))
        return rs_fail(err, RESHED_EINTERNAL, "recipe of a training|%d bytes|more",
                       RS_MODEL_RECIPE);
    rs_sha256_start(&s);
    rs_sha256_add(&s, words, strlen(words));
    rs_sha256_end(&s, digest);
    rs_sha256_hex(digest, hex);
    snprintf(key, KEY, "%s minutes, %d threads, %s\n", rs_number_format(number, minutes), threads,
             hex);
    return RESHED_OK;
}

/* The steps that were settled under this key; 0 when none were. */
static long settled(const char *path, const char *key)
{
    uint8_t *text = NULL;
    size_t n;
    const size_t k = strlen(key);
    double steps = 0;
    if (!rs_os_is_file(path) || rs_os_read_file(path, 1024, &text, &n, NULL) != RESHED_OK) return 0;
    const bool ok = n > k && memcmp(text, key, k) == 0 &&
                    rs_number_parse((const char *)text + k, n - k, &steps);
    rs_free(text);
    return ok && steps >= 1 && steps <= 1e8 && steps == floor(steps) ? (long)steps : 0;
}

/* A short training would spend more on its statistics than on its steps. */
static void set_steps(rs_train_recipe *r, long steps)
{
    rs_train_set_steps(r, steps);
    if (r->statistics > steps) r->statistics = steps;
}

/* Seconds of a training of as many steps. */
static double cost(const rs_train_recipe *r, const rs_train_pace *p, double pixels, int threads,
                   long steps)
{
    const rs_batches *b = &r->batches;
    const int rounds = (r->members + threads - 1) / threads;
    const bool averaged = r->average_every > 0 && r->rate.flat > 0;
    const long statistics =
        averaged && !r->member.frozen ? (r->statistics < steps ? r->statistics : steps) : 0;
    const long scores = r->holdout > 0 ? steps / r->judge + 1 + averaged : 0;
    const int judged = (r->holdout + b->batch - 1) / b->batch;
    const double piece = (double)b->batch * b->augment.size * b->augment.size;
    return rounds * ((double)steps * p->step + (double)statistics * p->statistics +
                     (double)(scores * judged) * p->judge + pixels / piece * p->judge);
}

reshed_status rs_train_budget(rs_train_recipe *r, const rs_train_limit *limit, reshed_error *err)
{
    char path[4096] = "", text[KEY + 24], key[KEY];
    const int threads = rs_min_int(rs_threads_or_all(limit->threads), r->members);
    rs_train_pace pace;
    reshed_status st = make_key(r, limit->minutes, threads, key, err);
    if (st != RESHED_OK) return st;
    if (limit->folder) {
        const int n = snprintf(path, sizeof path, "%s/%s", limit->folder, NAME);
        if (n < 0 || (size_t)n >= sizeof path)
            return rs_fail(err, RESHED_EINVAL, "path of checkpoints|fewer than %zu bytes|%d",
                           sizeof path, n);
        const long found = settled(path, key);
        if (found > 0) {
            set_steps(r, found);
            return RESHED_OK;
        }
    }
    const double begin = rs_os_monotonic();
    st = rs_train_measure(r, threads, PACE_TIMES, &pace, err);
    if (st != RESHED_OK) return st;
    /* Measuring was part of the time. */
    const double seconds = limit->minutes * 60 * SHARE - (rs_os_monotonic() - begin);
    /* The most that fits, by halving: the cost grows with the steps. */
    long low = LEAST_STEPS, high = 100000000;
    while (low < high) {
        const long middle = low + (high - low + 1) / 2;
        if (cost(r, &pace, limit->pixels, threads, middle) <= seconds)
            low = middle;
        else
            high = middle - 1;
    }
    set_steps(r, low);
    if (!limit->folder) return RESHED_OK;
    const int n = snprintf(text, sizeof text, "%s%ld", key, low);
    return rs_os_write_file(path, text, (size_t)n, err);
}
