// divker diagnose: can the answers be trusted, and is this the method to use?
#include "divker/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/error.hpp"
#include "observable_report.hpp"
#include "parameters.hpp"
#include "point_report.hpp"

namespace divker::app {
namespace {

struct DiagnoseFlags : PointOptions {
  ParameterFlags parameters;
  std::string observable;
};

void print_checks(const Diagnosis& diagnosis) {
  for (const Check& check : diagnosis.checks) {
    fmt::print("{:<8} {:<19} {}\n", name_of(check.verdict), check.name, check.finding);
    if (!check.advice.empty()) fmt::print("{:<28} -> {}\n", "", check.advice);
  }
}

void print_dampings(const Diagnosis& diagnosis) {
  const auto& candidates = diagnosis.effective.choice.candidates;
  if (candidates.empty()) return;
  constexpr std::size_t shown = 8;
  fmt::print("\ndamping by the pilot (geometric mean of the variances of nu and I):\n");
  std::vector<std::string> seen;
  for (const DampingCandidate& candidate : candidates) {
    const std::string text = candidate.damping.text();
    if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
    if (seen.size() == shown) break;
    seen.push_back(text);
    fmt::print("  {:<20} {:>10.4g}\n", text, candidate.cost);
  }
}

void print_methods(const Diagnosis& diagnosis, const std::vector<std::string>& names) {
  fmt::print("\nresponse of E[{}], standard errors by method:\n", diagnosis.observable);
  fmt::print("  {:<20} {:>10} {:>9}", "method", "path-runs", "seconds");
  for (const std::string& name : names) fmt::print(" {:>10}", name);
  fmt::print("\n");
  for (const MethodCost& cost : diagnosis.methods) {
    if (!cost.problem.empty()) {
      fmt::print("  {:<20} {}\n", name_of(cost.method), cost.problem);
      continue;
    }
    fmt::print("  {:<20} {:>10} {:>9.3g}", name_of(cost.method), cost.path_runs, cost.seconds);
    for (const double error : cost.standard_errors) fmt::print(" {:>10.3g}", error);
    fmt::print("\n");
  }
}

int run_diagnosis(const DiagnoseFlags& flags, const CLI::App& command) {
  const LoadedModel loaded = load(flags);
  DiagnoseOptions options;
  options.answer = flags.answer_options_with_points(loaded);
  // Every check is a run of its own: fewer paths than an answer by default.
  if (command.get_option("--paths")->count() == 0) options.answer.run.paths = 20'000;
  options.answer.run.progress = nullptr;
  options.parameters = flags.parameters.chosen(loaded.model);
  options.observable = flags.observable;
  if (!flags.observable.empty()) check_observable(loaded.model, flags.observable);
  if (!flags.at.empty()) {
    options.points = points_at(flags.at, loaded, options.answer.run, flags.grid);
  }
  const Diagnosis diagnosis = diagnose(loaded.model, options);
  std::vector<std::string> names;
  names.reserve(options.parameters.size());
  for (const std::size_t p : options.parameters) {
    names.push_back(loaded.model.parameters()[p].name);
  }
  if (flags.json) {
    JsonObject object;
    fields::diagnosis(object, names, diagnosis);
    object.json.update(describe(flags, loaded.model, diagnosis.effective));
    print_json(object.json);
    return finish(flags, diagnosis.effective);
  }
  print_checks(diagnosis);
  print_dampings(diagnosis);
  print_methods(diagnosis, names);
  return finish(flags, diagnosis.effective);
}

}  // namespace

void add_diagnose(CLI::App& app, int& code) {
  auto options = std::make_shared<DiagnoseFlags>();
  CLI::App* command = app.add_subcommand(
      "diagnose", "Checks a model: damping, blow-ups, bias of dt, error bars, other methods");
  options->declare_all(*command);
  command->get_option("--paths")->description("Number of paths of each run (default: 20000)");
  for (const char* other : {"--out", "--fokker-planck"}) {
    command->remove_option(command->get_option(other));
  }
  options->parameters.declare(*command);
  command
      ->add_option("--observable", options->observable,
                   "An expression of states, parameters and t (default: the mean square)")
      ->type_name("EXPR")
      ->check(not_empty());
  command->callback([options, command, &code] { code = run_diagnosis(*options, *command); });
}

}  // namespace divker::app
