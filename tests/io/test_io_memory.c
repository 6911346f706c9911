/* Memory stays in proportion to the file: damaged and hostile files of every kind that is read, in
 * child processes whose peak is looked at. */
#include "support/h5_bare.h"
#include "support/io_support.h"
#include "support/nsid_sample.h"
#include "support/peak.h"
#include "support/torch_build.h"
#include "support/weights_sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/gsf.h"
#include "io/gwy_write.h"
#include "io/hdf5/h5.h"
#include "io/ibw.h"
#include "io/image_file.h"
#include "io/instruments/iso28600.h"
#include "io/nsid/image.h"
#include "io/nsid/usid.h"
#include "io/npy.h"
#include "io/weights/torch.h"

/* --------------------------------------------------------------------------------- the readers */
/* Of an image whose reader is `call`. */
#define IMAGE_READER(name, call)                                                                   \
    static reshed_status read_##name(const uint8_t *data, size_t len, reshed_error *err)           \
    {                                                                                              \
        rs_image im = {0};                                                                         \
        const reshed_status st = call;                                                             \
        rs_image_clear(&im);                                                                       \
        return st;                                                                                 \
    }
IMAGE_READER(png, rs_png_read_mem(data, len, &im, err))
IMAGE_READER(npy_frame, rs_npy_image_read_mem(data, len, 0, &im, err))
IMAGE_READER(npy_only, rs_npy_image_read_mem(data, len, RS_FRAME_ONLY, &im, err))
IMAGE_READER(gsf, rs_gsf_read_mem(data, len, &im, err))
IMAGE_READER(ibw, rs_ibw_image_read_mem(data, len, "0", &im, err))
/* What the first bytes tell: the formats with several channels. */
IMAGE_READER(any, rs_image_read_mem(data, len, "0", &im, err))

/* The first frame, and the only one: callers ask for either. */
static reshed_status read_npy(const uint8_t *data, size_t len, reshed_error *err)
{
    const reshed_status st = read_npy_frame(data, len, err);
    return st == RESHED_OK ? st : read_npy_only(data, len, err);
}

static reshed_status read_torch(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_model_file m = {0};
    const reshed_status st = rs_torch_read_mem(data, len, &m, err);
    rs_model_file_clear(&m);
    return st;
}

static reshed_status read_weights(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_model_file m = {0};
    const reshed_status st = rs_weights_read_h5_mem(data, len, &m, err);
    rs_model_file_clear(&m);
    return st;
}

/* Every main dataset, every image, and the arrays that a session or a USID file has. */
static reshed_status read_hdf5(const uint8_t *data, size_t len, reshed_error *err)
{
    static const char *const arrays[] = {"/first", "/second"};
    char path[256];
    rs_nsid_file *f = NULL;
    rs_image im = {0};
    reshed_status st = rs_nsid_open_mem(data, len, &f, err);
    for (int k = 0; st == RESHED_OK && k < rs_nsid_count(f); k++) {
        rs_nsid_data d = {0};
        rs_nsid_read(f, k, &d, err);
        rs_nsid_data_clear(&d);
    }
    for (size_t i = 0; st == RESHED_OK && i < sizeof arrays / sizeof *arrays; i++) {
        rs_nsid_array a = {0};
        rs_nsid_read_array(f, arrays[i], &a, err);
        rs_nsid_array_clear(&a);
    }
    if (st == RESHED_OK && rs_usid_find(f, NULL, path, sizeof path)) {
        rs_usid_data u = {0};
        st = rs_usid_read(f, path, &u, err);
        rs_usid_data_clear(&u);
    } else if (st == RESHED_OK) {
        st = rs_nsid_image_read(f, "0", RS_FRAME_ONLY, &im, err);
        rs_image_clear(&im);
    }
    rs_nsid_close(f);
    return st;
}

/* --------------------------------------------------------------------------------- the mutants */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
    }
    return c ^ 0xffffffffu;
}

