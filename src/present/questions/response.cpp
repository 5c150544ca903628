// Derivatives with respect to parameters: of the log density at points, or of an observable's mean.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
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
  if (answer.time_step.empty()) return;
  o.set("value_time_step", answer.time_step.front());
  o.set("time_step", std::vector<double>(answer.time_step.begin() + 1, answer.time_step.end()));
}

// value, value_stderr, then response.a, stderr.a, time_step.a of each parameter.
Table table_of_mean(const ObservableAnswer& answer) {
  Table table{{"value", "value_stderr"}, {}};
  std::vector<double> row{answer.value.value, answer.value.standard_error};
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    table.columns.push_back("response." + answer.names[p]);
    table.columns.push_back("stderr." + answer.names[p]);
    row.push_back(answer.response[p].value);
    row.push_back(answer.response[p].standard_error);
    if (answer.time_step.empty()) continue;
    table.columns.push_back("time_step." + answer.names[p]);
    row.push_back(answer.time_step[1 + p]);
  }
  append_row(table.values, row);
  return table;
}

std::string text_of_mean(const std::string& observable, const ObservableAnswer& answer) {
  std::string text;
  text += fmt::format("E[{}] = {:.6g} +- {:.2g}\n\n", observable, answer.value.value,
                      answer.value.standard_error);
  text += fmt::format("{:>14} {:>28}\n", "parameter", "d E / d parameter");
  for (std::size_t p = 0; p < answer.response.size(); ++p) {
    text += fmt::format("{:>14} {:>14.5g} +- {:<10.2g}\n", answer.names[p],
                        answer.response[p].value, answer.response[p].standard_error);
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

Reply stationary_response(const ResponseRequest& request, const Model& model,
                          const std::vector<std::size_t>& parameters, const Session& session) {
  const StationaryOptions options = stationary_options(request, session);
  if (!request.observable.empty()) {
    const StationaryObservableAnswer found =
        stationary_observable_response(model, parameters, request.observable, options);
    Reply reply = of_mean(model, request.observable, found.answer, &found.stationary);
    reply.answer.set("window_stderr", found.window_error);
    return reply;
  }
  const StationaryPointAnswer found =
      stationary_response_at(model, parameters, given_points(request), options);
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
    const ObservableAnswer found =
        observable_response(model, parameters, request.observable, options);
    Reply reply = of_mean(model, request.observable, found);
    if (!request.method.empty()) write_effort(reply, found.names, {});
    return reply;
  }
  const PointAnswer found =
      response_at(model, parameters, points_of(request, model, options), options);
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
