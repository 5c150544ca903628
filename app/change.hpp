// The option --to of response: what changes between two sets of parameters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "point_report.hpp"

namespace divker::app {

struct ChangeFlags {
  std::vector<std::string> to;  // name=value; empty: not asked for
  std::size_t nodes = 0;

  // After --stationary, --method and --wrt, which exclude --to.
  void declare(CLI::App& command);
};

int report_change(const PointOptions& options, const ChangeFlags& flags, const LoadedModel& loaded,
                  const std::string& observable);

}  // namespace divker::app
