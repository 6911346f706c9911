/* private.h - shared by the files of the public interface. */
#ifndef RS_API_PRIVATE_H
#define RS_API_PRIVATE_H

#include "infer/ensemble.h"

struct reshed_ensemble {
    rs_ensemble *inner;
};

#endif
