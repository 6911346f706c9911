#include "tools/scan/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "spm/instrument/drivers.h"

const cli_program scan_program = {
    "reshed-scan",
    "Usage: reshed-scan --driver NAME -o SESSION.h5 [OPTION]...\n"
    "       reshed-scan --resume --driver NAME -o SESSION.h5 [OPTION]...\n"
    "       reshed-scan --analyse SESSION.h5 [OPTION]...\n"
    "       reshed-scan --self-test DRIVER [-d NAME=VALUE]...\n"
    "\n"
    "Scans a region, finds the domain walls while the lines come, measures switching loops on "
    "them,\n"
    "and writes a session file that survives crashes and holds everything, and a report.\n"
    "\n"
    "      --driver=NAME      twin, replay, nanonis, or the path of a shared object\n"
    "  -d, --option=NAME=VALUE  an option of the driver; --list prints them\n"
    "  -s, --set=NAME=VALUE   a setting, such as width=3e-6, rows=256, voltage=6, every=10 (SI\n"
    "                         units); --list prints all. A frame that is not given is the one "
    "that\n"
    "                         the instrument has\n"
    "      --workflow=FILE    settings, limits, regions, steps and metadata from a file (INI); "
    "what "
    "is\n"
    "                         typed comes before it, and the driver has to be typed\n"
    "      --save-settings    print this run as such a file, and do nothing else\n"
    "      --list             print the drivers, their options, and the settings\n"
    "  -o FILE                the session (HDF5); further regions get FILE_2.h5, ...\n"
    "      --region=X,Y       another region of the same size, centre in metres; may be repeated\n"
    "  -w, --weights=FILE     default: $RESHED_WEIGHTS, else the shipped ensemble\n"
    "      --norm=NAME        scanned (default), frame, robust, or LO,HI\n"
    "      --front=NAME       how unscanned rows look to the network: zero (default) or reflect\n"
    "      --preview=NAME     rows that can still change: fp32 (default), bf16, off\n"
    "      --budget=MINUTES   for the points: thinned to fit\n"
    "      --points=FILE.csv  measure these (columns row,col or x,y in metres) instead of "
    "choosing\n"
    "      --confirm          stop before the first bias pulse: points go to SESSION_points.csv "
    "and\n"
    "                         .png; edit the CSV and go on with --resume --points=FILE.csv\n"
    "      --live[=ADDRESS:PORT]  serve a page that shows the scan and steers it (default: "
    "127.0.0.1\n"
    "                         and a free port); both addresses are printed, one steers, one "
    "watches.\n"
    "                         With --confirm the points then wait there, and can be changed\n"
    "      --live-wait=SECONDS  how long a pause, or points, wait for somebody (3600) until the "
    "run\n"
    "                         is halted; 0: for ever\n"
    "      --open             open the page in the browser\n"
    "      --dry-run          print the plan and how long it takes; no driver is loaded and no\n"
    "                         instrument opened\n"
    "      --resume           go on with an interrupted session and the regions after it: driver "
    "and\n"
    "                         options are typed again and must be those of the session, which\n"
    "                         --resume --dry-run prints; limits may be narrower, points fewer\n"
    "      --self-test=DRIVER  go through the driver's calls without any voltage, and report; the "
    "tip\n"
    "                         scans two lines and is withdrawn\n"
    "      --analyse=FILE     redo segmentation, choice and analysis from the raw data, compare\n"
    "      --report=FILE.html default: beside the session; \"none\": no report\n"
    "      --pictures=PREFIX  previews that are replaced while the scan goes on (default: beside\n"
    "                         the session; \"none\": no pictures)\n"
    "      --sample=TEXT --operator=TEXT  for the session file\n"
    "  -j, --threads=N        default: all processors\n"
    "      --json             a summary as one JSON object on standard output\n"
    "      --quiet            no progress\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Ctrl-C stops at once: no more motion, drive off, bias zero; the session can be resumed.\n"
    "Exit status: 0 done, 1 failed, interrupted or waiting for a decision, 2 wrong usage.\n"};

enum {
    OPT_DRIVER = CLI_OPT_FIRST,
    OPT_LIST,
    OPT_WORKFLOW,
    OPT_SAVE_SETTINGS,
    OPT_REGION,
    OPT_NORM,
    OPT_FRONT,
    OPT_PREVIEW,
    OPT_BUDGET,
    OPT_POINTS,
    OPT_CONFIRM,
    OPT_LIVE,
    OPT_LIVE_WAIT,
    OPT_OPEN,
    OPT_DRY_RUN,
    OPT_RESUME,
    OPT_ANALYSE,
    OPT_SELF_TEST,
    OPT_REPORT,
    OPT_PICTURES,
    OPT_SAMPLE,
    OPT_OPERATOR
};

