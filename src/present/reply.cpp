#include "present/reply.hpp"

#include <fmt/format.h>

#include <utility>

#include "divker/error.hpp"
#include "divker/plan.hpp"

namespace divker::present {
namespace {

// A simulation has neither covectors nor a damping.
Method method_of_states(const SimulateRequest& request) {
  Method method;
  method.scheme = parse_scheme(request.scheme);
  return method;
}

Sampling simulated(const SimulateRequest& request) {
  Sampling sampling = sampling_of(request);
  sampling.snapshots = request.times;
  return sampling;
}

void check_fokker_planck(const ScoreRequest& request, const Model& model) {
  if (!request.fokker_planck) return;
  const std::string option = spelled(request.voice, "fokker_planck");
  if (model.dynamics() == Dynamics::map) {
    throw Error(ErrorKind::usage, fmt::format("{} is for SDEs; model {} is a discrete-time map.",
                                              option, model.name()));
  }
  if (model.dimension() != 1) {
    throw Error(ErrorKind::usage, fmt::format("{} is for models of one state; model {} has {}.",
                                              option, model.name(), model.dimension()));
  }
}

void check_response(const ResponseRequest& request) {
  const auto name = [&](const char* option) { return spelled(request.voice, option); };
  if (request.at.any() && !request.observable.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} and {} exclude each other: a response is asked for at points of "
                            "the state space, or of the mean of an observable.",
                            name("at"), name("observable")));
  }
  if (request.fokker_planck && !request.observable.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} compares densities: it excludes {}.",
                                              name("fokker_planck"), name("observable")));
  }
  if (!request.checkpoint.empty() && (request.to || !request.method.empty())) {
    throw Error(ErrorKind::usage,
                fmt::format("{} saves one run: it excludes {} and {}, which make several.",
                            name("checkpoint"), name("method"), name("to")));
  }
  if (request.fd_step && request.method != "finite-difference") {
    throw Error(ErrorKind::usage,
                fmt::format("{} is for {}.", name("fd_step"),
                            spelled(request.voice, "method", "finite-difference")));
  }
}

// answer(request), the request with its points read from their file, and what was remarked there.
template <class Request, class Answer>
Reply with_points_read(Request request, const Model& model, Answer answer) {
  std::vector<Warning> warnings;
  request.at = points_read(request.at, model, warnings);
  Reply reply = answer(request);
  std::vector<Warning>& all = reply.record.warnings;
  all.insert(all.begin(), warnings.begin(), warnings.end());
  return reply;
}

Matrix given_points(const PointRequest& request) { return request.at.rows.value_or(Matrix()); }

Matrix points_of(const PointRequest& request, const Model& model, const AnswerOptions& options) {
  if (request.at.any()) return given_points(request);
  return default_points(model, options.sampling, options.session, request.grid);
}

Model until(Model model, std::optional<double> time) {
  if (!time) return model;
  TimeGrid grid = model.time();
  grid.end = *time;
  return model.with_time(grid);
}

// The answer, with the solution of the Fokker-Planck equation if that was asked for.
Reply at_points(const ScoreRequest& request, const Model& model, const std::string& key,
                const std::vector<std::size_t>& parameters, PointAnswer answer) {
  AtPoints result{key, std::move(answer), std::nullopt};
  if (request.fokker_planck) {
    const Model whole = until(model, request.time);
    const std::vector<double>& points = result.answer.points.data;
    const Interval interval = density_interval(whole, points);
    result.exact = exact_density(whole, parameters, points, interval.lower, interval.upper);
  }
  RunRecord record = result.answer.record;
  return {model, std::move(record), std::move(result)};
}

Reply of_mean(const Model& model, const std::string& observable, ObservableAnswer answer) {
  RunRecord record = answer.record;
  return {model, std::move(record), OfMean{observable, std::move(answer)}};
}

StationaryOptions stationary_options(const ScoreRequest& request, const Session& session) {
  StationaryOptions options;
  options.answer = options_of(request, saved_session_of(request, request, session));
  options.answer.sampling.paths = request.paths.value_or(stationary_paths);
  options.answer.time_step = time_step_of(request);
  options.window = request.window;
  options.spinup = request.spinup;
  options.length = request.length;
  options.grid = request.grid;
  return options;
}

// The reply with what is known of its stationary sample, and a warning for each window that is no
// plateau.
Reply with_stationary(Reply reply, Stationary how, std::optional<Matrix> window_error,
                      const std::vector<std::string>& parameters) {
  reply.model = reply.model.with_time(how.grid);
  for (std::size_t p = 0; p < how.plateau.size(); ++p) {
    if (how.plateau[p]) continue;
    reply.record.warnings.push_back(
        {"window",
         fmt::format("the response to {} has no plateau at window {:.6g}: longer windows disagree, "
                     "or none was carried.",
                     parameters[p], how.window[p])});
  }
  reply.stationary = StationaryPart{std::move(how), std::move(window_error)};
  return reply;
}

Matrix row_of(const std::vector<double>& values) {
  Matrix row(1, values.size());
  row.data = values;
  return row;
}

