#include "tools/scan/open.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/cli/find_weights.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/text.h"
#include "io/weights/model.h"
#include "spm/instrument/words.h"

/* ------------------------------------------------------------------------------------ settings */

enum { MAX_SETTINGS = 64 };

/* Every setting as text, for the session. */
typedef struct texts {
    rs_driver_option setting[MAX_SETTINGS];
    char value[MAX_SETTINGS][RS_NUMBER_TEXT];
    int n;
} texts;

static const char *const front_names[] = {"zero", "reflect"};
static const char *const preview_names[] = {"fp32", "bf16", "off"};

static void settings_to_text(const scan_options *o, texts *t)
{
    int n;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (t->n = 0; t->n < n; t->n++)
        t->setting[t->n] = (rs_driver_option){
            f[t->n].name, rs_number_format(t->value[t->n], rs_scan_get(&o->settings, &f[t->n]))};
    t->setting[t->n++] = (rs_driver_option){"norm", o->norm};
    t->setting[t->n++] = (rs_driver_option){"front", front_names[o->stream.front]};
    t->setting[t->n++] = (rs_driver_option){"preview", preview_names[o->stream.preview]};
}

reshed_status scan_settings_from_session(const rs_session *s, scan_options *o, reshed_error *err)
{
    int n;
    reshed_status st = RESHED_OK;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const char *text = rs_session_setting(s, f[i].name);
        if (text) st = rs_scan_set(&o->settings, f[i].name, text, err);
    }
    const char *norm = rs_session_setting(s, "norm");
    if (st == RESHED_OK && norm && !scan_parse_norm(norm, &o->stream))
        st = rs_fail(err, RESHED_ECORRUPT, "setting norm|robust, scanned, frame or LO,HI|%s", norm);
    if (norm) o->norm = norm;
    const char *front = rs_session_setting(s, "front"), *preview = rs_session_setting(s, "preview");
    if (front && strcmp(front, "reflect") == 0) o->stream.front = RS_FRONT_REFLECT;
    for (int i = 0; preview && i < 3; i++)
        if (strcmp(preview, preview_names[i]) == 0) o->stream.preview = (rs_preview)i;
    return st;
}

/* ------------------------------------------------------------------------------------- opening */

reshed_status scan_load_weights(scan_job *j, const char *wanted, reshed_error *err)
{
    if (!cli_find_weights(&scan_program, j->o->weights ? j->o->weights : wanted, j->weights,
                          sizeof j->weights))
        return rs_fail(err, RESHED_EINVAL, "weights|a file|none");
    j->where = j->weights;
    reshed_status st = rs_ensemble_load(j->weights, &j->ensemble, err);
    if (st == RESHED_OK) rs_model_file_digest(&j->ensemble->model, j->digest);
    if (st == RESHED_OK) j->where = NULL;
    return st;
}

reshed_status scan_driver_failed(rs_driver_status st, reshed_error *err)
{
    if (err->status == RESHED_OK) err->status = RESHED_EIO;
    if (st == RS_DRIVER_RETRY) err->status = RESHED_ETIMEOUT;
    return err->status;
}

/* The settings of the frame that were not given, from the instrument. */
static void adopt_frame(scan_job *j)
{
    rs_scan_settings *s = &j->o->settings;
    rs_frame f = {0};
    reshed_error ignored = {0};
    if (j->o->resume ||
        rs_instrument_get_frame(j->instrument, &f, SCAN_CALL, &ignored) != RS_DRIVER_OK ||
        f.rows < 16 || f.cols < 16 || !(f.width > 0) || !(f.height > 0))
        return;
    const struct {
        const char *name;
        double *setting, value;
    } a[] = {{"x", &s->x, f.cx},
             {"y", &s->y, f.cy},
             {"width", &s->width, f.width},
             {"height", &s->height, f.height},
             {"angle", &s->angle, f.angle},
             {"rows", &s->rows, f.rows},
             {"cols", &s->cols, f.cols},
             {"line_rate", &s->line_rate, f.line_rate},
             {"upward", &s->upward, f.upward}};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        if (!scan_given(j->o, a[i].name)) *a[i].setting = a[i].value;
}

