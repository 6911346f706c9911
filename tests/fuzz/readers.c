/* Each reader of images, tables and weights from bytes. Seeds are made by our own writers where there are
 * such, else they are the least that a format has. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/crc32.h"

#include "base/alloc.h"
#include "io/csv.h"
#include "io/gsf.h"
#include "io/gwy.h"
#include "io/gwy_write.h"
#include "io/ibw.h"
#include "io/image_file.h"
#include "io/instruments/ardf.h"
#include "io/instruments/bruker.h"
#include "io/instruments/iso28600.h"
#include "io/instruments/sxm.h"
#include "io/instruments/wsxm.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/png.h"
#include "io/tiff.h"
#include "io/walls_h5.h"
#include "io/walls_read.h"
#include "io/weights/torch.h"

enum { H = 4, W = 6 };

static const float pixels[H * W] = {1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7, 8, 9};

/* Every channel, and of stacks the first frame and the only one. */
static void read_all(const rs_reader *reader, const uint8_t *data, size_t n)
{
    rs_channels list = {0};
    if (reader->list(data, n, &list, NULL) != RESHED_OK) return;
    for (int i = 0; i < list.n && i < 4; i++) {
        rs_image im = {0};
        if (reader->read_frame) reader->read_frame(data, n, i, 0, &im, NULL);
        rs_image_clear(&im);
        reader->read(data, n, i, &im, NULL);
        rs_image_clear(&im);
    }
    rs_channels_clear(&list);
}

#define READER(name)                                                                               \
    static void read_##name(const uint8_t *data, size_t n)                                         \
    {                                                                                              \
        read_all(&rs_##name##_reader, data, n);                                                    \
    }
READER(sxm)
READER(gwy)
READER(bruker)
READER(tiff)
READER(wsxm)
READER(npz)
READER(iso28600)
READER(ardf)

#define IMAGE(name, call)                                                                          \
    static void read_##name(const uint8_t *data, size_t n)                                         \
    {                                                                                              \
        rs_image im = {0};                                                                         \
        reshed_error err = {0};                                                                    \
        if ((call) == RESHED_OK) rs_image_clear(&im);                                              \
    }
IMAGE(png, rs_png_read_mem(data, n, &im, &err))
IMAGE(gsf, rs_gsf_read_mem(data, n, &im, &err))
IMAGE(ibw_mended, rs_ibw_image_read_mem(data, n, "0", &im, &err))
IMAGE(any, rs_image_read_mem(data, n, "0", &im, &err))
IMAGE(npy_first, rs_npy_image_read_mem(data, n, 0, &im, &err))
IMAGE(npy_only, rs_npy_image_read_mem(data, n, RS_FRAME_ONLY, &im, &err))
IMAGE(hdf5_first, rs_nsid_image_read_mem(data, n, "0", 0, &im, &err))
IMAGE(hdf5_only, rs_nsid_image_read_mem(data, n, "0", RS_FRAME_ONLY, &im, &err))

static void read_npy(const uint8_t *data, size_t n)
{
    read_npy_first(data, n);
    read_npy_only(data, n);
}

static void read_hdf5(const uint8_t *data, size_t n)
{
    read_hdf5_first(data, n);
    read_hdf5_only(data, n);
}

/* A copy of data[n], n at most ROOM, whose guards can be mended: damage then gets past them. */
enum { ROOM = 1 << 16 };

static uint8_t *copy(const uint8_t *data, size_t n)
{
    uint8_t *all = n <= ROOM ? malloc(n + 1) : NULL;
    if (all && n > 0) memcpy(all, data, n);
    return all;
}

/* Igor's header adds up to zero. */
static void mend_ibw(uint8_t *p, size_t n)
{
    unsigned sum = 0;
    const size_t lo = n > 0 && p[0] == 5 ? 0 : 1;
    if (n < 384) return;
    p[2] = p[3] = 0;
    for (size_t i = 0; i < 384; i += 2) sum += (unsigned)(p[i + lo] | p[i + 1 - lo] << 8);
    sum = 0x10000 - (sum & 0xffff);
    p[2 + lo] = (uint8_t)sum;
    p[3 - lo] = (uint8_t)(sum >> 8);
}

static void read_ibw(const uint8_t *data, size_t n)
{
    uint8_t *all = copy(data, n);
    read_ibw_mended(data, n);
    if (!all) return;
    mend_ibw(all, n);
    read_ibw_mended(all, n);
    free(all);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* The checksums of the nodes that are checked. */
static void mend_ardf(uint8_t *p, size_t n)
{
    static const char nodes[][5] = {"ARDF", "FTOC", "IMAG", "TTOC", "IDEF", "IBOX", "TEXT"};
    for (size_t at = 0; at + 16 <= n; at++)
        for (size_t k = 0; k < sizeof nodes / sizeof *nodes; k++) {
            uint32_t size;
            if (memcmp(p + at + 8, nodes[k], 4) != 0) continue;
            memcpy(&size, p + at + 4, 4);
            if (size >= 16 && size <= 512 && size <= n - at)
                put_u32(p + at, test_crc32(p + at + 4, size - 4));
        }
}

static void read_ardf_mended(const uint8_t *data, size_t n)
{
    uint8_t *all = copy(data, n);
    if (!all) return;
    mend_ardf(all, n);
    read_ardf(all, n);
    free(all);
}

static void read_csv(const uint8_t *data, size_t n)
{
    rs_csv_table t = {0};
    if (rs_csv_read_mem(data, n, &t, NULL) == RESHED_OK) rs_csv_table_clear(&t);
}

static void read_torch(const uint8_t *data, size_t n)
{
    rs_model_file m = {0};
    if (rs_torch_read_mem(data, n, &m, NULL) == RESHED_OK) rs_model_file_clear(&m);
}

static void read_walls(const uint8_t *data, size_t n)
{
    rs_walls_map m = {0};
    if (rs_walls_read_mem(data, n, &m, NULL) == RESHED_OK) rs_walls_map_clear(&m);
}

/* ---------------------------------------------------------------------------------------- seeds */

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "no seed: %s\n", what);
    exit(1);
}

