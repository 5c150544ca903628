#include "present/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"
#include "present/checkpoint_file.hpp"

namespace divker::present {

std::string damping_usage() {
  std::string usage = "auto";
  for (const DampingForm* form : damping_forms()) usage += ", " + form->usage();
  return usage;
}

PointRequest::PointRequest() {
  regressors = regressor_names();
  regressors.emplace_back(local_sums_regressor);
}

DiagnoseRequest::DiagnoseRequest() {
  // Every check is a run of its own: fewer paths than an answer by default.
  usual_paths = 20'000;
  paths_are = "Number of paths of each run";
  observable_is = "An expression of states, parameters and t (default: the mean square)";
}

FitRequest::FitRequest() {
  paths_are = "Number of paths in the last iterations";
  what_is_saved =
      "Save the fit after every iteration, and within long ones; go on from it if it is there";
  regressors = regressor_names();
  regressors.insert(regressors.begin(), "hermite");
  regressor_is = "For the conditional expectation: hermite, or one of score and response";
}

Method method_of(const DampedRequest& request) {
  Method method;
  method.scheme = parse_scheme(request.scheme);
  method.damping = parse_damping(request.alpha);
  if (request.order) {
    method.order = *request.order == 2 ? InverseOrder::second : InverseOrder::first;
  }
  return method;
}

Sampling sampling_of(const RunRequest& request) {
  Sampling sampling;
  sampling.paths = request.paths.value_or(request.usual_paths);
  sampling.seed = request.seed;
  sampling.resolution = request.resolution == "full" ? Resolution::full : Resolution::fast;
  sampling.failed_share = request.failed_share;
  return sampling;
}

Session session_of(const RunRequest& request, Session circumstances) {
  circumstances.threads = request.threads;
  circumstances.block = request.block;
  return circumstances;
}

Session saved_session_of(const RunRequest& request, const SavedRequest& saved,
                         Session circumstances) {
  Session session = session_of(request, std::move(circumstances));
  if (!saved.checkpoint.empty()) {
    session.checkpoint = checkpoint_in(saved.checkpoint, saved.checkpoint_every);
  }
  return session;
}

TimeStep time_step_of(const ScoreRequest& request) {
  if (request.richardson) return TimeStep::extrapolated;
  return request.ignore_time_step ? TimeStep::ignored : TimeStep::in_bar;
}

AnswerOptions options_of(const PointRequest& request, Session session) {
  AnswerOptions options;
  options.method = method_of(request);
  options.sampling = sampling_of(request);
  if (request.time) options.sampling.snapshots = {*request.time};
  options.session = std::move(session);
  options.regressor = request.regressor;
  options.regressor_options = request.regressor_options;
  return options;
}

FitOptions fit_options_of(const FitRequest& request, const Session& circumstances) {
  FitOptions options = request.options;
  options.method = method_of(request);
  options.sampling = sampling_of(request);
  options.session = session_of(request, circumstances);
  options.session.progress = nullptr;  // a fit tells of its iterations
  options.regressor = request.regressor;
  options.regressor_options = request.regressor_options;
  return options;
}

std::vector<std::size_t> parameters_of(const std::vector<std::string>& wrt, const Model& model,
                                       Voice voice) {
  if (wrt.empty()) return model.free_parameters();
  std::vector<std::size_t> indices;
  for (const std::string& name : wrt) {
    for (const std::size_t index : model.parameter_indices(name)) {
      if (std::ranges::find(indices, index) != indices.end()) {
        throw Error(ErrorKind::usage,
                    fmt::format("{} names the parameter {} twice.", spelled(voice, "wrt"),
                                model.parameters()[index].name));
      }
      indices.push_back(index);
    }
  }
  return indices;
}

void check_observable(const std::string& observable, const Model& model, Voice voice) {
  if (observable.empty()) return;
  Graph graph(*model.graph());
  try {
    (void)parse_expression(observable, model, graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: {}", spelled(voice, "observable"), error.what()));
  }
}

GivenPoints points_read(const GivenPoints& at, const Model& model, std::vector<Warning>& warnings) {
  if (at.file.empty()) return at;
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  const Table table = read_table(at.file);
  for (const std::string& remark : table.remarks) warnings.push_back({"file", remark});
  return {"", select_columns(table, names, at.file)};
}

}  // namespace divker::present
