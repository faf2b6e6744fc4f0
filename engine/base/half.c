/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * half.c: binary16 and binary32, by their bits (IEEE 754-2019, section 3.6).
 */

#include "base/half.h"

#include <string.h>

float
half_to_float (uint16_t half)
{
  uint32_t sign = (uint32_t) (half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 0x1f;
  uint32_t mantissa = half & 0x3ff;
  uint32_t bits;
  float    value;

  if (exponent == 0x1f)
    bits = sign | 0x7f800000 | mantissa << 13;
  else if (exponent != 0)
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  else if (mantissa == 0)
    bits = sign;
  else
    {
      /* Subnormal: shift the leading one up to where binary32 hides it. */
      exponent = 113;
      while (!(mantissa & 0x400))
        {
          mantissa <<= 1;
          exponent--;
        }
      bits = sign | exponent << 23 | (mantissa & 0x3ff) << 13;
    }

  memcpy (&value, &bits, sizeof value);
  return value;
}

uint16_t
half_from_float (float value)
{
  uint32_t bits, magnitude, rounded;
  uint16_t sign;

  memcpy (&bits, &value, sizeof bits);
  sign = (uint16_t) (bits >> 16 & 0x8000);
  magnitude = bits & 0x7fffffff;

  if (magnitude > 0x7f800000) /* NaN: keep the top of its payload, and keep it a NaN */
    return sign | 0x7e00 | (magnitude >> 13 & 0x3ff);
  if (magnitude >= 0x477ff000) /* from half way between 65504 and 65536 */
    return sign | 0x7c00;
  if (magnitude >= 0x38800000) /* normal: re-bias, round to nearest even; a carry runs into the exponent as it should */
    {
      rounded = magnitude - (112u << 23);
      rounded += 0xfff + (rounded >> 13 & 1);
      return sign | (uint16_t) (rounded >> 13);
    }
  if (magnitude < 0x33000000) /* below half of the least subnormal */
    return sign;

  {
    uint32_t shift = 126 - (magnitude >> 23);
    uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    uint32_t half_way = 1u << (shift - 1);

    rounded = mantissa + half_way - 1 + (mantissa >> shift & 1);
    return sign | (uint16_t) (rounded >> shift);
  }
}
