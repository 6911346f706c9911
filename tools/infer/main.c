/* reshed-infer - wall probability and its uncertainty from images, with an ensemble of networks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/engine.h"
#include "tools/cli/find_weights.h"
#include "tools/cli/paper.h"
#include "tools/infer/image.h"

#include "base/json.h"
#include "base/os.h"
#include "base/progress.h"
#include "infer/turns.h"
#include "io/image_file.h"
#include "io/weights/model.h"

static const cli_program self = {
    "reshed-infer",
    "Usage: reshed-infer [OPTION]... IMAGE...\n"
    "\n"
    "Finds ferroelastic domain walls in piezoresponse amplitude images: the mean wall probability\n"
    "over an ensemble of networks (AtomAI's ResHedNet, Unet, dilnet, SegResNet), and its variance\n"
    "as the uncertainty. Reads PNG, TIFF, NPY, NPZ, Gwyddion .gwy and GSF, Igor IBW, Asylum ARDF,\n"
    "Nanonis SXM, NanoScope, Park, WSxM, ISO 28600 and HDF5 (NSID, USID, HyperSpy, NeXus, "
    "TopoStats, MATLAB v7.3, plain\n"
    "datasets).\n"
    "\n"
    "Without an output option, IMAGE.png gives IMAGE_mean.png, IMAGE_variance.png,\n"
    "IMAGE_overlay.png and IMAGE_walls.h5 beside it; with one, only what is asked for.\n"
    "\n"
    "      --out=DIR          write those four into this folder, which is made if need be\n"
    "  -w, --weights=FILE     reshed weights (HDF5) or AtomAI *_metadict.tar; else "
    "$RESHED_WEIGHTS,\n"
    "                         else the shipped ensemble\n"
    "      --mean=M.npy       write the mean, float32 (H,W), or (H,W,C) for C > 1 classes\n"
    "      --var=V.npy        write the variance, same shape\n"
    "      --h5=OUT.h5        write mean, variance, input and how they were made\n"
    "      --gwy=FILE.gwy     write image, mean and variance for Gwyddion, walls as their mask\n"
    "      --gsf=PREFIX       the same, without the mask, as Gwyddion's simple fields:\n"
    "                         PREFIX_image.gsf, PREFIX_mean.gsf, PREFIX_variance.gsf\n"
    "      --iso=FILE.spm     the same three as text after ISO 28600, for other programs\n"
    "      --png=PREFIX       write PREFIX_mean.png, PREFIX_variance.png, "
    "PREFIX_overlay.png\n" CLI_PAPER_HELP
    "      --truth=LABEL      score against labelled walls (any image format, > 0 is "
    "wall)\n"
    "      --reliability=F.png  with --truth: draw predicted against true wall shares "
    "near walls\n"
    "  -c, --channel=NAME|N   channel of a file with several; default: the first that "
    "is known as "
    "an\n"
    "                         amplitude by its name, quantity or unit; none: it must be "
    "given\n"
    "      --phase=MODE       auto: the phase channel that goes with the amplitude, where the "
    "file\n"
    "                         has one (default); off; or the channel's NAME or number. Walls at\n"
    "                         which the piezoresponse changes sign are 180-degree walls: the mean\n"
    "                         is then that of ferroelastic walls alone, and the others are\n"
    "                         PREFIX_wall180.png and /wall180 of the HDF5 file\n"
    "      --wall180=W.npy    write those, 0 elsewhere, 0.5 to 1 by how sure they are\n"
    "      --frame=N|all      of a stack (three axes of an array, pages of a TIFF) the frame, from "
    "0, "
    "or\n"
    "                         all of them; results are named IMAGE_frame000_mean.png, ...\n"
    "      --norm=MODE        frame: min-max of the image (default); robust: between "
    "the 0.5 and\n"
    "                         99.5 percentiles, clipped; LO,HI: between two given "
    "values, clipped\n"
    "      --resample=MODE    auto: to square pixels of the trained size where the "
    "physical size "
    "is\n"
    "                         known (default); off; or a number: to that many nm per "
    "pixel\n"
    "      --pad              zeros at the bottom and on the right for networks that take no\n"
    "                         other sides than multiples of 2, 4 or 8, as AtomAI's SegPredictor\n"
    "                         pads; the maps are those of the image. Else such sides are refused\n"
    "      --average=N        1 (default), 2, 4 or 8: the maps of so many flips and turns of the\n"
    "                         image together, in as many times the time; their variance is that\n"
    "                         over members and turns, the alarm that of the image as it is\n"
    "      --algo=NAME        auto (default), winograd, direct, gemm (OpenBLAS)\n"
    "      --precision=NAME   fp32 (default), or bf16: a quick preview on processors "
    "with "
    "AVX512_BF16;\n"
    "                         fp32 is run where that does not pay; with --algo auto or "
    "winograd\n"
    "      --precision-check  with bf16: run fp32 as well and say how far apart they "
    "are\n"
    "  -j, --threads=N        default: all processors; the result does not depend on "
    "it\n"
    "      --json             one JSON object per image on standard output, also of one that\n"
    "                         failed (\"failed\": true)\n"
    "      --quiet            print nothing but errors\n"
    "      --help             print this text\n"
    "      --version          print the version, the instruction set in use and the "
    "BLAS\n"
    "\n"
    "RESHED_ISA=generic|neon|avx2|avx512 forces an instruction set. Options that name one "
    "output file,\n"
    "and --truth, take one image. Wall fraction: pixels whose probability is above 0.5. "
    "With "
    "several\n"
    "classes the first is the background and pictures show one minus its probability.\n"
    "\n"
    "Exit status: 0 done, 1 some image or frame failed (the others are done), 2 wrong usage.\n"};

typedef struct options {
    infer_request request;
    const char *weights;
    bool json;
} options;

static bool parse_norm(const char *text, rs_frame_options *o)
{
    char *end;
    if (strcmp(text, "frame") == 0) {
        o->norm = RS_FRAME_MIN_MAX;
        return true;
    }
    if (strcmp(text, "robust") == 0) {
        o->norm = RS_FRAME_ROBUST;
        return true;
    }
    o->norm = RS_FRAME_FIXED;
    o->lo = strtod(text, &end);
    if (end != text && *end == ',') {
        const char *second = end + 1;
        o->hi = strtod(second, &end);
        if (end != second && !*end && isfinite(o->lo) && isfinite(o->hi) && o->lo < o->hi)
            return true;
    }
    cli_usage_error(&self, "--norm: expected frame, robust or LO,HI with LO < HI, found '%s'",
                    text);
    return false;
}

static bool parse_resample(const char *text, rs_resample_request *out)
{
    reshed_error err = {0};
    char reason[512];
    if (rs_resample_parse(text, out, &err) == RESHED_OK) return true;
    cli_usage_error(&self, "--resample: %s", reshed_error_text(&err, reason, sizeof reason));
    return false;
}

static bool parse_threads(const char *text, int *out)
{
    long n;
    if (!cli_int(&self, "--threads", text, 1, 1024, &n)) return false;
    *out = (int)n;
    return true;
}

static bool parse_average(const char *text, int *out)
{
    long n;
    if (!cli_int(&self, "--average", text, 1, RS_TURNS, &n)) return false;
    *out = (int)n;
    if (rs_turns_known(*out)) return true;
    cli_usage_error(&self, "--average: expected 1, 2, 4 or 8, found '%s'", text);
    return false;
}

enum {
    OPT_MEAN = CLI_OPT_FIRST,
    OPT_VAR,
    OPT_H5,
    OPT_PNG,
    OPT_OUT,
    OPT_TRUTH,
    OPT_RELIABILITY,
    OPT_FRAME,
    OPT_GWY,
    OPT_GSF,
    OPT_ISO,
    OPT_NORM,
    OPT_PHASE,
    OPT_WALL180,
    OPT_RESAMPLE,
    OPT_PAD,
    OPT_AVERAGE,
    OPT_ALGO,
    OPT_PRECISION,
    OPT_PRECISION_CHECK,
    OPT_FIGURE,
    OPT_PAPER
};

/* One option; false after a message. */
static bool take(int c, options *o)
{
    infer_request *q = &o->request;
    rs_engine_options *e = &q->frame.engine;
    switch (c) {
    case CLI_OPT_QUIET: return q->quiet = true;
    case CLI_OPT_JSON: return o->json = true;
    case 'w': o->weights = optarg; return true;
    case 'c': q->channel = optarg; return true;
    case 'j': return parse_threads(optarg, &e->threads);
    case OPT_MEAN: q->mean = optarg; return true;
    case OPT_VAR: q->variance = optarg; return true;
    case OPT_H5: q->h5 = optarg; return true;
    case OPT_PNG: q->png = optarg; return true;
    case OPT_OUT: q->folder = optarg; return true;
    case OPT_TRUTH: q->truth = optarg; return true;
    case OPT_RELIABILITY: q->reliability = optarg; return true;
    case OPT_PHASE:
        q->no_phase = strcmp(optarg, "off") == 0;
        q->phase = q->no_phase || strcmp(optarg, "auto") == 0 ? NULL : optarg;
        return true;
    case OPT_WALL180: q->wall180 = optarg; return true;
    case OPT_GWY: q->gwy = optarg; return true;
    case OPT_GSF: q->gsf = optarg; return true;
    case OPT_ISO: q->iso = optarg; return true;
    case OPT_FRAME: return cli_frame(&self, optarg, &q->of_stack);
    case OPT_NORM: return parse_norm(optarg, &q->frame);
    case OPT_RESAMPLE: return parse_resample(optarg, &q->frame.resample);
    case OPT_PAD: return q->frame.pad = true;
    case OPT_AVERAGE: return parse_average(optarg, &q->frame.average);
    case OPT_ALGO: return cli_algo(&self, optarg, &e->algo);
    case OPT_PRECISION: return cli_precision(&self, optarg, &e->precision);
    case OPT_PRECISION_CHECK: return q->frame.check_precision = true;
    case OPT_FIGURE: return cli_figure(&self, optarg, &q->figure);
    case OPT_PAPER: return cli_paper(&self, optarg, &q->paper);
    default: return false;
    }
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, options *o)
{
    static const struct option longs[] = {
        CLI_COMMON_OPTIONS,
        {"weights", required_argument, NULL, 'w'},
        {"mean", required_argument, NULL, OPT_MEAN},
        {"var", required_argument, NULL, OPT_VAR},
        {"h5", required_argument, NULL, OPT_H5},
        {"png", required_argument, NULL, OPT_PNG},
        {"out", required_argument, NULL, OPT_OUT},
        {"truth", required_argument, NULL, OPT_TRUTH},
        {"reliability", required_argument, NULL, OPT_RELIABILITY},
        {"channel", required_argument, NULL, 'c'},
        {"frame", required_argument, NULL, OPT_FRAME},
        {"gwy", required_argument, NULL, OPT_GWY},
        {"gsf", required_argument, NULL, OPT_GSF},
        {"iso", required_argument, NULL, OPT_ISO},
        {"norm", required_argument, NULL, OPT_NORM},
        {"phase", required_argument, NULL, OPT_PHASE},
        {"wall180", required_argument, NULL, OPT_WALL180},
        {"resample", required_argument, NULL, OPT_RESAMPLE},
        {"pad", no_argument, NULL, OPT_PAD},
        {"average", required_argument, NULL, OPT_AVERAGE},
        {"algo", required_argument, NULL, OPT_ALGO},
        {"precision", required_argument, NULL, OPT_PRECISION},
        {"figure", required_argument, NULL, OPT_FIGURE},
        {"paper", required_argument, NULL, OPT_PAPER},
        {"precision-check", no_argument, NULL, OPT_PRECISION_CHECK},
        {"threads", required_argument, NULL, 'j'},
        {0}};
    infer_request *q = &o->request;
    for (int c; (c = cli_option(&self, argc, argv, "w:c:j:", longs)) != -1;) {
        if (c == CLI_OPT_HELP) return cli_help(&self);
        if (c == CLI_OPT_VERSION) return cli_engine_version(&self);
        if (!take(c, o)) return CLI_USAGE;
    }
    if (optind == argc) return cli_usage_error(&self, "no IMAGE given");
    if (!cli_engine_check(&self, &q->frame.engine)) return CLI_USAGE;
    if (q->frame.check_precision && q->frame.engine.precision == RS_FP32)
        return cli_usage_error(&self, "--precision-check goes with --precision bf16");
    /* Who asks for the difference wants both. */
    if (!q->frame.check_precision)
        cli_settle_precision(&self, q->quiet, &q->frame.engine.precision);
    if (q->reliability && !q->truth)
        return cli_usage_error(&self, "--reliability goes with --truth");
    if (q->wall180 && q->no_phase)
        return cli_usage_error(&self, "--wall180 needs the phase that --phase off leaves out");
    q->defaults = !q->mean && !q->variance && !q->wall180 && !q->h5 && !q->png && !q->figure &&
                  !q->gwy && !q->gsf && !q->iso;
    if (q->folder && !q->defaults)
        return cli_usage_error(&self,
                               "--out is for results that have no name of their own: it goes "
                               "without --mean, --var, --wall180, --h5, --png, --figure, "
                               "--gwy, --gsf, --iso");
    if (argc - optind > 1 && (q->truth || !q->defaults))
        return cli_usage_error(&self,
                               "--mean, --var, --wall180, --h5, --png, --figure, --gwy, --gsf, "
                               "--iso and --truth take one "
                               "image, %d given",
                               argc - optind);
    if (q->of_stack == CLI_FRAME_ALL && (q->truth || !q->defaults))
        return cli_usage_error(&self, "--mean, --var, --h5, --png, --figure, --gwy, --gsf, --iso "
                                      "and --truth take one frame, not --frame=all");
    return -1;
}

