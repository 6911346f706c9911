/* nanonis.h - a SPECS Nanonis controller over its TCP programming interface. What it uses,
 * what it assumes and what to try on an instrument: docs/nanonis.md. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_NANONIS_H
#define RS_SPM_INSTRUMENT_NANONIS_NANONIS_H

#include "reshed_driver.h"

const rs_driver_ops *rs_driver_nanonis(void);

#endif
