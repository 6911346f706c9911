#include "spm/session/setup.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "io/nsid/make.h"
#include "spm/session/arrays.h"
#include "spm/session/limits.h"

#define FORMAT "reshed-session"
#define FORMAT_VERSION 1

typedef rs_session_setup setup;

/* ------------------------------------------------------------------------ what is written where */
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"start_time", offsetof(setup, start_time)},
    {"region", offsetof(setup, region)},
    {"sample", offsetof(setup, sample)},
    {"operator", offsetof(setup, operator_name)},
    {"program", offsetof(setup, program)},
    {"driver", offsetof(setup, driver)},
    {"weights", offsetof(setup, weights)},
    {"weights_sha256", offsetof(setup, weights_sha256)},
    {"normalisation", offsetof(setup, norm)},
    {"amplitude_unit", offsetof(setup, amplitude_unit)},
};
#define TEXTS (sizeof texts / sizeof *texts)

typedef enum number_kind { NUMBER_DOUBLE, NUMBER_INT, NUMBER_BOOL } number_kind;

static const char frame_group[] = "/Session/frame", instrument_group[] = "/Session/instrument",
                  be_group[] = "/BE Parameters", spectroscopy_group[] = "/BEPS",
                  patch_group[] = "/Patches";

static const struct {
    const char *group, *name;
    size_t offset;
    number_kind kind;
    double lo, hi; /* of an integer */
} numbers[] = {
#define DOUBLE(group, name, member) group, name, offsetof(setup, member), NUMBER_DOUBLE, 0, 0
#define INT(group, name, member, lo, hi) group, name, offsetof(setup, member), NUMBER_INT, lo, hi
#define BOOL(group, name, member) group, name, offsetof(setup, member), NUMBER_BOOL, 0, 1
    {DOUBLE(frame_group, "cx", frame.cx)},
    {DOUBLE(frame_group, "cy", frame.cy)},
    {DOUBLE(frame_group, "width", frame.width)},
    {DOUBLE(frame_group, "height", frame.height)},
    {DOUBLE(frame_group, "angle", frame.angle)},
    {INT(frame_group, "rows", frame.rows, 1, RS_SESSION_MAX_SIDE)},
    {INT(frame_group, "cols", frame.cols, 1, RS_SESSION_MAX_SIDE)},
    {DOUBLE(frame_group, "line_rate", frame.line_rate)},
    {BOOL(frame_group, "upward", frame.upward)},
    {BOOL(instrument_group, "band_excitation", caps.band_excitation)},
    {BOOL(instrument_group, "off_field", caps.off_field)},
    {BOOL(instrument_group, "retrace", caps.retrace)},
    {BOOL(instrument_group, "simulated", caps.simulated)},
    {DOUBLE(instrument_group, "clock_rate", caps.clock_rate)},
    {INT(instrument_group, "bins", caps.bins, 0, RS_SESSION_MAX_BINS)},
    {INT(instrument_group, "channels", caps.channels, 0, RS_DRIVER_MAX_CHANNELS)},
    {DOUBLE(instrument_group, "x_min", caps.limits.x_min)},
    {DOUBLE(instrument_group, "x_max", caps.limits.x_max)},
    {DOUBLE(instrument_group, "y_min", caps.limits.y_min)},
    {DOUBLE(instrument_group, "y_max", caps.limits.y_max)},
    {DOUBLE(instrument_group, "bias_max", caps.limits.bias_max)},
    {DOUBLE(instrument_group, "drive_max", caps.limits.drive_max)},
    {DOUBLE(instrument_group, "speed_max", caps.limits.speed_max)},
    {DOUBLE(be_group, "centre", be.centre)},
    {DOUBLE(be_group, "band", be.band)},
    {DOUBLE(be_group, "amplitude", be.amplitude)},
    {DOUBLE(be_group, "phase_variation", be.phase_variation)},
    {INT(be_group, "repeats", be.repeats, 0, INT_MAX)},
    {DOUBLE(be_group, "duration", be.duration)},
    {INT(spectroscopy_group, "steps", spectroscopy.steps, 0, RS_SESSION_MAX_STEPS)},
    {BOOL(spectroscopy_group, "off_field", spectroscopy.off_field)},
    {DOUBLE(spectroscopy_group, "dwell", spectroscopy.dwell)},
    {DOUBLE(spectroscopy_group, "settle", spectroscopy.settle)},
    {DOUBLE(spectroscopy_group, "read_bias", spectroscopy.read_bias)},
    {DOUBLE(spectroscopy_group, "on_time", spectroscopy.on_time)},
    {DOUBLE(spectroscopy_group, "ramp_rate", spectroscopy.ramp_rate)},
    {INT(spectroscopy_group, "bins", spectrum_bins, 0, RS_SESSION_MAX_BINS)},
    {INT(spectroscopy_group, "metric_count", metrics, 0, RS_SESSION_MAX_METRICS)},
    {INT(patch_group, "rows", patch_rows, 0, RS_SESSION_MAX_SIDE)},
    {INT(patch_group, "columns", patch_cols, 0, RS_SESSION_MAX_SIDE)},
#undef DOUBLE
#undef INT
#undef BOOL
};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static double number_of(const setup *s, size_t k)
{
    const char *at = (const char *)s + numbers[k].offset;
    switch (numbers[k].kind) {
    case NUMBER_INT: return *(const int *)(const void *)at;
    case NUMBER_BOOL: return *(const bool *)(const void *)at;
    case NUMBER_DOUBLE: break;
    }
    return *(const double *)(const void *)at;
}

