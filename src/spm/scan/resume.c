#include "spm/scan/resume.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"

/* --------------------------------------------------------------------------------------- driver */

/* Appends as much as fits. */
static void append(char *buf, size_t room, const char *text)
{
    size_t n = strlen(buf);
    for (; *text && n + 1 < room; text++) {
        const unsigned char c = (unsigned char)*text;
        buf[n++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
    }
    buf[n] = '\0';
}

/* True when option i is the last one of its name. */
static bool counts(const rs_driver_option *option, int n, int i)
{
    for (int k = i + 1; k < n; k++)
        if (strcmp(option[k].name, option[i].name) == 0) return false;
    return true;
}

/* The option whose name comes next after `name` ("": the first), or -1. */
static int next_option(const rs_driver_option *option, int n, const char *name)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (counts(option, n, i) && strcmp(option[i].name, name) > 0 &&
            (best < 0 || strcmp(option[i].name, option[best].name) < 0))
            best = i;
    return best;
}

const char *rs_scan_driver_text(const char *driver, const rs_driver_option *option, int n,
                                char buf[RS_SCAN_DRIVER_TEXT])
{
    buf[0] = '\0';
    append(buf, RS_SCAN_DRIVER_TEXT, "--driver ");
    append(buf, RS_SCAN_DRIVER_TEXT, driver);
    for (int i = next_option(option, n, ""); i >= 0; i = next_option(option, n, option[i].name)) {
        append(buf, RS_SCAN_DRIVER_TEXT, " -d ");
        append(buf, RS_SCAN_DRIVER_TEXT, option[i].name);
        append(buf, RS_SCAN_DRIVER_TEXT, "=");
        append(buf, RS_SCAN_DRIVER_TEXT, option[i].value);
    }
    return buf;
}

/* Compares the options themselves: a text may be cut. */
static bool same_options(const rs_driver_option *a, int n, const rs_driver_option *b, int m)
{
    int i = next_option(a, n, ""), k = next_option(b, m, "");
    while (i >= 0 && k >= 0 && strcmp(a[i].name, b[k].name) == 0 &&
           strcmp(a[i].value, b[k].value) == 0) {
        i = next_option(a, n, a[i].name);
        k = next_option(b, m, b[k].name);
    }
    return i < 0 && k < 0;
}

reshed_status rs_scan_resume_check_driver(const rs_scan_plan *p, const rs_session_setup *setup,
                                          reshed_error *err)
{
    char want[RS_SCAN_DRIVER_TEXT], have[RS_SCAN_DRIVER_TEXT];
    if (p->driver && strcmp(p->driver, setup->driver) == 0 &&
        same_options(p->option, p->options, setup->driver_option, setup->driver_options))
        return RESHED_OK;
    rs_scan_driver_text(setup->driver, setup->driver_option, setup->driver_options, want);
    if (!p->driver)
        return rs_fail(err, RESHED_EINVAL,
                       "driver and options have to be typed again; the session says|%s|none", want);
    return rs_fail(err, RESHED_EINVAL, "driver and options|those of the session, %s|%s", want,
                   rs_scan_driver_text(p->driver, p->option, p->options, have));
}

/* ------------------------------------------------------------------------------------- settings */

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0) return true;
    return false;
}

/* A limit as a number: 0 means none. */
static double bound(double limit)
{
    return limit > 0 ? limit : INFINITY;
}

/* A setting that was typed against the session's. */
static reshed_status check_setting(const char *name, double was, double typed, reshed_error *err)
{
    static const char *const limits[] = {"max_bias", "max_drive", "max_speed", "max_step"};
    static const char *const any[] = {
        "speed",           "budget",     "drift_every", "line_timeout",     "queue",
        "reference_every", "sync_every", "alarm",       "reference_change", "end",
        "park_x",          "park_y",     "watch",       "disk_wait"};
    if (typed == was || is_one_of(name, any, sizeof any / sizeof *any)) return RESHED_OK;
    if (is_one_of(name, limits, sizeof limits / sizeof *limits)) {
        if (bound(typed) <= bound(was)) return RESHED_OK;
        return rs_fail(err, RESHED_EINVAL, "%s when a session is resumed|at most %g, as before|%g",
                       name, was, typed);
    }
    if (strcmp(name, "max_points") == 0) {
        if (typed <= was) return RESHED_OK;
        return rs_fail(err, RESHED_EINVAL, "%s when a session is resumed|at most %g, as before|%g",
                       name, was, typed);
    }
    return rs_fail(err, RESHED_EINVAL,
                   "%s cannot change when a session is resumed: what it holds was made so|%g|%g",
                   name, was, typed);
}

