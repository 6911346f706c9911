#include "io/weights/zip.h"

#include <string.h>
#include <zip.h>

#include "base/alloc.h"
#include "base/os.h"

struct rs_zip {
    zip_t *archive;
    uint64_t budget; /* bytes that may still be unpacked */
};

/* libzip's code as one of ours: what the bytes are to blame for is corruption. */
static reshed_status fail_zip(reshed_error *err, const char *what, const char *name, int code)
{
    zip_error_t e;
    reshed_status st = RESHED_ECORRUPT;
    if (code == ZIP_ER_MEMORY)
        st = RESHED_ENOMEM;
    else if (code == ZIP_ER_COMPNOTSUPP || code == ZIP_ER_ENCRNOTSUPP || code == ZIP_ER_NOPASSWD)
        st = RESHED_EUNSUPPORTED;
    zip_error_init_with_code(&e, code);
    rs_fail(err, st, "%s: %s|||%s%.80s", what, zip_error_strerror(&e), name ? "member " : "",
            name ? name : "");
    zip_error_fini(&e);
    return st;
}

/* An archive that begins as one, but whose directory, at the end, is not there: a download or a copy that
 * broke off, which libzip only calls "not a zip archive". */
static reshed_status fail_open(reshed_error *err, const void *data, size_t len, int code)
{
    if (code == ZIP_ER_NOZIP && len >= 4 && memcmp(data, "PK\3\4", 4) == 0)
        return rs_fail(
            err, RESHED_ECORRUPT,
            "ZIP archive|its directory at the end of the file|none in %zu bytes: the file "
            "is cut short; copy or download it again",
            len);
    return fail_zip(err, "not a readable ZIP archive", NULL, code);
}

reshed_status rs_zip_open_mem(const void *data, size_t len, uint64_t budget, rs_zip **out,
                              reshed_error *err)
{
    zip_error_t e;
    reshed_status st = RESHED_OK;
    rs_zip *z = rs_zalloc(1, sizeof *z);
    zip_source_t *source = NULL;
    if (!z) return rs_fail_nomem(err, "the ZIP archive", sizeof *z);
    z->budget = budget;
    zip_error_init(&e);
    source = zip_source_buffer_create(data, len, 0, &e);
    if (source) z->archive = zip_open_from_source(source, ZIP_RDONLY, &e);
    if (!z->archive) {
        st = fail_open(err, data, len, zip_error_code_zip(&e));
        if (source) zip_source_free(source); /* an archive that opened owns its source */
        rs_free(z);
    } else {
        *out = z;
    }
    zip_error_fini(&e);
    return st;
}

void rs_zip_close(rs_zip *z)
{
    if (!z) return;
    zip_discard(z->archive);
    rs_free(z);
}

int64_t rs_zip_count(const rs_zip *z)
{
    return zip_get_num_entries(z->archive, 0);
}

