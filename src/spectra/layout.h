/* layout.h - the places of the readings of loops in a dataset: the axes that count points, cycles,
 * steps or fields, and the voltage and the field of each position along the steps.
 *
 *     rs_layout l = {0};
 *     st = rs_layout_begin(&l, dim, ndim, -1, RS_FIELD_OFF, path, err);
 *     if (st == RESHED_OK && !l.has_volts) st = rs_layout_volts(&l, v, n, path, err);
 *     if (st == RESHED_OK) st = rs_layout_end(&l, 0, path, err);
 *     for (...) place = rs_layout_next(&l);       // each element of the dataset, in its order
 *     rs_layout_clear(&l);
 *
 * Where the steps alternate between on-field and off-field readings they are split, and so they are
 * where the voltages alternate between pulses and rest. */
#ifndef RS_SPECTRA_LAYOUT_H
#define RS_SPECTRA_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/waveform.h"
#include "io/nsid/nsid.h"

typedef enum rs_axis_role {
    RS_ROLE_POINT,
    RS_ROLE_STEP,
    RS_ROLE_CYCLE,
    RS_ROLE_FIELD,
    RS_ROLE_PARAMETER
} rs_axis_role;

typedef struct rs_layout {
    int ndim;
    int64_t n[RS_NSID_MAX_DIMS]; /* of each axis */
    rs_axis_role role[RS_NSID_MAX_DIMS];
    int64_t points, outer_cycles; /* products of those axes */
    int64_t positions;            /* length of the step axis */
    int field_axis;               /* -1: none */
    uint8_t axis_field[2];        /* of the positions along that axis */
    bool has_volts;               /* the step axis holds them itself */
    double *volts;                /* [positions], V; owned */
    uint8_t *field;               /* [positions], of each reading; owned */
    int64_t *rank;                /* [positions], readings of the same field before it; owned */
    int64_t *place;   /* [readings of a field], among the whole cycles; -1: in none; owned */
    int inner_cycles; /* within the step axis, one field's readings; 0: by the voltages */
    /* By rs_layout_end: */
    bool has[2];                     /* fields there are: [RS_FIELD_OFF], [RS_FIELD_ON] */
    int64_t readings;                /* of one field along the steps */
    int steps, cycles;               /* steps*cycles: of one field in all */
    double *v;                       /* [cycles*steps], V; owned */
    char note[160];                  /* what was made of the voltages; "" when nothing special */
    int64_t index[RS_NSID_MAX_DIMS]; /* of the element that comes next */
} rs_layout;

/* The roles of the axes of the dataset at path. An axis of voltages is that of the steps, else the
 * last that is neither spatial nor of cycles or fields. parameter: an axis that counts the results
 * of a fit, -1 for none. single: the field of readings that do not say theirs. */
reshed_status rs_layout_begin(rs_layout *l, const rs_nsid_dim *dim, int ndim, int parameter,
                              rs_field single, const char *path, reshed_error *err);
/* The voltages from a list of n numbers: one for each position of the step axis, or one for every
 * two, which then are an on-field and an off-field reading. where: of the list, for messages. */
reshed_status rs_layout_volts(rs_layout *l, const double *v, int64_t n, const char *where,
                              reshed_error *err);
/* The field (not 0: on) and the number of the cycle of each position, as USID files tell them;
 * ignored when there are not as many as positions. */
void rs_layout_fields(rs_layout *l, const double *on, int64_t n);
void rs_layout_cycles(rs_layout *l, const double *cycle, int64_t n);
/* Steps and cycles; cycles: within the step axis, 0 when they are to be found (rs_cycles_find).
 * Readings after the last whole cycle have no place; a cycle shorter than the longest is filled up
 * with its last voltage, and readings that there are not. */
reshed_status rs_layout_end(rs_layout *l, int cycles, const char *path, reshed_error *err);
void rs_layout_clear(rs_layout *l);

/* The place of the next element of the dataset, the last axis running fastest: reading `at` of
 * field `field` in an array [points][cycles*steps]; at -1: it belongs nowhere. */
typedef struct rs_layout_place {
    int field;
    int64_t at, parameter;
} rs_layout_place;
rs_layout_place rs_layout_next(rs_layout *l);

#endif
