/* nanonis_emulator.h - a small Nanonis for tests: four TCP ports, a scanner with an image on it, a
 * tip, a bias, a spectroscopy module, and the ways in which all that can fail.
 *
 * Its bytes are written and read by hand after the vendor's description, with none of the code that
 * is under test. Its time is not the clock's: a scan goes on when it is looked at, moves and
 * spectra are over at once or when the test says so. After emu_start it allocates nothing, so that
 * failing allocations hit the driver only. */
#ifndef RS_TESTS_SUPPORT_NANONIS_EMULATOR_H
#define RS_TESTS_SUPPORT_NANONIS_EMULATOR_H

#include "support/nanonis_emulator_types.h"

emulator *emu_start(void);
void emu_stop(emulator *e);
int emu_port(const emulator *e, int k);
void emu_lock(emulator *e);
void emu_unlock(emulator *e);
/* A copy of what it is now, valid until the next call. */
const emulator *emu_state(emulator *e);
/* The next `count` requests of that command fail so. */
void emu_set_fault(emulator *e, emu_fault fault, const char *command, int count);
/* The same, but after `after` of them have gone well; command "*": whichever it is. */
void emu_set_fault_after(emulator *e, emu_fault fault, const char *command, int after, int count);
/* Lets late replies go. */
void emu_release(emulator *e);
/* Waits until a command has come that often in all; false after a minute. */
bool emu_wait_for(emulator *e, const char *command, int times);
/* Number of times that the command has come. */
int emu_count(emulator *e, const char *command);
/* Closes all connections now. */
void emu_disconnect(emulator *e);

/* Pixel of scan number `scan` (from 1): row 0 at the top, column 0 at the left, whatever the
 * direction. */
float emu_pixel(int scan, int signal, bool backward, int row, int col);
/* Reading of a spectrum's point. */
float emu_reading(int signal, int point, float volts);
const char *emu_signal_name(int signal);

#endif
