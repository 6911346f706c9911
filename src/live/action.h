/* action.h - the body of a POST becomes an order. */
#ifndef RS_LIVE_ACTION_H
#define RS_LIVE_ACTION_H

#include "spm/scan/helm.h"

/* *take: the action is for the server, not for the run. RESHED_EINVAL: not understood; the text says why. */
reshed_status rs_action_read(const char *text, size_t n, rs_order *out, bool *take,
                             reshed_error *err);

#endif
