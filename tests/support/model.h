/* model.h - small random networks for the tests. */
#ifndef RS_TESTS_SUPPORT_MODEL_H
#define RS_TESTS_SUPPORT_MODEL_H

#include "base/tensors.h"
#include "nn/plan.h"

/* A ResHedNet of three levels with seeded weights, scaled so that activations stay of order one and
 * the probabilities spread over (0,1). Clear with rs_model_file_clear. */
void test_model(rs_model_file *m, int members, int filters, int classes, const int layers[3],
                const char *upsampling, uint64_t seed);

/* Mean and variance of the members by the double oracle: [h,w,classes]. */
void test_oracle(const rs_model_file *m, const float *image, int h, int w, double *mean,
                 double *variance);

/* Mean, variance and members' maps of an image [h,w] have the same bits for 1, 2, 3 and 7 threads, also when a
 * plan runs again. options: all but the threads. */
void test_any_thread_count(rs_model_file *m, int h, int w, const rs_plan_options *options);

/* A smooth random image in [0,1] of size [h,w]. */
void test_image(float *image, int h, int w, uint64_t seed);

#endif