static bool set_number(setup *s, size_t k, double v)
{
    char *at = (char *)s + numbers[k].offset;
    if (numbers[k].kind == NUMBER_DOUBLE) {
        *(double *)(void *)at = v;
        return true;
    }
    if (!(v >= numbers[k].lo && v <= numbers[k].hi && v == floor(v))) return false;
    if (numbers[k].kind == NUMBER_INT)
        *(int *)(void *)at = (int)v;
    else
        *(bool *)(void *)at = v != 0;
    return true;
}

static const char *text_of(const setup *s, size_t k)
{
    const char *t = *(const char *const *)(const void *)((const char *)s + texts[k].offset);
    return t ? t : "";
}

/* --------------------------------------------------------------------------------------- checks */
static reshed_status check_numbers(const setup *s, reshed_error *err)
{
    for (size_t k = 0; k < NUMBERS; k++) {
        double v = number_of(s, k);
        if (numbers[k].kind == NUMBER_INT && !(v >= numbers[k].lo && v <= numbers[k].hi))
            return rs_fail(err, RESHED_EINVAL, "%s of a session|%.0f to %.0f|%.0f|%s",
                           numbers[k].name, numbers[k].lo, numbers[k].hi, v, numbers[k].group);
    }
    uint64_t fields = s->spectroscopy.off_field ? 2 : 1;
    if ((uint64_t)s->frame.cols * (uint64_t)(s->caps.bins ? s->caps.bins : 1) >
            RS_SESSION_MAX_LINE ||
        fields * (uint64_t)s->spectroscopy.steps *
                (uint64_t)(s->spectrum_bins ? s->spectrum_bins : 1) >
            RS_SESSION_MAX_LINE ||
        (uint64_t)s->patch_rows * (uint64_t)s->patch_cols > RS_SESSION_MAX_LINE)
        return rs_fail(err, RESHED_EINVAL, "values of a line, spectrum or patch|at most %llu|more",
                       (unsigned long long)RS_SESSION_MAX_LINE);
    if ((s->patch_rows == 0) != (s->patch_cols == 0))
        return rs_fail(err, RESHED_EINVAL, "size of a patch|both 0 or none|%d x %d", s->patch_rows,
                       s->patch_cols);
    return RESHED_OK;
}

