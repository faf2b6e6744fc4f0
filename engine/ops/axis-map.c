/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * axis-map.c: see axis-map.h.
 *
 * Trailing axes that stay as they are become part of the item that is copied at once (on blocks also the 16 lanes). Of the rest the last axis is
 * walked in the inner loop: by runs where its list is made of long consecutive pieces (slices, pads), by index where not (enlarging).
 */

#include "ops/axis-map.h"

#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"

#define TASK_BYTES 65536

typedef struct
{
  gsize  first, n;   /* of the row's items */
  gint64 offset;     /* bytes in the input, AXIS_MAP_FILL */
} Run;

typedef struct
{
  guint   n_dims;                   /* at least 1 */
  gsize   dims[FOVEA_MAX_DIMS];     /* of the output */
  gint64 *offsets[FOVEA_MAX_DIMS];  /* bytes in the input */
  gsize   item;                     /* bytes */
  gsize   element;                  /* bytes of the fill value */
  guint8  fill[8];
  gint    fill_input;
  GArray *runs;                     /* of the last axis; NULL: by index */
} AxisMapState;

void
axis_map_init (AxisMap *map, const FoveaShape *in, guint n_dims)
{
  guint missing = n_dims - in->n_dims;

  memset (map, 0, sizeof *map);
  map->fill_input = -1;
  map->in.n_dims = n_dims;
  for (guint i = 0; i < n_dims; i++)
    map->in.dims[i] = i < missing ? 1 : in->dims[i - missing];
}

void
axis_map_clear (AxisMap *map)
{
  for (guint i = 0; i < FOVEA_MAX_DIMS; i++)
    g_clear_pointer (&map->axes[i], memory_free);
}

gint64 *
axis_map_add (AxisMap *map, guint axis, gsize n, GError **error)
{
  map->axes[axis] = memory_alloc_n (n, sizeof (gint64), "lists of indices", error);
  return map->axes[axis];
}

static void
free_state (gpointer data)
{
  AxisMapState *state = data;

  for (guint i = 0; i < state->n_dims; i++)
    memory_free (state->offsets[i]);
  if (state->runs)
    g_array_unref (state->runs);
  g_free (state);
}

/* ---- run --------------------------------------------------------------------------------------------------------------------------------- */

static void
fill_bytes (guint8 *out, gsize n, const guint8 *value, gsize element)
{
  gboolean same = TRUE;

  for (gsize i = 1; i < element; i++)
    same &= value[i] == value[0];
  if (same)
    memset (out, value[0], n);
  else
    for (gsize i = 0; i < n; i += element)
      memcpy (out + i, value, element);
}

/* `item` is a constant where it is called. */
static inline void
copy_items (const gint64 *offsets, gsize n, const guint8 *in, guint8 *out, const guint8 *fill, gsize element, gsize item)
{
  for (gsize i = 0; i < n; i++, out += item)
    if (offsets[i] >= 0)
      memcpy (out, in + offsets[i], item);
    else
      fill_bytes (out, item, fill, element);
}

static void
map_row (const AxisMapState *state, const guint8 *in, guint8 *out, const guint8 *fill)
{
  const gint64 *offsets = state->offsets[state->n_dims - 1];
  gsize         n = state->dims[state->n_dims - 1];

  if (state->runs)
    {
      for (guint i = 0; i < state->runs->len; i++)
        {
          const Run *run = &g_array_index (state->runs, Run, i);

          if (run->offset >= 0)
            memcpy (out + run->first * state->item, in + run->offset, run->n * state->item);
          else
            fill_bytes (out + run->first * state->item, run->n * state->item, fill, state->element);
        }
      return;
    }
  switch (state->item)
    {
    case 1:  copy_items (offsets, n, in, out, fill, state->element, 1); break;
    case 2:  copy_items (offsets, n, in, out, fill, state->element, 2); break;
    case 4:  copy_items (offsets, n, in, out, fill, state->element, 4); break;
    case 8:  copy_items (offsets, n, in, out, fill, state->element, 8); break;
    case 64: copy_items (offsets, n, in, out, fill, state->element, 64); break;
    default: copy_items (offsets, n, in, out, fill, state->element, state->item); break;
    }
}

