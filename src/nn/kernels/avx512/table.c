#include "nn/kernels/avx512/vec.h"

#include "nn/kernels/body/declare.h"

void rs_kernels_overlay__avx512(rs_kernels *k)
{
    RS_FILL_TABLE(k);
}
