#include <fmt/format.h>

#include <cmath>

#include "divker/error.hpp"
#include "divker/prediction.hpp"
#include "divker/random.hpp"

namespace divker {
namespace {

std::vector<Observation> observed_of(const Model& model) {
  if (!model.observations().empty()) return model.observations();
  std::vector<Observation> all;
  for (const State& state : model.states()) all.push_back({state.name, state.node, 0, false});
  return all;
}

std::vector<NodeId> values_and_deviations(const std::vector<Observation>& observations) {
  std::vector<NodeId> nodes;
  for (const Observation& one : observations) {
    nodes.push_back(one.value);
    nodes.push_back(one.noisy ? one.deviation : one.value);
  }
  return nodes;
}

[[noreturn]] void refuse_measurement(const std::string& name, double time, const char* what,
                                     double value, std::uint64_t path) {
  throw Error(ErrorKind::numerical,
              fmt::format("The {} of the observation {} is {} on path {} at t = {:.6g}.", what,
                          name, value, path, time));
}

}  // namespace

Measurement::Measurement(const Model& model, std::uint64_t seed)
    : observations_(observed_of(model)),
      grid_(model.time()),
      seed_(seed),
      function_(model, values_and_deviations(observations_)) {
  for (const Observation& one : observations_) names_.push_back(one.name);
}

Matrix Measurement::of(const PathGroup& group, std::size_t snapshot) const {
  const Snapshot& seen = group.snapshots.at(snapshot);
  const double time = seen.time;
  const auto values = function_.at_rows({&time, 1}, seen.x());
  const NormalSource normals(seed_, Stream::observation);
  const std::size_t step = grid_.nearest_step(time);
  Matrix y(seen.x().rows, observations_.size());
  for (std::size_t c = 0; c < y.cols; ++c) {
    const std::string& name = observations_[c].name;
    for (std::size_t r = 0; r < y.rows; ++r) {
      const std::uint64_t path = group.numbers[r];
      const double value = values[2 * c][r];
      if (!std::isfinite(value)) refuse_measurement(name, time, "value", value, path);
      y(r, c) = value;
      if (!observations_[c].noisy) continue;
      const double deviation = values[2 * c + 1][r];
      if (!(deviation > 0.0)) {
        refuse_measurement(name, time, "standard deviation", deviation, path);
      }
      y(r, c) += deviation * normals.normal(path, step, c, y.cols);
    }
  }
  return y;
}

}  // namespace divker
