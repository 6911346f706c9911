/* cycles.h - finds the pulses and the cycles in a list of voltages that says neither. */
#ifndef RS_BEPS_CYCLES_H
#define RS_BEPS_CYCLES_H

#include <stdbool.h>

#include "base/status.h"

/* Returns whether every second of the n voltages is the same, zero as a rule, and the others are
 * not: write pulses with a reading at rest after each, V, 0, V, 0, ... *first: the place of the first
 * pulse, 0 or 1. */
bool rs_pulses_find(const double *v, int n, int *first);

/* The whole cycles of a list of voltages. Cycles that repeat have one length; those that do not
 * (growing amplitudes, reversal curves) may each have their own. */
typedef struct rs_cycles {
    int cycles;  /* whole ones; 1 when there is no telling, and then all is one */
    int steps;   /* of the longest */
    int *begin;  /* [cycles] place of the first step of each; owned */
    int *length; /* [cycles]; owned */
    int rest;    /* voltages after the last whole cycle */
} rs_cycles;

/* v [n], n >= 1. In this order: the smallest period whose cycle is a loop (rs_sweep_create); the
 * smallest number of equally long cycles that each are a loop; cycles from one return to the start
 * voltage, after a way up and a way down, to the next. RESHED_ENOMEM only. */
reshed_status rs_cycles_find(const double *v, int n, rs_cycles *out, reshed_error *err);
void rs_cycles_clear(rs_cycles *c);

#endif
