/* metric_table.h - the list of metrics: their ids, names, units, definitions and sources. */
#ifndef RS_BEPS_METRIC_TABLE_H
#define RS_BEPS_METRIC_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum rs_metric {
    /* crossings of the measured branches */
    RS_M_V_PLUS_MID,
    RS_M_V_MINUS_MID,
    RS_M_WIDTH_MID,
    RS_M_COERCIVE_MID,
    RS_M_IMPRINT_MID,
    RS_M_LEVEL_MID,
    RS_M_V_PLUS_ZERO,
    RS_M_V_MINUS_ZERO,
    RS_M_WIDTH_ZERO,
    RS_M_COERCIVE_ZERO,
    RS_M_IMPRINT_ZERO,
    /* polygon */
    RS_M_AREA,
    RS_M_AREA_SIGNED,
    RS_M_AREA_OPEN,
    RS_M_CENTROID_V,
    RS_M_CENTROID_R,
    /* response levels */
    RS_M_R_PLUS_0,
    RS_M_R_MINUS_0,
    RS_M_OPENING_0,
    RS_M_OPENING_IMPRINT,
    RS_M_R_PLUS_SAT,
    RS_M_R_MINUS_SAT,
    RS_M_SWITCHABLE,
    RS_M_VERTICAL_SHIFT,
    RS_M_SQUARENESS,
    RS_M_WORK,
    /* nine-parameter function */
    RS_M_FIT_V_PLUS,
    RS_M_FIT_V_MINUS,
    RS_M_FIT_WIDTH,
    RS_M_FIT_COERCIVE,
    RS_M_FIT_IMPRINT,
    RS_M_FIT_AREA,
    RS_M_AREA_REFINED,
    RS_M_FIT_R_PLUS,
    RS_M_FIT_R_MINUS,
    RS_M_FIT_SWITCHABLE,
    RS_M_FIT_WORK,
    RS_M_FIT_SLOPE,
    RS_M_NUCLEATION_POS,
    RS_M_NUCLEATION_NEG,
    RS_M_NUCLEATION_POS_SLOPE,
    RS_M_NUCLEATION_NEG_SLOPE,
    RS_M_SATURATED_POS,
    RS_M_SATURATED_NEG,
    RS_M_FIT_R2,
    RS_M_FIT_RMS,
    RS_M_DELTA_AIC,
    RS_M_DELTA_BIC,
    RS_M_FIT_A0,
    RS_M_FIT_A1,
    RS_M_FIT_A2,
    RS_M_FIT_A3,
    RS_M_FIT_A4,
    RS_M_FIT_B0,
    RS_M_FIT_B1,
    RS_M_FIT_B2,
    RS_M_FIT_B3,
    /* electrostatics */
    RS_M_ES_SLOPE,
    RS_M_ES_CPD,
    RS_M_ES_R2,
    /* quality */
    RS_M_NOISE,
    RS_M_SNR,
    RS_M_AREA_SNR,
    RS_M_SPIKES,
    /* sigmoid or arctangent branches */
    RS_M_SSPFM_X0_R,
    RS_M_SSPFM_X0_L,
    RS_M_SSPFM_X0_WID,
    RS_M_SSPFM_X_SHIFT,
    RS_M_SSPFM_X_INTER_R,
    RS_M_SSPFM_X_INTER_L,
    RS_M_SSPFM_X_WDW,
    RS_M_SSPFM_INFL_R,
    RS_M_SSPFM_INFL_L,
    RS_M_SSPFM_SAT_R,
    RS_M_SSPFM_SAT_L,
    RS_M_SSPFM_AMPLI,
    RS_M_SSPFM_OFFSET,
    RS_M_SSPFM_SLOPE,
    RS_M_SSPFM_COEF_R,
    RS_M_SSPFM_COEF_L,
    RS_M_SSPFM_DIFF_COEF,
    RS_M_SSPFM_AREA,
    RS_M_SSPFM_R2,
    /* other programs' definitions, on the loop as measured */
    RS_M_BGLIB_AREA,
    RS_M_BGLIB_CENTROID_V,
    RS_M_BGLIB_CENTROID_R,
    RS_M_BGLIB_V_PLUS,
    RS_M_BGLIB_V_MINUS,
    RS_M_BGLIB_IMPRINT,
    RS_M_BGLIB_R_PLUS,
    RS_M_BGLIB_R_MINUS,
    RS_M_BGLIB_SWITCHABLE,
    RS_M_BGLIB_WORK,
    RS_M_BGLIB_NUCLEATION_1,
    RS_M_BGLIB_NUCLEATION_2,
    RS_M_BGLIB_NUCLEATION_1_OLD,
    RS_M_BGLIB_NUCLEATION_2_OLD,
    RS_M_BGLIB_R2,
    RS_M_BGLIB_AIC_LOOP,
    RS_M_BGLIB_BIC_LOOP,
    RS_M_BGLIB_AIC_LINE,
    RS_M_BGLIB_BIC_LINE,
    RS_M_AUTHOR_AREA,
    RS_METRIC_COUNT
} rs_metric;

typedef struct rs_metric_info {
    const char *id;     /* short, [a-z0-9_]: names the map, the CSV column, the JSON key */
    const char *name;   /* for a figure's title */
    const char *unit;   /* "V", "1", or in terms of the response's unit R: "R", "V*R", "R/V" */
    const char *method; /* how it is found, in a word or two */
    const char *description;
    const char *source;
    bool in_summary; /* one of the dozen that a summary shows */
} rs_metric_info;

/* The table's entry; never NULL. */
const rs_metric_info *rs_metric_get(rs_metric m);
/* The metric of that id, or -1. */
int rs_metric_find(const char *id);
/* The unit with R replaced by the response's unit, into buf (cut to fit); returns buf. */
const char *rs_metric_unit(rs_metric m, const char *response_unit, char *buf, size_t n);

#endif
