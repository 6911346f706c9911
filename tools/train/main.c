/* reshed-train - trains ensembles, and teaches one the walls of a film. */
#include <stdlib.h>
#include <string.h>

#include "tools/train/job.h"
#include "tools/cli/files.h"
#include "tools/cli/find_weights.h"

#include "base/alloc.h"
#include "base/number.h"

static const cli_program self = {
    "reshed-train",
    "Usage: reshed-train fit       -o OUT.h5 [OPTION]... [IMAGE WALLS]...\n"
    "  or:  reshed-train tune      -o OUT.h5 [OPTION]... IMAGE WALLS [IMAGE WALLS]...\n"
    "  or:  reshed-train calibrate -o OUT.h5 [OPTION]...\n"
    "  or:  reshed-train sample    -o OUT.h5 --sampler=swag|sghmc [OPTION]...\n"
    "\n"
    "  fit        trains an ensemble from random starts on simulated frames, no two alike\n"
    "  tune       teaches an ensemble the film under the tip by frames of it on which you have\n"
    "             drawn the walls, simulated frames between them so that nothing is forgotten\n"
    "  calibrate  scale and shift of every member's last layer with the best edge score on\n"
    "             simulated frames\n"
    "  sample     several networks from one training instead of independent ones: weights around\n"
    "             the end of it (swag), or a Markov chain with noise (sghmc); not resumable.\n"
    "             reshed-evaluate bayes compares them\n"
    "\n"
    "IMAGE: any format of reshed-infer. WALLS: a picture of the same frame, walls bright on dark "
    "or\n"
    "1 on 0, of the image's size or another (then as thin lines); beside 1, the value 255 is for\n"
    "pixels that nobody has looked at. docs/train.md shows how.\n"
    "\n"
    "  -o, --output=FILE      weights to write; they hold the whole recipe\n"
    "  -w, --weights=FILE     tune, calibrate: the ensemble to start from; else $RESHED_WEIGHTS,\n"
    "                         else the shipped one\n"
    "      --unknown=MAP      what is not 0 there is not known; of the first frame, given again "
    "of\n"
    "                         the second, ... (\"-\" for none)\n"
    "      --steps=N          of every member (fit 1200, tune 80)\n"
    "      --minutes=X        as many steps as fit into that time; their number, and so the "
    "result,\n"
    "                         depends on the machine and on the threads (10 at least)\n"
    "      --members=N        fit: 10; tune: those of the ensemble\n"
    "      --filters=N        fit: of the first level (default 16)\n"
    "      --layers=A,B,C     fit: blocks of each level (default 3,4,5)\n"
    "      --rate=X           largest learning rate (fit 0.002, tune 0.0004)\n"
    "      --batch=N          pieces in a step (default 8)\n"
    "      --piece=N          pixels a side of a piece (default 112)\n"
    "      --share=X          of the pieces, from your own frames (default 0.25)\n"
    "      --film=KIND        of simulated frames: pzt, pto, laminate, relaxor, defects, mix\n"
    "                         (default pzt); tune: with any but pzt no frame of yours is needed\n"
    "      --harsh=X          strength of their instrument, 0 to 2 (default 1)\n"
    "      --images=N         simulated frames that are used again and again (default: each once)\n"
    "      --augment=X        strength of what is done to pieces, 0 to 2 (default 1)\n"
    "      --invert=X         share of pieces with inverted contrast (default 0)\n"
    "      --noisy=X          share of pieces with heavy noise (default 0)\n"
    "      --keep=X           tune: share of the weights that it started from in the result, "
    "weight "
    "by\n"
    "                         weight, 0 to 1 (default 0)\n"
    "      --thawed           tune: batch normalisation learns as well\n"
    "      --seed=N           everything random comes from it (default 1)\n"
    "      --checkpoints=DIR  where an interrupted training goes on from when it is asked for "
    "again\n"
    "                         (default OUT.h5.training, removed at the end)\n"
    "      --curve=FILE       loss and edge score over the steps: *.png, *.svg or *.pdf\n"
    "      --fp16             store convolution weights in half precision\n"
    "      --frames=N         calibrate: simulated frames (default 40; of --film)\n"
    "      --scales=LIST      calibrate: to try (default 1,1.15,1.3,1.5)\n"
    "      --shifts=LIST      calibrate: to try (default 0,0.2,0.4,0.6,0.8)\n"
    "      --most-error=X     calibrate: largest calibration error near walls (default 0.055)\n"
    "      --sampler=KIND     sample: swag (Maddox et al., arXiv 1902.02476), sghmc (cyclical; "
    "Zhang\n"
    "                         et al., arXiv 1902.03932). --members is the number of samples, "
    "--rate\n"
    "                         of sghmc 0.1, --images the frames that its posterior is of (1000)\n"
    "      --cycles=N         sample, sghmc: of the rate (default 5)\n"
    "      --friction=X       sample, sghmc: share of the momentum lost in a step (default 0.1)\n"
    "      --temperature=X    sample, sghmc: of the noise; 1 is the posterior's (default 1)\n"
    "  -j, --threads=N        members at a time; default: all processors; the result does not\n"
    "                         depend on it, but for --minutes\n"
    "      --json             one JSON object on standard output\n"
    "      --quiet            no progress; print nothing but errors\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n"};

