#include "io/hdf5/h5.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/hdf5/heap.h"

/* Deflate cannot shrink data further than this, so a dataset cannot honestly hold more than that
 * many times the bytes that the file stores for it. */
#define DEFLATE_LIMIT 1032u
/* Parts of a dataset that were never written read as the fill value, so a small file can ask for much
 * memory: for this much at once, and for STORED_TIMES the size of the file beyond it. */
#define FREE_BYTES ((uint64_t)24 << 20)
#define STORED_TIMES 8u
/* Bytes of an element in memory: a double, or a pair of them, and a float of an image. */
#define MEMORY_OF(element_is_pair) ((element_is_pair) ? 16u : 12u)

/* ----------------------------------------------------------------------------------- attributes */
bool rs_h5_has_attr(hid_t obj, const char *name)
{
    return H5Aexists(obj, name) > 0;
}

/* An attribute of n elements, its file type and space; all to be closed whatever the result. */
typedef struct attr {
    hid_t id, type, space;
} attr;

static bool attr_open(attr *a, hid_t obj, const char *name, hssize_t n)
{
    a->type = a->space = -1;
    a->id = rs_h5_has_attr(obj, name) ? H5Aopen(obj, name, H5P_DEFAULT) : -1;
    if (a->id < 0) return false;
    a->type = H5Aget_type(a->id);
    a->space = H5Aget_space(a->id);
    return a->type >= 0 && a->space >= 0 && H5Sget_simple_extent_npoints(a->space) == n;
}

static void attr_close(attr *a)
{
    rs_h5_close(a->space);
    rs_h5_close(a->type);
    rs_h5_close(a->id);
}

/* Cuts buf[n] at the end of its last whole character. */
static void end_text(char *buf, size_t n)
{
    while (n > 0 && ((unsigned char)buf[n] & 0xc0) == 0x80) n--;
    buf[n] = '\0';
}

/* Element k of an open attribute of n texts. Takes no memory: a shortage here would make a dataset
 * look like something else. */
static bool attr_text(rs_h5_file *f, const attr *a, int k, int n, char *buf, size_t size)
{
    if (H5Tget_class(a->type) != H5T_STRING || n > H5S_MAX_RANK) return false;
    if (H5Tis_variable_str(a->type) > 0) {
        rs_h5_vlen refs[H5S_MAX_RANK];
        size_t got;
        if (!rs_h5_vlen_read(a->id, n, refs) || !rs_h5_heap_read(f, &refs[k], 1, buf, size, &got))
            return false;
        if (got == size)
            end_text(buf, size - 1);
        else
            buf[got] = '\0';
        return true;
    }
    /* The library cuts or pads each text to the size asked for. */
    char block[4096];
    hid_t memory = H5Tcopy(a->type);
    bool ok = memory >= 0 && H5Tset_size(memory, size) >= 0 && (size_t)n * size <= sizeof block &&
              H5Tset_strpad(memory, H5T_STR_NULLTERM) >= 0 && H5Aread(a->id, memory, block) >= 0;
    rs_h5_close(memory);
    if (!ok) return false;
    memcpy(buf, block + (size_t)k * size, size);
    end_text(buf, size - 1);
    size_t used = strlen(buf); /* Fortran pads with blanks */
    while (used > 0 && buf[used - 1] == ' ') buf[--used] = '\0';
    return true;
}

bool rs_h5_text_at(rs_h5_file *f, hid_t obj, const char *name, int k, int n, char *buf, size_t size)
{
    attr a;
    buf[0] = '\0';
    bool ok = attr_open(&a, obj, name, n) && attr_text(f, &a, k, n, buf, size);
    attr_close(&a);
    if (!ok) buf[0] = '\0';
    return ok;
}

bool rs_h5_text(rs_h5_file *f, hid_t obj, const char *name, char *buf, size_t n)
{
    return rs_h5_text_at(f, obj, name, 0, 1, buf, n);
}

