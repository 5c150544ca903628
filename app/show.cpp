// divker show: the equations, what kind of noise they have, and what is derived from them.
#include <fmt/format.h>

#include "command.hpp"
#include "divker/boundaries.hpp"
#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"
#include "divker/state_coordinates.hpp"
#include "present/fields.hpp"

namespace divker::app {
namespace {

void print(const Model& model, const std::vector<present::OperationCount>& counts) {
  fmt::print("{}\n", model.text());
  const bool is_map = model.dynamics() == Dynamics::map;
  fmt::print("{}: {}, {}, {}", is_map ? "discrete-time map" : "Ito SDE",
             present::counted(model.dimension(), "state"),
             present::counted(model.noise_count(), is_map ? "random number" : "Brownian motion"),
             present::counted(model.parameters().size(), "parameter"));
  fmt::print("{}\n", model.parameters().empty()
                         ? std::string()
                         : fmt::format(" of which {} free", model.free_parameters().size()));
  fmt::print("noise: {}\n", name_of(model.noise_class()));
  if (!model.singular_noise().empty()) fmt::print("no score: {}\n", model.singular_noise());
  for (const ModelKink& kink : model_kinks(model)) {
    if (!kink.is_edge()) fmt::print("kink: {}\n", kink.sentence());
  }
  for (const Boundary& boundary : boundaries(model)) {
    fmt::print("boundary: {}\n", boundary.sentence);
  }
  for (const std::string& sentence : coordinates_in_words(model)) {
    fmt::print("coordinate: {}\n", sentence);
  }
  for (const PathFunctional& one : model.functionals()) {
    fmt::print("functional: {}, as {}, for observables\n", one.name, one.kind->usage());
  }
  fmt::print("start: {}\n", model.has_initial_density()
                                ? "from the initial law's own score"
                                : "score-free (the initial law has no density on some state)");
  for (const Input& input : model.inputs()) {
    fmt::print("input: {}, {} knots from t = {} to t = {}, {}\n", input.name,
               input.knots->times().size(), input.knots->times().front(),
               input.knots->times().back(),
               input.interpolation == Interpolation::step ? "constant between them"
                                                          : "linear between them");
  }
  fmt::print("steps: {} of {}\n", model.time().steps(), model.time().step);
  fmt::print("operations for one step of one path:\n");
  for (const present::OperationCount& count : counts)
    fmt::print("{:>10}  {}\n", count.operations, count.what);
  fmt::print("lanes: {}\nhash: {}\n", host_lanes(), model.hash());
}

}  // namespace

void add_show(CLI::App& app, int& code) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* command =
      app.add_subcommand("show", "Print a model, its noise class and what is derived");
  options->declare_model(*command);
  command->add_flag("--json", options->json, "Print one JSON object");
  auto as_latex = std::make_shared<bool>(false);
  command->add_flag("--latex", *as_latex, "Print the equations in LaTeX, for a paper")
      ->excludes("--json");
  command->callback([options, as_latex, &code] {
    const Model model = load_with_inputs(*options);
    code = exit_done;
    if (*as_latex) return fmt::print("{}", latex(model));
    const std::vector<present::OperationCount> counts = present::count_operations(model);
    if (options->json) {
      present::Fields about;
      present::fields::show(about, model, counts);
      print_json(to_json(about));
    } else {
      print(model, counts);
    }
  });
}

}  // namespace divker::app
