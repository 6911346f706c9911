#include "support/driver_rig.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

rs_instrument *driver_open(const char *name, const rs_driver_option *option, int n)
{
    rs_instrument *d = NULL;
    reshed_error err = {0};
    char text[512];
    rs_driver_status st = rs_instrument_open(name, option, n, 10, &d, &err);
    if (st != RS_DRIVER_OK) print_message("# %s\n", reshed_error_text(&err, text, sizeof text));
    assert_status(st, RS_DRIVER_OK);
    return d;
}

void assert_says(const reshed_error *err, const char *a, const char *b)
{
    char text[512];
    reshed_error_text(err, text, sizeof text);
    if (!strstr(text, a) || !strstr(text, b))
        print_message("# '%s' has not '%s' and '%s'\n", text, a, b);
    assert_non_null(strstr(text, a));
    assert_non_null(strstr(text, b));
}

rs_instrument *twin_open(const char *options)
{
    char text[512], *save = text;
    rs_driver_option option[32];
    int n = 0;
    snprintf(text, sizeof text, "%s", options);
    while (*save) {
        char *end = strchr(save, ' ');
        if (end) *end = '\0';
        char *equals = strchr(save, '=');
        *equals = '\0';
        option[n++] = (rs_driver_option){save, equals + 1};
        if (!end) break;
        save = end + 1;
    }
    return driver_open("twin", option, n);
}

void twin_set_frame(rs_instrument *d, rs_frame f)
{
    reshed_error err = {0};
    if (f.line_rate == 0) f.line_rate = 1;
    assert_status(rs_instrument_set_frame(d, &f, 1, &err), RS_DRIVER_OK);
}

void twin_start(rs_instrument *d, int row)
{
    reshed_error err = {0};
    assert_status(rs_instrument_start(d, row, 1, &err), RS_DRIVER_OK);
}

rs_driver_status twin_next_line(rs_instrument *d, double timeout, rs_line *line)
{
    reshed_error err = {0};
    rs_driver_status st = rs_instrument_wait_line(d, timeout, line, &err);
    assert_true((st == RS_DRIVER_OK) == (err.status == RESHED_OK));
    assert_true((st == RS_DRIVER_OK) == (err.what[0] == '\0'));
    return st;
}

void twin_scan(rs_instrument *d, const rs_frame *f, float *trace, float *retrace)
{
    size_t cols = (size_t)f->cols;
    int n = rs_instrument_caps(d)->channels;
    float *channel = rs_alloc(cols, (size_t)n * sizeof *channel);
    twin_start(d, f->upward ? f->rows - 1 : 0);
    for (int i = 0; i < 2 * f->rows; i++) {
        rs_line line = {.cols = f->cols, .channels = n, .channel = channel};
        assert_status(twin_next_line(d, 10, &line), RS_DRIVER_OK);
        assert_int_equal(line.row, f->upward ? f->rows - 1 - i / 2 : i / 2);
        assert_int_equal(line.retrace, i % 2);
        float *to = line.retrace ? retrace : trace;
        if (to) memcpy(to + (size_t)line.row * cols, channel, cols * sizeof *to);
    }
    rs_line line = {.cols = f->cols, .channels = n, .channel = channel};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_REFUSED);
    rs_free(channel);
}

float *rig_twin_image(int rows, int cols)
{
    float *im = rs_alloc((size_t)rows, (size_t)cols * sizeof *im);
    for (int i = 0; i < rows * cols; i++) im[i] = NAN;
    return im;
}
