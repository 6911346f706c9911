#include "nn/kernels/generic/vec.h"

#include "nn/kernels/body/declare.h"

void rs_kernels_overlay__generic(rs_kernels *k)
{
    RS_FILL_TABLE(k);
}
