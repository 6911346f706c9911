#include "nn/kernels/avx2/vec.h"

#include "nn/kernels/body/declare.h"

void rs_kernels_overlay__avx2(rs_kernels *k)
{
    RS_FILL_TABLE(k);
}