static void put_big(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void mend_png(uint8_t *data, size_t len)
{
    for (size_t at = 8; at + 12 <= len;) {
        const size_t n = get_big(data + at);
        if (n > len - at - 12) break;
        put_big(data + at + 8 + n, crc32_of(data + at + 4, n + 4));
        at += n + 12;
    }
}

static void mend_ibw(uint8_t *data, size_t len)
{
    uint16_t sum = 0;
    if (len < 384) return;
    data[0] = 5, data[1] = 0; /* little-endian */
    data[2] = data[3] = 0;
    for (int i = 0; i < 384; i += 2) sum = (uint16_t)(sum + (data[i] | data[i + 1] << 8));
    sum = (uint16_t)-sum;
    data[2] = (uint8_t)sum;
    data[3] = (uint8_t)(sum >> 8);
}

/* -------------------------------------------------------------------------------------- images */
static void add(bytes *b, const void *p, size_t n)
{
    bytes_add(b, p, n);
}

static void add_chunk(bytes *b, const char *type, const void *data, size_t n, uint32_t claimed)
{
    uint8_t head[8], crc[4];
    put_big(head, claimed);
    memcpy(head + 4, type, 4);
    add(b, head, 8);
    const size_t at = b->n - 4;
    add(b, data, n);
    put_big(crc, crc32_of(b->p + at, n + 4));
    add(b, crc, 4);
}

static void png_start(bytes *b, uint32_t width, uint32_t height, int depth, int colour, int laced)
{
    uint8_t head[13] = {0};
    put_big(head, width);
    put_big(head + 4, height);
    head[8] = (uint8_t)depth;
    head[9] = (uint8_t)colour;
    head[12] = (uint8_t)laced;
    add(b, "\x89PNG\r\n\x1a\n", 8);
    add_chunk(b, "IHDR", head, 13, 13);
}

static void pngs(void **state)
{
    (void)state;
    static const uint32_t claims[] = {0x7fffffff, 0xffffffff, 0x10000000, 100000};
    static const char *const types[] = {"IDAT", "iCCP", "zTXt", "tEXt", "PLTE", "abCd", "tRNS"};
    size_t len;
    uint8_t *file = pattern_png(RS_PNG_GREY16, 3, &len);
    peak_try_mutants("png", read_png, NULL, file, len, false);
    peak_try_mutants("png, checksums mended", read_png, mend_png, file, len, false);
    rs_free(file);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            bytes b = {0};
            png_start(&b, 16, 16, 8, 0, 0);
            add_chunk(&b, types[k], "some", 4, claims[i]);
            add_chunk(&b, "IEND", NULL, 0, 0);
            peak_try_whole(types[k], read_png, b.p, b.n, RESHED_ECORRUPT);
            bytes_free(&b);
        }
    for (int laced = 0; laced < 2; laced++)
        for (int colour = 0; colour <= 6; colour += 2) {
            bytes b = {0};
            png_start(&b, 60000, 4400, colour == 4 ? 16 : 8, colour, laced);
            add_chunk(&b, "IDAT", "\x78\x9c\x63\x60\x60\x60\x00\x00", 8, 8);
            add_chunk(&b, "IEND", NULL, 0, 0);
            peak_try_whole("a large frame of nothing", read_png, b.p, b.n, RESHED_ECORRUPT);
            bytes_free(&b);
        }
}

static void npys(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "(65536, 4096)",  "(16384, 16384)",    "(1073741824,)",    "(4294967295, 4294967295)",
        "(1, 268435456)", "(0, 16384, 16384)", "(16384, 16384, 0)"};
    const size_t dims[2] = {24, 32};
    float values[24 * 32];
    uint8_t *file = NULL;
    size_t len;
    reshed_error err = {0};
    for (int i = 0; i < 24 * 32; i++) values[i] = (float)i;
    assert_ok(rs_npy_write_mem(RS_NPY_F4, 2, dims, values, &file, &len, &err), &err);
    peak_try_mutants("npy", read_npy, NULL, file, len, false);
    rs_free(file);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int order = 0; order < 2; order++) {
            char text[256];
            const int n = snprintf(text, sizeof text,
                                   "\x93NUMPY\x02%c\x76%c%c%c{'descr': '|u1', 'fortran_order': %s, "
                                   "'shape': %s}",
                                   0, 0, 0, 0, order ? "True" : "False", shapes[i]);
            memset(text + n, ' ', sizeof text - (size_t)n);
            text[8] = (char)(sizeof text - 12);
            peak_try_whole(shapes[i], read_npy, text, sizeof text, RESHED_OK);
            text[11] = 0x7f; /* a header of 2 GiB */
            peak_try_whole("a long header", read_npy, text, sizeof text, RESHED_ECORRUPT);
        }
}

