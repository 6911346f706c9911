/* npz.h - reads images of NumPy's archives (.npz). */
#ifndef RS_IO_NPZ_H
#define RS_IO_NPZ_H

#include "io/common/reader.h"

/* Each array is a channel, named without its ".npy"; whether it is an image shows when it is read. */
extern const rs_reader rs_npz_reader;

#endif
