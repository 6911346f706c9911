#include "spectra/responses.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "base/text.h"
#include "beps/sho_fit.h"
#include "io/ibw.h"
#include "spectra/asylum.h"
#include "spectra/axes.h"
#include "spectra/fits.h"
#include "spectra/layout.h"
#include "spectra/pairs.h"
#include "spectra/session_loops.h"
#include "spectra/usid_loops.h"

/* The ways to loops with a sign, for messages. */
#define NSID_WAY "--amplitude and --phase name the two"
#define USID_WAY "as in the fits of Raw_Data-SHO_Fit"

/* Of an Igor wave: bytes that tell it, and the most that is read. */
#define WAVE_HEAD 384
#define WAVE_MAX ((size_t)1 << 30)

void rs_responses_clear(rs_responses *r)
{
    for (int f = 0; f < 2; f++) {
        rs_free(r->re[f]);
        rs_free(r->im[f]);
        rs_free(r->suspect[f]);
    }
    for (int i = 0; i < RS_NSID_MAX_DIMS; i++) rs_free(r->dim[i].values);
    rs_free(r->v);
    rs_free(r->row);
    rs_free(r->col);
    rs_free(r->wall);
    rs_free(r->kind);
    rs_free(r->x);
    rs_free(r->y);
    memset(r, 0, sizeof *r);
}

/* ------------------------------------------------------------------------------------- voltages */
static reshed_status voltages_from_array(rs_nsid_file *file, const char *path, rs_layout *l,
                                         reshed_error *err)
{
    rs_nsid_array a = {0};
    reshed_status st = rs_nsid_read_array(file, path, &a, err);
    if (st == RESHED_OK && a.is_complex)
        st = rs_fail(err, RESHED_ECORRUPT, "write voltages|real numbers|complex ones|%s", path);
    if (st == RESHED_OK) st = rs_layout_volts(l, a.data, (int64_t)a.count, path, err);
    rs_nsid_array_clear(&a);
    return st;
}

/* The fields and cycles that a USID file's spectroscopic values tell of each reading. */
static reshed_status usid_fields(rs_nsid_file *file, rs_layout *l, reshed_error *err)
{
    static const char *const paths[] = {"/Spectroscopic/Field", "/Spectroscopic/Cycle"};
    static void (*const take[])(rs_layout *, const double *, int64_t) = {rs_layout_fields,
                                                                         rs_layout_cycles};
    for (int k = 0; k < 2; k++) {
        rs_nsid_array a = {0};
        if (!rs_nsid_exists(file, paths[k])) continue;
        reshed_status st = rs_nsid_read_array(file, paths[k], &a, err);
        if (st != RESHED_OK) return st;
        if (!a.is_complex) take[k](l, a.data, (int64_t)a.count);
        rs_nsid_array_clear(&a);
    }
    return RESHED_OK;
}

static reshed_status triangle(const rs_responses_source *source, rs_layout *l, reshed_error *err)
{
    rs_wave_spec spec;
    rs_waveform w = {0};
    rs_wave_defaults(&spec);
    spec.amplitude = source->triangle;
    spec.cycles = source->cycles > 0 ? source->cycles : 1;
    spec.steps = (int)(l->positions / spec.cycles);
    reshed_status st = rs_waveform_create(&spec, &w, err);
    if (st == RESHED_OK) st = rs_layout_volts(l, w.v, w.n, "the triangle asked for", err);
    rs_waveform_clear(&w);
    return st;
}

static reshed_status find_voltages(rs_nsid_file *file, const rs_nsid_data *d,
                                   const rs_responses_source *source, rs_layout *l,
                                   reshed_error *err)
{
    static const char *const usual[] = {RS_AUTHOR_WAVEFORM, "/Spectroscopic/DC_Offset"};
    if (source->triangle > 0) return triangle(source, l, err);
    if (source->waveform && !file)
        return rs_fail(err, RESHED_EUNSUPPORTED, "a dataset of write voltages|an HDF5 file|a wave");
    if (source->waveform) return voltages_from_array(file, source->waveform, l, err);
    if (l->has_volts) return RESHED_OK;
    for (int k = 0; k < 2; k++) {
        if (!rs_nsid_exists(file, usual[k])) continue;
        reshed_status st = voltages_from_array(file, usual[k], l, err);
        return st == RESHED_OK && k == 1 ? usid_fields(file, l, err) : st;
    }
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "write voltages|an axis in V, '%s', --waveform or --triangle|none|%s", usual[0],
                   d->path);
}

