// The density of the law, or of a marginal, with its distribution function and its quantiles.
#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "divker/density.hpp"
#include "divker/error.hpp"
#include "model/names.hpp"
#include "present/question.hpp"
#include "present/questions/law.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

struct DensityRequest : DampedRequest, SavedRequest, TimeStepRequest {
  GivenPoints at;
  std::optional<std::size_t> grid;
  std::vector<std::string> marginal;
  std::optional<double> time;
  std::vector<double> times;
  bool cdf = false;
  std::vector<double> quantile;
  std::vector<std::string> wrt;
  bool stationary = false;
  std::optional<double> spinup;
  std::optional<double> length;
};

void describe(DensityRequest& r, OptionVisitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(Option("at", "Points: a table whose columns are the states of the density", "FILE"), r.at);
  visit(Option("grid", "Points of the default grid along each state", "N")
            .by_default("25, or 15 for two states")
            .within(1, 1000),
        r.grid);
  visit(Option("marginal", "One state or two, such as x[3],x[4] (default: all of one or two)",
               "X[,Y]"),
        r.marginal);
  visit(Option("time", "Time of the density (default: the end of the time grid)", "T"), r.time);
  visit(Option("times", "Several times, ascending", "T1,T2,...").not_with({"time"}), r.times);
  visit(Option("cdf", "The distribution function at the points too (one state)"), r.cdf);
  visit(Option("quantile", "Quantiles of these levels too (one state)", "P1,P2,..."), r.quantile);
  visit(Option("wrt", "Parameters that distribution function and quantiles respond to", "A,B,..."),
        r.wrt);
  describe(static_cast<TimeStepRequest&>(r), visit);
  describe(static_cast<SavedRequest&>(r), visit);
  visit(Option("stationary",
               "Of the stationary law, from long paths (defaults: --paths 4096 --order 2)")
            .not_with({"time", "times", "wrt"}),
        r.stationary);
  visit(Option("spinup", "Time before paths are at the stationary law (default: chosen)", "T")
            .only_with("stationary"),
        r.spinup);
  visit(Option("length", "Time for which paths are followed after it (default: chosen)", "T")
            .only_with("stationary"),
        r.length);
}

// "x[3]", or "x" for all components of a vector: too many of them are refused by the library.
std::vector<std::size_t> states_named(const DensityRequest& request, const Model& model) {
  const std::vector<std::string> all = names_of_states(model);
  std::vector<std::size_t> states;
  for (const std::string& name : request.marginal) {
    const std::size_t before = states.size();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] == name || all[i].starts_with(name + "[")) states.push_back(i);
    }
    if (states.size() > before) continue;
    throw Error(ErrorKind::usage,
                fmt::format("{}: model {} has no state {}.{} Its states are {}.",
                            spelled(request.voice, "marginal"), model.name(), in_quotes(name),
                            did_you_mean(name, all), list_of(all)));
  }
  return states;
}

DensityOptions options_of(const DensityRequest& request, const Model& model,
                          const Session& session) {
  DensityOptions options;
  AnswerOptions& answer = options.answer;
  answer.method = method_of(request);
  answer.sampling = sampling_of(request);
  answer.sampling.snapshots = request.times;
  if (request.time) answer.sampling.snapshots = {*request.time};
  if (request.stationary) answer.sampling.paths = request.paths.value_or(stationary_paths);
  answer.session = saved_session_of(request, request, session);
  answer.time_step = time_step_of(request);
  options.marginal = states_named(request, model);
  options.grid = request.grid.value_or(0);
  options.distribution = request.cdf;
  options.levels = request.quantile;
  if (!request.wrt.empty()) options.wrt = parameters_of(request.wrt, model, request.voice);
  options.stationary = request.stationary;
  options.spinup = request.spinup;
  options.length = request.length;
  return options;
}

// What is told of a distribution function or of quantiles: the value, then a column a parameter.
Matrix responses_of(const Matrix& columns) {
  Matrix responses(columns.rows, columns.cols - 1);
  for (std::size_t r = 0; r < responses.rows; ++r) {
    for (std::size_t c = 0; c < responses.cols; ++c) responses(r, c) = columns(r, c + 1);
  }
  return responses;
}

void tell_values(Fields& o, const PointValues& values, const std::string& key) {
  o.set(key, values.prediction.value.column(0));
  o.set(key + "_stderr", values.prediction.standard_error.column(0));
  if (values.time_step.rows != 0) o.set(key + "_time_step", values.time_step.column(0));
  if (values.names.size() == 1) return;
  o.set(key + "_response", responses_of(values.prediction.value));
  o.set(key + "_response_stderr", responses_of(values.prediction.standard_error));
}

void tell_law(Fields& o, const LawAtTime& law) {
  const Prediction& found = law.density.prediction;
  o.set("points", law.density.points);
  o.set("density", found.value.column(0));
  o.set("stderr", found.standard_error.column(0));
  if (law.density.time_step.rows != 0) o.set("time_step", law.density.time_step.column(0));
  o.set("bias", found.bias.column(0));
  o.set("log_density", law.log_density.column(0));
  o.set("log_stderr", law.log_density.column(1));
  o.set("tail_index", found.tail_index.column(0));
  o.set("outside", found.outside);
  if (law.distribution) tell_values(o, *law.distribution, "cdf");
  if (!law.quantiles) return;
  o.set("levels", law.quantiles->points.column(0));
  tell_values(o, *law.quantiles, "quantile");
}

