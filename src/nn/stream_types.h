/* stream_types.h - types that a stream's files and its users share: options, kinds of rows, counts
 * of work. */
#ifndef RS_NN_STREAM_TYPES_H
#define RS_NN_STREAM_TYPES_H

#include "nn/net.h"

typedef struct rs_stream rs_stream;

typedef enum rs_row_state {
    RS_ROW_UNSCANNED = 0,
    RS_ROW_PROVISIONAL, /* something within the receptive field is unscanned or has changed */
    RS_ROW_FINAL
} rs_row_state;

/* The arithmetic of provisional rows. */
typedef enum rs_preview {
    RS_PREVIEW_FP32 = 0,
    RS_PREVIEW_BF16, /* faster where there is AVX512_BF16; with the error of RS_BF16 */
    RS_PREVIEW_OFF   /* not at all: NaN until they are final */
} rs_preview;

typedef struct rs_stream_options {
    int threads; /* >= 1 */
    rs_isa isa;
    bool reflect; /* how unscanned rows look to the network: mirrored, or `blank` */
    rs_preview preview;
} rs_stream_options;

/* Work, over all members. */
typedef struct rs_stream_work_done {
    double macs;         /* multiply-adds of the 3x3 convolutions if they were done directly */
    double products;     /* those really done: fewer where Winograd's method was used */
    double weight_bytes; /* of packed 3x3 weights that passed from memory or cache */
    double rows_final, rows_front, rows_patch; /* of the map */
} rs_stream_work_done;

#endif
