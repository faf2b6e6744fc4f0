/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gimp-versions.h: which GIMP is installed, and with which libraries. The command uses none of them: it asks GIMP.
 */
#pragma once

#include "fovea.h"

typedef struct _GimpVersions GimpVersions;

/* Begins to ask the first GIMP in PATH, “gimp --version --verbose”, which opens no window; returns at once. */
GimpVersions *gimp_versions_ask  (void);

/* What it has said, a few seconds later at most; the texts belong to `versions`. All NULL where there is no GIMP, or none that answers. */
FoveaPrograms gimp_versions_get  (GimpVersions *versions);

void          gimp_versions_free (GimpVersions *versions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GimpVersions, gimp_versions_free)
