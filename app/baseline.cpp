#include "baseline.hpp"

#include <fmt/format.h>

#include "divker/baseline.hpp"
#include "divker/error.hpp"
#include "observable_report.hpp"

namespace divker::app {
namespace {

// Log densities at points come along with finite differences.
Remarks remarks_on(const Baseline& baseline, const std::vector<std::string>& parameters,
                   const std::vector<Estimate>& log_density = {}, const Matrix& points = {}) {
  Remarks remarks;
  remarks.text = fmt::format("\n{}: {} paths run", name_of(baseline.method), baseline.path_runs);
  if (baseline.pilot_runs > 0) {
    remarks.text += fmt::format(", {} to choose the steps", baseline.pilot_runs);
  }
  remarks.text += "\n";
  for (std::size_t p = 0; p < baseline.steps.size(); ++p) {
    remarks.text += fmt::format("step {:.4g} for {}", baseline.steps[p], parameters[p]);
    if (!baseline.bandwidths.empty()) {
      remarks.text += fmt::format(", bandwidth {:.4g}", baseline.bandwidths[p]);
    }
    remarks.text += "\n";
  }
  for (std::size_t r = 0; r < log_density.size(); ++r) {
    remarks.text += fmt::format("log density at {:.6g}: {:.5g} +- {:.2g}\n", points(r, 0),
                                log_density[r].value, log_density[r].standard_error);
  }
  JsonObject record;
  fields::baseline(record, baseline);
  remarks.record = std::move(record.json);
  JsonObject values;
  fields::baseline_errors(values, baseline, log_density);
  remarks.values = std::move(values.json);
  return remarks;
}

void warn(const Baseline& baseline) {
  for (const std::string& warning : baseline.warnings) {
    fmt::print(stderr, "divker: {}\n", warning);
  }
}

}  // namespace

void BaselineFlags::declare(CLI::App& command) {
  CLI::Option* by = command
                        .add_option("--method", method,
                                    "Method: divergence-kernel (the default), "
                                    "likelihood-ratio or finite-difference")
                        ->check(CLI::IsMember(method_names()))
                        ->excludes(command.get_option("--stationary"));
  command
      .add_option("--fd-step", step,
                  "Step of the finite difference, for every parameter (default: chosen)")
      ->type_name("H")
      ->check(finite_number())
      ->check(CLI::PositiveNumber)
      ->needs(by);
}

int baseline_response(const PointOptions& options, const BaselineFlags& flags,
                      const LoadedModel& loaded, const std::vector<std::size_t>& parameters,
                      const std::string& observable) {
  BaselineOptions how;
  how.answer = options.answer_options_with_points(loaded);
  how.method = parse_method(flags.method);
  how.step = flags.step;
  if (how.step > 0.0 && how.method != Method::finite_difference) {
    throw Error(ErrorKind::usage, "--fd-step is for --method finite-difference.");
  }
  if (!observable.empty()) {
    const BaselineAnswer answer =
        divker::baseline_response(loaded.model, parameters, observable, how);
    warn(answer.baseline);
    return report_observable(options, loaded.model, observable, answer.answer,
                             remarks_on(answer.baseline, answer.answer.names));
  }
  const Matrix points = points_at(options.at, loaded, how.answer.run, options.grid);
  const BaselinePointAnswer answer = baseline_response_at(loaded.model, parameters, points, how);
  warn(answer.baseline);
  const Remarks remarks =
      remarks_on(answer.baseline, answer.answer.names, answer.log_density, answer.answer.points);
  return report_points(options, loaded.model, answer.answer, "response", parameters, remarks);
}

}  // namespace divker::app
