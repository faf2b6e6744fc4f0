/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.h: the settings of a pooling operator, which its gradient shares.
 */
#pragma once

#include "ops/operator.h"
#include "ops/window.h"

typedef enum
{
  KIND_MAX,
  KIND_AVERAGE,
  KIND_LP,
} Kind;

typedef struct
{
  Kind     kind;
  gboolean global;        /* the window is the whole image */
  Window   window;
  gboolean count_padding; /* AveragePool: count_include_pad */
  gboolean column_major;  /* MaxPool: storage_order of Indices */
  double   p;             /* LpPool */
} PoolParams;

/* The settings for the shape of the node's input: the window resolved, paddings and global forms too. */
gboolean pool_resolve (const Node *node, PoolParams *resolved, GError **error);
