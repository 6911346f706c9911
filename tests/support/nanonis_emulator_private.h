/* nanonis_emulator_private.h - shared by the two files of the emulator only. */
#ifndef RS_TESTS_SUPPORT_NANONIS_EMULATOR_PRIVATE_H
#define RS_TESTS_SUPPORT_NANONIS_EMULATOR_PRIVATE_H

#include <pthread.h>

#include "support/nanonis_emulator_types.h"

#define EMU_MAX_BODY 65536

typedef struct emu_port_state {
    emulator *e;
    int index, listener, number;
    int connection; /* -1: none */
    pthread_t thread;
    uint8_t in[EMU_MAX_BODY], out[40 + EMU_MAX_BODY + 256];
} emu_port_state;

struct emu_private {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, release;
    emu_port_state ports[EMU_PORTS];
    float frame[16][2][EMU_SIDE * EMU_SIDE]; /* as grabbed */
};

/* The reply to a request with n bytes of body, header and all, into out[40 + EMU_MAX_BODY + 256];
 * its size, 0: none. Under the lock, which it may give away while it waits. */
int emu_answer(emulator *e, const char *name, const uint8_t *in, int n, emu_fault fault,
               uint8_t *out);
void emu_complain(emulator *e, const char *name, const char *what);
void emu_clear_frames(emulator *e);

#endif