bool rs_h5_has_lists(hid_t obj, const char *name, int n)
{
    attr a;
    rs_h5_vlen refs[H5S_MAX_RANK];
    hid_t base = -1;
    bool ok = attr_open(&a, obj, name, n) && n <= H5S_MAX_RANK &&
              H5Tget_class(a.type) == H5T_VLEN && (base = H5Tget_super(a.type)) >= 0 &&
              H5Tequal(base, H5T_STD_REF_OBJ) > 0 && rs_h5_vlen_read(a.id, n, refs);
    for (int i = 0; ok && i < n; i++) ok = refs[i].length > 0 && refs[i].collection > 0;
    rs_h5_close(base);
    attr_close(&a);
    return ok;
}

/* A boolean as h5py makes it: an enumeration of FALSE and TRUE in a byte. */
static bool is_boolean(hid_t type)
{
    return H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2;
}

/* Accepts common number types only: a damaged file can describe others, whose conversion hardly
 * any program uses. */
static bool is_number(hid_t type)
{
    size_t size = H5Tget_size(type), spos, epos, esize, mpos, msize;
    if (H5Tget_class(type) == H5T_INTEGER)
        return (size == 1 || size == 2 || size == 4 || size == 8) && H5Tget_offset(type) == 0 &&
               H5Tget_precision(type) == 8 * size;
    if (H5Tget_class(type) != H5T_FLOAT) return false;
    if (H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0 ||
        H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0)
        return true;
    return size == 2 && H5Tget_ebias(type) == 15 && H5Tget_precision(type) == 16 &&
           H5Tget_norm(type) == H5T_NORM_IMPLIED &&
           H5Tget_fields(type, &spos, &epos, &esize, &mpos, &msize) >= 0 && spos == 15 &&
           epos == 10 && esize == 5 && mpos == 0 && msize == 10;
}

bool rs_h5_number(hid_t obj, const char *name, double *out)
{
    attr a;
    double v;
    bool ok = attr_open(&a, obj, name, 1) && is_number(a.type) &&
              H5Aread(a.id, H5T_NATIVE_DOUBLE, &v) >= 0;
    attr_close(&a);
    if (ok) *out = v;
    return ok;
}

static bool set_scalar(hid_t obj, const char *name, hid_t type, hid_t memory, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR), id = -1;
    bool ok = type >= 0 && space >= 0;
    if (ok && rs_h5_has_attr(obj, name)) ok = H5Adelete(obj, name) >= 0;
    if (ok) id = H5Acreate2(obj, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ok = id >= 0 && H5Awrite(id, memory, value) >= 0;
    rs_h5_close(id);
    rs_h5_close(space);
    return ok;
}

bool rs_h5_set_text(hid_t obj, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    bool ok = type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 &&
              H5Tset_cset(type, H5T_CSET_UTF8) >= 0 && set_scalar(obj, name, type, type, &text);
    rs_h5_close(type);
    return ok;
}

