/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.h: what vision/ itself asks of FoveaSettings beyond fovea.h.
 */
#pragma once

#include "fovea.h"

/* The shape of a model's input with the settings' size where the model leaves it open, and 1 photo. FALSE with FOVEA_ERROR_UNSUPPORTED when the
 * input isn't that of a photo. */
gboolean settings_input_shape (const FoveaSettings *settings, const FoveaPort *port, FoveaShape *shape, GError **error);

/* Exchanges the labels for those (n_labels and a NULL); takes them over. */
void     settings_take_labels (FoveaSettings *settings, char **labels, gsize n_labels);
