/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * raw-outputs.c: between what bounds a network's outputs lie, before anything is decoded: where range, mean or colour are wrong, these numbers show it.
 */

#include <math.h>

#include "base/half.h"
#include "vision/input.h"
#include "vision/size-input.h"

static double
read_number (const FoveaTensor *tensor, gsize i)
{
  switch (tensor->type)
    {
    case FOVEA_TYPE_FLOAT32: return (double) ((const float *) tensor->data)[i];
    case FOVEA_TYPE_FLOAT64: return ((const double *) tensor->data)[i];
    case FOVEA_TYPE_FLOAT16: return (double) half_to_float (((const guint16 *) tensor->data)[i]);
    case FOVEA_TYPE_INT8:    return ((const gint8 *) tensor->data)[i];
    case FOVEA_TYPE_INT16:   return ((const gint16 *) tensor->data)[i];
    case FOVEA_TYPE_INT32:   return ((const gint32 *) tensor->data)[i];
    case FOVEA_TYPE_INT64:   return (double) ((const gint64 *) tensor->data)[i];
    case FOVEA_TYPE_UINT16:  return ((const guint16 *) tensor->data)[i];
    case FOVEA_TYPE_UINT32:  return ((const guint32 *) tensor->data)[i];
    case FOVEA_TYPE_UINT64:  return (double) ((const guint64 *) tensor->data)[i];
    default:                 return ((const guint8 *) tensor->data)[i];
    }
}

static FoveaRawOutput
measure (const FoveaPort *port, const FoveaTensor *tensor)
{
  const gsize    n = tensor->size / fovea_type_size (tensor->type);
  FoveaRawOutput output = { g_strdup (port->name), tensor->type, tensor->shape, n, 0, INFINITY, -INFINITY, 0 };

  for (gsize i = 0; i < n; i++)
    {
      const double number = read_number (tensor, i);

      if (isfinite (number))
        {
          output.least = MIN (output.least, number);
          output.most = MAX (output.most, number);
          output.mean += number;
        }
      else
        output.n_strange++;
    }
  output.mean /= (double) MAX (n - output.n_strange, 1);
  return output;
}

FoveaRawOutput *
fovea_model_run_raw (FoveaModel *model, const FoveaSettings *settings, FoveaInput *input, gsize *n, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession)        session = NULL;
  g_autoptr (FoveaTensor)         size = NULL;
  const FoveaPort                *port = fovea_model_get_input (model, 0);
  FoveaRawOutput                 *outputs;
  FoveaShape                      shape;

  if (!port || !fovea_settings_get_input_shape (settings, port, &shape, error))
    return NULL;
  if (fovea_model_get_n_inputs (model) > 1 && !(size = size_input_bind (model, settings, options, error)))
    return NULL;
  fovea_session_options_set_shape (options, port->name, &shape);
  session = fovea_session_new (model, options, error);
  if (!session)
    return NULL;
  fovea_input_write (input, fovea_session_get_input (session, 0));
  if (size)
    size_input_write (session, size);
  if (!fovea_session_run (session, cancellable, NULL, NULL, error))
    return NULL;
  *n = fovea_model_get_n_outputs (model);
  outputs = g_new (FoveaRawOutput, *n);
  for (guint i = 0; i < *n; i++)
    outputs[i] = measure (fovea_model_get_output (model, i), fovea_session_get_output (session, i));
  return outputs;
}

void
fovea_raw_outputs_free (FoveaRawOutput *outputs, gsize n)
{
  for (gsize i = 0; outputs && i < n; i++)
    g_free (outputs[i].name);
  g_free (outputs);
}
