/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec.h: VEC_LANES floats side by side, and what can be done with them, for SSE2, AVX2 + FMA, AVX-512, NEON, and for anything else (or any
 * width, for tests: -DVEC_PORTABLE=16) with the compiler's vector extensions. The kernels are written once over this and compiled for each.
 *
 *   vec_max (a, b), vec_min (a, b): a must not be NaN; a NaN in b stays. Write the constant first.
 *   vec_fma (a, b, c): a b + c, rounded once where the processor can.
 *   vec_exponent (m): 2^n of m = n + VEC_MAGIC, -126 <= n <= 127; see vec-math.h.
 *
 * The tile (see vec-tile.h) is chosen here too: TILE_VECTORS vectors of output channels by up to TILE_PIXELS pixels stay in registers.
 */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__ ((always_inline))

#ifdef __clang__
#define UNROLL _Pragma ("unroll")
#else
#define UNROLL _Pragma ("GCC unroll 16")
#endif

#define VEC_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, which is then in the low bits */

#if defined VEC_PORTABLE || !(defined __SSE2__ || (defined __aarch64__ && defined __ARM_NEON))

#ifdef VEC_PORTABLE
#define VEC_LANES VEC_PORTABLE
#else
#define VEC_LANES 4
#endif

typedef float   Vec __attribute__ ((vector_size (VEC_LANES * 4)));
typedef uint32_t VecBits __attribute__ ((vector_size (VEC_LANES * 4)));
typedef int32_t  VecMask __attribute__ ((vector_size (VEC_LANES * 4)));

INLINE Vec vec_zero (void) { return (Vec) { 0 }; }
INLINE Vec vec_set (float x) { return x - (Vec) { 0 }; }
INLINE Vec vec_load (const float *p) { Vec v; memcpy (&v, p, sizeof v); return v; }
INLINE void vec_store (float *p, Vec v) { memcpy (p, &v, sizeof v); }
INLINE Vec vec_add (Vec a, Vec b) { return a + b; }
INLINE Vec vec_sub (Vec a, Vec b) { return a - b; }
INLINE Vec vec_mul (Vec a, Vec b) { return a * b; }
INLINE Vec vec_div (Vec a, Vec b) { return a / b; }
INLINE Vec vec_fma (Vec a, Vec b, Vec c) { return a * b + c; }
INLINE VecMask vec_less (Vec a, Vec b) { return a < b; }
INLINE VecMask vec_equal (Vec a, Vec b) { return a == b; }
INLINE VecMask vec_is_nan (Vec a) { return a != a; }
INLINE Vec vec_select (VecMask m, Vec a, Vec b) { return (Vec) ((m & (VecMask) a) | (~m & (VecMask) b)); }
INLINE Vec vec_max (Vec a, Vec b) { return vec_select (b < a, a, b); }
INLINE Vec vec_min (Vec a, Vec b) { return vec_select (a < b, a, b); }
INLINE Vec vec_abs (Vec a) { return (Vec) ((VecBits) a & 0x7fffffff); }
INLINE Vec vec_copy_sign (Vec a, Vec sign) { return (Vec) (((VecBits) a & 0x7fffffff) | ((VecBits) sign & 0x80000000u)); }
INLINE Vec vec_sqrt (Vec a) { for (int i = 0; i < VEC_LANES; i++) a[i] = sqrtf (a[i]); return a; }
INLINE Vec vec_exponent (Vec m) { return (Vec) (((VecBits) m - 0x4b400000 + 127) << 23); }

#if VEC_LANES == 16 /* the tile of AVX-512, so that its logic can be tested anywhere */
#define TILE_VECTORS 2
#define TILE_PIXELS 12
#define TILE_TEXT "32 channels x 12 pixels"
#else
#define TILE_VECTORS (8 / VEC_LANES)
#define TILE_PIXELS 5
#define TILE_TEXT "8 channels x 5 pixels"
#endif

#elif defined __AVX512F__

#include <immintrin.h>

#define VEC_LANES 16
#define TILE_VECTORS 2
#define TILE_PIXELS 12
#define TILE_TEXT "32 channels x 12 pixels"

typedef __m512    Vec;
typedef __mmask16 VecMask;