static int list_all(void)
{
    int n;
    rs_scan_settings s;
    rs_scan_settings_defaults(&s);
    printf("Settings (--set NAME=VALUE), with their defaults:\n");
    const rs_scan_field *f = rs_scan_fields(&n);
    for (int i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s=%g %s", f[i].name, rs_scan_get(&s, &f[i]), f[i].unit);
        printf("    %-30s %s\n", text, f[i].help);
    }
    for (int i = 0; i < rs_driver_count(); i++) {
        printf("\nOptions of the driver %s (--option NAME=VALUE):\n%s", rs_driver_name(i),
               rs_driver_help(i));
    }
    return cli_close(&scan_program);
}

/* Cuts NAME=VALUE at its first '='. */
static bool split(char *text, const char *option, char **value)
{
    *value = strchr(text, '=');
    if (!*value) {
        cli_usage_error(&scan_program, "%s: expected NAME=VALUE, found '%s'", option, text);
        return false;
    }
    *(*value)++ = '\0';
    return true;
}

static void note_given(scan_options *o, const char *name)
{
    if (!rs_scan_plan_given(&o->plan, name)) o->given[o->plan.givens++] = name;
}

static bool set(scan_options *o, char *text)
{
    reshed_error err = {0};
    char *value, why[512];
    if (!split(text, "--set", &value)) return false;
    if (rs_scan_set(&o->plan.settings, text, value, &err) == RESHED_OK) {
        note_given(o, text);
        rs_flow_drop(&o->plan.steps, text);
        return true;
    }
    cli_usage_error(&scan_program, "--set: %s", reshed_error_text(&err, why, sizeof why));
    return false;
}

static bool add_option(scan_options *o, char *text)
{
    char *value;
    if (!split(text, "--option", &value)) return false;
    if (o->plan.options == SCAN_MAX_OPTIONS) {
        cli_usage_error(&scan_program, "more than %d options of a driver", SCAN_MAX_OPTIONS);
        return false;
    }
    o->option[o->plan.options++] = (rs_driver_option){text, value};
    return true;
}

static bool pair(const char *option, const char *text, double *a, double *b)
{
    const char *comma = strchr(text, ',');
    if (comma && rs_number_parse(text, (size_t)(comma - text), a) &&
        rs_number_parse(comma + 1, strlen(comma + 1), b))
        return true;
    cli_usage_error(&scan_program, "%s: expected two numbers with a comma, found '%s'", option,
                    text);
    return false;
}

static bool set_norm(scan_options *o, const char *text)
{
    reshed_error err = {0};
    char why[512];
    if (rs_scan_plan_set_norm(&o->plan, text, &err) == RESHED_OK) {
        note_given(o, "norm");
        return true;
    }
    cli_usage_error(&scan_program, "--norm: %s", reshed_error_text(&err, why, sizeof why));
    return false;
}

static bool choice(const char *option, const char *text, const char *const *words, int n, int *out)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    cli_usage_error(&scan_program, "%s: expected %s, %s%s%s, found '%s'", option, words[0],
                    words[1], n > 2 ? " or " : "", n > 2 ? words[2] : "", text);
    return false;
}

