/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schedule.h: the learning rate over a training.
 */
#pragma once

#include <math.h>

#include "fovea.h"

#define SCHEDULE_RISE 0.3 /* share of one cycle */

/* Along half a cosine from one rate to another. */
static inline double
schedule_between (double from, double to, double share)
{
  return to + (from - to) * 0.5 * (1.0 + cos (G_PI * MIN (share, 1.0)));
}

/* Share of the highest rate at `fraction` (0 to 1) of the training; over the first `warm_up` it goes up in a straight line. */
static inline double
schedule_rate (FoveaSchedule schedule, double fraction, double warm_up)
{
  if (schedule == FOVEA_SCHEDULE_ONE_CYCLE)
    return fraction < SCHEDULE_RISE ? schedule_between (0.04, 1.0, fraction / SCHEDULE_RISE)
                                    : schedule_between (1.0, 4e-6, (fraction - SCHEDULE_RISE) / (1.0 - SCHEDULE_RISE));
  if (fraction < warm_up)
    return 0.02 + 0.98 * fraction / warm_up;
  if (schedule == FOVEA_SCHEDULE_STEP)
    return fraction < 0.6 ? 1.0 : fraction < 0.85 ? 0.1 : 0.01;
  return schedule == FOVEA_SCHEDULE_CONSTANT ? 1.0 : schedule_between (1.0, 0.002, (fraction - warm_up) / MAX (1.0 - warm_up, 1e-9));
}