INLINE Vec vec_zero (void) { return _mm512_setzero_ps (); }
INLINE Vec vec_set (float x) { return _mm512_set1_ps (x); }
INLINE Vec vec_load (const float *p) { return _mm512_loadu_ps (p); }
INLINE void vec_store (float *p, Vec v) { _mm512_storeu_ps (p, v); }
INLINE Vec vec_add (Vec a, Vec b) { return _mm512_add_ps (a, b); }
INLINE Vec vec_sub (Vec a, Vec b) { return _mm512_sub_ps (a, b); }
INLINE Vec vec_mul (Vec a, Vec b) { return _mm512_mul_ps (a, b); }
INLINE Vec vec_div (Vec a, Vec b) { return _mm512_div_ps (a, b); }
INLINE Vec vec_fma (Vec a, Vec b, Vec c) { return _mm512_fmadd_ps (a, b, c); }
INLINE VecMask vec_less (Vec a, Vec b) { return _mm512_cmp_ps_mask (a, b, _CMP_LT_OQ); }
INLINE VecMask vec_equal (Vec a, Vec b) { return _mm512_cmp_ps_mask (a, b, _CMP_EQ_OQ); }
INLINE VecMask vec_is_nan (Vec a) { return _mm512_cmp_ps_mask (a, a, _CMP_UNORD_Q); }
INLINE Vec vec_select (VecMask m, Vec a, Vec b) { return _mm512_mask_blend_ps (m, b, a); }
INLINE Vec vec_max (Vec a, Vec b) { return _mm512_max_ps (a, b); }
INLINE Vec vec_min (Vec a, Vec b) { return _mm512_min_ps (a, b); }
INLINE Vec vec_abs (Vec a) { return _mm512_abs_ps (a); }
INLINE Vec vec_copy_sign (Vec a, Vec sign)
{
  return _mm512_castsi512_ps (_mm512_ternarylogic_epi32 (_mm512_set1_epi32 (INT32_MIN), _mm512_castps_si512 (sign), _mm512_castps_si512 (a),
                                                         0xca));
}
INLINE Vec vec_sqrt (Vec a) { return _mm512_sqrt_ps (a); }
INLINE Vec vec_exponent (Vec m)
{
  return _mm512_castsi512_ps (_mm512_slli_epi32 (_mm512_sub_epi32 (_mm512_castps_si512 (m), _mm512_set1_epi32 (0x4b400000 - 127)), 23));
}

#elif defined __AVX2__ && defined __FMA__

#include <immintrin.h>

#define VEC_LANES 8
#define TILE_VECTORS 2
#define TILE_PIXELS 6
#define TILE_TEXT "16 channels x 6 pixels"

typedef __m256 Vec;
typedef __m256 VecMask;

INLINE Vec vec_zero (void) { return _mm256_setzero_ps (); }
INLINE Vec vec_set (float x) { return _mm256_set1_ps (x); }
INLINE Vec vec_load (const float *p) { return _mm256_loadu_ps (p); }
INLINE void vec_store (float *p, Vec v) { _mm256_storeu_ps (p, v); }
INLINE Vec vec_add (Vec a, Vec b) { return _mm256_add_ps (a, b); }
INLINE Vec vec_sub (Vec a, Vec b) { return _mm256_sub_ps (a, b); }
INLINE Vec vec_mul (Vec a, Vec b) { return _mm256_mul_ps (a, b); }
INLINE Vec vec_div (Vec a, Vec b) { return _mm256_div_ps (a, b); }
INLINE Vec vec_fma (Vec a, Vec b, Vec c) { return _mm256_fmadd_ps (a, b, c); }
INLINE VecMask vec_less (Vec a, Vec b) { return _mm256_cmp_ps (a, b, _CMP_LT_OQ); }
INLINE VecMask vec_equal (Vec a, Vec b) { return _mm256_cmp_ps (a, b, _CMP_EQ_OQ); }
INLINE VecMask vec_is_nan (Vec a) { return _mm256_cmp_ps (a, a, _CMP_UNORD_Q); }
INLINE Vec vec_select (VecMask m, Vec a, Vec b) { return _mm256_blendv_ps (b, a, m); }
INLINE Vec vec_max (Vec a, Vec b) { return _mm256_max_ps (a, b); }
INLINE Vec vec_min (Vec a, Vec b) { return _mm256_min_ps (a, b); }
INLINE Vec vec_abs (Vec a) { return _mm256_andnot_ps (_mm256_set1_ps (-0.0f), a); }
INLINE Vec vec_copy_sign (Vec a, Vec sign) { return _mm256_or_ps (vec_abs (a), _mm256_and_ps (_mm256_set1_ps (-0.0f), sign)); }
INLINE Vec vec_sqrt (Vec a) { return _mm256_sqrt_ps (a); }
INLINE Vec vec_exponent (Vec m)
{
  return _mm256_castsi256_ps (_mm256_slli_epi32 (_mm256_sub_epi32 (_mm256_castps_si256 (m), _mm256_set1_epi32 (0x4b400000 - 127)), 23));
}

#elif defined __SSE2__

#include <emmintrin.h>

#define VEC_LANES 4
#define TILE_VECTORS 2
#define TILE_PIXELS 5
#define TILE_TEXT "8 channels x 5 pixels"

typedef __m128 Vec;
typedef __m128 VecMask;

