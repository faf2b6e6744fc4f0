/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * size-input.h: the second input of some detectors, the photo's size, to which they scale their boxes. It gets the size of the network's own first input, so that
 * boxes are in its pixels.
 */
#pragma once

#include "fovea.h"

/* The value, and the options know it. NULL with FOVEA_ERROR_UNSUPPORTED where the model has other inputs. */
FoveaTensor *size_input_bind  (FoveaModel *model, const FoveaSettings *settings, FoveaSessionOptions *options, GError **error);

void         size_input_write (FoveaSession *session, const FoveaTensor *size);