enum {
    OPT_UNKNOWN = CLI_OPT_FIRST,
    OPT_STEPS,
    OPT_MINUTES,
    OPT_MEMBERS,
    OPT_FILTERS,
    OPT_LAYERS,
    OPT_RATE,
    OPT_BATCH,
    OPT_PIECE,
    OPT_SHARE,
    OPT_FILM,
    OPT_HARSH,
    OPT_IMAGES,
    OPT_AUGMENT,
    OPT_INVERT,
    OPT_NOISY,
    OPT_KEEP,
    OPT_THAWED,
    OPT_SEED,
    OPT_CHECKPOINTS,
    OPT_SAMPLER,
    OPT_CYCLES,
    OPT_FRICTION,
    OPT_TEMPERATURE,
    OPT_CURVE,
    OPT_FP16,
    OPT_FRAMES,
    OPT_SCALES,
    OPT_SHIFTS,
    OPT_MOST_ERROR
};

static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                      {"output", required_argument, NULL, 'o'},
                                      {"weights", required_argument, NULL, 'w'},
                                      {"threads", required_argument, NULL, 'j'},
                                      {"unknown", required_argument, NULL, OPT_UNKNOWN},
                                      {"steps", required_argument, NULL, OPT_STEPS},
                                      {"minutes", required_argument, NULL, OPT_MINUTES},
                                      {"members", required_argument, NULL, OPT_MEMBERS},
                                      {"filters", required_argument, NULL, OPT_FILTERS},
                                      {"layers", required_argument, NULL, OPT_LAYERS},
                                      {"rate", required_argument, NULL, OPT_RATE},
                                      {"batch", required_argument, NULL, OPT_BATCH},
                                      {"piece", required_argument, NULL, OPT_PIECE},
                                      {"share", required_argument, NULL, OPT_SHARE},
                                      {"film", required_argument, NULL, OPT_FILM},
                                      {"harsh", required_argument, NULL, OPT_HARSH},
                                      {"images", required_argument, NULL, OPT_IMAGES},
                                      {"augment", required_argument, NULL, OPT_AUGMENT},
                                      {"invert", required_argument, NULL, OPT_INVERT},
                                      {"noisy", required_argument, NULL, OPT_NOISY},
                                      {"keep", required_argument, NULL, OPT_KEEP},
                                      {"thawed", no_argument, NULL, OPT_THAWED},
                                      {"seed", required_argument, NULL, OPT_SEED},
                                      {"checkpoints", required_argument, NULL, OPT_CHECKPOINTS},
                                      {"curve", required_argument, NULL, OPT_CURVE},
                                      {"fp16", no_argument, NULL, OPT_FP16},
                                      {"frames", required_argument, NULL, OPT_FRAMES},
                                      {"scales", required_argument, NULL, OPT_SCALES},
                                      {"shifts", required_argument, NULL, OPT_SHIFTS},
                                      {"sampler", required_argument, NULL, OPT_SAMPLER},
                                      {"cycles", required_argument, NULL, OPT_CYCLES},
                                      {"friction", required_argument, NULL, OPT_FRICTION},
                                      {"temperature", required_argument, NULL, OPT_TEMPERATURE},
                                      {"most-error", required_argument, NULL, OPT_MOST_ERROR},
                                      {0}};

/* What the command line says beside the recipe of the command, which is known only at its end. */
typedef struct wishes {
    long steps, filters, batch, piece, images, seed;
    double rate, share, harsh, augment, invert, noisy, keep; /* < 0: not given */
    int layers[RS_MODEL_MAX_LEVELS], levels;
    rs_twin_film film;
    const char *sampler;
    long cycles;
    double friction, temperature;
    bool thawed, own, calibration, training, sampling; /* options of some commands were given */
} wishes;

