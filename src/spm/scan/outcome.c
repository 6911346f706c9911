#include "spm/scan/outcome.h"

rs_outcome rs_outcome_of(rs_end end)
{
    return (rs_outcome){.end = end};
}

rs_outcome rs_outcome_status(reshed_status st, const reshed_error *err)
{
    if (st == RESHED_OK) return rs_outcome_of(RS_END_DONE);
    rs_outcome o = {.end = st == RESHED_EIO ? RS_END_DISK : RS_END_FAILED, .err = *err};
    o.err.status = st;
    return o;
}

static rs_end end_of(rs_driver_status st)
{
    switch (st) {
    case RS_DRIVER_OK: return RS_END_DONE;
    case RS_DRIVER_REFUSED: return RS_END_REFUSED;
    case RS_DRIVER_LOST: return RS_END_LOST;
    case RS_DRIVER_RETRY:
    case RS_DRIVER_LOST_LINE: break;
    }
    return RS_END_FAILED;
}

rs_outcome rs_outcome_driver(rs_driver_status st, const reshed_error *err)
{
    rs_outcome o = {.end = end_of(st), .driver = st};
    if (st == RS_DRIVER_OK) return o;
    o.err = *err;
    if (o.err.status == RESHED_OK) o.err.status = RESHED_EIO;
    if (st == RS_DRIVER_RETRY) o.err.status = RESHED_ETIMEOUT;
    return o;
}

rs_outcome rs_outcome_limits(reshed_status st, const reshed_error *err)
{
    return rs_outcome_driver(st == RESHED_OK ? RS_DRIVER_OK : RS_DRIVER_REFUSED, err);
}

bool rs_outcome_failed(const rs_outcome *o)
{
    return o->end >= RS_END_REFUSED;
}
