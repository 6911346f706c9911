#include "nn/kernels/neon/vec.h"

#include "nn/kernels/body/declare.h"

#include "nn/kernels/body/peak.h"
