/* reshed-walls - from a map of wall probability to walls, and to points to measure on them. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "io/image_file.h"
#include "tools/cli/cli.h"
#include "tools/cli/files.h"
#include "tools/cli/paper.h"
#include "tools/walls/device.h"
#include "tools/walls/gwy.h"
#include "tools/walls/input.h"
#include "tools/walls/options.h"
#include "tools/walls/stats.h"
#include "tools/walls/tables.h"
#include "tools/walls/work.h"

static const cli_program self = {
    "reshed-walls",
    "Usage: reshed-walls [OPTION]... MAP...\n"
    "\n"
    "Turns a map of wall probability into a skeleton, walls with their measures, and points to\n"
    "measure on them in a short route. MAP is the _walls.h5 of reshed-infer, which brings its\n"
    "variance, image and pixel size along, the session of reshed-scan likewise, or an image\n"
    "of any kind that reshed-infer reads. Of several MAPs each output has the map's name in its\n"
    "own: --points=p.csv of a.npy and b.npy are p_a.csv and p_b.csv.\n"
    "\n"
    "What is wall\n"
    "      --threshold=T      pixels above T (default 0.5); otsu: found from the map; LOW,HIGH:\n"
    "                         regions above LOW that reach HIGH\n"
    "      --class=N          of a map of several classes, counted from 0, the one that is wall\n"
    "                         (default: all but the first), where it is above the threshold or,\n"
    "                         without --threshold, likelier than the others; in a NPY array "
    "(H,W,C) or (C,H,W), a\n"
    "                         _walls.h5, or an image whose values are numbers of classes\n"
    "      --frame=N|all      of a stack the frame, from 0, or all of them, whose outputs are "
    "then\n"
    "                         named with _frame000 before the ending\n"
    "      --thinning=RULE    keep: no line is lost, blunt ends are no branches (default); "
    "skimage:\n"
    "                         the pixels of scikit-image's skeletonize, which loses diagonal "
    "lines\n"
    "      --spur=LENGTH      remove end branches shorter than this (default 0: none)\n"
    "      --min-wall=LENGTH  leave out shorter walls (default 12px)\n"
    "      --reach=PX         pixels that tell a branch's direction (default 10)\n"
    "      --turn=DEG         most that a wall turns at a junction (default 40)\n"
    "      --corner=DEG       cut walls that turn more than this (default 60)\n"
    "      --domain-max=LEN   widest in-plane domain between two walls (default 24px)\n"
    "      --amplitude=IMAGE  image of the same size: in-plane domains are dark in it\n"
    "\n"
    "What is measured\n"
    "      --every=K          one point for K pixels of wall (default 8)\n"
    "      --spacing=LENGTH   the same as a length along the wall; only with --order=route\n"
    "      --order=ORDER      route: even steps along each wall, in a short tour (default);\n"
    "                         author: every K-th pixel of the published nearest-neighbour route,\n"
    "                         without the points that it loses; raster: every K-th, row by row\n"
    "      --min-distance=LENGTH  no two points nearer to each other (default 2px, or the step\n"
    "                         between points where that is less; 0: the author's rule in full)\n"
    "      --start=ROW,COL    where the tip is: the tour begins near it\n"
    "      --margin=LENGTH    keep away from the edges of the frame (default 4px)\n"
    "      --max-points=N     at most so many points, each wall keeping its share (default: all)\n"
    "      --rows=A-B         only these rows (counted from 0) are final\n"
    "      --variance=IMAGE   uncertainty, of the map's size\n"
    "      --max-variance=V   no points where it is above V\n"
    "      --control=LIST     control points beside the walls: a:N in in-plane domains, c:N in\n"
    "                         out-of-plane ones, 180:N on 180-degree walls; e.g. a:5,c:5\n"
    "      --control-distance=LENGTH  at least this far from every wall (default 6px)\n"
    "      --phase=IMAGE      tells ferroelastic, 180-degree and mixed walls, with the amplitude,\n"
    "                         and is for 180:N; in the file's unit, else in degrees where it\n"
    "                         exceeds two turns of radians. A _walls.h5 or a session may bring it\n"
    "      --on-180           points on 180-degree walls as well\n"
    "\n"
    "What is written\n"
    "      --skeleton=S.npy   uint8 (H,W): 1 on the skeleton; --skeleton=skimage writes nothing: "
    "it\n"
    "                         is --thinning=skimage (a file of that name is ./skimage)\n"
    "      --points=P.csv     row, column, x and y on the stage, u and v from -1 to 1 over the\n"
    "                         frame, kind, wall, x and y from the frame's centre along its axes\n"
    "      --for=NAME         asylum, nanonis or aecroscopy: pixels lie where that instrument's\n"
    "                         program has them (see --pixels); a session's are centred. The\n"
    "                         first row of the map is the top, y runs up\n"
    "      --device=FILE      the points as its program loads them: Igor text (asylum), two "
    "columns\n"
    "                         of metres (nanonis), NPY (N,2) from -1 to 1 (aecroscopy)\n"
    "      --frame-of=FILE    image or session that says where the map lies (centre, angle, "
    "size);\n"
    "                         else the map's own file, or 0, 0 and no angle\n"
    "      --walls=W.csv      length, orientation, width, ends, ... of each wall, longest first\n"
    "      --branches=B.csv   the same for the runs between nodes of the skeleton\n"
    "      --pairs=Q.csv      walls that bound one in-plane domain\n"
    "      --gwy=FILE.gwy     for Gwyddion: maps with the skeleton as mask, points as a "
    "selection,\n"
    "                         and of a session its loops\n"
    "      --gsf=FILE.gsf     the skeleton as Gwyddion's simple field, 0 and 1\n"
    "      --iso=FILE.spm     the maps and the skeleton as text after ISO 28600\n"
    "      --png=FILE.png     the image or map with skeleton and points\n" CLI_PAPER_HELP "\n"
    "Does a metric differ from wall to wall\n"
    "      --values=V.csv     measured values: columns row, col and the metric's, without rows\n"
    "                         whose column trusted is 0; default: those\n"
    "                         of the MAP, a session of reshed-scan, that are to be trusted\n"
    "      --metric=NAME      the column\n"
    "      --stats=T.csv      write mean, spread and number of values by wall\n"
    "      --long=LENGTH      walls from here on are long (default: the median)\n"
    "      --large-domain=LEN  in-plane domains of at least LEN x LEN are large "
    "(default 15px)\n"
    "      --in-plane=IMAGE   in-plane domains are where it is > 0 (default: "
    "between the pairs)\n"
    "      --family-angle=DEG  parallel walls differ by at most this (default 10)\n"
    "      --permutations=N   of the walls in a test (default 9999)\n"
    "      --seed=N           of the permutations (default 1)\n"
    "\n"
    "  -c, --channel=NAME|N   channel of a file with several; default: the wall "
    "probability\n"
    "      --pixel-size=NM    or NMX,NMY: instead of the file's\n"
    "      --pixels=RULE      centred (default), inclusive or half-open: how "
    "pixels lie in the "
    "frame\n"
    "      --json             a machine-readable summary on standard output, an object for each\n"
    "                         map or frame, also for one that failed (\"failed\": true)\n"
    "      --quiet            print nothing but errors\n"
    "      --help             print this text\n"
    "      --version          print the version\n"
    "\n"
    "Of a session of reshed-scan the defaults are the settings of its scan, and only its final\n"
    "rows count: the walls, points and tests are those of its report.\n"
    "\n"
    "A LENGTH is in pixels (5, 5px), or with a unit (20nm, 0.1um) when the pixel "
    "size is known.\n"
    "Results are in metres when it is known and in pixels when not.\n"
    "\n"
    "Exit status: 0 done, 1 failed (other maps and frames are done), 2 wrong usage.\n"};

static void print_json(const walls_job *job)
{
    const rs_wallgraph *g = &job->found.graph;
    const struct {
        const char *key;
        double value;
    } number[] = {
        {"height", job->grid.height},
        {"width", job->grid.width},
        {"pixel_size_x", job->sized ? job->grid.dx : NAN},
        {"pixel_size_y", job->sized ? job->grid.dy : NAN},
        {"classes", job->classes},
        {"class", job->request->wall_class >= 0 ? job->request->wall_class : NAN},
        {"threshold", job->found.threshold},
        {"undefined_pixels", job->undefined},
        {"wall_fraction", job->found.mask_pixels / (double)rs_grid_count(&job->grid)},
        {"skeleton_pixels", job->found.skeleton_pixels},
        {"spurs_removed", g->spurs_removed},
        {"junctions", rs_wallgraph_junctions(g)},
        {"branches", g->branches},
        {"walls", g->walls},
        {"pairs", g->pairs},
        {"walls_ferroelastic", job->found.kind ? job->found.kinds[RS_WALL_FERROELASTIC] : NAN},
        {"walls_180", job->found.kind ? job->found.kinds[RS_WALL_180] : NAN},
        {"walls_mixed", job->found.kind ? job->found.kinds[RS_WALL_MIXED] : NAN},
        {"scan_lines", job->found.scan_lines},
        {"wall_length", rs_wallgraph_length(g)},
        {"points", job->found.points.n},
        {"min_distance", rs_find_min_distance(&job->grid, &job->request->find)},
        {"route_px", job->route.length},
        {"route_longest_px", job->route.longest},
        {"author_route_px", job->route.author_length},
        {"author_route_longest_px", job->route.author_longest},
    };
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", job->request->map);
    rs_json_string(&j, "channel", job->channel);
    if (job->frames > 1) {
        rs_json_integer(&j, "frame", job->request->of_stack);
        rs_json_integer(&j, "frames", job->frames);
    }
    rs_json_string(&j, "length_unit", walls_unit(job));
    rs_json_string(&j, "thinning",
                   job->request->find.thinning == RS_FIND_KEEP ? "keep" : "skimage");
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        rs_json_number(&j, number[i].key, number[i].value);
    if (job->request->metric) walls_stats_json(job, &j);
    rs_json_end(&j);
}

static void print_text(const walls_job *job)
{
    const rs_wallgraph *g = &job->found.graph;
    char file[CLI_SHOWN], channel[CLI_SHOWN];
    cli_shown(channel, job->channel);
    printf("%s: %d x %d, ", cli_shown(file, job->request->map), job->grid.height, job->grid.width);
    if (job->frames > 1) printf("frame %d of %d, ", job->request->of_stack, job->frames);
    printf("%s%s%s%d pixels above %.3g%s, skeleton %d", *channel ? "channel " : "", channel,
           *channel ? ", " : "", job->found.mask_pixels, job->found.threshold,
           job->likeliest && !job->request->threshold_given ? " or of no likelier class" : "",
           job->found.skeleton_pixels);
    if (g->spurs_removed) printf(" (%d spurs removed)", g->spurs_removed);
    printf("\n%d walls of %.4g %s in all, %d junctions, %d pairs around in-plane domains\n",
           g->walls, rs_wallgraph_length(g), walls_unit(job), rs_wallgraph_junctions(g), g->pairs);
    if (job->found.scan_lines)
        printf("%d of them straight along a row and one pixel high: lines of the scan?\n",
               job->found.scan_lines);
    if (job->found.kind)
        printf("%d ferroelastic, %d 180-degree, %d mixed\n", job->found.kinds[RS_WALL_FERROELASTIC],
               job->found.kinds[RS_WALL_180], job->found.kinds[RS_WALL_MIXED]);
    printf(
        "%d points: tour of %.0f pixels, longest step %.0f (author's rule on them: %.0f, %.0f)\n",
        job->found.points.n, job->route.length, job->route.longest, job->route.author_length,
        job->route.author_longest);
    if (job->request->metric) walls_stats_text(job);
}

/* True when a length of the request is in metres. */
static bool has_metres(const walls_request *r)
{
    const rs_find_options *f = &r->find;
    return f->spur.metres || f->min_wall.metres || f->domain_max.metres || f->spacing.metres ||
           f->margin.metres || f->min_distance.metres || f->control_distance.metres ||
           r->long_wall.metres || r->large_domain.metres;
}