/* Looks for outputs that would replace an input or each other, over the whole batch. Weights that are
 * named belong to the inputs. */
static int check_files(const options *o, char *const *images, int n)
{
    cli_files files = {0};
    for (int i = 0; i < n; i++) infer_image_files(&o->request, images[i], &files);
    cli_files_input(&files, o->request.truth);
    cli_files_input(&files, o->weights ? o->weights : getenv("RESHED_WEIGHTS"));
    const int status =
        cli_files_check(&self, &files,
                        n > 1 ? "run them one by one with outputs that are named (--h5, --png, "
                                "--mean, --var), or rename one"
                              : "name another output");
    cli_files_clear(&files);
    return status;
}

/* The context of infer_engine.load. */
typedef struct weights {
    const options *o;
    rs_isa isa;
    char path[4096];
} weights;

/* Finds the weights, without reading them; false after a message. */
static bool find(weights *w)
{
    reshed_error err = {0};
    if (rs_isa_select(&w->isa, &err) == RESHED_OK)
        return cli_find_weights(&self, w->o->weights, w->path, sizeof w->path);
    cli_fail(&self, NULL, &err);
    return false;
}

static bool load(infer_engine *e)
{
    const weights *w = e->load_ctx;
    const infer_request *q = &w->o->request;
    rs_ensemble *ensemble = NULL;
    reshed_error err = {0};
    reshed_status st = rs_ensemble_load(w->path, &ensemble, &err);
    if (st == RESHED_OK && (q->defaults || q->h5))
        rs_model_file_digest(&ensemble->model, e->digest);
    if (st == RESHED_OK && ensemble->model.upsampling_assumed && !q->quiet)
        cli_warn(&self, w->path,
                 "a state_dict does not say its upsampling: taken as bilinear, AtomAI's default");
    if (st == RESHED_OK) st = rs_frame_create_taking(ensemble, &q->frame, &e->frame, &err);
    rs_ensemble_free(ensemble);
    if (st != RESHED_OK) {
        cli_fail(&self, w->path, &err);
        return false;
    }
    return true;
}

