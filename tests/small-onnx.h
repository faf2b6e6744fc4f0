/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * small-onnx.h: small ONNX files made by hand for the tests of the reader, read, or refused in words.
 */
#pragma once

#include "model/model.h"
#include "wire.h"

#define DIMS(...) ((const gint64[]) { __VA_ARGS__, -2 })
static const gint64 SCALAR[] = { -2 };

/* Takes the bytes over. */
static inline FoveaModel *
load (Wire *wire, GError **error)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (wire);

  return fovea_model_load_bytes (bytes, "test", error);
}

static inline void
assert_refused (Wire *wire, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = load (wire, &error);

  g_assert_null (model);
  g_assert_error (error, FOVEA_ERROR, code);
  if (!strstr (error->message, words))
    g_error ("“%s” isn't in “%s”", words, error->message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_true (g_str_has_prefix (error->message, "Model “test”: "));
}

/* x (1, 3) -> Relu -> y, more parts to come. */
static inline Wire *
small_graph (void)
{
  Wire *graph = wire_message (wire_new (), 1, wire_node ("Relu", "x", "y"));

  wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1, 3)));
  return wire_message (graph, 12, wire_port ("y", ONNX_FLOAT, DIMS (1, 3)));
}

/* The same with an initializer w that is a second output. */
static inline Wire *
with_tensor (Wire *tensor)
{
  return wire_model (wire_message (wire_message (small_graph (), 5, tensor), 12, wire_text (wire_new (), 1, "w")));
}
