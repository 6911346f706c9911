#include "nn/kernels/avx512/vec.h"

#include "nn/kernels/body/declare.h"

#include "nn/kernels/body/grad.h"
