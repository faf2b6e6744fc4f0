/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient.h: how an operator says what its inputs' gradients are, given those of its outputs.
 *
 * Backward steps are nodes of the same graph, appended behind the forward ones (compile/gradients.c walks the nodes backwards and calls backward
 * for each): so passes, block layout and memory planner serve them like any others. What standard operators can say is said with these; the rest
 * are operators of the domain "fovea", in the files *-gradient.c. A node's backward looks which inputs want a gradient and gives it to them.
 */
#pragma once

#include "ops/operator.h"

typedef struct _Gradients Gradients;

typedef gboolean (*Backward) (Gradients *gradients, Node *node, GError **error);

/* What computes the gradients of the inputs of that operator; NULL: nothing does. */
Backward    gradient_backward       (const Node *node);

/* The gradient of a value, an output of the node; NULL: nothing depends on it. */
Value      *gradient_get            (Gradients *gradients, const Value *value);

/* Whether anything that is trained lies before the value. FALSE for NULL. */
gboolean    gradient_wanted         (Gradients *gradients, const Value *value);

/* Says that `gradient`, of the shape of `value`, is one more part of its gradient. Nothing happens where none is wanted. NULL is passed on as a
 * failure: `return gradient_give (…, gradient_end (…), error)`. */
gboolean    gradient_give           (Gradients *gradients, Value *value, Value *gradient, GError **error);

/* A new node at the end, its inputs being the n values (NULL: left out); attributes may be set until gradient_end adds n_outputs, parses the node
 * and infers their shapes. gradient_end gives output 0, or NULL with an error. */
Node       *gradient_begin          (Gradients *gradients, const char *domain, const char *type, guint n, Value *const *inputs);
Value      *gradient_end            (Gradients *gradients, Node *node, guint n_outputs, GError **error);

/* gradient_begin and _end for nodes of one or two inputs and one output, without attributes. NULL inputs where a NULL came before: NULL. */
Value      *gradient_of_one         (Gradients *gradients, const char *type, Value *a, GError **error);
Value      *gradient_of_two         (Gradients *gradients, const char *type, Value *a, Value *b, GError **error);

/* Constants. */
Value      *gradient_constant       (Gradients *gradients, FoveaTensor *tensor);
Value      *gradient_ints           (Gradients *gradients, const gint64 *values, gsize n, GError **error);
Value      *gradient_number         (Gradients *gradients, FoveaType type, double number, GError **error);

/* `value` in another shape of the same number of elements, or summed over what was broadcast. */
Value      *gradient_reshape        (Gradients *gradients, Value *value, const FoveaShape *shape, GError **error);
Value      *gradient_sum_to         (Gradients *gradients, Value *value, const FoveaShape *shape, GError **error);

/* ---- the backwards in other files, for the table in gradient.c ------------------------------------------------- */

gboolean    activation_backward          (Gradients *gradients, Node *node, GError **error);
gboolean    batch_norm_backward          (Gradients *gradients, Node *node, GError **error);
gboolean    batch_norm_training_backward (Gradients *gradients, Node *node, GError **error);
gboolean    conv_backward                (Gradients *gradients, Node *node, GError **error);
gboolean    conv_transpose_backward      (Gradients *gradients, Node *node, GError **error);
gboolean    dropout_training_backward    (Gradients *gradients, Node *node, GError **error);
gboolean    norm_backward                (Gradients *gradients, Node *node, GError **error);
gboolean    pad_backward                 (Gradients *gradients, Node *node, GError **error);
gboolean    pool_backward                (Gradients *gradients, Node *node, GError **error);
gboolean    resize_backward              (Gradients *gradients, Node *node, GError **error);
gboolean    slice_backward               (Gradients *gradients, Node *node, GError **error);
