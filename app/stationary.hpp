// The option --stationary of score and response.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "point_report.hpp"

namespace divker::app {

struct StationaryFlags {
  bool on = false;
  std::optional<double> window;
  std::optional<double> spinup;
  std::optional<double> length;
  // These have other defaults here.
  const CLI::Option* paths = nullptr;
  const CLI::Option* order = nullptr;

  // After the options of the points, which some of these exclude.
  void declare(CLI::App& command);
};

int stationary_score(const PointOptions& given, const StationaryFlags& flags);
// At points, or of the observable if there is one.
int stationary_response(const PointOptions& given, const StationaryFlags& flags,
                        const LoadedModel& loaded, const std::vector<std::size_t>& parameters,
                        const std::string& observable);

}  // namespace divker::app
