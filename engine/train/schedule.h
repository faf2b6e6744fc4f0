/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schedule.h: the learning rate over a training.
 */
#pragma once

#include <glib.h>
#include <math.h>

/* Share of the highest rate at `fraction` (0 to 1) of the training: up in a straight line over the first `warm_up`, then down to nearly nothing as half a cosine
 * (Loshchilov & Hutter 2017, arXiv:1608.03983). */
static inline double
schedule_rate (double fraction, double warm_up)
{
  if (fraction < warm_up)
    return 0.02 + 0.98 * fraction / warm_up;
  return 0.002 + 0.998 * 0.5 * (1.0 + cos (G_PI * MIN ((fraction - warm_up) / MAX (1.0 - warm_up, 1e-9), 1.0)));
}
