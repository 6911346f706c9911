/* ensemble.h - N trained networks of one shape, read from a file and checked. */
#ifndef RS_INFER_ENSEMBLE_H
#define RS_INFER_ENSEMBLE_H

#include <stdbool.h>

#include "nn/net.h"

/* Immutable but for `taken`: any number of threads and plans may share it. */
typedef struct rs_ensemble {
    rs_model_file model;
    rs_arch arch;
    int radius; /* of the receptive field (rs_receptive_radius, rs_graph_radius) */
    bool taken; /* its tensors went into a plan: it answers questions, and makes no other */
} rs_ensemble;

/* Reads a reshed weights file (HDF5) or an AtomAI *_metadict.tar, found by its bytes, and checks
 * that every tensor of the architecture is there. *out: rs_ensemble_free. */
reshed_status rs_ensemble_load(const char *path, rs_ensemble **out, reshed_error *err);
/* The same of a model in memory; on success *model is moved into the ensemble and left zeroed. */
reshed_status rs_ensemble_of_model(rs_model_file *model, rs_ensemble **out, reshed_error *err);
void rs_ensemble_free(rs_ensemble *e);

/* RESHED_EINVAL when the tensors are gone. */
reshed_status rs_ensemble_check_there(const rs_ensemble *e, reshed_error *err);

/* Notes whether members have lost their tensors, also when packing failed half-way; NULL is
 * fine. */
void rs_ensemble_note_taken(rs_ensemble *e);

#endif
