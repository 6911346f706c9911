/* reshed-report - a session of reshed-scan as a page, and as figures for papers. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "report/report.h"
#include "report/summary.h"
#include "tools/cli/cli.h"
#include "tools/cli/files.h"
#include "tools/cli/paper.h"
#include "tools/cli/wall_tests.h"

static const cli_program self = {
    "reshed-report",
    "Usage: reshed-report [OPTION]... SESSION.h5\n"
    "\n"
    "Writes the report of a session of reshed-scan: one HTML file with pictures inside, for a\n"
    "session that is finished, interrupted, or being written by another program. With --figures\n"
    "writes its figures for a paper instead, each as a file, and captions.txt.\n"
    "\n"
    "  -o FILE.html           default: SESSION.html, without --figures\n"
    "      --figures=DIR      channels; image, walls and uncertainty; averaged loop; maps and\n"
    "                         histograms of the metrics; picked loops; walls with points; walls\n"
    "                         compared. DIR is made when it is not there\n"
    "      --kind=NAME        of the figures: pdf (default), svg, png\n"
    "      --paper=LIST       of the figures: width=MM (174), font=PT (8), family=NAME (DejaVu\n"
    "                         Sans), dpi=N of a PNG (300), letters=yes|no (yes), colours=\n"
    "                         viridis|magma|grey of maps that have colours\n"
    "      --json             one JSON object on standard output, with the numbers of the report\n"
    "      --quiet            print nothing but errors\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n"};

enum { OPT_FIGURES = CLI_OPT_FIRST, OPT_KIND, OPT_PAPER };

typedef struct options {
    const char *session, *figures, *kind;
    char page[4096]; /* "": none */
    rs_paper paper;
    bool quiet, json;
} options;

static bool take_kind(const char *text, const char **out)
{
    *out = text;
    if (strcmp(text, "pdf") == 0 || strcmp(text, "svg") == 0 || strcmp(text, "png") == 0)
        return true;
    cli_usage_error(&self, "--kind: expected pdf, svg or png, found '%s'", text);
    return false;
}

static bool take_page(const char *text, char page[4096])
{
    if (*text && strlen(text) < 4096) {
        strcpy(page, text);
        return true;
    }
    cli_usage_error(&self, "-o: expected a path of 1 to 4095 bytes, found %zu", strlen(text));
    return false;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, options *o)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"figures", required_argument, NULL, OPT_FIGURES},
                                          {"kind", required_argument, NULL, OPT_KIND},
                                          {"paper", required_argument, NULL, OPT_PAPER},
                                          {0}};
    bool of_figures = false;
    for (int c; (c = cli_option(&self, argc, argv, "o:", longs)) != -1;) {
        bool ok = true;
        switch (c) {
        case CLI_OPT_HELP: return cli_help(&self);
        case CLI_OPT_VERSION: return cli_version(&self);
        case CLI_OPT_QUIET: o->quiet = true; break;
        case CLI_OPT_JSON: o->json = true; break;
        case 'o': ok = take_page(optarg, o->page); break;
        case OPT_FIGURES: o->figures = optarg; break;
        case OPT_KIND: ok = of_figures = take_kind(optarg, &o->kind); break;
        case OPT_PAPER: ok = of_figures = cli_paper(&self, optarg, &o->paper); break;
        default: ok = false;
        }
        if (!ok) return CLI_USAGE;
    }
    if (optind == argc) return cli_usage_error(&self, "no SESSION given");
    if (argc - optind > 1)
        return cli_usage_error(&self, "one SESSION at a time, %d given", argc - optind);
    if (of_figures && !o->figures)
        return cli_usage_error(&self, "--kind and --paper go with --figures");
    o->session = argv[optind];
    if (o->figures || o->page[0]) return -1;
    const size_t stem = rs_path_stem(o->session);
    if (snprintf(o->page, sizeof o->page, "%.*s.html", (int)stem, o->session) < (int)sizeof o->page)
        return -1;
    return cli_usage_error(&self, "the session's path is longer than %zu bytes",
                           sizeof o->page - 6);
}

static int check_files(const options *o)
{
    cli_files files = {0};
    cli_files_input(&files, o->session);
    cli_files_output(&files, o->page[0] ? o->page : NULL, "-o");
    const int status = cli_files_check(&self, &files, "name another output");
    cli_files_clear(&files);
    return status;
}

static void put_numbers(rs_json *j, const rs_report_summary *n)
{
    rs_json_integer(j, "lines", n->lines);
    rs_json_integer(j, "lost_lines", n->lost);
    rs_json_integer(j, "points", n->points);
    rs_json_integer(j, "measured", n->measured);
    rs_json_integer(j, "loops", n->loops);
    rs_json_integer(j, "trusted", n->trusted);
    rs_json_integer(j, "walls", n->walls);
    rs_json_integer(j, "families", n->families);
    rs_json_number(j, "wall_length", n->wall_length);
    rs_json_object(j, "metrics");
    for (int i = 0; i < n->metrics; i++) {
        rs_json_object(j, n->metric[i].name);
        rs_json_string(j, "unit", n->metric[i].unit);
        rs_json_integer(j, "loops", n->metric[i].n);
        rs_json_number(j, "median", n->metric[i].median);
        rs_json_number(j, "q1", n->metric[i].q1);
        rs_json_number(j, "q3", n->metric[i].q3);
        rs_json_number(j, "least", n->metric[i].least);
        rs_json_number(j, "greatest", n->metric[i].greatest);
        rs_json_end(j);
    }
    rs_json_end(j);
    if (*n->tested) cli_wall_tests_json(j, n->tested, &n->tests);
}

static int write_all(const options *o, rs_session *s)
{
    reshed_error err = {0};
    int figures = 0;
    if (o->page[0] && rs_report_write(s, o->page, &err) != RESHED_OK)
        return cli_fail(&self, o->page, &err);
    if (o->figures &&
        rs_report_write_figures(s, o->figures, o->kind, &o->paper, &figures, &err) != RESHED_OK)
        return cli_fail(&self, o->figures, &err);
    if (o->json) {
        rs_report_summary numbers;
        if (rs_report_summarise(s, &numbers, &err) != RESHED_OK) {
            rs_report_summary_clear(&numbers);
            return cli_fail(&self, o->session, &err);
        }
        rs_json j = rs_json_to(stdout);
        rs_json_object(&j, NULL);
        rs_json_string(&j, "session", o->session);
        if (o->page[0]) rs_json_string(&j, "page", o->page);
        if (o->figures) rs_json_string(&j, "folder", o->figures);
        if (o->figures) rs_json_integer(&j, "figures", figures);
        put_numbers(&j, &numbers);
        rs_json_end(&j);
        rs_report_summary_clear(&numbers);
    } else if (!o->quiet) {
        if (o->page[0]) printf("%s: the report\n", CLI_TEXT(o->page));
        if (o->figures) printf("%s: %d figures, captions.txt\n", CLI_TEXT(o->figures), figures);
    }
    return CLI_OK;
}

int main(int argc, char **argv)
{
    options o = {.kind = "pdf"};
    rs_session *s = NULL;
    reshed_error err = {0};
    rs_paper_defaults(&o.paper);
    int status = parse(argc, argv, &o);
    if (status >= 0) return status;
    status = check_files(&o);
    if (status != CLI_OK) return status;
    if (rs_session_open(o.session, &s, &err) != RESHED_OK) return cli_fail(&self, o.session, &err);
    status = write_all(&o, s);
    rs_session_finish(s, RESHED_OK, NULL);
    return status == CLI_OK ? cli_close(&self) : status;
}
