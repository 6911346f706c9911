#include "imgproc/walls/length.h"

#include <math.h>

double rs_length_on(const rs_grid *grid, rs_length length)
{
    if (length.metres) return length.value;
    return length.value * sqrt(grid->dx) * sqrt(grid->dy);
}
