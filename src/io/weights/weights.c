#include "io/weights/weights.h"

#include <string.h>

#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/weights/torch.h"

reshed_status rs_weights_load(const char *path, rs_model_file *out, reshed_error *err)
{
    uint8_t head[512];
    size_t n = 0;
    reshed_status st = rs_os_read_head(path, head, sizeof head, &n, err);
    if (st != RESHED_OK) return st;
    if (n >= sizeof rs_h5_signature && memcmp(head, rs_h5_signature, sizeof rs_h5_signature) == 0)
        return rs_weights_read_h5(path, out, err);
    if (rs_torch_detect(head, n)) return rs_torch_read(path, out, err);
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "not a weights file|reshed's HDF5 or AtomAI's *_metadict.tar|%s",
                   n == 0 ? "an empty file"
                   : n >= 262 && memcmp(head + 257, "ustar", 5) == 0
                       ? "a POSIX tar archive (AtomAI's .tar is a torch ZIP file)"
                       : "other bytes");
}
