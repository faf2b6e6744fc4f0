/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * arithmetic.c: operators of two or more tensors that broadcast: Add, Sub, Mul, Div, Mod, Min, Max, Sum, Mean, PRelu, BitShift, BitwiseAnd, BitwiseOr,
 * BitwiseXor. Pow is in power.c, comparisons in logic.c.
 *
 * Plain tensors of any numeric type go through binary-loops.inc, float32 through the kernels where they have the operation. Blocked float32 images run
 * when both have the same shape or one has a number per channel (or one in all): bias, residual, squeeze-and-excitation.
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/broadcast.h"
#include "ops/families.h"

typedef enum
{
  OPERATION_ADD,
  OPERATION_SUB,
  OPERATION_MUL,
  OPERATION_DIV,
  OPERATION_MOD,
  OPERATION_FMOD,
  OPERATION_MIN,
  OPERATION_MAX,
  OPERATION_PRELU,
  OPERATION_SHIFT_LEFT,
  OPERATION_SHIFT_RIGHT,
  OPERATION_AND,
  OPERATION_OR,
  OPERATION_XOR,
} BinaryOperation;

typedef struct
{
  BinaryOperation operation;
  gboolean        mean; /* divide by the number of inputs at the end */
} BinaryParams;

#define LOOPS     float_loops
#define T         float
#define WIDE      float
#define IS_FLOAT  1
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     double_loops
#define T         double
#define WIDE      double
#define IS_FLOAT  1
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     int8_loops
#define T         gint8
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     int16_loops
#define T         gint16
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     int32_loops
#define T         gint32
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     int64_loops
#define T         gint64
#define WIDE      guint64
#define IS_FLOAT  0
#define IS_SIGNED 1
#include "ops/binary-loops.inc"
#define LOOPS     uint8_loops
#define T         guint8
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 0
#include "ops/binary-loops.inc"
#define LOOPS     uint16_loops
#define T         guint16
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 0
#include "ops/binary-loops.inc"
#define LOOPS     uint32_loops
#define T         guint32
#define WIDE      guint32
#define IS_FLOAT  0
#define IS_SIGNED 0
#include "ops/binary-loops.inc"
#define LOOPS     uint64_loops
#define T         guint64
#define WIDE      guint64
#define IS_FLOAT  0
#define IS_SIGNED 0
#include "ops/binary-loops.inc"

typedef void (*Loops) (BinaryOperation operation, const void *a, gsize a_step, const void *b, gsize b_step, void *out, gsize n);

static const Loops loops_of_type[FOVEA_N_TYPES] = {
  [FOVEA_TYPE_FLOAT32] = float_loops, [FOVEA_TYPE_FLOAT64] = double_loops, [FOVEA_TYPE_INT8] = int8_loops,     [FOVEA_TYPE_INT16] = int16_loops,
  [FOVEA_TYPE_INT32] = int32_loops,   [FOVEA_TYPE_INT64] = int64_loops,    [FOVEA_TYPE_UINT8] = uint8_loops,   [FOVEA_TYPE_UINT16] = uint16_loops,
  [FOVEA_TYPE_UINT32] = uint32_loops, [FOVEA_TYPE_UINT64] = uint64_loops,
};

/* ---- parse and infer -------------------------------------------------------------------------------------- */

static const struct
{
  const char     *type;
  BinaryOperation operation;
  gboolean        many; /* takes any number of inputs */
} names[] = {
  { "Add", OPERATION_ADD, FALSE },        { "Sub", OPERATION_SUB, FALSE },       { "Mul", OPERATION_MUL, FALSE },
  { "Div", OPERATION_DIV, FALSE },        { "Mod", OPERATION_MOD, FALSE },       { "PRelu", OPERATION_PRELU, FALSE },
  { "Min", OPERATION_MIN, TRUE },         { "Max", OPERATION_MAX, TRUE },        { "Sum", OPERATION_ADD, TRUE },
  { "Mean", OPERATION_ADD, TRUE },        { "BitShift", OPERATION_SHIFT_LEFT, FALSE }, { "BitwiseAnd", OPERATION_AND, FALSE },
  { "BitwiseOr", OPERATION_OR, FALSE },   { "BitwiseXor", OPERATION_XOR, FALSE },
};

static gboolean
takes_many (const Node *node)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, node->type) == 0)
      return names[i].many;
  return FALSE;
}

