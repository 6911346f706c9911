#include "io/weights/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/sha256.h"

/* --------------------------------------------------------------------------------------- checks */
bool rs_tensor_name_ok(const char *s)
{
    bool only_dots = true;
    size_t n = 0;
    for (; s[n]; n++) {
        if (s[n] <= ' ' || s[n] > '~' || s[n] == '/') return false;
        only_dots = only_dots && s[n] == '.';
    }
    return n < sizeof((rs_tensor *)0)->name && !only_dots; /* no name at all is only dots, too */
}

static reshed_status fail_range(reshed_error *err, const char *what, int lo, int hi, int found)
{
    return rs_fail(err, RESHED_ECORRUPT, "%s|%d to %d|%d", what, lo, hi, found);
}

static reshed_status check_ood(const rs_ood_model *o, reshed_error *err)
{
    if (o->version == 0) return RESHED_OK;
    if (o->version < 0 || o->frames < 0)
        return rs_fail(err, RESHED_ECORRUPT, "OOD model|version and frames of 0 or more|%d and %d",
                       o->version, o->frames);
    if (o->features < 1 || o->features > RS_OOD_MAX_FEATURES)
        return fail_range(err, "features of the OOD model", 1, RS_OOD_MAX_FEATURES, o->features);
    for (int i = 0; i < o->features; i++) {
        bool finite = isfinite(o->centre[i]);
        for (int k = 0; k < o->features; k++) finite = finite && isfinite(o->whiten[i][k]);
        if (!finite)
            return rs_fail(err, RESHED_ECORRUPT, "OOD model|finite numbers|others|feature %d", i);
    }
    return RESHED_OK;
}

reshed_status rs_model_fields_check(const rs_model_file *m, reshed_error *err)
{
    if (!rs_tensor_name_ok(m->model))
        return rs_fail(err, RESHED_ECORRUPT, "name of the model||'%s'", m->model);
    if (m->classes < 1 || m->classes > RS_MODEL_MAX_CLASSES)
        return fail_range(err, "number of classes", 1, RS_MODEL_MAX_CLASSES, m->classes);
    if (m->filters < 1 || m->filters > RS_MODEL_MAX_FILTERS)
        return fail_range(err, "number of filters", 1, RS_MODEL_MAX_FILTERS, m->filters);
    if (m->levels < 1 || m->levels > RS_MODEL_MAX_LEVELS)
        return fail_range(err, "number of levels", 1, RS_MODEL_MAX_LEVELS, m->levels);
    for (int i = 0; i < m->levels; i++)
        if (m->layers[i] < 1 || m->layers[i] > RS_MODEL_MAX_BLOCKS)
            return fail_range(err, "blocks or layers, a count of them", 1, RS_MODEL_MAX_BLOCKS,
                              m->layers[i]);
    if (strcmp(m->upsampling, "bilinear") != 0 && strcmp(m->upsampling, "nearest") != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "upsampling|'bilinear' or 'nearest'|'%s'",
                       m->upsampling);
    if (m->members < 1 || m->members > RS_MODEL_MAX_MEMBERS)
        return fail_range(err, "number of members", 1, RS_MODEL_MAX_MEMBERS, m->members);
    if (!(isfinite(m->pixel_size_min) && isfinite(m->pixel_size_max) && m->pixel_size_min >= 0 &&
          m->pixel_size_max >= m->pixel_size_min))
        return rs_fail(err, RESHED_ECORRUPT, "pixel sizes|0 <= smallest <= largest|%g and %g",
                       m->pixel_size_min, m->pixel_size_max);
    if (!(isfinite(m->ood_threshold) && m->ood_threshold >= 0))
        return rs_fail(err, RESHED_ECORRUPT, "OOD threshold|0 or more|%g", m->ood_threshold);
    if (!memchr(m->recipe, '\0', sizeof m->recipe))
        return rs_fail(err, RESHED_EINVAL, "recipe of a training|at most %zu bytes|more",
                       sizeof m->recipe - 1);
    return check_ood(&m->ood, err);
}

static reshed_status check_tensor(const rs_tensor *t, int member, reshed_error *err)
{
    if (!rs_tensor_name_ok(t->name))
        return rs_fail(err, RESHED_ECORRUPT, "name of a tensor||'%s'|member %d", t->name, member);
    if (t->ndim < 0 || t->ndim > RS_TENSOR_MAX_DIMS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "dimensions of %s|at most %d|%d|member %d",
                       t->name, RS_TENSOR_MAX_DIMS, t->ndim, member);
    for (int k = 0; k < t->ndim; k++)
        if (t->dims[k] < 1)
            return rs_fail(err, RESHED_ECORRUPT, "empty tensor %s|||member %d", t->name, member);
    return RESHED_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const rs_tensor *const *)a)->name, (*(const rs_tensor *const *)b)->name);
}

