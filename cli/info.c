/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * info.c: `fovea info`: what a model is made of, layer by layer, what Fovea knows about it, and what the engine would do with it.
 */

#include <string.h>

#include "command.h"
#include "fovea.h"
#include "verbs.h"

static const CommandHelp help = {
  "info",
  "MODEL",
  "Says what a model is made of. For each layer: operator, window (kernel, /stride,\n"
  "+padding, *dilation), shapes, parameters, multiply-adds, and the side of the\n"
  "square of the photo that one value sees. Then the totals; task, labels and input\n"
  "settings, and where each was found; the memory that it needs to run, and with\n"
  "--train what learning takes.",
  "  fovea info squeezenet                            the whole table\n"
  "  fovea info my.onnx --shape images=1x3x640x640    for one shape of many\n"
  "  fovea info squeezenet --explain                  and what each kind of layer does\n"
  "  fovea info squeezenet --plan                     what the engine makes of it\n"
  "  fovea info squeezenet --train --batch 32         how much memory training takes\n"
  "  fovea info --operators                           the operators that Fovea runs\n",
};

/* All that the two forms of output need. */
typedef struct
{
  FoveaModel    *model;
  FoveaSettings *settings;
  FoveaSession  *session;
  FoveaLayer    *layers;
  gsize          n_layers;
  guint64        parameters, macs;
  guint64        training; /* bytes that it takes; 0: nobody asked */
  int            batch;
} Info;

static const char *const task_words[] = { "unknown", "classify", "detect", "segment" };
static const char *const resize_words[] = { "stretched", "shortest side and centre crop", "letterboxed", "letterboxed in the corner" };
static const char *const filter_words[] = { "nearest", "bilinear", "bicubic", "lanczos" };

/* ---- the table -------------------------------------------------------------------------------------------------------------------------- */

enum { COLUMN_NAME, COLUMN_OPERATOR, COLUMN_WINDOW, COLUMN_IN, COLUMN_OUT, COLUMN_PARAMETERS, COLUMN_MACS, COLUMN_FIELD, N_COLUMNS };

static const struct
{
  const char *title;
  gboolean    right; /* aligned */
} columns[N_COLUMNS] = {
  [COLUMN_NAME]       = { "layer", FALSE },
  [COLUMN_OPERATOR]   = { "operator", FALSE },
  [COLUMN_WINDOW]     = { "window", FALSE },
  [COLUMN_IN]         = { "in", FALSE },
  [COLUMN_OUT]        = { "out", FALSE },
  [COLUMN_PARAMETERS] = { "parameters", TRUE },
  [COLUMN_MACS]       = { "multiply-adds", TRUE },
  [COLUMN_FIELD]      = { "sees", TRUE },
};

#define MAX_NAME_CHARACTERS 40

/* The end of a long name tells more than its beginning. */
static char *
shorten (const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);
  glong            length = g_utf8_strlen (valid, -1);

  for (char *c = valid; *c; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  if (length <= MAX_NAME_CHARACTERS)
    return g_steal_pointer (&valid);
  return g_strconcat ("…", g_utf8_offset_to_pointer (valid, length - MAX_NAME_CHARACTERS + 1), NULL);
}

static char *
print_shape (const FoveaShape *shape)
{
  g_autoptr (GString) string = g_string_new (NULL);

  for (guint i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] < 0)
      g_string_append (string, i ? "x?" : "?");
    else
      g_string_append_printf (string, "%s%" G_GINT64_FORMAT, i ? "x" : "", shape->dims[i]);
  return shape->n_dims ? g_string_free (g_steal_pointer (&string), FALSE) : g_strdup ("scalar");
}

/* "3x3 /2 +1,1,1,1 *2": kernel, and where they aren't plain, stride, padding, dilation. */
static char *
print_window (const FoveaLayer *layer)
{
  g_autoptr (GString) string = g_string_new (NULL);
  const int *padding = layer->padding;

  if (!layer->has_window)
    return g_strdup ("");
  g_string_append_printf (string, "%dx%d", layer->kernel[0], layer->kernel[1]);
  if (layer->stride[0] != layer->stride[1])
    g_string_append_printf (string, " /%d,%d", layer->stride[0], layer->stride[1]);
  else if (layer->stride[0] != 1)
    g_string_append_printf (string, " /%d", layer->stride[0]);
  if (padding[0] == padding[1] && padding[0] == padding[2] && padding[0] == padding[3])
    {
      if (padding[0])
        g_string_append_printf (string, " +%d", padding[0]);
    }
  else
    g_string_append_printf (string, " +%d,%d,%d,%d", padding[0], padding[1], padding[2], padding[3]);
  if (layer->dilation[0] != 1 || layer->dilation[1] != 1)
    g_string_append_printf (string, " *%d,%d", layer->dilation[0], layer->dilation[1]);
  return g_string_free (g_steal_pointer (&string), FALSE);
}

