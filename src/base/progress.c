#include "base/progress.h"

#include <string.h>

#include "base/numeric.h"
#include "base/os.h"

void rs_progress_start(rs_progress *p, FILE *stream, const char *label, long total)
{
    memset(p, 0, sizeof *p);
    p->stream = stream;
    p->label = label;
    p->total = total > 0 ? total : 1;
    p->tty = stream && rs_os_isatty(stream);
    p->started = p->shown = rs_os_monotonic();
    if (p->tty) p->shown -= 1; /* draw at once */
}

static void draw(rs_progress *p, double now)
{
    /* The caller may lower the total, to nothing when all was done before. */
    double fraction = p->total > 0 ? rs_clamp((double)p->done / (double)p->total, 0, 1) : 1;
    double left = p->done > 0 ? (now - p->started) * (1 - fraction) / fraction : 0;
    if (!p->tty) {
        fprintf(p->stream, "%s: %ld of %ld, %.0f s left\n", p->label, p->done, p->total, left);
        return;
    }
    char bar[61];
    int room = rs_os_columns(p->stream) - (int)strlen(p->label) - 36;
    int cells = room < 0 ? 0 : room > 60 ? 60 : room, full = (int)(fraction * cells + 0.5);
    memset(bar, '#', (size_t)full);
    memset(bar + full, '.', (size_t)(cells - full));
    bar[cells] = '\0';
    fprintf(p->stream, "\r%s [%s] %ld/%ld %3.0f s left\x1b[K", p->label, bar, p->done, p->total,
            left);
    fflush(p->stream);
    p->open = true;
}

void rs_progress_update(rs_progress *p, long done)
{
    if (!p->stream) return;
    double now = rs_os_monotonic();
    p->done = done < p->total ? done : p->total;
    if (now - p->shown < (p->tty ? 0.1 : 5.0)) return;
    p->shown = now;
    draw(p, now);
}

void rs_progress_finish(rs_progress *p)
{
    if (p->stream && p->open) fputs("\r\x1b[K", p->stream);
    p->open = false;
}
