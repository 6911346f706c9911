/* Where everything is in a session file. The same description makes the file and checks it when it
 * is opened. */
#include <stdio.h>
#include <string.h>

#include "spm/session/file.h"

#define MEASUREMENT "/Measurement_000"
/* Bytes that a chunk has at most: what one write of a line or a spectrum touches, and the default
 * size of the library's chunk cache. */
#define CHUNK_BYTES ((size_t)1 << 20)

static const char *const direction_name[2] = {"Trace", "Retrace"};

static const struct {
    const char *name, *quantity, *unit;
    const char *image; /* the author's name for it, or NULL */
} maps[RS_SESSION_MAPS] = {
    [RS_SESSION_AMPLITUDE] = {"Amplitude", "Amplitude", NULL, "Raw"},
    [RS_SESSION_FREQUENCY] = {"Frequency", "Resonance frequency", "Hz", NULL},
    [RS_SESSION_Q] = {"Q", "Quality factor", "1", NULL},
    [RS_SESSION_PHASE] = {"Phase", "Phase", "rad", NULL},
    [RS_SESSION_MEAN] = {"Wall_probability", "Wall probability", "1", "Prediction"},
    [RS_SESSION_VARIANCE] = {"Wall_variance", "Variance of the wall probability", "1",
                             "Uncertainty"},
};

static const struct {
    const char *name, *image;
} masks[RS_SESSION_MASKS] = {
    [RS_SESSION_BINARY] = {"Walls", "Binary Object"},
    [RS_SESSION_SKELETON] = {"Skeleton", "Skeletonize Object"},
};

static const struct {
    const char *name, *unit;
} series[SERIES_ITEMS] = {
    [SERIES_SPECTRA] = {"spectra", "V"},
    [SERIES_AMPLITUDE] = {"amplitude", NULL},
    [SERIES_PHASE] = {"phase", "rad"},
    [SERIES_SHO_AMPLITUDE] = {"sho_amplitude", NULL},
    [SERIES_SHO_FREQUENCY] = {"sho_frequency", "Hz"},
    [SERIES_SHO_Q] = {"sho_q", "1"},
    [SERIES_SHO_PHASE] = {"sho_phase", "rad"},
    [SERIES_RESPONSE] = {"response", NULL},
};

/* --------------------------------------------------------------------------------------- shapes */
static void set_path(rs_session_place *p, const char *group, const char *name)
{
    snprintf(p->path, sizeof p->path, "%s", group);
    snprintf(p->name, sizeof p->name, "%s", name);
    for (char *s = p->name; p->main && *s; s++) /* as rs_nsid_make_main does */
        if (*s == '-' || *s == '/') *s = '_';
}

/* Makes the chunk smaller until it has CHUNK_BYTES, the slowest axes first. */
static void limit_chunk(rs_session_place *p)
{
    size_t bytes = rs_session_cell_size(p->cell);
    for (int i = 0; i < p->ndim; i++) bytes *= (size_t)p->chunk[i];
    for (int i = 0; i < p->ndim; i++)
        while (bytes > CHUNK_BYTES && p->chunk[i] > 1) {
            bytes /= (size_t)p->chunk[i];
            p->chunk[i] = (p->chunk[i] + 1) / 2;
            bytes *= (size_t)p->chunk[i];
        }
}

/* A main dataset with the axes x, y (, frequency); a chunk has all of `lines` lines. */
static void set_main(rs_session_place *p, const rs_session_setup *s, const char *group,
                     const char *name, int bins, int lines)
{
    p->main = true;
    set_path(p, group, name);
    p->ndim = bins ? 3 : 2;
    p->dims[0] = p->chunk[0] = (hsize_t)s->frame.cols;
    p->dims[1] = (hsize_t)s->frame.rows;
    p->chunk[1] = (hsize_t)(lines < s->frame.rows ? lines : s->frame.rows);
    p->dims[2] = p->chunk[2] = (hsize_t)bins;
    limit_chunk(p);
}

/* The same image in the author's orientation: [rows][cols], the last row first. */
static void set_image(rs_session_place *p, const rs_session_setup *s, const char *name)
{
    set_path(p, "/Images", name);
    p->about = "[row, column]; row 0 is the bottom (-y) edge of the frame";
    p->ndim = 2;
    p->dims[0] = (hsize_t)s->frame.rows;
    p->dims[1] = p->chunk[1] = (hsize_t)s->frame.cols;
    p->chunk[0] = s->frame.rows < 8 ? (hsize_t)s->frame.rows : 8;
}

