/* stream.c - the public stream: infer/live.h under its public names, with every argument checked at
 * the door. */
#include "reshed.h"

#include "api/options.h"
#include "api/private.h"
#include "base/alloc.h"
#include "infer/live.h"

_Static_assert((int)RESHED_STREAM_FIXED == (int)RS_LIVE_FIXED &&
                   (int)RESHED_FRONT_REFLECT == (int)RS_FRONT_REFLECT &&
                   (int)RESHED_PREVIEW_OFF == (int)RS_PREVIEW_OFF &&
                   (int)RESHED_ROW_FINAL == (int)RS_ROW_FINAL,
               "the public values are those of infer/live.h");

struct reshed_stream {
    rs_live *live;
};

static rs_live_options inner_options(const reshed_stream_options *o)
{
    return (rs_live_options){.threads = o->threads,
                             .norm = (rs_live_norm)o->norm,
                             .lo = o->lo,
                             .hi = o->hi,
                             .front = (rs_front_kind)o->front,
                             .preview = (rs_preview)o->preview,
                             .budget = o->budget,
                             .clock = o->clock,
                             .clock_ctx = o->clock_ctx};
}

void reshed_stream_defaults(reshed_stream_options *o)
{
    rs_live_options in;
    rs_live_defaults(&in);
    *o = (reshed_stream_options){.size = sizeof *o,
                                 .threads = in.threads,
                                 .norm = (reshed_stream_norm)in.norm,
                                 .lo = in.lo,
                                 .hi = in.hi,
                                 .front = (reshed_front)in.front,
                                 .preview = (reshed_preview)in.preview,
                                 .budget = in.budget};
}

/* The options as infer/ has them, checked. */
static reshed_status take_options(const reshed_stream_options *options, rs_live_options *out,
                                  reshed_error *err)
{
    static const size_t known[] = {sizeof(reshed_stream_options)};
    reshed_stream_options o;
    reshed_stream_defaults(&o);
    reshed_status st = rs_api_options("reshed_stream", options, known, 1, &o, err);
    if (st != RESHED_OK) return st;
    *out = inner_options(&o);
    return rs_live_check(out, err);
}

reshed_status reshed_stream_check(const reshed_stream_options *options, reshed_error *err)
{
    rs_live_options in;
    if (!options) return rs_fail(err, RESHED_EINVAL, "options|not NULL|NULL");
    return take_options(options, &in, err);
}

typedef reshed_status create_fn(rs_ensemble *, int, int, const rs_live_options *, rs_live **,
                                reshed_error *);

static reshed_status create_sharing(rs_ensemble *e, int height, int width, const rs_live_options *o,
                                    rs_live **out, reshed_error *err)
{
    return rs_live_create(e, height, width, o, out, err);
}

static reshed_status create(create_fn *make, rs_ensemble *e, int height, int width,
                            const reshed_stream_options *options, reshed_stream **out,
                            reshed_error *err)
{
    rs_live_options in;
    if (!e || !out) return rs_fail(err, RESHED_EINVAL, "ensemble and result|not NULL|NULL");
    reshed_status st = take_options(options, &in, err);
    if (st != RESHED_OK) return st;
    reshed_stream *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a stream", sizeof *s);
    st = make(e, height, width, &in, &s->live, err);
    if (st != RESHED_OK) {
        rs_free(s);
        return st;
    }
    *out = s;
    return RESHED_OK;
}

reshed_status reshed_stream_create(const reshed_ensemble *e, int height, int width,
                                   const reshed_stream_options *options, reshed_stream **out,
                                   reshed_error *err)
{
    return create(create_sharing, e ? e->inner : NULL, height, width, options, out, err);
}

reshed_status reshed_stream_create_taking(reshed_ensemble *e, int height, int width,
                                          const reshed_stream_options *options, reshed_stream **out,
                                          reshed_error *err)
{
    return create(rs_live_create_taking, e ? e->inner : NULL, height, width, options, out, err);
}

void reshed_stream_free(reshed_stream *s)
{
    if (!s) return;
    rs_live_free(s->live);
    rs_free(s);
}

void reshed_stream_reset(reshed_stream *s)
{
    rs_live_reset(s->live);
}

reshed_status reshed_stream_push(reshed_stream *s, int first, int rows, const float *data,
                                 reshed_error *err)
{
    if (!s || !data) return rs_fail(err, RESHED_EINVAL, "stream and data|not NULL|NULL");
    return rs_live_push(s->live, first, rows, data, err);
}

reshed_status reshed_stream_work(reshed_stream *s, reshed_error *err)
{
    if (!s) return rs_fail(err, RESHED_EINVAL, "stream|not NULL|NULL");
    return rs_live_work(s->live, err);
}

reshed_status reshed_stream_finish(reshed_stream *s, reshed_error *err)
{
    if (!s) return rs_fail(err, RESHED_EINVAL, "stream|not NULL|NULL");
    return rs_live_finish(s->live, err);
}

void reshed_stream_get(const reshed_stream *s, reshed_stream_view *v)
{
    rs_live_view in;
    rs_live_get(s->live, &in);
    *v = (reshed_stream_view){.height = in.height,
                              .width = in.width,
                              .classes = in.classes,
                              .members = in.members,
                              .mean = in.mean,
                              .variance = in.variance,
                              .member = in.member,
                              .input = in.input,
                              .state = in.state,
                              .stale = in.stale,
                              .lag = in.lag,
                              .lo = in.lo,
                              .hi = in.hi,
                              .range_changes = in.range_changes,
                              .filled = in.filled,
                              .clipped = in.clipped};
}

void reshed_stream_field(const reshed_stream *s, int row, int *first, int *end)
{
    rs_live_field(s->live, row, first, end);
}

void reshed_stream_bytes(const reshed_stream *s, size_t *weights, size_t *state)
{
    rs_live_bytes(s->live, weights, state);
    *state += sizeof *s;
}
