#include "imgproc/walls/thin.h"

#include <stdlib.h>

#include "base/alloc.h"

/* A point with the group that it stands for. */
typedef struct member {
    int group, place;
} member;

typedef struct share {
    int first, count; /* of the members sorted by group and place */
    int quota, rest;  /* rest: numerator of what rounding down has cost it */
} share;

static int by_group(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int by_count(const void *a, const void *b)
{
    const share *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static int by_rest(const void *a, const void *b)
{
    const share *x = a, *y = b;
    if (x->rest != y->rest) return x->rest > y->rest ? -1 : 1;
    return by_count(a, b);
}

static int make_groups(const int *group, int n, member *m, share *g)
{
    int groups = 0;
    for (int i = 0; i < n; i++) m[i] = (member){group[i], i};
    qsort(m, (size_t)n, sizeof *m, by_group);
    for (int i = 0; i < n; i++) {
        if (i == 0 || m[i].group != m[i - 1].group) g[groups++] = (share){.first = i};
        g[groups - 1].count++;
    }
    return groups;
}

/* One for each group, and of what is left to keep a share in proportion to what is left of it. */
static void share_out(share *g, int groups, int n, int keep)
{
    if (keep <= groups) {
        qsort(g, (size_t)groups, sizeof *g, by_count);
        for (int k = 0; k < groups; k++) g[k].quota = k < keep;
        return;
    }
    int64_t free_places = keep - groups, others = n - groups, given = 0;
    for (int k = 0; k < groups; k++) {
        int64_t part = free_places * (g[k].count - 1);
        g[k].quota = 1 + (int)(part / others);
        g[k].rest = (int)(part % others);
        given += g[k].quota;
    }
    qsort(g, (size_t)groups, sizeof *g, by_rest);
    for (int k = 0; k < keep - given; k++) g[k].quota++;
}

static int by_value(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

reshed_status rs_thin_shares(const int *group, int *target, int n, int keep, uint8_t *kept,
                             reshed_error *err)
{
    member *m = rs_alloc((size_t)n, sizeof *m);
    share *g = rs_alloc((size_t)n, sizeof *g);
    int *left = rs_alloc((size_t)keep, sizeof *left);
    reshed_status st = RESHED_OK;
    if (!m || !g || !left) {
        st = rs_fail_nomem(err, "points to be left out", (size_t)n * (sizeof *m + sizeof *g));
        goto done;
    }
    const int groups = make_groups(group, n, m, g);
    share_out(g, groups, n, keep);
    for (int i = 0; i < groups; i++)
        for (int j = 0; j < g[i].quota; j++) {
            int64_t at = (int64_t)(2 * j + 1) * g[i].count / (2 * (int64_t)g[i].quota);
            kept[m[g[i].first + (int)at].place] = 1;
        }
    int k = 0;
    for (int i = 0; i < n; i++)
        if (kept[i]) left[k++] = target[i];
    qsort(left, (size_t)k, sizeof *left, by_value);
    for (int i = 0; i < n; i++) {
        if (!kept[i]) continue;
        const int *at = bsearch(&target[i], left, (size_t)k, sizeof *left, by_value);
        target[i] = (int)(at - left);
    }
done:
    rs_free(left);
    rs_free(g);
    rs_free(m);
    return st;
}