static bool parse_value(int c, char *text, scan_options *o)
{
    rs_scan_plan *plan = &o->plan;
    int i;
    long threads;
    double minutes;
    switch (c) {
    case OPT_DRIVER: plan->driver = text; return true;
    case 'd': return add_option(o, text);
    case 's': return set(o, text);
    case 'o': o->out = text; return true;
    case 'w': o->weights = text; return true;
    case OPT_NORM: return set_norm(o, text);
    case OPT_FRONT:
        if (!choice("--front", text, rs_scan_front_words, 2, &i)) return false;
        plan->stream.front = (rs_front_kind)i;
        note_given(o, "front");
        return true;
    case OPT_PREVIEW:
        if (!choice("--preview", text, rs_scan_preview_words, 3, &i)) return false;
        plan->stream.preview = (rs_preview)i;
        note_given(o, "preview");
        return true;
    case OPT_BUDGET:
        if (!cli_double(&scan_program, "--budget", text, 0, 1e6, &minutes)) return false;
        plan->settings.budget = 60 * minutes;
        note_given(o, "budget");
        return true;
    case OPT_REGION:
        if (!o->regions_typed) plan->regions = 0; /* those of a workflow */
        o->regions_typed = true;
        if (plan->regions == RS_SCAN_MAX_REGIONS) {
            cli_usage_error(&scan_program, "more than %d regions", RS_SCAN_MAX_REGIONS);
            return false;
        }
        if (!pair("--region", text, &plan->region_x[plan->regions], &plan->region_y[plan->regions]))
            return false;
        plan->regions++;
        return true;
    case OPT_WORKFLOW: return true; /* read before all others */
    case OPT_POINTS: o->points = text; return true;
    case OPT_LIVE:
        o->live = true;
        return cli_take_address(&scan_program, "--live", text, &o->live_at);
    case OPT_LIVE_WAIT:
        return cli_double(&scan_program, "--live-wait", text, 0, 1e7, &o->live_wait);
    case OPT_ANALYSE: o->analyse = text; return true;
    case OPT_SELF_TEST: o->self_test = text; return true;
    case OPT_REPORT: o->report = text; return true;
    case OPT_PICTURES: o->pictures = text; return true;
    case OPT_SAMPLE: plan->sample = text; return true;
    case OPT_OPERATOR: plan->operator_name = text; return true;
    case 'j':
        if (!cli_int(&scan_program, "--threads", text, 1, 1024, &threads)) return false;
        plan->stream.threads = (int)threads;
        return true;
    default: return false;
    }
}

static void complain(void *ctx, const reshed_error *fault)
{
    const scan_options *o = ctx;
    cli_fail(&scan_program, o->workflow_file, fault);
}

/* The file of --workflow, before what else is typed. -1: go on; else the exit status. */
static int read_workflow(int argc, char **argv, const char *shorts, const struct option *longs,
                         scan_options *o)
{
    for (int c; (c = cli_option(&scan_program, argc, argv, shorts, longs)) != -1;) {
        if (c == CLI_OPT_ERROR) return CLI_USAGE;
        if (c == CLI_OPT_HELP || c == CLI_OPT_VERSION || c == OPT_LIST) break;
        if (c == OPT_WORKFLOW) o->workflow_file = optarg;
    }
    optind = 0; /* from the start again */
    if (!o->workflow_file) return -1;
    reshed_error err = {0};
    if (rs_workflow_read(o->workflow_file, &o->plan, &o->workflow, complain, o, &err) != RESHED_OK)
        return CLI_FAILED;
    for (int i = 0; i < o->workflow.givens; i++) o->given[i] = o->workflow.given[i];
    o->plan.given = o->given;
    o->weights = o->workflow.weights;
    return -1;
}

/* Prints the run as a workflow. */
static int save_settings(const scan_options *o)
{
    const rs_limits limits = rs_scan_limits(&o->plan.settings);
    const rs_frame frame = rs_scan_frame(&o->plan.settings);
    reshed_error err = {0};
    char *text = NULL;
    reshed_status st = rs_limits_check_frame(&limits, &frame, &err);
    if (st == RESHED_OK) st = rs_scan_plan_check(&o->plan, &frame, &limits, &err);
    if (st == RESHED_OK) st = rs_workflow_text(&o->plan, o->weights, &text, &err);
    if (st != RESHED_OK) return cli_fail(&scan_program, o->workflow_file, &err);
    fputs(text, stdout);
    rs_free(text);
    return cli_close(&scan_program);
}

static int check(const scan_options *o)
{
    if ((o->analyse || o->self_test) && (o->workflow_file || o->save_settings))
        return cli_usage_error(&scan_program, "--workflow and --save-settings are for a scan");
    if (o->save_settings && o->resume)
        return cli_usage_error(&scan_program, "--save-settings or --resume, not both");
    if (o->analyse && (o->out || o->plan.driver || o->resume || o->dry_run || o->plan.options ||
                       o->plan.givens || o->plan.regions || o->points || o->confirm))
        return cli_usage_error(&scan_program, "--analyse goes alone");
    if (o->self_test && (o->analyse || o->out || o->plan.driver || o->resume || o->dry_run ||
                         o->json || o->plan.givens || o->plan.regions || o->points || o->confirm))
        return cli_usage_error(&scan_program, "--self-test goes alone, with options of the driver");
    if (o->live && (o->analyse || o->self_test || o->dry_run))
        return cli_usage_error(&scan_program, "--live is for a scan");
    if (o->open && !o->live) return cli_usage_error(&scan_program, "--open goes with --live");
    if (o->analyse || o->self_test) return -1;
    if (o->save_settings) return -1;
    if (!o->out && (!o->dry_run || o->resume))
        return cli_usage_error(&scan_program, "no -o SESSION.h5 given");
    if (!o->resume && !o->plan.driver) return cli_usage_error(&scan_program, "no --driver given");
    if (o->confirm && o->points)
        return cli_usage_error(&scan_program, "--confirm or --points, not both");
    if ((o->confirm || o->points) && !rs_flow_choose_once(&o->plan.steps))
        return cli_usage_error(&scan_program, "%s goes with steps that choose points once",
                               o->confirm ? "--confirm" : "--points");
    return -1;
}

