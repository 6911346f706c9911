#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/os.h"
#include "base/sha256.h"

#define MAGIC "reshedCK"
#define VERSION 1
#define ORDER 0x01020304u
#define HEAD (8 + 4 + 4 + 32 + 4 + 4 + 8 + 8 + 8 + 8)
#define POINT (3 * 8)
#define MAX_FILE ((size_t)1 << 34)
#define MAX_POINTS ((uint64_t)1 << 24)

reshed_status rs_checkpoint_path(const char *folder, int member, char *path, size_t room,
                                 reshed_error *err)
{
    const int n = snprintf(path, room, "%s/member_%03d.state", folder, member);
    if (n > 0 && (size_t)n < room) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "path of a checkpoint|fewer than %zu bytes|%d", room, n);
}

static void digest(const void *data, size_t n, uint8_t out[32])
{
    rs_sha256 s;
    rs_sha256_start(&s);
    rs_sha256_add(&s, data, n);
    rs_sha256_end(&s, out);
}

/* Copies n bytes and returns where the next go. */
static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

#define PUT(to, type, value) put(to, &(type){(type)(value)}, sizeof(type))

reshed_status rs_checkpoint_save(const char *path, const char *words, const rs_checkpoint *c,
                                 const rs_member *m, reshed_error *err)
{
    uint8_t hash[32];
    const size_t state = rs_member_state_size(m), points = (size_t)c->curve.n;
    const size_t size = HEAD + points * POINT + 8 + state;
    uint8_t *data = rs_alloc(size + sizeof hash, 1), *p = data;
    if (!data) return rs_fail_nomem(err, "a checkpoint", size);
    digest(words, strlen(words), hash);
    p = put(p, MAGIC, 8);
    p = PUT(p, uint32_t, VERSION);
    p = PUT(p, uint32_t, ORDER);
    p = put(p, hash, sizeof hash);
    p = PUT(p, int32_t, c->member);
    p = PUT(p, int32_t, c->done);
    p = PUT(p, int64_t, c->step);
    p = PUT(p, double, c->loss);
    p = PUT(p, int64_t, c->losses);
    p = PUT(p, uint64_t, points);
    for (size_t i = 0; i < points; i++) {
        p = PUT(p, int64_t, c->curve.point[i].step);
        p = PUT(p, double, c->curve.point[i].loss);
        p = PUT(p, double, c->curve.point[i].f);
    }
    p = PUT(p, uint64_t, state);
    rs_member_state_save(m, p);
    digest(data, size, data + size);
    const reshed_status st = rs_os_write_file(path, data, size + sizeof hash, err);
    rs_free(data);
    return st;
}

static int64_t take_i64(rs_cursor *k)
{
    return (int64_t)rs_u64(k);
}

/* The head up to the curve; *points says how many follow. */
static reshed_status read_head(rs_cursor *k, const char *words, rs_checkpoint *c, uint64_t *points,
                               reshed_error *err)
{
    uint8_t hash[32];
    const uint8_t *magic = rs_take(k, 8);
    const uint32_t version = rs_u32(k);
    if (!magic || memcmp(magic, MAGIC, 8) != 0)
        return rs_fail(err, RESHED_ECORRUPT, "not a checkpoint of a training");
    if (version != VERSION || rs_u32(k) != ORDER)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "checkpoint|version %d, of this kind of machine|another", VERSION);
    const uint8_t *recipe = rs_take(k, sizeof hash);
    const int member = rs_i32(k), done = rs_i32(k);
    digest(words, strlen(words), hash);
    if (!recipe || memcmp(recipe, hash, sizeof hash) != 0)
        return rs_fail(err, RESHED_EINVAL,
                       "checkpoint of another training|these settings, frames and weights|others; "
                       "name another folder, or remove this one to begin anew");
    if (member != c->member)
        return rs_fail(err, RESHED_EINVAL, "checkpoint of a member|%d|%d", c->member, member);
    c->done = done != 0;
    c->step = take_i64(k);
    c->loss = rs_f64(k);
    c->losses = take_i64(k);
    *points = rs_u64(k);
    if (k->overrun || c->step < 0 || *points > MAX_POINTS || *points * POINT > rs_cursor_left(k))
        return rs_fail(err, RESHED_ECORRUPT, "checkpoint|numbers that fit together|others");
    return RESHED_OK;
}

static reshed_status read_all(rs_cursor *k, const char *words, rs_checkpoint *c, rs_member *m,
                              reshed_error *err)
{
    uint64_t points = 0;
    reshed_status st = read_head(k, words, c, &points, err);
    for (uint64_t i = 0; st == RESHED_OK && i < points; i++) {
        rs_curve_point p = {.step = (long)take_i64(k)};
        p.loss = rs_f64(k);
        p.f = rs_f64(k);
        st = rs_curve_add(&c->curve, &p, err);
    }
    if (st != RESHED_OK) return st;
    const uint64_t bytes = rs_u64(k);
    if (k->overrun || bytes != rs_cursor_left(k))
        return rs_fail(err, RESHED_ECORRUPT, "state in a checkpoint|%zu bytes|%llu",
                       rs_cursor_left(k), (unsigned long long)bytes);
    return rs_member_state_restore(m, rs_take(k, (size_t)bytes), (size_t)bytes, err);
}

reshed_status rs_checkpoint_load(const char *path, const char *words, rs_checkpoint *c,
                                 rs_member *m, reshed_error *err)
{
    const uint16_t one = 1;
    uint8_t *data = NULL, hash[32];
    size_t n;
    reshed_status st = rs_os_read_file(path, MAX_FILE, &data, &n, err);
    if (st != RESHED_OK) return st;
    if (n < HEAD + 8 + sizeof hash)
        st = rs_fail(err, RESHED_ECORRUPT, "checkpoint|at least %zu bytes|%zu",
                     (size_t)HEAD + 8 + sizeof hash, n);
    if (st == RESHED_OK) {
        digest(data, n - sizeof hash, hash);
        if (memcmp(hash, data + n - sizeof hash, sizeof hash) != 0)
            st = rs_fail(err, RESHED_ECORRUPT, "checkpoint|its checksum|another");
    }
    rs_checkpoint found = {.member = c->member};
    if (st == RESHED_OK) {
        rs_cursor k = rs_cursor_make(data, n - sizeof hash, *(const uint8_t *)&one == 0);
        st = read_all(&k, words, &found, m, err);
    }
    if (st == RESHED_OK) {
        rs_curve_clear(&c->curve);
        *c = found;
    } else {
        rs_curve_clear(&found.curve);
    }
    rs_free(data);
    return st;
}
