/* text.h - small questions about strings and paths. Letter case is that of ASCII, whatever the
 * locale. */
#ifndef RS_BASE_TEXT_H
#define RS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The first n characters of a and b are the same, letter case aside; neither ends before. */
bool rs_text_same(const char *a, const char *b, size_t n);
/* s begins with prefix, letter case aside. */
bool rs_text_begins(const char *s, const char *prefix);
/* part stands somewhere in s, letter case aside. */
bool rs_text_contains(const char *s, const char *part);

/* A copy of s in dst[n], n > 0, cut to whole UTF-8 characters. */
void rs_text_copy(char *dst, size_t n, const char *s);

/* Length of the well-formed UTF-8 character at s (RFC 3629: shortest form, no surrogates), which ends
 * with a NUL; 0 when there is none. */
size_t rs_utf8_length(const char *s);

/* Text of a file or of the user into dst[n], n > 0, cut to fit, as it can be shown on a terminal:
 * control characters (also those of Unicode that turn the direction of writing) and bytes that are
 * no UTF-8 become \xNN, all else stays. Returns dst. */
char *rs_text_escape(char *dst, size_t n, const char *s);

/* The last component of a path: what follows the last '/', or all of it. Borrowed from path. */
const char *rs_path_name(const char *path);
/* Length of path without the ending of its last component ("a.b/c.h5" has 5); its whole length
 * when there is none. A dot at the beginning of the component is part of its name. */
size_t rs_path_stem(const char *path);

/* Number in list [n] of the word with the fewest insertions, deletions, changes and swaps of two
 * neighbours from text, letter case aside; -1 when even that has more than a third of its letters changed. */
int rs_text_nearest(const char *text, const char *const *list, int n);
/* What was expected, in words, into buf[room]: "threshold?" where one is near, else the whole list
 * "a, b or c", cut to fit. Returns buf. */
const char *rs_text_expected(char *buf, size_t room, const char *text, const char *const *list,
                             int n);

#endif