static void print_json(const char *path, const infer_request *q, const infer_result *r)
{
    const rs_frame_view *v = &r->view;
    const rs_wall_scores *s = &r->scores;
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", path);
    rs_json_string(&j, "channel", r->channel);
    if (r->frames > 1) {
        rs_json_integer(&j, "frame", r->number);
        rs_json_integer(&j, "frames", r->frames);
    }
    if (r->scan[0]) rs_json_string(&j, "scan", r->scan);
    if (r->angle != 0) rs_json_number(&j, "angle", r->angle);
    if (r->note[0]) rs_json_string(&j, "note", r->note);
    rs_json_string(&j, "precision", rs_precision_name(q->frame.engine.precision));
    if (q->frame.average > 1) rs_json_integer(&j, "average", q->frame.average);
    if (v->checked) {
        rs_json_number(&j, "bf16_error_mean_max", v->mean_error.largest);
        rs_json_number(&j, "bf16_error_mean_average", v->mean_error.average);
        rs_json_number(&j, "bf16_error_variance_max", v->variance_error.largest);
        rs_json_number(&j, "bf16_error_variance_average", v->variance_error.average);
    }
    rs_json_number(&j, "ood_score", v->ood_score); /* null where none can be given */
    if (isnan(v->ood_score))
        rs_json_null(&j, "ood");
    else
        rs_json_bool(&j, "ood", v->alarm);
    if (v->contrast != RS_CONTRAST_SEEN)
        rs_json_string(&j, "contrast", rs_contrast_text(v->contrast));
    rs_json_integer(&j, "height", v->height);
    rs_json_integer(&j, "width", v->width);
    rs_json_number(&j, "pixel_size_x", r->dx > 0 ? r->dx : NAN); /* metres; null when unknown */
    rs_json_number(&j, "pixel_size_y", r->dy > 0 ? r->dy : NAN);
    rs_json_integer(&j, "members", v->members);
    rs_json_number(&j, "mean_uncertainty", v->mean_uncertainty);
    rs_json_number(&j, "mean_variance", v->mean_uncertainty); /* the same, by its name */
    rs_json_number(&j, "rms_sd", sqrt(v->mean_uncertainty));
    rs_json_number(&j, "wall_fraction", r->wall_fraction);
    if (r->phase[0]) {
        rs_json_string(&j, "phase", r->phase);
        rs_json_number(&j, "wall180_fraction", r->wall180_fraction);
    }
    rs_json_number(&j, "seconds", v->seconds);
    rs_json_integer(&j, "filled_pixels", (int64_t)v->filled);
    if (r->scored) {
        rs_json_number(&j, "iou", s->iou);
        rs_json_number(&j, "edge_precision", s->precision);
        rs_json_number(&j, "edge_recall", s->recall);
        rs_json_number(&j, "edge_f", s->f);
        rs_json_number(&j, "edge_f_1px", s->strict);
        rs_json_number(&j, "edge_f_2px", s->loose);
        rs_json_number(&j, "edge_best_f", s->best);
        rs_json_number(&j, "edge_best_threshold", s->best_threshold);
        rs_json_number(&j, "ece_near_walls", s->ece);
    }
    rs_json_end(&j);
}

