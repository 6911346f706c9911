/* batch.h - the images of one training step. */
#ifndef RS_TRAIN_BATCH_H
#define RS_TRAIN_BATCH_H

typedef struct rs_batch {
    int n, height, width;
    float *image;  /* [n,height,width], scaled to [0,1] */
    float *target; /* [n,height,width], 0 or 1 */
    float *weight; /* [n,height,width]; 0 where a pixel is to be ignored, else 1 */
} rs_batch;

#endif