/* The driver of a workflow is only compared. */
static int check_driver(const scan_options *o)
{
    reshed_error err = {0};
    if (o->resume || o->save_settings ||
        rs_workflow_check_driver(&o->workflow, &o->plan, &err) == RESHED_OK)
        return -1;
    return cli_fail(&scan_program, o->workflow_file, &err);
}

int scan_parse(int argc, char **argv, scan_options *o)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"driver", required_argument, NULL, OPT_DRIVER},
                                          {"option", required_argument, NULL, 'd'},
                                          {"set", required_argument, NULL, 's'},
                                          {"list", no_argument, NULL, OPT_LIST},
                                          {"workflow", required_argument, NULL, OPT_WORKFLOW},
                                          {"save-settings", no_argument, NULL, OPT_SAVE_SETTINGS},
                                          {"region", required_argument, NULL, OPT_REGION},
                                          {"weights", required_argument, NULL, 'w'},
                                          {"norm", required_argument, NULL, OPT_NORM},
                                          {"front", required_argument, NULL, OPT_FRONT},
                                          {"preview", required_argument, NULL, OPT_PREVIEW},
                                          {"budget", required_argument, NULL, OPT_BUDGET},
                                          {"points", required_argument, NULL, OPT_POINTS},
                                          {"confirm", no_argument, NULL, OPT_CONFIRM},
                                          {"dry-run", no_argument, NULL, OPT_DRY_RUN},
                                          {"resume", no_argument, NULL, OPT_RESUME},
                                          {"analyse", required_argument, NULL, OPT_ANALYSE},
                                          {"self-test", required_argument, NULL, OPT_SELF_TEST},
                                          {"live", optional_argument, NULL, OPT_LIVE},
                                          {"live-wait", required_argument, NULL, OPT_LIVE_WAIT},
                                          {"open", no_argument, NULL, OPT_OPEN},
                                          {"report", required_argument, NULL, OPT_REPORT},
                                          {"pictures", required_argument, NULL, OPT_PICTURES},
                                          {"sample", required_argument, NULL, OPT_SAMPLE},
                                          {"operator", required_argument, NULL, OPT_OPERATOR},
                                          {"threads", required_argument, NULL, 'j'},
                                          {0}};
    static const char shorts[] = "d:s:o:w:j:";
    memset(o, 0, sizeof *o);
    rs_scan_plan_defaults(&o->plan);
    o->live_wait = 3600;
    o->plan.option = o->option;
    o->plan.given = o->given;
    o->plan.program = "reshed-scan " RESHED_VERSION;
    int status = read_workflow(argc, argv, shorts, longs, o);
    if (status >= 0) return status;
    for (int c; (c = cli_option(&scan_program, argc, argv, shorts, longs)) != -1;) {
        switch (c) {
        case CLI_OPT_HELP: return cli_help(&scan_program);
        case CLI_OPT_VERSION: return cli_version(&scan_program);
        case CLI_OPT_ERROR: return CLI_USAGE;
        case CLI_OPT_QUIET: o->quiet = true; break;
        case CLI_OPT_JSON: o->json = true; break;
        case OPT_LIST: return list_all();
        case OPT_SAVE_SETTINGS: o->save_settings = true; break;
        case OPT_CONFIRM: o->confirm = true; break;
        case OPT_OPEN: o->open = true; break;
        case OPT_DRY_RUN: o->dry_run = true; break;
        case OPT_RESUME: o->resume = true; break;
        default:
            if (!parse_value(c, optarg, o)) return CLI_USAGE;
            break;
        }
    }
    if (optind < argc)
        return cli_usage_error(&scan_program, "unexpected argument '%s'", argv[optind]);
    status = check(o);
    if (status < 0) status = check_driver(o);
    if (status < 0 && o->save_settings) status = save_settings(o);
    return status;
}
