/* A redo journal.
 *
 *   header       8 magic, 8 offset of the identity, 32 identity, 16 start of their SHA-256
 *   step 0       4 "STEP", 4 number of changes, 8 number of the step, 8 bytes of changes
 *                change: 8 offset, 8 n, n bytes           (n = all ones: the file's new length)
 *                ...
 *                32 SHA-256 of all of the step before it
 *   step 1 ...   until one that is cut short, or wrong
 *
 * Numbers are little endian. The order of events is
 *
 *   1. the step is written at the end of the journal
 *   2. the journal is synced         (at every N-th commit; steps wait for it in memory)
 *   3. its changes are carried out on the file, in the order in which they were made
 *   4. when the journal is long: the file is synced, then the journal cut back to its header,
 *      then that synced
 *
 * Claim: whenever the program dies, carrying out the journal's whole steps in order on what is on
 * the disk gives the file as it was after the last of them.
 *  - Died in 1 or 2: the file holds all steps before, or part of the changes of steps that are
 *    still in the journal (see the next); the last step is whole in the journal or fails its
 *    checksum.
 *  - Died in 3, or later: each change says what bytes are, not how they differ, so doing it a
 *    second time changes nothing, and whatever a half-done or out-of-order change left is written
 *    over by the same change. What the file looked like between has no influence.
 *  - Died in 4: until the cut the journal is complete, so the last case holds; after the sync the
 *    file is right without it. Nothing is written after the cut before that is on the disk too:
 *    old steps with new ones over some of them could be read as a part of the old ones.
 * A program that dies loses nothing that it gave to the system, so there the same holds for steps
 * that were written and not yet synced.
 *
 * Other programs read the file while it changes. A step is carried out in its owner's order, so
 * what holds for readers of the owner's writes (HDF5's SWMR) holds for them.
 *
 * A failed sync may have dropped what it should have written, and the next one would not say so.
 * Bytes that the journal lost are in memory and written again. Bytes that the file lost are in the
 * journal, which therefore is not cut back any more; its steps are carried out anew when the file
 * is closed, not before: the first of them would take the file back to where it was then. */
#include "io/hdf5/journal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"

#define HEADER 64u
#define STEP_HEADER 24u
#define CHANGE_HEADER 16u
#define DIGEST 32u
#define RESIZE UINT64_MAX

static const uint8_t magic[8] = {'R', 'S', 'J', 'R', 'N', 'L', '1', '\n'};
static const uint8_t step_magic[4] = {'S', 'T', 'E', 'P'};

struct rs_journal {
    char path[4096];
    rs_os_file *file, *disk; /* the file, borrowed; the journal itself, NULL before first use */
    rs_journal_id id;
    uint64_t size;   /* of the file, as carried out */
    uint64_t synced; /* bytes of the journal that are on the disk and carried out */
    uint64_t number; /* of the next step */
    uint64_t longest;
    int sync_every, unsynced;
    bool broken; /* memory was short: a change is missing */
    bool redo;   /* a sync of the file failed: the journal stays as long as the file is open */
    bool cut;    /* the journal is to be cut back before anything is added to it */
    /* Steps since `synced`, as in the journal: [0, written) is there, [written, sealed) should be,
     * [sealed, n) is the step in the making, without its checksum. */
    uint8_t *buf;
    size_t room, n, sealed, written;
    uint32_t changes; /* of the step in the making */
};

static void put(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | p[i];
    return v;
}

static void digest_of(const uint8_t *p, size_t n, uint8_t digest[DIGEST])
{
    rs_sha256 s;
    rs_sha256_start(&s);
    rs_sha256_add(&s, p, n);
    rs_sha256_end(&s, digest);
}

static void make_header(const rs_journal_id *id, uint8_t header[HEADER])
{
    uint8_t digest[DIGEST];
    memcpy(header, magic, 8);
    put(header + 8, id->offset, 8);
    memcpy(header + 16, id->bytes, 32);
    digest_of(header, 48, digest);
    memcpy(header + 48, digest, 16);
}

reshed_status rs_journal_create(const char *path, rs_os_file *file, uint64_t size, int sync_every,
                                uint64_t longest, rs_journal **out, reshed_error *err)
{
    if (sync_every < 1)
        return rs_fail(err, RESHED_EINVAL, "steps between syncs|1 or more|%d", sync_every);
    if (strlen(path) >= sizeof((rs_journal *)0)->path)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof((rs_journal *)0)->path - 1, strlen(path));
    rs_journal *j = rs_zalloc(1, sizeof *j);
    if (!j) return rs_fail_nomem(err, "a journal", sizeof *j);
    strcpy(j->path, path);
    j->file = file;
    j->size = size;
    j->sync_every = sync_every;
    j->longest = longest;
    *out = j;
    return RESHED_OK;
}