/* Options and settings become attributes: their names are distinct. */
static reshed_status check_options(const rs_driver_option *o, int n, const char *what,
                                   reshed_error *err)
{
    if (n < 0 || n > RS_SESSION_MAX_SETTINGS)
        return rs_fail(err, RESHED_EINVAL, "number of %s|0 to %d|%d", what, RS_SESSION_MAX_SETTINGS,
                       n);
    for (int i = 0; i < n; i++) {
        if (!o[i].name || !o[i].name[0] || strlen(o[i].name) > 255)
            return rs_fail(err, RESHED_EINVAL, "name among the %s|1 to 255 bytes|another length",
                           what);
        if (o[i].value && strlen(o[i].value) > RS_SESSION_MAX_TEXT)
            return rs_fail(err, RESHED_EINVAL, "text of '%s'|at most %d bytes|%zu bytes", o[i].name,
                           RS_SESSION_MAX_TEXT, strlen(o[i].value));
        for (int k = 0; k < i; k++)
            if (strcmp(o[k].name, o[i].name) == 0)
                return rs_fail(err, RESHED_EINVAL, "names of the %s|all different|'%s' twice", what,
                               o[i].name);
    }
    return RESHED_OK;
}

static reshed_status check_channels(const rs_driver_caps *caps, reshed_error *err)
{
    for (int i = 0; i < caps->channels; i++) {
        const char *name = caps->channel[i];
        if (!memchr(name, 0, sizeof caps->channel[i]) ||
            !memchr(caps->unit[i], 0, sizeof caps->unit[i]) || !name[0] || strcmp(name, "x") == 0 ||
            strcmp(name, "y") == 0 || strcmp(name, ".") == 0 || strcmp(name, "BE_spectra") == 0)
            return rs_fail(err, RESHED_EINVAL,
                           "name of channel %d|a text, not x, y or BE_spectra|another", i);
        for (int k = 0; k < i; k++)
            if (strcmp(caps->channel[k], name) == 0)
                return rs_fail(err, RESHED_EINVAL, "name of channel %d|unlike channel %d|'%s'", i,
                               k, name);
    }
    return RESHED_OK;
}

reshed_status rs_session_check_setup(const setup *s, reshed_error *err)
{
    reshed_status st = check_numbers(s, err);
    if (st == RESHED_OK) st = check_channels(&s->caps, err);
    if (st == RESHED_OK)
        st = check_options(s->driver_option, s->driver_options, "driver options", err);
    if (st == RESHED_OK) st = check_options(s->setting, s->settings, "settings", err);
    for (size_t k = 0; st == RESHED_OK && k < TEXTS; k++)
        if (strlen(text_of(s, k)) > RS_SESSION_MAX_TEXT)
            st = rs_fail(err, RESHED_EINVAL, "text '%s'|at most %d bytes|%zu bytes", texts[k].name,
                         RS_SESSION_MAX_TEXT, strlen(text_of(s, k)));
    if (st == RESHED_OK &&
        ((s->caps.bins && !s->frequency) || (s->spectroscopy.steps && !s->spectroscopy.voltage) ||
         (s->spectrum_bins && !s->spectrum_frequency)))
        st = rs_fail(err, RESHED_EINVAL, "a session's frequencies and voltages|arrays|none");
    return st;
}

/* -------------------------------------------------------------------------------------- writing */
static bool write_options(hid_t file, const char *group, const rs_driver_option *o, int n)
{
    hid_t g = rs_nsid_open_group(file, group);
    bool ok = g >= 0;
    for (int i = 0; ok && i < n; i++)
        ok = rs_h5_set_text(g, o[i].name, o[i].value ? o[i].value : "");
    rs_h5_close(g);
    return ok;
}

/* 32 bytes that no other session has: a digest of all that is known of this one, its start time
 * among it. */