static gboolean
binary_parse (Node *node, GError **error)
{
  BinaryParams *params = node->params;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, node->type) == 0)
      params->operation = names[i].operation;
  params->mean = strcmp (node->type, "Mean") == 0;
  if (strcmp (node->type, "Mod") == 0 && node_int (node, "fmod", 0))
    params->operation = OPERATION_FMOD;
  if (strcmp (node->type, "BitShift") == 0)
    {
      const char *direction = node_string (node, "direction", "");

      if (strcmp (direction, "RIGHT") == 0)
        params->operation = OPERATION_SHIFT_RIGHT;
      else if (strcmp (direction, "LEFT") != 0)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its direction “%s” is neither LEFT nor RIGHT. The model is damaged.", direction);
    }
  return TRUE;
}

static gboolean
binary_infer (const Node *node, InferContext *context, GError **error)
{
  const BinaryParams *params = node->params;
  gboolean            many = takes_many (node);
  FoveaType           type;
  FoveaShape          shape;

  if (!infer_check_inputs (node, many ? 1 : 2, many ? G_MAXUINT : 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  type = node_input (node, 0)->type;
  shape = node_input (node, 0)->shape;
  if (!loops_of_type[type] || (type_is_float (type) && params->operation >= OPERATION_SHIFT_LEFT))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't compute numbers of type %s. Convert the model to float32.", type_name (type));
  for (guint i = 1; i < node->inputs->len; i++)
    {
      const Value *input = node_input (node, i);
      FoveaShape   both;

      if (!input || input->type != type)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its inputs are of different types. The model is damaged, or was written by a faulty exporter.");
      if (!infer_broadcast (node, &shape, &input->shape, &both, error))
        return FALSE;
      shape = both;
    }
  if (params->operation == OPERATION_PRELU && !shape_equal (&shape, &node_input (node, 0)->shape))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its slope is larger than its input. The model is damaged, or was written by a faulty exporter.");
  infer_set (node, 0, type, &shape);
  return TRUE;
}

/* ---- plain ------------------------------------------------------------------------------------------------ */

typedef struct
{
  const Kernels *kernels; /* NULL: the loops only */
  Loops          loops;
  BinaryOperation operation;
  gint           kernel;  /* BinaryKind, or -1 */
  Broadcast      broadcast[]; /* one for each input after the first: out = out op input; the first takes inputs 0 and 1 */
} BinaryState;

static gint
kernel_kind (BinaryOperation operation)
{
  switch (operation)
    {
    case OPERATION_ADD:   return BINARY_ADD;
    case OPERATION_SUB:   return BINARY_SUB;
    case OPERATION_MUL:   return BINARY_MUL;
    case OPERATION_DIV:   return BINARY_DIV;
    case OPERATION_MAX:   return BINARY_MAX;
    case OPERATION_MIN:   return BINARY_MIN;
    case OPERATION_PRELU: return BINARY_PRELU;
    default:              return -1;
    }
}

static void
run_piece (const BinaryState *state, const BroadcastPiece *piece, const guint8 *a, const guint8 *b, guint8 *out, gsize size)
{
  a += piece->in[0] * size;
  b += piece->in[1] * size;
  out += piece->out * size;
  if (state->kernels && state->kernel >= 0 && piece->step[0] && piece->step[1])
    state->kernels->binary ((BinaryKind) state->kernel, (const float *) a, (const float *) b, (float *) out, piece->n);
  else if (state->kernels && state->kernel >= 0 && piece->step[0])
    state->kernels->binary_right ((BinaryKind) state->kernel, (const float *) a, *(const float *) b, (float *) out, piece->n);
  else if (state->kernels && state->kernel >= 0 && piece->step[1])
    state->kernels->binary_left ((BinaryKind) state->kernel, *(const float *) a, (const float *) b, (float *) out, piece->n);
  else
    state->loops (state->operation, a, piece->step[0], b, piece->step[1], out, piece->n);
}

static void
divide_by (FoveaType type, guint8 *out, gsize n, guint divisor)
{
  if (type == FOVEA_TYPE_FLOAT32)
    for (gsize i = 0; i < n; i++)
      ((float *) out)[i] /= (float) divisor;
  else if (type == FOVEA_TYPE_FLOAT64)
    for (gsize i = 0; i < n; i++)
      ((double *) out)[i] /= divisor;
}

static void
binary_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BinaryState  *state = step->state;
  const BinaryParams *params = step->node->params;
  gsize               size = type_size (step->out[0].type);

  for (gsize task = first; task < last; task++)
    {
      BroadcastPiece piece;

      broadcast_piece (&state->broadcast[0], task, &piece);
      run_piece (state, &piece, step->in[0].data, step->in[1].data, step->out[0].data, size);
      if (params->mean)
        divide_by (step->out[0].type, (guint8 *) step->out[0].data + piece.out * size, piece.n, 2);
    }
}

/* Any number of inputs but two, one after the other into the output, which is input 0 of each broadcast. Rare and small: a single task. */
static void
many_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BinaryState  *state = step->state;
  const BinaryParams *params = step->node->params;
  gsize               size = type_size (step->out[0].type);
  guint8             *out = step->out[0].data;

  for (guint i = 0; i < step->n_inputs; i++)
    for (gsize task = 0; task < state->broadcast[i].n_tasks; task++)
      {
        BroadcastPiece piece;
        const guint8  *in;

        broadcast_piece (&state->broadcast[i], task, &piece);
        in = (const guint8 *) step->in[i].data + piece.in[1] * size;
        if (i > 0)
          state->loops (state->operation, out + piece.out * size, 1, in, piece.step[1], out + piece.out * size, piece.n);
        else
          for (gsize j = 0; j < piece.n; j++)
            memcpy (out + (piece.out + j) * size, in + j * piece.step[1] * size, size);
      }
  if (params->mean)
    divide_by (step->out[0].type, out, shape_count (&step->out[0].shape), step->n_inputs);
}

