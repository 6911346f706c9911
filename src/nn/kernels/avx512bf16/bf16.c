#include "nn/kernels/avx512bf16/vec.h"

#include "nn/kernels/body/declare_bf16.h"

#include "nn/kernels/body/bf16.h"
