/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verbs.h: the verbs of the `fovea` command. A verb lives in a file of its name, is declared here, has a row in main.c's table and a line in
 * meson.build. argv[0] is the verb itself. The result is the exit status: 0, 1 when something failed, 2 for wrong usage (see command.h).
 */
#pragma once

int verb_augment     (int argc, char **argv);
int verb_bench       (int argc, char **argv);
int verb_classify    (int argc, char **argv);
int verb_conformance (int argc, char **argv);
int verb_evaluate    (int argc, char **argv);
int verb_import      (int argc, char **argv);
int verb_info        (int argc, char **argv);
int verb_locate      (int argc, char **argv);
int verb_export      (int argc, char **argv);
int verb_new         (int argc, char **argv);
int verb_run         (int argc, char **argv);
int verb_segment     (int argc, char **argv);
int verb_self_test   (int argc, char **argv);
int verb_train       (int argc, char **argv);