/* 1,234,567; "" for 0. */
static char *
print_count (guint64 count)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  GString         *string = g_string_new (NULL);
  gsize            n = strlen (digits);

  for (gsize i = 0; i < n && count; i++)
    {
      if (i && (n - i) % 3 == 0)
        g_string_append_c (string, ',');
      g_string_append_c (string, digits[i]);
    }
  return g_string_free (string, FALSE);
}

static void
fill_cells (const FoveaLayer *layer, char **cells)
{
  cells[COLUMN_NAME] = shorten (layer->name);
  cells[COLUMN_OPERATOR] = g_strdup (layer->operator_type);
  cells[COLUMN_WINDOW] = print_window (layer);
  cells[COLUMN_IN] = print_shape (&layer->in);
  cells[COLUMN_OUT] = print_shape (&layer->out);
  cells[COLUMN_PARAMETERS] = print_count (layer->parameters);
  cells[COLUMN_MACS] = print_count (layer->macs);
  cells[COLUMN_FIELD] = layer->receptive_field ? print_count (layer->receptive_field) : g_strdup ("all");
}

static void
print_row (char **cells, const int *widths)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (int c = 0; c < N_COLUMNS; c++)
    {
      int blanks = widths[c] - (int) g_utf8_strlen (cells[c], -1);

      g_string_append_printf (line, "%*s%s%*s", columns[c].right ? blanks : 0, "", cells[c], columns[c].right ? 2 : blanks + 2, "");
    }
  g_print ("%s\n", g_strchomp (line->str));
}

static void
print_table (const Info *info)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  int widths[N_COLUMNS] = { 0 };

  g_ptr_array_set_size (cells, (info->n_layers + 2) * N_COLUMNS);
  for (int c = 0; c < N_COLUMNS; c++)
    {
      cells->pdata[c] = g_strdup (columns[c].title);
      cells->pdata[(info->n_layers + 1) * N_COLUMNS + c] = c == COLUMN_NAME         ? g_strdup ("all")
                                                           : c == COLUMN_PARAMETERS ? print_count (info->parameters)
                                                           : c == COLUMN_MACS       ? print_count (info->macs)
                                                                                    : g_strdup ("");
    }
  for (gsize i = 0; i < info->n_layers; i++)
    fill_cells (&info->layers[i], (char **) cells->pdata + (i + 1) * N_COLUMNS);
  for (guint i = 0; i < cells->len; i++)
    widths[i % N_COLUMNS] = MAX (widths[i % N_COLUMNS], (int) g_utf8_strlen (cells->pdata[i], -1));
  for (guint i = 0; i < cells->len; i += N_COLUMNS)
    print_row ((char **) cells->pdata + i, widths);
}

/* ---- settings and plan ------------------------------------------------------------------------------------------------------------------ */

static void
print_channels (const char *title, const double *values, int n)
{
  g_print ("%s %g", title, values[0]);
  for (int c = 1; c < n; c++)
    g_print (", %g", values[c]);
}

static void
print_settings (const Info *info)
{
  const FoveaSettings *settings = info->settings;
  g_auto (GStrv)       sources = g_strsplit (settings->sources, "\n", -1);

  g_print ("task       %s%s%s%s, %" G_GSIZE_FORMAT " labels\n", task_words[settings->task], settings->family ? " (" : "",
           settings->family ? settings->family : "", settings->family ? ")" : "", settings->n_labels);
  g_print ("input      %d×%d %s, %s, %s", settings->width, settings->height, settings->channels == 1 ? "gray" : settings->bgr ? "BGR" : "RGB",
           settings->nhwc ? "NHWC" : "NCHW", resize_words[settings->resize]);
  if (settings->resize == FOVEA_RESIZE_SHORTEST_CROP)
    g_print (" (scale %g)", settings->crop_scale);
  if (settings->resize == FOVEA_RESIZE_LETTERBOX || settings->resize == FOVEA_RESIZE_LETTERBOX_CORNER)
    g_print (" (pad %d)", settings->pad);
  g_print (", %s\n", filter_words[settings->filter]);
  g_print ("values     0 to %g, ", settings->range);
  print_channels ("mean", settings->mean, settings->channels);
  print_channels ("; std", settings->std, settings->channels);
  if (settings->task == FOVEA_TASK_DETECT)
    g_print ("\nboxes      threshold %g, overlap %g", settings->threshold, settings->overlap);
  g_print ("\nfound in   %s\n", sources[0] ? sources[0] : "");
  for (guint i = 1; sources[0] && sources[i]; i++)
    g_print ("           %s\n", sources[i]);
}

