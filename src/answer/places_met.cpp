#include "answer/places_met.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "divker/ensemble.hpp"
#include "divker/model_function.hpp"
#include "divker/state_coordinates.hpp"

namespace divker {
namespace {

// A function of the states on some paths.
struct Seen {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();
  std::uint64_t paths_below = 0;  // zero, at one time or more
  std::uint64_t below = 0;        // of all values
  std::uint64_t values = 0;

  void merge(const Seen& other) {
    least = std::min(least, other.least);
    largest = std::max(largest, other.largest);
    paths_below += other.paths_below;
    below += other.below;
    values += other.values;
  }
  void transfer(Archive& archive) { archive(least, largest, paths_below, below, values); }
};

class SeenCollector : public Collector {
 public:
  SeenCollector(const ModelFunction& functions, std::size_t count)
      : functions_(functions), seen_(count) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Counts>(seen_.size());
    const std::size_t paths = group.snapshots.back().x().rows;
    std::vector<std::vector<bool>> below(seen_.size(), std::vector<bool>(paths, false));
    for (const Snapshot& snapshot : group.snapshots) {
      if (paths == 0) break;
      const auto values = functions_.at_rows({&snapshot.time, 1}, snapshot.x());
      for (std::size_t k = 0; k < values.size(); ++k) {
        const auto [low, high] = std::ranges::minmax(values[k]);
        const auto under = std::ranges::count_if(values[k], [](double v) { return v < 0.0; });
        part->seen[k].merge({low, high, 0, static_cast<std::uint64_t>(under), values[k].size()});
        for (std::size_t r = 0; r < paths; ++r) below[k][r] = below[k][r] || values[k][r] < 0.0;
      }
    }
    for (std::size_t k = 0; k < below.size(); ++k) {
      part->seen[k].paths_below = static_cast<std::uint64_t>(std::ranges::count(below[k], true));
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& from = static_cast<const Counts&>(*part).seen;
    for (std::size_t k = 0; k < seen_.size(); ++k) seen_[k].merge(from[k]);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Counts>(seen_.size());
  }
  void transfer(Archive& archive) override { archive(seen_); }
  [[nodiscard]] const std::vector<Seen>& seen() const { return seen_; }

