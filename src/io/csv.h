/* csv.h - tables as comma-separated text (RFC 4180): '.' is the decimal point and ',' the separator
 * in every locale, the first row names the columns with their units ("x (m)"), and numbers are
 * written so that they read back as the same double.
 *
 *     rs_csv c = {0};
 *     rs_csv_heading(&c, "x", "m"), rs_csv_heading(&c, "note", ""), rs_csv_end_row(&c);
 *     rs_csv_number(&c, 1.5e-6), rs_csv_text(&c, "kink, left"), rs_csv_end_row(&c);
 *     st = rs_csv_save(&c, "walls.csv", err);
 *     rs_csv_clear(&c);
 */
#ifndef RS_IO_CSV_H
#define RS_IO_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* -------------------------------------------------------------------------------------- writing */
/* A table being written. Start with {0}; a shortage of memory is remembered and reported by
 * rs_csv_save. */
typedef struct rs_csv {
    char *text; /* [len]; owned */
    size_t len, room;
    int column;
    bool nomem;
} rs_csv;

/* The next cell of the row. Texts with ',', '"' or line ends are quoted. A heading is "name
 * (unit)", or "name" when unit is "". */
void rs_csv_heading(rs_csv *c, const char *name, const char *unit);
void rs_csv_text(rs_csv *c, const char *text);
void rs_csv_number(rs_csv *c, double v);
void rs_csv_integer(rs_csv *c, int64_t v);
void rs_csv_end_row(rs_csv *c);

/* Replaces path by the table; *c stays as it is. */
reshed_status rs_csv_save(const rs_csv *c, const char *path, reshed_error *err);
void rs_csv_clear(rs_csv *c);

/* -------------------------------------------------------------------------------------- reading */
#define RS_CSV_MAX_BYTES ((size_t)64 << 20)
#define RS_CSV_MAX_COLUMNS 1024

/* A table that was read. */
typedef struct rs_csv_table {
    size_t rows, columns; /* rows: without the first one, which names the columns */
    char *text;           /* owned */
    size_t *cell;         /* [(rows+1)*columns] offsets into text; owned */
    size_t *line;         /* [rows+1] line of the file where each row begins, from 1; owned */
} rs_csv_table;

/* Reads a file, or bytes[len], into *out (rs_csv_table_clear). Lines end in LF or CRLF; blank lines
 * and a UTF-8 byte order mark are skipped; every row must have as many cells as the first. */
reshed_status rs_csv_read(const char *path, rs_csv_table *out, reshed_error *err);
reshed_status rs_csv_read_mem(const uint8_t *bytes, size_t len, rs_csv_table *out,
                              reshed_error *err);
void rs_csv_table_clear(rs_csv_table *t);

/* Finds the column `name`, given with or without its unit, in any letter case. The failure lists
 * the names. */
reshed_status rs_csv_column(const rs_csv_table *t, const char *name, size_t *column,
                            reshed_error *err);
/* Borrowed texts, never NULL. */
const char *rs_csv_name(const rs_csv_table *t, size_t column);
const char *rs_csv_cell(const rs_csv_table *t, size_t row, size_t column);
/* The cell as a number; the failure names its line and column. */
reshed_status rs_csv_cell_number(const rs_csv_table *t, size_t row, size_t column, double *out,
                                 reshed_error *err);

#endif