static void note_change(char *changes, size_t room, const char *name, double was, double now)
{
    char text[96];
    snprintf(text, sizeof text, "%s%s=%g (was %g)", changes[0] ? ", " : "", name, now, was);
    append(changes, room, text);
}

static reshed_status check_words(const rs_scan_plan *typed, const rs_scan_plan *p,
                                 reshed_error *err)
{
    if (rs_scan_plan_given(typed, "norm") && strcmp(typed->norm, p->norm) != 0)
        return rs_fail(err, RESHED_EINVAL, "norm when a session is resumed|%s|%s", p->norm,
                       typed->norm);
    if (rs_scan_plan_given(typed, "front") && typed->stream.front != p->stream.front)
        return rs_fail(err, RESHED_EINVAL, "front when a session is resumed|%s|%s",
                       rs_scan_front_words[p->stream.front],
                       rs_scan_front_words[typed->stream.front]);
    return RESHED_OK;
}

/* Steps and the voltages of a list that were typed must be the session's: points were chosen by them. */
static reshed_status check_steps(const rs_scan_plan *typed, const rs_scan_plan *p,
                                 reshed_error *err)
{
    char was[RS_STEPS_TEXT], now[RS_STEPS_TEXT];
    const rs_scan_settings *a = &p->settings, *b = &typed->settings;
    rs_flow_format(was, &p->steps);
    rs_flow_format(now, &typed->steps);
    if (rs_scan_plan_given(typed, "workflow") && strcmp(was, now) != 0)
        return rs_fail(err, RESHED_EINVAL, "steps when a session is resumed|%.200s|%.200s", was,
                       now);
    if ((int)a->shape != RS_SCAN_LIST || (int)b->shape != RS_SCAN_LIST) return RESHED_OK;
    bool same = a->listed == b->listed;
    for (int i = 0; same && i < a->listed; i++)
        same = fabs(a->list[i] - b->list[i]) <= 1e-9 * a->voltage;
    if (same) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "voltages when a session is resumed|its own|others");
}

/* What is typed comes before a step's own, as in a new run. What a file of steps has beside its steps' own
 * was not typed over these. */
static reshed_status take_over_steps(const rs_scan_plan *typed, rs_scan_plan *p,
                                     const rs_scan_field *f, char *changes, size_t room,
                                     reshed_error *err)
{
    const double now = rs_scan_get(&typed->settings, f);
    if (rs_scan_plan_given(typed, "workflow") && rs_flow_has_rule(&typed->steps, f->name))
        return RESHED_OK;
    for (int i = 0; i < p->steps.n; i++) {
        const rs_flow_step *t = &p->steps.step[i];
        for (int k = 0; k < t->rules; k++) {
            const double was = t->rule[k].value;
            if (strcmp(t->rule[k].field->name, f->name) != 0) continue;
            const reshed_status st = check_setting(f->name, was, now, err);
            if (st != RESHED_OK) return st;
            if (now != was) note_change(changes, room, f->name, was, now);
        }
    }
    rs_flow_drop(&p->steps, f->name);
    return RESHED_OK;
}

static reshed_status check_text(const char *what, const char *typed, const char *was,
                                reshed_error *err)
{
    if (!typed || strcmp(typed, was ? was : "") == 0) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s when a session is resumed|%s|%s", what, was ? was : "",
                   typed);
}

/* The loops that will be measured are the session's waveform: it must be the settings' own, since
 * those are what limits and people look at. A session without loops may have settings for them. */
