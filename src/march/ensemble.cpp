#include "divker/ensemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "divker/marcher.hpp"
#include "march/run.hpp"

namespace divker {
namespace {

void check_samples(const Model& model) {
  if (!model.starts_from_samples()) return;
  const std::size_t dimension = model.dimension();
  if (!model.samples() || model.samples()->rows == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} starts from samples, but none were given.", model.name()));
  }
  const Matrix& samples = *model.samples();
  if (samples.cols != dimension) {
    throw Error(ErrorKind::model,
                fmt::format("The initial samples have {} columns, but model {} has {} states.",
                            samples.cols, model.name(), dimension));
  }
  for (std::size_t r = 0; r < samples.rows; ++r) {
    for (std::size_t c = 0; c < dimension; ++c) {
      const double value = samples(r, c);
      const State& state = model.states()[c];
      if (!std::isfinite(value)) {
        throw Error(ErrorKind::model,
                    fmt::format("The initial samples hold {} in row {}, column {}.", value, r, c));
      }
      if (state.range.contains(value)) continue;
      throw Error(ErrorKind::model,
                  fmt::format("The initial samples hold {} = {} in row {}, but the state {} is "
                              "declared {}.",
                              state.name, value, r, state.name, state.range.text()));
    }
  }
}

// Up to the last snapshot, where the last step arrives.
void check_inputs(const Model& model, const Sampling& sampling) {
  const TimeGrid& grid = model.time();
  const std::size_t last = grid.snapshot_steps(sampling.snapshots).back();
  for (const Input& input : model.inputs()) input.require(grid.start, grid.time(last));
}

void check(const Model& model, const Sampling& sampling) {
  if (sampling.paths == 0) {
    throw Error(ErrorKind::usage, "The number of paths is 0: it must be at least 1.");
  }
  if (sampling.increments_per_step == 0) {
    throw Error(ErrorKind::usage, "The number of increments per step is 0: it must be at least 1.");
  }
  check_samples(model);
  check_inputs(model, sampling);
}

// Keeps all rows.
class ArrayCollector : public Collector {
 public:
  ArrayCollector(const March& march, Paths& paths) : paths_(paths) {
    paths_.numbers.reserve(march.sampling.paths);
    for (const std::size_t step : march.steps) {
      Snapshot& snapshot = paths_.snapshots.emplace_back(march.model.time().time(step));
      for (const Result* array : march.plan.recorded()) {
        Matrix& table = snapshot.table(array->name);
        table.cols = array->values.size();
        table.data.reserve(march.sampling.paths * table.cols);
      }
    }
  }
  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Rows>();
    part->group = std::move(group);
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const PathGroup& group = static_cast<const Rows&>(*part).group;
    paths_.numbers.insert(paths_.numbers.end(), group.numbers.begin(), group.numbers.end());
    for (std::size_t k = 0; k < paths_.snapshots.size(); ++k) {
      for (const auto& [name, rows] : group.snapshots[k].tables()) {
        append(rows, paths_.snapshots[k].table(name));
      }
    }
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override { archive(paths_.numbers, paths_.snapshots); }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { group.transfer(archive); }
    PathGroup group;
  };

  static void append(const Matrix& rows, Matrix& target) {
    target.data.insert(target.data.end(), rows.data.begin(), rows.data.end());
    target.rows += rows.rows;
  }

  Paths& paths_;
};

}  // namespace

struct Ensemble::Implementation {
  Model model;
  Plan plan;
  std::unique_ptr<Prepared> prepared;

  [[nodiscard]] March march(const Model& at, const Sampling& sampling) const {
    check(at, sampling);
    return {plan, at, sampling, at.time().snapshot_steps(sampling.snapshots)};
  }
  // The model must have equal equations.
  void require_same_equations(const Model& other) const {
    if (other.hash() == model.hash()) return;
    throw Error(ErrorKind::usage, "The model " + other.name() +
                                      " has other equations than the one this ensemble was "
                                      "compiled for.");
  }
};

Ensemble::Ensemble(const Model& model, const Method& method, const Asked& asked,
                   const Marcher* marcher)
    : implementation_(std::make_unique<Implementation>(
          Implementation{model, divker::plan(model, method, asked), nullptr})) {
  implementation_->prepared =
      (marcher != nullptr ? *marcher : vector_marcher()).prepare(implementation_->plan);
}
Ensemble::~Ensemble() = default;
Ensemble::Ensemble(Ensemble&&) noexcept = default;
Ensemble& Ensemble::operator=(Ensemble&&) noexcept = default;

const Model& Ensemble::model() const { return implementation_->model; }
const Plan& Ensemble::plan() const { return implementation_->plan; }
double Ensemble::compile_seconds() const { return implementation_->prepared->compile_seconds(); }

void Ensemble::set_model(const Model& model) {
  implementation_->require_same_equations(model);
  const Plan& planned = implementation_->plan;
  if (const auto why = refusal_for_noise(model, planned.method, planned.asked)) throw Error(*why);
  implementation_->model = model;
}

void Ensemble::set_damping(const Damping& damping) {
  implementation_->plan.use(damping, implementation_->model);
}

RunSummary Ensemble::run(const Sampling& sampling, Collector& collector,
                         const Session& session) const {
  const March march = implementation_->march(implementation_->model, sampling);
  return march::run_paths(*implementation_->prepared, march, session, collector);
}

Paths Ensemble::run(const Sampling& sampling, const Session& session) const {
  return run_at(implementation_->model, sampling, session);
}

Paths Ensemble::run_at(const Model& model, const Sampling& sampling, const Session& session) const {
  implementation_->require_same_equations(model);
  const March march = implementation_->march(model, sampling);
  Paths paths;
  ArrayCollector collector(march, paths);
  paths.summary =
      march::run_paths(*implementation_->prepared, march, session.keeping("all paths"), collector);
  return paths;
}

}  // namespace divker
