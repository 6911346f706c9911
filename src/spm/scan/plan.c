#include "spm/scan/plan.h"

#include <string.h>

#include "base/alloc.h"

const char *const rs_scan_front_words[2] = {"zero", "reflect"};
const char *const rs_scan_preview_words[3] = {"fp32", "bf16", "off"};

void rs_scan_plan_defaults(rs_scan_plan *p)
{
    *p = (rs_scan_plan){.norm = "scanned"};
    rs_scan_settings_defaults(&p->settings);
    rs_live_defaults(&p->stream);
    p->stream.norm = RS_LIVE_SCANNED;
    rs_flow_default(&p->steps);
}

bool rs_scan_plan_given(const rs_scan_plan *p, const char *name)
{
    for (int i = 0; i < p->givens; i++)
        if (strcmp(p->given[i], name) == 0) return true;
    return false;
}

reshed_status rs_scan_plan_set_norm(rs_scan_plan *p, const char *text, reshed_error *err)
{
    static const struct {
        const char *word;
        rs_live_norm norm;
    } words[] = {
        {"robust", RS_LIVE_ROBUST}, {"scanned", RS_LIVE_SCANNED}, {"frame", RS_LIVE_FRAME}};
    const char *comma = strchr(text, ',');
    double lo, hi;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            p->stream.norm = words[i].norm;
            p->norm = text;
            return RESHED_OK;
        }
    if (!comma || !rs_number_parse(text, (size_t)(comma - text), &lo) ||
        !rs_number_parse(comma + 1, strlen(comma + 1), &hi))
        return rs_fail(err, RESHED_EINVAL, "norm|robust, scanned, frame or LO,HI|%s", text);
    p->stream.norm = RS_LIVE_FIXED;
    p->stream.lo = (float)lo;
    p->stream.hi = (float)hi;
    p->norm = text;
    return RESHED_OK;
}

void rs_scan_plan_texts(const rs_scan_plan *p, rs_scan_texts *t)
{
    int n;
    const rs_scan_field *f = rs_scan_fields(&n);
    rs_scan_settings s = p->settings;
    rs_scan_settings_settle(&s);
    for (t->n = 0; t->n < n; t->n++)
        t->setting[t->n] = (rs_driver_option){
            f[t->n].name, rs_number_format(t->value[t->n], rs_scan_get(&s, &f[t->n]))};
    t->setting[t->n++] = (rs_driver_option){"workflow", rs_flow_format(t->steps, &p->steps)};
    t->setting[t->n++] = (rs_driver_option){"norm", p->norm};
    t->setting[t->n++] = (rs_driver_option){"front", rs_scan_front_words[p->stream.front]};
    t->setting[t->n++] = (rs_driver_option){"preview", rs_scan_preview_words[p->stream.preview]};
    rs_regions_format(t->regions, p->region_x, p->region_y, p->regions);
    t->setting[t->n++] = (rs_driver_option){"regions", t->regions};
}

/* Steps, and the voltages of a list, which are the session's own waveform. */
static reshed_status take_steps(rs_scan_plan *p, const rs_session *s, reshed_error *err)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(s)->spectroscopy;
    const char *steps = rs_session_setting(s, "workflow");
    rs_flow_default(&p->steps);
    p->settings.list = loop->voltage;
    p->settings.listed = loop->steps;
    const reshed_status st = steps ? rs_flow_parse(steps, &p->steps, err) : RESHED_OK;
    if (st == RESHED_EINVAL && err) err->status = RESHED_ECORRUPT;
    return st == RESHED_EINVAL ? RESHED_ECORRUPT : st;
}

reshed_status rs_scan_plan_from_session(rs_scan_plan *p, const rs_session *s, reshed_error *err)
{
    int n;
    reshed_status st = RESHED_OK;
    const rs_scan_field *f = rs_scan_fields(&n);
    rs_scan_settings_unnamed(&p->settings);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const char *text = rs_session_setting(s, f[i].name);
        if (text) st = rs_scan_set(&p->settings, f[i].name, text, err);
    }
    if (st == RESHED_OK) st = take_steps(p, s, err);
    const char *norm = rs_session_setting(s, "norm");
    if (st == RESHED_OK && norm && rs_scan_plan_set_norm(p, norm, NULL) != RESHED_OK)
        st = rs_fail(err, RESHED_ECORRUPT, "setting norm|robust, scanned, frame or LO,HI|%s", norm);
    const char *front = rs_session_setting(s, "front"), *preview = rs_session_setting(s, "preview");
    for (int i = 0; front && i < 2; i++)
        if (strcmp(front, rs_scan_front_words[i]) == 0) p->stream.front = (rs_front_kind)i;
    for (int i = 0; preview && i < 3; i++)
        if (strcmp(preview, rs_scan_preview_words[i]) == 0) p->stream.preview = (rs_preview)i;
    return st;
}

static reshed_status check_loops(const rs_scan_settings *s, const rs_limits *limits,
                                 reshed_error *err)
{
    const size_t n = (size_t)rs_scan_steps(s);
    double *voltage = rs_alloc(n, sizeof *voltage);
    if (!voltage) return rs_fail_nomem(err, "a waveform", n);
    reshed_status st = rs_scan_waveform(s, voltage, err);
    if (st == RESHED_OK) {
        const rs_spectroscopy loop = rs_scan_spectroscopy(s, voltage);
        st = rs_limits_check_spectroscopy(limits, &loop, err);
    }
    rs_free(voltage);
    return st;
}

reshed_status rs_scan_plan_check(const rs_scan_plan *p, const rs_frame *frame,
                                 const rs_limits *limits, reshed_error *err)
{
    const rs_scan_settings *s = &p->settings;
    rs_frame f = *frame;
    reshed_status st = rs_flow_check_frame(&p->steps, frame->rows, err);
    if (st == RESHED_OK && (int)s->until != RS_SCAN_END && !rs_flow_choose_once(&p->steps))
        st = rs_fail(err, RESHED_EINVAL, "until|steps that choose points once|several times");
    for (int i = 0; st == RESHED_OK && i < p->regions; i++) {
        f.cx = p->region_x[i];
        f.cy = p->region_y[i];
        st = rs_limits_check_frame(limits, &f, err);
    }
    if (st == RESHED_OK) st = rs_limits_check_speed(limits, s->speed, err);
    if (st != RESHED_OK || s->voltage <= 0) return st;
    return check_loops(s, limits, err);
}
