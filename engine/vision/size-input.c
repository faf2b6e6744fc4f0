/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * size-input.c: see size-input.h. RT-DETR wants width and height, YOLOv3 height and width.
 */

#include "vision/size-input.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/tensor.h"

FoveaTensor *
size_input_bind (FoveaModel *model, const FoveaSettings *settings, FoveaSessionOptions *options, GError **error)
{
  const guint      n_inputs = fovea_model_get_n_inputs (model);
  const FoveaPort *port = n_inputs == 2 ? fovea_model_get_input (model, 1) : NULL;
  gboolean         width_first = g_strcmp0 (settings->family, "yolov3") != 0;
  double           size[2] = { width_first ? settings->width : settings->height, width_first ? settings->height : settings->width };
  FoveaShape       shape = port && port->has_rank ? port->shape : (FoveaShape) { 2, { 1, 2 } };
  FoveaTensor     *tensor;

  if (!port)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model “%s” has %u inputs, but a detector has one, the photo, or two, the photo and its size."),
                   fovea_model_get_name (model), n_inputs);
      return NULL;
    }
  for (guint i = 0; i < shape.n_dims; i++)
    if (shape.dims[i] < 0)
      shape.dims[i] = i + 1 == shape.n_dims ? 2 : 1;
  if (shape_count (&shape) != 2 || (port->type != FOVEA_TYPE_FLOAT32 && port->type != FOVEA_TYPE_INT64 && port->type != FOVEA_TYPE_INT32))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("The model's second input “%s” isn't the photo's size. Choose a detector that takes a photo."),
                   port->name);
      return NULL;
    }
  tensor = fovea_tensor_new (port->type, &shape, error);
  for (guint i = 0; i < 2 && tensor; i++)
    if (port->type == FOVEA_TYPE_FLOAT32)
      ((float *) tensor->data)[i] = (float) size[i];
    else if (port->type == FOVEA_TYPE_INT64)
      ((gint64 *) tensor->data)[i] = (gint64) size[i];
    else
      ((gint32 *) tensor->data)[i] = (gint32) size[i];
  if (tensor)
    fovea_session_options_bind (options, port->name, tensor);
  return tensor;
}

void
size_input_write (FoveaSession *session, const FoveaTensor *size)
{
  FoveaTensor *to = fovea_session_get_input (session, 1);

  memcpy (to->data, size->data, MIN (to->size, size->size));
}