/* Each operator of the model once, with what it does. */
static void
print_explanations (const Info *info)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);

  g_print ("\n");
  for (gsize i = 0; i < info->n_layers; i++)
    {
      const char *type = info->layers[i].operator_type, *sentence = fovea_layer_explain (type);

      if (sentence && g_hash_table_add (told, (gpointer) type))
        g_print ("%-18s %s\n", type, sentence);
    }
}

static void
print_text (const Info *info)
{
  g_autofree char *arena = g_format_size (fovea_session_get_arena_bytes (info->session));

  print_table (info);
  g_print ("\n");
  print_settings (info);
  g_print ("plan       %u steps, %s arena (%s)\n", fovea_session_get_n_steps (info->session), arena, fovea_get_isa ());
  if (info->training)
    {
      g_autofree char *training = g_format_size (info->training);

      g_print ("training   %s with all layers and a batch of %d\n", training, info->batch);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------------------------- */

static void
add_count (JsonBuilder *json, const char *name, guint64 count)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64) MIN (count, (guint64) G_MAXINT64));
}

/* values NULL: null. */
static void
add_ints (JsonBuilder *json, const char *name, const int *values, guint n)
{
  json_builder_set_member_name (json, name);
  if (!values)
    {
      json_builder_add_null_value (json);
      return;
    }
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    json_builder_add_int_value (json, values[i]);
  json_builder_end_array (json);
}

static void
add_shape (JsonBuilder *json, const char *name, const FoveaShape *shape)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (guint i = 0; i < shape->n_dims; i++)
    json_builder_add_int_value (json, shape->dims[i]);
  json_builder_end_array (json);
}

static void
add_layer (JsonBuilder *json, const FoveaLayer *layer)
{
  json_builder_begin_object (json);
  command_add_string (json, "name", layer->name);
  command_add_string (json, "operator", layer->operator_type);
  add_ints (json, "kernel", layer->has_window ? layer->kernel : NULL, 2);
  add_ints (json, "stride", layer->has_window ? layer->stride : NULL, 2);
  add_ints (json, "padding", layer->has_window ? layer->padding : NULL, 4);
  add_ints (json, "dilation", layer->has_window ? layer->dilation : NULL, 2);
  add_shape (json, "in", &layer->in);
  add_shape (json, "out", &layer->out);
  add_count (json, "parameters", layer->parameters);
  add_count (json, "macs", layer->macs);
  json_builder_set_member_name (json, "receptive_field");
  if (layer->receptive_field)
    json_builder_add_int_value (json, layer->receptive_field);
  else
    json_builder_add_null_value (json);
  json_builder_end_object (json);
}

static void
print_json (const Info *info)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  command_add_string (json, "task", task_words[info->settings->task]);
  command_add_string (json, "family", info->settings->family ? info->settings->family : "unknown");
  json_builder_set_member_name (json, "labels");
  json_builder_begin_array (json);
  for (gsize i = 0; i < info->settings->n_labels; i++)
    json_builder_add_string_value (json, info->settings->labels[i]);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (gsize i = 0; i < info->n_layers; i++)
    add_layer (json, &info->layers[i]);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "totals");
  json_builder_begin_object (json);
  add_count (json, "parameters", info->parameters);
  add_count (json, "macs", info->macs);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "plan");
  json_builder_begin_object (json);
  add_count (json, "steps", fovea_session_get_n_steps (info->session));
  add_count (json, "arena_bytes", fovea_session_get_arena_bytes (info->session));
  if (info->training)
    add_count (json, "training_bytes", info->training);
  json_builder_end_object (json);
  json_builder_end_object (json);
  command_print_json (json);
}

/* ---- the verb --------------------------------------------------------------------------------------------------------------------------- */

