// From any model all steps can be derived, or are refused with an Error, within the limits.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "divker/exact_step.hpp"
#include "divker/language.hpp"
#include "divker/step.hpp"

namespace {

using namespace divker;

// Every root is a node of the graph, and the program evaluates without a fault.
void check(const Program& program) {
  const std::vector<double> inputs(program.graph->input_count(), 0.5);
  const std::vector<double> values = evaluate(*program.graph, program.roots(), inputs);
  if (values.size() == program.roots().size()) return;
  std::fprintf(stderr, "%zu values of %zu results.\n", values.size(), program.roots().size());
  std::abort();
}

template <class Derive>
void unless_refused(Derive derive) {
  try {
    check(derive());
  } catch (const Error&) {
    return;
  }
}

void derive_all(const Model& model) {
  StepOptions options;
  options.responses = model.free_parameters();
  unless_refused([&] { return derive_start(model, options); });
  unless_refused([&] { return derive_kernel_step(model, options, true); });
  unless_refused([&] { return derive_divergence_step(model, options); });
  options.order = InverseOrder::second;
  options.damping = DampingForm::jacobian;
  unless_refused([&] { return derive_divergence_step(model, options); });
  options.damping = DampingForm::mixed;
  unless_refused([&] { return derive_exact_step(model, options); });
  unless_refused([&] { return derive_step_jacobian(model, options).program; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const LanguageLimits limits{4096, 30, 10, 300};
  try {
    derive_all(parse_model({reinterpret_cast<const char*>(data), size}, "fuzz", limits));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
