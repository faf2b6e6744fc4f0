/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph.h: a network in memory. Nodes in the order they run, values (the tensors between them), attributes.
 *
 * The reader makes it, the passes of compile/ change a copy of it, the writer writes it. Everything in a graph is owned by the graph:
 * nodes and values live until graph_free, also when a pass has unlinked them, so that no pass frees anything. Constant tensors are
 * reference counted and shared between the copies; their data lie in the mapped file where possible.
 */
#pragma once

#include "base/tensor.h"

typedef struct _Graph     Graph;
typedef struct _Node      Node;
typedef struct _Value     Value;
typedef struct _Attribute Attribute;
struct _Operator;

typedef enum
{
  LAYOUT_PLAIN,   /* row-major as ONNX has it; images are (N, C, H, W) */
  LAYOUT_BLOCKED, /* (N, C/16, H, W, 16) float32; lanes past C in the last block are zero */
} Layout;

struct _Value
{
  char        *name;     /* unique within the graph, never NULL or empty */
  FoveaType    type;     /* FOVEA_TYPE_NONE until it is known */
  gboolean     has_rank; /* FALSE: not even the number of dimensions is known */
  FoveaShape   shape;    /* -1 where a dimension isn't known */
  char        *dim_names[FOVEA_MAX_DIMS]; /* symbolic dimensions ("batch"), NULL where there is none */
  FoveaTensor *constant; /* not NULL: an initializer or folded; may be float16 while type says float32 (see compile/infer-shapes). Above
                            MAPPING_SMALL bytes the data may be unaligned, where they lie in the file: tensor_read_*, or tensor_aligned first */
  FoveaTensor *variable; /* not NULL: a parameter that is being trained, float32. Its data change between runs, so that nothing may be made from
                            them while compiling but what a step's refresh makes anew; constant is NULL then */
  Node        *producer; /* NULL: an input of the graph, a constant or a variable */
  Layout       layout;
  gboolean     is_half;  /* float16 in the model, though it is computed as float32 (compile/infer-shapes) */
  gboolean     dynamic;  /* the true size is known only after running; shape is the upper bound */
  gboolean     outer;    /* in a sub-graph: stands for the value of the same name of the graph around it (see below) */
};

typedef enum
{
  ATTRIBUTE_INT,
  ATTRIBUTE_FLOAT,
  ATTRIBUTE_STRING,
  ATTRIBUTE_TENSOR,
  ATTRIBUTE_GRAPH,
  ATTRIBUTE_INTS,
  ATTRIBUTE_FLOATS,
  ATTRIBUTE_STRINGS,
} AttributeKind;

/* An attribute that an operator knows. */
typedef struct
{
  const char   *name;
  AttributeKind kind;
} AttributeSpec;

struct _Attribute
{
  char         *name;
  AttributeKind kind;
  gint64        i;
  float         f;
  char         *s;       /* always NUL-terminated, valid UTF-8 not promised */
  FoveaTensor  *tensor;
  Graph        *graph;
  gint64       *ints;    /* n */
  float        *floats;  /* n */
  char        **strings; /* n, NULL-terminated */
  gsize         n;
};

struct _Node
{
  char       *name;       /* never NULL: made up ("Conv_12") where the file has none */
  char       *type;       /* "Conv" */
  char       *domain;     /* "" for the standard operators, "fovea" for the engine's own */
  gint64      opset;      /* version of its domain that the model imports */
  GPtrArray  *inputs;     /* of Value*, NULL where an optional one is left out */
  GPtrArray  *outputs;    /* of Value*, NULL likewise */
  GPtrArray  *attributes; /* of Attribute* */
  const struct _Operator *op; /* set by compile/parse; NULL before */
  gpointer    params;     /* op->params_size bytes, set by op->parse */
  void      (*clear) (Node *node); /* set along with params: frees them. graph_free calls it on every node, unlinked ones too */
};

struct _Graph
{
  char       *name;
  gint64      ir_version;
  GHashTable *opsets;     /* domain (char*) -> version (GINT_TO_POINTER) */
  char       *producer_name;
  char       *producer_version;
  char       *doc_string;
  GHashTable *metadata;   /* metadata_props: char* -> char* */
  GPtrArray  *nodes;      /* of Node*, topological order once read */
  GPtrArray  *inputs;     /* of Value*; never constants */
  GPtrArray  *outputs;    /* of Value* */
  GHashTable *values;     /* name -> Value* */
  GPtrArray  *all_nodes, *all_values; /* private: everything ever made here, unlinked or not */
};

/* Sub-graphs (attributes of kind ATTRIBUTE_GRAPH: the branches of an If) are graphs of their own. What they take from the graph around them is
 * bound by name: a value with `outer` set has neither producer nor constant, and means the value of that name one level up, where it may be
 * `outer` again. Renaming by graph_replace_value keeps such names right; graph_inline puts the real values in their place. */

/* Empty, of the newest opset and ir version that the reader takes for certain. */
Graph       *graph_new          (void);
void         graph_free         (Graph *graph);

