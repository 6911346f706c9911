/* declare_bf16.h - the names that a folder gives to the kernels of reduced precision. */
#include "nn/kernels/bf16.h"
#include "nn/kernels/kernels.h"

void RS_SUFFIX(rs_mac_bf16)(const rs_mac_bf16 *a);
void RS_SUFFIX(rs_wino_in4_bf16)(const rs_wino_in_bf16 *a);
void RS_SUFFIX(rs_round_bf16)(const float *x, size_t n, uint16_t *out);
