#include "divker/fit.hpp"

#include <fmt/format.h>

#include <utility>

#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "fit/fingerprint.hpp"
#include "fit/schedule.hpp"
#include "fit/training/training.hpp"

namespace divker {
namespace {

void check_options(const FitOptions& options, const Model& model) {
  require_divergence_kernel(options.method, "Fits");
  const auto refuse = [](const std::string& sentence) { throw Error(ErrorKind::usage, sentence); };
  if (options.sampling.paths < 100) {
    refuse(fmt::format("The number of paths is {}; a fit needs at least 100.",
                       options.sampling.paths));
  }
  if (!(options.tolerance > 0.0)) {
    refuse(fmt::format("The tolerance is {}; it must be positive.", options.tolerance));
  }
  if (options.starts == 0) refuse("The number of starts is 0; it must be at least 1.");
  if (!(options.rate >= 0.0)) {
    refuse(fmt::format("The rate is {}; it must not be negative.", options.rate));
  }
  const double length = model.time().end - model.time().start;
  if (!(options.window >= 0.0 && options.window <= length)) {
    refuse(fmt::format("The window is {}; it must be from 0 to the length of the time grid, {}.",
                       options.window, length));
  }
}

void check_data(const FitData& data, const Model& model, bool trained) {
  const std::size_t free = model.free_parameters().size();
  if (free == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} has no parameter to fit: all are fixed.", model.name()));
  }
  constexpr std::size_t fewest_to_train = 20;
  if (trained && data.individuals < fewest_to_train) {
    throw Error(ErrorKind::model,
                fmt::format("The data have {} individuals; by features of the law a fit needs at "
                            "least {}.",
                            data.individuals, fewest_to_train));
  }
  if (!trained && data.individuals < free) {
    throw Error(ErrorKind::model,
                fmt::format("The data have {} {}, fewer than the {} parameters to be fitted; fix "
                            "some of them.",
                            data.individuals,
                            data.individuals == data.rows ? "rows" : "individuals", free));
  }
}

// Checked, and with a window.
FitOptions completed(FitOptions options, const Model& model, const FitData& data) {
  check_options(options, model);
  const bool trained = fit::is_trained(model, data, options);
  if (options.optimizer.empty()) options.optimizer = trained ? "dual" : "newton";
  check_data(data, model, trained);
  if (data.stationary && options.window == 0.0) {
    options.window = 0.5 * (model.time().end - model.time().start);
  }
  return options;
}

}  // namespace

struct Fit::Implementation {
  Implementation(const Model& model_, FitData data_, const FitOptions& options_)
      : model(model_), data(std::move(data_)), options(completed(options_, model, data)) {
    std::string fingerprint = fit::fingerprint_of(model, data, options);
    if (fit::is_trained(model, data, options)) {
      procedure = std::make_unique<fit::Training>(model, data, options, std::move(fingerprint));
    } else {
      procedure = std::make_unique<fit::Schedule>(model, data, options, std::move(fingerprint));
    }
  }

  Model model;
  FitData data;
  FitOptions options;
  std::unique_ptr<fit::Procedure> procedure;
};

Fit::Fit(const Model& model, FitData data, const FitOptions& options)
    : implementation_(std::make_unique<Implementation>(model, std::move(data), options)) {}
Fit::~Fit() = default;
Fit::Fit(Fit&&) noexcept = default;
Fit& Fit::operator=(Fit&&) noexcept = default;

void Fit::resume(FitState state) { implementation_->procedure->resume(std::move(state)); }
const FitState& Fit::state() const { return implementation_->procedure->state(); }
bool Fit::advance() { return implementation_->procedure->advance(); }
std::string Fit::current_run() const { return implementation_->procedure->current_run(); }
FitResult Fit::result() {
  FitResult result = implementation_->procedure->result();
  result.model = with_errors_of(result);
  return result;
}

FitResult fit_parameters(const Model& model, const FitData& data, const FitOptions& options) {
  Fit fitting(model, data, options);
  while (fitting.advance()) {
  }
  return fitting.result();
}

}  // namespace divker
