/* weights_sample.h - a small weights file for the tests of its reader and writer. */
#ifndef RS_TESTS_SUPPORT_WEIGHTS_SAMPLE_H
#define RS_TESTS_SUPPORT_WEIGHTS_SAMPLE_H

#include "io/weights/model.h"
#include "io/weights/weights.h"

/* Two members with tensors of every type and rank, with values that show their place; NaN and -0
 * among them (rs_model_file_clear). */
rs_model_file weights_sample(void);
/* Fails the test unless both say the same, bit by bit and in the same order. */
void assert_same_weights(const rs_model_file *a, const rs_model_file *b);
/* Writes m to a temporary file of that name and returns its path. */
const char *write_weights(const char *name, const rs_model_file *m,
                          const rs_weights_options *options);
/* Reads a file or fails the test. */
rs_model_file load_weights(const char *path);

#endif
