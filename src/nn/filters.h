/* filters.h - the tensors of a graph's filters: that a file has them all, and their folded weights. */
#ifndef RS_NN_FILTERS_H
#define RS_NN_FILTERS_H

#include "nn/graph.h"

/* Every member has every tensor of the architecture, with the right shape and finite values. */
reshed_status rs_net_check(const rs_model_file *m, reshed_error *err);

/* One convolution with its batch normalisation folded in (in double, rounded once). */
typedef struct rs_conv {
    int cin, cout, k;     /* k x k kernel: 1 or 3 */
    float *w;             /* [cout][cin][k][k]; owned */
    float *b;             /* [cout]; owned */
    float *scale, *shift; /* [cout]: normalisation after the activation, or NULL; owned */
} rs_conv;

/* Folded weights of one filter of a member that has passed rs_net_check; rs_conv_clear. cin is that of the
 * file, or rs_filter_inputs where two parts are joined. */
reshed_status rs_fold(const rs_tensors *t, const rs_filter *f, rs_conv *out, reshed_error *err);

void rs_conv_clear(rs_conv *c);

#endif
