/* link.h - one connection to a Nanonis controller: sends a request and receives its reply.
 *
 * Late replies. The protocol answers each request once and in order, and has no way to take a
 * request back. So when the deadline of a call comes before the reply, the request stays owed: if
 * the same request is asked again and it acts or takes long, it is not sent a second time but
 * waited for further (a pulse is given once however often the caller has to come back for it);
 * otherwise the owed reply is first received and dropped. Only when nothing at all has come for
 * `patience` seconds beyond what the request may take does the link give up.
 *
 * Errors. RS_DRIVER_RETRY: not yet. RS_DRIVER_REFUSED: the instrument reports an error.
 * RS_DRIVER_LOST: the connection is closed, silent, or sends what is not this protocol; after that
 * the link is closed and stays so. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_LINK_H
#define RS_SPM_INSTRUMENT_NANONIS_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/os/socket.h"
#include "reshed_driver.h"
#include "spm/instrument/nanonis/wire.h"

/* Closed by halt: what moves the tip or changes a voltage is not sent any more through links that
 * have this gate. halt closes it, waits until no sender is inside, and knows then that nothing can
 * follow its own commands. */
typedef struct rs_nano_gate {
    atomic_bool closed;
    atomic_int senders;
} rs_nano_gate;

typedef struct rs_nano_link {
    rs_socket *socket;  /* NULL: closed */
    rs_nano_gate *gate; /* may be NULL */
    double patience;    /* s */
    uint8_t *buffer;    /* the reply, header first */
    size_t room, got;
    rs_nano_message owed; /* what it belongs to */
    bool is_owed;
    double owed_busy;
    double heard; /* when the request went out or the last bytes came */
} rs_nano_link;

/* Properties of a request that decide how long its reply is waited for. */
typedef struct rs_nano_wish {
    bool acts;    /* moves the tip or changes a voltage */
    size_t limit; /* bytes of its reply, 0: 64 KiB */
    double busy;  /* s that the instrument may take before it answers */
} rs_nano_wish;

/* Connects. link->gate and link->patience are set by the caller, the rest is zero. */
rs_driver_status rs_nano_link_open(rs_nano_link *link, const char *host, int port, double deadline,
                                   reshed_error *err);
void rs_nano_link_close(rs_nano_link *link);

/* wish may be NULL. The reply's body is valid until the next call. */
rs_driver_status rs_nano_ask(rs_nano_link *link, const rs_nano_message *m, const rs_nano_wish *wish,
                             double deadline, rs_nano_reply *reply, reshed_error *err);

/* The same for a reply of numbers (see rs_nano_read). */
rs_driver_status rs_nano_ask_numbers(rs_nano_link *link, const rs_nano_message *m,
                                     const rs_nano_wish *wish, const char *format, double *value,
                                     double deadline, reshed_error *err);

/* Several requests in one go: post sends n bytes, whole requests one after the other, through no gate,
 * and reads nothing; collect reads the replies afterwards, one for each request and in the same order,
 * none of which may have values. LOST when one does not come, in `patience` at the longest, or makes
 * no sense: the link stays open then, for the caller to close, since what follows cannot be
 * understood. Not to be mixed with ask before all replies are in. */
rs_driver_status rs_nano_post(rs_nano_link *link, const uint8_t *bytes, size_t n, double deadline,
                              reshed_error *err);
rs_driver_status rs_nano_collect(rs_nano_link *link, const rs_nano_message *m, double deadline,
                                 reshed_error *err);

/* The driver's answer when a reply could not be read. Closes the link where the bytes make no
 * sense. */
rs_driver_status rs_nano_judge(rs_nano_link *link, reshed_status status);

#endif
