#include "infer/signs.h"

#include "base/alloc.h"

void rs_signs_clear(rs_signs *s)
{
    rs_free(s->mean);
    rs_free(s->wall180);
    rs_polarity_clear(&s->polarity);
    *s = (rs_signs){0};
}

reshed_status rs_signs_make(const rs_frame_view *frame, const float *phase, double threshold,
                            rs_signs *out, reshed_error *err)
{
    const size_t n = (size_t)frame->height * (size_t)frame->width;
    rs_signs s = {0};
    size_t walls = 0, lines = 0;
    s.mean = rs_alloc(n, sizeof *s.mean);
    s.wall180 = rs_alloc(n, sizeof *s.wall180);
    if (!s.mean || !s.wall180) {
        rs_signs_clear(&s);
        return rs_fail_nomem(err, "maps of two kinds of walls", 2 * n * sizeof *s.mean);
    }
    reshed_status st =
        rs_polarity_make(frame->image, phase, frame->height, frame->width, &s.polarity, err);
    if (st == RESHED_OK) st = rs_polarity_part(&s.polarity, frame->wall, s.mean, err);
    if (st != RESHED_OK) {
        rs_signs_clear(&s);
        return st;
    }
    for (size_t i = 0; i < n; i++) {
        s.wall180[i] = s.polarity.line[i] ? s.polarity.sure[i] : 0;
        walls += (double)s.mean[i] > threshold;
        lines += s.polarity.line[i];
    }
    s.wall_fraction = (double)walls / (double)n;
    s.wall180_fraction = (double)lines / (double)n;
    *out = s;
    return RESHED_OK;
}
