/* pieces.h - the parts that the programs are made of, each measured alone.
 *
 * A piece is a row of a table: a function prepares its data, and says how much work one run is. To
 * add one, write such a function and its row in pieces_ROOM.c. */
#ifndef RS_BENCHMARKS_PIECES_H
#define RS_BENCHMARKS_PIECES_H

#include "base/os/child.h"
#include "benchmarks/measure.h"

/* The machine and the network that the pieces are measured with. */
typedef struct bench_env {
    const rs_kernels *kernels;
    int filters, size; /* of the network and of its image */
    uint64_t seed;
    size_t flush_bytes; /* written over between cold runs: BENCH_FLUSH_BYTES */
} bench_env;

#define BENCH_FLUSH_BYTES ((size_t)96 << 20) /* more than the caches of one core complex */

/* A piece ready to run. */
typedef struct bench_run {
    void (*run)(void *state);
    void *state;                  /* freed with rs_free */
    void (*release)(void *state); /* what else state owns; may be NULL */
    char shape[40];               /* "64 ch, 256 px" */
    double flops;                 /* of one run; 0: not counted */
    double bytes;                 /* read and written at least once in a run; 0: not counted */
    double items;                 /* of one run; 0: not counted */
    const char *item;             /* "tile", "pixel", "fit", ... */
    /* For pieces that a Python library also does: the task of benchmarks/peers/pieces_peer.py, and
     * a function that writes its input as .npy; NULL for others. */
    const char *task;
    reshed_status (*write_input)(const void *state, const char *path, reshed_error *err);
} bench_run;

typedef struct bench_piece {
    const char *room; /* "nn", "imgproc", ... */
    const char *name;
    /* Fills *out, which is zero; what it has put there is freed also when it fails. */
    reshed_status (*make)(const bench_env *env, const struct bench_piece *piece, bench_run *out,
                          reshed_error *err);
    int level, arg; /* for make: level of the network from 0, and what it likes */
} bench_piece;

/* The tables; *n pieces. */
const bench_piece *bench_pieces_nn(int *n);
const bench_piece *bench_pieces_imgproc(int *n);
const bench_piece *bench_pieces_beps(int *n);
const bench_piece *bench_pieces_spm(int *n);
const bench_piece *bench_pieces_train(int *n);

typedef struct bench_piece_result {
    const char *room, *name;
    char shape[40];
    double flops, bytes, items;
    const char *item;
    bench_summary hot;   /* processor seconds of a run right after others of its kind */
    bench_summary cold;  /* with all caches filled with something else before */
    char peer[64];       /* "scikit-image 0.19.3", "" without one */
    double peer_seconds; /* of one of its runs on the same input, processor time */
} bench_piece_result;

/* Measures the pieces whose "ROOM NAME" contains `only` ("" for all), on one thread: *out
 * [*n], rs_free. peer: a running pieces_peer.py, or NULL; input: where files for it may be put. */
reshed_status bench_pieces_measure(const bench_env *env, const char *only, rs_child *peer,
                                   const char *input, bench_piece_result **out, int *n,
                                   reshed_error *err);

#endif
