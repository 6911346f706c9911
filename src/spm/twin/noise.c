/* noise.c - lattice noise drawn row by row. */
#include "spm/twin/canvas.h"

#include <float.h>

/* Lattice values are uniform in [-1,1), variance 1/3, and cubic blending in two directions leaves
 * (26/35)^2 of it on average. */
#define UNIT_GAIN 2.3316f

size_t twin_noise_table(const twin_canvas *cv)
{
    return (size_t)cv->cols + 4;
}

void twin_add_noise(const twin_canvas *cv, uint64_t seed, double size, float gain, float *out,
                    float *table)
{
    /* A lattice finer than the pixels would only be white noise. */
    double pitch = size > cv->px ? size : cv->px;
    double step = cv->px / pitch;
    for (int r = 0; r < cv->rows; r++) {
        float *row = out + (size_t)r * (size_t)cv->cols;
        double x = twin_row_x(cv, r) / pitch, y = twin_row_y(cv, r) / pitch;
        double left = floor(x), bottom = floor(y);
        int points = (int)(x - left + step * (cv->cols - 1)) + 3;
        float t = (float)(y - bottom), s = t * t * (3 - 2 * t);
        for (int i = 0; i < points; i++) {
            float a = rs_lattice2(seed, (int64_t)bottom, (int64_t)left + i);
            float b = rs_lattice2(seed, (int64_t)bottom + 1, (int64_t)left + i);
            table[i] = (a + (b - a) * s) * gain * UNIT_GAIN;
        }
        float start = (float)(x - left), f_step = (float)step;
        for (int c = 0; c < cv->cols; c++) {
            float f = start + f_step * (float)c;
            int i = (int)f;
            float u = f - (float)i, w = u * u * (3 - 2 * u);
            row[c] += table[i] + (table[i + 1] - table[i]) * w;
        }
    }
}