const char *rs_zip_name(const rs_zip *z, int64_t i)
{
    return zip_get_name(z->archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
}

int64_t rs_zip_find(const rs_zip *z, const char *name)
{
    return zip_name_locate(z->archive, name, ZIP_FL_ENC_RAW);
}

reshed_status rs_zip_size(const rs_zip *z, int64_t i, uint64_t *size, reshed_error *err)
{
    zip_stat_t s;
    if (zip_stat_index(z->archive, (zip_uint64_t)i, 0, &s) != 0)
        return fail_zip(err, "cannot find ZIP member", rs_zip_name(z, i),
                        zip_error_code_zip(zip_get_error(z->archive)));
    if (!(s.valid & ZIP_STAT_SIZE))
        return rs_fail(err, RESHED_ECORRUPT, "ZIP member without a size|||member %.80s",
                       rs_zip_name(z, i));
    *size = s.size;
    return RESHED_OK;
}

reshed_status rs_zip_read(rs_zip *z, int64_t i, void *buf, size_t size, reshed_error *err)
{
    const char *name = rs_zip_name(z, i);
    uint64_t stated;
    size_t done = 0;
    uint8_t beyond;
    zip_int64_t k = 0;
    reshed_status st = rs_zip_size(z, i, &stated, err);
    if (st != RESHED_OK) return st;
    if (stated != size)
        return rs_fail(err, RESHED_ECORRUPT, "size of ZIP member|%zu bytes|%llu bytes|member %.80s",
                       size, (unsigned long long)stated, name);
    if (size > z->budget)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "ZIP archive unpacks to implausibly many bytes|||member %.80s", name);
    z->budget -= size;
    zip_file_t *f = zip_fopen_index(z->archive, (zip_uint64_t)i, 0);
    if (!f)
        return fail_zip(err, "cannot read ZIP member", name,
                        zip_error_code_zip(zip_get_error(z->archive)));
    while (done < size && (k = zip_fread(f, (uint8_t *)buf + done, size - done)) > 0)
        done += (size_t)k;
    /* The checksum is compared when the end is met, so read once more. */
    if (k >= 0 && done == size) k = zip_fread(f, &beyond, 1);
    if (k < 0)
        st = fail_zip(err, "cannot read ZIP member", name,
                      zip_error_code_zip(zip_file_get_error(f)));
    else if (done != size || k > 0)
        st = rs_fail(err, RESHED_ECORRUPT, "content of ZIP member|%zu bytes|%s|member %.80s", size,
                     k > 0 ? "more" : "fewer", name);
    zip_fclose(f);
    return st;
}

reshed_status rs_zip_read_new(rs_zip *z, int64_t i, uint64_t max, uint8_t **data, size_t *size,
                              reshed_error *err)
{
    uint64_t n;
    reshed_status st = rs_zip_size(z, i, &n, err);
    if (st != RESHED_OK) return st;
    if (n > max || n > z->budget)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "ZIP member too large|at most %llu bytes|%llu bytes|member %.80s",
                       (unsigned long long)(max < z->budget ? max : z->budget),
                       (unsigned long long)n, rs_zip_name(z, i));
    uint8_t *buf = rs_alloc((size_t)n + 1, 1);
    if (!buf) return rs_fail_nomem(err, "a ZIP member", (size_t)n + 1);
    st = rs_zip_read(z, i, buf, (size_t)n, err);
    if (st != RESHED_OK) {
        rs_free(buf);
        return st;
    }
    buf[n] = 0;
    *data = buf;
    *size = (size_t)n;
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- writing */
/* ZIP's first day, 1 January 1980. */
#define FIRST_DAY 0x21

static bool add_part(zip_t *z, const rs_zip_part *part)
{
    zip_source_t *source = zip_source_buffer(z, part->data, part->n, 0);
    if (!source) return false;
    const zip_int64_t i = zip_file_add(z, part->name, source, ZIP_FL_ENC_UTF_8);
    if (i < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(z, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(z, (zip_uint64_t)i, 0, FIRST_DAY, 0) == 0;
}

static reshed_status fail_write(reshed_error *err, int code)
{
    zip_error_t e;
    zip_error_init_with_code(&e, code);
    const reshed_status st = rs_fail(err, code == ZIP_ER_MEMORY ? RESHED_ENOMEM : RESHED_EIO,
                                     "cannot write a ZIP archive: %s", zip_error_strerror(&e));
    zip_error_fini(&e);
    return st;
}

reshed_status rs_zip_write(const char *path, const rs_zip_part *part, size_t parts,
                           reshed_error *err)
{
    char temp[4096];
    int code = 0;
    reshed_status st = rs_os_temp_name(path, temp, sizeof temp, err);
    if (st != RESHED_OK) return st;
    zip_t *z = zip_open(temp, ZIP_CREATE | ZIP_EXCL, &code);
    if (!z) return fail_write(err, code);
    for (size_t i = 0; st == RESHED_OK && i < parts; i++)
        if (!add_part(z, &part[i])) st = fail_write(err, zip_error_code_zip(zip_get_error(z)));
    if (st == RESHED_OK && zip_close(z) != 0)
        st = fail_write(err, zip_error_code_zip(zip_get_error(z)));
    if (st != RESHED_OK) {
        zip_discard(z);
        rs_os_discard_temp(temp);
        return st;
    }
    return rs_os_commit_temp(temp, path, err);
}
