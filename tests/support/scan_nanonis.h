/* scan_nanonis.h - reshed-scan as a program against the nanonis emulator, whose own state is what
 * counts: its arguments, a run that is held at what it does, and whether the instrument is safe. */
#ifndef RS_TESTS_SUPPORT_SCAN_NANONIS_H
#define RS_TESTS_SUPPORT_SCAN_NANONIS_H

#include "support/nanonis_rig.h"
#include "support/scan_program.h"

/* An engaged tip with voltages on it: what only an end or a halt takes away. */
void nano_engage_by_hand(void);
/* The arguments of a run of 32 x 32 pixels against it, into args[4096]. */
void nano_arguments(char *args, const char *session, const char *more);

typedef enum nano_doing { NANO_LINES, NANO_MOVE, NANO_SPECTRUM, NANO_DOINGS } nano_doing;
extern const char *const nano_doing_names[NANO_DOINGS];
/* Starts a run (of a session of its own, path[1024]) and waits until it is at that, where the
 * emulator holds it. */
pid_t nano_start_at(nano_doing what, const char *more, char *path);
/* The emulator as a next run finds it. */
void nano_start_anew(void);

/* Bias 0, drive off, and nothing that was started goes on. */
bool nano_is_safe(const emulator *e);
/* Waits until it is, with the tip up if that is asked for; fails the test after half a minute. */
void nano_wait_safe(bool tip_up, const char *what);
/* Waits for these words on the program's standard error. */
void nano_wait_says(const char *words);

#endif
