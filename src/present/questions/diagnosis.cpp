// Can the answers be trusted, and is this the method to use?
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "divker/diagnose.hpp"
#include "present/question.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

struct DiagnoseRequest : PointRequest, SubjectRequest {
  DiagnoseRequest() {
    // Every check is a run of its own: fewer paths than an answer by default.
    usual_paths = 20'000;
    paths_are = "Number of paths of each run";
    observable_is = "An expression of states, parameters and t (default: the mean square)";
  }
};

void describe(DiagnoseRequest& r, OptionVisitor& visit) {
  describe(static_cast<PointRequest&>(r), visit);
  describe(static_cast<SubjectRequest&>(r), visit);
}

void tell_diagnosis(Fields& o, const std::vector<std::string>& names, const Diagnosis& found) {
  o.set("parameters", names);
  o.set("observable", found.observable);
  o.list("checks", found.checks, [](Fields& one, const Check& check) {
    one.set("name", check.name);
    one.set("verdict", std::string(name_of(check.verdict)));
    one.set("finding", check.finding);
    one.set("advice", check.advice);
  });
  o.list("candidates", found.record.choice.candidates,
         [](Fields& one, const DampingCandidate& candidate) {
           one.set("alpha", candidate.damping.text());
           one.set("variance", candidate.cost);
         });
  o.list("methods", found.methods, [](Fields& one, const MethodCost& cost) {
    one.set("method", cost.method);
    if (!cost.problem.empty()) {
      one.set("problem", cost.problem);
      return;
    }
    one.set("path_runs", cost.path_runs);
    one.set("seconds", cost.seconds);
    one.set("stderr", cost.standard_errors);
  });
}

// path_runs, seconds, stderr.a of each parameter; a row for each usable method.
Table table_of_methods(const std::vector<std::string>& names, const Diagnosis& found) {
  Table table{{"path_runs", "seconds"}, {}};
  for (const std::string& name : names) table.columns.push_back("stderr." + name);
  for (const MethodCost& cost : found.methods) {
    if (!cost.problem.empty()) continue;
    std::vector<double> row{static_cast<double>(cost.path_runs), cost.seconds};
    row.insert(row.end(), cost.standard_errors.begin(), cost.standard_errors.end());
    append_row(table.values, row);
  }
  return table;
}

void write_dampings(std::string& text, const Diagnosis& diagnosis) {
  const auto& candidates = diagnosis.record.choice.candidates;
  if (candidates.empty()) return;
  constexpr std::size_t shown = 8;
  text += fmt::format("\ndamping by the pilot (geometric mean of the variances of nu and I):\n");
  std::vector<std::string> seen;
  for (const DampingCandidate& candidate : candidates) {
    const std::string damping = candidate.damping.text();
    if (std::ranges::find(seen, damping) != seen.end()) continue;
    if (seen.size() == shown) break;
    seen.push_back(damping);
    text += fmt::format("  {:<20} {:>10.4g}\n", damping, candidate.cost);
  }
}

void write_methods(std::string& text, const Diagnosis& diagnosis,
                   const std::vector<std::string>& names) {
  text += fmt::format("\nresponse of E[{}], standard errors by method:\n", diagnosis.observable);
  text += fmt::format("  {:<20} {:>10} {:>9}", "method", "path-runs", "seconds");
  for (const std::string& name : names) text += fmt::format(" {:>10}", name);
  text += "\n";
  for (const MethodCost& cost : diagnosis.methods) {
    if (!cost.problem.empty()) {
      text += fmt::format("  {:<20} {}\n", cost.method, cost.problem);
      continue;
    }
    text += fmt::format("  {:<20} {:>10} {:>9.3g}", cost.method, cost.path_runs, cost.seconds);
    for (const double error : cost.standard_errors) text += fmt::format(" {:>10.3g}", error);
    text += "\n";
  }
}

std::string text_of_diagnosis(const std::vector<std::string>& names, const Diagnosis& found) {
  std::string text;
  for (const Check& check : found.checks) {
    text += fmt::format("{:<8} {:<19} {}\n", name_of(check.verdict), check.name, check.finding);
    if (!check.advice.empty()) text += fmt::format("{:<28} -> {}\n", "", check.advice);
  }
  write_dampings(text, found);
  write_methods(text, found, names);
  return text;
}

Reply diagnosis(const DiagnoseRequest& request, const Model& model, const Session& session) {
  DiagnoseOptions options;
  options.answer = options_of(request, session_of(request, session));
  options.answer.session.progress = nullptr;  // there are many runs
  options.parameters = parameters_of(request.wrt, model, request.voice);
  options.observable = request.observable;
  options.points = given_points(request);
  const Diagnosis found = diagnose(model, options);
  std::vector<std::string> names;
  for (const std::size_t p : options.parameters) names.push_back(model.parameters()[p].name);
  Reply reply{
      model, found.record, {}, {}, table_of_methods(names, found), text_of_diagnosis(names, found)};
  tell_diagnosis(reply.answer, names, found);
  fields::method(reply.how_made, reply.record);
  return reply;
}

Reply reply_to(const DiagnoseRequest& request, const Model& model, const Session& session) {
  check_observable(request.observable, model, request.voice);
  return with_points_read(request, model, [&](const DiagnoseRequest& whole) {
    return diagnosis(whole, model, session);
  });
}

}  // namespace

Question diagnose_question() {
  return question<DiagnoseRequest>(
      "diagnose", "Checks a model: damping, blow-ups, bias of dt, error bars, other methods",
      false);
}

}  // namespace divker::present
