// Derivatives with respect to parameters: of the log density at points, or of an observable's mean.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/prediction.hpp"
#include "present/question.hpp"
#include "present/questions/change.hpp"
#include "present/questions/kick.hpp"
#include "present/questions/law.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

struct ResponseRequest : LawRequest, SubjectRequest, KickRequest {
  std::string method;
  std::optional<double> fd_step;
  std::optional<Values> to;
  std::optional<std::size_t> nodes;
  bool with_fit_errors = false;
};

void describe(ResponseRequest& r, OptionVisitor& visit) {
  describe(static_cast<LawRequest&>(r), visit);
  describe(static_cast<SubjectRequest&>(r), visit);
  std::vector<std::string> methods = estimator_names();
  methods.emplace_back(automatic_method);
  visit(Option("method", "Method (default: " + methods.front() + ")").one_of(methods), r.method);
  visit(
      Option("fd_step", "Step of the finite difference, for every parameter (default: chosen)", "H")
          .above_zero()
          .only_with("method"),
      r.fd_step);
  visit(Option("to",
               "Change of the log density, or of the observable's mean, when parameters take "
               "these values (repeatable)",
               "NAME=VALUE")
            .not_with({"stationary", "method", "wrt", "fokker_planck"}),
        r.to);
  visit(
      Option("nodes",
             "Nodes of the quadrature along the way to --to, a run at each (default: chosen)", "N")
          .within(2, 64)
          .only_with("to"),
      r.nodes);
  describe(static_cast<KickRequest&>(r), visit);
  visit(
      Option("with_fit_errors",
             "What the errors of the fitted model's parameters add is in the bars, and told apart")
          .not_with({"to", "checkpoint", "fokker_planck", "kick"}),
      r.with_fit_errors);
}

void check_response(const ResponseRequest& request) {
  const auto name = [&](const char* option) { return spelled(request.voice, option); };
  if (!request.method.empty() && request.stationary && request.kick.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} excludes {}, but with {}.", name("method"),
                                              name("stationary"), name("kick")));
  }
  const bool carries = request.method.empty() || request.method == "path-kernel" ||
                       (request.stationary && request.method == "divergence-kernel");
  if (!request.kick.empty() && !carries) {
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: a response function is made by path-kernel, or of a stationary law "
                    "by divergence-kernel.",
                    spelled(request.voice, "method", request.method)));
  }
  if (request.kick.empty() && (!request.frequencies.empty() || !request.forcing.files.empty() ||
                               !request.forcing.tables.empty())) {
    throw Error(ErrorKind::usage,
                fmt::format("{} and {} are of the response to a kick: they need {}.",
                            name("frequencies"), name("forcing"), name("kick")));
  }
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

void tell_mean(Fields& o, const std::string& observable, const ObservableAnswer& answer) {
  o.set("parameters", answer.names);
  o.set("observable", observable);
  o.set("value", answer.value.value);
  o.set("value_stderr", answer.value.standard_error);
  fields::estimates(o, answer.response, "response", "stderr");
  o.set("tail_index", answer.tail_index);
  if (!answer.time_step.empty()) {
    o.set("value_time_step", answer.time_step.front());
    o.set("time_step", std::vector<double>(answer.time_step.begin() + 1, answer.time_step.end()));
  }
  if (answer.fit_error.empty()) return;
  o.set("value_fit_error", answer.fit_error.front());
  o.set("fit_error", std::vector<double>(answer.fit_error.begin() + 1, answer.fit_error.end()));
}

// value, value_stderr, then response.a, stderr.a, time_step.a, fit_error.a of each parameter.
Table table_of_mean(const ObservableAnswer& answer) {
  Table table{{"value", "value_stderr"}, {}};
  std::vector<double> row{answer.value.value, answer.value.standard_error};
  if (!answer.fit_error.empty()) {
    table.columns.emplace_back("value_fit_error");
    row.push_back(answer.fit_error.front());
  }
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    table.columns.push_back("response." + answer.names[p]);
    table.columns.push_back("stderr." + answer.names[p]);
    row.push_back(answer.response[p].value);
    row.push_back(answer.response[p].standard_error);
    if (!answer.time_step.empty()) {
      table.columns.push_back("time_step." + answer.names[p]);
      row.push_back(answer.time_step[1 + p]);
    }
    if (answer.fit_error.empty()) continue;
    table.columns.push_back("fit_error." + answer.names[p]);
    row.push_back(answer.fit_error[1 + p]);
  }
  append_row(table.values, row);
  return table;
}