INLINE Vec vec_zero (void) { return _mm_setzero_ps (); }
INLINE Vec vec_set (float x) { return _mm_set1_ps (x); }
INLINE Vec vec_load (const float *p) { return _mm_loadu_ps (p); }
INLINE void vec_store (float *p, Vec v) { _mm_storeu_ps (p, v); }
INLINE Vec vec_add (Vec a, Vec b) { return _mm_add_ps (a, b); }
INLINE Vec vec_sub (Vec a, Vec b) { return _mm_sub_ps (a, b); }
INLINE Vec vec_mul (Vec a, Vec b) { return _mm_mul_ps (a, b); }
INLINE Vec vec_div (Vec a, Vec b) { return _mm_div_ps (a, b); }
INLINE Vec vec_fma (Vec a, Vec b, Vec c) { return _mm_add_ps (_mm_mul_ps (a, b), c); }
INLINE VecMask vec_less (Vec a, Vec b) { return _mm_cmplt_ps (a, b); }
INLINE VecMask vec_equal (Vec a, Vec b) { return _mm_cmpeq_ps (a, b); }
INLINE VecMask vec_is_nan (Vec a) { return _mm_cmpunord_ps (a, a); }
INLINE Vec vec_select (VecMask m, Vec a, Vec b) { return _mm_or_ps (_mm_and_ps (m, a), _mm_andnot_ps (m, b)); }
INLINE Vec vec_max (Vec a, Vec b) { return _mm_max_ps (a, b); }
INLINE Vec vec_min (Vec a, Vec b) { return _mm_min_ps (a, b); }
INLINE Vec vec_abs (Vec a) { return _mm_andnot_ps (_mm_set1_ps (-0.0f), a); }
INLINE Vec vec_copy_sign (Vec a, Vec sign) { return _mm_or_ps (vec_abs (a), _mm_and_ps (_mm_set1_ps (-0.0f), sign)); }
INLINE Vec vec_sqrt (Vec a) { return _mm_sqrt_ps (a); }
INLINE Vec vec_exponent (Vec m)
{
  return _mm_castsi128_ps (_mm_slli_epi32 (_mm_sub_epi32 (_mm_castps_si128 (m), _mm_set1_epi32 (0x4b400000 - 127)), 23));
}

#else /* NEON on aarch64 */

#include <arm_neon.h>

#define VEC_LANES 4
#define TILE_VECTORS 4
#define TILE_PIXELS 5
#define TILE_TEXT "16 channels x 5 pixels"

typedef float32x4_t Vec;
typedef uint32x4_t  VecMask;

INLINE Vec vec_zero (void) { return vdupq_n_f32 (0.0f); }
INLINE Vec vec_set (float x) { return vdupq_n_f32 (x); }
INLINE Vec vec_load (const float *p) { return vld1q_f32 (p); }
INLINE void vec_store (float *p, Vec v) { vst1q_f32 (p, v); }
INLINE Vec vec_add (Vec a, Vec b) { return vaddq_f32 (a, b); }
INLINE Vec vec_sub (Vec a, Vec b) { return vsubq_f32 (a, b); }
INLINE Vec vec_mul (Vec a, Vec b) { return vmulq_f32 (a, b); }
INLINE Vec vec_div (Vec a, Vec b) { return vdivq_f32 (a, b); }
INLINE Vec vec_fma (Vec a, Vec b, Vec c) { return vfmaq_f32 (c, a, b); }
INLINE VecMask vec_less (Vec a, Vec b) { return vcltq_f32 (a, b); }
INLINE VecMask vec_equal (Vec a, Vec b) { return vceqq_f32 (a, b); }
INLINE VecMask vec_is_nan (Vec a) { return vmvnq_u32 (vceqq_f32 (a, a)); }
INLINE Vec vec_select (VecMask m, Vec a, Vec b) { return vbslq_f32 (m, a, b); }
INLINE Vec vec_max (Vec a, Vec b) { return vmaxq_f32 (a, b); }
INLINE Vec vec_min (Vec a, Vec b) { return vminq_f32 (a, b); }
INLINE Vec vec_abs (Vec a) { return vabsq_f32 (a); }
INLINE Vec vec_copy_sign (Vec a, Vec sign) { return vbslq_f32 (vdupq_n_u32 (0x80000000u), sign, a); }
INLINE Vec vec_sqrt (Vec a) { return vsqrtq_f32 (a); }
INLINE Vec vec_exponent (Vec m)
{
  return vreinterpretq_f32_s32 (vshlq_n_s32 (vsubq_s32 (vreinterpretq_s32_f32 (m), vdupq_n_s32 (0x4b400000 - 127)), 23));
}

#endif

/* Pixels of a tile of half as many vectors: as many as the registers hold where the others would leave the multiplier waiting for its own sums. */
#if VEC_LANES == 8
#define TILE_NARROW_PIXELS 12
#else
#define TILE_NARROW_PIXELS TILE_PIXELS
#endif

#define TILE_LANES (TILE_VECTORS * VEC_LANES) /* output channels of a tile */