/* Numbers with commas between them into v[*n], at most room; false after a message. */
static bool take_list(const char *option, const char *text, double lo, double hi, double *v,
                      int room, int *n)
{
    *n = 0;
    for (const char *at = text;; at++) {
        const size_t k = strcspn(at, ",");
        double value;
        if (*n == room || !rs_number_parse(at, k, &value) || !(value >= lo && value <= hi)) {
            cli_usage_error(&self, "%s: expected up to %d numbers from %g to %g, found '%s'",
                            option, room, lo, hi, text);
            return false;
        }
        v[(*n)++] = value;
        at += k;
        if (*at == '\0') return true;
    }
}

static bool take_layers(const char *text, wishes *w)
{
    double v[RS_MODEL_MAX_LEVELS];
    if (!take_list("--layers", text, 1, 64, v, RS_MODEL_MAX_LEVELS, &w->levels)) return false;
    for (int i = 0; i < w->levels; i++) {
        w->layers[i] = (int)v[i];
        if (w->layers[i] == v[i]) continue;
        cli_usage_error(&self, "--layers: expected whole numbers, found '%s'", text);
        return false;
    }
    return true;
}

static bool take_film(const char *text, wishes *w)
{
    if (rs_twin_film_find(text, &w->film)) return true;
    cli_usage_error(
        &self, "--film: expected pzt, pto, laminate, relaxor, defects or mix, found '%s'", text);
    return false;
}

static bool take_calibration(int c, train_job *j, wishes *w)
{
    w->calibration = true;
    switch (c) {
    case OPT_FRAMES: return cli_int(&self, "--frames", optarg, 1, 10000, &j->frames);
    case OPT_SCALES:
        return take_list("--scales", optarg, 0.01, 100, j->scale, TRAIN_MAX_GRID, &j->scales);
    case OPT_SHIFTS:
        return take_list("--shifts", optarg, -20, 20, j->shift, TRAIN_MAX_GRID, &j->shifts);
    case OPT_MOST_ERROR: return cli_double(&self, "--most-error", optarg, 0, 1, &j->most_error);
    default: return false;
    }
}

static bool take_sampling(int c, wishes *w)
{
    w->sampling = true;
    switch (c) {
    case OPT_SAMPLER: w->sampler = optarg; return true;
    case OPT_CYCLES: return cli_int(&self, "--cycles", optarg, 1, RS_MODEL_MAX_MEMBERS, &w->cycles);
    case OPT_FRICTION: return cli_double(&self, "--friction", optarg, 0.001, 1, &w->friction);
    default: return cli_double(&self, "--temperature", optarg, 0, 1e6, &w->temperature);
    }
}

static bool take_training(int c, train_job *j, wishes *w)
{
    w->training = w->training || c != OPT_FILM;
    switch (c) {
    case OPT_UNKNOWN: j->unknown[j->unknowns++] = strcmp(optarg, "-") ? optarg : NULL; return true;
    case OPT_STEPS: return cli_int(&self, "--steps", optarg, 1, 100000000, &w->steps);
    case OPT_MINUTES: return cli_double(&self, "--minutes", optarg, 0.01, 1e6, &j->minutes);
    case OPT_MEMBERS:
        return cli_int(&self, "--members", optarg, 1, RS_MODEL_MAX_MEMBERS, &j->members);
    case OPT_FILTERS: return cli_int(&self, "--filters", optarg, 1, 512, &w->filters);
    case OPT_LAYERS: return take_layers(optarg, w);
    case OPT_RATE: return cli_double(&self, "--rate", optarg, 1e-8, 10, &w->rate);
    case OPT_BATCH: return cli_int(&self, "--batch", optarg, 1, 1024, &w->batch);
    case OPT_PIECE: return cli_int(&self, "--piece", optarg, 16, 1024, &w->piece);
    case OPT_SHARE: return cli_double(&self, "--share", optarg, 0, 1, &w->share);
    case OPT_FILM: return take_film(optarg, w);
    case OPT_HARSH: return cli_double(&self, "--harsh", optarg, 0, 2, &w->harsh);
    case OPT_IMAGES: return cli_int(&self, "--images", optarg, 1, 100000000, &w->images);
    case OPT_AUGMENT: return cli_double(&self, "--augment", optarg, 0, 2, &w->augment);
    case OPT_INVERT: return cli_double(&self, "--invert", optarg, 0, 1, &w->invert);
    case OPT_NOISY: return cli_double(&self, "--noisy", optarg, 0, 1, &w->noisy);
    case OPT_KEEP: return cli_double(&self, "--keep", optarg, 0, 1, &w->keep);
    case OPT_THAWED: return w->thawed = true;
    case OPT_SEED: return cli_int(&self, "--seed", optarg, 0, 2147483647, &w->seed);
    case OPT_CHECKPOINTS: j->checkpoints = optarg; return true;
    case OPT_CURVE: j->curve = optarg; return true;
    default: return false;
    }
}

