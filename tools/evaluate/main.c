/* reshed-evaluate - scores of an ensemble, also under changes of the instrument. */
#include <string.h>

#include "tools/evaluate/job.h"
#include "tools/cli/find_weights.h"

static const cli_program self = {
    "reshed-evaluate",
    "Usage: reshed-evaluate table [OPTION]... [IMAGE WALLS]...\n"
    "  or:  reshed-evaluate shift [OPTION]...\n"
    "  or:  reshed-evaluate bayes [OPTION]... NAME[:N]=FILE...\n"
    "\n"
    "Scores an ensemble on simulated frames with known walls and on your own labelled images. The\n"
    "edge score F matches skeletons one to one within 1.5 pixels (docs/twin.md).\n"
    "\n"
    "  table   every member, the ensemble, the average of the weights and the baselines (boundary\n"
    "          of what is darker than a threshold, Canny; tuned on the frames scored, and carried\n"
    "          over from the usual simulated ones), on your images, on simulated frames: the\n"
    "          default film, usual ones, ones as in training, and ones scanned in part\n"
    "  shift   simulated frames with one effect of the instrument at rising strength: edge "
    "scores,\n"
    "          variance, calibration, and how well the out-of-distribution score tells them from\n"
    "          usual ones (AUROC and its 95 % interval, share of alarms)\n"
    "  bayes   several weights files (or their first N members) on the same simulated frames: one\n"
    "          member, an ensemble, samples of reshed-train sample, another network: edge scores "
    "and\n"
    "          calibration on usual and on shifted frames, AUROC of the maps' entropy and "
    "variance\n"
    "          (each by the length of the walls), seconds of a processor for a frame\n"
    "\n"
    "  -w, --weights=FILE     else $RESHED_WEIGHTS, else the shipped ensemble\n"
    "  -n, --frames=N         frames of each simulated set or block (60; of shift 200)\n"
    "  -s, --size=N           pixels a side of simulated frames (default 128)\n"
    "      --seed=N           of the simulated frames (default 7; training uses 1000 and above)\n"
    "      --film=KIND        random: as drawn for training (default); plain: the default film of\n"
    "                         reshed-twin image, a PZT film like those of the literature; or a\n"
    "                         kind of film: pto, laminate, relaxor, defects, mix\n"
    "      --harsh=X          instrument of usual frames, 1 as in training (default 0.5, without\n"
    "                         events such as tip changes)\n"
    "      --reliability=F.png  table: reliability diagram of the ensemble on usual frames\n"
    "      --store            shift: fit the out-of-distribution score and its threshold anew and\n"
    "                         put them into the weights file, which is replaced in one step\n"
    "      --fit=N            shift: frames to fit to, and as many for the threshold (default "
    "1000);\n"
    "                         used with --store or when the weights hold no model of the score\n"
    "      --effect=NAME,...  shift: only these (noise, blur, contrast, ...)\n"
    "      --features         shift: the AUROC of each feature alone as well; with --json every\n"
    "                         frame's features\n"
    "  -j, --threads=N        default: all processors; the result does not depend on it\n"
    "      --json             one JSON object a line on standard output\n"
    "      --quiet            print nothing but errors and results\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n"};

enum {
    OPT_SEED = CLI_OPT_FIRST,
    OPT_HARSH,
    OPT_FILM,
    OPT_RELIABILITY,
    OPT_STORE,
    OPT_FIT,
    OPT_EFFECT,
    OPT_FEATURES
};

static bool take_film(eval_job *j)
{
    j->plain = strcmp(optarg, "plain") == 0;
    j->film = RS_TWIN_FILM_PZT;
    if (j->plain || strcmp(optarg, "random") == 0 || rs_twin_film_find(optarg, &j->film))
        return true;
    cli_usage_error(&self, "--film: expected random, plain or a kind of film, found '%s'", optarg);
    return false;
}

static bool take(int c, eval_job *j)
{
    switch (c) {
    case CLI_OPT_QUIET: return j->quiet = true;
    case CLI_OPT_JSON: return j->json = true;
    case OPT_STORE: return j->store = true;
    case OPT_FEATURES: return j->features = true;
    case 'w': j->weights = optarg; return true;
    case OPT_RELIABILITY: j->reliability = optarg; return true;
    case OPT_EFFECT: j->effect = optarg; return true;
    case 'n': return cli_int(&self, "--frames", optarg, 2, 100000, &j->frames);
    case 's': return cli_int(&self, "--size", optarg, 32, 1024, &j->size);
    case 'j': return cli_int(&self, "--threads", optarg, 1, 1024, &j->threads);
    case OPT_SEED: return cli_int(&self, "--seed", optarg, 0, 99, &j->seed);
    case OPT_FIT: return cli_int(&self, "--fit", optarg, 100, 100000, &j->fit);
    case OPT_HARSH: return cli_double(&self, "--harsh", optarg, 0, 2, &j->harsh);
    case OPT_FILM: return take_film(j);
    default: return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"weights", required_argument, NULL, 'w'},
                                          {"frames", required_argument, NULL, 'n'},
                                          {"size", required_argument, NULL, 's'},
                                          {"threads", required_argument, NULL, 'j'},
                                          {"seed", required_argument, NULL, OPT_SEED},
                                          {"harsh", required_argument, NULL, OPT_HARSH},
                                          {"film", required_argument, NULL, OPT_FILM},
                                          {"reliability", required_argument, NULL, OPT_RELIABILITY},
                                          {"store", no_argument, NULL, OPT_STORE},
                                          {"fit", required_argument, NULL, OPT_FIT},
                                          {"effect", required_argument, NULL, OPT_EFFECT},
                                          {"features", no_argument, NULL, OPT_FEATURES},
                                          {0}};
    eval_job j = {.program = &self, .size = 128, .seed = 7, .fit = 1000, .harsh = 0.5};
    char path[4096];
    for (int c; (c = cli_option(&self, argc, argv, "w:n:s:j:", longs)) != -1;) {
        if (c == CLI_OPT_HELP) return cli_help(&self);
        if (c == CLI_OPT_VERSION) return cli_version(&self);
        if (!take(c, &j)) return CLI_USAGE;
    }
    if (optind == argc) return cli_usage_error(&self, "expected table, shift or bayes");
    const char *command = argv[optind++];
    const bool table = strcmp(command, "table") == 0, bayes = strcmp(command, "bayes") == 0;
    if (!table && !bayes && strcmp(command, "shift") != 0)
        return cli_usage_error(&self, "unknown command '%s'", command);
    if (table && (argc - optind) % 2)
        return cli_usage_error(&self, "table: an image without its walls: '%s'", argv[argc - 1]);
    if (bayes && optind == argc) return cli_usage_error(&self, "bayes: no NAME=FILE given");
    if (bayes && j.weights)
        return cli_usage_error(&self, "bayes: --weights does not go with it: NAME=FILE");
    if (!table && !bayes && optind < argc) return cli_usage_error(&self, "shift takes no images");
    if ((table || bayes) && (j.store || j.effect || j.features))
        return cli_usage_error(&self, "--store, --effect and --features go with shift");
    if (!table && j.reliability) return cli_usage_error(&self, "--reliability goes with table");
    j.pair = argv + optind;
    j.pairs = bayes ? argc - optind : (argc - optind) / 2;
    if (!j.frames) j.frames = table || bayes ? 60 : 200;
    if (bayes) return eval_bayes_command(&j);
    if (!cli_find_weights(&self, j.weights, path, sizeof path)) return CLI_FAILED;
    j.weights = path;
    return table ? eval_table_command(&j) : eval_shift_command(&j);
}