/* The source of a data set: the file (NULL for a wave), and of USID its axes. */
typedef struct origin {
    rs_nsid_file *file;
    const rs_usid_data *usid;
} origin;

static reshed_status make_layout(const origin *from, const rs_nsid_data *d, bool quick_fit,
                                 const rs_responses_source *source, rs_layout *l, reshed_error *err)
{
    reshed_status st =
        rs_layout_begin(l, d->dim, d->ndim, quick_fit ? 1 : -1, source->single, d->path, err);
    const bool by_hand = source->triangle > 0 || source->waveform;
    if (st == RESHED_OK && from->usid && !by_hand)
        st = rs_usid_steps(&from->usid->spectral, d->path, l, err);
    else if (st == RESHED_OK)
        st = find_voltages(from->file, d, source, l, err);
    return st == RESHED_OK ? rs_layout_end(l, source->cycles, d->path, err) : st;
}

/* ---------------------------------------------------------------------------------- rearranging */
/* Copies component `part` of d (0: real, 1: imaginary), parameter `parameter` of a quick fit (-1:
 * of none), into to[field], [points][cycles*steps], for the fields whose pointer is not NULL. */
static void gather(const rs_nsid_data *d, rs_layout *l, int part, int64_t parameter,
                   double *const to[2])
{
    uint64_t width = d->is_complex ? 2 : 1;
    for (uint64_t e = 0; e < d->count; e++) {
        rs_layout_place p = rs_layout_next(l);
        bool wanted = p.at >= 0 && (parameter < 0 || p.parameter == parameter);
        if (wanted && to[p.field]) to[p.field][p.at] = d->data[e * width + (uint64_t)part];
    }
}

/* Voltages, steps and cycles, and which fields there are. */
static void take_steps(rs_layout *l, rs_responses *r)
{
    r->points = l->points;
    r->steps = l->steps;
    r->cycles = l->cycles;
    r->v = l->v;
    l->v = NULL;
    memcpy(r->has, l->has, sizeof r->has);
    rs_text_copy(r->note, sizeof r->note, l->note);
}

static reshed_status allocate_fields(rs_responses *r, reshed_error *err)
{
    size_t n = (size_t)r->points * (size_t)r->cycles * (size_t)r->steps;
    for (int f = 0; f < 2; f++) {
        if (!r->has[f]) continue;
        r->re[f] = rs_alloc(n, sizeof(double));
        if (r->is_complex) r->im[f] = rs_alloc(n, sizeof(double));
        if (!r->re[f] || (r->is_complex && !r->im[f]))
            return rs_fail_nomem(err, "the loops", n * sizeof(double));
        /* A shorter cycle than the longest has fewer readings. */
        for (size_t i = 0; i < n; i++) {
            r->re[f][i] = NAN;
            if (r->is_complex) r->im[f][i] = NAN;
        }
    }
    return RESHED_OK;
}

/* Amplitude in re and phase in im become the real and the imaginary part. */
static void from_polar(rs_responses *r, int degrees)
{
    size_t n = (size_t)r->points * (size_t)r->cycles * (size_t)r->steps;
    if (degrees < 0) {
        double top = 0;
        for (int f = 0; f < 2; f++)
            for (size_t i = 0; r->has[f] && i < n; i++)
                if (isfinite(r->im[f][i])) top = fmax(top, fabs(r->im[f][i]));
        degrees = top > 2 * RS_PI * 1.01;
    }
    for (int f = 0; f < 2; f++)
        for (size_t i = 0; r->has[f] && i < n; i++) {
            double a = r->re[f][i], p = r->im[f][i] * (degrees ? RS_DEGREE : 1);
            r->re[f][i] = a * cos(p);
            r->im[f][i] = a * sin(p);
        }
}