/* The shapes from --shape; a photo's input gets the size of the settings. */
static FoveaSessionOptions *
make_options (const Info *info, char **shapes, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  FoveaShape shape;

  fovea_session_options_set_threads (options, 1);
  if (fovea_model_get_n_inputs (info->model) && fovea_settings_get_input_shape (info->settings, fovea_model_get_input (info->model, 0), &shape, NULL))
    fovea_session_options_set_shape (options, fovea_model_get_input (info->model, 0)->name, &shape);
  for (char **text = shapes; text && *text; text++)
    {
      g_autofree char *name = NULL;

      if (!command_parse_shape (*text, &name, &shape, error))
        return NULL;
      fovea_session_options_set_shape (options, name, &shape);
    }
  return g_steal_pointer (&options);
}

static gboolean
fill_info (Info *info, const char *model, char **shapes, GError **error)
{
  g_autofree char *path = fovea_find_model (model, error);
  g_autoptr (FoveaSessionOptions) options = NULL;

  if (!path || !(info->model = fovea_model_load (path, error)) || !(info->settings = fovea_settings_read (info->model, error)) ||
      !(options = make_options (info, shapes, error)) || !(info->layers = fovea_model_list_layers (info->model, options, &info->n_layers, error)) ||
      !(info->session = fovea_session_new (info->model, options, error)))
    return FALSE;
  for (gsize i = 0; i < info->n_layers; i++)
    {
      info->parameters += info->layers[i].parameters;
      info->macs += info->layers[i].macs;
    }
  return TRUE;
}

/* Before it is taken: what training with such batches would need. */
static gboolean
measure_training (Info *info, int batch, GError **error)
{
  FoveaShape shape = { 0 };

  if (fovea_model_get_n_inputs (info->model) > 0)
    shape = fovea_session_get_input (info->session, 0)->shape;
  shape.dims[0] = info->batch = batch;
  info->training = fovea_model_measure_training (info->model, &shape, error);
  return info->training > 0;
}

static void
clear_info (Info *info)
{
  if (info->layers)
    fovea_layers_free (info->layers, info->n_layers);
  g_clear_pointer (&info->session, fovea_session_free);
  g_clear_pointer (&info->settings, fovea_settings_free);
  g_clear_pointer (&info->model, fovea_model_unref);
}

static int
print_operators (gboolean as_json)
{
  g_auto (GStrv) names = fovea_list_operators ();
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "operators");
  json_builder_begin_array (json);
  for (char **name = names; *name; name++)
    {
      json_builder_add_string_value (json, *name);
      if (!as_json)
        g_print ("%s\n", *name);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (as_json)
    command_print_json (json);
  return COMMAND_OK;
}

int
verb_info (int argc, char **argv)
{
  gboolean       as_json = FALSE, plan = FALSE, operators = FALSE, explain = FALSE, train = FALSE;
  g_auto (GStrv) shapes = NULL;
  int            batch = 16, status;
  GOptionEntry   options[] = {
    { "shape", 's', 0, G_OPTION_ARG_STRING_ARRAY, &shapes, "Shape of an input: images=1x3x640x640", "NAME=SHAPE" },
    { "plan", 'p', 0, G_OPTION_ARG_NONE, &plan, "Print the engine's plan: steps, kernels, memory", NULL },
    { "explain", 'e', 0, G_OPTION_ARG_NONE, &explain, "Say what each kind of layer does", NULL },
    { "train", 0, 0, G_OPTION_ARG_NONE, &train, "Say how much memory training takes", NULL },
    { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "With --train: photos of a step (16)", "N" },
    { "operators", 0, 0, G_OPTION_ARG_NONE, &operators, "List the ONNX operators that Fovea runs; needs no model", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print one JSON object", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  Info info = { 0 };

  if (!command_parse (&help, options, &argc, &argv, &status))
    return status;
  if (operators)
    return argc == 1 ? print_operators (as_json) : command_usage (&help, as_json, "--operators takes no model.");
  if (argc != 2)
    return command_usage (&help, as_json, "Give one model.");
  if (batch < 1 || batch > 4096)
    return command_usage (&help, as_json, "--batch must be 1 to 4096.");
  if (plan && as_json)
    return command_usage (&help, as_json, "--plan is for people; leave out --json.");

  if (!fill_info (&info, argv[1], shapes, &error) || (train && !measure_training (&info, batch, &error)))
    status = command_fail (as_json, error);
  else if (plan)
    {
      g_autofree char *text = fovea_session_print_plan (info.session);

      g_print ("%s", text);
    }
  else if (as_json)
    print_json (&info);
  else
    {
      print_text (&info);
      if (explain)
        print_explanations (&info);
    }
  clear_info (&info);
  return status;
}