static bool take(int c, train_job *j, wishes *w)
{
    switch (c) {
    case CLI_OPT_ERROR: return false;
    case CLI_OPT_QUIET: return j->quiet = true;
    case CLI_OPT_JSON: return j->json = true;
    case OPT_FP16: return j->fp16 = true;
    case 'o': j->output = optarg; return true;
    case 'w': j->weights = optarg; return true;
    case 'j': return cli_int(&self, "--threads", optarg, 1, 1024, &j->threads);
    case OPT_FRAMES:
    case OPT_SCALES:
    case OPT_SHIFTS:
    case OPT_MOST_ERROR: return take_calibration(c, j, w);
    case OPT_SAMPLER:
    case OPT_CYCLES:
    case OPT_FRICTION:
    case OPT_TEMPERATURE: return take_sampling(c, w);
    default: return take_training(c, j, w);
    }
}

/* The recipe of the command with all wishes in it. */
static void fill_recipe(train_job *j, const wishes *w)
{
    rs_train_recipe *r = &j->recipe;
    rs_batches *b = &r->batches;
    *r = w->sampler ? j->sampling.recipe
         : j->tune  ? rs_train_tune_defaults()
                    : rs_train_fit_defaults();
    if (w->rate >= 0) r->rate.rate = w->rate;
    if (w->steps > 0) rs_train_set_steps(r, w->steps);
    if (w->filters > 0) r->arch.filters = (int)w->filters;
    if (w->levels > 0) {
        r->arch.levels = w->levels;
        memcpy(r->arch.layers, w->layers, sizeof w->layers);
    }
    if (w->batch > 0) b->batch = (int)w->batch;
    if (w->piece > 0) b->augment.size = (int)w->piece;
    if (w->piece > 0) b->scene.size = (int)w->piece + (int)w->piece / 7;
    b->share = j->operands == 0 ? 0 : w->share >= 0 ? w->share : 0.25;
    b->scene.film = w->film;
    if (w->harsh >= 0) b->scene.harsh = w->harsh;
    b->repeat = w->images;
    if (w->augment >= 0) b->augment.strength = w->augment;
    if (w->invert >= 0) b->augment.invert = w->invert;
    if (w->noisy >= 0) b->augment.noisy = w->noisy;
    if (w->keep >= 0) r->keep = w->keep;
    if (w->thawed) r->member.frozen = false;
    b->seed = (uint64_t)w->seed;
    if (j->members > 0) r->members = (int)j->members;
}

/* The recipe is that of the chain. */
static void fill_sampling(train_job *j, const wishes *w)
{
    rs_sampling *s = &j->sampling;
    *s = rs_sampling_defaults(strcmp(w->sampler, "swag") == 0 ? RS_SAMPLE_SWAG : RS_SAMPLE_SGHMC);
    fill_recipe(j, w);
    s->recipe = j->recipe;
    if (w->steps > 0) rs_sampling_set_steps(s, w->steps);
    if (w->cycles > 0) s->cycles = (int)w->cycles;
    if (w->friction > 0) s->friction = w->friction;
    if (w->temperature >= 0) s->temperature = w->temperature;
    if (s->kind != RS_SAMPLE_SGHMC) return;
    if (w->images > 0) s->images = w->images;
    s->recipe.batches.repeat = s->images;
}

static int check_sample(const train_job *j, const wishes *w)
{
    const bool swag = w->sampler && strcmp(w->sampler, "swag") == 0;
    if (!swag && (!w->sampler || strcmp(w->sampler, "sghmc") != 0))
        return cli_usage_error(&self, "sample: --sampler: expected swag or sghmc, found '%s'",
                               w->sampler ? w->sampler : "none");
    if (j->weights || w->thawed || w->keep >= 0 || j->minutes > 0 || j->checkpoints || j->curve)
        return cli_usage_error(
            &self, "sample starts from nothing and is not resumed: --weights, --keep, --thawed, "
                   "--minutes, --checkpoints and --curve do not go with it");
    if (j->operands > 0) return cli_usage_error(&self, "sample takes no images");
    if (swag && (w->cycles > 0 || w->friction > 0 || w->temperature >= 0))
        return cli_usage_error(&self, "--cycles, --friction and --temperature go with sghmc");
    return CLI_OK;
}