/* Its reason is on standard error. */
static void print_failed(const char *path, int frame)
{
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", path);
    if (frame >= 0) rs_json_integer(&j, "frame", frame);
    rs_json_bool(&j, "failed", true);
    rs_json_end(&j);
    fflush(stdout);
}

static void print_line(const char *path, const infer_result *r)
{
    const rs_frame_view *v = &r->view;
    const rs_wall_scores *s = &r->scores;
    char file[CLI_SHOWN], channel[CLI_SHOWN], phase[CLI_SHOWN];
    cli_shown(file, path);
    cli_shown(channel, r->channel);
    printf("%s: %d x %d, ", file, v->height, v->width);
    if (r->frames > 1) printf("frame %d of %d, ", r->number, r->frames);
    printf("%s%s%smean variance %.3g (standard deviation %.3g), walls %.1f %%, %.3f s\n",
           *channel ? "channel " : "", channel, *channel ? ", " : "", v->mean_uncertainty,
           sqrt(v->mean_uncertainty), 100 * r->wall_fraction, v->seconds);
    if (r->phase[0])
        printf("%s: channel %s: 180-degree walls %.1f %%, apart from the ferroelastic ones\n", file,
               cli_shown(phase, r->phase), 100 * r->wall180_fraction);
    if (v->checked)
        printf("%s: bf16 against fp32: mean off by at most %.2g, %.2g on average; variance %.2g, "
               "%.2g\n",
               file, v->mean_error.largest, v->mean_error.average, v->variance_error.largest,
               v->variance_error.average);
    if (r->scored)
        printf("%s: IoU %.3f, edges: precision %.3f, recall %.3f, F %.3f (within 1 pixel "
               "%.3f, 2 pixels %.3f; best %.3f at %.2f), calibration error near walls %.3f\n",
               file, s->iou, s->precision, s->recall, s->f, s->strict, s->loose, s->best,
               s->best_threshold, s->ece);
}

