#include "tools/beps/loops.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/progress.h"
#include "report/loop_figures.h"
#include "tools/beps/loop_options.h"
#include "tools/beps/loop_summary.h"
#include "tools/cli/files.h"

/* ------------------------------------------------------------------------------------- analysis */
/* Progress of loops that are done in any order by any thread; one of them shows it. */
typedef struct counter {
    atomic_long done;
    rs_progress bar;
    atomic_flag showing;
} counter;

static void count_loop(void *ctx, int64_t point)
{
    counter *c = ctx;
    (void)point;
    long done = atomic_fetch_add(&c->done, 1) + 1;
    if (atomic_flag_test_and_set(&c->showing)) return;
    rs_progress_update(&c->bar, done);
    atomic_flag_clear(&c->showing);
}

static reshed_status analyse(const beps_loop_settings *s, const rs_responses *in, rs_field_loops *r,
                             reshed_error *err)
{
    rs_field_options o = s->options;
    counter c = {.showing = ATOMIC_FLAG_INIT};
    o.analysis.done = count_loop;
    o.analysis.done_ctx = &c;
    rs_progress_start(&c.bar, s->quiet || s->json ? NULL : stderr, rs_field_name(r->field),
                      (long)in->points);
    reshed_status st = rs_field_loops_analyse(in, &o, r, err);
    rs_progress_finish(&c.bar);
    return st;
}

/* ----------------------------------------------------------------------------------------- main */
static reshed_status write_all(const beps_loop_settings *s, const rs_responses *in,
                               const rs_field_loops *r, int n, const int64_t *points, int n_points,
                               char blame[256], reshed_error *err)
{
    reshed_status st = RESHED_OK;
    if (s->output) {
        snprintf(blame, 256, "%.255s", s->output);
        st = rs_results_write_h5(s->output, s->input, in, &s->options.analysis, r, n, &s->metrics,
                                 err);
    }
    if (st == RESHED_OK && s->csv) {
        snprintf(blame, 256, "%.255s", s->csv);
        st = rs_results_write_csv(s->csv, in, r, n, &s->metrics, err);
    }
    for (int i = 0; st == RESHED_OK && s->png && i < n; i++)
        st = rs_loop_figures_write(s->png, in, &r[i], points, n_points, blame, err);
    for (int i = 0; st == RESHED_OK && s->figures && i < n; i++)
        st = rs_loop_figures_paper(s->figures, s->kind ? s->kind : "pdf", &s->paper, in, &r[i],
                                   points, n_points, blame, err);
    return st;
}

static int check_files(const beps_loop_settings *s)
{
    static const char *const figure[] = {"_average", "_histograms", "_maps", "_loops"};
    static const char *const field[] = {"", "_on"};
    const char *kind = s->kind ? s->kind : "pdf";
    cli_files files = {0};
    cli_files_input(&files, s->input);
    cli_files_output(&files, s->output, "-o");
    cli_files_output(&files, s->csv, "--csv");
    for (int k = 0; k < 8; k++) {
        char ending[32];
        snprintf(ending, sizeof ending, "%s%s.png", figure[k % 4], field[k / 4]);
        if (s->png) cli_files_output_named(&files, s->png, ending, "--png");
        snprintf(ending, sizeof ending, "%s%s.%s", figure[k % 4], field[k / 4], kind);
        if (s->figures) cli_files_output_named(&files, s->figures, ending, "--figures");
    }
    const int status = cli_files_check(&beps_loops_program, &files, "name another output");
    cli_files_clear(&files);
    return status;
}

/* The loops of a session have the numbers that its scan gave them, unless other ways are asked for:
 * it saw one after the other, no map. */
static void as_the_scan(beps_loop_settings *s, const rs_responses *in)
{
    if (!s->unfold_given) s->unfold = RS_UNFOLD_AREA;
    if (!s->outlier_given) s->options.analysis.outlier = 0;
    if (!s->first_given) s->options.analysis.drop_first = !in->keep_first;
}

int beps_loops_main(int argc, char **argv)
{
    beps_loop_settings s = {0};
    rs_responses in = {0};
    rs_field_loops r[2] = {{0}};
    rs_field fields[2];
    reshed_error err = {0};
    int64_t points[BEPS_MAX_POINTS], reference = -1;
    char blame[256];
    double *work = NULL, start = rs_os_monotonic();
    int rc, n = 0, n_points = 0;
    if (!beps_loop_parse(argc, argv, &s, &rc)) return rc;
    if ((rc = check_files(&s)) != CLI_OK) return rc;

    snprintf(blame, sizeof blame, "%.255s", s.input);
    /* Data with one reading for each step are what the user says, off-field by default. */
    s.source.single = s.field == RS_WANT_ON ? RS_FIELD_ON : RS_FIELD_OFF;
    reshed_status st = rs_responses_read(s.input, &s.source, &in, &err);
    if (st != RESHED_OK) goto done;
    if (in.of_session) as_the_scan(&s, &in);
    if (!beps_loop_parse_points(&s, &in, points, &n_points, &reference)) {
        rs_responses_clear(&in);
        return CLI_USAGE;
    }
    n = rs_field_choose(&in, s.field, fields);
    if (n == 0) {
        st = rs_fail(&err, RESHED_EUNSUPPORTED, "the fields asked for|%s|%s|%s",
                     s.field == RS_WANT_BOTH ? "on-field and off-field readings" : "such readings",
                     in.has[RS_FIELD_ON] ? "on-field ones" : "off-field ones", in.path);
        goto done;
    }
    work = rs_alloc((size_t)in.points, 2 * sizeof *work);
    if (!work) st = rs_fail_nomem(&err, "the summary", (size_t)in.points * 2 * sizeof *work);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        r[i].field = fields[i];
        st = rs_responses_unfold(&in, fields[i], s.unfold, reference, s.options.analysis.threads,
                                 &r[i].unfolded, &err);
        if (st == RESHED_OK) st = analyse(&s, &in, &r[i], &err);
    }
    if (st == RESHED_OK && n == 2) st = rs_field_loops_difference(&in, &r[0], &r[1], &err);
    if (st == RESHED_OK) st = write_all(&s, &in, r, n, points, n_points, blame, &err);
    if (st != RESHED_OK) goto done;
    if (s.json)
        beps_loop_print_json(&s, &in, r, n, rs_os_monotonic() - start, work);
    else
        for (int i = 0; !s.quiet && i < n; i++) beps_loop_print_text(&s, &in, &r[i], work);
done:
    rs_free(work);
    for (int i = 0; i < 2; i++) rs_field_loops_clear(&r[i]);
    rs_responses_clear(&in);
    return st == RESHED_OK ? cli_close(&beps_loops_program)
                           : cli_fail(&beps_loops_program, blame, &err);
}
