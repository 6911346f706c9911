/* frame.c - a whole image, gaps and all, to a map of its walls through the public header.
 *
 *     cc examples/frame.c -lreshed -lm -o example_frame
 *     ./example_frame weights/reshednet16x10.h5                         # a simulated image
 *     ./example_frame weights/reshednet16x10.h5 frame.raw 256 256 10    # float32, row by row:
 *                                                                       # height, width, nm a pixel
 */
#include <math.h>
#include <reshed.h>
#include <stdio.h>
#include <stdlib.h>

/* Needles, as a film of a ferroelastic has them, a slow background, and a line that was lost. */
static void draw(float *image, int height, int width)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            image[y * width + x] =
                y == height / 3 ? NAN
                                : 1 + 0.3f * sinf(0.05f * (float)(x + y)) -
                                      ((2 * x + y) % 46 < 8 && (x - 2 * y + 1000) % 300 < 240);
}

static void print_results(const reshed_frame_view *v)
{
    int least = 0, most = 0;
    for (int i = 1; i < v->height * v->width; i++) {
        if (v->wall_variance[i] < v->wall_variance[least]) least = i;
        if (v->wall_variance[i] > v->wall_variance[most]) most = i;
    }
    printf("%d x %d pixels, %zu without a value, %.1f %% walls\n", v->height, v->width, v->filled,
           100 * v->wall_fraction);
    if (*v->resampled) printf("the networks saw another grid: %s\n", v->resampled);
    printf("the members agree most at row %d, column %d, and least at row %d, column %d\n",
           least / v->width, least % v->width, most / v->width, most % v->width);
    if (!isnan(v->ood_score))
        printf("out-of-distribution score %.2f: %s\n", v->ood_score,
               v->alarm ? "do not trust this map" : "like the frames of training");
}

int main(int argc, char **argv)
{
    const int height = argc > 3 ? atoi(argv[3]) : 128, width = argc > 4 ? atoi(argv[4]) : 128;
    const double pixel = argc > 5 ? 1e-9 * atof(argv[5]) : 0;
    const size_t n = height > 0 && width > 0 ? (size_t)height * (size_t)width : 0;
    float *image = calloc(n ? n : 1, sizeof *image);
    FILE *file = argc > 2 ? fopen(argv[2], "rb") : NULL;
    if (argc < 2 || !n || !image || (argc > 2 && (!file || fread(image, 4, n, file) != n))) {
        fprintf(stderr,
                "usage: example_frame WEIGHTS [FLOAT32-FILE HEIGHT WIDTH [NM-PER-PIXEL]]\n");
        return 2;
    }
    if (file)
        fclose(file);
    else
        draw(image, height, width);

    reshed_ensemble *ensemble = NULL;
    reshed_frame *frame = NULL;
    reshed_frame_options options;
    reshed_frame_view view;
    reshed_error err = {0};
    char text[512];
    reshed_frame_defaults(&options);
    options.norm = RESHED_FRAME_ROBUST; /* one hot pixel does not rescale the image */
    reshed_status st = reshed_ensemble_load(argv[1], &ensemble, &err);
    if (st == RESHED_OK) st = reshed_frame_create_taking(ensemble, &options, &frame, &err);
    if (st == RESHED_OK) st = reshed_frame_run(frame, image, height, width, pixel, pixel, &err);
    if (st == RESHED_OK) {
        reshed_frame_get(frame, &view);
        print_results(&view);
    } else {
        fprintf(stderr, "example_frame: %s\n", reshed_error_text(&err, text, sizeof text));
    }
    reshed_frame_free(frame);
    reshed_ensemble_free(ensemble);
    free(image);
    return st != RESHED_OK;
}
