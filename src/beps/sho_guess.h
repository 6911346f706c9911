/* sho_guess.h - parameters from a few bins in closed form, and what they tell about a data set. */
#ifndef RS_BEPS_SHO_GUESS_H
#define RS_BEPS_SHO_GUESS_H

#include <stdbool.h>

#include "beps/sho.h"

/* The "complex gaussian" guess of BGlib (be_sho.py, SHOestimateGuess): every pair of the five bins
 * of largest modulus determines the four parameters; the pairs are averaged with the weight 1/e^4,
 * e being their squared error over all bins. Exact on a noise-free spectrum. Conjugated data give
 * Q < 0 and the phase of the conjugate.
 *
 * frequency as rs_sho_check_axis wants it, spectrum[2n] interleaved; bins that are not finite are
 * left out. Returns false, with BGlib's fast guess (mean |y|/200, middle of the band, Q 200, phase
 * of the middle bin) in *p, when no pair gives a usable answer, the error is not well below the
 * spread of the spectrum, or the resonance is out of the band. */
bool rs_sho_guess(const double *frequency, const double *spectrum, int n, rs_sho *p);

/* Returns whether a data set looks complex conjugated (its demodulator had the other sign): the
 * guess's Q is then negative. Of the n_spectra spectra [n_spectra][2n] at most 100, evenly spread,
 * are guessed, and the majority decides; BGlib takes the mean of Q, which one wild value can turn.
 * Conjugated data are to be conjugated before the fit (rs_sho_options.conjugate): turning the sign
 * of Q alone would leave the phase with the wrong one. votes (may be NULL) receives the number of
 * usable guesses: 0 means undecided, answer false. */
bool rs_sho_conjugated_f32(const double *frequency, const float *spectra, int64_t n_spectra, int n,
                           int *votes);
bool rs_sho_conjugated_f64(const double *frequency, const double *spectra, int64_t n_spectra, int n,
                           int *votes);

#endif
