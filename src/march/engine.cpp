#include "march/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <string_view>
#include <utility>

#include "divker/error.hpp"
#include "divker/exact_step.hpp"

namespace divker::march {
namespace {

constexpr std::array<std::pair<std::string_view, Slot>, 10> slot_names{{
    {"x", Slot::x},
    {"nu", Slot::nu},
    {"b", Slot::b},
    {"t", Slot::t},
    {"damping", Slot::damping},
    {"I", Slot::responses},
    {"z", Slot::z},
    {"sample", Slot::sample},
    {"jacobian", Slot::jacobian},
    {"inverse", Slot::inverse},
}};

Slot slot_of(const std::string& name) {
  for (const auto& [known, slot] : slot_names) {
    if (known == name) return slot;
  }
  return Slot::run;
}

Stage make_stage(const Program& program, double& compile_seconds,
                 const KernelOptions& options = {}) {
  Stage stage;
  const double before = Kernel::total_compile_seconds();
  stage.kernel = Kernel::compile(program, options);
  compile_seconds += Kernel::total_compile_seconds() - before;
  for (const Argument& argument : program.arguments) {
    stage.arguments.push_back(slot_of(argument.name));
    if (argument.rate == Rate::run) stage.run_arguments.push_back(argument.name);
  }
  for (const Result& result : program.results) stage.results.push_back(slot_of(result.name));
  return stage;
}

std::vector<double> bind(const Stage& stage, const Model& model) {
  const std::vector<double> parameters = model.parameter_values();
  const double dt = model.time().step;
  std::vector<std::span<const double>> values;
  for (const std::string& name : stage.run_arguments) {
    values.emplace_back(name == "dt" ? std::span<const double>(&dt, 1)
                                     : std::span<const double>(parameters));
  }
  return stage.kernel->bind(values);
}

bool is_exact(const Model& model, const StepOptions& options) {
  return options.score && options.damping != DampingForm::kernel &&
         (options.scheme == Scheme::exact || model.dynamics() == Dynamics::map);
}

void check_order(const Model& model, const StepOptions& options) {
  if (options.order == InverseOrder::first) return;
  if (model.dynamics() == Dynamics::map) {
    throw Error(ErrorKind::usage,
                fmt::format("The order in the inverse is that of an expansion in dt, but model {} "
                            "is a discrete-time map, whose step is exact.",
                            model.name()));
  }
  if (options.scheme == Scheme::exact) {
    throw Error(ErrorKind::usage,
                "The order in the inverse is that of the Euler scheme; the exact scheme keeps all "
                "orders.");
  }
}

Program derive_step(const Model& model, const StepOptions& options) {
  if (is_exact(model, options)) return derive_exact_step(model, options);
  const bool is_kernel = options.score && options.damping == DampingForm::kernel;
  if (is_kernel || model.dynamics() == Dynamics::map) {
    return derive_kernel_step(model, options, false);
  }
  return derive_divergence_step(model, options);
}

}  // namespace

Engine::Engine(const Model& model_, const StepOptions& options_)
    : model(model_), options(options_) {
  check_order(model, options);
  start = make_stage(derive_start(model, options), compile_seconds);
  const Program program = derive_step(model, options);
  step = make_stage(program, compile_seconds);
  operations = operation_count(*program.graph, program.roots());
  if (is_exact(model, options)) {
    const JacobianProgram entries = derive_step_jacobian(model, options);
    operations += operation_count(*entries.program.graph, entries.program.roots());
    // Many results that share little: short functions run as fast, and LLVM is done much sooner.
    constexpr std::size_t chunk = 100;
    jacobian =
        JacobianStage{make_stage(entries.program, compile_seconds, {0, chunk}), entries.places};
  }
  if (options.score && !model.has_initial_density()) {
    first = make_stage(derive_kernel_step(model, options, true), compile_seconds);
  }
}

RunPlan::RunPlan(const Engine& engine_, const RunOptions& options_)
    : engine(engine_),
      options(options_),
      damping(options_.damping),
      snapshots(snapshot_steps(engine_.model.time(), options_.snapshots)),
      start_constants(bind(engine_.start, engine_.model)),
      first_constants(engine_.first ? bind(*engine_.first, engine_.model) : std::vector<double>{}),
      jacobian_constants(engine_.jacobian ? bind(engine_.jacobian->stage, engine_.model)
                                          : std::vector<double>{}),
      step_constants(bind(engine_.step, engine_.model)),
      step_noise(options_.seed, Stream::step, options_.resolution),
      start_noise(options_.seed, Stream::start, options_.resolution),
      pick(options_.seed, Stream::pick, options_.resolution) {
  // The first step of an SDE leaves a covector of the size of 1/sqrt(dt), that of a map does not.
  const bool is_sde = engine.model.dynamics() == Dynamics::sde;
  if (is_sde && engine.score_free()) damping.early = true;
  if (engine.jacobian) orientations = Block(*this, 1).orientations_without_noise();
}

namespace {

// Steps whose random numbers are made together: few enough to stay in the first-level cache, many
// enough that the call does not count.
std::size_t steps_per_fill(std::size_t noise_count, std::size_t paths) {
  constexpr std::size_t most_numbers = 2048;
  const std::size_t least = batch_steps(noise_count);
  return least * std::max<std::size_t>(1, most_numbers / (least * noise_count * paths));
}

}  // namespace

Block::Block(const RunPlan& plan, std::size_t vectors)
    : plan_(plan),
      vectors_(vectors),
      lanes_(plan.engine.lanes()),
      dimension_(plan.engine.model.dimension()),
      noise_count_(plan.engine.model.noise_count()),
      response_count_(plan.engine.options.responses.size()),
      batch_(steps_per_fill(noise_count_, vectors * lanes_)) {
  const std::size_t width = paths();
  for (AlignedArray* state : {&x_, &x_next_, &nu_, &nu_next_, &sample_}) {
    state->resize(width * dimension_);
  }
  z_.resize(width * dimension_ * batch_steps(dimension_));
  responses_.resize(width * std::max<std::size_t>(response_count_, 1));
  noise_.resize(width * noise_count_ * batch_);
  if (plan.options.increments_per_step > 1) {
    fine_noise_.resize(width * noise_count_ * batch_ * plan.options.increments_per_step);
  }
  std::size_t scratch = plan.engine.start.kernel->scratch_size();
  scratch = std::max(scratch, plan.engine.step.kernel->scratch_size());
  if (plan.engine.first) scratch = std::max(scratch, plan.engine.first->kernel->scratch_size());
  if (const auto& jacobian = plan.engine.jacobian) {
    scratch = std::max(scratch, jacobian->stage.kernel->scratch_size());
    jacobian_.resize(width * jacobian->places.size());
    inverse_.resize(width * dimension_ * dimension_);
    invert_.emplace(dimension_, lanes_);
  }
  scratch_.resize(scratch);
  damping_.resize(std::max<std::size_t>(plan.damping.argument_count(), 1));
  start_ = prepare(plan.engine.start, plan.start_constants);
  if (plan.engine.first) first_ = prepare(*plan.engine.first, plan.first_constants);
  if (plan.engine.jacobian) {
    jacobian_call_ = prepare(plan.engine.jacobian->stage, plan.jacobian_constants);
  }
  step_ = prepare(plan.engine.step, plan.step_constants);
}

double* Block::array(Slot slot, std::size_t parity, bool as_result) {
  const bool is_first = (parity == 0) != as_result;
  switch (slot) {
    case Slot::x:
      return is_first ? x_.data() : x_next_.data();
    case Slot::nu:
      return is_first ? nu_.data() : nu_next_.data();
    case Slot::b:
      return noise_.data();
    case Slot::t:
      return &t_;
    case Slot::damping:
      return damping_.data();
    case Slot::responses:
      return responses_.data();
    case Slot::z:
      return z_.data();
    case Slot::sample:
      return sample_.data();
    case Slot::jacobian:
      return jacobian_.data();
    case Slot::inverse:
      return inverse_.data();
    case Slot::run:
      return nullptr;
  }
  return nullptr;
}

Block::Call Block::prepare(const Stage& stage, const std::vector<double>& constants) {
  Call call{stage.kernel.get(), constants.data(), {}, std::nullopt};
  for (std::size_t parity = 0; parity < 2; ++parity) {
    Pointers& pointers = call.pointers[parity];
    for (const Slot slot : stage.arguments) {
      pointers.arguments.push_back(array(slot, parity, false));
    }
    for (const Slot slot : stage.results) pointers.results.push_back(array(slot, parity, true));
  }
  const auto noise = std::ranges::find(stage.arguments, Slot::b);
  if (noise != stage.arguments.end()) {
    call.noise = static_cast<std::size_t>(noise - stage.arguments.begin());
  }
  return call;
}

void Block::call(Call& stage, const double* noise) {
  Pointers& pointers = stage.pointers[parity_];
  if (stage.noise) pointers.arguments[*stage.noise] = noise;
  (*stage.kernel)(stage.constants, pointers.arguments.data(), pointers.results.data(), vectors_,
                  scratch_.data());
}

void Block::make(Call& stage, const double* noise) {
  call(stage, noise);
  parity_ = 1 - parity_;
}

void Block::start(const std::function<std::size_t(std::size_t)>& sample_row) {
  if (plan_.engine.model.starts_from_samples()) {
    const Matrix& samples = *plan_.options.samples;
    for (std::size_t p = 0; p < paths(); ++p) {
      const std::size_t row = sample_row(p);
      for (std::size_t i = 0; i < dimension_; ++i) {
        sample_.data()[((p / lanes_) * dimension_ + i) * lanes_ + p % lanes_] = samples(row, i);
      }
    }
  }
  make(start_, nullptr);
}

void Block::begin(std::uint64_t first_path) {
  first_path_ = first_path;
  plan_.start_noise.fill(first_path, 0, batch_steps(dimension_), vectors_, dimension_, lanes_,
                         z_.data());
  start([&](std::size_t p) {
    const double u = plan_.pick.uniform(first_path + p, 0);
    return static_cast<std::size_t>(u * static_cast<double>(plan_.options.samples->rows));
  });
}

std::int64_t Block::invert_jacobians(std::size_t n, const double* noise) {
  call(jacobian_call_, noise);
  const std::vector<std::size_t>& places = plan_.engine.jacobian->places;
  const std::size_t size = dimension_ * dimension_ * lanes_;
  std::int64_t first_sign = 0;
  for (std::size_t v = 0; v < vectors_; ++v) {
    double* matrix = inverse_.data() + v * size;
    std::fill_n(matrix, size, 0.0);
    const double* entry = jacobian_.data() + v * places.size() * lanes_;
    for (const std::size_t place : places) {
      std::copy_n(entry, lanes_, matrix + place * lanes_);
      entry += lanes_;
    }
    (*invert_)(matrix);
    if (v == 0) first_sign = invert_->signs().front();
    for (std::size_t lane = 0; lane < lanes_ && !plan_.orientations.empty(); ++lane) {
      const std::int64_t sign = invert_->signs()[lane];
      if (sign != 0 && sign == plan_.orientations[n]) continue;
      for (std::size_t k = lane; k < size; k += lanes_) {
        matrix[k] = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  return first_sign;
}

void Block::step(std::size_t n, const double* noise) {
  if (plan_.engine.options.score) plan_.damping.arguments(n, plan_.engine.model.time(), damping_);
  make(step_, noise);
}

std::vector<std::int64_t> Block::orientations_without_noise() {
  const std::size_t steps = plan_.snapshots.back();
  std::vector<std::int64_t> signs(steps);
  start([](std::size_t) { return std::size_t{0}; });
  for (std::size_t n = 0; n < steps; ++n) {
    t_ = plan_.engine.model.time().time(n);
    if (n == 0 && plan_.engine.first) {
      make(first_, noise_.data());
      continue;
    }
    signs[n] = invert_jacobians(n, noise_.data());
    step(n, noise_.data());
  }
  return signs;
}

void Block::draw(std::size_t n) {
  const std::size_t fine = plan_.options.increments_per_step;
  if (fine <= 1) {
    plan_.step_noise.fill(first_path_, n, batch_, vectors_, noise_count_, lanes_, noise_.data());
    return;
  }
  plan_.step_noise.fill(first_path_, n * fine, batch_ * fine, vectors_, noise_count_, lanes_,
                        fine_noise_.data());
  const std::size_t size = paths() * noise_count_;  // of one step
  const double scale = 1.0 / std::sqrt(static_cast<double>(fine));
  for (std::size_t step = 0; step < batch_; ++step) {
    const double* from = fine_noise_.data() + step * fine * size;
    double* to = noise_.data() + step * size;
    for (std::size_t i = 0; i < size; ++i) {
      double sum = 0.0;
      for (std::size_t k = 0; k < fine; ++k) sum += from[k * size + i];
      to[i] = scale * sum;
    }
  }
}

void Block::advance(std::size_t n) {
  if (n % batch_ == 0) draw(n);
  const double* noise = noise_.data() + (n % batch_) * paths() * noise_count_;
  t_ = plan_.engine.model.time().time(n);
  if (n == 0 && plan_.engine.first) {
    make(first_, noise);
    return;
  }
  if (invert_) invert_jacobians(n, noise);
  step(n, noise);
}

bool Block::stopped() const {
  return plan_.options.stop != nullptr && plan_.options.stop->load(std::memory_order_relaxed);
}

bool Block::march(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                  PathGroup& group) {
  constexpr std::size_t steps_between_looks = 256;
  begin(first_path);
  std::size_t n = 0;
  for (std::size_t k = 0; k < plan_.snapshots.size(); ++k) {
    for (; n < plan_.snapshots[k]; ++n) {
      if (n % steps_between_looks == 0 && stopped()) return false;
      advance(n);
    }
    record(k, first_row, rows, group);
  }
  return true;
}

void Block::copy_rows(const double* source, std::size_t columns, std::size_t first_row,
                      std::size_t rows, Matrix& target) const {
  for (std::size_t p = 0; p < rows; ++p) {
    const double* lane = source + (p / lanes_) * columns * lanes_ + p % lanes_;
    double* row = target.data.data() + (first_row + p) * columns;
    for (std::size_t c = 0; c < columns; ++c) row[c] = lane[c * lanes_];
  }
}

void Block::record(std::size_t snapshot, std::size_t first_row, std::size_t rows,
                   PathGroup& group) {
  copy_rows(x(), dimension_, first_row, rows, group.x[snapshot]);
  if (plan_.engine.options.score) {
    copy_rows(nu(), dimension_, first_row, rows, group.nu[snapshot]);
  }
  if (response_count_ != 0) {
    copy_rows(responses_.data(), response_count_, first_row, rows, group.responses[snapshot]);
  }
}

std::optional<std::string> Block::first_non_finite() const {
  for (std::size_t i = 0; i < dimension_; ++i) {
    if (!std::isfinite(x()[i * lanes_])) {
      return "state " + plan_.engine.model.states()[i].name;
    }
  }
  if (invert_ && !std::isfinite(inverse_.data()[0])) return std::string(inverse_jacobian);
  for (std::size_t i = 0; plan_.engine.options.score && i < dimension_; ++i) {
    if (!std::isfinite(nu()[i * lanes_])) {
      return "covector of " + plan_.engine.model.states()[i].name;
    }
  }
  for (std::size_t r = 0; r < response_count_; ++r) {
    if (!std::isfinite(responses_.data()[r * lanes_])) return "response";
  }
  return std::nullopt;
}

std::optional<FailedPath> Block::locate_failure(std::uint64_t path, Trail* trail) {
  constexpr std::size_t longest_trail = 256;
  const TimeGrid& grid = plan_.engine.model.time();
  std::deque<std::vector<double>> states;
  begin(path);
  for (std::size_t n = 0; n <= plan_.snapshots.back(); ++n) {
    if (const auto what = first_non_finite()) {
      if (trail == nullptr) return FailedPath{path, grid.time(n), *what};
      trail->x.cols = dimension_;
      for (const std::vector<double>& row : states) {
        trail->times.push_back(grid.time(n - states.size() + trail->x.rows++));
        trail->x.data.insert(trail->x.data.end(), row.begin(), row.end());
      }
      return FailedPath{path, grid.time(n), *what};
    }
    if (trail != nullptr) {
      if (states.size() == longest_trail) states.pop_front();
      std::vector<double>& row = states.emplace_back(dimension_);
      for (std::size_t i = 0; i < dimension_; ++i) row[i] = x()[i * lanes_];
    }
    if (n < plan_.snapshots.back()) advance(n);
  }
  return std::nullopt;
}

}  // namespace divker::march
