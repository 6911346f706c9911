/* skeleton.c - thinning, 64 pixels at a time, by two rules.
 *
 * rs_thin is for lines that must not be lost: Guo and Hall's two passes, which remove a pixel only
 * when the object stays connected, also when all pixels of a pass go at once. rs_skeletonize is for
 * comparison with scikit-image: its rule takes both sides of a diagonal line of an even width in
 * one pass, and nothing is left of it.
 *
 * Zhang-Suen thinning peels an object from alternating sides: in each of two passes a pixel is
 * removed when the pattern of its eight neighbours says so, all pixels of a pass at once, until a
 * pair of passes removes nothing. Which patterns remove a pixel is a matter of taste at corners and
 * ends: scikit-image departs from the paper in 25 of the 256 patterns (it keeps two pixels of a 2x2
 * square, and takes corners out of staircases). To give the same pixels as the code that people
 * compare with, we follow scikit-image.
 *
 * A row of the image is a row of bits, so the eight neighbours of 64 pixels are eight words, and a
 * pattern test is a boolean formula over them. The two formulas below were minimised from the 36
 * and 35 patterns of the two passes; the tests check them against the list of patterns.
 *
 * A row whose neighbourhood has not changed since the same pass last looked at it is skipped, which
 * leaves little work once thin walls are done and thick regions are not. */
#include "imgproc/image/skeleton.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "imgproc/image/grid.h"

typedef struct neighbours {
    uint64_t nw, n, ne, w, e, sw, s, se;
} neighbours;

/* The pixels that the first pass removes, and those of the second. */
static inline uint64_t removed_first(neighbours p)
{
    return (p.n & ~p.e & ~p.se & ~p.s & p.w) | (p.n & p.e & ~p.se & ~p.s & ~p.sw & ~p.w) |
           (p.nw & ~p.ne & ~p.e & p.s & p.sw & p.w) | (p.nw & p.n & p.ne & p.e & ~p.s & ~p.sw) |
           (~p.nw & p.ne & p.e & ~p.s & ~p.sw & ~p.w) | (p.nw & p.n & ~p.e & ~p.se & ~p.s & ~p.sw) |
           (~p.nw & ~p.n & ~p.ne & p.se & p.s & p.sw & ~p.w) |
           (~p.n & ~p.ne & ~p.e & ~p.se & p.s & ~p.sw & p.w) |
           (~p.nw & ~p.n & p.ne & p.e & p.se & p.s & ~p.w) |
           (p.n & p.ne & ~p.e & ~p.se & ~p.s & ~p.sw) | (p.nw & p.n & p.ne & ~p.se & ~p.s & p.w) |
           (p.nw & ~p.ne & ~p.e & ~p.se & p.sw & p.w) | (p.nw & p.n & ~p.e & ~p.se & p.sw & p.w) |
           (~p.n & ~p.ne & ~p.e & p.se & p.s & p.sw & p.w) |
           (~p.nw & ~p.n & ~p.ne & p.e & ~p.se & p.s & ~p.sw & ~p.w);
}

static inline uint64_t removed_second(neighbours p)
{
    return (~p.nw & ~p.n & p.e & p.se & p.s & ~p.w) | (~p.n & ~p.ne & p.se & p.s & p.sw & p.w) |
           (~p.n & ~p.ne & ~p.e & ~p.se & p.sw & p.w) | (p.n & p.ne & p.e & p.se & ~p.sw & ~p.w) |
           (~p.nw & ~p.n & ~p.ne & p.s & p.sw & ~p.w) | (~p.nw & p.e & p.se & ~p.s & ~p.sw & ~p.w) |
           (~p.nw & ~p.n & ~p.ne & ~p.e & p.s & p.w) |
           (p.nw & p.n & p.ne & ~p.e & ~p.se & ~p.s & ~p.sw) |
           (p.nw & p.n & ~p.e & ~p.se & ~p.s & p.sw & p.w) |
           (~p.nw & ~p.n & p.e & p.se & p.s & p.sw) | (~p.nw & p.ne & p.e & p.se & p.s & ~p.w) |
           (~p.nw & ~p.n & p.e & p.s & p.sw & ~p.w) | (~p.nw & ~p.n & ~p.ne & p.e & p.s & ~p.w) |
           (p.nw & p.n & p.ne & p.e & ~p.s & ~p.sw & ~p.w) |
           (~p.nw & p.n & ~p.ne & p.e & ~p.s & ~p.sw & ~p.w) |
           (~p.nw & p.n & ~p.ne & ~p.e & ~p.se & ~p.s & ~p.sw & p.w);
}