/* ------------------------------------------------------------------------------------ positions */
/* The axes of a map, whose coordinates move from d to r. */
static void take_axes(rs_nsid_data *d, const rs_layout *l, rs_responses *r)
{
    for (int i = 0; i < d->ndim; i++) {
        if (l->role[i] != RS_ROLE_POINT) continue;
        rs_nsid_dim *x = &r->dim[r->ndim++];
        *x = d->dim[i];
        d->dim[i].values = NULL;
        if (strcmp(x->type, "POINT_CLOUD") == 0 || !x->type[0]) strcpy(x->type, "SPATIAL");
    }
    if (r->ndim > 0) return;
    r->ndim = 1; /* a single loop is a list of one */
    rs_axis_name(&r->dim[0], "Point", "index", "a.u.", "SPATIAL", 1);
}

/* Coordinates [points] from an array of (2,points) or (points,2). */
static bool take_pairs(const rs_nsid_array *a, rs_responses *r)
{
    uint64_t n = (uint64_t)r->points;
    bool rows = a->ndim == 2 && a->dims[0] == 2 && a->dims[1] == n;
    bool columns = a->ndim == 2 && a->dims[0] == n && a->dims[1] == 2;
    if (a->is_complex || (!rows && !columns)) return false;
    for (uint64_t i = 0; i < n; i++) {
        r->x[i] = rows ? a->data[i] : a->data[2 * i];
        r->y[i] = rows ? a->data[n + i] : a->data[2 * i + 1];
    }
    return true;
}

/* Fills x and y from the axes r->x_axis and r->y_axis. */
static void take_grid(rs_responses *r)
{
    int64_t stride[RS_NSID_MAX_DIMS], step = 1;
    const rs_nsid_dim *x = &r->dim[r->x_axis], *y = &r->dim[r->y_axis];
    for (int i = r->ndim - 1; i >= 0; i--) {
        stride[i] = step;
        step *= r->dim[i].n;
    }
    for (int64_t p = 0; p < r->points; p++) {
        r->x[p] = x->values[p / stride[r->x_axis] % x->n];
        r->y[p] = y->values[p / stride[r->y_axis] % y->n];
    }
    rs_text_copy(r->position_units, sizeof r->position_units, x->units);
}