static const char *in(char *buf, const char *folder, const char *name)
{
    snprintf(buf, 4096, "%s/%s", folder, name);
    return buf;
}

static void seeds_png(const char *folder)
{
    uint8_t grey[H * W], *bytes = NULL;
    size_t n;
    for (int i = 0; i < H * W; i++) grey[i] = (uint8_t)(9 * i);
    must(rs_png_write_mem(RS_PNG_GREY8, H, W, grey, &bytes, &n, NULL) == RESHED_OK, "png");
    fuzz_seed(folder, "grey.png", bytes, n);
    rs_free(bytes);
}

static void seeds_npy(const char *folder)
{
    char path[4096];
    const size_t image[] = {H, W}, stack[] = {2, H / 2, W};
    must(rs_npy_write(in(path, folder, "a.npy"), RS_NPY_F4, 2, image, pixels, NULL) == RESHED_OK &&
             rs_npy_write(in(path, folder, "b.npy"), RS_NPY_F4, 3, stack, pixels, NULL) ==
                 RESHED_OK,
         "npy");
}

static void seeds_gsf(const char *folder)
{
    static const char head[] = "Gwyddion Simple Field 1.0\nXRes = 6\nYRes = 4\nXReal = 1e-6\n"
                               "XYUnits = m\nZUnits = V\nTitle = A\n\0";
    uint8_t all[sizeof head + 8 + sizeof pixels] = {0};
    const size_t n = strlen(head), data = (n / 4 + 1) * 4;
    memcpy(all, head, n);
    memcpy(all + data, pixels, sizeof pixels);
    fuzz_seed(folder, "a.gsf", all, data + sizeof pixels);
}

static void seeds_gwy(const char *folder)
{
    char path[4096];
    const uint8_t mask[H * W] = {1};
    const double places[2] = {1, 1}, x[2] = {0, 1};
    const rs_gwy_map map = {"Amplitude", "V", pixels, mask};
    const rs_gwy_content c = {.height = H,
                              .width = W,
                              .dx = 1e-9,
                              .dy = 1e-9,
                              .maps = &map,
                              .n = 1,
                              .points = places,
                              .points_n = 1,
                              .curve_title = "L",
                              .x_unit = "V",
                              .y_unit = "m",
                              .x_label = "x",
                              .y_label = "y",
                              .places = places,
                              .x = x,
                              .y = x,
                              .curves = 1,
                              .steps = 2};
    must(rs_gwy_write(in(path, folder, "a.gwy"), &c, NULL) == RESHED_OK, "gwy");
}

