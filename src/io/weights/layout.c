#include "io/weights/layout.h"

#include <string.h>

/* IEEE binary16: sign bit 15, exponent bits 10-14 with bias 15, mantissa bits 0-9. */
static hid_t make_half(hid_t single)
{
    hid_t t = H5Tcopy(single);
    if (t >= 0 && (H5Tset_fields(t, 15, 10, 5, 0, 10) < 0 || H5Tset_size(t, 2) < 0 ||
                   H5Tset_ebias(t, 15) < 0)) {
        H5Tclose(t);
        return -1;
    }
    return t;
}

bool rs_weights_types_open(rs_weights_types *types)
{
    types->half_file = make_half(H5T_IEEE_F32LE);
    types->half_memory = make_half(H5T_NATIVE_FLOAT);
    return types->half_file >= 0 && types->half_memory >= 0;
}

void rs_weights_types_close(rs_weights_types *types)
{
    rs_h5_close(types->half_file);
    rs_h5_close(types->half_memory);
    types->half_file = types->half_memory = -1;
}

hid_t rs_weights_file_type(const rs_weights_types *types, rs_dtype dtype)
{
    switch (dtype) {
    case RS_F32: return H5T_IEEE_F32LE;
    case RS_F16: return types->half_file;
    case RS_F64: return H5T_IEEE_F64LE;
    case RS_I64: return H5T_STD_I64LE;
    }
    return -1;
}

hid_t rs_weights_memory_type(const rs_weights_types *types, rs_dtype dtype)
{
    switch (dtype) {
    case RS_F32: return H5T_NATIVE_FLOAT;
    case RS_F16: return types->half_memory;
    case RS_F64: return H5T_NATIVE_DOUBLE;
    case RS_I64: return H5T_NATIVE_INT64;
    }
    return -1;
}