/* Whether the instrument takes it. One that has none at all is no failure unless it was asked for.
 */
static reshed_status try_spectroscopy(scan_job *j, const rs_spectroscopy *sp, reshed_error *err)
{
    reshed_error why = {0};
    rs_driver_status st = RS_DRIVER_REFUSED;
    char text[512];
    if (rs_instrument_can_measure(j->instrument))
        st = rs_instrument_set_spectroscopy(j->instrument, sp, SCAN_CALL, &why);
    else
        rs_fail(&why, RESHED_EUNSUPPORTED, "spectroscopy||this driver has none");
    if (st == RS_DRIVER_OK) return RESHED_OK;
    if (st != RS_DRIVER_REFUSED || j->o->resume || scan_given(j->o, "voltage")) {
        *err = why;
        return scan_driver_failed(st, err);
    }
    if (!j->o->quiet)
        cli_warn(&scan_program, NULL, "no loops are measured: %s",
                 reshed_error_text(&why, text, sizeof text));
    j->o->settings.voltage = 0;
    return RESHED_OK;
}

/* Everything that would be refused later is refused now: other regions, points, voltages. */
static reshed_status check_plan(scan_job *j, reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    rs_frame f = j->frame;
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < j->o->regions; i++) {
        f.cx = j->o->region_x[i];
        f.cy = j->o->region_y[i];
        st = rs_limits_check_frame(rs_instrument_limits(j->instrument), &f, err);
    }
    if (st == RESHED_OK)
        st = rs_limits_check_speed(rs_instrument_limits(j->instrument), s->speed, err);
    if (st != RESHED_OK || s->voltage <= 0) return st;
    double *voltage = rs_alloc((size_t)rs_scan_steps(s), sizeof *voltage);
    if (!voltage) return rs_fail_nomem(err, "a waveform", (size_t)rs_scan_steps(s));
    st = rs_scan_waveform(s, voltage, err);
    if (st == RESHED_OK) {
        rs_spectroscopy sp = rs_scan_spectroscopy(s, voltage);
        if (!rs_instrument_caps(j->instrument)->off_field) sp.off_field = false;
        st = rs_limits_check_spectroscopy(rs_instrument_limits(j->instrument), &sp, err);
        if (st == RESHED_OK) st = try_spectroscopy(j, &sp, err);
    }
    rs_free(voltage);
    return st;
}

reshed_status scan_open_driver(scan_job *j, const char *name, const rs_driver_option *option, int n,
                               reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    const rs_limits limits = rs_scan_limits(s);
    rs_frame f;
    rs_driver_status st = rs_instrument_open(name, option, n, 30, &j->instrument, err);
    if (st != RS_DRIVER_OK) { /* a file that the driver reads is what to look at */
        const char *file = rs_driver_option_find(option, n, "file");
        j->where = file ? file : name;
        return scan_driver_failed(st, err);
    }
    adopt_frame(j);
    f = rs_scan_frame(s);
    if (rs_instrument_limit(j->instrument, &limits, err) != RESHED_OK) return err->status;
    if (!rs_instrument_can_scan(j->instrument))
        return rs_fail(err, RESHED_EUNSUPPORTED, "driver|one that scans|%s", name);
    if (rs_instrument_caps(j->instrument)->band_excitation && s->be_band > 0) {
        const rs_be_setup be = rs_scan_be(s);
        if ((st = rs_instrument_set_be(j->instrument, &be, SCAN_CALL, err)) != RS_DRIVER_OK)
            return scan_driver_failed(st, err);
    }
    if ((st = rs_instrument_set_frame(j->instrument, &f, SCAN_CALL, err)) != RS_DRIVER_OK)
        return scan_driver_failed(st, err);
    if ((st = rs_instrument_get_frame(j->instrument, &f, SCAN_CALL, err)) != RS_DRIVER_OK)
        return scan_driver_failed(st, err);
    j->frame = f;
    return check_plan(j, err);
}

