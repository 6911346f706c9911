/* selftest.h - reshed-scan --self-test: tries a driver's calls and prints what came of each. */
#ifndef RS_TOOLS_SCAN_SELFTEST_H
#define RS_TOOLS_SCAN_SELFTEST_H

#include "tools/scan/options.h"

/* The exit status. */
int scan_self_test(const scan_options *o);

#endif