Reply stationary_score(const ScoreRequest& request, const Model& model, const Session& session) {
  const StationaryOptions options = stationary_options(request, session);
  StationaryPointAnswer found = stationary_score_at(model, given_points(request), options);
  Reply reply = at_points(request, model, "score", {}, std::move(found.answer));
  return with_stationary(std::move(reply), std::move(found.stationary), std::nullopt, {});
}

Reply stationary_response(const ResponseRequest& request, const Model& model,
                          const std::vector<std::size_t>& parameters, const Session& session) {
  const StationaryOptions options = stationary_options(request, session);
  if (!request.observable.empty()) {
    StationaryObservableAnswer found =
        stationary_observable_response(model, parameters, request.observable, options);
    const std::vector<std::string> names = found.answer.names;
    return with_stationary(of_mean(model, request.observable, std::move(found.answer)),
                           std::move(found.stationary), row_of(found.window_error), names);
  }
  StationaryPointAnswer found =
      stationary_response_at(model, parameters, given_points(request), options);
  const std::vector<std::string> names = found.answer.names;
  return with_stationary(at_points(request, model, "response", parameters, std::move(found.answer)),
                         std::move(found.stationary), std::move(found.window_error), names);
}

// A value for every parameter.
std::vector<double> target_of(const Values& given, const Model& model) {
  std::vector<double> target = model.parameter_values();
  for (const auto& [name, value] : given) {
    for (const std::size_t p : model.parameter_indices(name)) target[p] = value;
  }
  (void)model.with_parameters(target);  // the bounds
  return target;
}

Reply change(const ResponseRequest& request, const Model& model, const AnswerOptions& options) {
  const std::vector<double> target = target_of(*request.to, model);
  const ChangeOptions how{options, request.nodes.value_or(0)};
  OfChange result{request.observable, {}, *request.to, {}};
  if (request.observable.empty()) {
    result.points = points_of(request, model, options);
    result.answer = log_density_change(model, target, result.points, how);
  } else {
    result.answer = observable_change(model, target, request.observable, how);
  }
  RunRecord record = result.answer.record;
  return {model, std::move(record), std::move(result)};
}

Reply score(const ScoreRequest& request, const Model& model, const Session& session) {
  if (request.stationary) return stationary_score(request, model, session);
  AnswerOptions options = options_of(request, saved_session_of(request, request, session));
  options.time_step = time_step_of(request);
  return at_points(request, model, "score", {},
                   score_at(model, points_of(request, model, options), options));
}

Reply response(const ResponseRequest& request, const Model& model, const Session& session) {
  const std::vector<std::size_t> parameters = parameters_of(request.wrt, model, request.voice);
  if (request.stationary) return stationary_response(request, model, parameters, session);
  AnswerOptions options = options_of(request, saved_session_of(request, request, session));
  options.method.estimator = request.method;
  options.difference_step = request.fd_step.value_or(0.0);
  options.time_step = time_step_of(request);
  if (request.to) return change(request, model, options);
  if (!request.observable.empty()) {
    return of_mean(model, request.observable,
                   observable_response(model, parameters, request.observable, options));
  }
  return at_points(request, model, "response", parameters,
                   response_at(model, parameters, points_of(request, model, options), options));
}

Reply diagnosis(const DiagnoseRequest& request, const Model& model, const Session& session) {
  DiagnoseOptions options;
  options.answer = options_of(request, session_of(request, session));
  options.answer.session.progress = nullptr;  // there are many runs
  options.parameters = parameters_of(request.wrt, model, request.voice);
  options.observable = request.observable;
  options.points = given_points(request);
  OfModel result{{}, diagnose(model, options)};
  for (const std::size_t p : options.parameters) {
    result.parameters.push_back(model.parameters()[p].name);
  }
  RunRecord record = result.diagnosis.record;
  return {model, std::move(record), std::move(result)};
}

}  // namespace

Study study_of(const SimulateRequest& request, const Model& model, const Session& session) {
  return {model, method_of_states(request), Asked::states(), simulated(request),
          saved_session_of(request, request, session)};
}

Reply reply_to(const SimulateRequest& request, const Model& model, const Session& session) {
  const Method method = method_of_states(request);
  if (const auto why = refusal(model, method, Asked::states())) throw Error(*why);
  MomentsAnswer answer =
      simulate_moments(model, simulated(request), saved_session_of(request, request, session));
  RunRecord record = answer.record;
  // The states of both schemes are the same.
  record.method = resolved(model, method, Asked::states());
  return {model, std::move(record), std::move(answer)};
}

Reply reply_to(const ScoreRequest& request, const Model& model, const Session& session) {
  check_fokker_planck(request, model);
  return with_points_read(request, model,
                          [&](const ScoreRequest& whole) { return score(whole, model, session); });
}

Reply reply_to(const ResponseRequest& request, const Model& model, const Session& session) {
  check_response(request);
  check_observable(request.observable, model, request.voice);
  check_fokker_planck(request, model);
  return with_points_read(request, model, [&](const ResponseRequest& whole) {
    return response(whole, model, session);
  });
}

Reply reply_to(const DiagnoseRequest& request, const Model& model, const Session& session) {
  check_observable(request.observable, model, request.voice);
  return with_points_read(request, model, [&](const DiagnoseRequest& whole) {
    return diagnosis(whole, model, session);
  });
}

}  // namespace divker::present