/* A task is a row. */
static void
run_axis_map (const Step *step, gsize first, gsize last, guint thread)
{
  const AxisMapState *state = step->state;
  const guint8       *fill = state->fill_input >= 0 ? step->in[state->fill_input].data : state->fill;
  gsize               row_bytes = state->dims[state->n_dims - 1] * state->item;

  for (gsize task = first; task < last; task++)
    {
      const guint8 *in = step->in[0].data;
      guint8       *out = (guint8 *) step->out[0].data + task * row_bytes;
      gsize         row = task;
      gboolean      outside = FALSE;

      for (guint i = state->n_dims - 1; i-- > 0; row /= state->dims[i])
        {
          gint64 offset = state->offsets[i][row % state->dims[i]];

          if (offset >= 0)
            in += offset;
          else
            outside = TRUE;
        }
      if (outside)
        fill_bytes (out, row_bytes, fill, state->element);
      else
        map_row (state, in, out, fill);
    }
}

/* ---- prepare ----------------------------------------------------------------------------------------------------------------------------- */

static void
find_runs (AxisMapState *state)
{
  guint         last = state->n_dims - 1;
  const gint64 *offsets = state->offsets[last];
  gsize         n = state->dims[last];
  GArray       *runs = g_array_new (FALSE, FALSE, sizeof (Run));

  for (gsize i = 0; i < n && runs->len <= n / 4;)
    {
      Run run = { i, 1, offsets[i] };

      for (i++; i < n && (run.offset < 0 ? offsets[i] < 0 : offsets[i] == run.offset + (gint64) (run.n * state->item)); i++)
        run.n++;
      g_array_append_val (runs, run);
    }
  if (runs->len <= n / 4 || runs->len == 1)
    state->runs = runs;
  else
    g_array_unref (runs);
}

/* A list of indices as one of bytes; `block` of them stand for one block of channels. */
static gint64 *
make_offsets (const gint64 *indices, gsize n, gsize stride, gsize block, GError **error)
{
  gint64 *offsets = memory_alloc_n (n, sizeof (gint64), "lists of indices", error);

  for (gsize i = 0; offsets && i < n; i++)
    {
      gint64 index = indices ? indices[i * block] : (gint64) i;

      offsets[i] = index < 0 ? AXIS_MAP_FILL : (indices && block > 1 ? index / (gint64) block : index) * (gint64) stride;
    }
  return offsets;
}

static gboolean
is_identity (const gint64 *indices, gint64 in, gint64 out)
{
  if (in != out)
    return FALSE;
  for (gint64 i = 0; indices && i < out; i++)
    if (indices[i] != i)
      return FALSE;
  return TRUE;
}

gboolean
axis_map_prepare (Step *step, const AxisMap *map, const char *kernel, GError **error)
{
  const FoveaShape *out = &step->out[0].shape;
  gboolean          blocked = step->out[0].layout == LAYOUT_BLOCKED, ok = TRUE;
  AxisMapState     *state;
  gsize             rows = 1, stride, strides[FOVEA_MAX_DIMS];
  gint64            in_dims[FOVEA_MAX_DIMS];
  guint             n = out->n_dims;

  while (n > 0 && is_identity (map->axes[n - 1], map->in.dims[n - 1], out->dims[n - 1]))
    n--;
  if (n == 0)
    {
      step->view = 0;
      return TRUE;
    }

  state = g_new0 (AxisMapState, 1);
  step->state = state;
  step->free_state = free_state;
  state->n_dims = n;
  state->element = type_size (step->out[0].type);
  state->fill_input = map->fill_input;
  memcpy (state->fill, map->fill, sizeof state->fill);

  stride = state->element * (blocked ? KERNEL_BLOCK : 1);
  state->item = stride;
  for (guint i = out->n_dims; i-- > 0;)
    {
      in_dims[i] = blocked && i == 1 ? (gint64) kernel_blocks ((gsize) map->in.dims[i]) : map->in.dims[i];
      strides[i] = stride;
      stride *= (gsize) MAX (in_dims[i], 1);
      if (i >= n)
        state->item *= (gsize) out->dims[i];
    }
  for (guint i = 0; ok && i < n; i++)
    {
      gsize block = blocked && i == 1 ? KERNEL_BLOCK : 1;

      state->dims[i] = ((gsize) out->dims[i] + block - 1) / block;
      state->offsets[i] = make_offsets (map->axes[i], state->dims[i], strides[i], block, error);
      ok = state->offsets[i] != NULL;
      rows *= i + 1 < n ? state->dims[i] : 1;
    }
  if (!ok)
    return FALSE;
  find_runs (state);
  if (state->dims[n - 1] * state->item == 0)
    rows = 0;
  step_set_run (step, kernel, run_axis_map, rows, rows == 0 ? 1 : TASK_BYTES / (state->dims[n - 1] * state->item));
  return TRUE;
}