void rs_journal_identify(rs_journal *j, const rs_journal_id *id)
{
    j->id = *id;
}

/* ----------------------------------------------------------------------------- writing, reading */
static bool make_room(rs_journal *j, size_t n)
{
    size_t need = j->n + n, room = j->room ? j->room : 4096;
    if (need < n) return false;
    while (room < need) {
        if (room > SIZE_MAX / 2) return false;
        room *= 2;
    }
    if (room == j->room) return true;
    uint8_t *p = rs_regrow(j->buf, j->n, room, 1);
    if (!p) return false;
    j->buf = p;
    j->room = room;
    return true;
}

/* Room for a change of `payload` bytes, for the step's header when it is the first, and for the
 * checksum, which must not fail for want of memory later. */
static bool add_change(rs_journal *j, uint64_t offset, uint64_t n, const void *data, size_t payload)
{
    size_t head = j->n == j->sealed ? STEP_HEADER : 0, extra = head + CHANGE_HEADER + DIGEST;
    if (payload > SIZE_MAX - extra || !make_room(j, extra + payload)) {
        j->broken = true;
        return false;
    }
    j->n += head;
    put(j->buf + j->n, offset, 8);
    put(j->buf + j->n + 8, n, 8);
    if (payload) memcpy(j->buf + j->n + CHANGE_HEADER, data, payload);
    j->n += CHANGE_HEADER + payload;
    j->changes++;
    return true;
}

bool rs_journal_write(rs_journal *j, uint64_t offset, const void *data, size_t n)
{
    return add_change(j, offset, n, data, n);
}

bool rs_journal_resize(rs_journal *j, uint64_t size)
{
    return add_change(j, size, RESIZE, NULL, 0);
}

/* The overlap of n bytes at `a` of the file and m at `b`: [*lo, *hi), of the file. */
static bool overlap(uint64_t a, uint64_t n, uint64_t b, uint64_t m, uint64_t *lo, uint64_t *hi)
{
    *lo = a > b ? a : b;
    *hi = a + n < b + m ? a + n : b + m;
    return *lo < *hi;
}

/* Applies the changes in p[n] to buf, which is `count` bytes at `offset`. */
static void overlay(const uint8_t *p, size_t n, uint64_t offset, uint8_t *buf, size_t count)
{
    for (size_t at = 0; at < n;) {
        uint64_t to = get(p + at, 8), len = get(p + at + 8, 8), lo, hi;
        at += CHANGE_HEADER;
        if (len == RESIZE) {
            if (overlap(offset, count, to, UINT64_MAX - to, &lo, &hi))
                memset(buf + (lo - offset), 0, (size_t)(hi - lo));
            continue;
        }
        if (overlap(offset, count, to, len, &lo, &hi))
            memcpy(buf + (lo - offset), p + at + (lo - to), (size_t)(hi - lo));
        at += (size_t)len;
    }
}

/* The changes of the step at `at`, and where the next one begins. The one in the making has no
 * length yet. */
static const uint8_t *changes_at(const rs_journal *j, size_t at, size_t *n, size_t *next)
{
    if (at == j->sealed) {
        *n = j->n - at - STEP_HEADER;
        *next = j->n;
    } else {
        *n = (size_t)get(j->buf + at + 16, 8);
        *next = at + STEP_HEADER + *n + DIGEST;
    }
    return j->buf + at + STEP_HEADER;
}

bool rs_journal_read(const rs_journal *j, uint64_t offset, void *buf, size_t n)
{
    size_t have = offset >= j->size ? 0 : n < j->size - offset ? n : (size_t)(j->size - offset);
    memset((uint8_t *)buf + have, 0, n - have);
    if (have && rs_os_read_at(j->file, offset, buf, have) != have) return false;
    for (size_t at = 0, count; at < j->n;) {
        const uint8_t *changes = changes_at(j, at, &count, &at);
        overlay(changes, count, offset, buf, n);
    }
    return true;
}

/* -------------------------------------------------------------------------------------- commits */
static void seal(rs_journal *j)
{
    if (j->n == j->sealed) return;
    uint8_t *p = j->buf + j->sealed;
    size_t n = j->n - j->sealed;
    memcpy(p, step_magic, 4);
    put(p + 4, j->changes, 4);
    put(p + 8, j->number, 8);
    put(p + 16, n - STEP_HEADER, 8);
    digest_of(p, n, p + n);
    j->n += DIGEST;
    j->sealed = j->n;
    j->number++;
    j->changes = 0;
}

