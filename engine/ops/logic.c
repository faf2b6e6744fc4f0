/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * logic.c: comparisons (Equal, Greater, GreaterOrEqual, Less, LessOrEqual) and And, Or, Xor of bools, with broadcasting; Where. Plain only.
 */

#include <string.h>

#include "ops/broadcast.h"
#include "ops/element.h"
#include "ops/families.h"

typedef enum
{
  RELATION_EQUAL,
  RELATION_GREATER,
  RELATION_GREATER_OR_EQUAL,
  RELATION_LESS,
  RELATION_LESS_OR_EQUAL,
  RELATION_AND,
  RELATION_OR,
  RELATION_XOR,
} Relation;

typedef struct
{
  Relation relation;
} LogicParams;

static const char *const names[] = { "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor" };

static gboolean
logic_parse (Node *node, GError **error)
{
  LogicParams *params = node->params;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], node->type) == 0)
      params->relation = (Relation) i;
  return TRUE;
}

static gboolean
logic_infer (const Node *node, InferContext *context, GError **error)
{
  const LogicParams *params = node->params;
  const Value       *a, *b;
  FoveaShape         shape;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  a = node_input (node, 0);
  b = node_input (node, 1);
  if (a->type != b->type || (params->relation >= RELATION_AND && a->type != FOVEA_TYPE_BOOL))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its inputs are of the types %s and %s. The model is damaged, or was written by a faulty exporter.",
                       type_name (a->type), type_name (b->type));
  if (!infer_broadcast (node, &a->shape, &b->shape, &shape, error))
    return FALSE;
  infer_set (node, 0, FOVEA_TYPE_BOOL, &shape);
  return TRUE;
}

/* -1, 0, 1, or 2 where one is NaN. Both are of one type. */
static int
compare (const TensorView *a, gsize i, const TensorView *b, gsize j)
{
  double x, y;

  if (!type_is_float (a->type))
    return element_compare_integers (a->type, element_read_integer (a, i), element_read_integer (b, j));
  x = element_read_number (a, i);
  y = element_read_number (b, j);
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

static gboolean
relate (Relation relation, const TensorView *a, gsize i, const TensorView *b, gsize j)
{
  const guint8 *truth_a = a->data, *truth_b = b->data;
  int           order;

  if (relation == RELATION_AND)
    return truth_a[i] && truth_b[j];
  if (relation == RELATION_OR)
    return truth_a[i] || truth_b[j];
  if (relation == RELATION_XOR)
    return !truth_a[i] != !truth_b[j];

  order = compare (a, i, b, j);
  switch (relation)
    {
    case RELATION_EQUAL:            return order == 0;
    case RELATION_GREATER:          return order == 1;
    case RELATION_GREATER_OR_EQUAL: return order == 0 || order == 1;
    case RELATION_LESS:             return order == -1;
    default:                        return order == -1 || order == 0;
    }
}

static void
logic_run (const Step *step, gsize first, gsize last, guint thread)
{
  const LogicParams *params = step->node->params;
  guint8            *out = step->out[0].data;

  for (gsize task = first; task < last; task++)
    {
      BroadcastPiece piece;

      broadcast_piece (step->state, task, &piece);
      for (gsize i = 0; i < piece.n; i++)
        out[piece.out + i] = (guint8) relate (params->relation, &step->in[0], piece.in[0] + i * piece.step[0], &step->in[1],
                                              piece.in[1] + i * piece.step[1]);
    }
}

static void
set_broadcast (Step *step, guint n_inputs, StepRun run)
{
  Broadcast        *broadcast = g_new0 (Broadcast, 1);
  const FoveaShape *shapes[BROADCAST_MAX_INPUTS];

  for (guint i = 0; i < n_inputs; i++)
    shapes[i] = &step->in[i].shape;
  broadcast_init (broadcast, &step->out[0].shape, shapes, n_inputs);
  step->state = broadcast;
  step->free_state = g_free;
  step_set_run (step, "plain", run, broadcast->n_tasks, broadcast->grain);
}

static gboolean
logic_prepare (Step *step, GError **error)
{
  set_broadcast (step, 2, logic_run);
  return TRUE;
}

/* ---- Where ------------------------------------------------------------------------------------------------ */

static gboolean
where_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *a, *b;
  FoveaShape   both, shape;

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_BOOL, FOVEA_TYPE_NONE))
    return FALSE;
  a = node_input (node, 1);
  b = node_input (node, 2);
  if (a->type != b->type)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its inputs are of the types %s and %s. The model is damaged, or was written by a faulty exporter.",
                       type_name (a->type), type_name (b->type));
  if (!infer_broadcast (node, &a->shape, &b->shape, &both, error)
      || !infer_broadcast (node, &node_input (node, 0)->shape, &both, &shape, error))
    return FALSE;
  infer_set (node, 0, a->type, &shape);
  return TRUE;
}

static void
where_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize         size = type_size (step->out[0].type);
  const guint8 *condition = step->in[0].data, *a = step->in[1].data, *b = step->in[2].data;
  guint8       *out = step->out[0].data;

  for (gsize task = first; task < last; task++)
    {
      BroadcastPiece piece;

      broadcast_piece (step->state, task, &piece);
      for (gsize i = 0; i < piece.n; i++)
        memcpy (out + (piece.out + i) * size,
                condition[piece.in[0] + i * piece.step[0]] ? a + (piece.in[1] + i * piece.step[1]) * size
                                                           : b + (piece.in[2] + i * piece.step[2]) * size, size);
    }
}

static gboolean
where_prepare (Step *step, GError **error)
{
  set_broadcast (step, 3, where_run);
  return TRUE;
}

#define LOGIC(type) { type, "", sizeof (LogicParams), logic_parse, logic_infer, NULL, logic_prepare, NULL }

const Operator logic_operators[] = {
  LOGIC ("And"), LOGIC ("Equal"), LOGIC ("Greater"), LOGIC ("GreaterOrEqual"), LOGIC ("Less"), LOGIC ("LessOrEqual"), LOGIC ("Or"), LOGIC ("Xor"),
  { "Where", "", 0, NULL, where_infer, NULL, where_prepare, NULL },
  { NULL },
};