 private:
  struct Counts : Part {
    explicit Counts(std::size_t count) : seen(count) {}
    void transfer(Archive& archive) override { archive(seen); }
    std::vector<Seen> seen;
  };
  const ModelFunction& functions_;
  std::vector<Seen> seen_;
};

// The start and up to 63 more times, the end among them.
std::vector<double> times_to_look_at(const TimeGrid& grid) {
  constexpr std::size_t most = 63;
  const std::size_t steps = grid.steps();
  const std::size_t count = std::min(most, steps);
  std::vector<std::size_t> numbers{0};
  for (std::size_t k = 1; k <= count; ++k) numbers.push_back(k * steps / count);
  return grid.times(numbers);
}

std::size_t paths_of_look(const Sampling& sampling) {
  return std::clamp<std::size_t>(sampling.paths / 8, 512, 4096);
}

// Functions in a copy of the model's graph, on the paths of a small run.
std::vector<Seen> look_at(const std::shared_ptr<Graph>& graph, const std::vector<NodeId>& functions,
                          const Model& model, const Sampling& sampling, const Session& session) {
  const ModelFunction values(model, graph, functions);
  SeenCollector collector(values, functions.size());
  Sampling small = sampling;
  small.paths = paths_of_look(sampling);
  small.snapshots = times_to_look_at(model.time());
  small.failed_share = 1.0;
  Asked asked = Asked::states();
  asked.beyond_boundaries = true;
  (void)Ensemble(model, {}, asked, session.marcher).run(small, collector, session.aside());
  return collector.seen();
}

bool is_met(const ModelKink& kink, const Seen& seen) {
  if (kink.op == Op::floor) return std::floor(seen.largest) >= seen.least;
  return seen.least <= 0.0 && seen.largest >= 0.0;
}

}  // namespace

KinksMet kinks_met(const Model& model, const Sampling& sampling, const Session& session) {
  std::vector<ModelKink> kinks = model_kinks(model);
  std::erase_if(kinks, [](const ModelKink& kink) {
    return !kink.is_of_step() || kink.kind == KinkKind::bend || kink.is_edge();
  });
  KinksMet met;
  if (kinks.empty()) return met;
  std::vector<NodeId> functions;
  functions.reserve(kinks.size());
  for (const ModelKink& kink : kinks) functions.push_back(kink.function);
  const std::vector<Seen> seen = look_at(kinks.front().graph, functions, model, sampling, session);
  for (std::size_t k = 0; k < kinks.size(); ++k) {
    if (!is_met(kinks[k], seen[k])) continue;
    const double below = static_cast<double>(seen[k].below) / static_cast<double>(seen[k].values);
    met.shares.push_back(kinks[k].op == Op::floor ? 1.0 : std::min(below, 1.0 - below));
    met.kinks.push_back(std::move(kinks[k]));
  }
  return met;
}

std::optional<ModelKink> KinksMet::without_rare(double share) {
  std::optional<ModelKink> first;
  KinksMet kept;
  for (std::size_t k = 0; k < kinks.size(); ++k) {
    if (kinks[k].kind != KinkKind::jump && shares[k] < share) {
      if (!first) first = kinks[k];
      continue;
    }
    kept.kinks.push_back(kinks[k]);
    kept.shares.push_back(shares[k]);
  }
  *this = std::move(kept);
  return first;
}

namespace {

// The squared length of the noise of every state, with the roots ended at zero.
std::vector<NodeId> noise_lengths(const Model& model, Graph& graph) {
  std::vector<Expression> states;
  std::vector<Expression> amplitudes;
  for (const State& state : model.states()) states.push_back(graph.at(state.node));
  for (const NoiseEntry& entry : model.noise()) amplitudes.push_back(graph.at(entry.amplitude));
  amplitudes = ended_at_zero(graph, amplitudes, states);
  std::vector<Expression> lengths(model.dimension(), graph.constant(0.0));
  for (std::size_t e = 0; e < amplitudes.size(); ++e) {
    Expression& length = lengths[model.noise()[e].row];
    length = length + amplitudes[e] * amplitudes[e];
  }
  std::vector<NodeId> roots;
  roots.reserve(lengths.size());
  for (const Expression& length : lengths) roots.push_back(length.id());
  return roots;
}

}  // namespace

namespace {

// Do roots hold a state that is stepped as it is?
bool roots_help(const Model& model) {
  if (model.is_stepped_in_roots()) return false;
  const auto plain = coordinates(model);
  const auto roots = coordinates(model.stepped_in_roots());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == nullptr && roots[i] != nullptr) return true;
  }
  return false;
}

}  // namespace

BoundariesMet boundaries_met(const Model& model, const Sampling& sampling, const Session& session) {
  std::vector<Boundary> all = boundaries(model);
  BoundariesMet met;
  if (all.empty()) return met;
  const std::shared_ptr<Graph> graph = all.front().graph;
  std::vector<NodeId> functions;
  functions.reserve(all.size());
  for (const Boundary& boundary : all) functions.push_back(boundary.function);
  for (const NodeId length : noise_lengths(model, *graph)) functions.push_back(length);
  const std::vector<Seen> seen = look_at(graph, functions, model, sampling, session);
  const auto paths = static_cast<double>(paths_of_look(sampling));
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const bool is_still = model.noisy()[i] && seen[all.size() + i].least <= 0.0;
    if (is_still && met.still.empty()) met.still = model.states()[i].name;
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (seen[k].paths_below == 0) continue;
    met.share = std::max(met.share, static_cast<double>(seen[k].paths_below) / paths);
    met.boundaries.push_back(std::move(all[k]));
  }
  if (met.boundaries.empty() || !roots_help(model)) return met;
  met = boundaries_met(model.stepped_in_roots(), sampling, session);
  met.in_roots = true;
  return met;
}

std::string BoundariesMet::sentence() const {
  return fmt::format("{} {:.2g}% of a small run's paths go beyond.", boundaries.front().sentence,
                     100.0 * share);
}

std::optional<Error> refusal_for_boundaries(const BoundariesMet& met, const Sampling& sampling) {
  if (met.share <= sampling.failed_share) return std::nullopt;
  std::string why = "There is no score and no likelihood ratio of steps that end";
  if (!met.still.empty())
    why = fmt::format("Where {} has no noise, nothing tells a score", met.still);
  return Error(ErrorKind::model,
               fmt::format("{} {}. Simulations step on there, and so does, for means, the method "
                           "finite-difference.",
                           met.sentence(), why));
}

}  // namespace divker