static reshed_status start_journal(rs_journal *j, reshed_error *err)
{
    uint8_t header[HEADER];
    reshed_status st = RESHED_OK;
    if (!j->disk) st = rs_os_open(j->path, RS_OS_CREATE, &j->disk, NULL, err);
    if (st != RESHED_OK || j->synced) return st;
    make_header(&j->id, header);
    st = rs_os_write_at(j->disk, 0, header, sizeof header, err);
    if (st == RESHED_OK) st = rs_os_sync(j->disk, err);
    if (st != RESHED_OK) return st;
    rs_os_sync_folder(j->path);
    j->synced = HEADER;
    return st;
}

static reshed_status carry_out(const uint8_t *p, size_t n, rs_os_file *file, uint64_t *size,
                               reshed_error *err)
{
    for (size_t at = 0; at < n;) {
        uint64_t to = get(p + at, 8), len = get(p + at + 8, 8);
        reshed_status st;
        at += CHANGE_HEADER;
        if (len == RESIZE) {
            st = rs_os_resize(file, to, err);
            if (st == RESHED_OK) *size = to;
        } else {
            st = rs_os_write_at(file, to, p + at, (size_t)len, err);
            if (st == RESHED_OK && len && to + len > *size) *size = to + len;
            at += (size_t)len;
        }
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

/* Step 4. When it fails after the file's sync it is done again. */
static reshed_status cut_back(rs_journal *j, reshed_error *err)
{
    reshed_status st = rs_os_sync(j->file, err);
    if (st != RESHED_OK) {
        j->redo = true;
        j->cut = false;
        return st;
    }
    st = rs_os_resize(j->disk, HEADER, err);
    if (st == RESHED_OK) st = rs_os_sync(j->disk, err);
    if (st != RESHED_OK) return st;
    j->synced = HEADER;
    j->cut = false;
    return RESHED_OK;
}

/* Steps 2 and 3. */
static reshed_status sync_steps(rs_journal *j, reshed_error *err)
{
    reshed_status st = rs_os_sync(j->disk, err);
    if (st != RESHED_OK) {
        j->written = 0;
        return st;
    }
    for (size_t at = 0, n; st == RESHED_OK && at < j->n;) {
        const uint8_t *changes = changes_at(j, at, &n, &at);
        st = carry_out(changes, n, j->file, &j->size, err);
    }
    if (st != RESHED_OK) return st;
    j->synced += j->written;
    j->n = j->sealed = j->written = 0;
    j->unsynced = 0;
    return RESHED_OK;
}

reshed_status rs_journal_commit(rs_journal *j, rs_journal_sync sync, reshed_error *err)
{
    if (j->broken)
        return rs_fail(err, RESHED_ENOMEM,
                       "the file cannot be written on: memory was short at an earlier moment");
    bool fresh = j->n > j->sealed;
    seal(j);
    if (j->n == 0 && !j->cut) return RESHED_OK;
    reshed_status st = start_journal(j, err);
    if (st == RESHED_OK && j->cut && j->written == 0) st = cut_back(j, err);
    if (st == RESHED_OK && j->written < j->sealed)
        st = rs_os_write_at(j->disk, j->synced + j->written, j->buf + j->written,
                            j->sealed - j->written, err);
    if (st != RESHED_OK) return st;
    j->written = j->sealed;
    if (fresh) j->unsynced++;
    if (sync == RS_JOURNAL_LATER) return RESHED_OK;
    if (j->n > 0 && (sync == RS_JOURNAL_NOW || j->unsynced >= j->sync_every))
        st = sync_steps(j, err);
    if (st != RESHED_OK || j->n > 0 || j->synced <= j->longest || j->redo) return st;
    j->cut = true;
    return cut_back(j, err);
}

bool rs_journal_clean(const rs_journal *j)
{
    return j->n == 0 && !j->broken && !j->cut;
}

void rs_journal_abandon(rs_journal *j)
{
    if (!j) return;
    rs_os_close(j->disk);
    rs_free(j->buf);
    rs_free(j);
}

/* ------------------------------------------------------------------------------------- recovery */
/* Returns whether p[n] is a row of `count` changes. */
static bool changes_are_sane(const uint8_t *p, uint64_t n, uint32_t count)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (n - at < CHANGE_HEADER) return false;
        uint64_t to = get(p + at, 8), len = get(p + at + 8, 8);
        at += CHANGE_HEADER;
        if (to > INT64_MAX) return false;
        if (len == RESIZE) continue;
        if (len > n - at || len > INT64_MAX - to) return false;
        at += len;
    }
    return at == n;
}

/* Reads the step at `at` of a journal of `end` bytes into a new block (rs_free), its changes
 * n bytes of it. *p is NULL when there is no whole step. A disk that does not read is something
 * else. */
