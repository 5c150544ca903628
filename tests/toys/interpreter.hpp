// The reference of the marchers: it interprets the programs of a plan path by path, number by
// number. Slow, and obvious.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "divker/error.hpp"
#include "divker/marcher.hpp"

namespace divker::test {

// One path: arrays by their names, and the programs that make them.
class InterpretedPath {
 public:
  InterpretedPath(const March& march, std::uint64_t number, bool has_noise,
                  const std::vector<int>* signs)
      : march_(march),
        number_(number),
        has_noise_(has_noise),
        signs_(signs),
        step_noise_(march.sampling.seed, Stream::step, march.sampling.resolution),
        inside_noise_(march.sampling.seed, Stream::inside, march.sampling.resolution),
        start_noise_(march.sampling.seed, Stream::start, march.sampling.resolution),
        pick_(march.sampling.seed, Stream::pick, march.sampling.resolution) {
    run(march.plan.start.program);
  }

  // Returns the sign of the determinant that was inverted; 0 if there was none.
  int step(std::size_t n) {
    step_ = n;
    if (n == 0 && march_.plan.first) {
      run(*march_.plan.first);
      return 0;
    }
    int sign = 0;
    for (const Stage& stage : march_.plan.step) {
      run(stage.program);
      if (stage.inversion) sign = invert(*stage.inversion);
    }
    return sign;
  }
  [[nodiscard]] const std::vector<double>& array(const std::string& name) const {
    return arrays_.at(name);
  }

 private:
  [[nodiscard]] std::vector<double> noise(const NormalSource& source, std::size_t count) const {
    const std::size_t fine = march_.sampling.increments_per_step;
    std::vector<double> values(count, 0.0);
    for (std::size_t k = 0; has_noise_ && k < count; ++k) {
      for (std::size_t j = 0; j < fine; ++j) {
        values[k] += source.normal(number_, step_ * fine + j, k, count);
      }
      values[k] /= std::sqrt(static_cast<double>(fine));
    }
    return values;
  }
  [[nodiscard]] std::vector<double> start_noise() const {
    const std::size_t count = march_.model.dimension();
    std::vector<double> values(count, 0.0);
    for (std::size_t i = 0; has_noise_ && i < count; ++i) {
      values[i] = start_noise_.normal(number_, 0, i, count);
    }
    return values;
  }
  [[nodiscard]] std::vector<double> sample() const {
    const Matrix& samples = *march_.model.samples();
    auto row = static_cast<std::size_t>(number_ % samples.rows);
    if (march_.sampling.start_rows == StartRows::drawn) {
      row = static_cast<std::size_t>(pick_.uniform(number_, 0) * static_cast<double>(samples.rows));
    }
    if (!has_noise_) row = 0;
    return {samples.row(row).begin(), samples.row(row).end()};
  }
  [[nodiscard]] std::vector<double> time() const {
    const TimeGrid& grid = march_.model.time();
    std::vector<double> values{grid.time(step_)};
    for (const std::size_t step : {step_, step_ + 1}) {
      for (const Input& input : march_.model.inputs()) values.push_back(input.at(grid.time(step)));
    }
    return values;
  }
  [[nodiscard]] std::vector<double> damping() const {
    const Damping& damping = march_.plan.method.damping;
    std::vector<double> values(damping.argument_count());
    damping.arguments(step_, march_.model.time(), values);
    return values;
  }
  [[nodiscard]] std::vector<double> values_of(const Argument& argument) const {
    switch (argument.role) {
      case Role::carried:
        return arrays_.at(argument.name);
      case Role::noise:
        return noise(step_noise_, march_.model.noise_count());
      case Role::inside:
        return noise(inside_noise_, argument.inputs.size());
      case Role::start_noise:
        return start_noise();
      case Role::sample:
        return sample();
      case Role::time:
        return time();
      case Role::schedule:
        return damping();
      case Role::parameters:
        return march_.model.parameter_values();
      case Role::step_size:
        return {march_.model.time().step};
    }
    throw Error(ErrorKind::usage, "The interpreter does not serve the role of " + argument.name);
  }
  void run(const Program& program) {
    std::vector<double> inputs(program.graph->input_count(), 0.0);
    for (const Argument& argument : program.arguments) {
      const std::vector<double> values = values_of(argument);
      for (std::size_t i = 0; i < argument.inputs.size(); ++i) {
        inputs[program.graph->node(argument.inputs[i]).a] = values[i];
      }
    }
    const std::vector<double> made = evaluate(*program.graph, program.roots(), inputs);
    auto next = made.begin();
    for (const Result& result : program.results) {
      const std::vector<double> values(next,
                                       next + static_cast<std::ptrdiff_t>(result.values.size()));
      next += static_cast<std::ptrdiff_t>(values.size());
      std::vector<double>& array = arrays_[result.name];
      array.resize(values.size(), 0.0);
      for (std::size_t i = 0; i < values.size(); ++i) {
        array[i] = result.fate == Fate::accumulated ? array[i] + values[i] : values[i];
      }
    }
  }
  int invert(const Inversion& inversion) {
    const auto n = static_cast<Eigen::Index>(inversion.dimension);
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    RowMajor matrix = RowMajor::Zero(n, n);
    const std::vector<double>& entries = arrays_.at(inversion.entries);
    for (std::size_t e = 0; e < entries.size(); ++e) {
      matrix.data()[inversion.places[e]] = entries[e];
    }
    const double determinant = matrix.determinant();
    const int sign = determinant > 0.0 ? 1 : determinant < 0.0 ? -1 : 0;
    RowMajor inverse = matrix.inverse();
    if (signs_ != nullptr && sign != (*signs_)[step_]) {
      inverse.setConstant(std::numeric_limits<double>::quiet_NaN());
    }
    arrays_[inversion.inverse].assign(inverse.data(), inverse.data() + n * n);
    return sign;
  }

