#include "beps/metric_table.h"

#include <string.h>

#define OURS "reshed"
#define JESSE "Jesse et al. 2006 (RSI 77, 073702)"
#define BGLIB "BGlib be_loop.py"
#define SSPFM "PySSPFM curve_hysteresis.py"
#define CROSS "interpolation"
#define FIT "9-parameter fit"
#define POLY "polygon"

/* Columns: id, name, unit, method, description, source, summary. */
static const rs_metric_info table[RS_METRIC_COUNT] = {
    [RS_M_V_PLUS_MID] = {"v_plus_mid", "V+ (mid level)", "V", CROSS,
                         "voltage where the ascending branch passes the mid level", OURS, true},
    [RS_M_V_MINUS_MID] = {"v_minus_mid", "V- (mid level)", "V", CROSS,
                          "voltage where the descending branch passes the mid level", OURS, true},
    [RS_M_WIDTH_MID] = {"width_mid", "Loop width (mid level)", "V", CROSS,
                        "v_plus_mid - v_minus_mid", OURS, true},
    [RS_M_COERCIVE_MID] = {"coercive_mid", "Coercive voltage (mid level)", "V", CROSS,
                           "width_mid / 2", OURS, false},
    [RS_M_IMPRINT_MID] = {"imprint_mid", "Imprint (mid level)", "V", CROSS,
                          "(v_plus_mid + v_minus_mid) / 2", OURS, false},
    [RS_M_LEVEL_MID] = {"level_mid", "Mid level", "R", CROSS, "(largest + smallest response) / 2",
                        OURS, false},
    [RS_M_V_PLUS_ZERO] = {"v_plus_zero", "V+ (zero)", "V", CROSS,
                          "voltage where the ascending branch passes R = 0", OURS, false},
    [RS_M_V_MINUS_ZERO] = {"v_minus_zero", "V- (zero)", "V", CROSS,
                           "voltage where the descending branch passes R = 0", OURS, false},
    [RS_M_WIDTH_ZERO] = {"width_zero", "Loop width (zero)", "V", CROSS,
                         "v_plus_zero - v_minus_zero", OURS, true},
    [RS_M_COERCIVE_ZERO] = {"coercive_zero", "Coercive voltage (zero)", "V", CROSS,
                            "width_zero / 2", OURS, false},
    [RS_M_IMPRINT_ZERO] = {"imprint_zero", "Imprint (zero)", "V", CROSS,
                           "(v_plus_zero + v_minus_zero) / 2", OURS, true},

    [RS_M_AREA] = {"area", "Loop area", "V*R", POLY, "absolute area of the closed polygon", OURS,
                   true},
    [RS_M_AREA_SIGNED] = {"area_signed", "Signed loop area", "V*R", POLY,
                          "area of the closed polygon, positive when counter-clockwise", OURS,
                          false},
    [RS_M_AREA_OPEN] = {"area_open", "Loop area (open)", "V*R", POLY,
                        "absolute area without the edge from the last to the first sample", OURS,
                        false},
    [RS_M_CENTROID_V] = {"centroid_v", "Centroid (voltage)", "V", POLY,
                         "centroid of the closed polygon", OURS, false},
    [RS_M_CENTROID_R] = {"centroid_r", "Centroid (response)", "R", POLY,
                         "centroid of the closed polygon", OURS, false},

    [RS_M_R_PLUS_0] = {"r_plus_0", "R+ at V = 0", "R", CROSS,
                       "response of the descending branch at V = 0", OURS, true},
    [RS_M_R_MINUS_0] = {"r_minus_0", "R- at V = 0", "R", CROSS,
                        "response of the ascending branch at V = 0", OURS, true},
    [RS_M_OPENING_0] = {"opening_0", "Opening at V = 0", "R", CROSS, "r_plus_0 - r_minus_0", OURS,
                        false},
    [RS_M_OPENING_IMPRINT] = {"opening_imprint", "Opening at the imprint", "R", CROSS,
                              "descending minus ascending branch at V = imprint_mid", OURS, false},
    [RS_M_R_PLUS_SAT] = {"r_plus_sat", "R+ saturated", "R", "mean of the end",
                         "mean of the descending branch just below the highest voltage", OURS,
                         false},
    [RS_M_R_MINUS_SAT] = {"r_minus_sat", "R- saturated", "R", "mean of the end",
                          "mean of the ascending branch just above the lowest voltage", OURS,
                          false},
    [RS_M_SWITCHABLE] = {"switchable", "Switchable response", "R", "mean of the ends",
                         "r_plus_sat - r_minus_sat", OURS, true},
    [RS_M_VERTICAL_SHIFT] = {"vertical_shift", "Vertical shift", "1", "mean of the ends",
                             "(r_plus_sat + r_minus_sat) / switchable", OURS, false},
    [RS_M_SQUARENESS] = {"squareness", "Squareness", "1", CROSS, "opening_0 / switchable", OURS,
                         false},
    [RS_M_WORK] = {"work", "Work of switching", "V*R", CROSS, "|width_mid * switchable|", OURS,
                   false},

    [RS_M_FIT_V_PLUS] = {"fit_v_plus", "V+ (fit)", "V", FIT,
                         "ascending branch at half of its transition", OURS, false},
    [RS_M_FIT_V_MINUS] = {"fit_v_minus", "V- (fit)", "V", FIT,
                          "descending branch at half of its transition", OURS, false},
    [RS_M_FIT_WIDTH] = {"fit_width", "Loop width (fit)", "V", FIT, "fit_v_plus - fit_v_minus", OURS,
                        true},
    [RS_M_FIT_COERCIVE] = {"fit_coercive", "Coercive voltage (fit)", "V", FIT, "fit_width / 2",
                           OURS, false},
    [RS_M_FIT_IMPRINT] = {"fit_imprint", "Imprint (fit)", "V", FIT,
                          "(fit_v_plus + fit_v_minus) / 2", OURS, false},
    [RS_M_FIT_AREA] = {"fit_area", "Loop area (fit)", "V*R", FIT,
                       "absolute area between the fitted branches over the voltage range", OURS,
                       false},
    [RS_M_AREA_REFINED] =
        {"area_refined", "Loop area (refined)", "V*R", "9-parameter fit, polygon",
         "absolute of the fitted area plus the polygon area of the residuals of "
         "the samples between 1 % and 99 % of a transition: the saturated samples "
         "add no noise, the shape of the switching is as measured",
         OURS, true},
    [RS_M_FIT_R_PLUS] = {"fit_r_plus", "R+ (fit)", "R", FIT, "upper level, a0 + a1", JESSE, false},
    [RS_M_FIT_R_MINUS] = {"fit_r_minus", "R- (fit)", "R", FIT, "lower level, a0", JESSE, false},
    [RS_M_FIT_SWITCHABLE] = {"fit_switchable", "Switchable response (fit)", "R", FIT, "a1", JESSE,
                             false},
    [RS_M_FIT_WORK] = {"fit_work", "Work of switching (fit)", "V*R", FIT, "|fit_width * a1|", OURS,
                       false},
    [RS_M_FIT_SLOPE] = {"fit_slope", "Slope (fit)", "R/V", FIT, "a4", JESSE, false},
    [RS_M_NUCLEATION_POS] = {"nucleation_pos", "Positive nucleation bias", "V", FIT,
                             "ascending branch at 3 % of its transition, width b2", OURS, true},
    [RS_M_NUCLEATION_NEG] = {"nucleation_neg", "Negative nucleation bias", "V", FIT,
                             "descending branch at 97 % of its transition, width b1", OURS, true},
    [RS_M_NUCLEATION_POS_SLOPE] = {"nucleation_pos_slope", "Positive nucleation bias (slope)", "V",
                                   FIT,
                                   "ascending branch where its slope reaches 10 % of the steepest, "
                                   "a3 - b2 sqrt(ln 10)",
                                   OURS, false},
    [RS_M_NUCLEATION_NEG_SLOPE] = {"nucleation_neg_slope", "Negative nucleation bias (slope)", "V",
                                   FIT,
                                   "descending branch where its slope reaches 10 % of the "
                                   "steepest, a2 + b1 sqrt(ln 10)",
                                   OURS, false},
    [RS_M_SATURATED_POS] =
        {"saturated_pos", "Switched before the highest voltage", "1", FIT,
         "part of the ascending transition made one step before the highest voltage", OURS, false},
    [RS_M_SATURATED_NEG] =
        {"saturated_neg", "Switched before the lowest voltage", "1", FIT,
         "part of the descending transition made one step before the lowest voltage", OURS, false},
    [RS_M_FIT_R2] = {"fit_r2", "R2 of the fit", "1", FIT, "1 - RSS/TSS", OURS, true},
    [RS_M_FIT_RMS] = {"fit_rms", "Residual of the fit", "R", FIT, "sqrt(RSS/n)", OURS, false},
    [RS_M_DELTA_AIC] = {"delta_aic", "AICc: line minus loop", "1", FIT,
                        "positive: the loop describes the data better than a straight line", OURS,
                        false},
    [RS_M_DELTA_BIC] = {"delta_bic", "BIC: line minus loop", "1", FIT,
                        "positive: the loop describes the data better than a straight line", OURS,
                        false},
    [RS_M_FIT_A0] = {"fit_a0", "a0", "R", FIT, "lower level", JESSE, false},
    [RS_M_FIT_A1] = {"fit_a1", "a1", "R", FIT, "height", JESSE, false},
    [RS_M_FIT_A2] = {"fit_a2", "a2", "V", FIT, "centre of the descending branch", JESSE, false},
    [RS_M_FIT_A3] = {"fit_a3", "a3", "V", FIT, "centre of the ascending branch", JESSE, false},
    [RS_M_FIT_A4] = {"fit_a4", "a4", "R/V", FIT, "slope", JESSE, false},
    [RS_M_FIT_B0] = {"fit_b0", "b0", "V", FIT, "descending width below a2", JESSE, false},
    [RS_M_FIT_B1] = {"fit_b1", "b1", "V", FIT, "descending width above a2", JESSE, false},
    [RS_M_FIT_B2] = {"fit_b2", "b2", "V", FIT, "ascending width below a3", JESSE, false},
    [RS_M_FIT_B3] = {"fit_b3", "b3", "V", FIT, "ascending width above a3", JESSE, false},

    [RS_M_ES_SLOPE] = {"es_slope", "Slope of the saturated ends", "R/V", "linear regression",
                       "one slope through both saturated ends, each with its own level",
                       "Jesse et al. 2006; PySSPFM electrostatic.py", false},
    [RS_M_ES_CPD] = {"es_cpd", "Voltage of no electrostatic response", "V", "linear regression",
                     "-(mean level at V = 0) / es_slope; a contact potential only on-field",
                     "PySSPFM electrostatic.py", false},
    [RS_M_ES_R2] = {"es_r2", "R2 of the saturated ends", "1", "linear regression",
                    "1 - RSS/TSS, TSS about each end's own level", OURS, false},

    [RS_M_NOISE] = {"noise", "Noise", "R", "second differences",
                    "standard deviation from the median of the second differences", OURS, false},
    [RS_M_SNR] = {"snr", "Signal to noise", "1", "second differences", "|switchable| / noise", OURS,
                  false},
    [RS_M_AREA_SNR] = {"area_snr", "Area over its noise", "1", "second differences",
                       "area over its standard deviation from the noise of each sample", OURS,
                       false},
    [RS_M_SPIKES] = {"spikes", "Samples skipped", "1", "count",
                     "samples that are missing or stand away from the loop", OURS, false},

    [RS_M_SSPFM_X0_R] = {"sspfm_x0_r", "x0 right", "V", "branch fit",
                         "centre of the ascending branch", SSPFM, false},
    [RS_M_SSPFM_X0_L] = {"sspfm_x0_l", "x0 left", "V", "branch fit",
                         "centre of the descending branch", SSPFM, false},
    [RS_M_SSPFM_X0_WID] = {"sspfm_x0_wid", "x0 width", "V", "branch fit", "|x0_r - x0_l|", SSPFM,
                           false},
    [RS_M_SSPFM_X_SHIFT] = {"sspfm_x_shift", "x shift", "V", "branch fit", "(x0_r + x0_l) / 2",
                            SSPFM, false},
    [RS_M_SSPFM_X_INTER_R] = {"sspfm_x_inter_r", "x intersection right", "V", "branch fit",
                              "ascending branch through zero, offset and slope included", SSPFM,
                              false},
    [RS_M_SSPFM_X_INTER_L] = {"sspfm_x_inter_l", "x intersection left", "V", "branch fit",
                              "descending branch through zero, offset and slope included", SSPFM,
                              false},
    [RS_M_SSPFM_X_WDW] = {"sspfm_x_wdw", "x window", "V", "branch fit", "|x_inter_r - x_inter_l|",
                          SSPFM, false},
    [RS_M_SSPFM_INFL_R] = {"sspfm_infl_r", "x inflection right", "V", "branch fit",
                           "before x0_r, where the slope is 10 % of the steepest", SSPFM, false},
    [RS_M_SSPFM_INFL_L] = {"sspfm_infl_l", "x inflection left", "V", "branch fit",
                           "before x0_l, where the slope is 10 % of the steepest", SSPFM, false},
    [RS_M_SSPFM_SAT_R] = {"sspfm_sat_r", "x saturation right", "V", "branch fit",
                          "beyond x0_r, where the branch is at 90 % of ampli/2", SSPFM, false},
    [RS_M_SSPFM_SAT_L] = {"sspfm_sat_l", "x saturation left", "V", "branch fit",
                          "beyond x0_l, where the branch is at 90 % of ampli/2", SSPFM, false},
    [RS_M_SSPFM_AMPLI] = {"sspfm_ampli", "ampli", "R", "branch fit", "height parameter", SSPFM,
                          false},
    [RS_M_SSPFM_OFFSET] = {"sspfm_offset", "offset", "R", "branch fit", "vertical offset", SSPFM,
                           false},
    [RS_M_SSPFM_SLOPE] = {"sspfm_slope", "slope", "R/V", "branch fit",
                          "slope of the linear part (0 off-field)", SSPFM, false},
    [RS_M_SSPFM_COEF_R] = {"sspfm_coef_r", "coef right", "1/V", "branch fit",
                           "steepness of the ascending branch", SSPFM, false},
    [RS_M_SSPFM_COEF_L] = {"sspfm_coef_l", "coef left", "1/V", "branch fit",
                           "steepness of the descending branch", SSPFM, false},
    [RS_M_SSPFM_DIFF_COEF] = {"sspfm_diff_coef", "Difference of coef", "1", "branch fit",
                              "|coef_r - coef_l| / coef_r", SSPFM, false},
    [RS_M_SSPFM_AREA] = {"sspfm_area", "Area", "V*R", "branch fit", "|ampli * (x0_r - x0_l)|",
                         SSPFM, false},
    [RS_M_SSPFM_R2] = {"sspfm_r2", "R2", "1", "branch fit", "mean R2 of the two branches", SSPFM,
                       false},

    [RS_M_BGLIB_AREA] = {"bglib_area", "Area (BGlib)", "V*R", POLY,
                         "signed area of the open polygon", BGLIB, false},
    [RS_M_BGLIB_CENTROID_V] = {"bglib_centroid_v", "Centroid x (BGlib)", "V", POLY,
                               "centroid of the open polygon", BGLIB, false},
    [RS_M_BGLIB_CENTROID_R] = {"bglib_centroid_r", "Centroid y (BGlib)", "R", POLY,
                               "centroid of the open polygon", BGLIB, false},
    [RS_M_BGLIB_V_PLUS] = {"bglib_v_plus", "V+ (BGlib)", "V", FIT, "a3", BGLIB, false},
    [RS_M_BGLIB_V_MINUS] = {"bglib_v_minus", "V- (BGlib)", "V", FIT, "a2", BGLIB, false},
    [RS_M_BGLIB_IMPRINT] = {"bglib_imprint", "Imprint (BGlib)", "V", FIT, "(a2 + a3) / 2", BGLIB,
                            false},
    [RS_M_BGLIB_R_PLUS] = {"bglib_r_plus", "R+ (BGlib)", "R", FIT, "a0 + a1", BGLIB, false},
    [RS_M_BGLIB_R_MINUS] = {"bglib_r_minus", "R- (BGlib)", "R", FIT, "a0", BGLIB, false},
    [RS_M_BGLIB_SWITCHABLE] = {"bglib_switchable", "Switchable polarization (BGlib)", "R", FIT,
                               "a1", BGLIB, false},
    [RS_M_BGLIB_WORK] = {"bglib_work", "Work of switching (BGlib)", "V*R", FIT, "|a3 - a2| * |a1|",
                         BGLIB, false},
    [RS_M_BGLIB_NUCLEATION_1] = {"bglib_nucleation_1", "Nucleation bias 1 (BGlib)", "V", FIT,
                                 "calc_switching_coef_vec, 3 %: width b2, else b3, else -1e-10",
                                 BGLIB, false},
    [RS_M_BGLIB_NUCLEATION_2] = {"bglib_nucleation_2", "Nucleation bias 2 (BGlib)", "V", FIT,
                                 "calc_switching_coef_vec, 97 %: width b0 (b1 would be right), "
                                 "else b1, else -1e-10",
                                 BGLIB, false},
    [RS_M_BGLIB_NUCLEATION_1_OLD] = {"bglib_nucleation_1_old",
                                     "Nucleation bias 1 (BGlib, older function)", "V", FIT,
                                     "get_switching_coefs, 97 %, about |a2|; undefined for many "
                                     "valid loops",
                                     BGLIB, false},
    [RS_M_BGLIB_NUCLEATION_2_OLD] = {"bglib_nucleation_2_old",
                                     "Nucleation bias 2 (BGlib, older function)", "V", FIT,
                                     "get_switching_coefs, 97 %, about |a3|; undefined for many "
                                     "valid loops",
                                     BGLIB, false},
    [RS_M_BGLIB_R2] = {"bglib_r2_criterion", "R2 Criterion (BGlib)", "1", FIT,
                       "as BGlib stores it: 1 - R2, so that 0 is best", BGLIB, false},
    [RS_M_BGLIB_AIC_LOOP] = {"bglib_aic_loop", "AIC of the loop (BGlib)", "1", FIT,
                             "8 parameters, normal likelihood", BGLIB, false},
    [RS_M_BGLIB_BIC_LOOP] = {"bglib_bic_loop", "BIC of the loop (BGlib)", "1", FIT,
                             "8 parameters, normal likelihood", BGLIB, false},
    [RS_M_BGLIB_AIC_LINE] = {"bglib_aic_line", "AIC of the line (BGlib)", "1", "linear regression",
                             "1 parameter, normal likelihood", BGLIB, false},
    [RS_M_BGLIB_BIC_LINE] = {"bglib_bic_line", "BIC of the line (BGlib)", "1", "linear regression",
                             "1 parameter, normal likelihood", BGLIB, false},
    [RS_M_AUTHOR_AREA] = {"author_area", "Loop area (DTMicroscope notebook)", "R", "sum",
                          "|sum of steps N/4 to 3N/4 minus sum of the rest|, without dV",
                          "DTMicroscope notebook, DKL scalariser", false},
};

const rs_metric_info *rs_metric_get(rs_metric m)
{
    return &table[m];
}

int rs_metric_find(const char *id)
{
    for (int m = 0; m < RS_METRIC_COUNT; m++)
        if (strcmp(table[m].id, id) == 0) return m;
    return -1;
}

const char *rs_metric_unit(rs_metric m, const char *response_unit, char *buf, size_t n)
{
    size_t k = 0;
    if (n == 0) return buf;
    for (const char *s = table[m].unit; *s && k + 1 < n; s++) {
        if (*s == 'R')
            for (const char *r = response_unit; *r && k + 1 < n; r++) buf[k++] = *r;
        else
            buf[k++] = *s;
    }
    buf[k] = '\0';
    return buf;
}
