/* page.h - an HTML page in memory: text is escaped, pictures lie inside. Private to this room.
 *
 *     rs_page p = {0};
 *     rs_page_open(&p, "Report");
 *     rs_page_format(&p, "<p>%d lines of ", lines);
 *     rs_page_text(&p, sample);
 *     rs_page_raw(&p, "</p>");
 *     rs_page_figure(&p, figure, RS_PAGE_SVG, 700, "Averaged loop");
 *     rs_page_close(&p);
 *     st = rs_page_save(&p, "report.html", err); // also the failure of any call before
 *     rs_page_clear(&p); */
#ifndef RS_REPORT_PAGE_H
#define RS_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "imgproc/figures/plot.h"
#include "imgproc/figures/rgb8.h"

/* Keeps the figures of a page as files for papers too. */
typedef struct rs_page_export {
    const char *folder; /* exists; borrowed, as is what follows */
    const char *ending; /* "pdf", "svg" or "png" */
    const rs_paper *paper;
    int count;                /* files written: figure_01.pdf, ... */
    struct rs_page *captions; /* a line each */
} rs_page_export;

typedef struct rs_page {
    rs_page_export *export; /* borrowed; NULL: none */
    char *text;             /* [len]; owned */
    size_t len, capacity;
    reshed_error failure; /* the first one; nothing is added after it */
} rs_page;

void rs_page_open(rs_page *p, const char *title);
void rs_page_close(rs_page *p);
/* Writes the file whole or not at all. */
reshed_status rs_page_save(rs_page *p, const char *path, reshed_error *err);
void rs_page_clear(rs_page *p);
/* Remembers a failure of the caller's, if it is the first. */
void rs_page_fail(rs_page *p, reshed_status st, const reshed_error *err);
/* Returns true while nothing has failed. */
bool rs_page_sound(const rs_page *p);

/* Markup as it is. */
void rs_page_raw(rs_page *p, const char *markup);
/* Markup with numbers; strings in it must be markup already. */
void rs_page_format(rs_page *p, const char *format, ...) RS_PRINTF(2, 3);
/* Text from anywhere: it is escaped; control characters and bytes that are no UTF-8 become
 * U+FFFD. */
void rs_page_text(rs_page *p, const char *s);
/* A quantity with its SI prefix, `digits` significant digits; a dash when it is not finite. */
void rs_page_quantity(rs_page *p, double value, int digits, const char *unit);

/* Two quantities with the same prefix and decimals, as give the larger `digits` significant ones,
 * and markup between them: "4.38 +- 0.20 V". */
void rs_page_pair(rs_page *p, double a, const char *between, double b, int digits,
                  const char *unit);

/* <figure> with a picture. caption: text (escaped), also the alternative text; NULL: none. width:
 * the largest on the page, in CSS pixels. */
void rs_page_picture(rs_page *p, const rs_rgb8 *picture, int width, const char *caption);
typedef enum rs_page_kind { RS_PAGE_PNG, RS_PAGE_SVG } rs_page_kind;
/* Takes f and frees it. With an export it becomes a file, and nothing is added to the page. */
void rs_page_figure(rs_page *p, rs_figure *f, rs_page_kind kind, int width, const char *caption);

#endif
