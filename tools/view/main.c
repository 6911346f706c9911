/* reshed-view - a session of reshed-scan, or an image, as a page that is served to a browser. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"
#include "live/server.h"
#include "live/session.h"
#include "report/summary.h"
#include "tools/cli/cli.h"
#include "tools/cli/find_weights.h"
#include "tools/cli/serve.h"
#include "tools/view/image.h"

#include "base/alloc.h"

static const cli_program self = {
    "reshed-view",
    "Usage: reshed-view [OPTION]... SESSION.h5 | IMAGE\n"
    "\n"
    "Serves a page with a session of reshed-scan to a browser: one that is finished or "
    "interrupted, or\n"
    "that another program is writing, which the page then follows. The address is printed; "
    "whoever\n"
    "has it can look, and only they. An image (any kind that reshed-infer reads, HDF5 aside) is "
    "shown\n"
    "with the ensemble's maps of it.\n"
    "\n"
    "      --listen=ADDRESS:PORT  default: 127.0.0.1 and a free port. Any other address can be\n"
    "                         reached by other computers, without encryption\n"
    "  -w, --weights=FILE     for an image; default: $RESHED_WEIGHTS, else the shipped ensemble\n"
    "      --open             open it in the browser\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Labels that are drawn on the page are saved beside the session. Ctrl-C ends it.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n"};

enum { OPT_LISTEN = CLI_OPT_FIRST, OPT_OPEN };

/* s between two looks at a file that is being written. */
#define LOOK_EVERY 0.25
/* The same of one that was interrupted and may be resumed. */
#define LOOK_AGAIN 2.0
/* s for which a file may not be readable, while another program opens or closes it. */
#define PATIENCE 10.0

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

typedef struct view {
    const char *file, *weights, *where;
    char found[4096];
    cli_address address;
    bool open;
    rs_session *session;
    rs_board *board;
    rs_labels *labels;
    rs_server *server;
    rs_session_board *shown;
} view;

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, view *v)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"listen", required_argument, NULL, OPT_LISTEN},
                                          {"open", no_argument, NULL, OPT_OPEN},
                                          {"weights", required_argument, NULL, 'w'},
                                          {0}};
    const char *listen = NULL;
    for (int c; (c = cli_option(&self, argc, argv, "w:", longs)) != -1;) {
        switch (c) {
        case CLI_OPT_HELP: return cli_help(&self);
        case CLI_OPT_VERSION: return cli_version(&self);
        case OPT_LISTEN: listen = optarg; break;
        case OPT_OPEN: v->open = true; break;
        case 'w': v->weights = optarg; break;
        case CLI_OPT_QUIET: break;
        default: return CLI_USAGE;
        }
    }
    if (!cli_take_address(&self, "--listen", listen, &v->address)) return CLI_USAGE;
    if (optind == argc) return cli_usage_error(&self, "no SESSION or IMAGE given");
    if (argc - optind > 1)
        return cli_usage_error(&self, "one SESSION or IMAGE at a time, %d given", argc - optind);
    v->file = argv[optind];
    return -1;
}

/* Of a session that does not change any more: tests of its walls. */
static void post_walls(view *v)
{
    rs_report_summary n;
    rs_board_test alternation = {.p = NAN}, lengths = {.p = NAN};
    if (rs_report_summarise(v->session, &n, NULL) == RESHED_OK && n.walls > 0) {
        if (*n.tested && n.tests.has_alternation)
            alternation = (rs_board_test){n.tests.alternation.p, n.tests.alternation.difference,
                                          n.tests.alternation.walls};
        if (*n.tested && n.tests.has_lengths)
            lengths = (rs_board_test){n.tests.lengths.p, n.tests.lengths.effect,
                                      n.tests.lengths.n[0] + n.tests.lengths.n[1]};
        rs_board_walls(v->board, n.walls, n.families, &alternation, &lengths);
    }
    rs_report_summary_clear(&n);
}

