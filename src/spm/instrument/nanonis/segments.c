#include "spm/instrument/nanonis/segments.h"

#include <math.h>

/* The longest piece that starts at voltage[0]. */
static int straight(const double *voltage, int n, double tolerance)
{
    int k = n < 2 ? n : 2;
    while (k < n && fabs(voltage[k] - (voltage[0] + k * (voltage[1] - voltage[0]))) <= tolerance)
        k++;
    return k;
}

int rs_nano_segments(const double *voltage, int n, rs_nano_segment *out, int room)
{
    double largest = 0;
    int count = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(voltage[i]));
    for (int i = 0; i < n; count++) {
        rs_nano_segment s = {i, straight(voltage + i, n - i, 1e-5 * largest)};
        i += s.points;
        /* Only the last piece can be a single point. */
        if (s.points == 1 && count > 0 && count <= room && out[count - 1].points > 2) {
            out[count - 1].points--;
            s.first--;
            s.points++;
        }
        if (count < room) out[count] = s;
    }
    return count;
}
