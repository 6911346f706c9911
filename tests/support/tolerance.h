/* tolerance.h - the error bounds that tests share: a table for each room, each bound with its
 * reason. A bound that belongs to one case stands in that case. */
#ifndef RS_TESTS_SUPPORT_TOLERANCE_H
#define RS_TESTS_SUPPORT_TOLERANCE_H

/* ----------------------------------------------------------------------------------- every room */

/* Numbers of order one in double precision (eps 2e-16): after a few roundings, and after sums or
 * chains of up to a few thousand operations. */
#define TOL_ROUNDING 1e-15
#define TOL_DOUBLE 1e-12
/* Numbers of order one that pass through float32 (eps 6e-8), after a few roundings. */
#define TOL_FLOAT 1e-6

/* -------------------------------------------------------------------------- lengths (io, walls) */

/* Metres. The size of a pixel or the length of a wall, up to some 100 nm (doubles are 1e-23 apart
 * there), and a place or a path within some micrometres (4e-22 apart): room for a few hundred
 * roundings, and never more than a millionth of a picometre. */
#define TOL_PIXEL 1e-20
#define TOL_PLACE 1e-18

/* --------------------------------------------------------------------------------- loops (beps) */

/* Least squares on the 64 samples of a loop: rounding, enlarged by the condition of the normal
 * equations. */
#define TOL_LEAST_SQUARES 1e-9
/* Figures read off the nine-parameter function fitted to a loop without noise: its levels and
 * crossings of zero, where the optimiser stops within 2e-5 of the truth; integrals and crossings at
 * other levels, which add up the errors of several parameters; and the parameters themselves, of
 * which two widths are nearly exchangeable. */
#define TOL_LOOP_FIT 2e-5
#define TOL_LOOP_CURVE 1e-4
#define TOL_LOOP_PARAMETER 1e-3
/* Standard errors between two optimisers' results: far below anything that noise lets one see. */
#define TOL_OPTIMUM 1e-4

/* -------------------------------------------------------------------------------- networks (nn) */

/* Whole network against the double oracle, mean and variance of probabilities (the project's
 * numerical contract): im2col and direct sums are plain fp32 dot products; Winograd's transforms
 * amplify rounding by a small factor. */
#define TOL_NET_GEMM 1e-5
#define TOL_NET_DIRECT 1e-5
#define TOL_NET_WINOGRAD 2e-5

/* One kernel against the oracle, relative to the size of the operands: eps * sqrt(depth) is the
 * typical error of a sum, and 8 times that is never reached by chance. */
#define TOL_SUM(depth) (8 * 6e-8 * sqrt((double)(depth)))
/* F(4x4,3x3) and F(6x6,3x3) cost up to about 10 and 60 times the rounding of a direct sum. */
#define TOL_WINO4(depth) (10 * TOL_SUM(depth))
#define TOL_WINO6(depth) (60 * TOL_SUM(depth))

/* bf16 has eight bits of significand: rounding errs by at most 2^-8 of the number. */
#define TOL_BF16 (1.0 / 256)
/* A 3x3 convolution by F(4x4,3x3) with operands in bf16, on white noise (networks see smoother
 * things), relative to sqrt(depth) products of order one. The operands' errors, some 0.3 * 2^-8
 * each and two of them, add up as the products do, and the transforms enlarge them 5 times, 7 in
 * the worst pixel of a tile. Seen: standard deviation 3 * 2^-8, so 4.2 * 2^-8 there, and six of
 * those never happen by chance. */
#define TOL_WINO4_BF16 (25 * TOL_BF16)
/* Whole networks with bf16 operands against the oracle: the worst pixel, and the average over the
 * pixels, of the mean; the variance stays within the same bounds. Seen over twelve seeds of the
 * tests' random networks, whose probabilities change gently: 0.005 and 0.0015. */
#define TOL_NET_BF16 0.015
#define TOL_NET_BF16_AVERAGE 0.004
/* The same for the goldens: AtomAI's trained networks (seen: 0.032 and 0.003), and our small ones,
 * whose steep random weights make the most of any error (seen: 0.047 and 0.012). */
#define TOL_GOLDEN_BF16 0.1
#define TOL_GOLDEN_BF16_AVERAGE 0.025

#endif
