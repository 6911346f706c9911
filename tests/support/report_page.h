/* report_page.h - checks of the HTML pages that reports are. All of them fail the running test. */
#ifndef RS_TESTS_SUPPORT_REPORT_PAGE_H
#define RS_TESTS_SUPPORT_REPORT_PAGE_H

/* The page of a file as a string (rs_free). */
char *page_read(const char *path);

/* Tags are balanced, nothing points outside the page, every & begins a reference, no scripts. */
void page_check(const char *page);

/* Every PNG in the page can be read; returns their number. */
int page_pictures(const char *page);

/* The page holds, or does not hold, this text. */
void page_has(const char *page, const char *text);
void page_lacks(const char *page, const char *text);

/* The n-th number, from 0, of the table's row that begins with this name: "12.3 ms" is 0.0123. */
double page_number(const char *page, const char *row, int n);

#endif