std::string text_of_mean(const std::string& observable, const ObservableAnswer& answer) {
  std::string text;
  // "   (paths 0.01, fit 0.03)"
  const auto parts = [&](std::size_t i, double total) {
    if (answer.fit_error.empty()) return std::string();
    const double fit = answer.fit_error[i];
    return fmt::format("   (paths {:.2g}, fit {:.2g})",
                       std::sqrt(std::max(0.0, total * total - fit * fit)), fit);
  };
  text += fmt::format("E[{}] = {:.6g} +- {:.2g}{}\n\n", observable, answer.value.value,
                      answer.value.standard_error, parts(0, answer.value.standard_error));
  text += fmt::format("{:>14} {:>28}\n", "parameter", "d E / d parameter");
  for (std::size_t p = 0; p < answer.response.size(); ++p) {
    text += fmt::format("{:>14} {:>14.5g} +- {:<10.2g}{}\n", answer.names[p],
                        answer.response[p].value, answer.response[p].standard_error,
                        parts(1 + p, answer.response[p].standard_error));
  }
  return text;
}

// What the method has taken. Log densities at points come along with finite differences.
void write_effort(Reply& reply, const std::vector<std::string>& names, const Matrix& points) {
  const Effort& effort = reply.record.effort;
  std::string& text = reply.text;
  text += fmt::format("\n{}: {} paths run", reply.record.method.estimator, effort.path_runs);
  const std::vector<ComparedMethod>& compared = reply.record.compared;
  const char* what = compared.empty() ? "steps" : "method";
  if (effort.pilot_runs > 0) text += fmt::format(", {} to choose the {}", effort.pilot_runs, what);
  if (effort.pair_runs > 0) text += fmt::format(", {} in pairs at dt and dt/2", effort.pair_runs);
  text += "\n";
  for (const ComparedMethod& one : compared) {
    if (!one.problem.empty()) continue;
    text += fmt::format("error^2 x work of {}: {:.3g}\n", one.name, one.work);
  }
  for (std::size_t p = 0; p < effort.steps.size(); ++p) {
    text += fmt::format("step {:.4g} for {}", effort.steps[p], names[p]);
    if (!effort.bandwidths.empty()) text += fmt::format(", bandwidth {:.4g}", effort.bandwidths[p]);
    text += "\n";
  }
  for (std::size_t r = 0; r < effort.log_density.size(); ++r) {
    text += fmt::format("log density at {:.6g}: {:.5g} +- {:.2g}\n", points(r, 0),
                        effort.log_density[r].value, effort.log_density[r].standard_error);
  }
}

Reply of_mean(const Model& model, const std::string& observable, const ObservableAnswer& answer,
              const Stationary* how = nullptr) {
  Reply reply{model, answer.record,         {},
              {},    table_of_mean(answer), text_of_mean(observable, answer)};
  tell_mean(reply.answer, observable, answer);
  tell_errors_of_method(reply.answer, answer.record.effort);
  tell_how_made(reply, answer.names, how);
  return reply;
}

// What the errors of a fit add: the same paths at parameters to both sides, by the same method.
// Their bias of dt leaves the differences.
AnswerOptions as_it_ran(AnswerOptions options, const RunRecord& record) {
  options.method = record.method;
  options.regressor = record.regressor;
  options.time_step = TimeStep::ignored;
  options.session.progress = nullptr;
  return options;
}

StationaryOptions as_it_ran(StationaryOptions options, const RunRecord& record) {
  options.answer = as_it_ran(options.answer, record);
  return options;
}

void widen(Estimate& estimate, double error) {
  estimate.standard_error = std::hypot(estimate.standard_error, error);
}

std::vector<double> numbers_of(const ObservableAnswer& answer) {
  std::vector<double> numbers{answer.value.value};
  for (const Estimate& one : answer.response) numbers.push_back(one.value);
  return numbers;
}

