/* tolerance.h - every error bound of the numerical tests, each with its reason. */
#ifndef RS_TESTS_TOLERANCE_H
#define RS_TESTS_TOLERANCE_H

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

#endif
