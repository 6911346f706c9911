/* The parts of a torch ZIP file (domain facts; every one is checked here or below):
 *
 *   NAME/data.pkl      the pickled dict (pickle.c); NAME is "archive" or the stem of the file
 *   NAME/byteorder     "little" or "big"; absent in files of torch before 2.1: little
 *   NAME/data/KEY      the storages, raw (torch_storage.c)
 *   NAME/version, ...  of no use here
 *
 * What the dict says is read in torch_dict.c. */
#include "io/weights/torch.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/weights/model.h"
#include "io/weights/pickle.h"
#include "io/weights/torch_dict.h"
#include "io/weights/torch_storage.h"
#include "io/weights/zip.h"

/* Weights do not compress, and AtomAI's files are stored plainly: what takes more bytes than FREE and
 * so many times the file is no weights file. What is unpacked, the description (the full ensemble's
 * takes 3 MB) and the tensors are there at the same time. */
#define FREE ((uint64_t)12 << 20)
#define UNPACK_TIMES 2u
#define PICKLE_TIMES 2u
#define TENSOR_TIMES 3u
/* A tensor's own cost beside its values, for the same budget. */
#define TENSOR_COST 256u
/* The full ensemble's is 0.3 MB. */
#define MAX_PICKLE ((uint64_t)64 << 20)
#define MAX_FILE ((size_t)1 << (sizeof(size_t) > 4 ? 36 : 31))

/* ---------------------------------------------------------------------------------- the archive */
/* The start of files by torch.save before version 1.6: the magic number as a pickled long. */
static const uint8_t old_magic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                    0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static bool starts(const uint8_t *head, size_t n, const void *with, size_t k)
{
    return n >= k && memcmp(head, with, k) == 0;
}

bool rs_torch_detect(const uint8_t *head, size_t n)
{
    return starts(head, n, "PK\x03\x04", 4) || starts(head, n, old_magic, sizeof old_magic);
}

static reshed_status open_archive(const void *data, size_t len, rs_zip **zip, reshed_error *err)
{
    if (starts(data, len, old_magic, sizeof old_magic))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "torch file in the format of before version 1.6|a ZIP file; re-save it in "
                       "Python: torch.save(torch.load(F, map_location='cpu'), F)|a bare pickle");
    if (!starts(data, len, "PK", 2))
        return rs_fail(err, RESHED_ECORRUPT, "not a torch file|a ZIP archive|other bytes");
    return rs_zip_open_mem(data, len, FREE + (uint64_t)len * UNPACK_TIMES, zip, err);
}

/* The index of the one member NAME/data.pkl, and NAME. */
static reshed_status find_pickle(const rs_zip *zip, char *prefix, size_t room, int64_t *index,
                                 reshed_error *err)
{
    static const char tail[] = "/data.pkl";
    int64_t n = rs_zip_count(zip), found = -1;
    for (int64_t i = 0; i < n; i++) {
        const char *name = rs_zip_name(zip, i);
        size_t k = name ? strlen(name) : 0;
        if (k < sizeof tail || strcmp(name + k - (sizeof tail - 1), tail) != 0) continue;
        k -= sizeof tail - 1;
        if (memchr(name, '/', k) || k >= room) continue;
        if (found >= 0) return rs_fail(err, RESHED_ECORRUPT, "torch file|one data.pkl|several");
        memcpy(prefix, name, k);
        prefix[k] = '\0';
        found = i;
    }
    if (found < 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "not a torch file|a member NAME/data.pkl|a ZIP "
                       "archive without one");
    *index = found;
    return RESHED_OK;
}

static reshed_status read_byteorder(rs_zip *zip, const char *prefix, bool *big, reshed_error *err)
{
    char path[160];
    uint8_t *text = NULL;
    size_t n;
    snprintf(path, sizeof path, "%.128s/byteorder", prefix);
    int64_t i = rs_zip_find(zip, path);
    *big = false;
    if (i < 0) return RESHED_OK;
    reshed_status st = rs_zip_read_new(zip, i, 64, &text, &n, err);
    if (st != RESHED_OK) return st;
    if (strcmp((char *)text, "big") == 0)
        *big = true;
    else if (strcmp((char *)text, "little") != 0)
        st = rs_fail(err, RESHED_ECORRUPT, "byte order|'little' or 'big'|'%.40s'", (char *)text);
    rs_free(text);
    return st;
}

