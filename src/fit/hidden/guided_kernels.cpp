#include "fit/hidden/guided_kernels.hpp"

#include <algorithm>
#include <span>

#include "fit/series/legs.hpp"

namespace divker::fit {
namespace {

derive::Symbols symbols_of(const Model& model) {
  return derive::Symbols(model, {}, LegRules(model).beyond_boundaries, false);
}

template <typename Derive>
std::shared_ptr<const Kernel> compiled(const Model& model, const Derive& derive) {
  const derive::Symbols s = symbols_of(model);
  Program program = derive(s);
  // Transitions have a dt each.
  for (Argument& one : program.arguments) {
    if (one.role == Role::step_size) one.role = Role::schedule;
  }
  return Kernel::compile(program);
}

}  // namespace

BoundKernel::BoundKernel(const Kernel& kernel, const std::vector<double>& parameters)
    : kernel_(&kernel) {
  const std::span<const double> values(parameters);
  constants_ = kernel.bind({&values, 1});
}

void BoundKernel::operator()(std::initializer_list<const double*> arguments,
                             std::initializer_list<double*> results, std::size_t vectors,
                             numbers::AlignedArray& scratch) const {
  (*kernel_)(constants_.data(), arguments.begin(), results.begin(), vectors, scratch.data());
}

GuidedKernels::GuidedKernels(const Model& model, const std::vector<std::size_t>& exact,
                             const std::vector<std::size_t>& noisy)
    : exact_(exact),
      noisy_(noisy),
      coordinates_(model),
      shape_{exact.size() + model.dimension(), model.dimension()},
      noises_(model.noise_count() + shape_.rows),
      inputs_(model.inputs()) {
  using derive::Symbols;
  is_additive_ = derive::has_additive_noise(symbols_of(model));
  const auto made = [&model](const auto& derive) { return compiled(model, derive); };
  companion_ = made([&](const Symbols& s) { return derive::guided_companion(s); });
  step_ = made([&](const Symbols& s) { return derive::guided_step(s, shape_); });
  arrival_ =
      made([&](const Symbols& s) { return derive::guided_arrival(s, shape_, exact_.size()); });
  lookahead_ = made([&](const Symbols& s) { return derive::guided_lookahead(s, shape_); });
  slopes_ = made([&](const Symbols& s) { return derive::observation_slopes(s, model, noisy_); });
  density_ = made([&](const Symbols& s) { return derive::observation_density(s, model, noisy_); });
  start_ = made([&](const Symbols& s) { return derive::start_density(s, model); });
  moments_ = made([&](const Symbols& s) { return derive::start_moments(s, model); });
}

GuidedKernels::Bound GuidedKernels::bind(const std::vector<double>& parameters) const {
  const auto bound = [&](const std::shared_ptr<const Kernel>& kernel) {
    return BoundKernel(*kernel, parameters);
  };
  return {bound(companion_), bound(step_),    bound(arrival_), bound(lookahead_),
          bound(slopes_),    bound(density_), bound(start_),   bound(moments_)};
}

std::size_t GuidedKernels::scratch_size() const {
  std::size_t largest = 1;
  for (const auto& kernel :
       {companion_, step_, arrival_, lookahead_, slopes_, density_, start_, moments_}) {
    largest = std::max(largest, kernel->scratch_size());
  }
  return largest;
}

std::vector<double> GuidedKernels::clock(double t, double dt) const {
  std::vector<double> values{t};
  for (const Input& input : inputs_) values.push_back(input.at(t));
  for (const Input& input : inputs_) values.push_back(input.at(t + dt));
  return values;
}

}  // namespace divker::fit
