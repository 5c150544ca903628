// The option --method of response.
#pragma once

#include <string>
#include <vector>

#include "point_report.hpp"

namespace divker::app {

struct BaselineFlags {
  std::string method;  // empty: not asked for
  double step = 0.0;

  // After --stationary, which excludes these.
  void declare(CLI::App& command);
};

int baseline_response(const PointOptions& options, const BaselineFlags& flags,
                      const LoadedModel& loaded, const std::vector<std::size_t>& parameters,
                      const std::string& observable);

}  // namespace divker::app
