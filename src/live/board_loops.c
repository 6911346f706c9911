/* Loops of a board as JSON. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "live/private.h"

/* ---------------------------------------------------------------------------------------- loops */

static void put_floats(rs_json *j, const char *key, const float *v, int n)
{
    rs_json_array(j, key);
    for (int i = 0; i < n; i++) rs_json_number(j, NULL, (double)v[i]);
    rs_json_end(j);
}

static void put_voltage(const rs_board *b, rs_json *j)
{
    rs_json_array(j, "voltage");
    for (int i = 0; i < b->steps; i++) rs_json_number(j, NULL, b->voltage[i]);
    rs_json_end(j);
}

/* Field 0 is on field, field 1 off field (spectra/loops.h). */
static void put_responses(const rs_board *b, int k, rs_json *j)
{
    const float *r = b->response + (size_t)k * (size_t)b->fields * (size_t)b->steps;
    put_floats(j, "on", r, b->steps);
    if (b->fields > 1)
        put_floats(j, "off", r + b->steps, b->steps);
    else
        rs_json_null(j, "off");
}

bool rs_board_loop_json(rs_board *b, int k, FILE *out)
{
    rs_json j = rs_json_to(out);
    rs_monitor_enter(b->lock);
    const bool there = k >= 0 && k < b->points && b->point[k].has_loop;
    if (there) {
        const rs_session_point *p = &b->point[k].point;
        rs_json_object(&j, NULL);
        rs_json_integer(&j, "index", k);
        rs_json_number(&j, "row", p->row);
        rs_json_number(&j, "col", p->col);
        rs_json_integer(&j, "state", p->state);
        rs_json_integer(&j, "wall", p->wall);
        rs_json_string(&j, "unit", b->amplitude_unit);
        put_voltage(b, &j);
        put_responses(b, k, &j);
        rs_put_values(b->value + (size_t)k * (size_t)b->metrics, b->metrics, true, &j);
        rs_json_end(&j);
    }
    rs_monitor_leave(b->lock);
    return there;
}

/* Mean and standard deviation of each step of one field over all loops, and how many there are. */
static int average(const rs_board *b, int field, float *mean, float *width)
{
    int loops = 0;
    for (int s = 0; s < b->steps; s++) {
        double sum = 0, squares = 0;
        int n = 0;
        for (int k = 0; k < b->points; k++) {
            if (!b->point[k].has_loop) continue;
            const size_t at = ((size_t)k * (size_t)b->fields + (size_t)field) * (size_t)b->steps;
            const double v = (double)b->response[at + (size_t)s];
            if (!isfinite(v)) continue;
            n++;
            const double off = v - sum;
            sum += off / n;
            squares += off * (v - sum);
        }
        mean[s] = n ? (float)sum : NAN;
        width[s] = n > 1 ? (float)sqrt(squares / (n - 1)) : NAN;
        loops = n > loops ? n : loops;
    }
    return loops;
}

bool rs_board_average_json(rs_board *b, FILE *out)
{
    rs_json j = rs_json_to(out);
    rs_monitor_enter(b->lock);
    const size_t steps = (size_t)b->steps;
    float *mean = rs_alloc(2 * steps + 1, sizeof *mean);
    const int field = b->fields > 1;
    const int loops = mean && steps && b->points ? average(b, field, mean, mean + steps) : 0;
    if (loops) {
        rs_json_object(&j, NULL);
        rs_json_integer(&j, "count", loops);
        rs_json_string(&j, "unit", b->amplitude_unit);
        put_voltage(b, &j);
        put_floats(&j, field ? "off" : "on", mean, b->steps);
        put_floats(&j, "width", mean + steps, b->steps);
        rs_json_end(&j);
    }
    rs_monitor_leave(b->lock);
    rs_free(mean);
    return loops > 0;
}
