/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operator.c: the table of all operators, and reading the attributes of a node through it.
 */

#include "ops/operator.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ops/families.h"

static const Operator *const families[] = {
  activation_operators,
  activation_gradient_operators,
  arg_max_operators,
  arithmetic_operators,
  batch_norm_operators,
  batch_norm_training_operators,
  block_operators,
  cast_operators,
  clip_operators,
  concat_operators,
  constant_operators,
  conv_operators,
  conv_gradient_operators,
  conv_rows_operators,
  conv_transpose_operators,
  detection_operators,
  determinant_operators,
  einsum_operators,
  gather_operators,
  grid_sample_operators,
  integer_conv_operators,
  integer_matmul_operators,
  logic_operators,
  matmul_operators,
  movement_operators,
  normalization_operators,
  pad_operators,
  pick_channels_operators,
  pool_operators,
  pool_gradient_operators,
  power_operators,
  quantize_operators,
  reduce_operators,
  resize_operators,
  pad_gradient_operators,
  resize_gradient_operators,
  scatter_operators,
  select_operators,
  softmax_operators,
  training_operators,
  unary_operators,
  view_operators,
};

typedef struct
{
  const Operator **operators; /* sorted by domain and type */
  gsize            n;
} Table;

static int
compare_operators (gconstpointer a, gconstpointer b)
{
  const Operator *first = *(const Operator *const *) a, *second = *(const Operator *const *) b;
  int             domain = strcmp (first->domain, second->domain);

  return domain ? domain : strcmp (first->type, second->type);
}

static gpointer
make_table (gpointer unused)
{
  Table *table = g_new0 (Table, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    for (const Operator *op = families[i]; op->type; op++)
      table->n++;

  table->operators = g_new (const Operator *, table->n);
  table->n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    for (const Operator *op = families[i]; op->type; op++)
      table->operators[table->n++] = op;
  qsort (table->operators, table->n, sizeof *table->operators, compare_operators);
  return table;
}

static const Table *
get_table (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, make_table, NULL);
}

const Operator *
operator_find (const char *domain, const char *type)
{
  const Table           *table = get_table ();
  const Operator         key = { .type = type, .domain = domain };
  const Operator        *pointer = &key;
  const Operator *const *found = bsearch (&pointer, table->operators, table->n, sizeof *table->operators, compare_operators);

  return found ? *found : NULL;
}

const Operator *const *
operator_list (gsize *n)
{
  const Table *table = get_table ();

  *n = table->n;
  return table->operators;
}

gboolean
operator_parse_node (Node *node, GError **error)
{
  const Operator *op = operator_find (node->domain, node->type);

  if (!op)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                       _("this engine has no operator %s%s%s. Export the model without it, or use another model."),
                       node->domain, *node->domain ? "." : "", node->type);

  operator_clear_node (node);
  node->op = op;
  node->clear = operator_clear_node;
  if (op->params_size)
    node->params = g_malloc0 (op->params_size);
  return node_check_attributes (node, op->attributes, error) && (!op->parse || op->parse (node, error));
}

void
operator_clear_node (Node *node)
{
  if (node->params && node->op->clear)
    node->op->clear (node->params);
  g_clear_pointer (&node->params, g_free);
  node->op = NULL;
}
