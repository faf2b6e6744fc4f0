/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operator.h: what an operator is to the engine, and the table of all of them.
 *
 * One file of ops/ holds one family; for each operator parse, infer, prepare and run stand side by side:
 *   parse    reads the attributes of a node, which are known to be of the kinds listed, into its own params struct, once;
 *   infer    gives the outputs' types and shapes from the inputs', and refuses inputs that don't fit;
 *   blocked  (optional) says that the node can run on blocked tensors, and which of its inputs and outputs are blocked then;
 *   prepare  chooses the kernel for the final shapes, packs weights, says how many tasks and how much scratch: fills a Step;
 *   run      (in the Step) computes a range of tasks. It can't fail, allocates nothing, keeps no state.
 * All messages come from node_error, so that they name the layer; they end with what the user can do.
 */
#pragma once

#include "model/graph.h"
#include "ops/step.h"

typedef struct _Operator     Operator;
typedef struct _InferContext InferContext;
typedef struct _BlockedForm  BlockedForm;

/* How an operator's shape inference asks for values that shapes depend on (the target of a Reshape, the pads of a Pad). */
struct _InferContext
{
  /* The constant value of input i of the node, evaluated now if all it depends on is constant; borrowed. NULL with an error that names
   * the layer and says that the input must be bound. Only call it for inputs that are there. */
  const FoveaTensor *(*constant) (InferContext *context, const Node *node, guint i, GError **error);
};

typedef enum
{
  BLOCKED_FOLLOWS, /* runs in both layouts at about the same price: takes that of its neighbours */
  BLOCKED_PREFERS, /* much faster on blocks: worth a reorder before and after */
} BlockedWish;

struct _BlockedForm
{
  BlockedWish wish;
  guint32     inputs;  /* bit i: input i is blocked */
  guint32     outputs; /* bit i: output i is blocked */
};

struct _Operator
{
  const char *type;
  const char *domain;      /* "" or "fovea" */
  gsize       params_size; /* 0: none */

  gboolean (*parse)   (Node *node, GError **error);                                  /* NULL: nothing to prepare */
  gboolean (*infer)   (const Node *node, InferContext *context, GError **error);
  gboolean (*blocked) (const Node *node, BlockedForm *form);                         /* NULL: plain only; shapes are known when called */
  gboolean (*prepare) (Step *step, GError **error);
  void     (*clear)   (gpointer params);                                             /* NULL: params hold nothing to free */

  const AttributeSpec *attributes; /* all that it knows, in any version of it, ended by a NULL name; NULL: none. Checked before parse. */
};

/* The operator of that name, or NULL. */
const Operator *operator_find (const char *domain, const char *type);

/* All operators, sorted by name, for `fovea info --operators` and the manual; *n gets their number. */
const Operator *const *operator_list (gsize *n);

/* Reads a node's attributes: sets node->op and allocates node->params. Unknown operators: FOVEA_ERROR_UNSUPPORTED that names operator and layer. */
gboolean    operator_parse_node (Node *node, GError **error);
void        operator_clear_node (Node *node);

/* ---- shared by many operators (ops/infer.c) ------------------------------------------------------------------------------------------- */

/* Sets the output's type and shape. */
void        infer_set           (const Node *node, guint output, FoveaType type, const FoveaShape *shape);
void        infer_same          (const Node *node, guint output, guint input);

/* FALSE with an error unless the node has min … max inputs and those below min are there. */
gboolean    infer_check_inputs  (const Node *node, guint min, guint max, GError **error);
gboolean    infer_check_outputs (const Node *node, guint max, GError **error);

/* FALSE with an error unless input i is of one of the types (FOVEA_TYPE_NONE ends the list). */
gboolean    infer_check_type    (const Node *node, guint i, GError **error, ...);

/* NumPy broadcasting of two shapes; FALSE with an error naming both. */
gboolean    infer_broadcast     (const Node *node, const FoveaShape *a, const FoveaShape *b, FoveaShape *out, GError **error);

/* A negative axis counted from the end; FALSE with an error when outside [-rank, rank). */
gboolean    infer_axis          (const Node *node, gint64 axis, guint rank, guint *out, GError **error);

/* The int64 values of constant input i, at most `max` of them, or of the attribute `name` where input i is left out (name NULL: none).
 * *n is -1 when neither is there. */
gboolean    infer_ints          (const Node *node, InferContext *context, guint i, const char *name, gint64 *values, gsize max, gssize *n,
                                 GError **error);
