/* quantity.h - what a channel shows, told from its name and unit. */
#ifndef RS_IO_COMMON_QUANTITY_H
#define RS_IO_COMMON_QUANTITY_H

#include <stdbool.h>

typedef enum rs_quantity {
    RS_QUANTITY_UNKNOWN, /* the name says nothing: "layer 2", "Channel_000", "wave0" */
    RS_QUANTITY_OTHER,   /* something known that is none of those below: heights, currents, ... */
    RS_QUANTITY_AMPLITUDE,
    RS_QUANTITY_PHASE,
    RS_QUANTITY_WALLS,        /* the probability of a wall, or a mask of walls */
    RS_QUANTITY_WALL_VARIANCE /* its uncertainty */
} rs_quantity;

/* A quantity and how sure it is: 4 by a name that means it ("Amplitude", "PFMAmp", "Height"), 3 by one
 * that means it unless another name of the channel says more ("R", "Magnitude", "Piezoresponse"), 2
 * by one that often does ("Response", "d33"), 1 by the unit alone. 0 with RS_QUANTITY_UNKNOWN. */
typedef struct rs_quantity_guess {
    rs_quantity quantity;
    int grade;
} rs_quantity_guess;

/* Names are taken apart into words ("NapAmp2Retrace": nap, amp, 2, retrace); letter case is that of
 * ASCII and never counts. */
rs_quantity_guess rs_quantity_of_name(const char *name);
/* pm, pm/V, V, ... are amplitudes; deg and rad are phases; other units than "" are RS_QUANTITY_OTHER
 * or, when they fit several quantities, RS_QUANTITY_UNKNOWN. */
rs_quantity_guess rs_quantity_of_unit(const char *unit);

/* Returns whether values in this unit are measured ones: volts, lengths, angles, ...; not "", "1" or
 * "a.u.". */
bool rs_unit_is_physical(const char *unit);

/* "amplitude", "phase", ...; never NULL. */
const char *rs_quantity_name(rs_quantity quantity);

#endif
