#include "support/nsid_sample.h"

#include <string.h>

#include "base/os.h"
#include "support/support.h"

static double ramp[2 * 2 * 3 * 2 * 2 * 2];

rs_nsid_data nsid_sample(int ndim, bool is_complex)
{
    static double volts[3] = {-8.5, 0, 8.5};
    static const int64_t n[5] = {2, 2, 3, 2, 2};
    static const char *const names[5] = {"X", "Y", "Voltage", "Field", "Cycle"};
    rs_nsid_data d = {.ndim = ndim, .is_complex = is_complex, .data = ramp};
    for (size_t i = 0; i < sizeof ramp / sizeof *ramp; i++) ramp[i] = 0.25 * (double)i - 3;
    strcpy(d.name, "BEPS-run/1");
    strcpy(d.title, "loops");
    strcpy(d.quantity, "Piezoresponse");
    strcpy(d.units, "a.u.");
    strcpy(d.data_type, "SPECTRAL_IMAGE");
    strcpy(d.modality, "PFM");
    strcpy(d.source, "twin");
    for (int i = 0; i < ndim; i++) {
        d.dim[i].n = n[i];
        strcpy(d.dim[i].name, names[i]);
        strcpy(d.dim[i].quantity, i == 2 ? "Bias" : "Position");
        strcpy(d.dim[i].units, i == 2 ? "V" : "m");
        strcpy(d.dim[i].type, i == 2 ? "SPECTRAL" : "SPATIAL");
    }
    if (ndim > 2) d.dim[2].values = volts;
    return d;
}

void write_nsid(const char *path, const rs_nsid_data *d, rs_nsid_store store)
{
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    char where[256];
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    assert_ok(rs_nsid_add(w, "/Measurement_000/Channel_000/", d, store, where, sizeof where, &err),
              &err);
    assert_string_equal(where, "/Measurement_000/Channel_000/BEPS_run_1/BEPS_run_1");
    assert_false(rs_os_is_file(path));
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
}

rs_nsid_file *open_nsid(const char *path)
{
    reshed_error err = {0};
    rs_nsid_file *f = NULL;
    assert_ok(rs_nsid_open(path, &f, &err), &err);
    return f;
}
