/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.h: what vision/ itself asks of FoveaSettings beyond fovea.h.
 */
#pragma once

#include "fovea.h"

/* Exchanges the labels for those (n_labels and a NULL); takes them over. */
void settings_take_labels (FoveaSettings *settings, char **labels, gsize n_labels);
