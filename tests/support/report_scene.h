/* report_scene.h - a simulated session of known content for the tests of the report: tilted
 * parallel walls and needles between them, loops whose width alternates from wall to wall. */
#ifndef RS_TESTS_SUPPORT_REPORT_SCENE_H
#define RS_TESTS_SUPPORT_REPORT_SCENE_H

#include "spm/session/session.h"

typedef struct report_scene {
    int rows, cols;
    int lines;                  /* of them that arrive */
    int points;                 /* that are chosen, 0: none */
    int measured;               /* of them that are measured (one of them is lost, one skipped) */
    int steps;                  /* of the voltage; 0: no spectroscopy */
    const char *sample, *event; /* texts */
} report_scene;

/* Maps [rows*cols] of the walls and of the network's answer, as far as the lines go. */
void report_scene_maps(const report_scene *scene, float *amplitude, float *mean, float *variance);

/* Makes the session at path and leaves it open for writing; fails the test otherwise. */
rs_session *report_scene_session(const report_scene *scene, const char *path);

#endif