/* Guo and Hall's removals: a pixel between exactly one object and one background around it (C),
 * with two or three neighbours when these are taken in pairs (N, the lesser of two ways to pair
 * them), from the side of this pass. */
static inline uint64_t one_of_four(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return ((a ^ b) & ~(c | d)) | ((c ^ d) & ~(a | b));
}

static inline uint64_t two_or_more(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return (a & b) | (c & d) | ((a | b) & (c | d));
}

static inline uint64_t removable(neighbours p)
{
    const uint64_t c = one_of_four(~p.n & (p.ne | p.e), ~p.e & (p.se | p.s), ~p.s & (p.sw | p.w),
                                   ~p.w & (p.nw | p.n));
    const uint64_t a1 = p.nw | p.n, a2 = p.ne | p.e, a3 = p.se | p.s, a4 = p.sw | p.w;
    const uint64_t b1 = p.n | p.ne, b2 = p.e | p.se, b3 = p.s | p.sw, b4 = p.w | p.nw;
    return c & two_or_more(a1, a2, a3, a4) & two_or_more(b1, b2, b3, b4) &
           ~(a1 & a2 & a3 & a4 & b1 & b2 & b3 & b4);
}

static inline uint64_t kept_first(neighbours p)
{
    return (p.s | p.sw | ~p.nw) & p.w;
}

static inline uint64_t kept_second(neighbours p)
{
    return (p.n | p.ne | ~p.se) & p.e;
}

/* Bit c of a word is its c-th column, so a word's west neighbours are the word moved up by one. */
static inline neighbours around(const uint64_t *up, const uint64_t *here, const uint64_t *down,
                                int i)
{
    return (neighbours){
        .nw = up[i] << 1 | up[i - 1] >> 63,
        .n = up[i],
        .ne = up[i] >> 1 | up[i + 1] << 63,
        .w = here[i] << 1 | here[i - 1] >> 63,
        .e = here[i] >> 1 | here[i + 1] << 63,
        .sw = down[i] << 1 | down[i - 1] >> 63,
        .s = down[i],
        .se = down[i] >> 1 | down[i + 1] << 63,
    };
}

/* One pass over words 1..words of a row: out = the row without the removed pixels. The rows have a
 * zero word before and after. Returns nonzero when a pixel was removed. */
typedef uint64_t row_pass(const uint64_t *up, const uint64_t *here, const uint64_t *down,
                          uint64_t *out, int words);

#define ROW_PASS(name, removed_of)                                                                 \
    static uint64_t name(const uint64_t *up, const uint64_t *here, const uint64_t *down,           \
                         uint64_t *out, int words)                                                 \
    {                                                                                              \
        uint64_t removed = 0;                                                                      \
        _Pragma("omp simd reduction(| : removed)") for (int i = 1; i <= words; i++)                \
        {                                                                                          \
            const neighbours p = around(up, here, down, i);                                        \
            const uint64_t r = here[i] & (removed_of);                                             \
            out[i] = here[i] & ~r;                                                                 \
            removed |= r;                                                                          \
        }                                                                                          \
        return removed;                                                                            \
    }

ROW_PASS(skimage_first, removed_first(p))
ROW_PASS(skimage_second, removed_second(p))
ROW_PASS(keeping_first, removable(p) & ~kept_first(p))
ROW_PASS(keeping_second, removable(p) & ~kept_second(p))