static void seeds_hdf5(const char *folder)
{
    char path[4096];
    rs_image im = {0};
    rs_nsid_data d = {0};
    rs_nsid_writer *w = NULL;
    reshed_error err = {0};
    must(rs_image_init(&im, H, W, &err) == RESHED_OK, "an image");
    memcpy(im.data, pixels, sizeof pixels);
    im.dx = im.dy = 1e-9;
    bool ok = rs_nsid_from_image(&im, &d, &err) == RESHED_OK &&
              rs_nsid_create(in(path, folder, "a.h5"), RS_NSID_ATOMIC, &w, &err) == RESHED_OK;
    ok = ok && rs_nsid_add(w, "/Measurement_000/Channel_000", &d, RS_NSID_F32, NULL, 0, &err) ==
                   RESHED_OK;
    must(ok && rs_nsid_finish(w, RESHED_OK, &err) == RESHED_OK, "hdf5");
    rs_nsid_data_clear(&d);
    rs_image_clear(&im);
}

static void seeds_walls(const char *folder)
{
    char path[4096];
    const rs_walls_file f = {.height = H,
                             .width = W,
                             .classes = 1,
                             .mean = pixels,
                             .variance = pixels,
                             .input = pixels,
                             .dx = 1e-9,
                             .dy = 1e-9,
                             .hi = 1,
                             .normalisation = "frame",
                             .weights_checksum = "",
                             .program = "reshed-infer",
                             .source = "",
                             .channel = "",
                             .phase = pixels,
                             .wall180 = pixels,
                             .phase_channel = "Phase"};
    must(rs_walls_write(in(path, folder, "a.h5"), &f, NULL) == RESHED_OK, "walls");
}

static void put_tag(uint8_t *p, unsigned tag, unsigned type, unsigned value)
{
    const uint8_t entry[12] = {(uint8_t)tag,
                               (uint8_t)(tag >> 8),
                               (uint8_t)type,
                               0,
                               1,
                               0,
                               0,
                               0,
                               (uint8_t)value,
                               (uint8_t)(value >> 8),
                               0,
                               0};
    memcpy(p, entry, sizeof entry);
}

static void seeds_tiff(const char *folder)
{
    static const unsigned tags[][3] = {{256, 3, W}, {257, 3, H}, {258, 3, 8},
                                       {259, 3, 1}, {262, 3, 1}, {273, 4, 8},
                                       {277, 3, 1}, {278, 3, H}, {279, 4, H * W}};
    enum { TAGS = sizeof tags / sizeof *tags };
    uint8_t all[8 + H * W + 2 + 12 * TAGS + 4] = {'I', 'I', 42, 0, 8 + H * W};
    for (int i = 0; i < H * W; i++) all[8 + i] = (uint8_t)(9 * i);
    all[8 + H * W] = TAGS;
    for (int i = 0; i < TAGS; i++)
        put_tag(all + 10 + H * W + 12 * i, tags[i][0], tags[i][1], tags[i][2]);
    fuzz_seed(folder, "a.tif", all, sizeof all);
}

static void with_data(const char *folder, const char *name, const char *head, size_t data)
{
    uint8_t all[2048] = {0};
    const size_t n = strlen(head);
    memcpy(all, head, n);
    fuzz_seed(folder, name, all, n + data);
}

static void seeds_sxm(const char *folder)
{
    with_data(
        folder, "a.sxm",
        ":NANONIS_VERSION:\n2\n:SCANIT_TYPE:\n  FLOAT MSBFIRST\n:SCAN_PIXELS:\n 6 4\n"
        ":SCAN_RANGE:\n 1E-6 1E-6\n:SCAN_OFFSET:\n 0E+0 0E+0\n:SCAN_ANGLE:\n0E+0\n:SCAN_DIR:\nup\n"
        ":DATA_INFO:\n\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n"
        "\t14\tZ\tm\tboth\t1E-9\t0E+0\n\n:SCANIT_END:\n\n\n\x1a\x04",
        2 * 4 * H * W);
}

