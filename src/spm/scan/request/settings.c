#include "spm/scan/request/settings.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "beps/waveform.h"
#include "imgproc/walls/find.h"
#include "spm/scan/request/units.h"

#define F(member, unit, lo, hi, whole, help)                                                       \
    {                                                                                              \
#member, unit, help, offsetof(rs_scan_settings, member), lo, hi, whole                     \
    }

static const rs_scan_field fields[] = {
    F(x, "m", -1, 1, false, "centre of the frame"),
    F(y, "m", -1, 1, false, ""),
    F(width, "m", 1e-10, 1, false, "of the frame, edge to edge"),
    F(height, "m", 1e-10, 1, false, ""),
    F(angle, "rad", -7, 7, false, "of the frame, counter-clockwise"),
    F(rows, "", 16, 16384, true, "pixels"),
    F(cols, "", 16, 16384, true, ""),
    F(line_rate, "Hz", 1e-4, 1e4, false, "lines, there and back, a second"),
    F(upward, "", 0, 1, true, "1: the scan runs from the last row to the first"),
    F(be_centre, "Hz", 1, 1e9, false, "of the band that is excited"),
    F(be_band, "Hz", 0, 1e9, false, "its width; 0: no band excitation"),
    F(be_amplitude, "V", 0, 1000, false, "of the AC drive"),
    F(be_duration, "s", 1e-6, 10, false, "of one pulse: bins are 1/duration apart"),
    F(be_repeats, "", 1, 1e6, true, "pulses a pixel"),
    F(be_phase_variation, "", -1, 1, false, "chirp of the excitation"),
    F(shape, "", 0, 2, true,
      "of the loops' voltages: triangle, inverse or list (of a workflow file)"),
    F(voltage, "V", 0, 1000, false, "amplitude of the switching triangle; 0: no spectroscopy"),
    F(steps, "", 8, 65536, true, "voltages of a cycle, a multiple of 4"),
    F(cycles, "", 1, 64, true, "of the triangle"),
    F(dwell, "s", 0, 1000, false, "at each voltage"),
    F(settle, "s", 0, 1000, false, "before each reading"),
    F(off_field, "", 0, 1, true, "1: read at zero bias after each step as well"),
    F(read_bias, "V", -1000, 1000, false, "what counts as zero then"),
    F(drop_first, "", 0, 1, true, "1: of several cycles leave out the first"),
    F(threshold, "", 0, 1, false, "of the wall probability"),
    F(thinning, "", 0, 1, true, "of the walls: keep or skimage"),
    F(every, "", 1, 1e6, true, "take every so many pixels of the walls"),
    F(min_distance, "px", -1, 1e6, false,
      "between any two points, at least; auto (-1): 2, or every"),
    F(min_wall, "px", 0, 1e6, false, "shortest wall that is measured"),
    F(margin, "px", 0, 1e4, false, "kept free along the frame's edge"),
    F(max_points, "", 1, 1e6, true, "largest number of points"),
    F(on_180, "", 0, 1, true, "1: points on 180-degree walls too, where a phase tells them"),
    F(order, "", 0, 2, true, "of the points: route, author or raster"),
    F(budget, "s", 0, 1e9, false, "for the points: thinned to fit; 0: none"),
    F(until, "", 0, 2, true,
      "the list of points ends: end (all), alternation or lengths (decided)"),
    F(error, "", 1e-3, 0.5, false, "chance of a false finding, then"),
    F(speed, "m/s", 1e-9, 1, false, "of the tip between points"),
    F(drift_every, "", 0, 1e6, true, "points between two looks at the drift; 0: never"),
    F(patch, "px", 16, 1024, true, "side of the patch that is scanned for it"),
    F(reference_every, "", 0, 1e6, true, "points between two reference loops; 0: never"),
    F(reference_change, "", 0, 100, false, "relative change of the reference that pauses the list"),
    F(alarm, "", 0, 2, true, "at an out-of-distribution alarm: continue, rescan or stop"),
    F(line_timeout, "s", 0.1, 1e5, false, "without a line until the instrument counts as lost"),
    F(queue, "", 8, 4096, true, "lines that may wait; when they do, the scan pauses"),
    F(sync_every, "", 1, 1000, true, "lines between two syncs to the disk"),
    F(end, "", 0, 2, true,
      "of the tip when all is done: withdraw, leave or park (withdraws, moves)"),
    F(park_x, "m", -1, 1, false, "where the tip is parked"),
    F(park_y, "m", -1, 1, false, ""),
    F(watch, "s", 0, 1e5, false, "without progress until the instrument is halted; 0: no watchdog"),
    F(disk_wait, "s", 0, 1e6, false, "that a full disk is waited for; then the run is halted"),
    F(max_bias, "V", 0, 1000, false, "limit beside the instrument's own; 0: none"),
    F(max_drive, "V", 0, 1000, false, ""),
    F(max_speed, "m/s", 0, 1, false, ""),
    F(max_step, "s", 0, 1e5, false, "longest time at one voltage"),
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Settings that may be given as words. */
static const struct {
    const char *name, *word[4];
    double first; /* what the first word stands for; the others count on */
} words[] = {{"order", {"route", "author", "raster"}, 0},
             {"alarm", {"continue", "rescan", "stop"}, 0},
             {"end", {"withdraw", "leave", "park"}, 0},
             {"shape", {"triangle", "inverse", "list"}, 0},
             {"until", {"end", "alternation", "lengths"}, 0},
             {"thinning", {"keep", "skimage"}, 0},
             {"min_distance", {"auto"}, -1}};

void rs_scan_settings_defaults(rs_scan_settings *s)
{
    rs_find_options find;
    rs_find_defaults(&find);
    *s = (rs_scan_settings){.width = 2e-6,
                            .height = 2e-6,
                            .rows = 256,
                            .cols = 256,
                            .line_rate = 1,
                            .be_centre = 350e3,
                            .be_band = 100e3,
                            .be_amplitude = 1,
                            .be_duration = 6.4e-4,
                            .be_repeats = 4,
                            .be_phase_variation = 1,
                            .voltage = 8,
                            .steps = 64,
                            .cycles = 2,
                            .drop_first = 1,
                            .dwell = 4e-3,
                            .off_field = 1,
                            .threshold = find.low,
                            .every = find.every,
                            .min_distance = find.min_distance.value,
                            .min_wall = find.min_wall.value,
                            .margin = find.margin.value,
                            .max_points = 200,
                            .error = 0.05,
                            .speed = 2e-6,
                            .drift_every = 50,
                            .patch = 48,
                            .reference_every = 50,
                            .reference_change = 0.3,
                            .alarm = RS_SCAN_ALARM_CONTINUE,
                            .line_timeout = 30,
                            .queue = 64,
                            .sync_every = 1,
                            .watch = 60,
                            .disk_wait = 600};
}

void rs_scan_settings_unnamed(rs_scan_settings *s)
{
    s->on_180 = 1;
    rs_find_options find;
    rs_find_unnamed(&find);
    s->thinning = find.thinning;
    s->min_distance = find.min_distance.value;
    s->shape = RS_SCAN_TRIANGLE;
    s->until = RS_SCAN_END;
}

void rs_scan_settings_settle(rs_scan_settings *s)
{
    if (s->min_distance < 0) s->min_distance = fmin(RS_FIND_APART, s->every);
}

const rs_scan_field *rs_scan_fields(int *n)
{
    *n = FIELDS;
    return fields;
}

const rs_scan_field *rs_scan_field_find(const char *name)
{
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

const char *rs_scan_unit(const char *name)
{
    const rs_scan_field *f = rs_scan_field_find(name);
    return f ? f->unit : "";
}

double rs_scan_get(const rs_scan_settings *s, const rs_scan_field *f)
{
    double v;
    memcpy(&v, (const char *)s + f->offset, sizeof v);
    return v;
}

static bool word(const char *name, const char *value, double *v)
{
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        for (int i = 0; i < 4 && words[k].word[i] && strcmp(name, words[k].name) == 0; i++)
            if (strcmp(value, words[k].word[i]) == 0) {
                *v = words[k].first + i;
                return true;
            }
    return false;
}

const char *rs_scan_word(const rs_scan_field *f, double value)
{
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        const double i = value - words[k].first;
        if (strcmp(f->name, words[k].name) == 0 && i >= 0 && i < 4 && i == floor(i))
            return words[k].word[(int)i];
    }
    return NULL;
}

const char *rs_scan_word_of(const char *name, const char *value)
{
    const rs_scan_field *f = rs_scan_field_find(name);
    double v;
    return f && rs_number_parse(value, strlen(value), &v) ? rs_scan_word(f, v) : NULL;
}

reshed_status rs_scan_set(rs_scan_settings *s, const char *name, const char *value,
                          reshed_error *err)
{
    const rs_scan_field *f = rs_scan_field_find(name);
    double v;
    if (!f) return rs_fail(err, RESHED_EINVAL, "setting|a name of the list in --help|%s", name);
    bool ok = rs_number_parse(value, strlen(value), &v);
    if (!ok) ok = word(name, value, &v);
    if (!ok) return rs_fail(err, RESHED_EINVAL, "%s|a number|%s", name, value);
    if (!(v >= f->lo && v <= f->hi) || (f->whole && v != floor(v)))
        return rs_fail(err, RESHED_EINVAL, "%s|%s%g to %g%s%s|%s", name,
                       f->whole ? "a whole number from " : "", f->lo, f->hi, *f->unit ? " " : "",
                       f->unit, value);
    memcpy((char *)s + f->offset, &v, sizeof v);
    return RESHED_OK;
}

rs_frame rs_scan_frame(const rs_scan_settings *s)
{
    return (rs_frame){.cx = s->x,
                      .cy = s->y,
                      .width = s->width,
                      .height = s->height,
                      .angle = s->angle,
                      .rows = (int)s->rows,
                      .cols = (int)s->cols,
                      .line_rate = s->line_rate,
                      .upward = s->upward != 0};
}

rs_be_setup rs_scan_be(const rs_scan_settings *s)
{
    return (rs_be_setup){.centre = s->be_centre,
                         .band = s->be_band,
                         .amplitude = s->be_amplitude,
                         .phase_variation = s->be_phase_variation,
                         .repeats = (int)s->be_repeats,
                         .duration = s->be_duration};
}

int rs_scan_steps(const rs_scan_settings *s)
{
    if (!(s->voltage > 0)) return 0;
    return (int)s->shape == RS_SCAN_LIST ? s->listed : (int)s->steps * (int)s->cycles;
}

static double largest(const double *v, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(v[i]));
    return most;
}

