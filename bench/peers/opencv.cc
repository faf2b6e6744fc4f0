/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * opencv.cc: OpenCV's DNN module in the harness.
 */

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <string>
#include <vector>

#include "harness.h"

struct Network
{
  cv::dnn::Net             net;
  cv::Mat                  input;
  std::vector<std::string> names;
  std::vector<cv::Mat>     results;
};

static void
run (void *data)
{
  Network *network = static_cast<Network *> (data);

  network->net.setInput (network->input);
  network->net.forward (network->results, network->names);
}

int
main (int argc, char **argv)
{
  Harness harness = harness_begin (argc, argv);
  Network network;
  double  loaded, first;
  int     shape[4];

  cv::setNumThreads (harness.threads);
  network.net = cv::dnn::readNetFromONNX (std::string (harness.model) + ".onnx");
  network.net.setPreferableBackend (cv::dnn::DNN_BACKEND_OPENCV);
  network.names = network.net.getUnconnectedOutLayersNames ();
  for (int i = 0; i < 4; i++)
    shape[i] = (int) harness.shape[i];
  network.input = cv::Mat (4, shape, CV_32F, harness.input);
  loaded = now_ms ();
  run (&network);
  first = now_ms ();
  for (auto &result : network.results)
    harness_output (&harness, result.ptr<float> (), result.total ());
  return harness_serve (&harness, loaded - harness.started, first - loaded, run, &network);
}