static reshed_status find_positions(const origin *from, rs_responses *r, reshed_error *err)
{
    rs_nsid_file *file = from->file;
    static const char *const pairs[] = {RS_AUTHOR_COORDINATES, "/Positions/coordinates"};
    size_t n = (size_t)r->points;
    r->x = rs_alloc(n, sizeof *r->x);
    r->y = rs_alloc(n, sizeof *r->y);
    if (!r->x || !r->y) return rs_fail_nomem(err, "positions", n * 2 * sizeof *r->x);
    r->on_axes = rs_axes_xy(r->dim, r->ndim, &r->x_axis, &r->y_axis);
    if (r->on_axes) {
        take_grid(r);
        return RESHED_OK;
    }
    if (from->usid && rs_usid_places(&from->usid->position, r->x, r->y, r->position_units,
                                     sizeof r->position_units))
        return RESHED_OK;
    for (int k = 0; k < 2; k++) {
        rs_nsid_array a = {0};
        if (!file || !rs_nsid_exists(file, pairs[k])) continue;
        reshed_status st = rs_nsid_read_array(file, pairs[k], &a, err);
        if (st != RESHED_OK) return st;
        bool taken = take_pairs(&a, r);
        rs_nsid_array_clear(&a);
        if (taken) return RESHED_OK;
    }
    rs_free(r->x);
    rs_free(r->y);
    r->x = r->y = NULL;
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------- bad spectra */

/* Takes the flags of the oscillator fits that the responses come from, of the shape of d. */
static reshed_status take_flags(const rs_nsid_data *flags, rs_layout *l, rs_responses *r,
                                reshed_error *err)
{
    const size_t n = (size_t)r->points * (size_t)r->cycles * (size_t)r->steps;
    for (int f = 0; f < 2; f++) {
        if (!r->has[f]) continue;
        r->suspect[f] = rs_zalloc(n, 1);
        if (!r->suspect[f]) return rs_fail_nomem(err, "flags of spectra", n);
    }
    for (uint64_t e = 0; e < flags->count; e++) {
        const rs_layout_place p = rs_layout_next(l);
        const double v = flags->data[e];
        if (p.at < 0 || !r->has[p.field] || !(v >= 0 && v < 1 << RS_SHO_FLAG_BITS)) continue;
        const unsigned bits = (unsigned)v;
        r->suspect[p.field][p.at] = (bits & RS_SHO_SUSPECT) != 0;
        if (bits & RS_SHO_FAILED) r->re[p.field][p.at] = r->im[p.field][p.at] = NAN;
    }
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- choosing */
static bool is_quick_fit(const rs_nsid_data *d)
{
    return d->ndim == 3 && d->dim[1].n == 4 && !d->is_complex && rs_text_contains(d->path, "quick");
}

/* The main dataset called exactly that, -1 when there is none. */
static int find_named(const rs_nsid_file *file, const char *name)
{
    for (int k = 0; k < rs_nsid_count(file); k++) {
        const rs_nsid_data *d = rs_nsid_info(file, k);
        if (strcmp(d->name, name) == 0 || strcmp(d->title, name) == 0) return k;
    }
    return -1;
}

/* The datasets that are read: the response, or the amplitude; the phase, or -1; phases of which either
 * would do, or -1. */
typedef struct choice {
    int first, second, rival[2];
} choice;

/* An amplitude alone has no sign: its loop is folded over, its area wrong by a factor. */
static reshed_status check_sign(const rs_nsid_data *d, const char *way, reshed_error *err)
{
    for (uint64_t i = 0; i < d->count; i++)
        if (d->data[i] < 0) return RESHED_OK;
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "loops|a phase beside the amplitude (%s; --unsigned takes the amplitude as it "
                   "is)|an amplitude alone|%s",
                   way, d->path);
}

static reshed_status check_choice(const rs_nsid_file *file, const choice *c, const rs_nsid_data *d,
                                  reshed_error *err)
{
    reshed_error alone;
    if (!rs_is_amplitude(file, c->first)) return RESHED_OK;
    if (c->rival[0] < 0) return check_sign(d, NSID_WAY, err);
    if (check_sign(d, NSID_WAY, &alone) == RESHED_OK) return RESHED_OK;
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "loops|one phase that goes with the amplitude (--amplitude and --phase name the "
                   "two)|'%.52s' and '%.52s'|%s",
                   rs_nsid_label(file, c->rival[0]), rs_nsid_label(file, c->rival[1]), d->path);
}

/* Has an axis of voltages that are enough for a loop. */
static bool has_steps(const rs_nsid_data *d)
{
    for (int i = 0; i < d->ndim; i++)
        if (rs_axis_volts(&d->dim[i]) > 0 && d->dim[i].n >= 8) return true;
    return false;
}

/* The first amplitude that has a phase, before all one that is called just that; -1: none. */
static int find_pair(const rs_nsid_file *file, const rs_pair *pair, bool with_steps)
{
    const int named = find_named(file, "Amplitude");
    for (int i = named < 0 ? 0 : -1; i < rs_nsid_count(file); i++) {
        const int k = i < 0 ? named : i;
        if (pair[k].phase >= 0 && (!with_steps || has_steps(rs_nsid_info(file, k)))) return k;
    }
    return -1;
}

/* Loops before images: a pair with voltages, a dataset with voltages (a phase last), any pair, the first
 * dataset. */
static int find_loops(const rs_nsid_file *file, const rs_pair *pair)
{
    int k = find_pair(file, pair, true);
    for (int phases = 0; phases < 2; phases++)
        for (int i = 0; k < 0 && i < rs_nsid_count(file); i++) {
            const rs_nsid_data *d = rs_nsid_info(file, i);
            if (is_quick_fit(d) || (has_steps(d) && rs_is_phase(file, i) == phases)) k = i;
        }
    if (k < 0) k = find_pair(file, pair, false);
    return k < 0 ? 0 : k;
}

