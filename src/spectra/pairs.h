/* pairs.h - which amplitude and which phase of an NSID file were measured together. */
#ifndef RS_SPECTRA_PAIRS_H
#define RS_SPECTRA_PAIRS_H

#include <stdbool.h>

#include "io/nsid/nsid.h"

/* The phase of an amplitude: a number in the file, -1: none. Where several would do equally, phase is -1
 * and rival names two of them; else rival is -1. */
typedef struct rs_pair {
    int phase, rival[2];
} rs_pair;

/* Real datasets with the same length of every axis. */
bool rs_same_shape(const rs_nsid_data *a, const rs_nsid_data *b);
/* Main dataset k is a real amplitude by its names (what has a phase beside it, or no sign), or a phase. */
bool rs_is_amplitude(const rs_nsid_file *file, int k);
bool rs_is_phase(const rs_nsid_file *file, int k);
/* A real dataset of that name, quantity and unit that belongs to no list, as in USID. */
bool rs_is_amplitude_named(const char *path, const char *quantity, const char *units);

/* Fills *pairs with one for each main dataset (rs_free); what is no amplitude has no phase. Only phases
 * of the amplitude's shape count, and none of another number or of the other way (trace, retrace). They go together by the same path, else the same name, with the one
 * word for the other (letter case, blanks and underscores aside); else by the same number at the
 * end; else by the folder they share. What is alike in all that goes by the order in the file: one to one
 * where there are as many of both, else, of the same names, an amplitude with the next phase after it. A
 * phase goes with one amplitude only, the one that it fits best. */
reshed_status rs_pairs_find(const rs_nsid_file *file, rs_pair **pairs, reshed_error *err);

#endif
