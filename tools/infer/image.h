/* image.h - one image of reshed-infer: read, handed to the frame pipeline, scored, written. */
#ifndef RS_TOOLS_INFER_IMAGE_H
#define RS_TOOLS_INFER_IMAGE_H

#include "infer/frame.h"
#include "infer/signs.h"
#include "imgproc/figures/plot.h"
#include "infer/tally.h"
#include "tools/cli/cli.h"
#include "tools/cli/files.h"

/* The request made on the command line. */
typedef struct infer_request {
    const char *channel; /* NULL for the usual one */
    const char *phase;   /* its channel; NULL: the one that goes with the amplitude, if any */
    bool no_phase;
    int of_stack; /* frame of a stack: RS_FRAME_ONLY, CLI_FRAME_ALL, or its number */
    rs_frame_options frame;
    const char *mean, *variance, *h5, *png, *truth; /* NULL when not asked for */
    const char *wall180, *gwy, *iso;                /* the same */
    const char *gsf;                                /* what its files' names begin with */
    const char *reliability;                        /* the diagram's PNG; goes with truth */
    const char *figure;                             /* NULL when not asked for */
    const char *folder; /* of what is not named; NULL: beside the input */
    rs_paper paper;     /* of the figure */
    bool defaults;      /* no output was named: write all */
    bool quiet;
} infer_request;

/* The ensemble at work. It is loaded once the first image has been read: a file that cannot be read
 * costs neither the time nor the memory. */
typedef struct infer_engine infer_engine;
struct infer_engine {
    const cli_program *program;
    bool (*load)(infer_engine *engine); /* fills what follows; false after an error message */
    const void *load_ctx;               /* for load; borrowed */
    bool failed;                        /* load has failed: no image can be done */
    rs_frame *frame;                    /* owned; NULL before */
    char digest[65]; /* of the weights, "" when no file that records it is asked for */
};

typedef struct infer_result {
    rs_frame_view view;   /* its maps are borrowed from the frame: valid until the next image; the
                           ensemble's, whatever the phase says */
    char phase[64];       /* the channel of the phase that parted the walls, "" without */
    double wall_fraction; /* ferroelastic (all, without phase), above the threshold */
    double wall180_fraction; /* NaN without phase */
    char channel[64];        /* of the file, "" when it has no names */
    double dx, dy;           /* pixel size in metres, 0 when unknown */
    int number, frames;      /* of the frame in a stack of so many; 0: it is no stack */
    double angle;            /* of the frame, and how it was scanned (rs_image) */
    char scan[24];
    char note[480]; /* of the reader, "" when there is nothing to say (rs_image) */
    bool scored;    /* against the walls of request.truth */
    rs_wall_scores scores;
} infer_result;

/* Adds the image at path, and all that infer_image will write for it, to the files of the batch. */
void infer_image_files(const infer_request *request, const char *path, cli_files *files);

/* The frames of the image at path that are asked for: *first to *end, RS_FRAME_ONLY for the only one; false
 * after an error message. program NULL: without one. */
bool infer_image_frames(const cli_program *program, const infer_request *request, const char *path,
                        int *first, int *end);

/* One frame, number request->of_stack. false after an error message; nothing is left half-written. */
bool infer_image(infer_engine *engine, const infer_request *request, const char *path,
                 infer_result *result);

#endif