static bool write_identity(hid_t file, const setup *s)
{
    rs_sha256 sum;
    uint8_t id[32];
    rs_sha256_start(&sum);
    for (size_t k = 0; k < TEXTS; k++)
        rs_sha256_add(&sum, text_of(s, k), strlen(text_of(s, k)) + 1);
    for (size_t k = 0; k < NUMBERS; k++) {
        double v = number_of(s, k);
        rs_sha256_add(&sum, &v, sizeof v);
    }
    for (int i = 0; i < s->settings; i++) {
        const char *v = s->setting[i].value ? s->setting[i].value : "";
        rs_sha256_add(&sum, s->setting[i].name, strlen(s->setting[i].name) + 1);
        rs_sha256_add(&sum, v, strlen(v) + 1);
    }
    rs_sha256_end(&sum, id);
    return rs_session_write_bytes(file, "/Session", "identity", id, sizeof id);
}

/* Names and units stand apart in the file. */
static bool write_metrics(hid_t file, const setup *s, const char *group)
{
    char name[RS_SESSION_MAX_METRICS][sizeof s->metric->name];
    char unit[RS_SESSION_MAX_METRICS][sizeof s->metric->unit];
    memset(name, 0, sizeof name);
    memset(unit, 0, sizeof unit);
    for (int i = 0; i < s->metrics; i++) {
        snprintf(name[i], sizeof name[i], "%s", s->metric[i].name);
        snprintf(unit[i], sizeof unit[i], "%s", s->metric[i].unit);
    }
    return rs_session_write_texts(file, group, "metric_names", name[0], sizeof name[0],
                                  s->metrics) &&
           rs_session_write_texts(file, group, "metric_units", unit[0], sizeof unit[0], s->metrics);
}

static bool write_attributes(hid_t file, const setup *s)
{
    hid_t g = rs_nsid_open_group(file, "/Session");
    bool ok = g >= 0 && rs_h5_set_text(file, "format", FORMAT) &&
              rs_h5_set_int(file, "format_version", FORMAT_VERSION) &&
              rs_h5_set_text(file, "program", "reshed " RESHED_VERSION) &&
              rs_h5_set_text(file, "orientation",
                             "NSID images: axis 0 is x, axis 1 is y upwards; Images: row 0 is the "
                             "bottom; row numbers in tables: row 0 is the top");
    for (size_t k = 0; ok && k < TEXTS; k++) ok = rs_h5_set_text(g, texts[k].name, text_of(s, k));
    rs_h5_close(g);
    g = -1;
    for (size_t k = 0; ok && k < NUMBERS; k++) {
        g = rs_nsid_open_group(file, numbers[k].group);
        ok = g >= 0 && (numbers[k].kind == NUMBER_DOUBLE
                            ? rs_h5_set_number(g, numbers[k].name, number_of(s, k))
                            : rs_h5_set_int(g, numbers[k].name, (int64_t)number_of(s, k)));
        rs_h5_close(g);
    }
    return ok;
}

static bool write_instrument(hid_t file, const setup *s)
{
    const rs_driver_caps *c = &s->caps;
    hid_t g = rs_nsid_open_group(file, instrument_group);
    bool ok = g >= 0 && rs_h5_set_text(g, "name", c->instrument);
    rs_h5_close(g);
    return ok &&
           rs_session_write_texts(file, instrument_group, "channels", c->channel[0],
                                  sizeof c->channel[0], c->channels) &&
           rs_session_write_texts(file, instrument_group, "channel_units", c->unit[0],
                                  sizeof c->unit[0], c->channels) &&
           write_options(file, "/Session/driver options", s->driver_option, s->driver_options) &&
           write_options(file, "/Session/settings", s->setting, s->settings);
}

