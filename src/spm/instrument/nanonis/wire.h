/* wire.h - messages of the Nanonis TCP programming interface, to and from bytes; no connection here
 * (nanonis/link.h). Source: SPECS, "Nanonis TCP Protocol", June 2024 (R13742).
 *
 *     request:  name[32]  i32 body size  u16 1 (answer wanted)  u16 0   arguments
 *     reply:    name[32]  i32 body size  u32 0                          values, then
 *                                                      u32 error, i32 text size, text
 *
 * All numbers are big-endian. A string is its i32 size and its bytes. An array of strings is its
 * size in bytes, its number of elements, and the strings. Numbers are named by a letter each:
 *
 *     H u16   I u32   i i32   f f32   d f64
 *
 *     rs_nano_message m;
 *     rs_nano_request(&m, "FolMe.XYPosSet", "ddI", (double[]){10e-9, 15e-9, 1});
 *
 * Nothing in a reply is believed: every size in it is held against what has arrived before it is
 * used, and a reply that does not end exactly with its error block is RESHED_ECORRUPT. When the
 * instrument reports an error the result is RESHED_EUNSUPPORTED with its text. Such a reply may
 * come with or without the values (the manual leaves that open); both are understood. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_WIRE_H
#define RS_SPM_INSTRUMENT_NANONIS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define RS_NANO_HEADER 40
#define RS_NANO_NAME 32
#define RS_NANO_MAX_REQUEST 4096
#define RS_NANO_MAX_SIDE 65536 /* pixels of a frame */

/* ------------------------------------------------------------------------------------- requests */

/* A whole message, header included. Too much content sets `overflow`, and nothing more is written;
 * it is checked once, where the message is sent. */
typedef struct rs_nano_message {
    char name[RS_NANO_NAME + 1];
    uint8_t bytes[RS_NANO_MAX_REQUEST];
    size_t size;
    bool overflow;
} rs_nano_message;

/* An empty body; name has at most 32 characters. */
void rs_nano_begin(rs_nano_message *m, const char *name);
/* Appends a number for each letter of `format`; values are whole where the letter asks for it. */
void rs_nano_put(rs_nano_message *m, const char *format, const double *value);
void rs_nano_put_string(rs_nano_message *m, const char *s);
/* n strings, as an array. */
void rs_nano_put_strings(rs_nano_message *m, const char *const *s, int n);
/* begin and put. */
void rs_nano_request(rs_nano_message *m, const char *name, const char *format, const double *value);

/* -------------------------------------------------------------------------------------- replies */

/* The bytes after the header of a reply; borrowed. */
typedef struct rs_nano_reply {
    const char *name; /* of the command, for error texts */
    const uint8_t *body;
    size_t size;
} rs_nano_reply;

/* Checks the header of the reply to `name` and gives the size of its body, at most `limit`. */
reshed_status rs_nano_read_header(const uint8_t header[RS_NANO_HEADER], const char *name,
                                  size_t limit, size_t *body, reshed_error *err);

/* A reply that carries numbers only, or none ("", NULL). */
reshed_status rs_nano_read(const rs_nano_reply *r, const char *format, double *value,
                           reshed_error *err);

/* Strings of an array; all bytes in one block. */
typedef struct rs_nano_names {
    int n;
    char **name; /* [n], NUL-terminated */
} rs_nano_names;
void rs_nano_names_free(rs_nano_names *names);

/* Signals.NamesGet, or, with slots not NULL, Signals.InSlotsGet of older releases: the signal in
 * each slot and its index into *slots (rs_free). At most 4096 names. */
reshed_status rs_nano_read_names(const rs_nano_reply *r, rs_nano_names *names, int **slots,
                                 reshed_error *err);

/* Util.VersionGet as one line of text. */
reshed_status rs_nano_read_version(const rs_nano_reply *r, char *text, size_t n, reshed_error *err);

/* Scan.BufferGet. */
reshed_status rs_nano_read_buffer(const rs_nano_reply *r, int *pixels, int *lines,
                                  reshed_error *err);

/* The front of Scan.PropsGet; newer releases send more, which is skipped. Strings that do not fit
 * their buffers are RESHED_EUNSUPPORTED. */
typedef struct rs_nano_props {
    char series[1024], comment[2048];
} rs_nano_props;
reshed_status rs_nano_read_props(const rs_nano_reply *r, rs_nano_props *props, reshed_error *err);

/* Scan.FrameDataGrab. `values` borrows from the reply: rows*cols big-endian f32, for
 * rs_nano_floats. */
typedef struct rs_nano_frame {
    char channel[128]; /* cut to fit */
    int rows, cols;    /* 0 .. RS_NANO_MAX_SIDE */
    const uint8_t *values;
    bool up; /* the direction of the scan */
} rs_nano_frame;
reshed_status rs_nano_read_frame(const rs_nano_reply *r, rs_nano_frame *frame, reshed_error *err);

/* BiasSpectr.Start with data. `values` borrows: [rows][cols], a row per channel. */
typedef struct rs_nano_curves {
    rs_nano_names channel; /* rows of them, or none */
    int rows, cols;
    const uint8_t *values;
} rs_nano_curves;
reshed_status rs_nano_read_curves(const rs_nano_reply *r, rs_nano_curves *curves,
                                  reshed_error *err);

/* n big-endian f32 at p. */
void rs_nano_floats(const uint8_t *p, size_t n, float *out);

#endif
