#include "io/common/units.h"

#include <stddef.h>
#include <string.h>

double rs_metres_per(const char *unit)
{
    static const struct {
        const char *name;
        double metres;
    } known[] = {
        {"m", 1},
        {"meter", 1},
        {"metre", 1},
        {"meters", 1},
        {"metres", 1},
        {"cm", 1e-2},
        {"mm", 1e-3},
        {"um", 1e-6},
        {"\xc2\xb5m", 1e-6}, /* micro sign */
        {"\xce\xbcm", 1e-6}, /* Greek mu */
        {"\xb5m", 1e-6},     /* micro sign in Latin-1 */
        {"micron", 1e-6},
        {"microns", 1e-6},
        {"nm", 1e-9},
        {"nanometer", 1e-9},
        {"pm", 1e-12},
        {"A", 1e-10},
        {"Angstrom", 1e-10},
        {"angstrom", 1e-10},
        {"\xc3\x85", 1e-10},     /* A with ring */
        {"\xe2\x84\xab", 1e-10}, /* the Angstrom sign */
        {"\xc5", 1e-10},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(unit, known[i].name) == 0) return known[i].metres;
    return 0;
}