static void gsfs(void **state)
{
    (void)state;
    rs_image im;
    uint8_t *file = NULL;
    size_t len;
    reshed_error err = {0};
    pattern_image(&im);
    assert_ok(rs_gsf_write_mem(&im, &file, &len, &err), &err);
    rs_image_clear(&im);
    peak_try_mutants("gsf", read_gsf, NULL, file, len, false);
    rs_free(file);
    static const char huge[] = "Gwyddion Simple Field 1.0\nXRes = 65536\nYRes = 4096\n\0\0\0\0";
    peak_try_whole("a large frame of nothing", read_gsf, huge, sizeof huge - 1, RESHED_ECORRUPT);
}

static void ibws(void **state)
{
    (void)state;
    static file_bytes b;
    const uint32_t dims[4] = {20, 16, 2, 0};
    b.n = 0;
    put_text(&b, "", 384 + 20 * 16 * 2 * 2);
    file_bytes head = {.n = 0};
    put_uint(&head, 5, 2, false);
    put_uint(&head, 0, 2, false);
    put_uint(&head, 320 + 20 * 16 * 2 * 2, 4, false);
    put_text(&head, "", 68);
    put_uint(&head, 20 * 16 * 2, 4, false);
    put_uint(&head, 16, 2, false); /* int16 */
    put_text(&head, "", 132 - 82);
    for (int i = 0; i < 4; i++) put_uint(&head, dims[i], 4, false);
    memcpy(b.data, head.data, head.n);
    for (size_t i = 384; i < b.n; i++) b.data[i] = (uint8_t)i;
    mend_ibw(b.data, b.n);
    reshed_error err = {0};
    assert_ok(read_ibw(b.data, b.n, &err), &err);
    peak_try_mutants("ibw", read_ibw, mend_ibw, b.data, b.n, false);
    static const uint32_t large[3] = {65536, 4096, 7};
    for (int i = 0; i < 3; i++) /* the sizes agree with each other, not with the file */
        for (int k = 0; k < 4; k++) b.data[132 + 4 * i + k] = (uint8_t)(large[i] >> (8 * k));
    for (int k = 0; k < 4; k++) b.data[76 + k] = (uint8_t)((uint32_t)7 << 28 >> (8 * k));
    mend_ibw(b.data, b.n);
    peak_try_whole("a large wave of nothing", read_ibw, b.data, b.n, RESHED_ECORRUPT);
}

/* Formats of instruments, as small as they come. */
static void try_text(const char *name, const char *head, size_t data)
{
    static uint8_t all[2048];
    const size_t n = strlen(head);
    reshed_error err = {0};
    memset(all, 0, sizeof all);
    memcpy(all, head, n);
    assert_true(n + data <= sizeof all);
    assert_ok(read_any(all, n + data, &err), &err);
    peak_try_mutants(name, read_any, NULL, all, n + data, false);
}

static void instruments(void **state)
{
    (void)state;
    try_text(
        "sxm",
        ":NANONIS_VERSION:\n2\n:SCANIT_TYPE:\n  FLOAT MSBFIRST\n:SCAN_PIXELS:\n 6 4\n"
        ":SCAN_RANGE:\n 1E-6 1E-6\n:SCAN_OFFSET:\n 0E+0 0E+0\n:SCAN_ANGLE:\n0E+0\n:SCAN_DIR:\nup\n"
        ":DATA_INFO:\n\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n"
        "\t14\tZ\tm\tboth\t1E-9\t0E+0\n\n:SCANIT_END:\n\n\n\x1a\x04",
        2 * 4 * 24);
    try_text("wsxm",
             "WSxM file copyright Nanotec Electronica\r\nSxM Image file\r\nImage header size: "
             "400\r\n\r\n"
             "[Control]\r\n    X Amplitude: 1 um\r\n    Y Amplitude: 1 um\r\n[General Info]\r\n"
             "    Image Data Type: short\r\n    Number of columns: 6\r\n    Number of rows: 4\r\n"
             "    Z Amplitude: 1 nm\r\n[Header end]\r\n",
             2 * 24);
    /* One map, for Gwyddion. */
    const float pixels[24] = {1, 2, 3};
    const rs_gwy_map map = {"Amplitude", "V", pixels, NULL};
    const rs_gwy_content c = {.height = 4, .width = 6, .maps = &map, .n = 1};
    reshed_error err = {0};
    size_t len;
    assert_ok(rs_gwy_write(test_temp("a.gwy"), &c, &err), &err);
    uint8_t *file = test_read_file(test_temp("a.gwy"), &len);
    peak_try_mutants("gwy", read_any, NULL, file, len, false);
    rs_free(file);
    const rs_iso28600_map text = {"Amplitude", "V", pixels};
    const rs_iso28600_content t = {.height = 4, .width = 6, .maps = &text, .n = 1};
    assert_ok(rs_iso28600_write(test_temp("a.spm"), &t, &err), &err);
    file = test_read_file(test_temp("a.spm"), &len);
    peak_try_mutants("iso28600", read_any, NULL, file, len, false);
    rs_free(file);
}