/* CLI_OK, CLI_FAILED or CLI_USAGE; a length that needs the pixel size is wrong usage found late. */
static int run(walls_job *job)
{
    const walls_request *r = job->request;
    if (!walls_read_input(job)) return CLI_FAILED;
    if (r->metric && !r->values && !job->session)
        return cli_usage_error(&self, "--metric: %s is no session: give --values", r->map);
    if (has_metres(r) && !job->sized)
        return cli_usage_error(
            &self, "%s has no pixel size: give --pixel-size, or lengths in pixels", r->map);
    if (!isinf(r->find.max_variance) && !job->variance)
        return cli_usage_error(&self, "--max-variance: %s brings no variance: give --variance",
                               r->map);
    bool ok = walls_find(job) && (!r->metric || (walls_run_stats(job) && walls_write_stats(job))) &&
              walls_write_skeleton(job) && walls_write_tables(job) && walls_write_device(job) &&
              walls_write_picture(job) && walls_write_figure(job) && walls_write_gwy(job) &&
              walls_write_exchange(job);
    if (ok && r->json)
        print_json(job);
    else if (ok && !r->quiet)
        print_text(job);
    return ok ? CLI_OK : CLI_FAILED;
}

/* -------------------------------------------------------------------------------------- frames */

enum { OUTPUTS = 12 };