/* ---------------------------------------------------------------------------------- the weights */
/* One view for each tensor of each member, in a new block. budget: bytes that all may take. */
static reshed_status parse_views(const rs_torch_member *member, int members, uint64_t budget,
                                 rs_torch_view **out, size_t *count, reshed_error *err)
{
    size_t n = 0, k = 0;
    reshed_status st = RESHED_OK;
    for (int i = 0; i < members; i++) {
        size_t tensors = member[i].dict->u.items.n / 2;
        if (tensors > RS_MODEL_MAX_TENSORS || (n += tensors) > budget / TENSOR_COST)
            return rs_fail(err, RESHED_ECORRUPT, "implausibly many tensors|||member %d", i);
    }
    rs_torch_view *views = rs_alloc(n, sizeof *views);
    if (!views) return rs_fail_nomem(err, "the tensors' descriptions", n * sizeof *views);
    for (int i = 0; i < members; i++)
        for (size_t j = 0; j < member[i].dict->u.items.n && st == RESHED_OK; j += 2) {
            const rs_pkl *name = member[i].dict->u.items.at[j];
            if (name->kind != RS_PKL_STR) {
                st = rs_fail(err, RESHED_ECORRUPT,
                             "key of a state_dict|the name of a tensor|another thing|member %d", i);
                break;
            }
            st = rs_torch_view_parse(member[i].dict->u.items.at[j + 1], name, i, &views[k], err);
            if (st != RESHED_OK) break;
            views[k].skip = rs_torch_prefix(&member[i], name);
            uint64_t cost = TENSOR_COST + views[k].count * rs_dtype_size(views[k].type->to);
            if (cost > budget)
                st = rs_fail(err, RESHED_ECORRUPT,
                             "tensors take implausibly many bytes for this file|||member %d", i);
            budget -= cost;
            k++;
        }
    if (st != RESHED_OK) {
        rs_free(views);
        return st;
    }
    *out = views;
    *count = n;
    return RESHED_OK;
}

static reshed_status read_weights(rs_zip *zip, const char *prefix, const rs_pkl *root,
                                  uint64_t budget, rs_model_file *m, reshed_error *err)
{
    rs_torch_view *views = NULL;
    size_t n = 0;
    bool big = false;
    int members = 0;
    rs_torch_member *member = rs_zalloc(RS_MODEL_MAX_MEMBERS, sizeof *member);
    if (!member) return rs_fail_nomem(err, "the members", RS_MODEL_MAX_MEMBERS * sizeof *member);
    reshed_status st = read_byteorder(zip, prefix, &big, err);
    if (st == RESHED_OK) st = rs_torch_dict_read(root, m, member, &members, err);
    if (st == RESHED_OK) st = parse_views(member, members, budget, &views, &n, err);
    rs_free(member);
    if (st != RESHED_OK) return st;
    m->member = rs_zalloc((size_t)members, sizeof *m->member);
    if (!m->member) {
        st = rs_fail_nomem(err, "the members", (size_t)members * sizeof *m->member);
    } else {
        m->members = members;
        st = rs_torch_load_views(zip, prefix, big, views, n, m->member, err);
    }
    rs_free(views);
    return st;
}

reshed_status rs_torch_read_mem(const void *data, size_t len, rs_model_file *out, reshed_error *err)
{
    rs_zip *zip = NULL;
    uint8_t *text = NULL;
    rs_pickle *pickle = NULL;
    rs_model_file m = {0};
    char prefix[128];
    int64_t index = -1;
    size_t n = 0;
    reshed_status st = open_archive(data, len, &zip, err);
    if (st == RESHED_OK) st = find_pickle(zip, prefix, sizeof prefix, &index, err);
    if (st == RESHED_OK) st = rs_zip_read_new(zip, index, MAX_PICKLE, &text, &n, err);
    if (st == RESHED_OK) st = rs_pickle_parse(text, n, FREE + len * PICKLE_TIMES, &pickle, err);
    if (st == RESHED_OK)
        st = read_weights(zip, prefix, rs_pickle_root(pickle), FREE + (uint64_t)len * TENSOR_TIMES,
                          &m, err);
    if (st == RESHED_OK) st = rs_model_file_check(&m, err);
    if (st == RESHED_OK)
        *out = m;
    else
        rs_model_file_clear(&m);
    rs_pickle_free(pickle);
    rs_free(text);
    rs_zip_close(zip);
    return st;
}

reshed_status rs_torch_read(const char *path, rs_model_file *out, reshed_error *err)
{
    uint8_t *data = NULL;
    size_t len;
    reshed_status st = rs_os_read_file(path, MAX_FILE, &data, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_torch_read_mem(data, len, out, err);
    rs_free(data);
    return st;
}
