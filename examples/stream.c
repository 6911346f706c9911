/* stream.c - segments a frame line by line, as it is scanned, through the public header.
 *
 *     cc examples/stream.c -lreshed -lm -o example_stream
 *     ./example_stream weights/tiny8x4.h5                    # a simulated image
 *     ./example_stream weights/tiny8x4.h5 frame.raw 256 256  # float32: height, width */
#include <math.h>
#include <reshed.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Needles, as a film of a ferroelastic has them, and a slow background. */
static void draw(float *image, int height, int width)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            image[y * width + x] = 1 + 0.3f * sinf(0.05f * (float)(x + y)) -
                                   ((2 * x + y) % 46 < 8 && (x - 2 * y + 1000) % 300 < 240);
}

static double milliseconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* Prints how much of the map is known after a line, and how sure the ensemble is there. */
static void print_line(const reshed_stream *stream, int row, double ms)
{
    reshed_stream_view v;
    double sum = 0;
    int finals = 0, provisional = 0, pixels = 0;
    reshed_stream_get(stream, &v);
    for (int y = 0; y < v.height; y++) {
        finals += v.state[y] == RESHED_ROW_FINAL;
        provisional += v.state[y] == RESHED_ROW_PROVISIONAL;
    }
    for (int i = 0; i < v.height * v.width * v.classes; i++)
        if (!isnan(v.variance[i])) sum += v.variance[i], pixels++;
    printf("%4d %6d %6d %8.2f %.5f\n", row, finals, provisional, ms, pixels ? sum / pixels : 0);
}

int main(int argc, char **argv)
{
    const int height = argc > 3 ? atoi(argv[3]) : 128, width = argc > 4 ? atoi(argv[4]) : 128;
    const size_t n = height > 0 && width > 0 ? (size_t)height * (size_t)width : 0;
    float *image = calloc(n ? n : 1, sizeof *image);
    FILE *file = argc > 2 ? fopen(argv[2], "rb") : NULL;
    if (argc < 2 || !n || !image || (argc > 2 && (!file || fread(image, 4, n, file) != n))) {
        fprintf(stderr, "usage: example_stream WEIGHTS [FLOAT32-FILE HEIGHT WIDTH]\n");
        return 2;
    }
    if (file)
        fclose(file);
    else
        draw(image, height, width);

    reshed_ensemble *ensemble = NULL;
    reshed_stream *stream = NULL;
    reshed_stream_options options;
    reshed_error err = {0};
    char text[512];
    reshed_stream_defaults(&options);
    options.norm = RESHED_STREAM_ROBUST; /* one hot pixel does not rescale the map */
    reshed_status st = reshed_ensemble_load(argv[1], &ensemble, &err);
    if (st == RESHED_OK)
        st = reshed_stream_create(ensemble, height, width, &options, &stream, &err);
    if (st == RESHED_OK) printf(" row  final  provi-       ms mean variance\n");
    for (int y = 0; st == RESHED_OK && y < height; y++) {
        const double start = milliseconds();
        st = reshed_stream_push(stream, y, 1, image + (size_t)y * (size_t)width, &err);
        if (st == RESHED_OK) print_line(stream, y, milliseconds() - start);
    }
    if (st == RESHED_OK) st = reshed_stream_finish(stream, &err);
    if (st != RESHED_OK)
        fprintf(stderr, "example_stream: %s\n", reshed_error_text(&err, text, sizeof text));
    reshed_stream_free(stream);
    reshed_ensemble_free(ensemble);
    free(image);
    return st != RESHED_OK;
}
