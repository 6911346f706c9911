/* json.h - writes JSON to a stream that the caller gives. Commas, quotes and braces come from the
 * writer; a call that would give text that is not JSON fails an assertion.
 *
 *     rs_json j = rs_json_to(stdout);
 *     rs_json_object(&j, NULL);
 *     rs_json_string(&j, "file", path);
 *     rs_json_number(&j, "seconds", 1.5);
 *     rs_json_array(&j, "layers");
 *     for (int i = 0; i < 3; i++) rs_json_integer(&j, NULL, layer[i]);
 *     rs_json_end(&j); // layers
 *     rs_json_end(&j);
 *
 * prints {"file": "x.png", "seconds": 1.5, "layers": [3, 4, 5]} and a newline. Every value takes
 * its key first: NULL in an array and outside everything, a string in an object. A newline follows
 * each outermost value, so that several make JSON lines. Errors of the stream stay with the stream
 * (ferror). */
#ifndef RS_BASE_JSON_H
#define RS_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RS_JSON_DEPTH 16

typedef struct rs_json {
    FILE *stream;                                            /* borrowed */
    int depth;                                               /* objects and arrays that are open */
    bool is_object[RS_JSON_DEPTH], has_value[RS_JSON_DEPTH]; /* of each of them */
} rs_json;

rs_json rs_json_to(FILE *stream);

/* Opens an object or an array, which stays open until the rs_json_end that belongs to it. */
void rs_json_object(rs_json *j, const char *key);
void rs_json_array(rs_json *j, const char *key);
void rs_json_end(rs_json *j);

/* NULL gives null. Control characters are escaped; bytes that are not UTF-8 (a file name may hold
 * any) become U+FFFD. Keys are written in the same way. */
void rs_json_string(rs_json *j, const char *key, const char *text);
/* The shortest text of 15 to 17 digits that reads back as the same double, whatever the locale;
 * null when it is not finite. */
void rs_json_number(rs_json *j, const char *key, double value);
void rs_json_integer(rs_json *j, const char *key, int64_t value);
void rs_json_bool(rs_json *j, const char *key, bool value);
void rs_json_null(rs_json *j, const char *key);

#endif