static reshed_status choose(rs_nsid_file *file, const rs_responses_source *source, choice *c,
                            reshed_error *err)
{
    rs_pair *pair = NULL;
    reshed_status st = RESHED_OK;
    *c = (choice){0, -1, {-1, -1}};
    if (source->amplitude) {
        st = rs_nsid_find(file, source->amplitude, &c->first, err);
        return st == RESHED_OK ? rs_nsid_find(file, source->phase, &c->second, err) : st;
    }
    if (source->channel || rs_nsid_count(file) == 0) /* which says why there is none */
        st = rs_nsid_find(file, source->channel ? source->channel : "0", &c->first, err);
    if (st == RESHED_OK) st = rs_pairs_find(file, &pair, err);
    if (st != RESHED_OK) return st;
    if (!source->channel) c->first = find_loops(file, pair);
    c->second = pair[c->first].phase;
    memcpy(c->rival, pair[c->first].rival, sizeof c->rival);
    rs_free(pair);
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------------- file */
/* Into *r what d holds, with the phase of it and the flags of its fits when phase->data and flags->data
 * are there; path, units and axes of d. */
static reshed_status arrange(const origin *from, rs_nsid_data *d, const rs_nsid_data *phase,
                             const rs_nsid_data *flags, const rs_responses_source *source,
                             rs_responses *r, reshed_error *err)
{
    rs_layout l = {0};
    const bool polar = phase->data != NULL, quick = !polar && is_quick_fit(d);
    reshed_status st = make_layout(from, d, quick, source, &l, err);
    if (st != RESHED_OK) goto done;
    take_steps(&l, r);
    r->is_complex = d->is_complex || polar || quick;
    st = allocate_fields(r, err);
    if (st != RESHED_OK) goto done;
    gather(d, &l, 0, quick ? 0 : -1, r->re);
    if (d->is_complex) gather(d, &l, 1, -1, r->im);
    if (polar) gather(phase, &l, 0, -1, r->im);
    if (quick) gather(d, &l, 0, 3, r->im);
    if (polar || quick) {
        int degrees = source->degrees;
        if (degrees < 0 && rs_text_contains(phase->units, "deg")) degrees = 1;
        if (degrees < 0 && (quick || rs_text_contains(phase->units, "rad"))) degrees = 0;
        from_polar(r, degrees);
    }
    if (polar && flags && flags->data) st = take_flags(flags, &l, r, err);
    if (st != RESHED_OK) goto done;
    rs_text_copy(r->path, sizeof r->path, d->path);
    bool known = d->units[0] && strcmp(d->units, "generic") != 0 && !quick;
    rs_text_copy(r->units, sizeof r->units, known ? d->units : quick ? "V" : "a.u.");
    take_axes(d, &l, r);
    st = find_positions(from, r, err);
done:
    rs_layout_clear(&l);
    return st;
}

/* The flags beside the amplitudes d that `reshed-beps sho` wrote: number *k, or -1. */
static int find_flags(rs_nsid_file *file, const rs_nsid_data *d)
{
    double mask;
    const int k = find_named(file, "Flags");
    if (k < 0 || !rs_same_shape(rs_nsid_info(file, k), d) ||
        rs_nsid_get_number(file, RS_FITS_GROUP, "failed_mask", &mask, NULL) != RESHED_OK)
        return -1;
    return mask == RS_SHO_FAILED ? k : -1;
}

/* Two columns of a session's table of points, into a[points] and b[points] (b NULL: not wanted). */
static reshed_status take_columns(rs_nsid_file *file, const char *first, const char *second,
                                  int64_t points, double **a, double **b, reshed_error *err)
{
    const char *const word[2] = {first, second};
    const size_t n = (size_t)points;
    rs_nsid_array pairs = {0};
    reshed_status st = rs_nsid_read_members(file, "/Points/table", word, &pairs, err);
    if (st == RESHED_OK && pairs.count != (uint64_t)points)
        st = rs_fail(err, RESHED_ECORRUPT, "points|%lld|%llu|/Points/table", (long long)points,
                     (unsigned long long)pairs.count);
    if (st == RESHED_OK &&
        ((!*a && !(*a = rs_alloc(n, sizeof **a))) || (b && !*b && !(*b = rs_alloc(n, sizeof **b)))))
        st = rs_fail_nomem(err, "points", n * sizeof(double));
    for (size_t i = 0; st == RESHED_OK && i < n; i++) {
        (*a)[i] = pairs.data[2 * i];
        if (b) (*b)[i] = pairs.data[2 * i + 1];
    }
    rs_nsid_array_clear(&pairs);
    return st;
}

static reshed_status take_session(rs_nsid_file *file, rs_responses *r, reshed_error *err)
{
    char text[32] = "";
    r->of_session = true;
    rs_nsid_get_text(file, "/Session/settings", "drop_first", text, sizeof text, NULL);
    r->keep_first = strcmp(text, "0") == 0;
    rs_text_copy(r->position_units, sizeof r->position_units, "m");
    reshed_status st = take_columns(file, "row", "col", r->points, &r->row, &r->col, err);
    if (st == RESHED_OK) st = take_columns(file, "x", "y", r->points, &r->x, &r->y, err);
    if (st == RESHED_OK)
        st = take_columns(file, "wall", "kind", r->points, &r->wall, &r->kind, err);
    return st;
}

/* The loops of a session. */
static reshed_status read_session(rs_nsid_file *file, const rs_responses_source *source,
                                  rs_responses *r, reshed_error *err)
{
    rs_nsid_data d = {0}, phase = {0}, flags = {0};
    const origin from = {.file = file};
    reshed_status st = rs_session_loops_read(file, &d, &phase, &flags, err);
    if (st == RESHED_OK) st = arrange(&from, &d, &phase, &flags, source, r, err);
    if (st == RESHED_OK) st = take_session(file, r, err);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&phase);
    rs_nsid_data_clear(&flags);
    return st;
}

