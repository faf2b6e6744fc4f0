/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * half.h: IEEE 754 binary16 to binary32 and back, round to nearest even, NaN and subnormals kept. Plain C, exact.
 */
#pragma once

#include <stdint.h>

float    half_to_float (uint16_t half);
uint16_t half_from_float (float value);
