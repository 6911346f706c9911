/* member.h - one network of an ensemble in training.
 *
 *     rs_member_options o = rs_member_defaults();
 *     o.batch = 8, o.height = o.width = 112;
 *     rs_member *m = NULL;
 *     if ((st = rs_member_create(&arch, &o, seed, &m, err)) != RESHED_OK) goto done;
 *     for (long i = 0; i < steps; i++) loss = rs_member_step(m, &batch, rs_rate_at(&rate, i));
 *     st = rs_member_tensors(m, &tensors, err);
 *     rs_member_free(m);
 *
 * A member is one thread's: its functions share buffers. Different members may be at work on
 * different threads; nothing is shared between them, so that the number of threads changes no
 * bit. Everything is allocated by rs_member_create, and most of it (activations: 180 MiB at 16
 * filters and the usual batch) is needed in a step only, so make a member when its turn comes; a
 * step allocates nothing. */
#ifndef RS_TRAIN_MEMBER_H
#define RS_TRAIN_MEMBER_H

#include <stdint.h>

#include "nn/net.h"
#include "train/net/batch.h"
#include "train/net/options.h"

/* A member with a random start as PyTorch gives it (uniform, bound 1/sqrt(inputs of a neuron);
 * normalisation 1 and 0), other for each seed. One class only (RESHED_EUNSUPPORTED); height and
 * width at least 4 << (levels - 1). */
reshed_status rs_member_create(const rs_arch *arch, const rs_member_options *options, uint64_t seed,
                               rs_member **out, reshed_error *err);
void rs_member_free(rs_member *m);

/* Weights and running statistics from tensors of the same architecture that have passed
 * rs_net_check. The optimiser starts anew. */
reshed_status rs_member_load(rs_member *m, const rs_tensors *t, reshed_error *err);
/* Weights and running statistics become `share` (0 to 1) of those tensors and the rest of their own;
 * the optimiser is left as it is. */
reshed_status rs_member_keep(rs_member *m, const rs_tensors *t, double share, reshed_error *err);

/* Weights and running statistics under AtomAI's names and in its order, float32: added to *out
 * (zeroed). */
reshed_status rs_member_tensors(const rs_member *m, rs_tensors *out, reshed_error *err);

/* Forward, loss, backward, clip, AdamW with this rate; the running statistics take their share of
 * the batch. Returns the loss before the step. Pixels of weight 0 count nowhere. */
double rs_member_step(rs_member *m, const rs_batch *batch, double rate);
/* Steps taken since the creation or the last rs_member_load. */
long rs_member_steps(const rs_member *m);
/* The norm of the last gradient, before it was cut. */
double rs_member_gradient_norm(const rs_member *m);

/* The first half of a step: the loss, and its gradient. The running statistics take their share.
 * For samplers and tests; rs_member_gradient_tensors gives it as tensors with the parameters'
 * names. */
double rs_member_gradient(rs_member *m, const rs_batch *batch);
reshed_status rs_member_gradient_tensors(const rs_member *m, rs_tensors *out, reshed_error *err);
/* All parameters, and the gradient of the last batch beside them: *n floats in an order of our own,
 * some of them padding that is and stays zero. Borrowed; samplers may change the parameters. */
float *rs_member_parameters(rs_member *m, size_t *n);
const float *rs_member_gradient_values(const rs_member *m);
/* real[n], n as above: 1 for a parameter, 0 for padding. */
void rs_member_real(const rs_member *m, uint8_t *real);

/* With running statistics and nothing learnt: the loss, and probabilities [n,height,width] unless
 * NULL. */
double rs_member_evaluate(rs_member *m, const rs_batch *batch, float *probability);

/* Stochastic weight averaging: adds the present weights (and running statistics) to the average;
 * makes the average the weights. finish without an add changes nothing. Returns how many were
 * added. */
long rs_member_average_add(rs_member *m);
long rs_member_average_finish(rs_member *m);

/* Running statistics as the plain mean over batches, as averaged weights need them: begin, add for
 * each batch, end. end without an add leaves the statistics as they were. */
void rs_member_statistics_begin(rs_member *m);
void rs_member_statistics_add(rs_member *m, const rs_batch *batch);
void rs_member_statistics_end(rs_member *m);

/* Everything that later steps depend on (weights, statistics, moments, counts, average) as
 * state_size bytes; restored in a member of the same architecture it goes on to the same bits.
 * Native byte order. restore: RESHED_ECORRUPT, and the member as before, when they are another
 * network's bytes or another number of bytes. */
size_t rs_member_state_size(const rs_member *m);
void rs_member_state_save(const rs_member *m, void *out);
reshed_status rs_member_state_restore(rs_member *m, const void *state, size_t bytes,
                                      reshed_error *err);

const rs_arch *rs_member_arch(const rs_member *m);
/* Bytes of all blocks that the member holds. */
size_t rs_member_bytes(const rs_member *m);

#endif