static reshed_status post_image(rs_board *board, const view_maps *m, const rs_board_source *source,
                                reshed_error *err)
{
    const rs_image *im = &m->image;
    rs_session_setup setup = {.amplitude_unit = im->unit, .sample = im->channel};
    const float *map[RS_SESSION_MAPS] = {[RS_SESSION_AMPLITUDE] = im->data,
                                         [RS_SESSION_MEAN] = m->wall,
                                         [RS_SESSION_VARIANCE] = m->variance};
    uint8_t *state = rs_alloc((size_t)im->height, 1);
    if (!state) return rs_fail_nomem(err, "rows", (size_t)im->height);
    memset(state, RS_SESSION_FINAL, (size_t)im->height);
    setup.frame = (rs_frame){.rows = im->height,
                             .cols = im->width,
                             .width = im->dx * im->width,
                             .height = im->dy * im->height,
                             .cx = im->x0,
                             .cy = im->y0};
    const reshed_status st = rs_board_begin(board, source, &setup, err);
    if (st == RESHED_OK) {
        const rs_board_scan s = {.row = im->height - 1,
                                 .arrived = im->height,
                                 .latency = NAN,
                                 .score = m->score,
                                 .uncertainty = m->uncertainty,
                                 .alarm = m->fault[0] || m->score > m->threshold,
                                 .fault = m->fault};
        rs_board_rows(board, map, state, true);
        rs_board_line(board, &s);
        if (im->note[0]) rs_board_log(board, 0, RS_SESSION_NOTE, im->note);
        rs_board_run(board, RS_BOARD_DONE, false, "an image");
    }
    rs_free(state);
    return st;
}

static reshed_status show_image(view *v, const char *program, reshed_error *err)
{
    view_maps m = {.score = NAN};
    if (!cli_find_weights(&self, v->weights, v->found, sizeof v->found))
        return rs_fail(err, RESHED_EINVAL, "weights|a file|none");
    reshed_status st = view_run(v->file, v->found, &m, &v->where, err);
    const rs_board_source source = {.kind = "image",
                                    .name = rs_path_name(v->file),
                                    .program = program,
                                    .threshold = m.threshold};
    if (st == RESHED_OK) st = post_image(v->board, &m, &source, err);
    view_clear(&m);
    return st;
}

static reshed_status show_session(view *v, const char *program, reshed_error *err)
{
    reshed_status st = rs_session_open(v->file, &v->session, err);
    if (st == RESHED_OK)
        st = rs_session_board_open(v->board, v->session, rs_path_name(v->file), program, &v->shown,
                                   err);
    if (st == RESHED_OK && !rs_session_board_live(v->shown)) post_walls(v);
    return st;
}

static reshed_status start(view *v, reshed_error *err)
{
    char program[64];
    snprintf(program, sizeof program, "%s %s", self.name, RESHED_VERSION);
    reshed_status st = rs_board_create(&v->board, err);
    if (st == RESHED_OK) st = rs_labels_create(v->board, v->file, &v->labels, err);
    if (st == RESHED_OK)
        st = view_is_image(v->file) ? show_image(v, program, err) : show_session(v, program, err);
    const rs_server_options o = {.board = v->board,
                                 .labels = v->labels,
                                 .address = v->address.host,
                                 .port = v->address.port};
    return st == RESHED_OK ? rs_server_start(&o, &v->server, err) : st;
}

static reshed_status follow(view *v, reshed_error *err)
{
    double good = rs_os_monotonic(), looked = good;
    while (!caught) {
        rs_os_sleep(LOOK_EVERY);
        const double now = rs_os_monotonic();
        if (caught || !v->shown || rs_session_board_complete(v->shown)) continue;
        const bool was_live = rs_session_board_live(v->shown);
        if (!was_live && now - looked < LOOK_AGAIN) continue;
        looked = now;
        const reshed_status st = rs_session_board_update(v->shown, err);
        if (st == RESHED_OK)
            good = now;
        else if (was_live && now - good > PATIENCE)
            return st;
        if (st == RESHED_OK && was_live && !rs_session_board_live(v->shown)) post_walls(v);
    }
    return RESHED_OK;
}

int main(int argc, char **argv)
{
    view v = {0};
    reshed_error err = {0};
    int status = parse(argc, argv, &v);
    if (status >= 0) return status;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    reshed_status st = start(&v, &err);
    if (st == RESHED_OK) {
        printf("%s\n", rs_server_url(v.server, true));
        fflush(stdout);
        if (v.open) cli_open(&self, rs_server_url(v.server, true));
        st = follow(&v, &err);
    }
    status = st == RESHED_OK ? CLI_OK : cli_fail(&self, v.where ? v.where : v.file, &err);
    rs_server_stop(v.server);
    rs_session_board_free(v.shown);
    rs_labels_free(v.labels);
    rs_board_free(v.board);
    if (v.session) rs_session_finish(v.session, RESHED_OK, NULL);
    return status == CLI_OK ? cli_close(&self) : status;
}