static void set_rows(rs_session_place *p, const rs_session_setup *s, const char *name)
{
    set_path(p, "/Lines", name);
    p->ndim = 1;
    p->dims[0] = (hsize_t)s->frame.rows;
    p->chunk[0] = s->frame.rows < 64 ? (hsize_t)s->frame.rows : 64;
}

/* A dataset that grows, `chunk` entries at a time, of a x b x c cells each (0: no such axis). */
static void set_growing(rs_session_place *p, const char *group, const char *name, int chunk, int a,
                        int b, int c)
{
    const int axis[3] = {a, b, c};
    set_path(p, group, name);
    p->grows = true;
    p->ndim = 1;
    p->chunk[0] = (hsize_t)chunk;
    for (int i = 0; i < 3 && axis[i]; i++) {
        p->dims[p->ndim] = p->chunk[p->ndim] = (hsize_t)axis[i];
        p->ndim++;
    }
    limit_chunk(p);
}

/* The unit of a map or of a series of loops: NULL is that of the amplitude. */
static void set_unit(rs_session_place *p, const rs_session_setup *s, const char *unit)
{
    const char *amplitude = s->amplitude_unit && s->amplitude_unit[0] ? s->amplitude_unit : "V";
    snprintf(p->unit, sizeof p->unit, "%s", unit ? unit : amplitude);
}

/* ---------------------------------------------------------------------------------------- items */
static bool channel_place(const rs_session_setup *s, int channel, int dir, rs_session_place *p)
{
    if (channel >= s->caps.channels || (dir && !s->caps.retrace)) return false;
    p->cell = CELL_F32;
    char group[64];
    snprintf(group, sizeof group, MEASUREMENT "/%s", direction_name[dir]);
    set_main(p, s, group, s->caps.channel[channel], 0, 8);
    snprintf(p->quantity, sizeof p->quantity, "%s", s->caps.channel[channel]);
    snprintf(p->unit, sizeof p->unit, "%s", s->caps.unit[channel]);
    return true;
}

static bool spectra_place(const rs_session_setup *s, int dir, rs_session_place *p)
{
    if (s->caps.bins == 0 || (dir && !s->caps.retrace)) return false;
    p->cell = CELL_C32;
    char group[64];
    snprintf(group, sizeof group, MEASUREMENT "/%s", direction_name[dir]);
    set_main(p, s, group, "BE_spectra", s->caps.bins, 1);
    strcpy(p->quantity, "Response");
    strcpy(p->unit, "V");
    return true;
}

static bool image_place(const rs_session_setup *s, int item, rs_session_place *p)
{
    if (item >= ITEM_IMAGE_MASK) {
        p->cell = CELL_U8;
        set_image(p, s, masks[item - ITEM_IMAGE_MASK].image);
        return true;
    }
    int map = item - ITEM_IMAGE;
    if (!maps[map].image) return false;
    p->cell = CELL_F32;
    set_unit(p, s, maps[map].unit);
    set_image(p, s, maps[map].image);
    return true;
}

static bool map_place(const rs_session_setup *s, int item, rs_session_place *p)
{
    bool mask = item >= ITEM_MASK;
    const char *name = mask ? masks[item - ITEM_MASK].name : maps[item - ITEM_MAP].name;
    p->cell = mask ? CELL_U8 : CELL_F32;
    set_main(p, s, MEASUREMENT "/Results", name, 0, 8);
    strcpy(p->quantity, mask ? name : maps[item - ITEM_MAP].quantity);
    set_unit(p, s, mask ? "1" : maps[item - ITEM_MAP].unit);
    return true;
}

static bool series_place(const rs_session_setup *s, int which, int kind, rs_session_place *p)
{
    int steps = s->spectroscopy.steps, fields = s->spectroscopy.off_field ? 2 : 1;
    const char *group = which == RS_SESSION_POINTS ? "/BEPS" : "/Reference loops";
    if (steps == 0 || (kind == SERIES_SPECTRA && s->spectrum_bins == 0)) return false;
    p->cell = kind == SERIES_SPECTRA ? CELL_C32 : CELL_F32;
    p->about = kind == SERIES_SPECTRA ? "[point, field, step, bin]; field 0 is on field"
                                      : "[point, field, step]; field 0 is on field";
    set_unit(p, s, series[kind].unit);
    if (kind == SERIES_SPECTRA)
        set_growing(p, group, series[kind].name, 1, fields, steps, s->spectrum_bins);
    else
        set_growing(p, group, series[kind].name, 16, fields, steps, 0);
    return true;
}

