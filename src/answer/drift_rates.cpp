#include "answer/drift_rates.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "answer/questions.hpp"
#include "divker/model_function.hpp"
#include "divker/state_coordinates.hpp"
#include "march/stability.hpp"

namespace divker {
namespace {

constexpr std::size_t intervals = 8;

Sampling few_paths(const Model& model, const Sampling& sampling, std::size_t numbers) {
  Sampling few = sampling;
  few.paths = std::clamp<std::size_t>(numbers / (intervals * model.dimension()), 16, 256);
  few.failed_share = 1.0;
  few.snapshots.clear();
  const std::size_t last = model.time().snapshot_steps(sampling.snapshots).back();
  const std::size_t parts = std::min(intervals, last);
  for (std::size_t k = 0; k <= parts; ++k) {
    few.snapshots.push_back(model.time().time(k * last / std::max<std::size_t>(1, parts)));
  }
  return few;
}

// dt F / c of every state as a function, where the grid has a limit c.
ModelFunction displacements(const Model& model) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  const Expression unit = graph->constant(model.time().step / model.time().tamed);
  const auto all = coordinates(model);
  std::vector<NodeId> roots;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    Expression moved = unit * graph->at(model.drift()[i]);
    if (all[i] != nullptr) {
      const Expression x = graph->at(model.states()[i].node);
      moved = moved / all[i]->stretch(x, all[i]->at_state(x));
    }
    roots.push_back(moved.id());
  }
  return {model, graph, std::move(roots)};
}

// Rows at which the drift of some state is a tenth less than it was: (dt F / c)^2 above 0.23.
std::size_t tamed_rows(const ModelFunction& displacements_of, const Snapshot& s) {
  constexpr double a_tenth = 0.23;
  std::vector<bool> is_tamed(s.x().rows, false);
  for (const std::vector<double>& moved : displacements_of.at_rows({&s.time, 1}, s.x())) {
    for (std::size_t r = 0; r < moved.size(); ++r) {
      is_tamed[r] = is_tamed[r] || moved[r] * moved[r] > a_tenth;
    }
  }
  return static_cast<std::size_t>(std::ranges::count(is_tamed, true));
}

// At most sixteen of those that are marked.
Matrix some_rows(const Matrix& x, const std::vector<bool>& marked) {
  constexpr std::size_t most = 16;
  Matrix rows(0, x.cols);
  for (std::size_t r = 0; r < x.rows && rows.rows < most; ++r) {
    if (!marked[r]) continue;
    rows.data.insert(rows.data.end(), x.row(r).begin(), x.row(r).end());
    ++rows.rows;
  }
  return rows;
}

}  // namespace

DriftRates drift_rates(const Model& model, const Sampling& sampling, const Session& session,
                       std::size_t numbers) {
  const march::DriftRate rate_of(model);
  const bool may_tame = model.time().tamed > 0.0;
  std::optional<ModelFunction> displacements_of;
  if (may_tame) displacements_of = displacements(model);
  DriftRates result;
  std::size_t turned = 0, unstable = 0, tamed = 0;
  const Paths paths =
      states_alone(model, session).run(few_paths(model, sampling, numbers), session.aside());
  for (const Snapshot& s : paths.snapshots) {
    if (s.x().rows == 0) continue;
    if (may_tame) tamed += tamed_rows(*displacements_of, s);
    const std::vector<double> rates = rate_of(s.x(), {&s.time, 1});
    const std::vector<bool> is_unstable = rate_of.unstable(s.x(), {&s.time, 1}, rates);
    const Matrix places = some_rows(s.x(), is_unstable);
    if (places.rows > 0 && result.parts > 0 && !may_tame) {
      const int parts = rate_of.parts_needed(places, s.time, std::ranges::max(rates));
      result.parts = parts == 0 ? 0 : std::max(result.parts, parts);
    }
    unstable += static_cast<std::size_t>(std::ranges::count(is_unstable, true));
    for (const double rate : rates) {
      if (!std::isfinite(rate)) continue;
      ++result.points;
      if (rate > march::turning_limit) ++turned;
      if (rate <= result.largest) continue;
      result.largest = rate;
      result.time = s.time;
    }
  }
  const auto points = static_cast<double>(std::max<std::size_t>(1, result.points));
  if (may_tame) result.parts = 0;
  result.share_turned = static_cast<double>(turned) / points;
  result.share_unstable = static_cast<double>(unstable) / points;
  result.share_tamed = static_cast<double>(tamed) / points;
  return result;
}

}  // namespace divker