static void seeds_bruker(const char *folder)
{
    with_data(
        folder, "a.spm",
        "\\*File list\r\n\\Version: 0x05120000\r\n\\*Scanner list\r\n\\@Sens. Zsens: V 10 nm/V\r\n"
        "\\*Ciao scan list\r\n\\Scan Size: 1 1 ~m\r\n\\*Ciao image list\r\n\\Data offset: 512\r\n"
        "\\Data length: 48\r\n\\Bytes/pixel: 2\r\n\\Samps/line: 6\r\n\\Number of lines: 4\r\n"
        "\\@2:Image Data: S [Height] \"Height\"\r\n"
        "\\@2:Z scale: V [Sens. Zsens] (0.000375 V/LSB) 0.1 V\r\n\\*File list end\r\n\x1a",
        256);
}

static void seeds_wsxm(const char *folder)
{
    with_data(folder, "a.stp",
              "WSxM file copyright Nanotec Electronica\r\nSxM Image file\r\nImage header size: "
              "400\r\n\r\n"
              "[Control]\r\n    X Amplitude: 1 um\r\n    Y Amplitude: 1 um\r\n[General Info]\r\n"
              "    Image Data Type: short\r\n    Number of columns: 6\r\n    Number of rows: 4\r\n"
              "    Z Amplitude: 1 nm\r\n[Header end]\r\n",
              2 * H * W);
}

static void seeds_csv(const char *folder)
{
    static const char text[] = "row,col,\"x (m)\"\r\n1,2,3e-9\r\n\"4\",5,\"a \"\"b\"\"\"\r\n";
    fuzz_seed(folder, "a.csv", text, sizeof text - 1);
}

/* An Igor wave of version 5: the header's sum is made zero. */
static void seeds_ibw(const char *folder)
{
    uint8_t all[384 + sizeof pixels] = {5};
    const uint32_t dims[2] = {W, H}, count = H * W, size = 320 + sizeof pixels;
    unsigned sum = 0;
    memcpy(all + 4, &size, 4);
    memcpy(all + 76, &count, 4);
    all[80] = 2;
    all[90] = 1;
    memcpy(all + 92, "wave", 4);
    memcpy(all + 132, dims, 8);
    for (int i = 0; i < 384; i += 2) sum += all[i] | (unsigned)all[i + 1] << 8;
    sum = 0x10000 - (sum & 0xffff);
    all[2] = (uint8_t)sum;
    all[3] = (uint8_t)(sum >> 8);
    memcpy(all + 384, pixels, sizeof pixels);
    fuzz_seed(folder, "a.ibw", all, sizeof all);
}

static size_t node(uint8_t *p, const char *name, uint32_t size)
{
    put_u32(p + 4, size);
    memcpy(p + 8, name, 4);
    return 16;
}

static size_t table(uint8_t *p, const char *name, uint32_t entries, uint32_t stride)
{
    node(p, name, 32);
    put_u32(p + 16, 32 + entries * stride);
    put_u32(p + 24, entries);
    put_u32(p + 28, stride);
    return 32;
}

static void seeds_ardf(const char *folder)
{
    uint8_t all[2048] = {0};
    size_t n = node(all, "ARDF", 16);
    n += table(all + n, "FTOC", 1, 24);
    node(all + n, "IMAG", 24);
    put_u32(all + n + 16, (uint32_t)n + 24 + 64);
    n += 24;
    n += table(all + n, "TTOC", 1, 32);
    node(all + n, "TOFF", 32);
    n += 32;
    n += table(all + n, "IMAG", 0, 24);
    n += table(all + n, "TTOC", 0, 32);
    node(all + n, "IDEF", 184);
    put_u32(all + n + 16, W);
    put_u32(all + n + 20, H);
    memcpy(all + n + 16 + 40, "m", 1);
    memcpy(all + n + 16 + 104, "Amplitude", 9);
    n += 184;
    n += table(all + n, "IBOX", H, 16 + 4 * W);
    for (int r = 0; r < H; r++) n += node(all + n, "IDAT", 16 + 4 * W) + 4 * W;
    n += node(all + n, "GAMI", 16);
    mend_ardf(all, n);
    fuzz_seed(folder, "a.ardf", all, n);
}