/* A deep copy of nodes, values and sub-graphs; constant tensors are shared. Operators and params are not copied: parse again. */
Graph       *graph_copy         (const Graph *graph);

/* The value of that name, or NULL. */
Value       *graph_find_value   (const Graph *graph, const char *name);

/* A new value; `name` is made unique by a suffix where it is taken ("x", "x:1", …); NULL makes one up. */
Value       *graph_add_value    (Graph *graph, const char *name);

/* The value of that name, if there is one, gets another, so that a new one can have it. */
void         graph_free_name    (Graph *graph, const char *name);

/* A constant value holding a reference to `tensor`. */
Value       *graph_add_constant (Graph *graph, const char *name, FoveaTensor *tensor);

/* A new node before position `index` of nodes (-1: at the end). Opset is that of the graph for the domain. Name and type are copied. */
Node        *graph_add_node     (Graph *graph, const char *domain, const char *type, const char *name, gint index);

/* A node of ONNX's own at the end, on one or two values (b may be NULL), and its output, named as the node is: for networks written in code. */
Value       *graph_append       (Graph *graph, const char *type, const char *name, Value *a, Value *b);

void         node_add_input     (Node *node, Value *value);
void         node_add_output    (Node *node, Value *value); /* sets value->producer */

/* Unlinks a node from the list; its outputs lose their producer. */
void         graph_remove_node  (Graph *graph, Node *node);

/* Unlinks all nodes whose outputs nothing needs any more. */
void         graph_remove_unused (Graph *graph);

/* Every use of `old` (inputs of nodes, also by name in sub-graphs, and outputs of the graph) becomes a use of `now`. An output of the graph keeps
 * its public name: the names of the two values are exchanged then. That can't be where `now` is an input or output itself: ask first where `old`
 * may be an output. Otherwise the nodes' uses are replaced, the output stays. */
void         graph_replace_value (Graph *graph, Value *old, Value *now);
gboolean     graph_can_replace_value (const Graph *graph, const Value *old, const Value *now);

/* Puts the nodes of `body` (left as it is) in the place of `node`: its inputs become those of the node (NULL where the node has fewer), its `outer`
 * values the graph's, its outputs take the place of the node's. The taken branch of an If has no inputs; a model's own functions have. */
gboolean     graph_inline       (Graph *graph, Node *node, const Graph *body, GError **error);

/* How many node inputs and graph outputs use the value; the only consumer, or NULL if there are none, several, or it is an output of the graph. */
guint        graph_count_uses   (const Graph *graph, const Value *value);
Node        *graph_only_consumer (const Graph *graph, const Value *value);
gboolean     graph_is_output    (const Graph *graph, const Value *value);

/* Nodes sorted so that producers come first (stable). FALSE with FOVEA_ERROR_MODEL naming a node of the cycle. */
gboolean     graph_sort         (Graph *graph, GError **error);

/* Input / output i, or NULL where it is left out or past the end. */
Value       *node_input         (const Node *node, guint i);
Value       *node_output        (const Node *node, guint i);

/* FALSE with an error if an attribute is of another kind than listed, or isn't listed. The list ends with a NULL name; NULL: none is known. */
gboolean     node_check_attributes (const Node *node, const AttributeSpec *known, GError **error);

/* Attributes by name: the default when absent. A wrong kind is found by node_check_attributes at parse time. */
const Attribute *node_attribute (const Node *node, const char *name);
gint64       node_int           (const Node *node, const char *name, gint64 otherwise);
float        node_float         (const Node *node, const char *name, float otherwise);
const char  *node_string        (const Node *node, const char *name, const char *otherwise);

/* Points *ints at the n values (owned by the node); n 0 and NULL when absent. */
gsize        node_ints          (const Node *node, const char *name, const gint64 **ints);

/* Sets FOVEA_ERROR_*: "layer “conv1” (Conv): " and the message. Always FALSE, for `return node_error (…)`. */
gboolean     node_error         (const Node *node, GError **error, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* A name from a file as messages may show it: valid UTF-8, no control characters, not endless. Free with g_free. */
char        *name_for_display   (const char *name);

/* Setting attributes: for builders, passes and tests. */
void         node_set_int       (Node *node, const char *name, gint64 value);
void         node_set_float     (Node *node, const char *name, float value);
void         node_set_string    (Node *node, const char *name, const char *value);
void         node_set_ints      (Node *node, const char *name, const gint64 *values, gsize n);
void         node_set_floats    (Node *node, const char *name, const float *values, gsize n);
void         node_set_strings   (Node *node, const char *name, const char *const *values, gsize n);
void         node_set_tensor    (Node *node, const char *name, FoveaTensor *tensor); /* takes a reference of its own */
void         node_copy_attribute (Node *node, const char *name, const Attribute *from);      /* of any kind but a graph */
void         node_set_graph     (Node *node, const char *name, Graph *graph);        /* takes it over */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Graph, graph_free)