/* All frames of an image that are asked for; false when some failed. */
static bool do_image(infer_engine *engine, const options *o, rs_progress *bar, const char *path)
{
    infer_request q = o->request;
    int first, end;
    bool all = infer_image_frames(&self, &q, path, &first, &end);
    if (!all) {
        if (o->json) print_failed(path, RS_FRAME_ONLY);
        return false;
    }
    for (int k = first; k < end && !engine->failed; k++) {
        infer_result r;
        q.of_stack = k;
        const bool done = infer_image(engine, &q, path, &r);
        all = all && done;
        if (!done && o->json) print_failed(path, k);
        if (!done || (q.quiet && !o->json)) continue;
        rs_progress_finish(bar); /* the line takes the bar's place */
        if (o->json)
            print_json(path, &q, &r);
        else
            print_line(path, &r);
        fflush(stdout);
    }
    return all;
}

int main(int argc, char **argv)
{
    options o = {0};
    o.request.of_stack = RS_FRAME_ONLY;
    rs_frame_defaults(&o.request.frame);
    rs_paper_defaults(&o.request.paper);
    int status = parse(argc, argv, &o);
    if (status >= 0) return status;
    status = check_files(&o, argv + optind, argc - optind);
    if (status != CLI_OK) return status;
    const bool quiet = o.request.quiet;
    weights w = {.o = &o};
    infer_engine engine = {.program = &self, .load = load, .load_ctx = &w};
    reshed_error err = {0};
    bool all = find(&w);
    if (all && o.request.folder && rs_os_make_folder(o.request.folder, &err) != RESHED_OK)
        all = cli_fail(&self, o.request.folder, &err) == CLI_OK;
    if (all) {
        const int n = argc - optind;
        rs_progress bar;
        rs_progress_start(&bar, n > 1 && !quiet && !o.json ? stderr : NULL, "images", n);
        for (int i = 0; i < n && !engine.failed; i++) {
            rs_progress_update(&bar, i);
            all = do_image(&engine, &o, &bar, argv[optind + i]) && all;
        }
        rs_progress_finish(&bar);
    }
    rs_frame_free(engine.frame);
    status = cli_close(&self);
    return all ? status : CLI_FAILED;
}
