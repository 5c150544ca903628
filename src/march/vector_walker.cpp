#include "march/vector_walker.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

namespace divker::march {
namespace {

// Every stage of a run, for what they need together.
template <class Visit>
void for_each_stage(const CompiledPlan& compiled, const Visit& visit) {
  visit(compiled.start);
  if (compiled.first) visit(*compiled.first);
  for (const CompiledStage& stage : compiled.step) visit(stage);
}

}  // namespace

VectorWalker::VectorWalker(const VectorRun& run, std::size_t vectors)
    : run_(run),
      vectors_(vectors),
      lanes_(run.compiled.lanes()),
      dimension_(run.march.model.dimension()),
      buffers_(run.compiled.arrays.size()),
      noise_(run.step_noise, run.march.model.noise_count(), vectors, lanes_,
             run.march.sampling.increments_per_step),
      inside_(run.inside_noise, run.compiled.inside, vectors, lanes_,
              run.march.sampling.increments_per_step),
      time_(1 + 2 * run.inputs.count()) {
  const std::size_t width = paths();
  for (std::size_t a = 0; a < buffers_.size(); ++a) {
    const SharedArray& array = run.compiled.arrays[a];
    buffers_[a][0].resize(width * array.width);
    if (array.is_doubled) buffers_[a][1].resize(width * array.width);
  }
  sample_.resize(width * dimension_);
  z_.resize(width * dimension_ * batch_steps(dimension_));
  std::size_t scratch = 0;
  for_each_stage(run.compiled, [&](const CompiledStage& stage) {
    scratch = std::max(scratch, stage.kernel->scratch_size());
    if (stage.inversion) inverse_.emplace(stage.inversion->dimension, lanes_);
  });
  scratch_.resize(scratch);
  if (run.march.plan.asked.is_damped()) {
    damping_.resize(std::max<std::size_t>(run.march.plan.method.damping.argument_count(), 1));
  }
  start_ = prepare(run.start);
  if (run.first) first_ = prepare(*run.first);
  for (const VectorRun::BoundStage& bound : run.step) step_.push_back(prepare(bound));
}

VectorWalker::Call VectorWalker::prepare(const VectorRun::BoundStage& bound) const {
  Call call;
  call.bound = &bound;
  for (const std::size_t array : bound.stage->results) {
    if (run_.compiled.arrays[array].is_doubled) call.turns |= std::uint64_t{1} << array;
  }
  const std::vector<Role>& roles = bound.stage->roles;
  const auto place_of = [&](Role role) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(roles, role);
    if (found == roles.end()) return std::nullopt;
    return static_cast<std::size_t>(found - roles.begin());
  };
  call.noise = place_of(Role::noise);
  call.inside = place_of(Role::inside);
  return call;
}

const double* VectorWalker::pointer_for(const CompiledStage& stage, std::size_t argument) {
  switch (stage.roles[argument]) {
    case Role::carried:
      return now(stage.arguments[argument]);
    case Role::start_noise:
      return z_.data();
    case Role::sample:
      return sample_.data();
    case Role::time:
      return time_.data();
    case Role::schedule:
      return damping_.data();
    case Role::noise:  // set at each call
    case Role::inside:
    case Role::parameters:  // bound before
    case Role::step_size:
      break;
  }
  return nullptr;
}

void VectorWalker::point(const CompiledStage& stage, Pointers& pointers) {
  pointers.current = current_;
  pointers.arguments.clear();
  for (std::size_t i = 0; i < stage.roles.size(); ++i) {
    pointers.arguments.push_back(pointer_for(stage, i));
  }
  pointers.results.clear();
  for (const std::size_t array : stage.results) {
    const bool other = run_.compiled.arrays[array].is_doubled && ((current_ >> array) & 1U) == 0;
    pointers.results.push_back(buffers_[array][other ? 1 : 0].data());
  }
}

