#include "answer/questions.hpp"

#include <fmt/format.h>

#include <cmath>

#include "divker/error.hpp"

namespace divker {

void check_points(const Model& model, const Matrix& points) {
  if (points.cols != model.dimension()) {
    throw Error(ErrorKind::usage,
                fmt::format("The points have {} columns, but model {} has {} states.", points.cols,
                            model.name(), model.dimension()));
  }
  if (points.rows == 0) throw Error(ErrorKind::usage, "No points were given.");
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t c = 0; c < points.cols; ++c) {
      if (std::isfinite(points(r, c))) continue;
      throw Error(ErrorKind::model, fmt::format("Point number {} has the value {} for state {}.", r,
                                                points(r, c), model.states()[c].name));
    }
  }
}

std::vector<std::string> state_names(const Model& model) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return names;
}

std::vector<std::string> parameter_names(const Model& model,
                                         const std::vector<std::size_t>& parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const std::size_t p : parameters) names.push_back(model.parameters().at(p).name);
  return names;
}

void require_parameters(const Model& model, const std::vector<std::size_t>& parameters) {
  if (parameters.empty()) {
    throw Error(ErrorKind::usage, "Model " + model.name() +
                                      " has no parameter to differentiate (all are fixed, or none "
                                      "was asked for).");
  }
}

void require_paths(const RunSummary& summary) {
  if (summary.paths < 2) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for an answer.", summary.paths,
                            summary.requested));
  }
}

std::vector<double> snapshot_times(const Model& model, const RunOptions& run) {
  std::vector<double> times;
  for (const std::size_t step : snapshot_steps(model.time(), run.snapshots)) {
    times.push_back(model.time().time(step));
  }
  return times;
}

}  // namespace divker
