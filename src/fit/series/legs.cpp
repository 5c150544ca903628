#include "fit/series/legs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "divker/boundaries.hpp"

namespace divker::fit {

LegRules::LegRules(const Model& model) : coordinates_(divker::coordinates(model)) {
  const std::vector<std::size_t> leaky = leaky_states(model);
  beyond_boundaries = !leaky.empty() || !boundaries(model).empty();
  for (const State& state : model.states()) ranges_.push_back(state.range);
  for (const std::size_t i : leaky) coordinates_[i] = nullptr;
}

Eigen::MatrixXd LegRules::coordinates(Eigen::MatrixXd states) const {
  for (std::size_t i = 0; i < coordinates_.size(); ++i) {
    if (!coordinates_[i]) continue;
    for (double& x : states.row(static_cast<Eigen::Index>(i))) {
      x = ranges_[i].contains(x) ? coordinates_[i]->at_state(x)
                                 : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return states;
}

Legs Legs::part(const std::vector<std::size_t>& which) const {
  const std::vector<Eigen::Index> columns(which.begin(), which.end());
  Legs result;
  result.from = from(Eigen::all, columns);
  result.start = start(Eigen::all, columns);
  result.end = end(Eigen::all, columns);
  result.time = time(columns);
  result.interval = interval(columns);
  for (const std::size_t i : which) {
    result.substeps.push_back(substeps[i]);
    result.number.push_back(number[i]);
  }
  return result;
}

Legs Legs::sample(std::size_t most) const {
  const std::size_t count = std::min(most, size());
  std::vector<std::size_t> which(count);
  for (std::size_t k = 0; k < count; ++k) which[k] = k * size() / count;
  return part(which);
}

Legs Legs::with_substeps(std::vector<std::size_t> others) const {
  std::vector<std::size_t> order(size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {},
                           [&](std::size_t i) { return std::pair(others[i], number[i]); });
  Legs result = part(order);
  for (std::size_t i = 0; i < size(); ++i) result.substeps[i] = others[order[i]];
  return result;
}

std::vector<std::pair<std::size_t, std::size_t>> Legs::pieces(std::size_t most) const {
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t begin = 0; begin < size();) {
    std::size_t after = begin;
    while (after < size() && after - begin < most && substeps[after] == substeps[begin]) ++after;
    result.emplace_back(begin, after);
    begin = after;
  }
  return result;
}

Legs legs_of(const SeriesData& data, const LegRules& rules) {
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto columns_of = [](const Matrix& rows) {
    return Eigen::MatrixXd(Eigen::Map<const Rows>(rows.data.data(),
                                                  static_cast<Eigen::Index>(rows.rows),
                                                  static_cast<Eigen::Index>(rows.cols))
                               .transpose());
  };
  const auto count = static_cast<Eigen::Index>(data.size());
  Legs legs;
  legs.from = columns_of(data.from);
  legs.start = rules.coordinates(legs.from);
  legs.end = rules.coordinates(columns_of(data.to));
  legs.time = Eigen::Map<const Eigen::VectorXd>(data.time.data(), count);
  legs.interval = Eigen::Map<const Eigen::VectorXd>(data.interval.data(), count);
  legs.substeps.assign(data.size(), 2);
  legs.number.resize(data.size());
  std::iota(legs.number.begin(), legs.number.end(), std::size_t{0});
  return legs;
}

}  // namespace divker::fit