/* One cycle of N steps: step i is at 4i/N quarters; see beps/waveform.h. A list keeps its bits where
 * its own largest voltage is asked for. */
reshed_status rs_scan_waveform(const rs_scan_settings *s, double *voltage, reshed_error *err)
{
    const int n = (int)s->steps;
    if ((int)s->shape == RS_SCAN_LIST) {
        if (s->listed < 1)
            return rs_fail(err, RESHED_EINVAL, "shape=list|a workflow with voltages|none");
        if ((int)s->steps * (int)s->cycles != s->listed)
            return rs_fail(err, RESHED_EINVAL,
                           "steps times cycles|%d, as the list has them|%g x %g", s->listed,
                           s->steps, s->cycles);
        const double scale = s->voltage / largest(s->list, s->listed);
        for (int i = 0; i < s->listed; i++) voltage[i] = scale * s->list[i];
        return RESHED_OK;
    }
    if (n % 4) return rs_fail(err, RESHED_EINVAL, "steps of a cycle|a multiple of 4|%d", n);
    const double most = (int)s->shape == RS_SCAN_INVERSE ? -s->voltage : s->voltage;
    for (int i = 0; i < rs_scan_steps(s); i++) {
        const int k = i % n, quarter = n / 4;
        const double ramp = k < quarter ? k : k < 3 * quarter ? 2 * quarter - k : k - n;
        voltage[i] = most * ramp / quarter;
    }
    return RESHED_OK;
}

