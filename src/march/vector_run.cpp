#include "march/vector_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "divker/error.hpp"
#include "march/group.hpp"
#include "march/vector_walker.hpp"

namespace divker::march {
namespace {

void require_served(const Argument& argument) {
  switch (argument.role) {
    case Role::carried:
    case Role::noise:
    case Role::inside:
    case Role::start_noise:
    case Role::sample:
    case Role::time:
    case Role::schedule:
    case Role::parameters:
    case Role::step_size:
      return;
  }
  throw Error(ErrorKind::usage,
              fmt::format("The array '{}' has the role {}, which the vectors of this processor do "
                          "not serve.",
                          argument.name, static_cast<int>(argument.role)));
}

bool reads(const Program& program, const std::string& array) {
  return std::ranges::any_of(program.arguments, [&array](const Argument& argument) {
    return argument.role == Role::carried && argument.name == array;
  });
}

VectorRun::BoundStage bind(const CompiledStage& stage, const Model& model) {
  const std::vector<double> parameters = model.parameter_values();
  const double dt = model.time().step;
  std::vector<std::span<const double>> values;
  for (const Role role : stage.roles) {
    if (role == Role::parameters) values.emplace_back(parameters);
    if (role == Role::step_size) values.emplace_back(&dt, 1);
  }
  return {&stage, stage.kernel->bind(values)};
}

// Vectors that a thread advances together: as many as keep the block in the first-level cache.
std::size_t choose_vectors(const CompiledPlan& compiled, const Model& model, std::size_t block) {
  const std::size_t lanes = compiled.lanes();
  std::size_t wanted = block / lanes;
  if (block == 0) {
    constexpr std::size_t cache_bytes = 32 * 1024;
    const std::size_t noise = model.noise_count();
    std::size_t doubles =
        noise * batch_steps(noise) + compiled.inside * batch_steps(compiled.inside);
    for (const SharedArray& array : compiled.arrays) {
      doubles += array.is_doubled ? 2 * array.width : array.width;
    }
    wanted = cache_bytes / (doubles * lanes * sizeof(double));
  }
  std::size_t vectors = 1;
  while (2 * vectors <= std::min(wanted, group_paths / lanes)) vectors *= 2;
  return vectors;
}

}  // namespace

CompiledPlan::CompiledPlan(const Plan& plan) {
  check_arrays(plan);
  start = compile(plan.start);
  if (plan.first) first = compile({*plan.first, std::nullopt, 0});
  for (const Stage& stage : plan.step) step.push_back(compile(stage));
  for (const std::size_t made : start.results) arrays[made].begins_at_zero = false;
  constexpr std::size_t most_arrays = 64;  // a walker marks their buffers by bits
  if (arrays.size() > most_arrays) {
    throw Error(ErrorKind::usage,
                fmt::format("The programs of a path share {} arrays; the limit is {}.",
                            arrays.size(), most_arrays));
  }
  for (const Result* result : plan.recorded()) recorded.push_back(number_of(result->name));
}

std::size_t CompiledPlan::number_of(const std::string& array) const {
  const auto found = std::ranges::find(arrays, array, &SharedArray::name);
  return static_cast<std::size_t>(found - arrays.begin());
}

std::size_t CompiledPlan::share(const std::string& name, std::size_t width) {
  const std::size_t number = number_of(name);
  if (number == arrays.size()) arrays.push_back({name, width, false});
  return number;
}

CompiledStage CompiledPlan::compile(const Stage& stage) {
  const Program& program = stage.program;
  CompiledStage compiled;
  for (const Argument& argument : program.arguments) {
    require_served(argument);
    if (argument.role == Role::inside) inside = std::max(inside, argument.inputs.size());
    compiled.roles.push_back(argument.role);
    compiled.arguments.push_back(argument.role == Role::carried
                                     ? share(argument.name, argument.inputs.size())
                                     : CompiledStage::none);
  }
  for (const Result& result : program.results) {
    const std::size_t number = share(result.name, result.values.size());
    compiled.results.push_back(number);
    if (result.fate == Fate::accumulated) arrays[number].begins_at_zero = true;
    if (result.fate == Fate::replaced && reads(program, result.name)) {
      arrays[number].is_doubled = true;
    }
  }
  if (stage.inversion) {
    compiled.inversion = stage.inversion;
    compiled.entries = number_of(stage.inversion->entries);
    compiled.inverse =
        share(stage.inversion->inverse, stage.inversion->dimension * stage.inversion->dimension);
  }
  const auto began = std::chrono::steady_clock::now();
  compiled.kernel = Kernel::compile(program, {0, stage.chunk});
  compile_seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return compiled;
}

InputsAtSteps::InputsAtSteps(const Model& model, std::size_t steps)
    : inputs_(model.inputs()), grid_(model.time()) {
  constexpr std::size_t most = std::size_t{1} << 24U;
  const std::size_t width = inputs_.size();
  if (width == 0 || steps >= most / width) return;
  std::vector<double> values(width * (steps + 1));
  for (std::size_t n = 0; n <= steps; ++n) {
    interpolate(n, std::span(values).subspan(n * width, width));
  }
  values_ = std::move(values);
}

void InputsAtSteps::interpolate(std::size_t n, std::span<double> out) const {
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = inputs_[k].at(grid_.time(n));
}

void InputsAtSteps::copy(std::size_t n, std::span<double> out) const {
  if (values_.empty()) return interpolate(n, out);
  std::copy_n(values_.data() + n * out.size(), out.size(), out.data());
}

VectorRun::VectorRun(const CompiledPlan& compiled_, const March& march_, std::size_t block)
    : compiled(compiled_),
      march(march_),
      vectors(choose_vectors(compiled, march.model, block)),
      start(bind(compiled.start, march.model)),
      inputs(march.model, march.steps.back()),
      step_noise(march.sampling.seed, Stream::step, march.sampling.resolution),
      inside_noise(march.sampling.seed, Stream::inside, march.sampling.resolution),
      start_noise(march.sampling.seed, Stream::start, march.sampling.resolution),
      pick(march.sampling.seed, Stream::pick, march.sampling.resolution) {
  if (compiled.first) first = bind(*compiled.first, march.model);
  for (const CompiledStage& stage : compiled.step) step.push_back(bind(stage, march.model));
  const bool inverts = std::ranges::any_of(
      compiled.step, [](const CompiledStage& stage) { return stage.inversion.has_value(); });
  if (inverts) orientations = VectorWalker(*this, 1).orientations_without_noise();
}

std::unique_ptr<Walker> VectorRun::walker() const {
  return std::make_unique<VectorWalker>(*this, vectors);
}

namespace {

class VectorPrepared : public Prepared {
 public:
  explicit VectorPrepared(const Plan& plan) : compiled_(plan) {}
  [[nodiscard]] std::unique_ptr<Run> begin(const March& march, std::size_t block) const override {
    return std::make_unique<VectorRun>(compiled_, march, block);
  }
  [[nodiscard]] double compile_seconds() const override { return compiled_.compile_seconds; }
  [[nodiscard]] std::string arithmetic() const override {
    return fmt::format("{} paths to a vector, {}", compiled_.lanes(), random_instruction_set());
  }

 private:
  CompiledPlan compiled_;
};

class VectorMarcher : public Marcher {
 public:
  [[nodiscard]] std::string_view name() const override { return "vectors"; }
  [[nodiscard]] std::unique_ptr<Prepared> prepare(const Plan& plan) const override {
    return std::make_unique<VectorPrepared>(plan);
  }
};

}  // namespace
}  // namespace divker::march

namespace divker {

const Marcher& vector_marcher() {
  static const march::VectorMarcher marcher;
  return marcher;
}

}  // namespace divker