/* CLI_OK when the options and operands go together. */
static int check(train_job *j, const wishes *w, const char *command)
{
    const bool fit = strcmp(command, "fit") == 0, calibrate = strcmp(command, "calibrate") == 0;
    if (!j->output) return cli_usage_error(&self, "%s: no output given (-o OUT.h5)", command);
    if (calibrate && (j->operands > 0 || w->training))
        return cli_usage_error(&self, "calibrate takes no images and no options of fit and tune");
    if (strcmp(command, "sample") == 0) {
        const int status = check_sample(j, w);
        if (status != CLI_OK) return status;
    } else if (w->sampling) {
        return cli_usage_error(&self,
                               "--sampler, --cycles, --friction and --temperature go with sample");
    }
    if (!calibrate && w->calibration)
        return cli_usage_error(&self, "%s: takes no options of calibrate", command);
    if (fit && (j->weights || w->thawed || w->keep >= 0))
        return cli_usage_error(
            &self, "fit starts from nothing: --weights, --keep and --thawed go with tune");
    if (j->tune && (w->filters || w->levels))
        return cli_usage_error(&self, "tune: the network is that of the weights");
    if (j->operands % 2)
        return cli_usage_error(&self, "an image without its walls: '%s'",
                               j->operand[j->operands - 1]);
    if (j->tune && j->operands == 0 && !w->film)
        return cli_usage_error(&self, "tune: no IMAGE and WALLS given, nor a --film but pzt");
    if (w->share >= 0 && j->operands == 0)
        return cli_usage_error(&self, "--share goes with own frames");
    if (j->unknowns > j->operands / 2)
        return cli_usage_error(&self, "--unknown: more maps than frames");
    if (w->steps > 0 && j->minutes > 0)
        return cli_usage_error(&self, "--steps or --minutes, not both");
    return CLI_OK;
}

static int check_files(const train_job *j)
{
    cli_files files = {0};
    cli_files_input(&files, j->weights);
    for (int i = 0; i < j->operands; i++) cli_files_input(&files, j->operand[i]);
    for (int i = 0; i < j->unknowns; i++) cli_files_input(&files, j->unknown[i]);
    cli_files_output(&files, j->output, "-o");
    cli_files_output(&files, j->curve, "--curve");
    const int status = cli_files_check(&self, &files, "name another output");
    cli_files_clear(&files);
    return status;
}

static int run(train_job *j, int argc, char **argv)
{
    wishes w = {.rate = -1,
                .share = -1,
                .harsh = -1,
                .augment = -1,
                .invert = -1,
                .noisy = -1,
                .keep = -1,
                .temperature = -1};
    char path[4096];
    w.seed = 1;
    for (int c; (c = cli_option(&self, argc, argv, "o:w:j:", longs)) != -1;) {
        if (c == CLI_OPT_HELP) return cli_help(&self);
        if (c == CLI_OPT_VERSION) return cli_version(&self);
        if (!take(c, j, &w)) return CLI_USAGE;
    }
    if (optind == argc) return cli_usage_error(&self, "expected fit, tune, calibrate or sample");
    const char *command = argv[optind++];
    const bool fit = strcmp(command, "fit") == 0, calibrate = strcmp(command, "calibrate") == 0;
    j->tune = strcmp(command, "tune") == 0;
    const bool sample = strcmp(command, "sample") == 0;
    if (!fit && !j->tune && !calibrate && !sample)
        return cli_usage_error(&self, "unknown command '%s'", command);
    j->operand = argv + optind;
    j->operands = argc - optind;
    int status = check(j, &w, command);
    if (status != CLI_OK) return status;
    if (!fit && !sample) {
        if (!cli_find_weights(&self, j->weights, path, sizeof path)) return CLI_FAILED;
        j->weights = path;
    }
    status = check_files(j);
    if (status != CLI_OK) return status;
    if (sample) {
        fill_sampling(j, &w);
        return train_sample(j);
    }
    fill_recipe(j, &w);
    return calibrate ? train_calibrate(j) : train_command(j);
}

int main(int argc, char **argv)
{
    train_job j = {.program = &self,
                   .frames = 40,
                   .scale = {1, 1.15, 1.3, 1.5},
                   .shift = {0, 0.2, 0.4, 0.6, 0.8},
                   .scales = 4,
                   .shifts = 5,
                   .most_error = 0.055};
    j.unknown = rs_zalloc((size_t)argc, sizeof *j.unknown);
    if (!j.unknown) return CLI_FAILED;
    const int status = run(&j, argc, argv);
    rs_free(j.unknown);
    return status;
}
