#include "fit/observed_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "divker/error.hpp"
#include "divker/random.hpp"

namespace divker::fit {
namespace {

void append(Matrix& target, const Matrix& rows) {
  target.cols = rows.cols;
  target.rows += rows.rows;
  target.data.insert(target.data.end(), rows.data.begin(), rows.data.end());
}

// The rows of one parity.
Matrix half_of(const Matrix& m, std::size_t parity) {
  Matrix half((m.rows + 1 - parity) / 2, m.cols);
  for (std::size_t r = 0; r < half.rows; ++r) {
    const auto row = m.row(2 * r + parity);
    std::copy(row.begin(), row.end(), half.row(r).begin());
  }
  return half;
}

// On a path of the model an observation has a value that it cannot have.
[[noreturn]] void refuse(const std::string& name, double time, const char* what, double value) {
  throw Error(ErrorKind::numerical,
              fmt::format("The {} of the observation {} is {} on a path at t = {:.6g}.", what, name,
                          value, time));
}

}  // namespace

ObservedPaths ObservedPaths::with_window(std::size_t window, std::size_t longer,
                                         std::size_t count) const {
  ObservedPaths part{{}, summary};
  for (std::size_t b = 0; b < count; ++b) {
    part.blocks.push_back(blocks[window * count + b]);
    for (std::size_t h = 0; h < 2 && longer != window; ++h) {
      part.blocks.back()[h].longer = blocks[longer * count + b][h].responses;
    }
  }
  return part;
}

ObservedPaths ObservedPaths::with_last_window(std::size_t count) && {
  const std::size_t before = blocks.size() - count;
  for (std::size_t b = before; b < blocks.size() && before >= count; ++b) {
    for (std::size_t h = 0; h < 2; ++h) {
      blocks[b][h].longer = std::move(blocks[b - count][h].responses);
    }
  }
  blocks.erase(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(before));
  return std::move(*this);
}

Observer::Observer(const Model& model, const FitData& data, std::vector<std::size_t> parameters,
                   const std::vector<double>& windows)
    : parameters_(std::move(parameters)), function_(function_of_observations(model)) {
  const TimeGrid& grid = model.time();
  const std::vector<double> of_data = data.times();
  std::map<std::size_t, double> recorded;  // by their steps
  for (const double time : of_data) recorded[grid.nearest_step(time)] = time;
  const auto beginning = [&grid](double time, double window) {
    return grid.nearest_step(std::max(time - window, grid.start));
  };
  for (const double window : windows) {
    for (const double time : of_data) {
      const std::size_t step = beginning(time, window);
      if (step >= 1) recorded.try_emplace(step, grid.time(step));
    }
  }
  const auto place = [&recorded](std::size_t step) {
    return static_cast<std::size_t>(std::distance(recorded.begin(), recorded.find(step)));
  };
  for (const auto& [step, time] : recorded) times_.push_back(time);
  for (const double window : windows) {
    for (const DataBlock& block : data.blocks) {
      const auto at = std::find(of_data.begin(), of_data.end(), block.time);
      BlockView view{place(grid.nearest_step(block.time)), std::nullopt,
                     static_cast<std::size_t>(at - of_data.begin()), block.time, block.observed};
      const std::size_t step = beginning(block.time, window);
      if (step >= 1) view.before = place(step);
      blocks_.push_back(std::move(view));
    }
  }
}

ModelFunction Observer::function_of_observations(const Model& model) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  std::vector<Expression> gamma;
  for (const std::size_t p : parameters_) gamma.push_back(graph->at(model.parameters()[p].node));
  std::vector<NodeId> nodes;
  for (const Observation& observation : measurable(model)) {
    names_.push_back(observation.name);
    Roots roots;
    roots.value = nodes.size();
    roots.noisy = observation.noisy;
    nodes.push_back(observation.value);
    if (observation.noisy) {
      roots.deviation = nodes.size();
      nodes.push_back(observation.deviation);
      const auto of_value = gradient(graph->at(observation.value), gamma);
      const auto of_deviation = gradient(graph->at(observation.deviation), gamma);
      roots.derivatives = nodes.size();
      for (std::size_t p = 0; p < gamma.size(); ++p) {
        nodes.insert(nodes.end(), {of_value[p].id(), of_deviation[p].id()});
      }
    }
    observations_.push_back(roots);
  }
  return {model, graph, std::move(nodes)};
}

