/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sanitizer.h: which sanitizer this was compiled with (gcc and clang say it in different words). The address sanitizer gets memory of its own for each tensor, so
 * that it sees a step beyond; under either everything takes some ten times as long.
 */

#pragma once

#ifdef __has_feature
#define SANITIZER_HAS(feature) __has_feature (feature)
#else
#define SANITIZER_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZER_HAS (address_sanitizer)
#define UNDER_ADDRESS_SANITIZER 1
#else
#define UNDER_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZER_HAS (thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#else
#define UNDER_THREAD_SANITIZER 0
#endif
