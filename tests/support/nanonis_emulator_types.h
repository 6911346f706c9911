/* nanonis_emulator_types.h - the emulated instrument, its state and its faults, for
 * nanonis_emulator.h. */
#ifndef RS_TESTS_SUPPORT_NANONIS_EMULATOR_TYPES_H
#define RS_TESTS_SUPPORT_NANONIS_EMULATOR_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#define EMU_PORTS 4
#define EMU_SIGNALS 128
#define EMU_SIDE 64

typedef enum emu_fault {
    EMU_NO_FAULT,
    EMU_ERROR,         /* an error block and nothing before it */
    EMU_ERROR_VALUES,  /* the values, then an error block with a text */
    EMU_SIZE_HUGE,     /* a body size of nearly 2 GiB */
    EMU_SIZE_NEGATIVE, /* or below 0 */
    EMU_SIZE_INNER,    /* nonsense in the first number of the body */
    EMU_NAME,          /* the name of another command */
    EMU_SILENT,        /* no reply at all */
    EMU_CLOSE,         /* half a reply, then the connection is closed */
    EMU_LATE /* the reply comes when emu_release is called, or the scan or a move is stopped */
} emu_fault;

/* The instrument. Tests set it under emu_lock and read it by emu_state. */
typedef struct emulator {
    /* Behaviour. */
    bool trickle;        /* replies come byte by byte */
    bool keeps_buffer;   /* a new scan overwrites the old frame instead of clearing it */
    bool space_order;    /* grabbed frames have the top row first, else the first scanned */
    bool space_backward; /* backward rows from -x to +x, else as scanned */
    bool slots;          /* channels are numbered by slot: signal 3*slot */
    bool no_wait_line;   /* Scan.WaitEndOfLine is unknown */
    bool repeats_points; /* an MLS segment does not include its end */
    bool wrong_way;      /* grabbed frames say that they run the other way */
    int per_look;        /* half-lines scanned whenever the scan is looked at */
    int lines_become;    /* what Scan.BufferSet makes of the lines, 0: as asked */
    int lost_line;       /* line of the scan whose data never come, -1: none */
    int stop_at;         /* half-lines after which the scan ends by itself, 0: none */
    emu_fault fault;
    char fault_command[33];
    int fault_after; /* such requests that go well before it */
    int fault_count;
    bool disobeyed; /* EMU_ERROR has hit a command that makes it safe */

    /* State of the instrument. */
    float frame[5]; /* cx, cy, w, h, angle */
    float speed[6];
    int channels, channel[16], pixels, lines;
    uint32_t continuous, bouncy, autosave;
    char series[64], comment[64];
    bool running, paused, up;
    int done; /* half-lines of this scan */
    int scans;
    double x, y, tip_speed;
    float bias, largest_step, setpoint;
    int pulses;
    float pulse_width, pulse_volts;
    int pulse_hold, pulse_absolute;
    float modulation;
    bool modulated, z_on, approaching, spectroscopy_open, spectrum_running, moving;
    int approach_looks; /* looks at the approach until it is over */
    int withdrawals;
    int mls; /* segments, 0: linear */
    float mls_start[16], mls_end[16], mls_settle[16], mls_integrate[16];
    int mls_points[16];
    float limits[2], timing[8];
    int points, spectrum_channels, spectrum_channel[16];
    int props[3], advanced[4]; /* BiasSpectr.PropsSet: save all, sweeps, backward */

    /* Log of what has come. */
    int logged;
    struct {
        char name[33];
        int port;
    } log[4096];
    char complaint[128]; /* the first request that was not well formed */

    struct emu_private *private;
} emulator;

#endif