/* The files that a request writes, with the options that name them. */
static void outputs_of(walls_request *r, const char **path[OUTPUTS], const char *of[OUTPUTS])
{
    const struct {
        const char **path, *of;
    } list[OUTPUTS] = {
        {&r->skeleton, "--skeleton"}, {&r->points, "--points"}, {&r->walls, "--walls"},
        {&r->branches, "--branches"}, {&r->pairs, "--pairs"},   {&r->device, "--device"},
        {&r->png, "--png"},           {&r->figure, "--figure"}, {&r->stats, "--stats"},
        {&r->gwy, "--gwy"},           {&r->gsf, "--gsf"},       {&r->iso, "--iso"}};
    for (int k = 0; k < OUTPUTS; k++) {
        path[k] = list[k].path;
        of[k] = list[k].of;
    }
}

/* The request for one map of several, one frame of all: p.csv becomes p_MAP_frame007.csv. The names are
 * kept in `names`. */
static bool request_of(const walls_request *all, int map, int frame, char names[OUTPUTS][4096],
                       walls_request *out)
{
    const char **path[OUTPUTS], *of[OUTPUTS];
    char of_frame[32] = "";
    *out = *all;
    out->map = all->maps[map];
    out->of_stack = frame;
    const bool numbered = all->of_stack == CLI_FRAME_ALL && frame >= 0;
    if (all->n_maps < 2 && !numbered) return true;
    if (numbered) snprintf(of_frame, sizeof of_frame, "_frame%03d", frame);
    const char *slash = strrchr(out->map, '/'), *name = slash ? slash + 1 : out->map;
    const int length = all->n_maps < 2 ? 0 : (int)rs_path_stem(name);
    outputs_of(out, path, of);
    for (int k = 0; k < OUTPUTS; k++) {
        if (!*path[k]) continue;
        const size_t stem = rs_path_stem(*path[k]);
        if (snprintf(names[k], 4096, "%.*s%s%.*s%s%s", (int)stem, *path[k], length ? "_" : "",
                     length, name, of_frame, *path[k] + stem) >= 4096) {
            cli_usage_error(&self, "%s: the path is too long", of[k]);
            return false;
        }
        *path[k] = names[k];
    }
    return true;
}