static reshed_status check_waveform(const rs_scan_settings *s, const rs_session_setup *setup,
                                    reshed_error *err)
{
    const rs_spectroscopy *loop = &setup->spectroscopy;
    const int steps = rs_scan_steps(s);
    if (loop->steps == 0) return RESHED_OK;
    bool same = loop->steps == steps && loop->dwell == s->dwell && loop->settle == s->settle &&
                loop->read_bias == s->read_bias && (!loop->off_field || s->off_field != 0);
    double *voltage = same ? rs_alloc((size_t)steps, sizeof *voltage) : NULL;
    if (same && !voltage) return rs_fail_nomem(err, "a waveform", (size_t)steps);
    if (same) same = rs_scan_waveform(s, voltage, NULL) == RESHED_OK;
    for (int i = 0; same && i < steps; i++)
        same = fabs(voltage[i] - loop->voltage[i]) <= 1e-9 * s->voltage;
    rs_free(voltage);
    if (same) return RESHED_OK;
    return rs_fail(err, RESHED_ECORRUPT, "waveform of the session|the one of its settings|another");
}

/* The lines that will come are those of the session's excitation: it must be the settings' own, as
 * the waveform must. */
static reshed_status check_excitation(const rs_scan_settings *s, const rs_session_setup *setup,
                                      reshed_error *err)
{
    const rs_be_setup be = rs_scan_be(s);
    const int bins = setup->caps.bins;
    bool same =
        bins == 0 ||
        (setup->be.centre == be.centre && setup->be.band == be.band &&
         setup->be.amplitude == be.amplitude && setup->be.duration == be.duration &&
         setup->be.phase_variation == be.phase_variation && setup->be.repeats == be.repeats);
    for (int i = 0; same && i < bins; i++) {
        const double f = be.centre + (i - 0.5 * (bins - 1)) / be.duration;
        same = fabs(setup->frequency[i] - f) <= 1e-9 * be.centre;
    }
    if (same) return RESHED_OK;
    return rs_fail(err, RESHED_ECORRUPT,
                   "excitation of the session|the one of its settings|another");
}

/* Takes the session's further regions; those that were typed must be the same. */
static reshed_status take_regions(rs_scan_plan *p, const rs_session *s, reshed_error *err)
{
    char typed[RS_SCAN_REGIONS_TEXT];
    const char *was = rs_session_setting(s, "regions");
    if (!was) was = "";
    if (p->regions &&
        strcmp(rs_regions_format(typed, p->region_x, p->region_y, p->regions), was) != 0)
        return rs_fail(err, RESHED_EINVAL,
                       "further regions when a session is resumed|%.100s|%.100s",
                       *was ? was : "none", typed);
    const reshed_status st = rs_regions_parse(was, p->region_x, p->region_y, &p->regions, err);
    if (st == RESHED_EINVAL && err) err->status = RESHED_ECORRUPT;
    return st == RESHED_EINVAL ? RESHED_ECORRUPT : st;
}

/* The place that was typed is the first region's; a later one has its own from the list of regions. */
static bool is_elsewhere(const rs_session_setup *setup, const char *name)
{
    double number;
    return (strcmp(name, "x") == 0 || strcmp(name, "y") == 0) && setup->region &&
           rs_number_parse(setup->region, strlen(setup->region), &number) && number >= 2;
}

reshed_status rs_scan_resume_plan(rs_scan_plan *p, const rs_session *s, char *changes, size_t room,
                                  reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(s);
    rs_scan_plan typed = *p;
    char ignored[1] = "";
    int n;
    if (!changes) {
        changes = ignored;
        room = sizeof ignored;
    }
    changes[0] = '\0';
    const rs_scan_field *f = rs_scan_fields(&n);
    reshed_status st = rs_scan_plan_from_session(p, s, err);
    /* What follows from another setting ("auto") follows from the session's, unless that was typed as
     * well. */
    if (st == RESHED_OK && !rs_scan_plan_given(&typed, "every"))
        typed.settings.every = p->settings.every;
    rs_scan_settings_settle(&typed.settings);
    if (st == RESHED_OK) st = check_waveform(&p->settings, setup, err);
    if (st == RESHED_OK) st = check_excitation(&p->settings, setup, err);
    if (st == RESHED_OK) st = take_regions(p, s, err);
    if (st == RESHED_OK) st = check_words(&typed, p, err);
    for (int i = 0; st == RESHED_OK && i < n; i++)
        if (rs_scan_plan_given(&typed, f[i].name))
            st = take_over_steps(&typed, p, &f[i], changes, room, err);
    if (st == RESHED_OK) st = check_steps(&typed, p, err);
    if (st == RESHED_OK) st = check_text("sample", typed.sample, setup->sample, err);
    if (st == RESHED_OK)
        st = check_text("operator", typed.operator_name, setup->operator_name, err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if (!rs_scan_plan_given(&typed, f[i].name) || is_elsewhere(setup, f[i].name)) continue;
        const double was = rs_scan_get(&p->settings, &f[i]),
                     now = rs_scan_get(&typed.settings, &f[i]);
        /* Without band excitation the session's lines do not say what the drive was. */
        if (setup->caps.bins > 0 || strcmp(f[i].name, "be_amplitude") != 0)
            st = check_setting(f[i].name, was, now, err);
        if (st == RESHED_OK && now != was) {
            note_change(changes, room, f[i].name, was, now);
            memcpy((char *)&p->settings + f[i].offset, &now, sizeof now);
        }
    }
    if (st == RESHED_OK && rs_scan_plan_given(&typed, "preview"))
        p->stream.preview = typed.stream.preview;
    if (st == RESHED_OK && rs_scan_plan_given(&typed, "drift_every") &&
        p->settings.drift_every > 0 && setup->patch_rows == 0 && setup->spectroscopy.steps > 0)
        st = rs_fail(err, RESHED_EINVAL, "drift_every|0: the session has no room for patches|%g",
                     p->settings.drift_every);
    return st;
}