void VectorWalker::call(Call& call, const Noise& noise) {
  Pointers& pointers = call.pointers[current_ == 0 ? 0 : 1];
  if (pointers.current != current_) point(*call.bound->stage, pointers);
  if (call.noise) pointers.arguments[*call.noise] = noise.step;
  if (call.inside) pointers.arguments[*call.inside] = noise.inside;
  (*call.bound->stage->kernel)(call.bound->constants.data(), pointers.arguments.data(),
                               pointers.results.data(), vectors_, scratch_.data());
  current_ ^= call.turns;
}

void VectorWalker::start(const std::function<std::size_t(std::size_t)>& sample_row) {
  const Model& model = run_.march.model;
  if (model.starts_from_samples()) {
    for (std::size_t p = 0; p < paths(); ++p) {
      const auto row = model.samples()->row(sample_row(p));
      for (std::size_t i = 0; i < dimension_; ++i) {
        sample_.data()[((p / lanes_) * dimension_ + i) * lanes_ + p % lanes_] = row[i];
      }
    }
  }
  for (std::size_t a = 0; a < buffers_.size(); ++a) {
    const SharedArray& array = run_.compiled.arrays[a];
    if (array.begins_at_zero) std::fill_n(now(a), paths() * array.width, 0.0);
  }
  set_time(0);
  call(start_, {});
}

void VectorWalker::begin(std::uint64_t first_path) {
  first_path_ = first_path;
  run_.start_noise.fill(first_path, 0, batch_steps(dimension_), vectors_, dimension_, lanes_,
                        z_.data());
  const bool is_drawn = run_.march.sampling.start_rows == StartRows::drawn;
  start([&](std::size_t p) {
    const auto rows = static_cast<double>(run_.march.model.samples()->rows);
    if (!is_drawn)
      return static_cast<std::size_t>((first_path + p) % run_.march.model.samples()->rows);
    return static_cast<std::size_t>(run_.pick.uniform(first_path + p, 0) * rows);
  });
}

