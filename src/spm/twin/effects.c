#include "spm/twin/effects.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/random.h"

enum {
    STREAM_JUMP = 101,
    STREAM_TIP,
    STREAM_NOISE,
    STREAM_LINE,
    STREAM_LEVEL,
    STREAM_SCAR,
    STREAM_HOT
};

void rs_twin_effects_defaults(rs_twin_effects *fx)
{
    *fx = (rs_twin_effects){.seed = 1, .gain = 1, .contrast = 1, .gamma = 1, .scanned = 1};
}

const rs_twin_field *rs_twin_effect_fields(int *n)
{
#define PLAIN(member, least, most) RS_TWIN_FIELD(rs_twin_effects, member, least, most)
    static const rs_twin_field fields[] = {
        PLAIN(drift_x, -1, 1),   PLAIN(drift_y, -1, 1),     PLAIN(jumps, 0, 1e4),
        PLAIN(jump_size, 0, 1),  PLAIN(tip_radius, 0, 1),   PLAIN(second_tip, 0, 1),
        PLAIN(second_x, -1, 1),  PLAIN(second_y, -1, 1),    PLAIN(blur, 0, 100),
        PLAIN(tip_change, 0, 1), PLAIN(gain, 1e-3, 1e3),    PLAIN(contrast, -10, 10),
        PLAIN(gamma, 0.1, 5),    PLAIN(tilt_x, -2, 2),      PLAIN(tilt_y, -2, 2),
        PLAIN(noise, 0, 100),    PLAIN(line_noise, 0, 100), PLAIN(level_jumps, 0, 1e4),
        PLAIN(scars, 0, 1e4),    PLAIN(hot_pixels, 0, 1),   PLAIN(scanned, 0, 1),
    };
#undef PLAIN
    *n = sizeof fields / sizeof fields[0];
    return fields;
}

reshed_status rs_twin_effects_check(const rs_twin_effects *fx, reshed_error *err)
{
    int n;
    const rs_twin_field *f = rs_twin_effect_fields(&n);
    return rs_twin_fields_check(f, n, fx, "twin effect", err);
}

int rs_twin_scanned_rows(const rs_twin_effects *fx, int rows)
{
    int n = (int)(fx->scanned * rows + 0.5);
    return n < 1 ? 1 : n > rows ? rows : n;
}

/* ------------------------------------------------------------------------------------ the place */

void rs_twin_drift(const rs_twin_effects *fx, int rows, float *dx, float *dy)
{
    rs_random r = rs_random_at(fx->seed, STREAM_JUMP, 0);
    double jump = 0;
    for (int i = 0; i < rows; i++) {
        if (rs_random_chance(&r, fx->jumps / rows)) jump += fx->jump_size * rs_random_gauss(&r);
        double t = (i + 0.5) / rows, creep = 0.5 * t + 0.5 * (1 - exp(-3 * t)) / (1 - exp(-3));
        dx[i] = (float)(fx->drift_x * creep + jump);
        dy[i] = (float)(fx->drift_y * creep);
    }
}

/* ------------------------------------------------------------------------------- the resolution */

#define BLUR_MAX 128

static int gauss_taps(double sigma, float *tap)
{
    if (sigma < 0.05) {
        tap[0] = 1;
        return 0;
    }
    int n = sigma < BLUR_MAX / 3.0 ? (int)ceil(3 * sigma) : BLUR_MAX;
    double sum = 1;
    tap[0] = 1;
    for (int i = 1; i <= n; i++) {
        tap[i] = (float)exp(-0.5 * i * i / (sigma * sigma));
        sum += 2 * (double)tap[i];
    }
    for (int i = 0; i <= n; i++) tap[i] = (float)((double)tap[i] / sum);
    return n;
}