static BinaryState *
plain_state (Step *step, guint n)
{
  BinaryState        *state = g_malloc0 (sizeof *state + n * sizeof (Broadcast));
  const BinaryParams *params = step->node->params;

  state->operation = params->operation;
  state->loops = loops_of_type[step->out[0].type];
  state->kernels = step->out[0].type == FOVEA_TYPE_FLOAT32 && !step->reference ? kernels_get () : NULL;
  state->kernel = kernel_kind (params->operation);
  step->state = state;
  step->free_state = g_free;
  return state;
}

static void
plain_prepare (Step *step)
{
  BinaryState *state = plain_state (step, step->n_inputs);

  if (step->n_inputs == 2)
    {
      const FoveaShape *shapes[] = { &step->in[0].shape, &step->in[1].shape };

      broadcast_init (&state->broadcast[0], &step->out[0].shape, shapes, 2);
      step_set_run (step, "elementwise", binary_run, state->broadcast[0].n_tasks, state->broadcast[0].grain);
      if (shape_equal (shapes[0], &step->out[0].shape))
        step->in_place = 0;
      else if (shape_equal (shapes[1], &step->out[0].shape))
        step->in_place = 1;
      return;
    }
  for (guint i = 0; i < step->n_inputs; i++)
    {
      const FoveaShape *shapes[] = { &step->out[0].shape, &step->in[i].shape };

      broadcast_init (&state->broadcast[i], &step->out[0].shape, shapes, 2);
    }
  step_set_run (step, "elementwise", many_run, 1, 1);
}

/* ---- blocked ---------------------------------------------------------------------------------------------- */

/* How one side of a blocked operation lies. */
typedef enum
{
  SIDE_FULL,     /* blocked, of the output's shape */
  SIDE_CHANNELS, /* blocked, (N or 1, C, 1, 1) */
  SIDE_CONSTANT, /* a number per channel, or one: packed */
  SIDE_OTHER,
} Side;

typedef struct
{
  const Kernels *kernels;
  BinaryKind     kind;
  Side           side[2];
  float         *packed;  /* (C/16, 16), for SIDE_CONSTANT */
  gsize          blocks, pixels, chunks;
} BlockedState;

#define BLOCKED_CHUNK 512 /* pixels of a task */

static Side
side_of (const Value *value, const FoveaShape *out)
{
  const FoveaShape *shape = &value->shape;

  if (!value->constant && shape_equal (shape, out))
    return SIDE_FULL;
  if (!value->constant)
    return shape->n_dims == 4 && (shape->dims[0] == out->dims[0] || shape->dims[0] == 1) && shape->dims[1] == out->dims[1] && shape->dims[2] == 1
             && shape->dims[3] == 1 ? SIDE_CHANNELS : SIDE_OTHER;

  for (guint i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] != 1 && (i + 3 != shape->n_dims || shape->dims[i] != out->dims[1]))
      return SIDE_OTHER;
  return SIDE_CONSTANT;
}

static gboolean
binary_blocked (const Node *node, BlockedForm *form)
{
  const BinaryParams *params = node->params;
  const Value        *out = node_output (node, 0);
  Side                a, b;

  if (node->inputs->len != 2 || out->type != FOVEA_TYPE_FLOAT32 || out->shape.n_dims != 4 || kernel_kind (params->operation) < 0
      || params->mean)
    return FALSE;
  a = side_of (node_input (node, 0), &out->shape);
  b = side_of (node_input (node, 1), &out->shape);
  if (a == SIDE_OTHER || b == SIDE_OTHER || (a != SIDE_FULL && b != SIDE_FULL))
    return FALSE;
  if (params->operation == OPERATION_DIV && b != SIDE_CONSTANT) /* the lanes past the channels would be 0 / 0 */
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = (a != SIDE_CONSTANT) | (b != SIDE_CONSTANT) << 1;
  form->outputs = 1;
  return TRUE;
}

