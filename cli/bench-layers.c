/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench-layers.c: where the time of a network goes: each step's, beside what the machine could do. As a table, as JSON, as a page.
 */

#include "bench.h"
#include "command.h"

#define BAR_WIDTH 24 /* characters */

typedef struct
{
  FoveaStep described;
  double    ms;        /* median over the runs */
} Layer;

struct _Layers
{
  gsize         n, repeat, n_runs;
  const double *last;              /* of the last run, n; the session's */
  double       *times;             /* (n, repeat) milliseconds */
  Layer        *layers;            /* n */
  double        total;             /* milliseconds, of all */
  FoveaLimits   limits;
};

Layers *
layers_new (FoveaSession *session, gsize repeat)
{
  Layers *layers = g_new0 (Layers, 1);

  layers->n = fovea_session_get_n_steps (session);
  layers->repeat = repeat;
  layers->last = fovea_session_time_steps (session);
  layers->times = g_new0 (double, layers->n * repeat + 1);
  layers->layers = g_new0 (Layer, layers->n + 1);
  return layers;
}

void
layers_free (Layers *layers)
{
  g_free (layers->times);
  g_free (layers->layers);
  g_free (layers);
}

void
layers_note_run (Layers *layers)
{
  for (gsize i = 0; i < layers->n; i++)
    layers->times[i * layers->repeat + layers->n_runs] = layers->last[i];
  layers->n_runs++;
}

/* What the session says about steps is borrowed from it: names are copied, as it may go before the layers do. */
gboolean
layers_finish (Layers *layers, const FoveaSession *session, GError **error)
{
  for (gsize i = 0; i < layers->n; i++)
    {
      Layer *layer = &layers->layers[i];

      fovea_session_get_step (session, (guint) i, &layer->described);
      layer->described.name = g_intern_string (layer->described.name);
      layer->described.operator_type = g_intern_string (layer->described.operator_type);
      layer->ms = bench_median (layers->times + i * layers->repeat, layers->n_runs);
      layers->total += layer->ms;
    }
  return fovea_measure_limits (fovea_session_get_threads (session), &layers->limits, error);
}

/* ---- numbers ---------------------------------------------------------------------------------------------- */

static double
layer_share (const Layers *layers, const Layer *layer)
{
  return layer->ms / MAX (layers->total, 1e-9);
}

static double
layer_gflops (const Layer *layer)
{
  return layer->described.flop * 1e-6 / MAX (layer->ms, 1e-6);
}

static double
layer_gbytes (const Layer *layer)
{
  return layer->described.bytes * 1e-6 / MAX (layer->ms, 1e-6);
}

static char *
shape_text (const FoveaShape *shape)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < shape->n_dims; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i ? "x" : "", shape->dims[i]);
  return g_string_free (text, FALSE);
}

static double
longest (const Layers *layers)
{
  double most = 1e-9;

  for (gsize i = 0; i < layers->n; i++)
    most = MAX (most, layers->layers[i].ms);
  return most;
}

/* ---- text ------------------------------------------------------------------------------------------------- */

