/* reshed_private.h - what the files of the public interface share. */
#ifndef RESHED_PRIVATE_H
#define RESHED_PRIVATE_H

#include <stdbool.h>

#include "nn/plan.h"

struct reshed_ensemble {
    rs_model_file model;
    rs_arch arch;
    bool taken; /* the tensors went into a plan or a stream */
};

/* Notes which members have lost their tensors; NULL is fine. */
void reshed_note_taken(reshed_ensemble *e);

#endif