static int held(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* out = a blurred along columns and rows; the frame's edge pixels go on outside it. row: cols plus
 * twice BLUR_MAX floats. */
static void blur(const float *a, int rows, int cols, double sx, double sy, float *out, float *row)
{
    float tap[BLUR_MAX + 1];
    int n = gauss_taps(sy, tap);
    for (int r = 0; r < rows; r++) {
        float *o = out + (size_t)r * (size_t)cols;
        for (int c = 0; c < cols; c++) o[c] = 0;
        for (int k = -n; k <= n; k++) {
            const float *in = a + (size_t)held(r + k, rows) * (size_t)cols;
            float w = tap[k < 0 ? -k : k];
            for (int c = 0; c < cols; c++) o[c] += w * in[c];
        }
    }
    n = gauss_taps(sx, tap);
    for (int r = 0; r < rows && n > 0; r++) {
        float *o = out + (size_t)r * (size_t)cols;
        for (int c = -n; c < cols + n; c++) row[c + n] = o[held(c, cols)];
        for (int c = 0; c < cols; c++) o[c] = 0;
        for (int k = 0; k <= 2 * n; k++) {
            float w = tap[k < n ? n - k : k - n];
            for (int c = 0; c < cols; c++) o[c] += w * row[c + k];
        }
    }
}

static float sample_at(const float *a, int rows, int cols, double r, double c)
{
    r = r < -1 ? -1 : r > rows ? rows : r;
    c = c < -1 ? -1 : c > cols ? cols : c;
    int r0 = (int)floor(r), c0 = (int)floor(c);
    float tr = (float)(r - r0), tc = (float)(c - c0), v[2];
    for (int k = 0; k < 2; k++) {
        const float *row = a + (size_t)held(r0 + k, rows) * (size_t)cols;
        float left = row[held(c0, cols)], right = row[held(c0 + 1, cols)];
        v[k] = left + tc * (right - left);
    }
    return v[0] + tr * (v[1] - v[0]);
}

/* A change of the tip, felt from a row on. */
typedef struct tip_event {
    int row; /* rows when there is none */
    double blur, gain, offset, second, dr, dc;
} tip_event;

static tip_event draw_tip_event(const rs_twin_effects *fx, int rows)
{
    tip_event e = {.row = rows, .gain = 1};
    double s = fx->tip_change;
    if (s <= 0) return e;
    rs_random r = rs_random_at(fx->seed, STREAM_TIP, 0);
    e.row = (int)(rows * rs_random_between(&r, 0.15, 0.85));
    e.blur = 2.5 * s * rs_random_between(&r, 0.3, 1);
    e.gain = exp(s * rs_random_between(&r, -1.2, 0.5));
    e.offset = 0.5 * s * rs_random_unit(&r);
    e.second = 0.6 * s * rs_random_unit(&r);
    e.dr = rs_random_between(&r, -6, 6);
    e.dc = rs_random_between(&r, -6, 6);
    return e;
}

static void add_second(const float *a, int rows, int cols, int from, int to, double weight,
                       double dr, double dc, float *out)
{
    for (int r = from; weight > 0 && r < to; r++)
        for (int c = 0; c < cols; c++) {
            float *o = &out[(size_t)r * (size_t)cols + (size_t)c];
            float other = sample_at(a, rows, cols, r + dr, c + dc);
            *o = (*o + (float)weight * other) / (1 + (float)weight);
        }
}

static reshed_status resolve(const rs_twin_effects *fx, const tip_event *tip, int rows, int cols,
                             double px, double py, float *a, reshed_error *err)
{
    double sx = hypot(fx->tip_radius / px, fx->blur), sy = hypot(fx->tip_radius / py, fx->blur);
    bool change = tip->row<rows, second = fx->second_tip> 0;
    if (sx < 0.05 && sy < 0.05 && !change && !second) return RESHED_OK;
    size_t n = (size_t)rows * (size_t)cols, pad = (size_t)cols + 2 * BLUR_MAX;
    size_t bytes = (2 * n + pad) * sizeof(float);
    float *sharp = rs_alloc(2 * n + pad, sizeof *sharp);
    if (!sharp) return rs_fail_nomem(err, "the twin's blur", bytes);
    float *soft = sharp + n, *row = soft + n;
    memcpy(sharp, a, n * sizeof *a);
    blur(sharp, rows, cols, sx, sy, a, row);
    if (second) {
        memcpy(soft, a, n * sizeof *a);
        add_second(soft, rows, cols, 0, rows, fx->second_tip, -fx->second_y / py, fx->second_x / px,
                   a);
    }
    if (change) {
        size_t at = (size_t)tip->row * (size_t)cols;
        blur(sharp, rows, cols, hypot(sx, tip->blur), hypot(sy, tip->blur), soft, row);
        memcpy(a + at, soft + at, (n - at) * sizeof *a);
        add_second(soft, rows, cols, tip->row, rows, tip->second, tip->dr, tip->dc, a);
    }
    rs_free(sharp);
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------- the signal */

static void shape_signal(const rs_twin_effects *fx, const tip_event *tip, int rows, int cols,
                         float level, float *a)
{
    rs_random r = rs_random_at(fx->seed, STREAM_LEVEL, 0);
    double jump = 1;
    for (int i = 0; i < rows; i++) {
        if (rs_random_chance(&r, fx->level_jumps / rows)) jump = exp(0.25 * rs_random_gauss(&r));
        double v = (i + 0.5) / rows - 0.5, line_gain = jump * fx->gain;
        float add = 0;
        if (i >= tip->row) {
            line_gain *= tip->gain;
            add = (float)tip->offset * level;
        }
        float *row = a + (size_t)i * (size_t)cols;
        for (int c = 0; c < cols; c++) {
            double u = (c + 0.5) / cols - 0.5, plane = 1 + fx->tilt_x * u - fx->tilt_y * v;
            row[c] = (row[c] + add) * (float)(line_gain * (plane > 0 ? plane : 0));
        }
    }
}

/* Gamma and contrast: what a display, a detector or another film does to the scale. */
static void shape_scale(const rs_twin_effects *fx, size_t n, float level, float *a)
{
    float gamma = (float)fx->gamma, contrast = (float)fx->contrast;
    if (fx->gamma == 1 && fx->contrast == 1) return;
    for (size_t i = 0; i < n; i++) {
        float t = level > 0 && a[i] > 0 ? a[i] / level : 0;
        if (fx->gamma != 1) t = powf(t < 1e6f ? t : 1e6f, gamma);
        t = t < 1e9f ? t : 1e9f; /* squares of it must stay finite */
        t = 1 + contrast * (t - 1);
        a[i] = level * (t > 0 ? t : 0);
    }
}

static void add_noise(const rs_twin_effects *fx, int rows, int cols, float level, float *a,
                      float *phase)
{
    float sd = (float)fx->noise * level, slow = 0;
    for (int r = 0; r < rows; r++) {
        float *row = a + (size_t)r * (size_t)cols;
        rs_random rng = rs_random_at(fx->seed, STREAM_NOISE, (uint64_t)r);
        /* A lock-in sees the noise in both quadratures, so weak amplitudes are biased upwards. */
        for (int c = 0; sd > 0 && c < cols; c++) {
            float g, h;
            rs_random_gauss2(&rng, &g, &h);
            float re = row[c] + sd * g, im = sd * h;
            row[c] = sqrtf(re * re + im * im);
            if (phase) phase[(size_t)r * (size_t)cols + (size_t)c] += atan2f(im, re);
        }
        if (fx->line_noise <= 0) continue;
        float g, h;
        rng = rs_random_at(fx->seed, STREAM_LINE, (uint64_t)r);
        rs_random_gauss2(&rng, &g, &h);
        slow = 0.9f * slow + 0.3f * h;
        float offset = (float)fx->line_noise * level * (0.8f * g + 0.6f * slow);
        for (int c = 0; c < cols; c++) row[c] = row[c] + offset > 0 ? row[c] + offset : 0;
    }
}

/* Streaks, where the tip lost or hit something, and single wrong pixels. */
static void add_faults(const rs_twin_effects *fx, int rows, int cols, float level, float *a)
{
    rs_random r = rs_random_at(fx->seed, STREAM_SCAR, 0);
    int scars = rs_random_poisson(&r, fmin(fx->scars * rows / 100, 5000));
    for (int k = 0; k < scars; k++) {
        int row = rs_random_index(&r, rows), from = rs_random_index(&r, cols);
        int length = 1 + (int)rs_random_exponential(&r, 0.2 * cols);
        float value = (float)(rs_random_between(&r, -0.6, 0.8)) * level;
        for (int c = from; c < cols && c < from + length; c++) {
            float *v = &a[(size_t)row * (size_t)cols + (size_t)c];
            *v = *v + value > 0 ? *v + value : 0;
        }
    }
    r = rs_random_at(fx->seed, STREAM_HOT, 0);
    double mean = fx->hot_pixels * rows * cols;
    int hot = mean > 5000 ? (int)mean : rs_random_poisson(&r, mean);
    for (int k = 0; k < hot; k++) {
        size_t at =
            (size_t)rs_random_index(&r, rows) * (size_t)cols + (size_t)rs_random_index(&r, cols);
        a[at] = rs_random_chance(&r, 0.7) ? level * (float)rs_random_log(&r, 1.5, 6) : 0;
    }
}

reshed_status rs_twin_effects_apply(const rs_twin_effects *fx, int rows, int cols, double pixel_x,
                                    double pixel_y, double level, float *amplitude, float *phase,
                                    reshed_error *err)
{
    reshed_status st = rs_twin_effects_check(fx, err);
    if (st != RESHED_OK) return st;
    if (rows < 1 || cols < 1 || rows > RS_IMAGE_MAX_SIDE || cols > RS_IMAGE_MAX_SIDE ||
        !(pixel_x > 0 && pixel_y > 0 && level >= 0))
        return rs_fail(err, RESHED_EINVAL, "frame for the twin's effects");
    size_t n = (size_t)rows * (size_t)cols;
    tip_event tip = draw_tip_event(fx, rows);
    st = resolve(fx, &tip, rows, cols, pixel_x, pixel_y, amplitude, err);
    if (st != RESHED_OK) return st;
    shape_signal(fx, &tip, rows, cols, (float)level, amplitude);
    shape_scale(fx, n, (float)level, amplitude);
    add_noise(fx, rows, cols, (float)level, amplitude, phase);
    add_faults(fx, rows, cols, (float)level, amplitude);
    for (size_t i = 0; phase && i < n; i++) {
        const float turn = 6.2831853f;
        if (phase[i] > 0.5f * turn) phase[i] -= turn;
        if (phase[i] <= -0.5f * turn) phase[i] += turn;
    }
    size_t scanned = (size_t)rs_twin_scanned_rows(fx, rows) * (size_t)cols;
    memset(amplitude + scanned, 0, (n - scanned) * sizeof *amplitude);
    if (phase) memset(phase + scanned, 0, (n - scanned) * sizeof *phase);
    return RESHED_OK;
}

reshed_status rs_twin_frame(const rs_twin_sample *sample, double level, const rs_twin_effects *fx,
                            const rs_twin_view *view, const rs_twin_channels *out,
                            reshed_error *err)
{
    rs_twin_view moved = *view;
    float *drift = NULL;
    reshed_status st = rs_twin_effects_check(fx, err);
    if (st != RESHED_OK) return st;
    if (view->dx || view->dy || view->row_begin != 0 || view->row_end != view->rows ||
        view->rows < 1 || !out->amplitude)
        return rs_fail(err, RESHED_EINVAL,
                       "view of a twin frame|all rows, no drift of its own, an amplitude");
    drift = rs_alloc((size_t)view->rows, 2 * sizeof *drift);
    if (!drift) return rs_fail_nomem(err, "the twin's drift", (size_t)view->rows * 8);
    rs_twin_drift(fx, view->rows, drift, drift + view->rows);
    moved.dx = drift;
    moved.dy = drift + view->rows;
    st = rs_twin_render(sample, &moved, out, err);
    rs_free(drift);
    if (st != RESHED_OK) return st;
    if (out->wall) {
        size_t cols = (size_t)view->cols, scanned = (size_t)rs_twin_scanned_rows(fx, view->rows);
        memset(out->wall + scanned * cols, 0, ((size_t)view->rows - scanned) * cols);
    }
    return rs_twin_effects_apply(fx, view->rows, view->cols, view->width / view->cols,
                                 view->height / view->rows, level, out->amplitude, out->phase, err);
}
