#include "nn/kernels/neon/vec.h"

#include "nn/kernels/body/declare.h"

void rs_kernels_overlay__neon(rs_kernels *k)
{
    RS_FILL_TABLE(k);
}
