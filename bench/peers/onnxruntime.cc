/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnxruntime.cc: ONNX Runtime in the harness. Options: "xnnpack" for that execution provider, "unoptimized" for the answers that all others are
 * compared with.
 */

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

#include "harness.h"

struct Network
{
  Ort::Session             *session;
  std::vector<std::string>  names;
  std::vector<const char *> inputs, outputs;
  std::vector<Ort::Value>   tensors, results;
};

static void
run (void *data)
{
  Network *network = static_cast<Network *> (data);

  network->results = network->session->Run (Ort::RunOptions {}, network->inputs.data (), network->tensors.data (), 1,
                                            network->outputs.data (), network->outputs.size ());
}

int
main (int argc, char **argv)
{
  Harness                          harness = harness_begin (argc, argv);
  std::string                      path = std::string (harness.model) + ".onnx";
  Ort::Env                         environment (ORT_LOGGING_LEVEL_ERROR);
  Ort::SessionOptions              options;
  Ort::AllocatorWithDefaultOptions allocator;
  Network                          network;
  double                           loaded, first;

  options.SetIntraOpNumThreads (harness.threads);
  options.SetGraphOptimizationLevel (ORT_ENABLE_ALL);
  for (int i = 0; i < harness.n_options; i++)
    {
      if (std::string (harness.options[i]) == "unoptimized")
        options.SetGraphOptimizationLevel (ORT_DISABLE_ALL);
      else if (std::string (harness.options[i]) == "xnnpack")
        {
          /* As its documentation advises: XNNPACK brings its own threads, the session's must not spin beside them. */
          options.AddConfigEntry ("session.intra_op.allow_spinning", "0");
          options.AppendExecutionProvider ("XNNPACK", { { "intra_op_num_threads", std::to_string (harness.threads) } });
          options.SetIntraOpNumThreads (1);
        }
    }

  Ort::Session session (environment, path.c_str (), options);
  network.session = &session;
  for (size_t i = 0; i < session.GetOutputCount (); i++)
    network.names.push_back (session.GetOutputNameAllocated (i, allocator).get ());
  network.names.push_back (session.GetInputNameAllocated (0, allocator).get ());
  for (size_t i = 0; i + 1 < network.names.size (); i++)
    network.outputs.push_back (network.names[i].c_str ());
  network.inputs.push_back (network.names.back ().c_str ());

  std::vector<int64_t> shape (harness.shape, harness.shape + 4);
  network.tensors.push_back (Ort::Value::CreateTensor<float> (Ort::MemoryInfo::CreateCpu (OrtArenaAllocator, OrtMemTypeDefault), harness.input,
                                                              (size_t) harness.count, shape.data (), shape.size ()));
  loaded = now_ms ();
  run (&network);
  first = now_ms ();
  for (auto &result : network.results)
    harness_output (&harness, result.GetTensorData<float> (), result.GetTensorTypeAndShapeInfo ().GetElementCount ());
  return harness_serve (&harness, loaded - harness.started, first - loaded, run, &network);
}
