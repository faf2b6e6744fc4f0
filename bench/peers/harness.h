/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * harness.h: what all engines' programs have in common, so that only the calls of the engine differ. C and C++.
 *
 *   PROGRAM MODEL INPUT SHAPE THREADS OUTPUT [OPTION…]
 *
 * MODEL is the network's path without suffix, INPUT a raw float32 file, SHAPE "1x3x224x224". The program loads the network, runs it once, writes all
 * outputs one after the other as raw float32 to OUTPUT, and prints a line "ready LOAD_MS FIRST_RUN_MS PEAK_RSS_KB". Then it reads a number N
 * from each line of its standard input, runs N times, and answers with N times in milliseconds on one line. It ends with its input.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct
{
  const char *model;
  float      *input;
  long        shape[4];
  long        count;
  int         threads;
  FILE       *output;
  int         n_options;
  char      **options;
  double      started;
} Harness;

static double
now_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

static void
harness_fail (const char *what)
{
  fprintf (stderr, "%s\n", what);
  exit (1);
}

static Harness
harness_begin (int argc, char **argv)
{
  Harness harness;
  FILE   *file;

  if (argc < 6)
    harness_fail ("usage: PROGRAM MODEL INPUT SHAPE THREADS OUTPUT [OPTION...]");
  memset (&harness, 0, sizeof harness);
  harness.model = argv[1];
  if (sscanf (argv[3], "%ldx%ldx%ldx%ld", &harness.shape[0], &harness.shape[1], &harness.shape[2], &harness.shape[3]) != 4)
    harness_fail ("SHAPE must have four dimensions");
  harness.count = harness.shape[0] * harness.shape[1] * harness.shape[2] * harness.shape[3];
  harness.input = (float *) malloc ((size_t) harness.count * sizeof (float));
  file = fopen (argv[2], "rb");
  if (!file || fread (harness.input, sizeof (float), (size_t) harness.count, file) != (size_t) harness.count)
    harness_fail ("INPUT can't be read or is too short");
  fclose (file);
  harness.threads = atoi (argv[4]);
  harness.output = fopen (argv[5], "wb");
  if (!harness.output)
    harness_fail ("OUTPUT can't be written");
  harness.n_options = argc - 6;
  harness.options = argv + 6;
  harness.started = now_ms ();
  return harness;
}

static void
harness_output (Harness *harness, const float *values, size_t count)
{
  if (fwrite (values, sizeof (float), count, harness->output) != count)
    harness_fail ("OUTPUT can't be written");
}

/* `run` computes the network once. Call after the first run, whose outputs have been given to harness_output. */
static int
harness_serve (Harness *harness, double load_ms, double first_run_ms, void (*run) (void *), void *data)
{
  struct rusage usage;
  char          line[64];

  fclose (harness->output);
  getrusage (RUSAGE_SELF, &usage);
  printf ("ready %.3f %.3f %ld\n", load_ms, first_run_ms, usage.ru_maxrss);
  fflush (stdout);

  while (fgets (line, sizeof line, stdin))
    {
      for (int n = atoi (line); n > 0; n--)
        {
          double before = now_ms ();

          run (data);
          printf ("%.4f ", now_ms () - before);
        }
      printf ("\n");
      fflush (stdout);
    }
  return 0;
}