static void
blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  const BlockedState *state = step->state;
  guint               other = state->side[0] == SIDE_FULL ? 1 : 0;
  gboolean            per_image = step->in[other].shape.n_dims == 4 && step->in[other].shape.dims[0] > 1;

  for (gsize task = first; task < last; task++)
    {
      gsize        block = task / state->chunks, from = task % state->chunks * BLOCKED_CHUNK;
      gsize        n = MIN (state->pixels - from, (gsize) BLOCKED_CHUNK), at = (block * state->pixels + from) * KERNEL_BLOCK;
      const float *a = (const float *) step->in[1 - other].data + at;
      float       *out = (float *) step->out[0].data + at;
      const float *b;

      if (state->side[other] == SIDE_FULL)
        {
          state->kernels->binary (state->kind, a, (const float *) step->in[other].data + at, out, n * KERNEL_BLOCK);
          continue;
        }
      b = state->side[other] == SIDE_CONSTANT ? state->packed : step->in[other].data;
      b += (per_image ? block : block % state->blocks) * KERNEL_BLOCK;
      if (other == 1)
        state->kernels->binary_channels (state->kind, a, b, out, n);
      else
        state->kernels->binary_channels_left (state->kind, b, a, out, n);
    }
}

static void
blocked_free (gpointer data)
{
  BlockedState *state = data;

  memory_free (state->packed);
  g_free (state);
}

static gboolean
pack_constant (Step *step, BlockedState *state, guint input, GError **error)
{
  const FoveaTensor *constant = step->in[input].value->constant;
  gsize              channels = (gsize) step->out[0].shape.dims[1], count = shape_count (&constant->shape);

  state->packed = step_alloc (step, state->blocks * KERNEL_BLOCK, sizeof (float), error);
  if (!state->packed)
    return FALSE;
  tensor_read_float (constant, 0, count, state->packed);
  for (gsize c = count == 1 ? 1 : channels; count == 1 && c < channels; c++)
    state->packed[c] = state->packed[0];
  for (gsize c = channels; state->kind == BINARY_DIV && c < state->blocks * KERNEL_BLOCK; c++)
    state->packed[c] = 1.0f;
  step->in[input].packed = TRUE;
  return TRUE;
}

static gboolean
blocked_prepare (Step *step, GError **error)
{
  BlockedState       *state = g_new0 (BlockedState, 1);
  const BinaryParams *params = step->node->params;
  const FoveaShape   *out = &step->out[0].shape;

  step->state = state;
  step->free_state = blocked_free;
  state->kernels = kernels_get ();
  state->kind = (BinaryKind) kernel_kind (params->operation);
  state->blocks = kernel_blocks ((gsize) out->dims[1]);
  state->pixels = (gsize) (out->dims[2] * out->dims[3]);
  state->chunks = (state->pixels + BLOCKED_CHUNK - 1) / BLOCKED_CHUNK;
  for (guint i = 0; i < 2; i++)
    {
      state->side[i] = side_of (step->in[i].value, out);
      if (state->side[i] == SIDE_CONSTANT && !pack_constant (step, state, i, error))
        return FALSE;
      if (state->side[i] == SIDE_FULL)
        step->in_place = (gint) i;
    }
  step_set_run (step, "elementwise blocked", blocked_run, (gsize) out->dims[0] * state->blocks * state->chunks,
                1 + BLOCKED_CHUNK / CLAMP (state->pixels, 1, BLOCKED_CHUNK));
  return TRUE;
}

static gboolean
binary_prepare (Step *step, GError **error)
{
  if (step->out[0].layout == LAYOUT_BLOCKED)
    return blocked_prepare (step, error);
  plain_prepare (step);
  return TRUE;
}

static const AttributeSpec shift_attributes[] = { { "direction", ATTRIBUTE_STRING }, { NULL } };
static const AttributeSpec mod_attributes[] = { { "fmod", ATTRIBUTE_INT }, { NULL } };

#define BINARY(type, attributes) { type, "", sizeof (BinaryParams), binary_parse, binary_infer, binary_blocked, binary_prepare, NULL, attributes }

const Operator arithmetic_operators[] = {
  BINARY ("Add", NULL),        BINARY ("BitwiseAnd", NULL), BINARY ("BitwiseOr", NULL), BINARY ("BitwiseXor", NULL), BINARY ("Div", NULL),
  BINARY ("Max", NULL),        BINARY ("Mean", NULL),       BINARY ("Min", NULL),       BINARY ("Mul", NULL),        BINARY ("PRelu", NULL),
  BINARY ("Sub", NULL),        BINARY ("Sum", NULL),
  BINARY ("BitShift", shift_attributes), BINARY ("Mod", mod_attributes),
  { NULL },
};
