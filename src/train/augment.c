#include "train/augment.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "imgproc/image/normalise.h"
#include "spm/twin/effects.h"
#include "train/net/bilinear.h"
#include "train/label.h"

/* Scales of turned pieces: about the spread of pixel sizes in one film's frames. */
#define SCALE_LOW (-0.25)
#define SCALE_HIGH 0.35

reshed_status rs_augment_check(const rs_augment *a, reshed_error *err)
{
    const struct {
        const char *name;
        double value, most;
    } share[] = {
        {"strength of the augmentation", a->strength, 2},   {"share of turned pieces", a->turn, 1},
        {"share of pieces scanned in part", a->partial, 1}, {"share of noisy pieces", a->noisy, 1},
        {"share of inverted pieces", a->invert, 1},         {"share of 8-bit pieces", a->eight, 1}};
    if (a->size < 8 || a->size > 1024)
        return rs_fail(err, RESHED_EINVAL, "pixels a side of a piece|8 to 1024|%d", a->size);
    for (size_t i = 0; i < sizeof share / sizeof *share; i++)
        if (!(share[i].value >= 0 && share[i].value <= share[i].most))
            return rs_fail(err, RESHED_EINVAL, "%s|0 to %g|%g", share[i].name, share[i].most,
                           share[i].value);
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- the place */

/* Index i of a row that its mirror image continues, the end pixels doubled: ... 1 0 0 1 ... */
static int mirrored(int i, int n)
{
    i %= 2 * n;
    return i < n ? i : 2 * n - 1 - i;
}

void rs_augment_cut(const rs_picture *p, rs_random *r, const rs_piece *out)
{
    const int n = out->size;
    const int top = (int)rs_random_below(r, (uint64_t)rs_max_int(0, p->height - n) + 1);
    const int left = (int)rs_random_below(r, (uint64_t)rs_max_int(0, p->width - n) + 1);
    const int turn = (int)rs_random_below(r, 8);
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            /* Back to where this pixel comes from. */
            int row = y, col = turn >= 4 ? n - 1 - x : x;
            for (int k = 0; k < turn % 4; k++) {
                const int t = row;
                row = col;
                col = n - 1 - t;
            }
            const size_t from = (size_t)mirrored(top + row, p->height) * (size_t)p->width +
                                (size_t)mirrored(left + col, p->width);
            const size_t at = (size_t)y * (size_t)n + (size_t)x;
            out->image[at] = p->image[from];
            out->target[at] = p->wall[from];
            out->weight[at] = p->known[from];
        }
}

/* A place of a row of n pixels that its mirror image continues, the end pixels not doubled. */
static float reflected(double v, int n)
{
    const double period = 2.0 * (n - 1);
    v = fabs(v) - period * floor(fabs(v) / period);
    v = v <= n - 1 ? v : period - v;
    return (float)(v < 0 ? 0 : v > n - 1 ? n - 1 : v);
}

/* All four pixels about a place are known. */
static bool is_known(const rs_picture *p, float row, float col)
{
    const int r = (int)row, c = (int)col;
    for (int k = 0; k < 4; k++) {
        const size_t y = (size_t)rs_min_int(r + k / 2, p->height - 1);
        const size_t x = (size_t)rs_min_int(c + k % 2, p->width - 1);
        if (!p->known[y * (size_t)p->width + x]) return false;
    }
    return true;
}

void rs_augment_turn(const rs_picture *p, rs_random *r, const rs_piece *out)
{
    const int n = out->size;
    const double angle = rs_random_between(r, 0, 2 * RS_PI);
    const double scale = exp(rs_random_between(r, SCALE_LOW, SCALE_HIGH));
    const double cy =
        (p->height - 1) / 2.0 + rs_random_between(r, -1, 1) * rs_max_int(0, p->height - n) / 2;
    const double cx =
        (p->width - 1) / 2.0 + rs_random_between(r, -1, 1) * rs_max_int(0, p->width - n) / 2;
    const double c = cos(angle) / scale, s = sin(angle) / scale;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const double y = i - (n - 1) / 2.0, x = j - (n - 1) / 2.0;
            const float row = reflected(cy + c * y - s * x, p->height);
            const float col = reflected(cx + s * y + c * x, p->width);
            const size_t at = (size_t)i * (size_t)n + (size_t)j;
            const float away = rs_bilinear(p->distance, p->height, p->width, row, col);
            const bool known = is_known(p, row, col);
            out->image[at] = rs_bilinear(p->image, p->height, p->width, row, col);
            out->target[at] = known && away * (float)scale <= RS_LABEL_REACH;
            out->weight[at] = known;
        }
}

