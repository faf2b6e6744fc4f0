/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench-photo.c: `fovea bench --photo`: what the way from a photo to the answer takes, part by part. What runs before the network counts too.
 */

#include "bench.h"
#include "command.h"
#include "image.h"

enum { DECODE, RESIZE, NORMALIZE, NETWORK, N_PARTS };

static const char *const part_names[N_PARTS] = { "decode", "resize", "normalize", "network" };

typedef struct
{
  FoveaSession        *session;
  const FoveaSettings *settings;
  int                  width, height; /* of the photo */
  double              *times[N_PARTS]; /* a number for each run; milliseconds */
} PhotoRuns;

/* One way through, noted as run i where that isn't negative. */
static gboolean
run_once (PhotoRuns *runs, const char *file, int i, GError **error)
{
  double                 at[N_PARTS + 1];
  g_autoptr (GdkPixbuf)  photo = NULL;
  g_autoptr (FoveaInput) input = NULL;
  int                    width, height;

  at[DECODE] = bench_now_ms ();
  photo = image_load (file, error);
  if (!photo)
    return FALSE;
  runs->width = gdk_pixbuf_get_width (photo);
  runs->height = gdk_pixbuf_get_height (photo);
  at[RESIZE] = bench_now_ms ();
  input = fovea_input_new (runs->settings, runs->width, runs->height, error);
  if (!input)
    return FALSE;
  image_push (photo, input);
  fovea_input_get_pixels (input, &width, &height);
  at[NORMALIZE] = bench_now_ms ();
  fovea_input_write (input, fovea_session_get_input (runs->session, 0));
  at[NETWORK] = bench_now_ms ();
  if (!fovea_session_run (runs->session, NULL, NULL, NULL, error))
    return FALSE;
  at[N_PARTS] = bench_now_ms ();
  for (int part = 0; i >= 0 && part < N_PARTS; part++)
    runs->times[part][i] = at[part + 1] - at[part];
  return TRUE;
}

static void
print_parts (const PhotoRuns *runs, const double *medians, const char *file, gboolean as_json)
{
  g_autofree char        *name = g_filename_display_name (file);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  double                  total = 0;

  for (int part = 0; part < N_PARTS; part++)
    total += medians[part];
  if (!as_json)
    {
      g_print ("%s (%d x %d): %.1f ms to the answer, %u threads, %s\n", name, runs->width, runs->height, total,
               fovea_session_get_threads (runs->session), fovea_get_isa ());
      for (int part = 0; part < N_PARTS; part++)
        g_print ("  %-10s %9.2f ms %5.1f %%\n", part_names[part], medians[part], 100 * medians[part] / MAX (total, 1e-9));
      return;
    }
  json_builder_begin_object (json);
  command_add_string (json, "photo", name);
  bench_add_number (json, "width", runs->width);
  bench_add_number (json, "height", runs->height);
  bench_add_number (json, "threads", fovea_session_get_threads (runs->session));
  bench_add_number (json, "total_ms", total);
  json_builder_set_member_name (json, "ms");
  json_builder_begin_object (json);
  for (int part = 0; part < N_PARTS; part++)
    bench_add_number (json, part_names[part], medians[part]);
  json_builder_end_object (json);
  command_add_string (json, "isa", fovea_get_isa ());
  json_builder_end_object (json);
  command_print_json (json);
}

gboolean
bench_photo (const char *path, const char *photo, guint n_threads, int repeat, gboolean as_json, GError **error)
{
  g_autoptr (FoveaModel)          model = fovea_model_load (path, error);
  g_autoptr (FoveaSettings)       settings = model ? fovea_settings_read (model, error) : NULL;
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession)        session = NULL;
  const FoveaPort                *port = model ? fovea_model_get_input (model, 0) : NULL;
  FoveaShape                      shape;
  PhotoRuns                       runs = { .settings = settings };
  double                          medians[N_PARTS];
  gboolean                        done = TRUE;

  fovea_session_options_set_threads (options, n_threads);
  if (!settings || !fovea_settings_get_input_shape (settings, port, &shape, error))
    return FALSE;
  fovea_session_options_set_shape (options, port->name, &shape);
  session = fovea_session_new (model, options, error);
  if (!session)
    return FALSE;
  runs.session = session;
  for (int part = 0; part < N_PARTS; part++)
    runs.times[part] = g_new0 (double, repeat);
  for (int i = -1; done && i < repeat; i++)
    done = run_once (&runs, photo, i, error);
  for (int part = 0; part < N_PARTS; part++)
    {
      medians[part] = bench_median (runs.times[part], (gsize) repeat);
      g_free (runs.times[part]);
    }
  if (done)
    print_parts (&runs, medians, photo, as_json);
  return done;
}
