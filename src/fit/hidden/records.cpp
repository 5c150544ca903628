#include "fit/hidden/records.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "divker/boundaries.hpp"
#include "divker/error.hpp"

namespace divker::fit {

using Eigen::Index;

GuidedCoordinates::GuidedCoordinates(const Model& model)
    : coordinates_(divker::coordinates(model)) {
  for (auto& one : coordinates_) {
    if (one && one->is_root()) one = nullptr;
  }
  for (const std::size_t leaky : leaky_states(model)) coordinates_[leaky] = nullptr;
}

double GuidedCoordinates::at_state(std::size_t state, double x) const {
  return coordinates_[state] ? coordinates_[state]->at_state(x) : x;
}

double GuidedCoordinates::log_stretch(std::size_t state, double x) const {
  return coordinates_[state] ? -std::log(std::fabs(coordinates_[state]->stretch(x))) : 0.0;
}

std::vector<double> SeenRecord::seen_at(std::size_t row) const {
  const Eigen::VectorXd values = noisy.col(static_cast<Index>(row));
  std::vector<double> result;
  for (const double y : values) result.push_back(std::isnan(y) ? 0.0 : y);
  for (const double y : values) result.push_back(std::isnan(y) ? 0.0 : 1.0);
  return result;
}

SeenRecords records_of(const Model& model, const HiddenSeries& data) {
  const GuidedCoordinates coordinates(model);
  const auto states = static_cast<Index>(model.dimension());
  SeenRecords result;
  result.noisy = data.observations;
  std::vector<bool> is_exact(model.dimension(), false);
  for (const HiddenSeries::Individual& one : data.individuals) {
    const auto rows = static_cast<Index>(one.time.size());
    SeenRecord record;
    record.time = Eigen::Map<const Eigen::VectorXd>(one.time.data(), rows);
    record.exact.setConstant(states, rows, std::numeric_limits<double>::quiet_NaN());
    record.noisy.resize(static_cast<Index>(data.observations.size()), rows);
    record.substeps.assign(one.time.size() - 1, 2);
    for (Index r = 0; r < rows; ++r) {
      for (Index j = 0; j < record.noisy.rows(); ++j) {
        record.noisy(j, r) =
            one.observations(static_cast<std::size_t>(r), static_cast<std::size_t>(j));
      }
      for (std::size_t i = 0; i < model.dimension(); ++i) {
        const double x = one.states(static_cast<std::size_t>(r), i);
        if (std::isnan(x)) continue;
        if (!model.states()[i].range.contains(x)) {
          throw Error(ErrorKind::model,
                      fmt::format("{}, time {:g}: the state {} is {:g}, but it is declared {}.",
                                  one.name, one.time[static_cast<std::size_t>(r)],
                                  model.states()[i].name, x, model.states()[i].range.text()));
        }
        record.exact(static_cast<Index>(i), r) = coordinates.at_state(i, x);
        is_exact[i] = true;
        if (r > 0) result.log_stretch += coordinates.log_stretch(i, x);
      }
    }
    result.records.push_back(std::move(record));
  }
  for (std::size_t i = 0; i < is_exact.size(); ++i) {
    if (is_exact[i]) result.exact.push_back(i);
  }
  return result;
}

}  // namespace divker::fit