reshed_status rs_augment_place(const rs_augment *a, rs_random *r, rs_picture *p,
                               const rs_piece *out, reshed_error *err)
{
    if (!rs_random_chance(r, a->turn)) {
        rs_augment_cut(p, r, out);
        return RESHED_OK;
    }
    reshed_status st = rs_picture_distance(p, err);
    if (st == RESHED_OK) rs_augment_turn(p, r, out);
    return st;
}

/* ----------------------------------------------------------------------------------- the instrument */

/* Draws in a fixed order, so that one effect's strength does not change another's numbers. */
static void draw_effects(const rs_augment *a, rs_random *r, rs_twin_effects *fx)
{
    const double s = a->strength;
    rs_twin_effects_defaults(fx);
    fx->seed = rs_random_next(r);
    const bool soft = rs_random_chance(r, 0.3);
    const double blur = rs_random_between(r, 0, 0.9 * s);
    if (soft) fx->blur = blur;
    const bool bent = rs_random_chance(r, 0.5);
    const double gamma = exp(s * rs_random_between(r, -0.4, 0.4));
    if (bent) fx->gamma = gamma;
    /* The level matters although the piece is scaled again: it shifts against the noise. */
    fx->gain = exp(s * rs_random_between(r, -0.3, 0.3));
    const bool noise = rs_random_chance(r, 0.6);
    const double usual = s * rs_random_log(r, 0.002, 0.05);
    if (noise) fx->noise = usual;
    const bool noisy = rs_random_chance(r, a->noisy);
    const double heavy = s * rs_random_between(r, 0.05, 0.25);
    if (noisy) fx->noise = heavy;
    const bool lines = rs_random_chance(r, 0.3);
    const double offset = s * rs_random_log(r, 0.002, 0.03);
    if (lines) fx->line_noise = offset;
    if (rs_random_chance(r, a->invert)) fx->contrast = -1;
    const bool partial = rs_random_chance(r, a->partial);
    const uint64_t least = (uint64_t)a->size / 8;
    const uint64_t rows = least + rs_random_below(r, (uint64_t)a->size - least);
    if (partial) fx->scanned = (double)rows / a->size;
}

reshed_status rs_augment_effects(const rs_augment *a, rs_random *r, const rs_piece *piece,
                                 reshed_error *err)
{
    const size_t cols = (size_t)piece->size, n = cols * cols;
    rs_twin_effects fx;
    rs_norm_range range;
    draw_effects(a, r, &fx);
    const bool eight = rs_random_chance(r, a->eight);
    const size_t scanned = (size_t)rs_twin_scanned_rows(&fx, piece->size) * cols;
    reshed_status st =
        rs_twin_effects_apply(&fx, piece->size, piece->size, 1, 1, 1, piece->image, NULL, err);
    if (st == RESHED_OK) st = rs_norm_range_frame(piece->image, scanned, &range, err);
    if (st == RESHED_OK) st = rs_norm_apply(piece->image, scanned, range, false, piece->image, err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; eight && i < scanned; i++)
        piece->image[i] = roundf(piece->image[i] * 255) / 255;
    /* Below the front there is nothing to be seen, so the front itself is no wall. */
    for (size_t i = scanned; i < n; i++) piece->target[i] = 0;
    return RESHED_OK;
}

reshed_status rs_augment_piece(const rs_augment *a, rs_random *r, rs_picture *p,
                               const rs_piece *out, reshed_error *err)
{
    reshed_status st = rs_augment_place(a, r, p, out, err);
    return st == RESHED_OK ? rs_augment_effects(a, r, out, err) : st;
}