bool rs_h5_set_number(hid_t obj, const char *name, double value)
{
    return set_scalar(obj, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

bool rs_h5_set_int(hid_t obj, const char *name, int64_t value)
{
    return set_scalar(obj, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

/* ------------------------------------------------------------------------------------- datasets */
/* A pair of two equal floats, packed: what h5py makes of complex numbers. */
static bool is_pair(hid_t type)
{
    if (H5Tget_class(type) != H5T_COMPOUND || H5Tget_nmembers(type) != 2) return false;
    hid_t a = H5Tget_member_type(type, 0), b = H5Tget_member_type(type, 1);
    size_t half = a >= 0 ? H5Tget_size(a) : 0;
    bool ok = a >= 0 && b >= 0 && H5Tget_class(a) == H5T_FLOAT && is_number(a) &&
              H5Tequal(a, b) > 0 && H5Tget_size(type) == 2 * half &&
              H5Tget_member_offset(type, 0) == 0 && H5Tget_member_offset(type, 1) == half;
    rs_h5_close(a);
    rs_h5_close(b);
    return ok;
}

hid_t rs_h5_memory_type(hid_t dset, bool is_complex)
{
    if (!is_complex) return H5Tcopy(H5T_NATIVE_DOUBLE);
    hid_t type = H5Dget_type(dset), pair = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
    bool ok = type >= 0 && pair >= 0;
    for (unsigned i = 0; ok && i < 2; i++) {
        char *name = H5Tget_member_name(type, i);
        ok = name && H5Tinsert(pair, name, i * sizeof(double), H5T_NATIVE_DOUBLE) >= 0;
        if (name) H5free_memory(name);
    }
    rs_h5_close(type);
    if (!ok) {
        rs_h5_close(pair);
        return -1;
    }
    return pair;
}

/* The storage of a dataset. */
typedef struct storage {
    H5D_layout_t layout;
    int rank;
    hsize_t chunk[H5S_MAX_RANK];
    int filters;
} storage;

/* Of the filters that other programs like, in brackets. */
static const char *filter_name(H5Z_filter_t f)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{4, " (szip)"},     {5, " (nbit)"},           {6, " (scaleoffset)"},
                 {307, " (bzip2)"},  {32000, " (LZF)"},        {32001, " (Blosc)"},
                 {32004, " (LZ4)"},  {32008, " (bitshuffle)"}, {32013, " (ZFP)"},
                 {32015, " (Zstd)"}, {32026, " (Blosc2)"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == (int)f) return names[i].name;
    return "";
}

/* What reads it where we do not: the library that h5repack uses has few filters, and h5py one more. */
static const char *filter_remedy(H5Z_filter_t f)
{
    if (f == H5Z_FILTER_SZIP || f == H5Z_FILTER_NBIT || f == H5Z_FILTER_SCALEOFFSET)
        return "the dataset's filter is not read: write it anew with h5repack -f GZIP=4 IN OUT";
    if (f == 32000)
        return "the dataset's filter is one that h5py alone has, not h5repack: write it anew in "
               "Python, new.create_dataset(name, data=old[name][()], compression='gzip')";
    return "the dataset's filter is a plug-in: write it anew with h5repack -f GZIP=4 IN OUT where "
           "HDF5_PLUGIN_PATH has it, or with h5py, hdf5plugin and compression='gzip'";
}

static reshed_status get_storage(hid_t plist, storage *s, const char *where, reshed_error *err)
{
    s->layout = plist < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(plist);
    s->rank = s->filters = 0;
    if (s->layout != H5D_COMPACT && s->layout != H5D_CONTIGUOUS && s->layout != H5D_CHUNKED)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "storage of the dataset|data in this file|a virtual or unknown layout|%s",
                       where);
    if (H5Pget_external_count(plist) != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "storage of the dataset|data in this file|data in another file|%s", where);
    if (s->layout != H5D_CHUNKED) return RESHED_OK;
    s->rank = H5Pget_chunk(plist, H5S_MAX_RANK, s->chunk);
    s->filters = H5Pget_nfilters(plist);
    for (int i = 0; i < s->filters; i++) {
        unsigned flags, info;
        size_t n = 0;
        H5Z_filter_t f = H5Pget_filter2(plist, (unsigned)i, &flags, &n, NULL, 0, NULL, &info);
        if (f != H5Z_FILTER_DEFLATE && f != H5Z_FILTER_SHUFFLE && f != H5Z_FILTER_FLETCHER32)
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "%s|deflate, shuffle or Fletcher32|filter %d%s|%s", filter_remedy(f),
                           (int)f, filter_name(f), where);
    }
    return RESHED_OK;
}

/* Elements of the dataset for which the file stores something. */
static uint64_t stored_elements(hid_t dset, const storage *s, const rs_h5_shape *shape,
                                uint64_t chunk_bytes, size_t element)
{
    const uint64_t stored = H5Dget_storage_size(dset);
    uint64_t chunks = chunk_bytes ? stored / chunk_bytes : 0;
    if (s->layout != H5D_CHUNKED) return stored / element;
    if (s->filters > 0) {
        hsize_t n = 0;
        chunks = 0;
#if H5_VERSION_GE(1, 10, 5)
        hid_t space = H5Dget_space(dset);
        if (space >= 0 && H5Dget_num_chunks(dset, space, &n) >= 0) chunks = n;
        rs_h5_close(space);
#else
        (void)n;
        chunks = stored > 0 ? UINT64_MAX : 0;
#endif
    }
    const uint64_t each = chunk_bytes / element;
    return each && chunks > shape->count / each ? shape->count : chunks * each;
}

/* Storage in this file, filters that we know, chunks of a sane size; and what it comes to in memory is
 * in proportion to what the file stores. */
static reshed_status check_storage(hid_t dset, const rs_h5_shape *shape, size_t element,
                                   uint64_t file_size, const char *where, reshed_error *err)
{
    storage s;
    hid_t plist = H5Dget_create_plist(dset);
    reshed_status st = get_storage(plist, &s, where, err);
    rs_h5_close(plist);
    if (st != RESHED_OK) return st;
    const uint64_t need = shape->count * element, limit = FREE_BYTES + 2 * need;
    uint64_t bytes = element;
    for (int i = 0; i < s.rank; i++)
        bytes = s.chunk[i] > limit / bytes ? limit + 1 : bytes * s.chunk[i];
    if (s.layout == H5D_CHUNKED && (s.rank < 1 || bytes > limit))
        return rs_fail(err, RESHED_ECORRUPT,
                       "chunk of the dataset|at most %llu bytes|%llu bytes|%s",
                       (unsigned long long)limit, (unsigned long long)bytes, where);
    const uint64_t each = MEMORY_OF(shape->is_complex);
    if (shape->count * each <= FREE_BYTES) return RESHED_OK;
    uint64_t room = H5Dget_storage_size(dset);
    if (room > file_size) room = file_size;
    const uint64_t most = s.filters > 0 ? room * DEFLATE_LIMIT : room,
                   stored = stored_elements(dset, &s, shape, bytes, element);
    const uint64_t missing = stored < shape->count ? shape->count - stored : 0;
    if (need - missing * element > most || missing > (FREE_BYTES + STORED_TIMES * file_size) / each)
        return rs_fail(err, RESHED_ECORRUPT,
                       "size of the dataset|at most %llu bytes for what the file stores|%llu "
                       "bytes|%s",
                       (unsigned long long)most, (unsigned long long)need, where);
    return RESHED_OK;
}

/* records: the element is known to be a record of which a pair is read. */
static reshed_status check_dataset(hid_t dset, bool records, uint64_t file_size, int max_ndim,
                                   uint64_t max_count, rs_h5_shape *shape, const char *where,
                                   reshed_error *err)
{
    hid_t type = H5Dget_type(dset), space = H5Dget_space(dset);
    rs_h5_shape s = {.count = 1, .is_complex = records};
    reshed_status st = RESHED_OK;
    size_t element = type < 0 ? 0 : H5Tget_size(type);
    if (type < 0 || space < 0) {
        st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the dataset's description", where);
    } else if (!records && !is_number(type) && !is_boolean(type) &&
               !(s.is_complex = is_pair(type))) {
        st = rs_fail(
            err, RESHED_EUNSUPPORTED,
            "type of the dataset|integers, floats, booleans or complex floats|another type|%s",
            where);
    } else if (H5Sget_simple_extent_type(space) == H5S_NULL) {
        st = rs_fail(err, RESHED_EUNSUPPORTED, "the dataset is empty||a null dataspace|%s", where);
    } else if ((s.ndim = H5Sget_simple_extent_ndims(space)) < 0 || s.ndim > max_ndim ||
               H5Sget_simple_extent_dims(space, s.dims, NULL) < 0) {
        st = rs_fail(err, RESHED_EUNSUPPORTED, "axes of the dataset|at most %d|%d|%s", max_ndim,
                     s.ndim, where);
    }
    rs_h5_close(space);
    rs_h5_close(type);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < s.ndim; i++) {
        if (s.dims[i] != 0 && s.count > max_count / s.dims[i])
            return rs_fail(err, RESHED_EUNSUPPORTED, "elements of the dataset|at most %llu|more|%s",
                           (unsigned long long)max_count, where);
        s.count *= s.dims[i];
    }
    st = check_storage(dset, &s, element, file_size, where, err);
    if (st == RESHED_OK) *shape = s;
    return st;
}

