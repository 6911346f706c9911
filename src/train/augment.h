/* augment.h - pieces of labelled pictures, changed at random: where they lie and how they are turned,
 * and what an instrument might do to them. All randomness comes from the generator that is given.
 *
 * A piece is cut out in one of eight orientations, or turned by any angle and scaled; then come the
 * effects of the twin (spm/twin/effects.h): blur, gain, gamma, inversion, noise, line noise, lines
 * that are not scanned yet; then it is scaled to [0,1] as a frame is. */
#ifndef RS_TRAIN_AUGMENT_H
#define RS_TRAIN_AUGMENT_H

#include "base/random.h"
#include "train/picture.h"

typedef struct rs_augment {
    int size;        /* pixels a side of a piece */
    double strength; /* of blur, gain, gamma and noise: 1 as for the shipped ensemble, 0 none */
    double turn;     /* share of pieces that are turned by any angle and scaled */
    double partial;  /* share that ends at the front of a scan */
    double noisy;    /* share with heavy noise, in which only strong walls remain */
    double invert;   /* share with contrast inverted: dark walls become bright */
    double eight;    /* share rounded to 8 bits, as pictures come from elsewhere */
} rs_augment;

/* RESHED_EINVAL names what is out of its range. */
reshed_status rs_augment_check(const rs_augment *a, reshed_error *err);

/* One piece, each plane [size,size]: the image from 0 to 1, 1 on walls, 0 on unknown pixels. */
typedef struct rs_piece {
    int size;
    float *image, *target, *weight; /* borrowed */
} rs_piece;

/* Cuts a piece of p out, in orientation 0 to 7 (quarter turns, then mirrored); a picture that is smaller
 * is continued by its mirror image. */
void rs_augment_cut(const rs_picture *p, rs_random *r, const rs_piece *out);
/* Turns by any angle and scales by 0.78 to 1.42; walls stay lines of one pixel, and beyond the frame its
 * mirror image goes on. p->distance must be there. */
void rs_augment_turn(const rs_picture *p, rs_random *r, const rs_piece *out);
/* One of the two, by a->turn. p gets its distances where they are needed. */
reshed_status rs_augment_place(const rs_augment *a, rs_random *r, rs_picture *p,
                               const rs_piece *out, reshed_error *err);
/* The instrument's part, in place. */
reshed_status rs_augment_effects(const rs_augment *a, rs_random *r, const rs_piece *piece,
                                 reshed_error *err);
/* Place and effects. */
reshed_status rs_augment_piece(const rs_augment *a, rs_random *r, rs_picture *p,
                               const rs_piece *out, reshed_error *err);

#endif