reshed_status rs_session_write_setup(hid_t file, const setup *s, reshed_error *err)
{
    const double scan_size[2] = {s->frame.width, s->frame.height};
    const rs_spectroscopy *p = &s->spectroscopy;
    bool ok =
        write_identity(file, s) && write_attributes(file, s) && write_instrument(file, s) &&
        rs_session_write_doubles(file, be_group, "scan size", "m", scan_size, 2) &&
        rs_session_write_doubles(file, be_group, "frequency", "Hz", s->frequency, s->caps.bins) &&
        rs_session_write_doubles(file, spectroscopy_group, "vdc_waveform", "V", p->voltage,
                                 p->steps) &&
        rs_session_write_doubles(file, spectroscopy_group, "frequency", "Hz", s->spectrum_frequency,
                                 s->spectrum_bins) &&
        write_metrics(file, s, spectroscopy_group);
    return ok ? RESHED_OK
              : rs_h5_fail(err, RESHED_EIO, "cannot write the setup of the session", "");
}

/* -------------------------------------------------------------------------------------- reading */
/* A setup on its way out of a file. */
typedef struct reader {
    rs_h5_file *in;
    rs_session_block **kept;
    setup *to;
} reader;

/* A text attribute; "" when there is none. */
static reshed_status read_text(const reader *r, hid_t obj, const char *name, const char **out,
                               reshed_error *err)
{
    char buf[RS_SESSION_MAX_TEXT + 1];
    rs_h5_text(r->in, obj, name, buf, sizeof buf);
    *out = rs_session_keep_text(r->kept, buf);
    return *out ? RESHED_OK : rs_fail_nomem(err, "a text of the session", strlen(buf) + 1);
}

static reshed_status read_attributes(const reader *r, reshed_error *err)
{
    char format[32];
    double version = 0;
    reshed_status st = RESHED_OK;
    rs_h5_text(r->in, r->in->id, "format", format, sizeof format);
    rs_h5_number(r->in->id, "format_version", &version);
    if (strcmp(format, FORMAT) != 0)
        return rs_fail(err, RESHED_ECORRUPT, "not a session file|format '" FORMAT "'|'%s'", format);
    if (version != FORMAT_VERSION)
        return rs_fail(err, RESHED_EUNSUPPORTED, "version of the session file|%d|%g",
                       FORMAT_VERSION, version);
    hid_t g = rs_h5_object(r->in, "/Session", false);
    if (g < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the session", "/Session");
    for (size_t k = 0; st == RESHED_OK && k < TEXTS; k++)
        st = read_text(r, g, texts[k].name,
                       (const char **)(void *)((char *)r->to + texts[k].offset), err);
    rs_h5_close(g);
    for (size_t k = 0; st == RESHED_OK && k < NUMBERS; k++) {
        double v;
        g = rs_h5_object(r->in, numbers[k].group, false);
        if (g < 0 || !rs_h5_number(g, numbers[k].name, &v) || !set_number(r->to, k, v))
            st = rs_fail(err, RESHED_ECORRUPT, "'%s' of the session|a sane number|another|%s",
                         numbers[k].name, numbers[k].group);
        rs_h5_close(g);
    }
    return st;
}

static reshed_status read_options(const reader *r, const char *group, const rs_driver_option **out,
                                  int *n, reshed_error *err)
{
    H5O_info_t info;
    reshed_status st = RESHED_OK;
    hid_t g = rs_h5_object(r->in, group, false);
    if (g < 0 || H5Oget_info2(g, &info, H5O_INFO_NUM_ATTRS) < 0 ||
        info.num_attrs > RS_SESSION_MAX_SETTINGS)
        st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the settings", group);
    int count = st == RESHED_OK ? (int)info.num_attrs : 0;
    rs_driver_option *o = rs_session_keep(r->kept, (size_t)count, sizeof *o);
    if (st == RESHED_OK && !o) st = rs_fail_nomem(err, "the settings", sizeof *o);
    for (int i = 0; st == RESHED_OK && i < count; i++) {
        char name[256] = "";
        hid_t a = H5Aopen_by_idx(g, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, H5P_DEFAULT,
                                 H5P_DEFAULT);
        bool ok = a >= 0 && H5Aget_name(a, sizeof name, name) > 0;
        rs_h5_close(a);
        o[i].name = rs_session_keep_text(r->kept, name);
        if (!ok)
            st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot read a setting", group);
        else if (!o[i].name)
            st = rs_fail_nomem(err, "a setting", sizeof name);
        else
            st = read_text(r, g, name, &o[i].value, err);
    }
    rs_h5_close(g);
    if (st != RESHED_OK) return st;
    *out = o;
    *n = count;
    return RESHED_OK;
}

static reshed_status read_metrics(const reader *r, reshed_error *err)
{
    const int n = r->to->metrics;
    char name[RS_SESSION_MAX_METRICS][sizeof r->to->metric->name];
    char unit[RS_SESSION_MAX_METRICS][sizeof r->to->metric->unit];
    reshed_status st =
        rs_session_read_texts(r->in, "/BEPS/metric_names", name[0], sizeof name[0], n, err);
    if (st == RESHED_OK)
        st = rs_session_read_texts(r->in, "/BEPS/metric_units", unit[0], sizeof unit[0], n, err);
    rs_session_metric *m = rs_session_keep(r->kept, (size_t)n, sizeof *m);
    if (st == RESHED_OK && !m) st = rs_fail_nomem(err, "the metrics", (size_t)n * sizeof *m);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < n; i++) {
        memcpy(m[i].name, name[i], sizeof m[i].name);
        memcpy(m[i].unit, unit[i], sizeof m[i].unit);
    }
    r->to->metric = m;
    return RESHED_OK;
}

