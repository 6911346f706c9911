#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "base/number.h"
#include "base/text.h"

rs_json rs_json_to(FILE *stream)
{
    return (rs_json){.stream = stream};
}

/* -------------------------------------------------------------------------------------- strings */

static void write_quoted(FILE *f, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', f);
    while (*p) {
        size_t n = rs_utf8_length((const char *)p);
        if (n == 0) {
            fputs("\\ufffd", f);
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            fprintf(f, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            fprintf(f, "\\u%04x", *p);
        } else {
            fwrite(p, 1, n, f);
        }
        p += n;
    }
    fputc('"', f);
}

/* -------------------------------------------------------------------------------------- nesting */

/* Writes what stands before a value: the comma and the key. */
static void begin_value(rs_json *j, const char *key)
{
    if (j->depth == 0) {
        assert(!key);
        return;
    }
    const int top = j->depth - 1;
    assert(j->is_object[top] == (key != NULL));
    if (j->has_value[top]) fputs(", ", j->stream);
    j->has_value[top] = true;
    if (key) {
        write_quoted(j->stream, key);
        fputs(": ", j->stream);
    }
}

static void end_value(rs_json *j)
{
    if (j->depth == 0) fputc('\n', j->stream);
}

static void open_nest(rs_json *j, const char *key, bool object)
{
    begin_value(j, key);
    assert(j->depth < RS_JSON_DEPTH);
    j->is_object[j->depth] = object;
    j->has_value[j->depth] = false;
    j->depth++;
    fputc(object ? '{' : '[', j->stream);
}

void rs_json_object(rs_json *j, const char *key)
{
    open_nest(j, key, true);
}

void rs_json_array(rs_json *j, const char *key)
{
    open_nest(j, key, false);
}

void rs_json_end(rs_json *j)
{
    assert(j->depth > 0);
    j->depth--;
    fputc(j->is_object[j->depth] ? '}' : ']', j->stream);
    end_value(j);
}

/* --------------------------------------------------------------------------------------- values */

static void write_word(rs_json *j, const char *key, const char *word)
{
    begin_value(j, key);
    fputs(word, j->stream);
    end_value(j);
}

void rs_json_string(rs_json *j, const char *key, const char *text)
{
    if (!text) {
        rs_json_null(j, key);
        return;
    }
    begin_value(j, key);
    write_quoted(j->stream, text);
    end_value(j);
}

void rs_json_number(rs_json *j, const char *key, double value)
{
    char text[RS_NUMBER_TEXT];
    write_word(j, key, isfinite(value) ? rs_number_format(text, value) : "null");
}

void rs_json_integer(rs_json *j, const char *key, int64_t value)
{
    begin_value(j, key);
    fprintf(j->stream, "%" PRId64, value);
    end_value(j);
}

void rs_json_bool(rs_json *j, const char *key, bool value)
{
    write_word(j, key, value ? "true" : "false");
}

void rs_json_null(rs_json *j, const char *key)
{
    write_word(j, key, "null");
}
