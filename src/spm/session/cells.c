#include "spm/session/cells.h"

#include <math.h>
#include <stdint.h>

/* Types of a field in the file. */
typedef enum field_kind { FIELD_F64, FIELD_I32, FIELD_I64, FIELD_U8, FIELD_TEXT } field_kind;

typedef struct field {
    const char *name;
    size_t offset;
    field_kind kind;
    size_t size; /* of a text */
} field;

#define F64(T, f) #f, offsetof(T, f), FIELD_F64, 0
#define I32(T, f) #f, offsetof(T, f), FIELD_I32, 0
#define I64(T, f) #f, offsetof(T, f), FIELD_I64, 0
#define U8(T, f) #f, offsetof(T, f), FIELD_U8, 0 /* an enum in memory */
#define TEXT(T, f) #f, offsetof(T, f), FIELD_TEXT, sizeof((T *)0)->f

typedef rs_session_arrival arrival;
typedef rs_session_processed processed;
typedef rs_session_point point;
typedef rs_session_reference reference;
typedef rs_session_patch patch;
typedef rs_session_drift drift;
typedef rs_session_event event;

static const field arrival_fields[] = {{U8(arrival, state)},
                                       {I32(arrival, nans)},
                                       {I32(arrival, order)},
                                       {I64(arrival, frame)},
                                       {F64(arrival, time)},
                                       {F64(arrival, acquired)},
                                       {0}};
static const field processed_fields[] = {{F64(processed, latency)},
                                         {F64(processed, inference)},
                                         {I32(processed, lag)},
                                         {I32(processed, coalesced)},
                                         {I32(processed, alarm)},
                                         {F64(processed, score)},
                                         {0}};
static const field point_fields[] = {{F64(point, row)},        {F64(point, col)},
                                     {F64(point, x)},          {F64(point, y)},
                                     {F64(point, device_x)},   {F64(point, device_y)},
                                     {F64(point, measured_x)}, {F64(point, measured_y)},
                                     {F64(point, time)},       {I32(point, target)},
                                     {I32(point, wall)},       {I32(point, kind)},
                                     {U8(point, state)},       {0}};
static const field reference_fields[] = {
    {F64(reference, x)}, {F64(reference, y)}, {F64(reference, time)}, {U8(reference, state)}, {0}};
static const field patch_fields[] = {{F64(patch, time)},  {F64(patch, acquired)},
                                     {F64(patch, cx)},    {F64(patch, cy)},
                                     {F64(patch, width)}, {F64(patch, height)},
                                     {F64(patch, angle)}, {I32(patch, rows)},
                                     {I32(patch, cols)},  {0}};
static const field drift_fields[] = {
    {F64(drift, time)}, {F64(drift, dx)},    {F64(drift, dy)},     {F64(drift, vx)},
    {F64(drift, vy)},   {F64(drift, sigma)}, {I32(drift, source)}, {0}};
static const field event_fields[] = {
    {F64(event, time)}, {U8(event, level)}, {TEXT(event, text)}, {0}};

static const uint8_t no_u8;
static const float no_f32[2] = {NAN, NAN};
static const double no_f64 = NAN;
static const arrival no_arrival = {
    .state = RS_SESSION_MISSING, .order = -1, .frame = -1, .time = NAN, .acquired = NAN};
static const processed no_processed = {
    .latency = NAN, .inference = NAN, .lag = -1, .coalesced = -1, .score = NAN};
static const point no_point = {.row = NAN,
                               .col = NAN,
                               .x = NAN,
                               .y = NAN,
                               .device_x = NAN,
                               .device_y = NAN,
                               .measured_x = NAN,
                               .measured_y = NAN,
                               .time = NAN,
                               .target = -1,
                               .wall = -1};
static const reference no_reference = {.x = NAN, .y = NAN, .time = NAN};
static const patch no_patch = {.time = NAN, .acquired = NAN};
static const drift no_drift = {.time = NAN, .source = -1};
static const event no_event = {.time = NAN};

/* By rs_session_cell. */
static const struct {
    size_t size;
    const void *empty;
    const field *fields;
} cells[CELLS] = {
    [CELL_U8] = {1, &no_u8, NULL},
    [CELL_F32] = {sizeof(float), no_f32, NULL},
    [CELL_F64] = {sizeof(double), &no_f64, NULL},
    [CELL_C32] = {2 * sizeof(float), no_f32, NULL},
    [CELL_ARRIVAL] = {sizeof(arrival), &no_arrival, arrival_fields},
    [CELL_PROCESSED] = {sizeof(processed), &no_processed, processed_fields},
    [CELL_POINT] = {sizeof(point), &no_point, point_fields},
    [CELL_REFERENCE] = {sizeof(reference), &no_reference, reference_fields},
    [CELL_PATCH] = {sizeof(patch), &no_patch, patch_fields},
    [CELL_DRIFT] = {sizeof(drift), &no_drift, drift_fields},
    [CELL_EVENT] = {sizeof(event), &no_event, event_fields},
};

const void *rs_session_cell_empty(rs_session_cell cell)
{
    return cells[cell].empty;
}

size_t rs_session_cell_size(rs_session_cell cell)
{
    return cells[cell].size;
}

static hid_t field_type(const field *f, bool memory)
{
    hid_t text;
    switch (f->kind) {
    case FIELD_F64: return H5Tcopy(memory ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE);
    case FIELD_I32: return H5Tcopy(memory ? H5T_NATIVE_INT : H5T_STD_I32LE);
    case FIELD_I64: return H5Tcopy(memory ? H5T_NATIVE_INT64 : H5T_STD_I64LE);
    case FIELD_U8: return H5Tcopy(memory ? H5T_NATIVE_INT : H5T_STD_U8LE);
    case FIELD_TEXT: break;
    }
    text = H5Tcopy(H5T_C_S1);
    if (text >= 0 && (H5Tset_size(text, f->size) < 0 || H5Tset_cset(text, H5T_CSET_UTF8) < 0)) {
        H5Tclose(text);
        return -1;
    }
    return text;
}

/* The structure in memory; with `memory` false the same, packed, with the file's fields. */
static hid_t row_type(rs_session_cell cell, bool memory)
{
    size_t at = 0;
    /* More than the fields take in the file; cut at the end. */
    hid_t row = H5Tcreate(H5T_COMPOUND, cells[cell].size);
    bool ok = row >= 0;
    for (const field *f = cells[cell].fields; ok && f->name; f++) {
        hid_t type = field_type(f, memory);
        ok = type >= 0 && H5Tinsert(row, f->name, memory ? f->offset : at, type) >= 0;
        if (ok) at += H5Tget_size(type);
        rs_h5_close(type);
    }
    if (ok && !memory) ok = H5Tset_size(row, at) >= 0;
    if (ok) return row;
    rs_h5_close(row);
    return -1;
}

static hid_t complex_type(hid_t part)
{
    size_t half = H5Tget_size(part);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 2 * half);
    if (pair >= 0 && H5Tinsert(pair, "r", 0, part) >= 0 && H5Tinsert(pair, "i", half, part) >= 0)
        return pair;
    rs_h5_close(pair);
    return -1;
}

hid_t rs_session_cell_type(rs_session_cell cell, bool memory)
{
    switch (cell) {
    case CELL_U8: return H5Tcopy(memory ? H5T_NATIVE_UINT8 : H5T_STD_U8LE);
    case CELL_F32: return H5Tcopy(memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    case CELL_F64: return H5Tcopy(memory ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE);
    case CELL_C32: return complex_type(memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    default: return row_type(cell, memory);
    }
}