static void seeds_iso28600(const char *folder)
{
    char path[4096];
    const rs_iso28600_map maps[] = {{"Amplitude", "V", pixels}, {"Walls", "", pixels}};
    for (int n = 1; n <= 2; n++) {
        const rs_iso28600_content c = {
            .height = H, .width = W, .dx = 1e-9, .dy = 1e-9, .maps = maps, .n = n};
        must(rs_iso28600_write(in(path, folder, n == 1 ? "a.spm" : "b.spm"), &c, NULL) == RESHED_OK,
             "iso28600");
    }
}

/* An archive of one array, as it is. */
static void seeds_npz(const char *folder)
{
    static const char name[] = "a.npy";
    const size_t dims[2] = {H, W}, k = sizeof name - 1;
    uint8_t all[4096] = {'P', 'K', 3, 4, 20}, *npy = NULL, *end;
    size_t n = 0;
    must(rs_npy_write_mem(RS_NPY_F4, 2, dims, pixels, &npy, &n, NULL) == RESHED_OK && n < 2048,
         "npz");
    put_u32(all + 14, test_crc32(npy, n));
    put_u32(all + 18, (uint32_t)n);
    put_u32(all + 22, (uint32_t)n);
    all[26] = (uint8_t)k;
    memcpy(all + 30, name, k);
    memcpy(all + 30 + k, npy, n);
    rs_free(npy);
    end = all + 30 + k + n;
    memcpy(end, "PK\1\2\24\0", 6);
    memcpy(end + 6, all + 4, 26); /* of the entry what stands before it too */
    memcpy(end + 46, name, k);
    memcpy(end + 46 + k, "PK\5\6", 4);
    end[46 + k + 8] = end[46 + k + 10] = 1;
    put_u32(end + 46 + k + 12, (uint32_t)(46 + k));
    put_u32(end + 46 + k + 16, (uint32_t)(end - all));
    fuzz_seed(folder, "a.npz", all, (size_t)(end - all) + 46 + k + 22);
}

/* The end of an empty archive. */
static void seeds_zip(const char *folder)
{
    static const uint8_t empty[22] = {'P', 'K', 5, 6};
    fuzz_seed(folder, "empty.zip", empty, sizeof empty);
}

/* A small file of the tests' own, where the run is started in the project's folder. */
static void seeds_torch(const char *folder)
{
    static uint8_t all[1 << 16];
    FILE *f = fopen("tests/data/torch_types.tar", "rb");
    seeds_zip(folder);
    if (!f) return;
    const size_t n = fread(all, 1, sizeof all, f);
    fclose(f);
    fuzz_seed(folder, "types.tar", all, n);
}

static void seeds_any(const char *folder)
{
    seeds_png(folder), seeds_npy(folder), seeds_gsf(folder), seeds_gwy(folder), seeds_tiff(folder);
    seeds_sxm(folder), seeds_bruker(folder), seeds_wsxm(folder), seeds_ibw(folder);
    seeds_ardf(folder), seeds_iso28600(folder), seeds_npz(folder);
}

const fuzz_target fuzz_targets[] = {
    {"png", read_png, seeds_png},
    {"npy", read_npy, seeds_npy},
    {"gsf", read_gsf, seeds_gsf},
    {"ibw", read_ibw, seeds_ibw},
    {"sxm", read_sxm, seeds_sxm},
    {"gwy", read_gwy, seeds_gwy},
    {"tiff", read_tiff, seeds_tiff},
    {"bruker", read_bruker, seeds_bruker},
    {"wsxm", read_wsxm, seeds_wsxm},
    {"npz", read_npz, seeds_npz},
    {"csv", read_csv, seeds_csv},
    {"torch", read_torch, seeds_torch},
    {"any", read_any, seeds_any},
    {"hdf5", read_hdf5, seeds_hdf5},
    {"walls", read_walls, seeds_walls},
    {"ardf", read_ardf_mended, seeds_ardf},
    {"iso28600", read_iso28600, seeds_iso28600},
};
const int fuzz_target_count = sizeof fuzz_targets / sizeof *fuzz_targets;
