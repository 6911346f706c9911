/* classes.h - maps that tell several classes apart: a layer of probabilities for each, as networks
 * give them, or the number of a class in each pixel.
 *
 *     rs_classes c;
 *     st = rs_classes_read("mean.npy", &c, err);
 *     if (st == RESHED_OK && c.classes > 0) st = rs_classes_take(&c, 2, &layer, err);
 *     rs_classes_clear(&c); */
#ifndef RS_IO_CLASSES_H
#define RS_IO_CLASSES_H

#include <stdbool.h>

#include "io/npy.h"

/* Largest number of classes. */
#define RS_CLASSES_MAX 1024
/* Stands for a class: all but the first, which is the background. */
#define RS_CLASSES_WALL (-1)

typedef struct rs_classes {
    rs_npy array;
    int height, width;
    int classes; /* 0: the file holds something else */
    bool last;   /* (H,W,C), else (C,H,W) */
    bool whole;  /* the values of a pixel add up to 1 in all pixels */
} rs_classes;

/* Reads a NPY file of real numbers with three axes, those of one element left out. The axis of the
 * classes is the one along which the values add up to 1, else the shorter one of the first and the
 * last. Another kind of file or shape gives classes 0 and RESHED_OK. Errors: RESHED_EIO,
 * RESHED_ECORRUPT, RESHED_EUNSUPPORTED (sizes), RESHED_ENOMEM. */
reshed_status rs_classes_read(const char *path, rs_classes *out, reshed_error *err);

/* Takes the axis of the classes to be the one that leaves the sides of another map, whatever the
 * values add up to: those of variances do not. RESHED_EINVAL when neither does. */
reshed_status rs_classes_match(rs_classes *c, int height, int width, reshed_error *err);

/* A class's values, counted from 0, as *out[H,W] (rs_free); RS_CLASSES_WALL gives the first's.
 * RESHED_EINVAL for a class that there is not, RESHED_ENOMEM. */
reshed_status rs_classes_take(const rs_classes *c, int wanted, float **out, reshed_error *err);
/* Puts 1 into out[H,W] where no class is likelier than `wanted` (0 <= wanted < classes), and 0 elsewhere, also where a
 * value is NaN. */
void rs_classes_likeliest(const rs_classes *c, int wanted, uint8_t *out);
void rs_classes_clear(rs_classes *c);

/* The numbers of classes in map[n], as they are or as grey values of a PNG (8 or 16 bit, of which
 * readers make 0 to 1): fills present[32], true for those that there are, and returns the largest;
 * -1: these are no such numbers (more than 32, not whole, below 0). */
#define RS_CLASSES_LABELS 32
int rs_classes_labels(const float *map, size_t n, bool present[RS_CLASSES_LABELS]);

/* Puts 1 where the class is `wanted` and 0 elsewhere. RESHED_EINVAL when map holds no numbers of
 * classes, or not this one. */
reshed_status rs_classes_mark(float *map, size_t n, int wanted, reshed_error *err);

#endif
