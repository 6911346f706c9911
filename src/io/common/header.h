/* header.h - texts and lines of the headers of instrument files. */
#ifndef RS_IO_COMMON_HEADER_H
#define RS_IO_COMMON_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a file, borrowed. */
typedef struct rs_span {
    const char *s;
    size_t n;
} rs_span;

/* The text of at most n bytes at s, up to its NUL, into dst[size], cut to fit: UTF-8 as it is, else taken
 * for Latin-1. */
void rs_header_text(char *dst, size_t size, const uint8_t *s, size_t n);
void rs_span_text(char *dst, size_t size, rs_span text);
/* Takes the next line from *rest, without its end (CR, LF or CR LF); false when nothing is left. */
bool rs_span_line(rs_span *rest, rs_span *line);
/* Takes what stands before the next `separator`, or all of it; false when nothing is left. */
bool rs_span_field(rs_span *rest, char separator, rs_span *field);
/* The same without blanks around it. */
rs_span rs_span_trim(rs_span s);
/* Takes the next word, up to a blank; false when nothing is left. */
bool rs_span_word(rs_span *rest, rs_span *word);
/* A number and nothing else, blanks aside. */
bool rs_span_number(rs_span s, double *out);
/* Letter case counts. */
bool rs_span_is(rs_span s, const char *text);
bool rs_span_begins(rs_span s, const char *text);
/* Returns the place at which `text` begins in s, or s.n. */
size_t rs_span_find(rs_span s, const char *text);

#endif
