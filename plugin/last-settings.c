/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * last-settings.c: see last-settings.h.
 */

#include "last-settings.h"

static GFile *
find_file (GimpProcedureConfig *config, gboolean make_folder)
{
  const char      *name = gimp_procedure_get_name (gimp_procedure_config_get_procedure (config));
  g_autofree char *file = g_strconcat (name, ".window", NULL);

  if (make_folder)
    {
      g_autoptr (GFile) folder = gimp_directory_file ("plug-in-settings", NULL);

      g_file_make_directory_with_parents (folder, NULL, NULL); /* most of the time it is there */
    }
  return gimp_directory_file ("plug-in-settings", file, NULL);
}

static gboolean
is_default (GObject *object, GParamSpec *property)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, property->value_type);
  g_object_get_property (object, property->name, &value);
  return g_param_value_defaults (property, &value);
}

void
last_settings_restore (GimpProcedureConfig *config)
{
  GObjectClass                   *class = G_OBJECT_GET_CLASS (config);
  g_autoptr (GimpProcedureConfig) last = gimp_procedure_create_config (gimp_procedure_config_get_procedure (config));
  g_autoptr (GFile)               file = find_file (config, FALSE);
  g_autofree GParamSpec         **properties = NULL;
  guint                           n;

  if (!gimp_config_deserialize_file (GIMP_CONFIG (last), file, NULL, NULL))
    return; /* none yet, or of another version */
  properties = g_object_class_list_properties (class, &n);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      if (!(properties[i]->flags & G_PARAM_WRITABLE) || properties[i]->flags & G_PARAM_CONSTRUCT_ONLY || g_str_equal (properties[i]->name, "run-mode")
          || !is_default (G_OBJECT (config), properties[i]))
        continue;
      g_value_init (&value, properties[i]->value_type);
      g_object_get_property (G_OBJECT (last), properties[i]->name, &value);
      g_object_set_property (G_OBJECT (config), properties[i]->name, &value);
    }
}

void
last_settings_save (GimpProcedureConfig *config)
{
  g_autoptr (GFile)  file = find_file (config, TRUE);
  g_autoptr (GError) error = NULL;

  if (!gimp_config_serialize_to_file (GIMP_CONFIG (config), file, "What Fovea's window was closed with", NULL, NULL, &error))
    g_message ("%s", error->message);
}