Fields fields_of_laws(const DensityAnswer& answer) {
  Fields o;
  o.set("states", answer.states);
  if (!answer.parameters.empty()) o.set("parameters", answer.parameters);
  if (answer.laws.size() == 1) {
    tell_law(o, answer.laws.front());
    return o;
  }
  o.list("laws", answer.laws, [](Fields& one, const LawAtTime& law) {
    one.set("t", law.time);
    tell_law(one, law);
  });
  return o;
}

// t where there are several, the states, density, stderr, time_step, log_density, log_stderr,
// outside, then cdf and its stderr.
Table table_of_laws(const DensityAnswer& answer) {
  Table table;
  const bool has_times = answer.laws.size() > 1;
  if (has_times) table.columns.emplace_back("t");
  table.columns.insert(table.columns.end(), answer.states.begin(), answer.states.end());
  const LawAtTime& first = answer.laws.front();
  const bool has_step = first.density.time_step.rows != 0;
  table.columns.insert(table.columns.end(), {"density", "stderr"});
  if (has_step) table.columns.emplace_back("time_step");
  table.columns.insert(table.columns.end(), {"log_density", "log_stderr", "outside"});
  if (first.distribution) table.columns.insert(table.columns.end(), {"cdf", "cdf_stderr"});
  for (const LawAtTime& law : answer.laws) {
    const Prediction& found = law.density.prediction;
    for (std::size_t r = 0; r < law.density.points.rows; ++r) {
      std::vector<double> row;
      const auto put = [&row](double value) { row.push_back(value); };
      if (has_times) put(law.time);
      for (const double x : law.density.points.row(r)) put(x);
      put(found.value(r, 0));
      put(found.standard_error(r, 0));
      if (has_step) put(law.density.time_step(r, 0));
      put(law.log_density(r, 0));
      put(law.log_density(r, 1));
      put(found.outside[r] ? 1.0 : 0.0);
      if (law.distribution) {
        put(law.distribution->prediction.value(r, 0));
        put(law.distribution->prediction.standard_error(r, 0));
      }
      append_row(table.values, row);
    }
  }
  return table;
}

void write_values(std::string& text, const PointValues& values, std::size_t r) {
  for (std::size_t c = 0; c < values.names.size(); ++c) {
    text += fmt::format(" {:>12.5g} +- {:<9.2g}", values.prediction.value(r, c),
                        values.prediction.standard_error(r, c));
  }
}

void write_heads(std::string& text, const std::string& name,
                 const std::vector<std::string>& parameters) {
  text += fmt::format(" {:>25}", name);
  for (const std::string& parameter : parameters) {
    text += fmt::format(" {:>25}", fmt::format("d {} / d {}", name, parameter));
  }
}

std::string text_of_law(const DensityAnswer& answer, const LawAtTime& law) {
  std::string text;
  for (const std::string& name : answer.states) text += fmt::format("{:>12} ", name);
  text += fmt::format(" {:>25} {:>25}", "density", "log density");
  if (law.distribution) write_heads(text, "cdf", answer.parameters);
  text += "\n";
  for (std::size_t r = 0; r < law.density.points.rows; ++r) {
    for (const double x : law.density.points.row(r)) text += fmt::format("{:>12.5g} ", x);
    write_values(text, law.density, r);
    if (law.log_density(r, 0) == law.log_density(r, 0)) {
      text += fmt::format(" {:>12.5g} +- {:<9.2g}", law.log_density(r, 0), law.log_density(r, 1));
    } else {
      text += fmt::format(" {:>25}", "not above its bar");
    }
    if (law.distribution) write_values(text, *law.distribution, r);
    text += law.density.prediction.outside[r] ? "  outside the sample\n" : "\n";
  }
  if (!law.quantiles) return text;
  text += fmt::format("\n{:>12} ", "level");
  write_heads(text, "quantile", answer.parameters);
  text += "\n";
  for (std::size_t r = 0; r < law.quantiles->points.rows; ++r) {
    text += fmt::format("{:>12.5g} ", law.quantiles->points(r, 0));
    write_values(text, *law.quantiles, r);
    text += "\n";
  }
  return text;
}

Reply reply_to(const DensityRequest& given, const Model& model, const Session& session) {
  DensityRequest request = given;
  std::vector<std::string> names = names_of_states(model);
  if (const std::vector<std::size_t> states = states_named(request, model); !states.empty()) {
    std::vector<std::string> named;
    named.reserve(states.size());
    for (const std::size_t state : states) named.push_back(names[state]);
    names = std::move(named);
  }
  std::vector<Warning> remarks;
  request.at = points_read(request.at, names, remarks);
  const DensityAnswer answer =
      density_at(model, request.at.rows.value_or(Matrix()), options_of(request, model, session));
  Reply reply{model, answer.record, fields_of_laws(answer), {}, table_of_laws(answer), {}};
  std::vector<Warning>& warnings = reply.record.warnings;
  warnings.insert(warnings.begin(), remarks.begin(), remarks.end());
  for (const LawAtTime& law : answer.laws) {
    if (answer.laws.size() > 1) reply.text += fmt::format("t = {:.6g}\n", law.time);
    reply.text += text_of_law(answer, law);
  }
  tell_how_made(reply, answer.parameters, answer.stationary ? &*answer.stationary : nullptr);
  return reply;
}

}  // namespace

Question density_question() {
  return question<DensityRequest>("density",
                                  "The density at points, of the law or of a marginal; quantiles");
}

}  // namespace divker::present