/* ----------------------------------------------------------------------------------- instrument */

static reshed_status another(reshed_error *err, const char *what, const char *was, const char *now)
{
    return rs_fail(err, RESHED_EINVAL, "%s when a session is resumed|%.120s|%.120s", what, was,
                   now);
}

static reshed_status check_caps(const rs_driver_caps *was, const rs_driver_caps *now,
                                reshed_error *err)
{
    char a[96], b[96];
    if (strcmp(was->instrument, now->instrument) != 0)
        return another(err, "instrument", was->instrument, now->instrument);
    for (int k = 0; k < was->channels && k < now->channels; k++) {
        snprintf(a, sizeof a, "%s in %s", was->channel[k], was->unit[k]);
        snprintf(b, sizeof b, "%s in %s", now->channel[k], now->unit[k]);
        if (strcmp(a, b) != 0) return another(err, "channel", a, b);
    }
    snprintf(a, sizeof a, "%d channels, %d bins%s%s", was->channels, was->bins,
             was->retrace ? ", retrace" : "", was->off_field ? ", off field" : "");
    snprintf(b, sizeof b, "%d channels, %d bins%s%s", now->channels, now->bins,
             now->retrace ? ", retrace" : "", now->off_field ? ", off field" : "");
    return strcmp(a, b) == 0 ? RESHED_OK : another(err, "lines", a, b);
}

/* A hundredth of a pixel: what an instrument's own numbers may lose on the way there and back. */
#define SAME_PLACE 0.01

static bool same_frame(const rs_frame *a, const rs_frame *b)
{
    const double dx = SAME_PLACE * a->width / a->cols, dy = SAME_PLACE * a->height / a->rows;
    return a->rows == b->rows && a->cols == b->cols && a->upward == b->upward &&
           fabs(a->cx - b->cx) <= dx && fabs(a->cy - b->cy) <= dy &&
           fabs(a->width - b->width) <= dx && fabs(a->height - b->height) <= dy &&
           fabs(a->angle - b->angle) * hypot(a->width, a->height) <= 2 * (dx < dy ? dx : dy) &&
           fabs(a->line_rate - b->line_rate) <= 1e-3 * a->line_rate;
}

static const char *frame_text(const rs_frame *f, char buf[160])
{
    snprintf(buf, 160, "%d x %d pixels, %.7g x %.7g m at (%.7g, %.7g), %.5g rad, %.5g lines/s%s",
             f->rows, f->cols, f->width, f->height, f->cx, f->cy, f->angle, f->line_rate,
             f->upward ? ", upward" : "");
    return buf;
}

reshed_status rs_scan_resume_check_instrument(const rs_session_setup *setup,
                                              const rs_driver_caps *caps, const rs_frame *frame,
                                              reshed_error *err)
{
    char was[160], now[160];
    const reshed_status st = check_caps(&setup->caps, caps, err);
    if (st != RESHED_OK || same_frame(&setup->frame, frame)) return st;
    return another(err, "frame", frame_text(&setup->frame, was), frame_text(frame, now));
}
