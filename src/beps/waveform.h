/* waveform.h - the DC voltage steps of band-excitation switching spectroscopy.
 *
 * A measurement writes a voltage, then reads the response with the voltage still on (on-field) or
 * back at the read voltage (off-field). rs_waveform holds the write voltages, one per step;
 * rs_waveform_interleave makes the sequence that the instrument applies.
 *
 * One cycle of the bipolar triangle with N steps, amplitude A, phase shift 0:
 *
 *      +A      .             Step i is at 4i/N quarters of the cycle, so it begins at 0 V going
 *            .   .           up, and the step back at 0 V belongs to the next cycle: the steps of
 *       0  .       .       . a cycle are half-open and a voltage is never written twice in a row.
 *                    .   .
 *      -A              .     Source: pycroscopy/BGlib be_utils, and the vector of real files. */
#ifndef RS_BEPS_WAVEFORM_H
#define RS_BEPS_WAVEFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* The longest waveform that is made or accepted, in steps. */
#define RS_WAVE_MAX_STEPS (1 << 24)

typedef enum rs_wave_kind {
    RS_WAVE_TRIANGLE = 0,
    RS_WAVE_FORC, /* first-order reversal curves: triangles whose ends move from cycle to cycle */
    RS_WAVE_USER  /* the caller's voltages */
} rs_wave_kind;

/* The rule for a number of steps that the quarters of the triangle cannot share evenly. BGlib
 * drops the remainder without a word: 66 steps asked for, 64 made. */
typedef enum rs_wave_rule {
    RS_WAVE_STRICT = 0, /* refuse, naming the nearest number that fits */
    RS_WAVE_SAMPLED,    /* exactly the steps asked for, on the continuous triangle; its peaks may
                           fall between two steps */
    RS_WAVE_BGLIB       /* BGlib's vector, lost steps and integer shifts included */
} rs_wave_rule;

typedef struct rs_wave_spec {
    rs_wave_kind kind;
    rs_wave_rule rule;
    double amplitude; /* V, of the triangle; not used by FORC and user waveforms */
    double offset;    /* V, added to the triangle */
    int steps;        /* in one cycle as it is applied, that is after the fraction is taken */
    int cycles;       /* repetitions of that cycle (for FORC: of each reversal curve) */
    double fraction;  /* of the full cycle that is applied: 1, 3/4, 1/2 or 1/4 */
    double phase;     /* the full cycle is delayed by this part of itself: 0, 1/4, 1/2 or 3/4 */
    /* FORC: the k-th of forc_cycles curves runs between high and low, which go linearly from
     * [0] (first curve) to [1] (last curve); the whole family is repeated forc_repeats times. */
    int forc_cycles, forc_repeats;
    double high[2], low[2]; /* V */
    /* User waveform: `cycles` repetitions of n_user voltages (borrowed). */
    const double *user; /* V */
    int n_user;
} rs_wave_spec;

typedef struct rs_waveform {
    int n;          /* write steps */
    double *v;      /* [n], V; owned (rs_waveform_clear) */
    int *cycle;     /* [n], the cycle (from 0) that a step belongs to; owned */
    int cycles;     /* cycles, FORC curves and repeats counted */
    int lost_steps; /* steps asked for and not made, over all cycles; 0 except with RS_WAVE_BGLIB */
} rs_waveform;

/* A full 64-step triangle of 1 V, one cycle, strict. */
void rs_wave_defaults(rs_wave_spec *spec);

/* RESHED_EINVAL with the reason when the waveform cannot be made as asked. */
reshed_status rs_wave_check(const rs_wave_spec *spec, reshed_error *err);

/* Clears nothing in *out beforehand: pass a zeroed or cleared struct. */
reshed_status rs_waveform_create(const rs_wave_spec *spec, rs_waveform *out, reshed_error *err);
void rs_waveform_clear(rs_waveform *w);

/* Which reads follow each written step. */
typedef enum rs_field {
    RS_FIELD_OFF = 0, /* the loops that most papers show: read at the read voltage */
    RS_FIELD_ON = 1,  /* read while the write voltage is applied */
    RS_FIELD_BOTH = 2 /* on-field first, then off-field */
} rs_field;

/* One row per reading or settling interval: the sequence write, read, write, read, ... Every
 * written step has two rows, even row on-field, odd row off-field, whatever is measured, because
 * the voltage takes both values anyway (BGlib's UDVS table). */
typedef struct rs_dc_row {
    double applied;  /* V at the tip in this row */
    double write;    /* V of the write step it belongs to: the loop's abscissa */
    int32_t step;    /* index into the waveform */
    uint8_t field;   /* RS_FIELD_ON or RS_FIELD_OFF */
    uint8_t measure; /* 1 when the response is recorded */
} rs_dc_row;

/* rows: [2*w->n], written whole. read_voltage in V (BGlib always writes 0 there). */
void rs_waveform_interleave(const rs_waveform *w, rs_field measured, double read_voltage,
                            rs_dc_row *rows);

/* Splits recorded readings in the order of the rows, on, off, on, off, ...: data [2*n] into
 * on [n] and off [n], each of which may be NULL. */
void rs_field_split(const double *data, int n, double *on, double *off);

/* The smallest period p <= n with v[i] == v[i-p] to 1e-9 of the largest |v|, n a multiple of p: the
 * steps of one cycle. n when the vector does not repeat. Needs n >= 1. */
int rs_waveform_period(const double *v, int n);

#endif
