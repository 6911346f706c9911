/* loop_figures.h - pictures of analysed loops. */
#ifndef RS_REPORT_LOOP_FIGURES_H
#define RS_REPORT_LOOP_FIGURES_H

#include "imgproc/figures/plot_types.h"
#include "spectra/field_loops.h"

/* Writes PREFIX_average.png, PREFIX_histograms.png, PREFIX_maps.png and PREFIX_loops.png (with
 * "_on" before the dot for on-field loops): the averaged loop with its width drawn; histograms and
 * maps of the summary metrics, over the trusted loops, with limits that outliers do not move; and
 * the loops at `chosen` points (or at six spread over the widths, when n_chosen is 0) with their
 * fitted function. failed [256] gets the path that could not be written. */
reshed_status rs_loop_figures_write(const char *prefix, const rs_responses *in,
                                    const rs_field_loops *r, const int64_t *chosen, int n_chosen,
                                    char failed[256], reshed_error *err);

/* The same for a paper, as PREFIX_average.KIND and so on; kind: "pdf", "svg" or "png". */
reshed_status rs_loop_figures_paper(const char *prefix, const char *kind, const rs_paper *paper,
                                    const rs_responses *in, const rs_field_loops *r,
                                    const int64_t *chosen, int n_chosen, char failed[256],
                                    reshed_error *err);

#endif
