#include "io/unreadable.h"

#include <string.h>

#define GWYDDION "open it in Gwyddion and save it as .gwy or .gsf"

static const struct {
    size_t at, n;
    const char *magic;
    rs_unreadable kind;
} kinds[] = {
    {0, 8, "ONTMATRX", {"Omicron MATRIX", GWYDDION ", with its parameter file beside it"}},
    {0, 11, "Experiment\t", {"Nanonis spectroscopy (.dat)", "images are in the .sxm files"}},
    {0, 4, "\x01\xb0\x93\xff", {"NT-MDT", GWYDDION}},
    {0, 7, "UK SOFT", {"Molecular Imaging STP", GWYDDION}},
    {0, 8, "fileType", {"Molecular Imaging / Agilent MI", GWYDDION}},
    {0, 9, "[DataSet]", {"Nanosurf NID", GWYDDION}},
    {0, 10, "[Paramco32", {"Createc", GWYDDION}},
    {0, 11, "[Parameter]", {"Createc", GWYDDION}},
    {2, 12, "S\0T\0i\0M\0a\0g\0", {"RHK SM4", GWYDDION}},
    {0, 8, "STiMage ", {"RHK SM2", GWYDDION}},
    {0, 8, "Shimadzu", {"Shimadzu SPM", GWYDDION}},
    {0, 3, "CDF", {"NetCDF, as of GXSM", "export it from GXSM as HDF5 or NPY, or " GWYDDION}},
    {0, 4, "GWYO", {"Gwyddion 1", "save it anew with Gwyddion 2"}},
    {0, 10, "MATLAB 5.0", {"MATLAB before 7.3", "save it with save(..., '-v7.3')"}},
    {0, 3, "\xff\xd8\xff", {"JPEG", "its losses show as walls; take the data, or a PNG or TIFF"}},
    {0, 4, "GIF8", {"GIF", "take the data, or a PNG or TIFF"}},
    {0, 4, "%PDF", {"PDF", "take the data, or a PNG or TIFF"}},
    {0,
     4,
     "\xd0\xcf\x11\xe0",
     {"Microsoft compound document", "save the data as text, HDF5 or TIFF"}},
};

const rs_unreadable *rs_unreadable_find(const uint8_t *head, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= kinds[i].at + kinds[i].n &&
            memcmp(head + kinds[i].at, kinds[i].magic, kinds[i].n) == 0)
            return &kinds[i].kind;
    return NULL;
}