static reshed_status read_step(const rs_os_file *journal, uint64_t at, uint64_t end,
                               uint64_t number, uint8_t **p, size_t *n, reshed_error *err)
{
    uint8_t head[STEP_HEADER], digest[DIGEST];
    *p = NULL;
    if (end - at < STEP_HEADER + DIGEST) return RESHED_OK;
    if (rs_os_read_at(journal, at, head, sizeof head) != sizeof head)
        return rs_fail(err, RESHED_EIO, "cannot read the journal");
    if (memcmp(head, step_magic, 4) != 0 || (number && get(head + 8, 8) != number))
        return RESHED_OK;
    uint64_t bytes = get(head + 16, 8);
    if (bytes > end - at - STEP_HEADER - DIGEST || bytes > SIZE_MAX - STEP_HEADER - DIGEST)
        return RESHED_OK;
    size_t whole = STEP_HEADER + (size_t)bytes;
    uint8_t *step = rs_alloc(whole + DIGEST, 1);
    if (!step) return rs_fail_nomem(err, "a step of the journal", whole + DIGEST);
    if (rs_os_read_at(journal, at, step, whole + DIGEST) != whole + DIGEST) {
        rs_free(step);
        return rs_fail(err, RESHED_EIO, "cannot read the journal");
    }
    digest_of(step, whole, digest);
    if (memcmp(digest, step + whole, DIGEST) != 0 ||
        !changes_are_sane(step + STEP_HEADER, bytes, (uint32_t)get(head + 4, 4))) {
        rs_free(step);
        return RESHED_OK;
    }
    *p = step;
    *n = (size_t)bytes;
    return RESHED_OK;
}

static reshed_status redo_steps(rs_os_file *journal, uint64_t end, rs_os_file *file, uint64_t *size,
                                reshed_error *err)
{
    uint64_t at = HEADER, number = 0;
    reshed_status st = RESHED_OK;
    while (st == RESHED_OK) {
        uint8_t *step;
        size_t n;
        st = read_step(journal, at, end, number, &step, &n, err);
        if (st != RESHED_OK || !step) break;
        number = get(step + 8, 8) + 1;
        st = carry_out(step + STEP_HEADER, n, file, size, err);
        at += STEP_HEADER + n + DIGEST;
        rs_free(step);
    }
    return st;
}

reshed_status rs_journal_recover(const char *path, rs_os_file *file, rs_journal_id *whose,
                                 bool *found, reshed_error *err)
{
    rs_os_file *journal = NULL;
    uint64_t end, size = 0;
    uint8_t header[HEADER], expected[HEADER], there[32];
    rs_journal_id id;
    if (whose) *found = false;
    if (!rs_os_is_file(path)) return RESHED_OK;
    reshed_status st = rs_os_open(path, RS_OS_UPDATE, &journal, &end, err);
    /* Its owner may have finished in this moment, and removed it. */
    if (st != RESHED_OK) return rs_os_is_file(path) ? st : RESHED_OK;
    /* Up to the header's length it was only being made, and nothing was committed. */
    if (end > HEADER) {
        bool ok = rs_os_read_at(journal, 0, header, HEADER) == HEADER;
        id.offset = get(header + 8, 8);
        memcpy(id.bytes, header + 16, sizeof id.bytes);
        make_header(&id, expected);
        if (!ok || memcmp(header, expected, HEADER) != 0)
            st = rs_fail(err, RESHED_ECORRUPT, "the journal is damaged|its header|other bytes|%s",
                         "offset 0 of the journal");
        else if (rs_os_read_at(file, id.offset, there, sizeof there) != sizeof there ||
                 memcmp(there, id.bytes, sizeof there) != 0)
            st = rs_fail(err, RESHED_ECORRUPT,
                         "the journal beside the file belongs to another file");
        else
            st = redo_steps(journal, end, file, &size, err);
        if (st == RESHED_OK) st = rs_os_sync(file, err);
    }
    rs_os_close(journal);
    if (st != RESHED_OK) return st;
    rs_os_discard_temp(path);
    if (whose && end > HEADER) {
        *whose = id;
        *found = true;
    }
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- the end */
reshed_status rs_journal_close(rs_journal *j, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    if (!rs_journal_clean(j)) st = rs_fail(err, RESHED_EIO, "the last changes are not in the file");
    if (st == RESHED_OK && j->redo) st = redo_steps(j->disk, j->synced, j->file, &j->size, err);
    if (st == RESHED_OK && j->disk) st = cut_back(j, err);
    if (st == RESHED_OK && j->disk) rs_os_discard_temp(j->path);
    rs_journal_abandon(j);
    return st;
}
