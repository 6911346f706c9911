/* twin.h - the digital twin as an instrument: the film of twin/sample.h, scanned and measured by
 * the clock of sim.h, with the switching of twin/switching.h under the tip. Its options are in
 * the table's help text. */
#ifndef RS_SPM_INSTRUMENT_SIM_TWIN_H
#define RS_SPM_INSTRUMENT_SIM_TWIN_H

#include "reshed_driver.h"
#include "spm/twin/sample.h"
#include "spm/twin/switching.h"

const rs_driver_ops *rs_driver_twin_ops(void);

/* For the tests, and for what compares a measurement with the truth: the film behind an open twin
 * (borrowed), how its sites switch, and the place of the film that is under the stage position
 * (x, y) now: drift moves it, and so does an offset of the tip. */
const rs_twin_sample *rs_driver_twin_sample(void *self);
const rs_twin_switching *rs_driver_twin_switching(void *self);
void rs_driver_twin_place(void *self, double x, double y, double *film_x, double *film_y);
/* V of a spectrum per m of response at a drive of 1 V. */
double rs_driver_twin_sensitivity(void *self);

#endif