/* The frames of r->map that are asked for, *first to *end; false after a message. */
static bool frames_of(const walls_request *r, int *first, int *end)
{
    int frames = 1;
    reshed_error err = {0};
    *first = r->of_stack;
    *end = *first + 1;
    if (r->of_stack != CLI_FRAME_ALL) return true;
    if (rs_image_frames(r->map, r->channel, RS_QUANTITY_WALLS, &frames, &err) != RESHED_OK) {
        cli_fail(&self, r->map, &err);
        return false;
    }
    *first = frames > 1 ? 0 : RS_FRAME_ONLY;
    *end = frames > 1 ? frames : RS_FRAME_ONLY + 1;
    return true;
}

/* The outputs of one map. A map whose frames cannot be counted has none, and fails when its turn
 * comes. */
static int list_outputs(const walls_request *r, int map, cli_files *files)
{
    walls_request this = *r, one;
    char names[OUTPUTS][4096];
    const char **path[OUTPUTS], *of[OUTPUTS];
    int first = RS_FRAME_ONLY, end = RS_FRAME_ONLY + 1, frames = 1;
    this.map = r->maps[map];
    cli_files_input(files, this.map);
    if (r->of_stack == CLI_FRAME_ALL &&
        rs_image_frames(this.map, r->channel, RS_QUANTITY_WALLS, &frames, NULL) == RESHED_OK &&
        frames > 1) {
        first = 0;
        end = frames;
    }
    for (int f = first; f < end; f++) {
        if (!request_of(r, map, f, names, &one)) return CLI_USAGE;
        outputs_of(&one, path, of);
        for (int k = 0; k < OUTPUTS; k++) cli_files_output(files, *path[k], of[k]);
    }
    return CLI_OK;
}

