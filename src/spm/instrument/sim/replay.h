/* replay.h - recorded images and loops as an instrument: gives them again line by line and point by
 * point, by the clock of sim.h. Its options are in the table's help text. */
#ifndef RS_SPM_INSTRUMENT_SIM_REPLAY_H
#define RS_SPM_INSTRUMENT_SIM_REPLAY_H

#include "reshed_driver.h"

const rs_driver_ops *rs_driver_replay_ops(void);

#endif
