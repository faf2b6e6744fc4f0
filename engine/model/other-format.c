/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * other-format.c: see other-format.h. Only the first bytes are looked at; nothing is unpacked.
 */

#include "model/other-format.h"

#include <glib/gi18n.h>
#include <string.h>

#include "fovea.h"

#define LOOK_BYTES 4096

#define EXPORT  N_("Export the network as ONNX, or look for an .onnx file where it comes from.")
#define UNPACK  N_("Unpack it, and give the .onnx file that is in it.")
#define CONVERT N_("Convert it with tf2onnx, or look for an .onnx file where it comes from.")
#define GET     N_("Get the file itself: “git lfs pull”, or the site's download button.")

/* The first row that fits. `also`: somewhere in the first bytes, too. Blanks before a text don't count. */
static const struct
{
  gsize       offset, length;
  const char *magic, *also, *what, *remedy;
} formats[] = {
  { 0, 4, "PK\3\4", "data.pkl", N_("it is PyTorch's own file (.pt, .pth), not an ONNX model."), EXPORT },
  { 0, 4, "PK\3\4", "config.json", N_("it is a Keras model, not an ONNX model."), CONVERT },
  { 0, 4, "PK\3\4", "metadata.json", N_("it is a Keras model, not an ONNX model."), CONVERT },
  { 0, 4, "PK\3\4", ".npy", N_("it holds NumPy's arrays (.npz), not an ONNX model."), EXPORT },
  { 0, 2, "PK", NULL, N_("it is a ZIP archive, not an ONNX model."), UNPACK },
  { 0, 2, "\x1f\x8b", NULL, N_("it is packed with gzip."), UNPACK },
  { 0, 6, "\xfd" "7zXZ", NULL, N_("it is packed with xz."), UNPACK },
  { 0, 6, "7z\xbc\xaf\x27\x1c", NULL, N_("it is a 7z archive, not an ONNX model."), UNPACK },
  { 257, 5, "ustar", NULL, N_("it is a tar archive, not an ONNX model."), UNPACK },
  { 0, 2, "\x80\2", NULL, N_("it is a pickle of Python, as PyTorch's older files are, not an ONNX model."), EXPORT },
  { 0, 8, "\x89HDF\r\n\x1a\n", NULL, N_("it is an HDF5 file, as Keras writes (.h5), not an ONNX model."), CONVERT },
  { 4, 4, "TFL3", NULL, N_("it is a TensorFlow Lite model, not an ONNX model."), CONVERT },
  { 0, 4, "GGUF", NULL, N_("it is a language model (GGUF), not an ONNX model."), N_("Fovea runs networks that look at photos: choose one of those, as an .onnx file.") },
  { 8, 2, "{\"", NULL, N_("it holds weights alone (safetensors), no ONNX model."), EXPORT },
  { 0, 23, "version https://git-lfs", NULL, N_("it is only a Git LFS pointer to the model."), GET },
  { 0, 1, "<", "<net ", N_("it is OpenVINO's description of a network, not an ONNX model."), EXPORT },
  { 0, 1, "<", NULL, N_("it is a web page, not an ONNX model: the site has sent that in its place."), N_("Get the file itself, with the site's download button.") },
  { 0, 1, "{", NULL, N_("it is a text in JSON, not an ONNX model: settings, or what a site has sent in its place."), N_("Give the .onnx file, or download it again.") },
};

static gsize
skip_blanks (const guint8 *data, gsize size)
{
  static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
  gsize             begin = size >= strlen (mark) && memcmp (data, mark, strlen (mark)) == 0 ? strlen (mark) : 0;

  while (begin < size && g_ascii_isspace (data[begin]))
    begin++;
  return begin;
}

static gboolean
fits (const guint8 *data, gsize size, gsize i)
{
  const guint8 *also = (const guint8 *) formats[i].also;

  return size >= formats[i].offset + formats[i].length && memcmp (data + formats[i].offset, formats[i].magic, formats[i].length) == 0
         && (!also || memmem (data, size, also, strlen (formats[i].also)));
}

void
other_format_tell (const Mapping *file, GError **error)
{
  gsize size = MIN (file->size, LOOK_BYTES), begin = skip_blanks (file->data, size);

  for (gsize i = 0; size > 0 && i < G_N_ELEMENTS (formats); i++)
    if (fits (file->data, size, i) || (formats[i].offset == 0 && fits (file->data + begin, size - begin, i)))
      {
        g_clear_error (error);
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "%s %s", _(formats[i].what), _(formats[i].remedy));
        return;
      }
}
