/* peers.h - other engines, run beside ours on the same weights, input and number of threads.
 *
 * Each is a script (benchmarks/peers/) that loads the ensemble, tries its configurations, keeps the
 * fastest, and then runs on request; so runs of ours and of theirs alternate, and whatever else the
 * machine does falls on all alike. Their time is the forward passes alone. */
#ifndef RS_BENCHMARKS_PEERS_H
#define RS_BENCHMARKS_PEERS_H

#include "base/os/child.h"
#include "benchmarks/measure.h"

enum { BENCH_PYTORCH, BENCH_ONNXRUNTIME, BENCH_PEERS };

typedef struct bench_peer {
    const char *key, *name; /* "pytorch", "PyTorch" */
    rs_child *child;        /* NULL: not running, `missing` says why */
    char missing[256];
    char version[32];
    char config[96];   /* the fastest of those tried */
    char tried[640];   /* all of them, with seconds a member */
    bench_times times; /* of the whole ensemble */
    double difference; /* largest between its members' probabilities and ours; NaN: unknown */
} bench_peer;

/* Paths. */
typedef struct bench_peers_options {
    const char *scripts; /* folder of the scripts: benchmarks/peers */
    const char *tools;   /* folder of export_onnx.py */
    const char *home;    /* folder of `make peers`: node_modules, and files of ours for a while */
    const char *python, *node;
    bool quiet; /* do not say on stderr what is being waited for */
} bench_peers_options;

/* Starts both on the ensemble in the file `weights`, for images of [height,width], and has them run
 * once. image [height,width] is normalised. A peer that cannot run is not an error: it says so in
 * `missing`. peers[BENCH_PEERS] is to be ended with bench_peers_end. */
reshed_status bench_peers_start(const bench_peers_options *o, const char *weights, int members,
                                const float *image, int height, int width, int threads,
                                bench_peer *peers, reshed_error *err);

/* One run of the whole ensemble, its time to peer->times. */
reshed_status bench_peer_run(bench_peer *peer, reshed_error *err);

/* Sets peer->difference from its last run; members [N,H,W,C] are our probabilities. */
reshed_status bench_peer_compare(bench_peer *peer, const bench_peers_options *o,
                                 const float *members, int n, int height, int width, int classes,
                                 reshed_error *err);

void bench_peers_end(bench_peer *peers);

/* Starts pieces_peer.py, which times single tasks of scikit-image and scipy (pieces.h). */
reshed_status bench_pieces_peer_start(const bench_peers_options *o, rs_child **out,
                                      reshed_error *err);

/* The value of a key in a flat JSON object of the scripts, whose strings hold neither quotes nor
 * backslashes. False, and *out unchanged, when there is none of that kind. */
bool bench_json_number(const char *json, const char *key, double *out);
bool bench_json_string(const char *json, const char *key, char *out, size_t n);

#endif
