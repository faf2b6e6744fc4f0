/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss.h: how wrong an answer is, and which way is less wrong: each function gives the mean loss and writes its gradient by the network's output.
 *
 * Outputs are logits (before softmax or sigmoid), plain float32. Sums go in double and in one order, so that they don't depend on threads. A weight of 0
 * says that nothing is known there (an ignored pixel, a label that the photo's source doesn't know): it counts neither in the sum nor in the mean.
 */
#pragma once

#include <glib.h>

/* Softmax cross-entropy over `classes` numbers that lie `stride` floats apart: n distributions. targets: probabilities (one-hot, smoothed, mixed or a
 * teacher's), laid out like logits; weights: one for each of the n, NULL: all 1. smoothing: that share of each target is spread over all classes
 * (Szegedy et al. 2016, arXiv:1512.00567). For images (N, C, pixels) call it with n = N * pixels: element (i, c) lies at
 * i / stride * classes * stride + c * stride + i % stride. */
double loss_softmax (const float *logits, const float *targets, const float *weights, gsize n, gsize classes, gsize stride, double smoothing,
                     float *gradient);

/* Sigmoid cross-entropy of n numbers: targets 0 to 1, weights NULL: all 1. focus: the focal loss's gamma (Lin et al. 2017, arXiv:1708.02002), 0: none. */
double loss_sigmoid (const float *logits, const float *targets, const float *weights, gsize n, double focus, float *gradient);

/* Of one number, and its derivative by the logit. */
double loss_sigmoid_one (double logit, double target, double focus, double *derivative);

/* How far n softmax distributions over `classes` numbers are from a teacher's: temperature^2 times the Kullback-Leibler divergence of both sets of logits, divided by
 * the temperature (Hinton et al. 2015, arXiv:1503.02531), so that the gradient is about as large at any. weights: one for each of the n, NULL: all 1. `gradient` is
 * added to, times `scale`. */
double loss_teacher_softmax (const float *logits, const float *taught, const float *weights, gsize n, gsize classes, double temperature, double scale, float *gradient);

/* The same of n numbers after a sigmoid each. */
double loss_teacher_sigmoid (const float *logits, const float *taught, const float *weights, gsize n, double temperature, double scale, float *gradient);

/* 1 - Dice of each of n masks of `size` pixels after a sigmoid (Milletari et al. 2016, arXiv:1606.04797), with 1 added above and below. `gradient` is added
 * to, times `scale`. */
double loss_dice    (const float *logits, const float *targets, const float *weights, gsize n, gsize size, double scale, float *gradient);

/* 1 - intersection over union of each of n images' masks, made convex between its values at the corners (Lovász-softmax: Berman et al. 2018, arXiv:1705.08790): mean
 * over the images, in each over the classes that it shows. logits, targets: (n, classes, pixels) after a softmax, or with one class after a sigmoid; a target of a
 * half or more is the class. weights: (n, pixels), NULL: all 1; only whether they are 0 counts. `gradient` is added to, times `scale`. */
double loss_lovasz  (const float *logits, const float *targets, const float *weights, gsize n, gsize classes, gsize pixels, double scale, float *gradient);

/* How far n shares after a sigmoid are from soft targets, as for mattes: |share - target| (Xu et al. 2017, arXiv:1703.03872), in the mean. weights: NULL: all 1.
 * `gradient` is added to, times `scale`. */
double loss_l1      (const float *logits, const float *targets, const float *weights, gsize n, double scale, float *gradient);

/* x^2 / 2 near 0, |x| - 1/2 beyond 1 (Girshick 2015, arXiv:1504.08083), and its derivative. */
double loss_smooth_l1_one (double x, double *derivative);
