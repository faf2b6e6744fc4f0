/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-read.h: an ONNX file becomes a Graph; and what the two files that do it share.
 */
#pragma once

#include "model/graph.h"
#include "model/onnx-tensor.h"

/* Reads the model in `file`; external data are looked for beside `path`, its own (NULL: they are refused). Constants hold references to the file. Functions of
 * the model itself are inlined. Errors: FOVEA_ERROR_MODEL, _UNSUPPORTED, _FILE, _MEMORY; they don't name the file. */
Graph *onnx_read (Mapping *file, const char *path, GError **error);

/* ---- private to onnx-read.c and onnx-read-nodes.c --------------------------------------------------------------------------------------- */

typedef struct
{
  OnnxSource              source;
  const Onnx__ModelProto *model;
  guint                   n_nodes; /* made so far, those of inlined functions too */
  gsize                   cost;    /* elements of lists and bytes of texts made so far: functions can repeat what the file has once */
} OnnxReader;

/* A graph that is being read, and the one around it. */
typedef struct _OnnxScope OnnxScope;
struct _OnnxScope
{
  Graph                     *graph;
  const OnnxScope           *around;   /* NULL for the model's graph and for functions: nothing can be seen from there */
  const Node                *call;     /* in a function: where it was called, its attributes are the function's arguments */
  const Onnx__FunctionProto *function;
  guint                      depth;    /* of functions called in functions */
  GPtrArray                 *calls;    /* nodes of this graph that call functions */
  GPtrArray                 *called;   /* their Onnx__FunctionProto */
};

/* FALSE with an error when the model has grown beyond all measure. */
gboolean onnx_reader_charge  (OnnxReader *reader, gsize cost, GError **error);

/* A text of the file as valid UTF-8, "" for NULL; free with g_free. */
char    *onnx_clean_text     (const char *text);

/* The value that `name` means in the scope, from around it if need be; NULL if there is none. */
Value   *onnx_scope_resolve  (const OnnxScope *scope, const char *name);

/* A new value; FALSE with an error where the name is empty or taken. */
gboolean onnx_scope_define   (const OnnxScope *scope, const char *name, Value **value, GError **error);

gboolean onnx_read_opsets    (GHashTable *opsets, Onnx__OperatorSetIdProto **protos, gsize n, GError **error);
Graph   *onnx_read_graph     (OnnxReader *reader, const Onnx__GraphProto *proto, const OnnxScope *around, GError **error);
gboolean onnx_read_nodes     (OnnxReader *reader, OnnxScope *scope, Onnx__NodeProto **protos, gsize n, GError **error);

/* To be called when the graph's outputs are known. */
gboolean onnx_inline_calls   (OnnxReader *reader, const OnnxScope *scope, GError **error);
