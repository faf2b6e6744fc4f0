/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-memory.c: how much memory training would take, said beforehand. See fovea-train.h.
 */

#include "model/half-weights.h"
#include "train/learner.h"

guint64
fovea_model_measure_training (FoveaModel *model, const FoveaShape *shape, GError **error)
{
  const LearnerSettings  settings = { .n_threads = 1, .optimizer = { .kind = FOVEA_OPTIMIZER_SGD, .momentum = 0.9, .average = 0.9 }, .momentum = 0.1 };
  g_autoptr (FoveaModel) wide = model_widen (model, error);
  Learner               *learner = wide ? learner_new (wide, shape, &settings, error) : NULL;
  guint64                bytes = learner ? learner_count_bytes (learner) : 0;

  learner_free (learner);
  return bytes;
}