static bool metric_place(const rs_session_setup *s, int which, rs_session_place *p)
{
    if (s->spectroscopy.steps == 0 || s->metrics == 0) return false;
    p->cell = CELL_F64;
    p->about = "[point, metric]; metric_names and metric_units beside it";
    set_growing(p, which == RS_SESSION_POINTS ? "/BEPS" : "/Reference loops", "metrics", 16,
                s->metrics, 0, 0);
    return true;
}

static bool coordinates_place(int item, rs_session_place *p)
{
    static const char *const name[] = {"Target", "Rearange", "Convert", "Measure"};
    static const char *const about[] = {
        "x, y in the order of selection", "x, y in the order of measurement",
        "what the driver was asked for, in its units", "x, y where the tip was"};
    p->cell = CELL_F64;
    p->about = about[item - ITEM_TARGET];
    if (item != ITEM_CONVERT) strcpy(p->unit, "m");
    set_growing(p, "/Coordinates", name[item - ITEM_TARGET], 64, 2, 0, 0);
    return true;
}

static bool table_place(const rs_session_setup *s, int item, rs_session_place *p)
{
    switch (item) {
    case ITEM_POINTS: p->cell = CELL_POINT; break;
    case ITEM_REFERENCES: p->cell = CELL_REFERENCE; break;
    case ITEM_PATCHES: p->cell = CELL_PATCH; break;
    case ITEM_DRIFT: p->cell = CELL_DRIFT; break;
    default: p->cell = CELL_EVENT; break;
    }
    if (item == ITEM_POINTS)
        set_growing(p, "/Points", "table", 64, 0, 0, 0);
    else if (item == ITEM_REFERENCES)
        set_growing(p, "/Reference loops", "table", 64, 0, 0, 0);
    else if (item == ITEM_PATCHES)
        set_growing(p, "/Patches", "table", 64, 0, 0, 0);
    else
        set_growing(p, "/Log", item == ITEM_DRIFT ? "drift" : "events", 64, 0, 0, 0);
    return item != ITEM_PATCHES || s->patch_rows > 0;
}

static bool rows_place(const rs_session_setup *s, int item, rs_session_place *p)
{
    switch (item) {
    case ITEM_ARRIVAL_TRACE:
    case ITEM_ARRIVAL_RETRACE:
        p->cell = CELL_ARRIVAL;
        set_rows(p, s, direction_name[item - ITEM_ARRIVAL_TRACE]);
        return item == ITEM_ARRIVAL_TRACE || s->caps.retrace;
    case ITEM_PROCESSED:
        p->cell = CELL_PROCESSED;
        set_rows(p, s, "Processed");
        return true;
    default:
        p->cell = CELL_U8;
        p->about = "0 unscanned, 1 provisional, 2 final, 3 stale";
        set_rows(p, s, "State");
        return true;
    }
}

bool rs_session_place_of(const rs_session_setup *s, int item, rs_session_place *p)
{
    *p = (rs_session_place){0};
    if (item == ITEM_COMPLETE) {
        p->cell = CELL_U8;
        set_path(p, "/Session", "complete");
        p->ndim = 1;
        p->dims[0] = p->chunk[0] = 1;
        return true;
    }
    if (item < ITEM_CHANNEL_RETRACE) return channel_place(s, item - ITEM_CHANNEL_TRACE, 0, p);
    if (item < ITEM_SPECTRA_TRACE) return channel_place(s, item - ITEM_CHANNEL_RETRACE, 1, p);
    if (item < ITEM_ARRIVAL_TRACE) return spectra_place(s, item - ITEM_SPECTRA_TRACE, p);
    if (item < ITEM_MAP) return rows_place(s, item, p);
    if (item < ITEM_IMAGE) return map_place(s, item, p);
    if (item < ITEM_POINTS) return image_place(s, item, p);
    if (item >= ITEM_TARGET && item <= ITEM_MEASURE) return coordinates_place(item, p);
    if (item >= ITEM_SERIES && item < ITEM_PATCHES)
        return series_place(s, (item - ITEM_SERIES) / SERIES_ITEMS,
                            (item - ITEM_SERIES) % SERIES_ITEMS, p);
    if (item >= ITEM_METRIC) return metric_place(s, item - ITEM_METRIC, p);
    if (item == ITEM_PATCH_DATA) {
        if (s->patch_rows == 0) return false;
        p->cell = CELL_F32;
        p->about = "[patch, row, column]; row 0 is the top edge";
        set_growing(p, "/Patches", "amplitude", 1, s->patch_rows, s->patch_cols, 0);
        return true;
    }
    return table_place(s, item, p);
}
