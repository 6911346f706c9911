#define _GNU_SOURCE
#include "support/scan_nanonis.h"

#include <signal.h>
#include <string.h>

#include "base/os.h"

const char *const nano_doing_names[NANO_DOINGS] = {"lines", "a move", "a spectrum"};

void nano_engage_by_hand(void)
{
    emu_lock(nano.emu);
    nano.emu->bias = 1.5f;
    nano.emu->z_on = nano.emu->modulated = true;
    nano.emu->modulation = 0.5f;
    emu_unlock(nano.emu);
}

void nano_arguments(char *args, const char *session, const char *more)
{
    snprintf(args, 4096,
             "-w weights/tiny8x4.h5 -j 1 --pictures none --report none --driver nanonis "
             "-d 'channel=LI Demod 1 R' -d ports=%d,%d,%d,%d -d modulator=1 -d silence=0.4 "
             "-d bias_max=5 -d drive_max=1 -s rows=32 -s cols=32 -s width=1e-6 -s height=1e-6 "
             "-s steps=16 -s cycles=1 -s voltage=3 -s drop_first=0 -s every=6 -s max_points=3 "
             "-s be_amplitude=0.5 -o %s %s",
             emu_port(nano.emu, 0), emu_port(nano.emu, 1), emu_port(nano.emu, 2),
             emu_port(nano.emu, 3), session, more);
}

bool nano_is_safe(const emulator *e)
{
    return e->bias == 0 && !e->modulated && !e->running && !e->moving && !e->spectrum_running;
}

void nano_wait_safe(bool tip_up, const char *what)
{
    const double until = rs_os_monotonic() + 30;
    for (;;) {
        const emulator *e = emu_state(nano.emu);
        if (nano_is_safe(e) && !(tip_up && e->z_on)) return;
        if (rs_os_monotonic() > until)
            fail_msg("%s: bias %g, drive %d, scan %d, move %d, spectrum %d, feedback %d", what,
                     (double)e->bias, e->modulated, e->running, e->moving, e->spectrum_running,
                     e->z_on);
        rs_os_sleep(0.02);
    }
}

void nano_wait_says(const char *words)
{
    char path[1024], text[8192];
    const double until = rs_os_monotonic() + 30;
    for (;;) {
        read_text(scan_temp(path, "err"), text, sizeof text);
        if (strstr(text, words)) return;
        if (rs_os_monotonic() > until) fail_msg("not '%s' but: %s", words, text);
        rs_os_sleep(0.02);
    }
}

pid_t nano_start_at(nano_doing what, const char *more, char *path)
{
    static int number;
    static const char *const command[] = {"Scan.FrameDataGrab", "FolMe.XYPosSet",
                                          "BiasSpectr.Start"};
    static const char list[] = "row,col\n10,10\n12,20\n";
    char args[4096], points[1024], all[2048], name[32];
    nano_engage_by_hand();
    test_write_file(scan_temp(points, "points.csv"), list, sizeof list - 1);
    snprintf(name, sizeof name, "run%d.h5", number++);
    scan_temp(path, name);
    snprintf(all, sizeof all, "--points %s -s drift_every=0 -s reference_every=0 %s", points, more);
    nano_arguments(args, path, all);
    if (what == NANO_LINES)
        SET(per_look, 0);
    else
        emu_set_fault(nano.emu, EMU_LATE, command[what], 1);
    const pid_t pid = scan_start(args);
    if (!emu_wait_for(nano.emu, command[what], what == NANO_LINES ? 3 : 1)) {
        char err[1024], text[4096];
        kill(pid, SIGKILL);
        read_text(scan_temp(err, "err"), text, sizeof text);
        fail_msg("%s: %s", nano_doing_names[what], text);
    }
    SET(bias, 2.5f); /* that only a halt takes away */
    return pid;
}

void nano_start_anew(void)
{
    emu_set_fault(nano.emu, EMU_NO_FAULT, "", 0);
    emu_release(nano.emu);
    emu_lock(nano.emu);
    nano.emu->per_look = 1;
    nano.emu->logged = 0;
    nano.emu->disobeyed = false;
    emu_unlock(nano.emu);
}