reshed_status rs_h5_check_dataset(hid_t dset, uint64_t file_size, int max_ndim, uint64_t max_count,
                                  rs_h5_shape *shape, const char *where, reshed_error *err)
{
    return check_dataset(dset, false, file_size, max_ndim, max_count, shape, where, err);
}

/* Reads all of dset into a new block of shape->count elements of `each` bytes. */
static reshed_status read_all(hid_t dset, hid_t type, const rs_h5_shape *shape, size_t each,
                              void **out, const char *where, reshed_error *err)
{
    void *data = rs_alloc(shape->count, each);
    if (!data) return rs_fail_nomem(err, "the dataset", shape->count * each);
    reshed_status st = RESHED_OK;
    if (type < 0 || (shape->count > 0 && !rs_h5_read(dset, type, H5S_ALL, H5S_ALL, data)))
        st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the dataset", where);
    if (st == RESHED_OK)
        *out = data;
    else
        rs_free(data);
    return st;
}

reshed_status rs_h5_read_doubles(hid_t dset, const rs_h5_shape *shape, double **out,
                                 const char *where, reshed_error *err)
{
    void *data = NULL;
    const size_t each = shape->is_complex ? 2 * sizeof(double) : sizeof(double);
    const hid_t type = rs_h5_memory_type(dset, shape->is_complex);
    const reshed_status st = read_all(dset, type, shape, each, &data, where, err);
    rs_h5_close(type);
    if (st == RESHED_OK) *out = data;
    return st;
}

