#include "fit/start.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "divker/error.hpp"
#include "fit/bounds.hpp"
#include "fit/coordinates.hpp"
#include "fit/goodness.hpp"
#include "fit/marginals.hpp"

namespace divker::fit {
namespace {

// In a logarithmic coordinate.
constexpr double spread_of_starts = 1.0;

// Sum of the energy distances, each in units of the data's deviation, by their shares of the rows:
// that of few rows is large by chance.
double distance_from(const FitData& data, const Evaluation& there) {
  double total = 0.0;
  for (const Marginal& marginal : marginals_of(data)) {
    const std::vector<double>& measured = marginal.values;
    Moments moments(1);
    for (const double y : measured) moments.add({&y, 1});
    const double scale = measured.size() > 1 ? std::sqrt(moments.variance(0)) : 1.0;
    const double share = static_cast<double>(measured.size()) / static_cast<double>(data.rows);
    const std::vector<double> drawn = there.samples[marginal.block][0].column(marginal.column);
    total += share * energy_statistic(measured, drawn) / std::max(scale, 1e-300);
  }
  return total;
}

// Start k; the first is the state's own point.
std::vector<double> start(const Model& model, const FitState& state, std::size_t k,
                          const NormalSource& random) {
  Eigen::VectorXd change = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(state.active.size()));
  for (std::size_t i = 0; k > 0 && i < state.active.size(); ++i) {
    const std::size_t p = state.active[i];
    const double spread = is_bounded(model.parameters()[p])
                              ? spread_of_starts
                              : std::max(1.0, std::fabs(state.parameters[p]));
    change[static_cast<Eigen::Index>(i)] = spread * random.normal(k, i, 0, 1);
  }
  return moved(model, state.active, state.parameters, change);
}

}  // namespace

std::optional<std::vector<double>> nearest_start(const Model& model, const FitData& data,
                                                 const FitState& state, std::size_t starts,
                                                 Evaluator& evaluator) {
  const NormalSource random(evaluator.seed(), Stream::pick);
  std::vector<double> nearest = state.parameters;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < starts; ++k) {
    const std::vector<double> parameters = start(model, state, k, random);
    try {
      const auto there = evaluator.evaluate(state, parameters);
      if (!there) return std::nullopt;
      const double distance = distance_from(data, *there);
      if (distance < least) {
        least = distance;
        nearest = parameters;
      }
    } catch (const Error& error) {
      // A start whose paths fail is no start.
      if (error.kind() != ErrorKind::numerical) throw;
    }
  }
  return nearest;
}

}  // namespace divker::fit