/* Another channel of a session is an image, or there is none of that name. */
static reshed_status refuse_of_session(rs_nsid_file *file, const char *channel, reshed_error *err)
{
    int k;
    const reshed_status st = rs_nsid_find(file, channel, &k, err);
    return st == RESHED_OK ? rs_session_loops_refuse(rs_nsid_info(file, k)->path, err) : st;
}

static reshed_status read_hdf5(rs_nsid_file *file, const rs_responses_source *source,
                               rs_responses *r, reshed_error *err)
{
    rs_nsid_data d = {0}, phase = {0}, flags = {0};
    choice c = {0, -1, {-1, -1}};
    if (rs_session_loops_are(file) && !source->amplitude) {
        if (rs_session_loops_meant(source->channel)) return read_session(file, source, r, err);
        return refuse_of_session(file, source->channel, err);
    }
    reshed_status st = choose(file, source, &c, err);
    if (st == RESHED_OK) st = rs_nsid_read(file, c.first, &d, err);
    if (st == RESHED_OK && c.second >= 0) st = rs_nsid_read(file, c.second, &phase, err);
    const int third = st == RESHED_OK && c.second >= 0 ? find_flags(file, &d) : -1;
    if (st == RESHED_OK && third >= 0) st = rs_nsid_read(file, third, &flags, err);
    if (st == RESHED_OK && c.second < 0 && !source->unsigned_too && !is_quick_fit(&d))
        st = check_choice(file, &c, &d, err);
    if (st == RESHED_OK && c.second >= 0 && !rs_same_shape(&d, &phase))
        st = rs_fail(err, RESHED_ECORRUPT, "amplitude and phase|real datasets of one shape||%s",
                     phase.path);
    for (int i = 0; st == RESHED_OK && d.is_complex && i < d.ndim; i++)
        if (rs_axis_is_frequency(&d.dim[i])) st = rs_fail_spectra(d.path, err);
    const origin from = {.file = file};
    if (st == RESHED_OK) st = arrange(&from, &d, &phase, &flags, source, r, err);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&phase);
    rs_nsid_data_clear(&flags);
    return st;
}

