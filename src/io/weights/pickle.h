/* pickle.h - reads Python pickles (protocols 2 to 5) as data: nothing in them is ever executed.
 *
 *     rs_pickle *p = NULL;
 *     st = rs_pickle_parse(bytes, n, SIZE_MAX, &p, err);
 *     if (st == RESHED_OK) {
 *         const rs_pkl *root = rs_pickle_root(p);
 *         const rs_pkl *name = rs_pkl_get(root, "model");
 *         if (rs_pkl_is(name, "ResHedNet")) ...
 *         rs_pickle_free(p);
 *     }
 */
#ifndef RS_IO_WEIGHTS_PICKLE_H
#define RS_IO_WEIGHTS_PICKLE_H

#include <stddef.h>

#include "base/status.h"
#include "io/weights/pickle_value.h"

typedef struct rs_pickle rs_pickle;

/* Parses data[len], which must outlive *out. Bytes that no pickler writes: RESHED_ECORRUPT; opcodes
 * of protocols 0 and 1, of extension registries and of out-of-band buffers: RESHED_EUNSUPPORTED.
 * Memory used is bounded by a fixed multiple of len, and by `most` bytes: values that take more are
 * RESHED_ECORRUPT, too. */
reshed_status rs_pickle_parse(const void *data, size_t len, size_t most, rs_pickle **out,
                              reshed_error *err);
/* Frees every value at once; p may be NULL. */
void rs_pickle_free(rs_pickle *p);
/* Borrowed, as are all values. */
const rs_pkl *rs_pickle_root(const rs_pickle *p);

#endif