/* The memory type of a pair of doubles that has the names of the members of `type` that begin with the
 * words; < 0 when it has no such numbers. The caller closes it. */
static hid_t members_type(hid_t type, const char *const word[2])
{
    if (type < 0 || H5Tget_class(type) != H5T_COMPOUND) return -1;
    const int members = H5Tget_nmembers(type);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
    int found = 0;
    for (int k = 0; k < 2 && found == k && pair >= 0; k++)
        for (unsigned i = 0; i < (unsigned)members && found == k; i++) {
            char *name = H5Tget_member_name(type, i);
            const hid_t member = H5Tget_member_type(type, i);
            if (name && member >= 0 && is_number(member) && rs_text_begins(name, word[k]) &&
                H5Tinsert(pair, name, (size_t)k * sizeof(double), H5T_NATIVE_DOUBLE) >= 0)
                found++;
            if (name) H5free_memory(name);
            rs_h5_close(member);
        }
    if (found == 2) return pair;
    rs_h5_close(pair);
    return -1;
}

reshed_status rs_h5_read_members(hid_t dset, uint64_t file_size, int max_ndim, uint64_t max_count,
                                 const char *const word[2], rs_h5_shape *shape, double **out,
                                 const char *where, reshed_error *err)
{
    void *data = NULL;
    const hid_t type = H5Dget_type(dset), pair = members_type(type, word);
    reshed_status st = RESHED_OK;
    if (pair < 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "type of the dataset|records with the numbers '%s' and '%s'|another type|%s",
                     word[0], word[1], where);
    if (st == RESHED_OK)
        st = check_dataset(dset, true, file_size, max_ndim, max_count, shape, where, err);
    if (st == RESHED_OK) st = read_all(dset, pair, shape, 2 * sizeof(double), &data, where, err);
    rs_h5_close(pair);
    rs_h5_close(type);
    if (st == RESHED_OK) *out = data;
    return st;
}

reshed_status rs_h5_read_part(hid_t dset, const rs_h5_shape *shape, const hsize_t *start,
                              const hsize_t *count, float **out, const char *where,
                              reshed_error *err)
{
    size_t n = 1;
    for (int i = 0; i < shape->ndim; i++) n *= (size_t)count[i]; /* fewer than shape->count */
    float *data = rs_alloc(n, sizeof *data);
    if (!data) return rs_fail_nomem(err, "the dataset", n * sizeof *data);
    hid_t file = H5Dget_space(dset), memory = H5Screate_simple(shape->ndim, count, NULL);
    const bool ok = file >= 0 && memory >= 0 &&
                    H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    rs_h5_read(dset, H5T_NATIVE_FLOAT, memory, file, data);
    rs_h5_close(memory);
    rs_h5_close(file);
    if (!ok) {
        rs_free(data);
        return rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the dataset", where);
    }
    *out = data;
    return RESHED_OK;
}

reshed_status rs_h5_read_floats(hid_t dset, const rs_h5_shape *shape, float **out,
                                const char *where, reshed_error *err)
{
    void *data = NULL;
    const reshed_status st =
        read_all(dset, H5T_NATIVE_FLOAT, shape, sizeof(float), &data, where, err);
    if (st == RESHED_OK) *out = data;
    return st;
}