/* Parts amplitude and phase of pairs, which become one dataset each. */
static reshed_status part_pairs(rs_nsid_data *d, rs_nsid_data *phase, reshed_error *err)
{
    phase->data = rs_alloc((size_t)d->count, sizeof *phase->data);
    if (!phase->data)
        return rs_fail_nomem(err, "the phases", (size_t)d->count * sizeof *phase->data);
    for (uint64_t i = 0; i < d->count; i++) {
        phase->data[i] = d->data[2 * i + 1];
        d->data[i] = d->data[2 * i];
    }
    d->is_complex = false;
    phase->count = d->count;
    strcpy(phase->units, "rad");
    return RESHED_OK;
}

/* USID: BGlib's fits, or the dataset that is named. */
static reshed_status read_usid(rs_nsid_file *file, const char *path,
                               const rs_responses_source *source, rs_responses *r,
                               reshed_error *err)
{
    rs_usid_data u = {0};
    rs_nsid_data d = {0}, phase = {0};
    const origin from = {.file = file, .usid = &u};
    reshed_status st = rs_usid_read(file, path, &u, err);
    if (st == RESHED_OK) st = rs_usid_to_nsid(&u, &d, err);
    if (st == RESHED_OK && u.is_fit) st = part_pairs(&d, &phase, err);
    if (st == RESHED_OK && !u.is_fit && !d.is_complex && !source->unsigned_too &&
        rs_is_amplitude_named(u.path, u.quantity, u.units))
        st = check_sign(&d, USID_WAY, err);
    if (st == RESHED_OK) st = arrange(&from, &d, &phase, NULL, source, r, err);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&phase);
    rs_usid_data_clear(&u);
    return st;
}

/* Returns whether loops are to be read from a USID dataset, and its path: the named one, else fits, else
 * the raw data, which say why not. */
static bool is_usid(rs_nsid_file *file, const rs_responses_source *source, char *path, size_t n)
{
    if (rs_nsid_count(file) > 0 || source->amplitude) return false;
    if (source->channel) return rs_usid_find(file, source->channel, path, n);
    return rs_usid_find_fit(file, path, n) || rs_usid_find(file, NULL, path, n);
}

/* A wave of Asylum's. Where the bias is held without rest between, it was read while it was on. */
static reshed_status read_wave(const char *path, const rs_responses_source *source, rs_responses *r,
                               reshed_error *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    rs_ibw w;
    rs_nsid_data d = {0};
    const rs_nsid_data none = {0};
    const origin from = {0};
    rs_responses_source on = *source;
    on.single = RS_FIELD_ON;
    reshed_status st = rs_os_read_file(path, WAVE_MAX, &bytes, &len, err);
    if (st == RESHED_OK) st = rs_ibw_open_mem(bytes, len, &w, err);
    if (st == RESHED_OK)
        st = rs_asylum_loops(&w, source->amplitude ? source->amplitude : source->channel,
                             source->phase, source->degrees, &d, err);
    if (st == RESHED_OK) st = arrange(&from, &d, &none, NULL, &on, r, err);
    if (st == RESHED_OK && !r->has[RS_FIELD_OFF]) {
        const size_t used = strlen(r->note);
        snprintf(r->note + used, sizeof r->note - used, "%sread on-field: the bias is held",
                 used ? "; " : "");
    }
    rs_nsid_data_clear(&d);
    rs_free(bytes);
    return st;
}

reshed_status rs_responses_read(const char *path, const rs_responses_source *source,
                                rs_responses *out, reshed_error *err)
{
    rs_nsid_file *file = NULL;
    rs_responses r = {0};
    uint8_t head[WAVE_HEAD];
    size_t got = 0;
    reshed_status st = rs_os_read_head(path, head, sizeof head, &got, err);
    if (st != RESHED_OK) return st;
    if (rs_ibw_is(head, got)) {
        st = read_wave(path, source, &r, err);
    } else {
        st = rs_nsid_open(path, &file, err);
        if (st != RESHED_OK) return st;
        char path_in_file[256];
        st = is_usid(file, source, path_in_file, sizeof path_in_file)
                 ? read_usid(file, path_in_file, source, &r, err)
                 : read_hdf5(file, source, &r, err);
        st = rs_nsid_check(file, st, err);
        rs_nsid_close(file);
    }
    if (st == RESHED_OK)
        *out = r;
    else
        rs_responses_clear(&r);
    return st;
}