static int check_files(const walls_request *r)
{
    const char *const in[] = {r->variance, r->amplitude, r->phase,
                              r->in_plane, r->values,    r->frame_of};
    cli_files files = {0};
    int status = CLI_OK;
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) cli_files_input(&files, in[i]);
    for (int m = 0; m < r->n_maps && status == CLI_OK; m++) status = list_outputs(r, m, &files);
    if (status == CLI_OK) status = cli_files_check(&self, &files, "name another output");
    cli_files_clear(&files);
    return status;
}

/* Its reason is on standard error. */
static void print_failed(const char *map, int frame)
{
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "file", map);
    if (frame >= 0) rs_json_integer(&j, "frame", frame);
    rs_json_bool(&j, "failed", true);
    rs_json_end(&j);
}

/* One map, all its frames that are asked for. Wrong usage is so for every frame. */
static int do_map(const walls_request *r, int map)
{
    walls_request this = *r, one;
    char names[OUTPUTS][4096];
    int first, end, status = CLI_OK;
    this.map = r->maps[map];
    if (!frames_of(&this, &first, &end)) {
        if (r->json) print_failed(this.map, RS_FRAME_ONLY);
        return CLI_FAILED;
    }
    for (int f = first; f < end && status != CLI_USAGE; f++) {
        if (!request_of(r, map, f, names, &one)) return CLI_USAGE;
        walls_job job = {.program = &self, .request = &one};
        const int of_frame = walls_open_session(&job, &one) ? run(&job) : CLI_FAILED;
        if (of_frame == CLI_FAILED && r->json) print_failed(one.map, f);
        if (of_frame != CLI_OK) status = of_frame;
        walls_job_clear(&job);
    }
    return status;
}

int main(int argc, char **argv)
{
    walls_request request;
    walls_request_defaults(&request);
    int status = walls_parse(&self, argc, argv, &request);
    if (status >= 0) return status;
    status = check_files(&request);
    if (status != CLI_OK) return status;
    for (int m = 0; m < request.n_maps && status != CLI_USAGE; m++) {
        const int of_map = do_map(&request, m);
        if (of_map != CLI_OK) status = of_map;
    }
    int closed = cli_close(&self);
    return status ? status : closed;
}
