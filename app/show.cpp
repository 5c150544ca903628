// divker show: the equations, what kind of noise they have, and what is derived from them.
#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"
#include "divker/exact_step.hpp"
#include "divker/kernel.hpp"
#include "divker/step.hpp"

namespace divker::app {
namespace {

struct Count {
  std::string what;
  std::size_t operations;
};

std::string counted(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::size_t operations(const Program& program) {
  return operation_count(*program.graph, program.roots());
}

// Operations of one step of one path, for what each subcommand carries.
std::vector<Count> count_operations(const Model& model) {
  StepOptions states;
  states.score = false;
  StepOptions score;
  StepOptions response;
  response.responses = model.free_parameters();
  const bool is_map = model.dynamics() == Dynamics::map;
  const bool has_silent = std::ranges::count(model.noisy(), false) != 0;
  // A map's usual step is the kernel's, where every state has noise.
  const auto step = [&](const StepOptions& options) {
    if (!is_map) return derive_divergence_step(model, options);
    return options.score && has_silent ? derive_exact_step(model, options)
                                       : derive_kernel_step(model, options, false);
  };
  std::vector<Count> counts{{"states", operations(step(states))},
                            {"states and score", operations(step(score))}};
  if (!response.responses.empty()) {
    counts.push_back({"states, score and " + counted(response.responses.size(), "response"),
                      operations(step(response))});
  }
  if (!is_map) {
    response.damping = DampingForm::jacobian;
    counts.push_back({"the same with Jacobian damping", operations(step(response))});
  }
  if (is_map && !kink_of(model) && model.dimension() <= largest_exact_dimension) {
    const std::size_t entries = operations(derive_step_jacobian(model, response).program);
    counts.push_back({fmt::format("the same by the exact divergence step, beside the inverse of "
                                  "its {0} x {0} Jacobian",
                                  model.dimension()),
                      entries + operations(derive_exact_step(model, response))});
  }
  return counts;
}

void print(const Model& model, const std::vector<Count>& counts) {
  fmt::print("{}\n", model.text());
  const bool is_map = model.dynamics() == Dynamics::map;
  fmt::print("{}: {}, {}, {}", is_map ? "discrete-time map" : "Ito SDE",
             counted(model.dimension(), "state"),
             counted(model.noise_count(), is_map ? "random number" : "Brownian motion"),
             counted(model.parameters().size(), "parameter"));
  fmt::print("{}\n", model.parameters().empty()
                         ? std::string()
                         : fmt::format(" of which {} free", model.free_parameters().size()));
  fmt::print("noise: {}\n", name_of(model.noise_class()));
  fmt::print("start: {}\n", model.has_initial_density()
                                ? "from the initial law's own score"
                                : "score-free (the initial law has no density on some state)");
  fmt::print("steps: {} of {}\n", model.time().steps(), model.time().step);
  fmt::print("operations for one step of one path:\n");
  for (const Count& count : counts) fmt::print("{:>10}  {}\n", count.operations, count.what);
  fmt::print("lanes: {}\nhash: {}\n", host_lanes(), model.hash());
}

}  // namespace

void add_show(CLI::App& app, int& code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* command =
      app.add_subcommand("show", "Print a model, its noise class and what is derived");
  options->declare_model(*command);
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback([options, &code] {
    const Model model = configured_model(*options);
    const std::vector<Count> counts = count_operations(model);
    if (options->json) {
      Json json{{"model", model.name()},
                {"model_text", model.text()},
                {"model_hash", model.hash()},
                {"dynamics", model.dynamics() == Dynamics::map ? "map" : "sde"},
                {"states", model.dimension()},
                {"brownian_motions", model.noise_count()},
                {"noise", name_of(model.noise_class())},
                {"score_free_start", !model.has_initial_density()},
                {"steps", model.time().steps()},
                {"lanes", host_lanes()}};
      Json parameters = Json::array();
      for (const Parameter& parameter : model.parameters()) {
        parameters.push_back(
            {{"name", parameter.name}, {"value", parameter.value}, {"fixed", parameter.fixed}});
      }
      json["parameters"] = parameters;
      Json operations_json;
      for (const Count& count : counts) operations_json[count.what] = count.operations;
      json["operations"] = operations_json;
      print_json(json);
    } else {
      print(model, counts);
    }
    code = exit_done;
  });
}

}  // namespace divker::app
