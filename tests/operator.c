/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operator.c: the table of operators: each is found by its name, and refuses by name an attribute that it doesn't know and one of the wrong kind.
 */

#include <string.h>

#include "model/graph.h"
#include "ops/operator.h"

/* Parses a node of the operator that has one attribute; the error it gives, or NULL. */
static GError *
parse_with (const Operator *op, const char *attribute, AttributeKind kind)
{
  g_autoptr (Graph) graph = graph_new ();
  Node             *node = graph_add_node (graph, op->domain, op->type, "layer1", -1);
  GError           *error = NULL;

  if (kind == ATTRIBUTE_INT)
    node_set_int (node, attribute, 1);
  else
    node_set_string (node, attribute, "text");
  operator_parse_node (node, &error);
  return error;
}

static void
check_operator (const Operator *op)
{
  g_autoptr (GError) error = parse_with (op, "no_such_option", ATTRIBUTE_INT);

  g_assert_true (operator_find (op->domain, op->type) == op);
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "layer1"));
  g_assert_nonnull (strstr (error->message, op->type));
  g_assert_nonnull (strstr (error->message, "“no_such_option” isn't known"));
  for (const AttributeSpec *spec = op->attributes; spec && spec->name; spec++)
    {
      g_autoptr (GError) wrong = parse_with (op, spec->name, spec->kind == ATTRIBUTE_INT ? ATTRIBUTE_STRING : ATTRIBUTE_INT);

      g_assert_error (wrong, FOVEA_ERROR, FOVEA_ERROR_MODEL);
      g_assert_nonnull (strstr (wrong->message, spec->name));
    }
}

static void
test_table (void)
{
  gsize                  n;
  const Operator *const *operators = operator_list (&n);

  g_assert_cmpuint (n, >, 150);
  for (gsize i = 0; i < n; i++)
    check_operator (operators[i]);
  g_assert_null (operator_find ("", "NoSuchOperator"));
  g_assert_null (operator_find ("com.example", "Conv"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operator/table", test_table);
  return g_test_run ();
}
