/* number.h - numbers to and from text, always with a decimal point, whatever the locale of the
 * program that uses the library. */
#ifndef RS_BASE_NUMBER_H
#define RS_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define RS_NUMBER_TEXT 32

/* Writes the shortest text of 15 to 17 digits that reads back as v, or "nan", "inf", "-inf", to buf
 * and returns it. */
const char *rs_number_format(char buf[RS_NUMBER_TEXT], double v);

/* The n characters at s, blanks around them aside, as a decimal number, "nan" or "inf" (any case,
 * with or without sign). False, and *out unchanged, when they are anything else (hexadecimal and
 * more than 60 characters included). Overflow gives an infinity. */
bool rs_number_parse(const char *s, size_t n, double *out);

#endif
