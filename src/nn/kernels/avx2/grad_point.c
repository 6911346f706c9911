#include "nn/kernels/avx2/vec.h"

#include "nn/kernels/body/declare.h"

#include "nn/kernels/body/grad_point.h"
