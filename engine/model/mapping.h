/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mapping.h: a file's bytes, mapped, and tensors that lie in them.
 */
#pragma once

#include "base/tensor.h"

/* Tensors up to this size (bytes) are copied where they aren't aligned; above it they stay in the file as they are. */
#define MAPPING_SMALL 16384

/* Reference counted; read only. */
typedef struct
{
  const guint8   *data;
  gsize           size;

  /*< private >*/
  gatomicrefcount ref_count;
  gpointer        map;   /* mmap's, or NULL */
  GBytes         *bytes; /* or what the caller gave */
} Mapping;

/* FOVEA_ERROR_FILE if it isn't a regular file that can be read, or is empty. */
Mapping     *mapping_new_for_file  (const char *path, GError **error);
Mapping     *mapping_new_for_bytes (GBytes *bytes);
Mapping     *mapping_ref           (Mapping *mapping);
void         mapping_unref         (Mapping *mapping);

/* A tensor of the bytes [offset, offset + length), which the caller has checked to lie within the mapping, where they are if possible. `length`
 * must be that of type and shape. The tensor holds a reference to the mapping. */
FoveaTensor *mapping_make_tensor   (Mapping *mapping, FoveaType type, const FoveaShape *shape, gsize offset, gsize length, GError **error);

/* Tells the system that the tensor's pages won't be needed soon; they come back from the file when they are. Nothing happens for tensors that
 * don't lie in a mapped file. */
void         mapping_release_pages (const FoveaTensor *tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mapping, mapping_unref)