static reshed_status read_instrument(const reader *r, reshed_error *err)
{
    rs_driver_caps *c = &r->to->caps;
    hid_t g = rs_h5_object(r->in, instrument_group, false);
    if (g < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the instrument", "");
    rs_h5_text(r->in, g, "name", c->instrument, sizeof c->instrument);
    rs_h5_close(g);
    reshed_status st = rs_session_read_texts(r->in, "/Session/instrument/channels", c->channel[0],
                                             sizeof c->channel[0], c->channels, err);
    if (st == RESHED_OK)
        st = rs_session_read_texts(r->in, "/Session/instrument/channel_units", c->unit[0],
                                   sizeof c->unit[0], c->channels, err);
    return st;
}

reshed_status rs_session_read_setup(rs_h5_file *in, rs_session_block **kept, setup *p,
                                    reshed_error *err)
{
    const reader r = {.in = in, .kept = kept, .to = p};
    reshed_status st = read_attributes(&r, err);
    if (st == RESHED_OK) st = read_instrument(&r, err);
    if (st == RESHED_OK)
        st =
            read_options(&r, "/Session/driver options", &p->driver_option, &p->driver_options, err);
    if (st == RESHED_OK) st = read_options(&r, "/Session/settings", &p->setting, &p->settings, err);
    if (st == RESHED_OK)
        st = rs_session_read_doubles(in, kept, "/BE Parameters/frequency", p->caps.bins,
                                     &p->frequency, err);
    if (st == RESHED_OK)
        st = rs_session_read_doubles(in, kept, "/BEPS/vdc_waveform", p->spectroscopy.steps,
                                     &p->spectroscopy.voltage, err);
    if (st == RESHED_OK)
        st = rs_session_read_doubles(in, kept, "/BEPS/frequency", p->spectrum_bins,
                                     &p->spectrum_frequency, err);
    if (st == RESHED_OK) st = read_metrics(&r, err);
    if (st != RESHED_OK) return st;
    /* The numbers may be sane one by one and not together. */
    st = rs_session_check_setup(p, err);
    return st == RESHED_EINVAL
               ? rs_fail(err, RESHED_ECORRUPT, "the session's description contradicts itself")
               : st;
}