void
layers_print (const Layers *layers)
{
  double most = longest (layers);

  g_print ("  limits of the machine: %.1f GFLOP/s, %.1f GB/s from memory\n\n", layers->limits.gflops, layers->limits.gbytes);
  g_print ("%5s %8s %6s %9s %6s %7s %6s  %-*s  %-18s %-22s %-18s %-18s %s\n", "step", "ms", "time", "GFLOP/s", "peak", "GB/s", "memory", BAR_WIDTH, "",
           "operator", "kernel", "in", "out", "layer");
  for (gsize i = 0; i < layers->n; i++)
    {
      const Layer     *layer = &layers->layers[i];
      g_autofree char *in = shape_text (&layer->described.in), *out = shape_text (&layer->described.out);
      g_autofree char *bar = g_strnfill ((gsize) (layer->ms / most * BAR_WIDTH + 0.5), '#');

      g_print ("%5" G_GSIZE_FORMAT " %8.3f %4.1f %% %9.1f %4.0f %% %7.1f %4.0f %%  %-*s  %-18s %-22s %-18s %-18s %s\n", i, layer->ms,
               100 * layer_share (layers, layer), layer_gflops (layer), 100 * layer_gflops (layer) / layers->limits.gflops, layer_gbytes (layer),
               100 * layer_gbytes (layer) / layers->limits.gbytes, BAR_WIDTH, bar, layer->described.operator_type, layer->described.kernel, in, out,
               layer->described.name);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

void
layers_add_json (const Layers *layers, JsonBuilder *json)
{
  json_builder_set_member_name (json, "limits");
  json_builder_begin_object (json);
  bench_add_number (json, "gflops", layers->limits.gflops);
  bench_add_number (json, "gbytes", layers->limits.gbytes);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (gsize i = 0; i < layers->n; i++)
    {
      const Layer     *layer = &layers->layers[i];
      g_autofree char *in = shape_text (&layer->described.in), *out = shape_text (&layer->described.out);

      json_builder_begin_object (json);
      command_add_string (json, "name", layer->described.name);
      command_add_string (json, "operator", layer->described.operator_type);
      command_add_string (json, "kernel", layer->described.kernel);
      command_add_string (json, "in", in);
      command_add_string (json, "out", out);
      bench_add_number (json, "ms", layer->ms);
      bench_add_number (json, "share", layer_share (layers, layer));
      bench_add_number (json, "gflops", layer_gflops (layer));
      bench_add_number (json, "peak_share", layer_gflops (layer) / layers->limits.gflops);
      bench_add_number (json, "gbytes", layer_gbytes (layer));
      bench_add_number (json, "bandwidth_share", layer_gbytes (layer) / layers->limits.gbytes);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

/* ---- HTML ------------------------------------------------------------------------------------------------- */

static const char page_head[] =
  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
  ":root { color-scheme: light dark; --bar: #3584e4; --peak: #e66100; }\n"
  "body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1200px; padding: 0 1em; }\n"
  "table { border-collapse: collapse; width: 100%; } th { position: sticky; top: 0; background: Canvas; }\n"
  "th, td { padding: .15em .6em; text-align: right; white-space: nowrap; } td.text, th.text { text-align: left; }\n"
  "td.text { overflow: hidden; text-overflow: ellipsis; max-width: 18em; } tr:hover td { background: #8883; }\n"
  ".bar { width: 12em; } .bar i { display: block; height: .8em; background: var(--bar); } .bar b { display: block; height: .25em; background: var(--peak); }\n"
  "</style>\n";

static void
append_row (GString *page, const Layers *layers, gsize i, double most)
{
  const Layer     *layer = &layers->layers[i];
  double           peak = layer_gflops (layer) / layers->limits.gflops;
  g_autofree char *in = shape_text (&layer->described.in), *out = shape_text (&layer->described.out);
  g_autofree char *name = g_markup_escape_text (layer->described.name, -1), *kernel = g_markup_escape_text (layer->described.kernel, -1);

  g_string_append_printf (page,
                          "<tr><td>%" G_GSIZE_FORMAT "</td><td>%.3f</td><td>%.1f %%</td>"
                          "<td class=\"bar\"><i style=\"width:%.1f%%\"></i><b style=\"width:%.1f%%\"></b></td>"
                          "<td>%.1f</td><td>%.0f %%</td><td>%.1f</td><td>%.0f %%</td><td class=\"text\">%s</td><td class=\"text\">%s</td><td>%s</td><td>%s</td>"
                          "<td class=\"text\" title=\"%s\">%s</td></tr>\n",
                          i, layer->ms, 100 * layer_share (layers, layer), 100 * layer->ms / most, 100 * MIN (peak, 1), layer_gflops (layer), 100 * peak,
                          layer_gbytes (layer), 100 * layer_gbytes (layer) / layers->limits.gbytes, layer->described.operator_type, kernel, in, out, name,
                          name);
}

gboolean
layers_write_html (const Layers *layers, const char *file, const char *model, const Measurement *result, GError **error)
{
  g_autoptr (GString) page = g_string_new (page_head);
  g_autofree char    *title = g_markup_escape_text (model, -1);
  g_autofree char    *shown = g_filename_display_name (file);
  g_autoptr (GError)  local = NULL;
  double              most = longest (layers);

  g_string_append_printf (page, "<title>%s</title>\n</head>\n<body>\n<h1>%s</h1>\n", title, title);
  g_string_append_printf (page,
                          "<p>%.2f ms a run (median of %d), %d thread%s, %s; %.2f GFLOP, %.1f GFLOP/s. The machine: %.1f GFLOP/s, %.1f GB/s from memory.\n"
                          "Bars: time in blue, share of the arithmetic peak in orange.</p>\n",
                          result->median, result->repeat, result->threads, result->threads > 1 ? "s" : "", fovea_get_isa (), result->operations * 1e-9,
                          result->operations * 1e-6 / MAX (result->median, 1e-9), layers->limits.gflops, layers->limits.gbytes);
  g_string_append (page, "<table>\n<tr><th>step</th><th>ms</th><th>time</th><th></th><th>GFLOP/s</th><th>of peak</th><th>GB/s</th><th>of memory</th>"
                         "<th class=\"text\">operator</th><th class=\"text\">kernel</th><th>in</th><th>out</th><th class=\"text\">layer</th></tr>\n");
  for (gsize i = 0; i < layers->n; i++)
    append_row (page, layers, i, most);
  g_string_append (page, "</table>\n</body>\n</html>\n");
  if (g_file_set_contents (file, page->str, (gssize) page->len, &local))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "“%s” can't be written: %s", shown, local->message);
  return FALSE;
}