reshed_status rs_scan_set_list(rs_scan_settings *s, const double *voltage, int n, reshed_error *err)
{
    enum { LEAST = 8, MOST = 65536 };
    const double most = n > 0 ? largest(voltage, n) : 0;
    if (n < LEAST || n > MOST)
        return rs_fail(err, RESHED_EINVAL, "voltages|%d to %d|%d", LEAST, MOST, n);
    for (int i = 0; i < n; i++)
        if (!isfinite(voltage[i]))
            return rs_fail(err, RESHED_EINVAL, "voltage %d|a number|%g", i + 1, voltage[i]);
    if (!(most > 0 && most <= 1000))
        return rs_fail(err, RESHED_EINVAL, "largest voltage|above 0 to 1000 V|%g", most);
    const int period = rs_waveform_period(voltage, n);
    if (period < LEAST || n / period > 64)
        return rs_fail(err, RESHED_EINVAL, "voltages|at most 64 cycles of %d or more|%d of %d",
                       LEAST, n / period, period);
    s->shape = RS_SCAN_LIST;
    s->voltage = most;
    s->steps = period;
    s->cycles = n / period;
    s->list = voltage;
    s->listed = n;
    return RESHED_OK;
}

rs_spectroscopy rs_scan_spectroscopy(const rs_scan_settings *s, const double *voltage)
{
    return (rs_spectroscopy){.voltage = voltage,
                             .steps = rs_scan_steps(s),
                             .off_field = s->off_field != 0,
                             .dwell = s->dwell,
                             .settle = s->settle,
                             .read_bias = s->read_bias};
}

rs_rest rs_scan_rest(const rs_scan_settings *s)
{
    return (rs_rest){.tip = (rs_tip_end)(int)s->end,
                     .x = s->park_x,
                     .y = s->park_y,
                     .speed = s->speed,
                     .within = s->line_timeout};
}

rs_limits rs_scan_limits(const rs_scan_settings *s)
{
    rs_limits l;
    rs_limits_none(&l);
    if (s->max_bias > 0) l.driver.bias_max = s->max_bias;
    if (s->max_drive > 0) l.driver.drive_max = s->max_drive;
    if (s->max_speed > 0) l.driver.speed_max = s->max_speed;
    if (s->max_step > 0) l.step_max = s->max_step;
    return l;
}
