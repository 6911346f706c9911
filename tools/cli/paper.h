/* paper.h - options of figures for papers: --figure and --paper. */
#ifndef RS_TOOLS_CLI_PAPER_H
#define RS_TOOLS_CLI_PAPER_H

#include "imgproc/figures/plot.h"
#include "tools/cli/cli.h"

/* Lines of --help. */
#define CLI_PAPER_HELP                                                                             \
    "      --figure=FILE      a figure for a paper: *.pdf or *.svg, or *.png of pixels\n"          \
    "      --paper=LIST       of the figure: width=MM (174), font=PT (8), family=NAME (DejaVu\n"   \
    "                         Sans), dpi=N of a PNG (300), letters=yes|no (yes), colours=\n"       \
    "                         viridis|magma|grey of maps that have colours; e.g.\n"                \
    "                         width=86,font=7,family=Liberation Sans\n"

/* Checks the ending of a --figure; false after a message. */
bool cli_figure(const cli_program *program, const char *text, const char **path);
/* "KEY=VALUE,..." into *paper; false after a message. */
bool cli_paper(const cli_program *program, const char *text, rs_paper *paper);

#endif
