#include "fit/procedure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "divker/error.hpp"

namespace divker::fit {

Procedure::Procedure(const Model& model, const FitData& data, const FitOptions& options,
                     std::string fingerprint, double radius)
    : model_(model),
      data_(data),
      options_(options),
      optimizer_(make_optimizer(options.optimizer, {options.rate, radius})) {
  state_.fingerprint = std::move(fingerprint);
  state_.parameters = model.parameter_values();
  state_.active = model.free_parameters();
  state_.memory = optimizer_->first_memory(state_.active.size());
  state_.paths = options.sampling.paths;
  state_.damping_parameters = state_.parameters;
}

void Procedure::resume(FitState state) {
  if (state.fingerprint != state_.fingerprint) {
    throw Error(ErrorKind::usage,
                fmt::format("The saved fit belongs to another model, other data or other options "
                            "({}, not {}).",
                            state.fingerprint, state_.fingerprint));
  }
  if (state.parameters.size() != state_.parameters.size() ||
      state.paths > options_.sampling.paths) {
    throw Error(ErrorKind::model,
                fmt::format("The saved fit has {} parameters and {} paths; the model has {} "
                            "parameters, and --paths allows {}.",
                            state.parameters.size(), state.paths, state_.parameters.size(),
                            options_.sampling.paths));
  }
  const std::size_t memory = optimizer_->first_memory(state.active.size()).size();
  if (state.memory.size() != memory) {
    throw Error(ErrorKind::model,
                fmt::format("The saved fit has {} numbers in the memory of its optimizer; {} has "
                            "{} for {} active parameters.",
                            state.memory.size(), options_.optimizer, memory, state.active.size()));
  }
  state_ = std::move(state);
  forget_law();
}

void Procedure::end(bool converged, std::string reason) {
  state_.done = true;
  state_.converged = converged;
  state_.reason = std::move(reason);
  if (!converged) state_.reason += advice();
  if (!converged && !state_.far.empty()) {
    state_.reason += fmt::format("; {}", fmt::join(state_.far, " "));
    if (state_.reason.ends_with('.')) state_.reason.pop_back();
  }
}

}  // namespace divker::fit