/* ------------------------------------------------------------------------------- bytes and bits */

static const uint64_t EACH = 0x0101010101010101u; /* the lowest bit of each byte */

/* Bit i of the result: whether byte i is not zero. */
static inline uint64_t bits_of_bytes(const uint8_t *b)
{
    uint64_t x = (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
                 (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
                 (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
    x = ((x & 0x7f * EACH) + 0x7f * EACH) | x; /* the top bit of each byte: not zero */
    x = x >> 7 & EACH;
    return x * 0x0102040810204080u >> 56; /* gathers the eight bits in the top byte */
}

static inline void bytes_of_bits(uint64_t bits, uint8_t *b)
{
    uint64_t x = (bits & 0xff) * EACH & 0x8040201008040201u; /* bit i stays in byte i alone */
    x = (x + 0x7f * EACH) >> 7 & EACH;
    /* Eight statements and no loop: the compiler makes one store of them. */
    b[0] = (uint8_t)x;
    b[1] = (uint8_t)(x >> 8);
    b[2] = (uint8_t)(x >> 16);
    b[3] = (uint8_t)(x >> 24);
    b[4] = (uint8_t)(x >> 32);
    b[5] = (uint8_t)(x >> 40);
    b[6] = (uint8_t)(x >> 48);
    b[7] = (uint8_t)(x >> 56);
}

static void pack_row(const uint8_t *mask, int width, uint64_t *row)
{
    for (int c = 0; c < width; c += 64) {
        int left = width - c < 64 ? width - c : 64, i = 0;
        uint64_t word = 0;
        for (; i + 8 <= left; i += 8) word |= bits_of_bytes(mask + c + i) << i;
        for (; i < left; i++) word |= (uint64_t)(mask[c + i] != 0) << i;
        *row++ = word;
    }
}

static void unpack_row(const uint64_t *row, int width, uint8_t *mask)
{
    for (int c = 0; c < width; c += 64) {
        int left = width - c < 64 ? width - c : 64, i = 0;
        uint64_t word = *row++;
        for (; i + 8 <= left; i += 8) bytes_of_bits(word >> i, mask + c + i);
        for (; i < left; i++) mask[c + i] = word >> i & 1;
    }
}

/* ------------------------------------------------------------------------------------- thinning */

/* The image in bits, with a border of zeros, and what the passes need. */
typedef struct thinning {
    int height, words;   /* words of 64 pixels in a row, without the border */
    size_t stride;       /* words + 2 */
    uint64_t *bits;      /* [height+2, stride] */
    uint64_t *result[2]; /* [stride]: new rows wait here while the next one still needs the old */
    int *changed;        /* [height+2]: the last pass that changed the row; 0 before the first */
} thinning;

static void store_row(thinning *t, int r)
{
    uint64_t *row = t->bits + (size_t)r * t->stride;
    for (int i = 1; i <= t->words; i++) row[i] = t->result[r & 1][i];
}

/* Runs pass number `pass` (1, 2, 3, ...); whether anything was removed. */
static bool run_pass(thinning *t, row_pass *thin_row, int pass)
{
    bool any = false, waiting = false; /* waiting: row r-1 is still to be stored */
    for (int r = 1; r <= t->height; r++) {
        const int *ch = t->changed + r;
        /* The same kind of pass looked at this row at pass-2. */
        bool stale = ch[-1] >= pass - 2 || ch[0] >= pass - 2 || ch[1] >= pass - 2;
        uint64_t removed = 0;
        if (stale) {
            const uint64_t *here = t->bits + (size_t)r * t->stride;
            const uint64_t *up = here - t->stride, *down = here + t->stride;
            removed = thin_row(up, here, down, t->result[r & 1], t->words);
        }
        if (waiting) store_row(t, r - 1);
        waiting = removed != 0;
        if (waiting) {
            t->changed[r] = pass;
            any = true;
        }
    }
    if (waiting) store_row(t, t->height);
    return any;
}

/* ------------------------------------------------------------------------ corners of staircases */

/* True where the object around a pixel stays in one piece without it (the background's pieces are
 * connected along rows and columns), and the pixel is not the end of a line. around[8]: clockwise
 * from the north. */
static bool spare(const uint8_t *around)
{
    int pieces = 0, n = 0;
    for (int k = 0; k < 8; k++) n += around[k];
    for (int k = 0; k < 8; k += 2) pieces += !around[k] && (around[k + 1] || around[(k + 2) % 8]);
    return pieces == 1 && n >= 2;
}

/* Takes out, one after another, what the parallel passes leave of lines two pixels wide; true
 * when there was any. */
static bool thin_corners(uint8_t *m, int height, int width)
{
    bool any = false;
    static const int dr[8] = {-1, -1, 0, 1, 1, 1, 0, -1}, dc[8] = {0, 1, 1, 1, 0, -1, -1, -1};
    for (int r = 0; r < height; r++)
        for (int c = 0; c < width; c++) {
            if (!m[(size_t)r * (size_t)width + (size_t)c]) continue;
            uint8_t around[8];
            for (int k = 0; k < 8; k++) {
                const int y = r + dr[k], x = c + dc[k];
                around[k] = y >= 0 && y < height && x >= 0 && x < width &&
                            m[(size_t)y * (size_t)width + (size_t)x];
            }
            if (!spare(around)) continue;
            m[(size_t)r * (size_t)width + (size_t)c] = 0;
            any = true;
        }
    return any;
}

/* -------------------------------------------------------------------------------- the two rules */

static reshed_status thin(const uint8_t *mask, int height, int width, row_pass *const pass[2],
                          uint8_t *skeleton, reshed_error *err)
{
    rs_grid grid = {height, width, 1, 1};
    reshed_status st = rs_grid_check(&grid, err);
    if (st) return st;
    thinning t = {.height = height, .words = (width + 63) / 64};
    t.stride = (size_t)t.words + 2;
    size_t rows = (size_t)height + 2;
    t.bits = rs_zalloc((rows + 2) * t.stride, sizeof *t.bits);
    t.changed = rs_zalloc(rows, sizeof *t.changed);
    if (!t.bits || !t.changed) {
        st = rs_fail_nomem(err, "a mask in bits", (rows + 2) * t.stride * sizeof *t.bits);
        goto done;
    }
    t.result[0] = t.bits + rows * t.stride;
    t.result[1] = t.result[0] + t.stride;
    for (int r = 0; r < height; r++)
        pack_row(mask + (size_t)r * (size_t)width, width, t.bits + ((size_t)r + 1) * t.stride + 1);
    for (int k = 1;; k += 2) {
        bool first = run_pass(&t, pass[0], k), second = run_pass(&t, pass[1], k + 1);
        if (!first && !second) break;
    }
    for (int r = 0; r < height; r++)
        unpack_row(t.bits + ((size_t)r + 1) * t.stride + 1, width,
                   skeleton + (size_t)r * (size_t)width);
done:
    rs_free(t.changed);
    rs_free(t.bits);
    return st;
}

reshed_status rs_skeletonize(const uint8_t *mask, int height, int width, uint8_t *skeleton,
                             reshed_error *err)
{
    static row_pass *const pass[2] = {skimage_first, skimage_second};
    return thin(mask, height, width, pass, skeleton, err);
}

reshed_status rs_thin(const uint8_t *mask, int height, int width, uint8_t *skeleton,
                      reshed_error *err)
{
    static row_pass *const pass[2] = {keeping_first, keeping_second};
    reshed_status st = thin(mask, height, width, pass, skeleton, err);
    /* A corner that goes can open others: until a round of both changes nothing. */
    while (st == RESHED_OK && thin_corners(skeleton, height, width))
        st = thin(skeleton, height, width, pass, skeleton, err);
    return st;
}