static reshed_status sort_member(const rs_tensors *set, int member, const rs_tensor **sorted,
                                 reshed_error *err)
{
    for (int i = 0; i < set->n; i++) {
        reshed_status st = check_tensor(&set->t[i], member, err);
        if (st != RESHED_OK) return st;
        sorted[i] = &set->t[i];
    }
    qsort(sorted, (size_t)set->n, sizeof *sorted, by_name);
    for (int i = 1; i < set->n; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            return rs_fail(err, RESHED_ECORRUPT, "two tensors named %s|||member %d",
                           sorted[i]->name, member);
    return RESHED_OK;
}

static bool same_shape(const rs_tensor *a, const rs_tensor *b)
{
    if (a->dtype != b->dtype || a->ndim != b->ndim) return false;
    for (int k = 0; k < a->ndim; k++)
        if (a->dims[k] != b->dims[k]) return false;
    return true;
}

reshed_status rs_model_file_check(const rs_model_file *m, reshed_error *err)
{
    reshed_status st = rs_model_fields_check(m, err);
    if (st != RESHED_OK) return st;
    int n = m->member[0].n;
    if (n < 1 || n > RS_MODEL_MAX_TENSORS)
        return fail_range(err, "number of tensors", 1, RS_MODEL_MAX_TENSORS, n);
    const rs_tensor **first = rs_alloc(2 * (size_t)n, sizeof *first);
    if (!first) return rs_fail_nomem(err, "the names of the tensors", 2 * (size_t)n);
    const rs_tensor **other = first + n;
    st = sort_member(&m->member[0], 0, first, err);
    for (int i = 1; i < m->members && st == RESHED_OK; i++) {
        if (m->member[i].n != n)
            st = rs_fail(err, RESHED_ECORRUPT, "number of tensors|%d, as in member 0|%d|member %d",
                         n, m->member[i].n, i);
        else
            st = sort_member(&m->member[i], i, other, err);
        for (int k = 0; k < n && st == RESHED_OK; k++)
            if (strcmp(first[k]->name, other[k]->name) != 0 || !same_shape(first[k], other[k]))
                st = rs_fail(err, RESHED_ECORRUPT,
                             "members differ|equal names, shapes and types|%s and %s|members 0 "
                             "and %d",
                             first[k]->name, other[k]->name, i);
    }
    rs_free(first);
    return st;
}

/* --------------------------------------------------------------------------------------- digest */
static bool little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

static void add_values(rs_sha256 *s, const rs_tensor *t)
{
    size_t size = rs_dtype_size(t->dtype);
    const uint8_t *p = t->data;
    if (little_endian()) {
        rs_sha256_add(s, p, t->count * size);
        return;
    }
    for (size_t i = 0; i < t->count; i++, p += size) {
        uint8_t turned[8];
        for (size_t k = 0; k < size; k++) turned[k] = p[size - 1 - k];
        rs_sha256_add(s, turned, size);
    }
}

static void add_tensor(rs_sha256 *s, const rs_tensor *t)
{
    char line[256];
    int k = snprintf(line, sizeof line, "%s %s %d", t->name, rs_dtype_name(t->dtype), t->ndim);
    for (int d = 0; d < t->ndim; d++)
        k += snprintf(line + k, sizeof line - (size_t)k, " %lld", (long long)t->dims[d]);
    line[k++] = '\n';
    rs_sha256_add(s, line, (size_t)k);
    add_values(s, t);
}

/* The tensor whose name follows `after` (NULL: the first of all) in the order of strcmp. */
static const rs_tensor *next_by_name(const rs_tensors *set, const rs_tensor *after)
{
    const rs_tensor *best = NULL;
    for (int i = 0; i < set->n; i++) {
        const rs_tensor *t = &set->t[i];
        if (after && strcmp(t->name, after->name) <= 0) continue;
        if (!best || strcmp(t->name, best->name) < 0) best = t;
    }
    return best;
}

typedef struct digest_job {
    const rs_model_file *m;
    uint8_t digest[RS_MODEL_MAX_MEMBERS][32];
} digest_job;

static void digest_member(void *ctx, int64_t i, int worker)
{
    digest_job *job = ctx;
    const rs_tensors *set = &job->m->member[i];
    rs_sha256 s;
    (void)worker;
    rs_sha256_start(&s);
    for (const rs_tensor *t = next_by_name(set, NULL); t; t = next_by_name(set, t))
        add_tensor(&s, t);
    rs_sha256_end(&s, job->digest[i]);
}

void rs_model_file_digest(const rs_model_file *m, char hex[65])
{
    digest_job job = {.m = m};
    char text[256];
    uint8_t digest[32];
    rs_sha256 s;
    rs_parallel_for(rs_threads_or_all(0), m->members, digest_member, &job);
    int k = snprintf(text, sizeof text, "reshed-weights 1\n%s\n%d %d\n", m->model, m->classes,
                     m->filters);
    for (int i = 0; i < m->levels; i++)
        k += snprintf(text + k, sizeof text - (size_t)k, "%s%d", i ? " " : "", m->layers[i]);
    k += snprintf(text + k, sizeof text - (size_t)k, "\n%s\n%d\n", m->upsampling, m->members);
    if (m->no_batch_norm || m->dropout || m->dilated)
        k += snprintf(text + k, sizeof text - (size_t)k, "%s%s%s\n",
                      m->no_batch_norm ? "no batch_norm " : "", m->dropout ? "dropout " : "",
                      m->dilated ? "with_dilation" : "");
    rs_sha256_start(&s);
    rs_sha256_add(&s, text, (size_t)k);
    rs_sha256_add(&s, job.digest, 32 * (size_t)m->members);
    rs_sha256_end(&s, digest);
    rs_sha256_hex(digest, hex);
}