ObservedHalf Observer::see(const ModelFunction& function, const BlockView& block,
                           const PathGroup& group, std::uint64_t seed) const {
  const Snapshot& snapshot = group.snapshots[block.snapshot];
  const Matrix& x = snapshot.x();
  ObservedHalf seen{Matrix(x.rows, block.observed.size()), snapshot.responses(), {}};
  const std::size_t responses = seen.responses.cols;
  if (block.before && responses > 0) {
    const Matrix& before = group.snapshots[*block.before].responses();
    for (std::size_t i = 0; i < before.data.size(); ++i) seen.responses.data[i] -= before.data[i];
  }
  const auto values = function.at_rows({&block.time, 1}, x);
  const NormalSource normals(seed, Stream::observation);
  for (std::size_t c = 0; c < block.observed.size(); ++c) {
    const Roots& roots = observations_[block.observed[c]];
    const std::string& name = names_[block.observed[c]];
    for (std::size_t r = 0; r < x.rows; ++r) {
      seen.y(r, c) = values[roots.value][r];
      if (!std::isfinite(seen.y(r, c))) refuse(name, block.time, "value", seen.y(r, c));
      if (!roots.noisy) continue;
      const double sd = values[roots.deviation][r];
      if (!(sd > 0.0)) refuse(name, block.time, "standard deviation", sd);
      const double z =
          normals.normal(group.numbers[r], block.order, block.observed[c], observations_.size());
      seen.y(r, c) += sd * z;
      for (std::size_t p = 0; p < responses; ++p) {
        const double of_value = values[roots.derivatives + 2 * p][r];
        const double of_deviation = values[roots.derivatives + 2 * p + 1][r];
        seen.responses(r, p) += (z * of_value + (z * z - 1.0) * of_deviation) / sd;
      }
    }
  }
  return seen;
}

namespace {

// How many blocks there are, both sides know.
void transfer_halves(std::vector<std::array<ObservedHalf, 2>>& blocks, Archive& archive) {
  for (auto& halves : blocks) archive(halves[0], halves[1]);
}

}  // namespace

struct Observer::Part : Collector::Part {
  explicit Part(std::size_t count = 0) : blocks(count) {}
  void transfer(Archive& archive) override { transfer_halves(blocks, archive); }
  std::vector<std::array<ObservedHalf, 2>> blocks;
};

class Observer::Halves : public Collector {
 public:
  Halves(const Observer& observer, const Model& model, const Sampling& sampling,
         std::vector<std::array<ObservedHalf, 2>>& blocks)
      : observer_(observer), function_(observer.at(model)), seed_(sampling.seed), blocks_(blocks) {
    blocks_.resize(observer.blocks_.size());
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (ObservedHalf& half : blocks_[b]) {
        half.y.data.reserve((sampling.paths + 1) / 2 * observer.blocks_[b].observed.size());
        half.responses.data.reserve((sampling.paths + 1) / 2 * observer.parameters_.size());
      }
    }
  }

  [[nodiscard]] std::unique_ptr<Collector::Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Observer::Part>();
    for (const BlockView& block : observer_.blocks_) {
      const ObservedHalf all = observer_.see(function_, block, group, seed_);
      part->blocks.push_back({ObservedHalf{half_of(all.y, 0), half_of(all.responses, 0), {}},
                              ObservedHalf{half_of(all.y, 1), half_of(all.responses, 1), {}}});
    }
    return part;
  }

  void absorb(std::unique_ptr<Collector::Part> part) override {
    const auto& from = static_cast<const Observer::Part&>(*part).blocks;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (std::size_t h = 0; h < 2; ++h) {
        append(blocks_[b][h].y, from[b][h].y);
        append(blocks_[b][h].responses, from[b][h].responses);
      }
    }
  }

  [[nodiscard]] std::unique_ptr<Collector::Part> empty_part() const override {
    return std::make_unique<Observer::Part>(blocks_.size());
  }
  void transfer(Archive& archive) override { transfer_halves(blocks_, archive); }

 private:
  const Observer& observer_;
  ModelFunction function_;
  std::uint64_t seed_;
  std::vector<std::array<ObservedHalf, 2>>& blocks_;
};

ModelFunction Observer::at(const Model& model) const {
  ModelFunction function = function_;
  function.set_parameters(model);
  return function;
}

std::vector<ObservedHalf> Observer::see(const ModelFunction& observations, const PathGroup& group,
                                        std::uint64_t seed) const {
  std::vector<ObservedHalf> seen;
  for (const BlockView& block : blocks_) seen.push_back(see(observations, block, group, seed));
  return seen;
}

std::vector<Matrix> Observer::see(const Model& model, const Paths& paths,
                                  std::uint64_t seed) const {
  const PathGroup all{0, paths.numbers, paths.snapshots};
  std::vector<Matrix> seen;
  for (ObservedHalf& one : see(at(model), all, seed)) seen.push_back(std::move(one.y));
  return seen;
}

ObservedPaths Observer::run(Study& study) const {
  ObservedPaths paths;
  Halves halves(*this, study.model(), study.sampling(), paths.blocks);
  paths.summary = study.run(halves, "paths as the data see them");
  return paths;
}

}  // namespace divker::fit
