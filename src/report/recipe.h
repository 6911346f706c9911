/* recipe.h - how a session's walls and points were found, from its settings: reshed-walls and the
 * report find the same ones again. */
#ifndef RS_REPORT_RECIPE_H
#define RS_REPORT_RECIPE_H

#include "imgproc/walls/find.h"
#include "imgproc/walls/tests.h"
#include "spm/session/session.h"

/* The options of the session's own choice; of several those of the latest. */
void rs_report_recipe(const rs_session_setup *setup, rs_find_options *options);

/* rows [setup->frame.rows]: 1 where the map is final, which is where walls are looked for. */
reshed_status rs_report_final_rows(rs_session *s, uint8_t *rows, reshed_error *err);

/* A metric at the session's points: where they are, their kinds (rs_point_kind; what is none counts as
 * on a wall) and its values, NaN where nothing was measured or the loop is not to be trusted. The
 * arrays [*n] are the caller's (rs_free). RESHED_EINVAL names the metrics that there are. */
reshed_status rs_report_values(rs_session *s, const char *metric, int *n, rs_place **place,
                               int **kind, double **value, reshed_error *err);
/* The kind of a session's point, which may be any number in its file. */
int rs_report_kind(const rs_session_point *p);

#endif
