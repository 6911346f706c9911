/* disk.h - simulates a disk that fills up and machines that die, in those calls of base/os.h that
 * change a file. Counted are rs_os_write_at, rs_os_resize and rs_os_sync. */
#ifndef RS_TESTS_SUPPORT_DISK_H
#define RS_TESTS_SUPPORT_DISK_H

#include <stdbool.h>
#include <stdint.h>

typedef enum disk_fault {
    DISK_FINE,
    DISK_FULL,       /* writes (a half of their bytes is written) and syncs fail from then on */
    DISK_DIE,        /* the program ends before the call */
    DISK_DIE_HALF,   /* after a half of a write's bytes */
    DISK_BLOCKS,     /* that call does not come back for DISK_BLOCKED s; then all is well */
    DISK_POWER_FAILS /* the program ends, and of what was not synced any part is lost */
} disk_fault;

/* Sets the fault of the n-th call from now (0: the next). DISK_FINE: none, and all is well again.
 * seed: for DISK_POWER_FAILS, which must be asked for before the files are written. A program that
 * ends exits with DISK_EXIT. */
void disk_fail_at(long n, disk_fault fault, uint64_t seed);
#define DISK_EXIT 77
#define DISK_BLOCKED 4.0
/* Calls since the last disk_fail_at. */
long disk_calls(void);
/* Of rs_os_sync alone. */
long disk_syncs(void);
/* Lets rs_os_sync really wait for the disk, or not; off at first, which makes tests fast. */
void disk_real_sync(bool on);

#endif
