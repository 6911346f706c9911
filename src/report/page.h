/* page.h - an HTML page in memory: text that is escaped, pictures that lie inside.
 *
 *     scan_page p = {0};
 *     scan_page_open(&p, "Report");
 *     scan_page_format(&p, "<p>%d lines of ", lines);
 *     scan_page_text(&p, sample);
 *     scan_page_raw(&p, "</p>");
 *     scan_page_figure(&p, figure, SCAN_SVG, 700, "Averaged loop");
 *     scan_page_close(&p);
 *     st = scan_page_save(&p, "report.html", err);     // also the failure of any call before
 *     scan_page_clear(&p);
 */
#ifndef RS_REPORT_PAGE_H
#define RS_REPORT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "imgproc/figures/plot.h"
#include "imgproc/figures/rgb8.h"

typedef struct scan_page {
    char *text; /* [len]; owned */
    size_t len, capacity;
    reshed_error failure; /* the first one; nothing is added after it */
} scan_page;

void scan_page_open(scan_page *p, const char *title);
void scan_page_close(scan_page *p);
/* Writes the file whole or not at all. */
reshed_status scan_page_save(scan_page *p, const char *path, reshed_error *err);
void scan_page_clear(scan_page *p);
/* Remembers a failure of the caller's, if it is the first. */
void scan_page_fail(scan_page *p, reshed_status st, const reshed_error *err);

/* Markup as it is. */
void scan_page_raw(scan_page *p, const char *markup);
/* Markup with numbers; strings in it must be markup already. */
void scan_page_format(scan_page *p, const char *format, ...) RS_PRINTF(2, 3);
/* Text from anywhere: escaped; bytes that are no UTF-8 and control characters become U+FFFD. */
void scan_page_text(scan_page *p, const char *s);
/* A quantity with its SI prefix, `digits` significant digits; a dash when it is not finite. */
void scan_page_quantity(scan_page *p, double value, int digits, const char *unit);

/* Two with the same prefix and decimals, `digits` significant ones of the larger, and markup
 * between them: "4.38 +- 0.20 V". */
void scan_page_pair(scan_page *p, double a, const char *between, double b, int digits,
                    const char *unit);

/* <figure> with a picture. caption: text (escaped), NULL: none; it serves as alternative text as
 * well. width: largest width on the page in CSS pixels. */
void scan_page_picture(scan_page *p, const rs_rgb8 *picture, int width, const char *caption);
typedef enum scan_kind { SCAN_PNG, SCAN_SVG } scan_kind;
/* Takes f and frees it. */
void scan_page_figure(scan_page *p, rs_figure *f, scan_kind kind, int width, const char *caption);

#endif
