#include "answer/kinks_met.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "answer/questions.hpp"
#include "divker/ensemble.hpp"
#include "divker/model_function.hpp"

namespace divker {
namespace {

// The least and the largest value of each function on some paths.
class RangeCollector : public Collector {
 public:
  RangeCollector(const ModelFunction& functions, std::size_t count)
      : functions_(functions), ranges_(count) {}

  struct Range {
    double least = std::numeric_limits<double>::infinity();
    double largest = -std::numeric_limits<double>::infinity();
    void add(double low, double high) {
      least = std::min(least, low);
      largest = std::max(largest, high);
    }
    void transfer(Archive& archive) { archive(least, largest); }
  };

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Ranges>(ranges_.size());
    for (const Snapshot& snapshot : group.snapshots) {
      if (snapshot.x().rows == 0) continue;
      const auto values = functions_.at_rows({&snapshot.time, 1}, snapshot.x());
      for (std::size_t k = 0; k < values.size(); ++k) {
        const auto [low, high] = std::ranges::minmax(values[k]);
        part->ranges[k].add(low, high);
      }
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& from = static_cast<const Ranges&>(*part).ranges;
    for (std::size_t k = 0; k < ranges_.size(); ++k) {
      ranges_[k].add(from[k].least, from[k].largest);
    }
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Ranges>(ranges_.size());
  }
  void transfer(Archive& archive) override { archive(ranges_); }
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }

 private:
  struct Ranges : Part {
    explicit Ranges(std::size_t count) : ranges(count) {}
    void transfer(Archive& archive) override { archive(ranges); }
    std::vector<Range> ranges;
  };
  const ModelFunction& functions_;
  std::vector<Range> ranges_;
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

bool is_met(const ModelKink& kink, const RangeCollector::Range& range) {
  if (kink.op == Op::floor) return std::floor(range.largest) >= range.least;
  return range.least <= 0.0 && range.largest >= 0.0;
}

}  // namespace

std::vector<ModelKink> kinks_met(const Model& model, const Sampling& sampling,
                                 const Session& session) {
  std::vector<ModelKink> kinks = model_kinks(model);
  std::erase_if(kinks, [](const ModelKink& kink) {
    const bool is_of_step = kink.part == ModelPart::drift || kink.part == ModelPart::noise;
    return !is_of_step || kink.kind == KinkKind::bend || kink.is_edge();
  });
  if (kinks.empty()) return kinks;
  std::vector<NodeId> functions;
  functions.reserve(kinks.size());
  for (const ModelKink& kink : kinks) functions.push_back(kink.function);
  const ModelFunction places(model, kinks.front().graph, functions);
  RangeCollector collector(places, kinks.size());
  Sampling small = sampling;
  small.paths = std::clamp<std::size_t>(sampling.paths / 8, 512, 4096);
  small.snapshots = times_to_look_at(model.time());
  small.failed_share = 1.0;
  (void)states_alone(model, session).run(small, collector, session.aside());
  std::vector<ModelKink> met;
  for (std::size_t k = 0; k < kinks.size(); ++k) {
    if (is_met(kinks[k], collector.ranges()[k])) met.push_back(std::move(kinks[k]));
  }
  return met;
}

}  // namespace divker
