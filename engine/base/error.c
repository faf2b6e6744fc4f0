/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error.c: the error domain of the engine.
 */

#include "fovea.h"

G_DEFINE_QUARK (fovea-error-quark, fovea_error)
