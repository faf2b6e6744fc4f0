/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient-tool.c: MODEL [--threads N] [--finite]: trains nothing, but prints the gradient of a loss by every float constant of the model, a line each:
 * its name, then the numbers. The loss is the sum over all outputs' elements of cos (i + 1) times the element. With --finite, a double model is checked
 * against central differences too: a line "finite NAME error", the largest difference over the largest gradient.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/tensor.h"
#include "model/model.h"
#include "run/session.h"

#define MAX_DIFFERENCES 24          /* of one constant: elements from everywhere, */
#define STRIDE          2654435761u /* … not all of one row or column */

static double
number (FoveaType type, const void *data, gsize i)
{
  return type == FOVEA_TYPE_FLOAT64 ? ((const double *) data)[i] : (double) ((const float *) data)[i];
}

static void
set_number (FoveaType type, void *data, gsize i, double x)
{
  if (type == FOVEA_TYPE_FLOAT64)
    ((double *) data)[i] = x;
  else
    ((float *) data)[i] = (float) x;
}

static void
loss (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data)
{
  double *total = user_data;
  gsize   k = 0;

  *total = 0.0;
  for (guint i = 0; i < n; i++)
    for (gsize j = 0; j < shape_count (&outputs[i].shape); j++, k++)
      {
        double weight = cos ((double) k + 1.0);

        *total += weight * number (outputs[i].type, outputs[i].data, j);
        set_number (gradients[i].type, gradients[i].data, j, weight);
      }
}

static double
run (FoveaSession *session)
{
  g_autoptr (GError) error = NULL;
  double             total = 0.0;

  session_set_loss (session, loss, &total);
  session_refresh (session);
  if (!fovea_session_run (session, NULL, NULL, NULL, &error))
    g_error ("%s", error->message);
  return total;
}

static void
check (FoveaSession *session, FoveaTensor *tensor, const char *name, const double *gradient)
{
  gsize  n = shape_count (&tensor->shape);
  double worst = 0.0, largest = 1e-30;

  for (gsize k = 0; k < MIN (n, MAX_DIFFERENCES); k++)
    {
      gsize   i = n <= MAX_DIFFERENCES ? k : k * STRIDE % n;
      double *place = (double *) tensor->data + i, before = *place, step = 1e-5 * (1.0 + fabs (before)), up;

      *place = before + step;
      up = run (session);
      *place = before - step;
      worst = fmax (worst, fabs ((up - run (session)) / (2.0 * step) - gradient[i]));
      *place = before;
    }
  for (gsize i = 0; i < n; i++)
    largest = fmax (largest, fabs (gradient[i]));
  printf ("finite %s %.3g\n", name, worst / largest);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError)              error = NULL;
  g_autoptr (FoveaModel)          model = fovea_model_load (argv[1], &error);
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession)        session = NULL;
  gint64                          one = 1;
  FoveaShape                      shape = shape_make (1, &one);
  Training                        training = { .momentum = 0.1, .seed = 7 };
  gboolean                        finite = FALSE, is_double = FALSE;
  GHashTableIter                  iter;
  gpointer                        key, value;

  if (!model)
    g_error ("%s", error->message);
  training.variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fovea_tensor_unref);
  training.gradients = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  training.step = fovea_tensor_new (FOVEA_TYPE_INT64, &shape, &error);
  g_hash_table_iter_init (&iter, model_get_graph (model)->values);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const FoveaTensor *constant = ((const Value *) value)->constant;

      if (constant && type_is_float (constant->type) && shape_count (&constant->shape) > 0 && !g_str_has_prefix (key, "fixed"))
        {
          FoveaTensor *copy = fovea_tensor_new (constant->type, &constant->shape, &error);

          memcpy (copy->data, constant->data, constant->size);
          is_double |= constant->type == FOVEA_TYPE_FLOAT64;
          g_hash_table_insert (training.variables, g_strdup (key), copy);
        }
    }
  for (int i = 2; i < argc; i++)
    {
      finite |= strcmp (argv[i], "--finite") == 0;
      if (strcmp (argv[i], "--threads") == 0 && i + 1 < argc)
        fovea_session_options_set_threads (options, (guint) atoi (argv[++i]));
    }
  fovea_session_options_set_reference (options, is_double);
  session = session_new_training (model, options, &training, &error);
  if (!session)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  if (g_getenv ("PRINT_PLAN"))
    puts (fovea_session_print_plan (session));

  printf ("loss %.17g\n", run (session));
  g_hash_table_iter_init (&iter, training.gradients);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      FoveaTensor        *variable = g_hash_table_lookup (training.variables, key);
      const void         *data = session_get_output_by_name (session, value);
      gsize               n = shape_count (&variable->shape);
      g_autofree double  *gradient = g_new (double, n + 1);

      run (session);
      for (gsize i = 0; i < n; i++)
        gradient[i] = number (variable->type, data, i);
      printf ("%s", (const char *) key);
      for (gsize i = 0; i < n; i++)
        printf (" %.9g", gradient[i]);
      printf ("\n");
      if (finite && variable->type == FOVEA_TYPE_FLOAT64)
        check (session, variable, key, gradient);
    }
  g_hash_table_unref (training.variables);
  g_hash_table_unref (training.gradients);
  fovea_tensor_unref (training.step);
  return 0;
}