/* --------------------------------------------------------------------------------------- HDF5 */
/* A dataset of which nothing is stored, or a little of it. */
static void put_empty(hid_t f, const char *name, hid_t type, hsize_t h, hsize_t w, hsize_t chunk,
                      bool deflate)
{
    const hsize_t dims[2] = {h, w}, part[2] = {chunk, chunk};
    const uint8_t one = 1;
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    if (chunk) H5Pset_chunk(p, 2, part);
    if (deflate) H5Pset_deflate(p, 9);
    hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0);
    if (chunk) { /* one element, so one chunk */
        const hsize_t at[2] = {0, 0};
        hid_t memory = H5Screate_simple(1, (const hsize_t[]){1}, NULL);
        H5Sselect_elements(space, H5S_SELECT_SET, 1, at);
        assert_true(H5Dwrite(d, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, &one) >= 0);
        H5Sclose(memory);
    }
    H5Dclose(d), H5Sclose(space), H5Pclose(p);
}

static void hostile_hdf5(void **state)
{
    (void)state;
    static const struct {
        hsize_t h, w, chunk;
        bool deflate;
    } shapes[] = {{16384, 16384, 0, false},   {16384, 16384, 64, false}, {16384, 16384, 64, true},
                  {16384, 16384, 2048, true}, {4096, 4096, 1024, true},  {65536, 4096, 1, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int k = 0; k < 2; k++) {
            const char *path = test_temp("empty.h5");
            hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
            put_empty(f, "first", k ? H5T_STD_U8LE : H5T_IEEE_F64LE, shapes[i].h, shapes[i].w,
                      shapes[i].chunk, shapes[i].deflate);
            H5Fclose(f);
            size_t len;
            uint8_t *file = test_read_file(path, &len);
            peak_try_whole("a large dataset of nothing", read_hdf5, file, len, RESHED_OK);
            rs_free(file);
        }
    /* Nothing but a superblock: whatever addresses it has. */
    uint8_t *sample;
    size_t len;
    const char *path = test_temp("bare.h5");
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    sample = test_read_file(path, &len);
    peak_try_mutants("hdf5, cut short", read_hdf5, NULL, sample, len < 120 ? len : 120, true);
    peak_try_mutants("hdf5, empty", read_hdf5, NULL, sample, len, true);
    rs_free(sample);
}

/* The list of free space of a group's names goes round: the library takes memory at each step of it. */
static void a_heap_without_an_end(void **state)
{
    (void)state;
    size_t len;
    const char *path = test_temp("heap.h5");
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_empty(f, "first", H5T_STD_U8LE, 8, 8, 0, false);
    H5Fclose(f);
    uint8_t *file = test_read_file(path, &len);
    for (size_t at = 0; at + 32 <= len; at++) {
        uint64_t data = 0;
        if (memcmp(file + at, "HEAP", 4) != 0) continue;
        for (int i = 0; i < 8; i++) data |= (uint64_t)file[at + 24 + (size_t)i] << (8 * i);
        assert_true(data + 64 < len);
        memset(file + at + 16, 0, 8);
        memset(file + data + 32, 0, 16);
        file[at + 16] = file[data + 32] = 32; /* the first free block is its own next one */
        file[data + 40] = 16;
    }
    peak_try_whole("a heap without an end", read_hdf5, file, len, RESHED_ECORRUPT);
    rs_free(file);
}

static void damaged_hdf5(void **state)
{
    (void)state;
    size_t len;
    const char *path = test_temp("nsid.h5");
    rs_nsid_data one = nsid_sample(2, false);
    strcpy(one.data_type, "IMAGE");
    write_nsid(path, &one, RS_NSID_F32);
    uint8_t *file = test_read_file(path, &len);
    peak_try_mutants("nsid", read_hdf5, NULL, file, len, true);
    rs_free(file);
    file = test_read_file(test_data("nsid_h5py.h5"), &len);
    peak_try_mutants("nsid by h5py", read_hdf5, NULL, file, len, true);
    rs_free(file);

    path = test_temp("usid.h5");
    static const char *const names[] = {"X", "Y"}, *const units[] = {"m", "m"};
    static const double values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const hsize_t dims[2] = {6, 4};
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c = H5Gcreate2(m, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(2, dims, NULL), p = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {2, 4};
    H5Pset_chunk(p, 2, chunk);
    H5Pset_deflate(p, 4);
    hid_t d = H5Dcreate2(c, "Raw_Data", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    h5_put_ancillary(c, "Position_Indices", 6, 2, values, names, units, 2);
    h5_put_ancillary(c, "Position_Values", 6, 2, values, names, units, 2);
    h5_put_ancillary(c, "Spectroscopic_Indices", 1, 4, values, names, units, 1);
    h5_put_ancillary(c, "Spectroscopic_Values", 1, 4, values, names, units, 1);
    H5Dclose(d), H5Pclose(p), H5Sclose(space), H5Gclose(c), H5Gclose(m), H5Fclose(f);
    file = test_read_file(path, &len);
    reshed_error err = {0};
    assert_ok(read_hdf5(file, len, &err), &err);
    peak_try_mutants("usid", read_hdf5, NULL, file, len, true);
    rs_free(file);
}

/* An axis as pyNSID has it, and the reference to it. */
static void put_axis(hid_t group, const char *name, hsize_t n, hobj_ref_t *reference)
{
    double *v = malloc(n * sizeof *v);
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t d = H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(v && d >= 0);
    for (hsize_t i = 0; i < n; i++) v[i] = 1e-9 * (double)i;
    assert_true(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    assert_true(rs_h5_set_text(d, "name", name) && rs_h5_set_text(d, "quantity", "Position") &&
                rs_h5_set_text(d, "units", "m") && rs_h5_set_text(d, "dimension_type", "SPATIAL"));
    assert_true(H5Rcreate(reference, group, name, H5R_OBJECT, -1) >= 0);
    free(v);
    H5Dclose(d), H5Sclose(space);
}

static void put_axes(hid_t group, hid_t dset, hsize_t side)
{
    static const char *const labels[] = {"x", "y"};
    const hsize_t two = 2;
    hobj_ref_t reference[2];
    hvl_t list[2];
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ), space = H5Screate_simple(1, &two, NULL);
    for (int i = 0; i < 2; i++) {
        put_axis(group, labels[i], side, &reference[i]);
        list[i] = (hvl_t){1, &reference[i]};
    }
    hid_t a = H5Acreate2(dset, "DIMENSION_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, type, list) >= 0);
    h5_put_texts(dset, "DIMENSION_LABELS", 2, labels);
    H5Aclose(a), H5Sclose(space), H5Tclose(type);
}

/* An image of bytes: the largest growth from a file to floats. */
static const char *image_of_bytes(hsize_t side, hsize_t chunk)
{
    static const char *const attributes[] = {"pyNSID_version", "quantity", "units", "data_type",
                                             "main_data_name", "modality", "source"};
    const hsize_t dims[2] = {side, side}, part[2] = {chunk, chunk};
    const char *path = test_temp("bytes.h5");
    uint8_t *pixels = malloc(side * side);
    assert_non_null(pixels);
    for (size_t i = 0; i < side * side; i++) pixels[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    if (chunk) H5Pset_chunk(p, 2, part);
    hid_t d = H5Dcreate2(f, "first", H5T_STD_U8LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(H5Dwrite(d, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, pixels) >= 0);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        assert_true(rs_h5_set_text(d, attributes[i], i == 3 ? "IMAGE" : "some"));
    put_axes(f, d, side);
    H5Dclose(d), H5Sclose(space), H5Pclose(p), H5Fclose(f);
    free(pixels);
    return path;
}

static bool image_stays_small(void *ctx, long i)
{
    rs_image im = {0};
    reshed_error err = {0};
    rs_os_file *f;
    uint64_t size = 0;
    (void)i;
    if (rs_os_open(ctx, RS_OS_READ, &f, &size, &err) != RESHED_OK) return false;
    rs_os_close(f);
    const bool ok = rs_image_read(ctx, NULL, &im, &err) == RESHED_OK && im.data[0] >= 0;
    rs_image_clear(&im);
    return ok && peak_is_small(size);
}

static void large_images_of_bytes(void **state)
{
    (void)state;
    test_not_quick();
    for (int i = 0; i < 2; i++) {
        char *path = rs_strdup(image_of_bytes(5000, i ? 500 : 0));
        const forked f = run_forked(1, image_stays_small, peak_no_library, path);
        assert_true(f.wrong == 0 && f.ours == 0);
        rs_free(path);
    }
}

/* ------------------------------------------------------------------------------------- weights */
/* A torch file whose pickle is `n` times the operators `repeat`. */
static void try_pickle(const char *name, const char *repeat, size_t n, bool deflate)
{
    bytes p = {0};
    pickle_add(&p, "%b%b", 0x80, 2);
    for (size_t i = 0; i < n; i++) pickle_add(&p, repeat);
    pickle_add(&p, ".");
    const zip_part part = {"t/data.pkl", p.p, p.n, deflate};
    bytes zip = zip_build(&part, 1);
    bytes_free(&p);
    peak_try_whole(name, read_torch, zip.p, zip.n, RESHED_OK);
    bytes_free(&zip);
}

/* A tensor over a storage of n bytes that unfolds to 8 bytes each, or to copies of its first. */
static void try_storage(const char *type, const char *data, size_t n, long long count,
                        long long stride, bool deflate)
{
    bytes p = {0};
    uint8_t *raw = calloc(n, 1);
    assert_non_null(raw);
    pickle_meta(&p);
    pickle_add(&p, "} ( %s", "w");
    pickle_tensor(&p, type, "0", (long long)n, 0, 1, &count, &stride);
    pickle_add(&p, "u");
    pickle_end(&p);
    const zip_part parts[] = {{"t/data.pkl", p.p, p.n, false}, {data, raw, n, deflate}};
    bytes zip = zip_build(parts, 2);
    bytes_free(&p);
    free(raw);
    peak_try_whole(type, read_torch, zip.p, zip.n, RESHED_OK);
    bytes_free(&zip);
}

static void torches(void **state)
{
    (void)state;
    test_not_quick();
    size_t len;
    uint8_t *file = test_read_file(test_data("torch_types.tar"), &len);
    peak_try_mutants("torch", read_torch, NULL, file, len, false);
    rs_free(file);
    const size_t n = 2000000;
    try_pickle("empty dicts", "}", n, false);
    try_pickle("empty lists", "]", n, false);
    try_pickle("nothing", "N", n, false);
    try_pickle("nothing, deflated", "N", 4 * n, true);
    try_pickle("tuples", "NN\x86", n / 3, false);
    try_pickle("a memo", "Nr\x01\x01\x01", n / 6, false);
    try_storage("ByteStorage", "t/data/0", 2 * n, 2 * (long long)n, 1, false);
    try_storage("BoolStorage", "t/data/0", 5 * n, 5 * (long long)n, 1, true);
    try_storage("CharStorage", "t/data/0", 8, 1LL << 29, 0, false);
}

static void hdf5_weights(void **state)
{
    (void)state;
    size_t len;
    rs_model_file m = weights_sample();
    uint8_t *file = test_read_file(write_weights("weights.h5", &m, NULL), &len);
    rs_model_file_clear(&m);
    peak_try_mutants("weights", read_weights, NULL, file, len, true);
    rs_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pngs),
        cmocka_unit_test(npys),
        cmocka_unit_test(gsfs),
        cmocka_unit_test(ibws),
        cmocka_unit_test(instruments),
        cmocka_unit_test(hostile_hdf5),
        cmocka_unit_test(a_heap_without_an_end),
        cmocka_unit_test(damaged_hdf5),
        cmocka_unit_test(torches),
        cmocka_unit_test(hdf5_weights),
        cmocka_unit_test(large_images_of_bytes),
    };
    return cmocka_run_group_tests_name("io_memory", tests, NULL, NULL);
}
