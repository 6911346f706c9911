/* reshed-twin - labelled PFM images from the digital twin: single frames and training data. */
#include <string.h>

#include "tools/twin/job.h"

static const cli_program self = {
    "reshed-twin",
    "Usage: reshed-twin image   -o PREFIX  [OPTION]...   one frame with its truth\n"
    "       reshed-twin dataset -o FILE.h5 [OPTION]...   labelled images for training\n"
    "       reshed-twin list                             what --set can set\n"
    "\n"
    "  -o, --output NAME      what to write\n"
    "  -s, --size N           pixels a side (default: image 256, dataset 128)\n"
    "      --height N --width N\n"
    "      --pixel NM         pixel size in nanometres (default 10, or drawn at random)\n"
    "      --seed N           everything random comes from it (default 1)\n"
    "      --film KIND        pzt (the default), pto, laminate, relaxor, defects, or mix: one of\n"
    "                         these for each image, which is what networks are trained on\n"
    "      --set NAME=VALUE   fixes an option of the film or an effect of the instrument; lengths\n"
    "                         in metres; may be repeated\n"
    "      --harsh X          strength of the instrument's effects, 0 to 2 (default 1), where "
    "they\n"
    "                         are drawn at random\n"
    "      --quiet --json --help --version\n"
    "\n"
    "image:\n"
    "      --random           film and instrument drawn at random, as in a data set\n"
    "      --formats LIST     of h5,npy,png,csv (default all):\n"
    "                         PREFIX.h5         NSID: amplitude, phase, resonance frequency, Q,\n"
    "                                           height, truth\n"
    "                         PREFIX.npy        amplitude; PREFIX_walls.npy, PREFIX_domains.npy,\n"
    "                                           PREFIX_kinds.npy\n"
    "                         PREFIX.png        amplitude, 16 bit; PREFIX_walls.png\n"
    "                         PREFIX_walls.csv  the walls as objects\n"
    "dataset:\n"
    "  -n, --count N          images (default 1000); films and instruments are drawn at random\n"
    "      --type T           uint8 (0..255, the default), float16 or float32 (0..1)\n"
    "      --threads N        0: all processors (the default); the result does not depend on it\n"};

enum {
    OPT_HEIGHT = CLI_OPT_FIRST,
    OPT_WIDTH,
    OPT_PIXEL,
    OPT_TYPE,
    OPT_SEED,
    OPT_HARSH,
    OPT_SET,
    OPT_FILM,
    OPT_THREADS,
    OPT_RANDOM,
    OPT_FORMATS
};

static bool parse_type(const char *text, rs_dataset_type *type)
{
    for (int t = RS_DATASET_U8; t <= RS_DATASET_F32; t++)
        if (strcmp(text, rs_dataset_type_name((rs_dataset_type)t)) == 0) {
            *type = (rs_dataset_type)t;
            return true;
        }
    cli_usage_error(&self, "--type: expected uint8, float16 or float32, found %s", text);
    return false;
}

static bool parse_film(twin_job *j, const char *text)
{
    if (rs_twin_film_find(text, &j->film)) return true;
    cli_usage_error(&self, "--film: expected pzt, pto, laminate, relaxor, defects or mix, found %s",
                    text);
    return false;
}

static bool take_option(twin_job *j, int c)
{
    switch (c) {
    case CLI_OPT_QUIET: j->quiet = true; return true;
    case CLI_OPT_JSON: j->json = true; return true;
    case OPT_RANDOM: j->random = true; return true;
    case 'o': j->output = optarg; return true;
    case OPT_FORMATS: j->formats = optarg; return true;
    case 'n': return cli_int(&self, "--count", optarg, 1, 100000000, &j->count);
    case 's':
        if (!cli_int(&self, "--size", optarg, 4, 8192, &j->height)) return false;
        j->width = j->height;
        return true;
    case OPT_HEIGHT: return cli_int(&self, "--height", optarg, 4, 8192, &j->height);
    case OPT_WIDTH: return cli_int(&self, "--width", optarg, 4, 8192, &j->width);
    case OPT_PIXEL:
        if (!cli_double(&self, "--pixel", optarg, 1e-3, 1e6, &j->pixel)) return false;
        j->pixel *= 1e-9;
        return true;
    case OPT_TYPE: return parse_type(optarg, &j->type);
    case OPT_SEED: return cli_int(&self, "--seed", optarg, 0, 2147483647, &j->seed);
    case OPT_HARSH: return cli_double(&self, "--harsh", optarg, 0, 2, &j->harsh);
    case OPT_FILM: return parse_film(j, optarg);
    case OPT_SET: return twin_add_setting(j, optarg);
    case OPT_THREADS: return cli_int(&self, "--threads", optarg, 0, 1024, &j->threads);
    default: return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {CLI_COMMON_OPTIONS,
                                          {"output", 1, NULL, 'o'},
                                          {"count", 1, NULL, 'n'},
                                          {"size", 1, NULL, 's'},
                                          {"height", 1, NULL, OPT_HEIGHT},
                                          {"width", 1, NULL, OPT_WIDTH},
                                          {"pixel", 1, NULL, OPT_PIXEL},
                                          {"type", 1, NULL, OPT_TYPE},
                                          {"seed", 1, NULL, OPT_SEED},
                                          {"harsh", 1, NULL, OPT_HARSH},
                                          {"set", 1, NULL, OPT_SET},
                                          {"film", 1, NULL, OPT_FILM},
                                          {"threads", 1, NULL, OPT_THREADS},
                                          {"random", 0, NULL, OPT_RANDOM},
                                          {"formats", 1, NULL, OPT_FORMATS},
                                          {0}};
    twin_job j = {
        .program = &self, .count = 1000, .seed = 1, .harsh = 1, .formats = "h5,npy,png,csv"};
    for (int c; (c = cli_option(&self, argc, argv, "o:n:s:", longs)) != -1;) {
        if (c == CLI_OPT_HELP) return cli_help(&self);
        if (c == CLI_OPT_VERSION) return cli_version(&self);
        if (c == CLI_OPT_ERROR || !take_option(&j, c)) return CLI_USAGE;
    }
    if (optind != argc - 1) return cli_usage_error(&self, "expected one command");
    const char *command = argv[optind];
    bool dataset = strcmp(command, "dataset") == 0;
    if (strcmp(command, "list") == 0) return twin_list(&j);
    if (!dataset && strcmp(command, "image") != 0)
        return cli_usage_error(&self, "unknown command %s", command);
    if (!j.output) return cli_usage_error(&self, "no --output given");
    if (!j.height) j.height = dataset ? 128 : 256;
    if (!j.width) j.width = j.height;
    return dataset ? twin_dataset(&j) : twin_image(&j);
}