  const March& march_;
  std::uint64_t number_;
  bool has_noise_;
  const std::vector<int>* signs_;  // of determinants on the path without noise
  NormalSource step_noise_, inside_noise_, start_noise_, pick_;
  std::size_t step_ = 0;
  std::map<std::string, std::vector<double>> arrays_;
};

class Interpreter : public Marcher {
 public:
  [[nodiscard]] std::string_view name() const override { return "interpreter"; }
  [[nodiscard]] std::unique_ptr<Prepared> prepare(const Plan& plan) const override {
    check_arrays(plan);
    return std::make_unique<Interpreted>();
  }

 private:
  class OneByOne : public Walker {
   public:
    explicit OneByOne(const March& march) : march_(march) {
      InterpretedPath quiet(march_, 0, false, nullptr);
      for (std::size_t n = 0; n < march_.steps.back(); ++n) signs_.push_back(quiet.step(n));
    }
    [[nodiscard]] bool walk(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                            PathGroup& group, const std::atomic<bool>* /*stop*/) override {
      for (std::size_t r = 0; r < rows; ++r) {
        InterpretedPath path(march_, first_path + r, true, &signs_);
        std::size_t n = 0;
        for (std::size_t k = 0; k < march_.steps.size(); ++k) {
          for (; n < march_.steps[k]; ++n) (void)path.step(n);
          for (auto& [name, table] : group.snapshots[k].tables()) {
            const std::vector<double>& values = path.array(name);
            std::copy(values.begin(), values.end(), table.row(first_row + r).begin());
          }
        }
      }
      return true;
    }
    [[nodiscard]] std::optional<FailedPath> locate_failure(std::uint64_t path,
                                                           Trail* /*trail*/) override {
      return FailedPath{path, march_.model.time().end, "path"};
    }

   private:
    March march_;
    std::vector<int> signs_;
  };
  class InterpretedRun : public Prepared::Run {
   public:
    explicit InterpretedRun(const March& march) : march_(march) {}
    [[nodiscard]] std::unique_ptr<Walker> walker() const override {
      return std::make_unique<OneByOne>(march_);
    }
    [[nodiscard]] std::size_t paths_at_once() const override { return 1; }

   private:
    March march_;
  };
  class Interpreted : public Prepared {
   public:
    [[nodiscard]] std::unique_ptr<Run> begin(const March& march,
                                             std::size_t /*block*/) const override {
      return std::make_unique<InterpretedRun>(march);
    }
    [[nodiscard]] double compile_seconds() const override { return 0.0; }
    [[nodiscard]] std::string arithmetic() const override { return "one by one"; }
  };
};

}  // namespace divker::test
