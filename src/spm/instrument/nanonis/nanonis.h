/* nanonis.h - a SPECS Nanonis controller over its TCP programming interface. docs/nanonis.md says
 * what it uses, what it assumes and what to try on an instrument. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_NANONIS_H
#define RS_SPM_INSTRUMENT_NANONIS_NANONIS_H

#include "reshed_driver.h"

const rs_driver_ops *rs_driver_nanonis(void);

#endif