reshed_status scan_make_stream(scan_job *j, int rows, int cols, reshed_error *err)
{
    reshed_status st =
        rs_live_create_taking(j->ensemble, rows, cols, &j->o->stream, &j->stream, err);
    return st;
}

void scan_name_files(scan_job *j, const char *path)
{
    char stem[4000];
    snprintf(j->path, sizeof j->path, "%s", path);
    snprintf(stem, sizeof stem, "%.*s", (int)rs_path_stem(path), path);
    j->report[0] = j->pictures[0] = '\0';
    if (!j->o->report)
        snprintf(j->report, sizeof j->report, "%s.html", stem);
    else if (strcmp(j->o->report, "none") != 0)
        snprintf(j->report, sizeof j->report, "%s", j->o->report);
    if (!j->o->pictures)
        snprintf(j->pictures, sizeof j->pictures, "%s", stem);
    else if (strcmp(j->o->pictures, "none") != 0)
        snprintf(j->pictures, sizeof j->pictures, "%s", j->o->pictures);
    snprintf(j->points_csv, sizeof j->points_csv, "%s_points.csv", stem);
}

reshed_status scan_create_session(scan_job *j, int region, reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    rs_session_metric *metric = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *metric);
    double *frequency =
        rs_zalloc((size_t)rs_instrument_caps(j->instrument)->bins + 1, sizeof *frequency);
    double *voltage = rs_zalloc((size_t)rs_scan_steps(s) + 1, sizeof *voltage);
    texts *t = rs_zalloc(1, sizeof *t);
    rs_session_setup setup;
    char start[32], name[32];
    const time_t now = time(NULL);
    reshed_status st = RESHED_OK;
    if (!metric || !frequency || !voltage || !t) st = rs_fail_nomem(err, "a session", sizeof *t);
    if (st == RESHED_OK)
        st = rs_region_setup(j->instrument, &j->frame, s, frequency, voltage, metric, &setup, err);
    if (st == RESHED_OK) {
        settings_to_text(j->o, t);
        strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
        snprintf(name, sizeof name, "%d", region + 1);
        setup.start_time = start;
        setup.region = name;
        setup.sample = j->o->sample;
        setup.operator_name = j->o->user;
        setup.program = "reshed-scan " RESHED_VERSION;
        setup.driver = j->o->driver;
        setup.driver_option = j->o->option;
        setup.driver_options = j->o->options;
        setup.setting = t->setting;
        setup.settings = t->n;
        setup.weights = j->weights;
        setup.weights_sha256 = j->digest;
        setup.norm = j->o->norm;
        j->where = j->path;
        st = rs_session_create(j->path, &setup, (int)s->sync_every, &j->session, err);
        if (st == RESHED_OK) j->where = NULL;
    }
    rs_free(metric);
    rs_free(frequency);
    rs_free(voltage);
    rs_free(t);
    return st;
}

reshed_status scan_resume_session(scan_job *j, reshed_error *err)
{
    j->where = j->path;
    reshed_status st = rs_session_resume(j->path, 1, &j->session, err);
    if (st == RESHED_OK) st = scan_settings_from_session(j->session, j->o, err);
    if (st != RESHED_OK) return st;
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    st = scan_load_weights(j, setup->weights, err);
    if (st == RESHED_OK && strcmp(j->digest, setup->weights_sha256) != 0)
        st = rs_fail(err, RESHED_EINVAL, "weights|those of the session, %.16s...|%.16s...",
                     setup->weights_sha256, j->digest);
    if (st == RESHED_OK)
        st = scan_open_driver(j, setup->driver, setup->driver_option, setup->driver_options, err);
    if (st == RESHED_OK &&
        (j->frame.rows != setup->frame.rows || j->frame.cols != setup->frame.cols))
        st = rs_fail(err, RESHED_EINVAL, "frame|%d x %d, as in the session|%d x %d",
                     setup->frame.rows, setup->frame.cols, j->frame.rows, j->frame.cols);
    return st;
}