void add_fit_errors(ObservableAnswer& answer, std::vector<double> errors) {
  widen(answer.value, errors.front());
  for (std::size_t p = 0; p < answer.response.size(); ++p) widen(answer.response[p], errors[1 + p]);
  answer.fit_error = std::move(errors);
}

void add_fit_errors(PointAnswer& answer, const std::vector<double>& errors) {
  Matrix& bars = answer.prediction.standard_error;
  answer.fit_error = Matrix(bars.rows, bars.cols);
  answer.fit_error.data = errors;
  for (std::size_t i = 0; i < errors.size(); ++i)
    bars.data[i] = std::hypot(bars.data[i], errors[i]);
}

Reply stationary_response(const ResponseRequest& request, const Model& model,
                          const std::vector<std::size_t>& parameters, const Session& session) {
  const StationaryOptions options = stationary_options(request, session);
  if (!request.observable.empty()) {
    StationaryObservableAnswer found =
        stationary_observable_response(model, parameters, request.observable, options);
    if (request.with_fit_errors) {
      const StationaryOptions same = as_it_ran(options, found.answer.record);
      add_fit_errors(
          found.answer, errors_by_fit(model, [&](const Model& moved) {
            return numbers_of(
                stationary_observable_response(moved, parameters, request.observable, same).answer);
          }));
    }
    Reply reply = of_mean(model, request.observable, found.answer, &found.stationary);
    reply.answer.set("window_stderr", found.window_error);
    return reply;
  }
  StationaryPointAnswer found =
      stationary_response_at(model, parameters, given_points(request), options);
  if (request.with_fit_errors) {
    const StationaryOptions same = as_it_ran(options, found.answer.record);
    add_fit_errors(found.answer, errors_by_fit(model, [&](const Model& moved) {
                     return stationary_response_at(moved, parameters, found.answer.points, same)
                         .answer.prediction.value.data;
                   }));
  }
  Reply reply = at_points(request, model, "response", parameters, found.answer, &found.stationary);
  reply.answer.set("window_stderr", found.window_error);
  return reply;
}

Reply response(const ResponseRequest& request, const Model& model, const Session& session) {
  if (!request.kick.empty()) {
    return of_kick(model, request, request, request.observable, request.method, session);
  }
  const std::vector<std::size_t> parameters = parameters_of(request.wrt, model, request.voice);
  if (request.stationary) return stationary_response(request, model, parameters, session);
  AnswerOptions options = options_of_law(request, session);
  options.method.estimator = request.method;
  options.difference_step = request.fd_step.value_or(0.0);
  if (request.to) {
    check_target(*request.to, model);
    const Matrix points =
        request.observable.empty() ? points_of(request, model, options) : Matrix();
    return of_change(model, {request.observable, points, *request.to},
                     {options, request.nodes.value_or(0)});
  }
  if (!request.observable.empty()) {
    ObservableAnswer found = observable_response(model, parameters, request.observable, options);
    if (request.with_fit_errors) {
      const AnswerOptions same = as_it_ran(options, found.record);
      add_fit_errors(
          found, errors_by_fit(model, [&](const Model& moved) {
            return numbers_of(observable_response(moved, parameters, request.observable, same));
          }));
    }
    Reply reply = of_mean(model, request.observable, found);
    if (!request.method.empty()) write_effort(reply, found.names, {});
    return reply;
  }
  PointAnswer found = response_at(model, parameters, points_of(request, model, options), options);
  if (request.with_fit_errors) {
    const AnswerOptions same = as_it_ran(options, found.record);
    add_fit_errors(
        found, errors_by_fit(model, [&](const Model& moved) {
          return response_at(moved, parameters, found.points, same).prediction.value.data;
        }));
  }
  Reply reply = at_points(request, model, "response", parameters, found);
  if (!request.method.empty()) write_effort(reply, found.names, found.points);
  return reply;
}

Reply reply_to(const ResponseRequest& request, const Model& model, const Session& session) {
  check_response(request);
  check_observable(request.observable, model, request.voice);
  check_fokker_planck(request, model);
  return with_points_read(request, model, [&](const ResponseRequest& whole) {
    return response(whole, model, session);
  });
}

}  // namespace

Question response_question() {
  return question<ResponseRequest>(
      "response", "Parameter derivatives of the log density at points, or of an observable's mean");
}

}  // namespace divker::present