std::int64_t VectorWalker::invert(const CompiledStage& stage, std::size_t n) {
  const std::vector<std::size_t>& places = stage.inversion->places;
  const std::size_t size = stage.inversion->dimension * stage.inversion->dimension * lanes_;
  double* inverses = now(stage.inverse);
  const double* entries = now(stage.entries);
  std::int64_t first_sign = 0;
  for (std::size_t v = 0; v < vectors_; ++v) {
    double* matrix = inverses + v * size;
    std::fill_n(matrix, size, 0.0);
    const double* entry = entries + v * places.size() * lanes_;
    for (const std::size_t place : places) {
      std::copy_n(entry, lanes_, matrix + place * lanes_);
      entry += lanes_;
    }
    (*inverse_)(matrix);
    if (v == 0) first_sign = inverse_->signs().front();
    for (std::size_t lane = 0; lane < lanes_ && !run_.orientations.empty(); ++lane) {
      const std::int64_t sign = inverse_->signs()[lane];
      if (sign != 0 && sign == run_.orientations[n]) continue;
      for (std::size_t k = lane; k < size; k += lanes_) {
        matrix[k] = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  return first_sign;
}

void VectorWalker::set_time(std::size_t n) {
  const std::size_t count = run_.inputs.count();
  time_[0] = run_.march.model.time().time(n);
  if (count == 0) return;
  run_.inputs.copy(n, std::span(time_).subspan(1, count));
  if (n == run_.march.steps.back()) return;
  run_.inputs.copy(n + 1, std::span(time_).subspan(1 + count, count));
}

std::int64_t VectorWalker::step(std::size_t n, const Noise& noise) {
  const TimeGrid& grid = run_.march.model.time();
  set_time(n);
  if (n == 0 && first_) {
    call(*first_, noise);
    return 0;
  }
  if (!damping_.empty()) run_.march.plan.method.damping.arguments(n, grid, damping_);
  std::int64_t sign = 0;
  for (Call& stage : step_) {
    call(stage, noise);
    if (stage.bound->stage->inversion) sign = invert(*stage.bound->stage, n);
  }
  return sign;
}

std::vector<std::int64_t> VectorWalker::orientations_without_noise() {
  std::vector<std::int64_t> signs(run_.march.steps.back());
  start([](std::size_t) { return std::size_t{0}; });
  for (std::size_t n = 0; n < signs.size(); ++n)
    signs[n] = step(n, {noise_.data(), inside_.data()});
  return signs;
}

void VectorWalker::advance(std::size_t n) {
  step(n, {noise_.of_step(first_path_, n), inside_.of_step(first_path_, n)});
}

bool VectorWalker::walk(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                        PathGroup& group, const std::atomic<bool>* stop) {
  constexpr std::size_t steps_between_looks = 256;
  begin(first_path);
  std::size_t n = 0;
  for (std::size_t k = 0; k < run_.march.steps.size(); ++k) {
    for (; n < run_.march.steps[k]; ++n) {
      const bool looks = n % steps_between_looks == 0 && stop != nullptr;
      if (looks && stop->load(std::memory_order_relaxed)) return false;
      advance(n);
    }
    record(k, first_row, rows, group);
  }
  return true;
}

void VectorWalker::record(std::size_t snapshot, std::size_t first_row, std::size_t rows,
                          PathGroup& group) {
  auto& tables = group.snapshots[snapshot].tables();
  for (std::size_t a = 0; a < tables.size(); ++a) {
    const double* source = now(run_.compiled.recorded[a]);
    Matrix& table = tables[a].second;
    for (std::size_t p = 0; p < rows; ++p) {
      const double* lane = source + (p / lanes_) * table.cols * lanes_ + p % lanes_;
      double* row = table.data.data() + (first_row + p) * table.cols;
      for (std::size_t c = 0; c < table.cols; ++c) row[c] = lane[c * lanes_];
    }
  }
}

// Of the first path of the block. The states come first: what is made of them fails with them.
std::optional<std::string> VectorWalker::first_non_finite() const {
  const std::vector<const Result*> recorded = run_.march.plan.recorded();
  for (std::size_t a = 0; a < recorded.size(); ++a) {
    const double* values = now(run_.compiled.recorded[a]);
    for (std::size_t c = 0; c < recorded[a]->values.size(); ++c) {
      if (std::isfinite(values[c * lanes_])) continue;
      return component_in_words(*recorded[a], c, run_.march.model);
    }
    if (a != 0) continue;
    for (const CompiledStage& stage : run_.compiled.step) {
      if (stage.inversion && !std::isfinite(now(stage.inverse)[0])) {
        return std::string(inverse_jacobian);
      }
    }
  }
  return std::nullopt;
}

std::optional<FailedPath> VectorWalker::locate_failure(std::uint64_t path, Trail* trail) {
  constexpr std::size_t longest_trail = 256;
  const TimeGrid& grid = run_.march.model.time();
  const std::size_t last = run_.march.steps.back();
  std::deque<std::vector<double>> before;
  begin(path);
  for (std::size_t n = 0; n <= last; ++n) {
    if (const auto what = first_non_finite()) {
      if (trail == nullptr) return FailedPath{path, grid.time(n), *what};
      trail->x.cols = dimension_;
      for (const std::vector<double>& row : before) {
        trail->times.push_back(grid.time(n - before.size() + trail->x.rows++));
        trail->x.data.insert(trail->x.data.end(), row.begin(), row.end());
      }
      return FailedPath{path, grid.time(n), *what};
    }
    if (trail != nullptr) {
      if (before.size() == longest_trail) before.pop_front();
      std::vector<double>& row = before.emplace_back(dimension_);
      for (std::size_t i = 0; i < dimension_; ++i) row[i] = states()[i * lanes_];
    }
    if (n < last) advance(n);
  }
  return std::nullopt;
}

}  // namespace divker::march
