/* start.h - a member of a training at its start. */
#ifndef RS_TRAIN_START_H
#define RS_TRAIN_START_H

#include "base/tensors.h"
#include "train/recipe.h"

/* Member i of recipe r: random, or (start unlike NULL) with the weights of member i % members of
 * start. */
reshed_status rs_train_member(const rs_train_recipe *r, const rs_model_file *start, int i,
                              rs_member **out, reshed_error *err);

/* What a weights file says of an ensemble so trained, but for the tensors of its members: m is zeroed
 * before. words: the recipe (rs_train_describe). */
reshed_status rs_train_model(const rs_train_recipe *r, const rs_model_file *start,
                             const char *words, rs_model_file *m, reshed_error *err);

#endif
