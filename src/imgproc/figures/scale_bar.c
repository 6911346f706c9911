#include "imgproc/figures/scale_bar.h"

#include <math.h>

#include "base/text.h"
#include "imgproc/figures/ticks.h"

#define SHARE 0.3 /* of the map's width, at most */

void rs_scale_bar_draw(rs_canvas *c, double x, double y, double w, double h, double metres,
                       double font)
{
    char label[64];
    const double length = rs_round_down_125(SHARE * w * metres);
    const double bar_w = length / metres, bar_h = fmax(3, round(0.3 * font)), pad = 0.5 * font;
    const rs_text t = {.size = font, .bold = true, .ax = 0.5, .ay = 1};
    rs_si_text(length, 1, "m", label, sizeof label);
    const double box_w = fmax(bar_w, rs_text_width(c, &t, label)) + 2 * pad;
    const double box_h = rs_text_height(&t) + bar_h + 2.6 * pad, top = h - pad - box_h;
    if (box_w + 2 * pad > w || top < 0) return;
    x += pad;
    y += top;
    rs_canvas_colour(c, 0x000000, 0.6);
    cairo_rectangle(c->cr, x, y, box_w, box_h);
    cairo_fill(c->cr);
    rs_canvas_colour(c, 0xffffff, 1);
    cairo_rectangle(c->cr, x + (box_w - bar_w) / 2, y + box_h - pad - bar_h, bar_w, bar_h);
    cairo_fill(c->cr);
    rs_text_draw(c, &t, x + box_w / 2, y + pad + rs_text_height(&t), label);
}
