// From any model the programs of every method can be planned, or are refused with an Error, within
// the limits.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/plan.hpp"

namespace {

using namespace divker;

[[noreturn]] void fault(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Every root is a node of the graph, and the program evaluates without a fault.
void check(const Program& program) {
  const std::vector<double> inputs(program.graph->input_count(), 0.5);
  const std::vector<double> values = evaluate(*program.graph, program.roots(), inputs);
  if (values.size() != program.roots().size()) fault("Not every result has a value.");
}

void check(const Plan& plan) {
  check(plan.start.program);
  if (plan.first) check(*plan.first);
  for (const Stage& stage : plan.step) check(stage.program);
}

void unless_refused(const Model& model, const Method& method, const Asked& asked) {
  try {
    check(plan(model, method, asked));
  } catch (const Error&) {
    return;
  }
  if (refusal(model, method, asked)) fault("What is planned is refused.");
}

void plan_all(const Model& model) {
  const Asked responses = Asked::responses_to(model.free_parameters());
  const std::vector<Damping> dampings{constant_damping(1.0), jacobian_damping(1.0, 0.5),
                                      kernel_damping(), mixed_damping(1.0, 0.5)};
  for (const Scheme scheme : {Scheme::euler, Scheme::exact}) {
    for (const Damping& damping : dampings) {
      Method method;
      method.scheme = scheme;
      method.damping = damping;
      unless_refused(model, method, responses);
    }
  }
  Method second;
  second.order = InverseOrder::second;
  second.damping = jacobian_damping(1.0, 0.5);
  unless_refused(model, second, responses);
  unless_refused(model, {}, Asked::states());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const LanguageLimits limits{4096, 30, 10, 300};
  try {
    plan_all(parse_model({reinterpret_cast<const char*>(data), size}, "fuzz", limits));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
