#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "present/fields.hpp"
#include "present/tables.hpp"

namespace divker::app {
namespace {

void print_point(const Model& model, const PointAnswer& answer, std::size_t r) {
  constexpr std::size_t shown = 6;
  std::string point;
  for (std::size_t c = 0; c < std::min(shown, answer.points.cols); ++c) {
    point += fmt::format("{}{} = {:.6g}", c == 0 ? "" : ", ", model.states()[c].name,
                         answer.points(r, c));
  }
  if (answer.points.cols > shown) point += ", ...";
  fmt::print(
      "{}{}\n", point,
      answer.prediction.outside[r] ? "   (outside the sample: the error bar is a guess)" : "");
  for (std::size_t q = 0; q < answer.names.size(); ++q) {
    fmt::print("  {:>12} {:>12.5g} +- {:<10.2g}\n", answer.names[q], answer.prediction.value(r, q),
               answer.prediction.standard_error(r, q));
  }
}

// One line a point, while it fits a screen.
void print_points(const Model& model, const PointAnswer& answer, const std::string& key) {
  constexpr std::size_t widest = 5;
  if (answer.points.cols + answer.names.size() > widest) {
    for (std::size_t r = 0; r < answer.points.rows; ++r) print_point(model, answer, r);
    return;
  }
  for (const State& state : model.states()) fmt::print("{:>12} ", state.name);
  for (const std::string& name : answer.names)
    fmt::print(" {:>25}", fmt::format("{} {}", key, name));
  fmt::print("\n");
  for (std::size_t r = 0; r < answer.points.rows; ++r) {
    for (std::size_t c = 0; c < answer.points.cols; ++c) {
      fmt::print("{:>12.5g} ", answer.points(r, c));
    }
    for (std::size_t q = 0; q < answer.names.size(); ++q) {
      fmt::print(" {:>12.5g} +- {:<9.2g}", answer.prediction.value(r, q),
                 answer.prediction.standard_error(r, q));
    }
    fmt::print("{}\n", answer.prediction.outside[r] ? "  outside the sample" : "");
  }
}

void print_exact(const PointAnswer& answer, const Matrix& exact) {
  double worst = 0.0;
  fmt::print("\nFokker-Planck:\n");
  for (std::size_t r = 0; r < exact.rows; ++r) {
    fmt::print("{:>12.5g} ", answer.points(r, 0));
    for (std::size_t q = 0; q < exact.cols; ++q) {
      const double error = answer.prediction.value(r, q) - exact(r, q);
      const double bar = answer.prediction.standard_error(r, q);
      worst = std::max(worst, std::fabs(error) / bar);
      fmt::print(" {:>12.5g} {:>+6.1f} bars", exact(r, q), error / bar);
    }
    fmt::print("\n");
  }
  fmt::print("the estimates are at most {:.1f} error bars away\n", worst);
}

void print_dampings(const Diagnosis& diagnosis) {
  const auto& candidates = diagnosis.record.choice.candidates;
  if (candidates.empty()) return;
  constexpr std::size_t shown = 8;
  fmt::print("\ndamping by the pilot (geometric mean of the variances of nu and I):\n");
  std::vector<std::string> seen;
  for (const DampingCandidate& candidate : candidates) {
    const std::string text = candidate.damping.text();
    if (std::ranges::find(seen, text) != seen.end()) continue;
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
      fmt::print("  {:<20} {}\n", cost.method, cost.problem);
      continue;
    }
    fmt::print("  {:<20} {:>10} {:>9.3g}", cost.method, cost.path_runs, cost.seconds);
    for (const double error : cost.standard_errors) fmt::print(" {:>10.3g}", error);
    fmt::print("\n");
  }
}

void print_changes(const Model& model, const present::OfChange& reply) {
  for (const State& state : model.states()) fmt::print("{:>12} ", state.name);
  fmt::print(" {:>26} {:>12}\n", "log of the density ratio", "quadrature");
  for (std::size_t r = 0; r < reply.points.rows; ++r) {
    for (std::size_t c = 0; c < reply.points.cols; ++c) {
      fmt::print("{:>12.5g} ", reply.points(r, c));
    }
    const Change& change = reply.answer.change[r];
    fmt::print(" {:>13.5g} +- {:<9.2g} {:>12.2g}{}\n", change.value, change.standard_error,
               change.quadrature, reply.answer.outside[r] ? "  outside the sample" : "");
  }
}

// The table of an answer for people, one overload for each kind.
struct Print {
  const Model& model;
  const RunRecord& record;

  void operator()(const MomentsAnswer& answer) const {
    for (const StateMoments& snapshot : answer.snapshots) {
      const present::MomentColumns columns(snapshot);
      fmt::print("t = {:.6g}\n{:>12} {:>14} {:>12} {:>14}\n", snapshot.time, "state", "mean", "+-",
                 "deviation");
      for (std::size_t i = 0; i < columns.mean.size(); ++i) {
        fmt::print("{:>12} {:>14.6g} {:>12.2g} {:>14.6g}\n", model.states()[i].name,
                   columns.mean[i], columns.error[i], columns.deviation[i]);
      }
    }
  }

  void operator()(const present::AtPoints& reply) const {
    print_points(model, reply.answer, reply.key);
    if (reply.exact) print_exact(reply.answer, present::exact_values(*reply.exact, reply.key));
  }

  void operator()(const present::OfMean& reply) const {
    const ObservableAnswer& answer = reply.answer;
    fmt::print("E[{}] = {:.6g} +- {:.2g}\n\n", reply.observable, answer.value.value,
               answer.value.standard_error);
    fmt::print("{:>14} {:>28}\n", "parameter", "d E / d parameter");
    for (std::size_t p = 0; p < answer.response.size(); ++p) {
      fmt::print("{:>14} {:>14.5g} +- {:<10.2g}\n", answer.names[p], answer.response[p].value,
                 answer.response[p].standard_error);
    }
  }

  void operator()(const present::OfChange& reply) const {
    if (reply.observable.empty()) {
      print_changes(model, reply);
    } else {
      const Change& change = reply.answer.change.front();
      fmt::print("E[{}] changes by {:.6g} +- {:.2g} (quadrature {:.2g})\n", reply.observable,
                 change.value, change.standard_error, change.quadrature);
    }
    Json to;
    for (const auto& [name, value] : reply.target) to[name] = value;
    fmt::print("\nwith {}: {} nodes of {} paths each\n", to.dump(), reply.answer.nodes,
               record.sampling.paths);
  }

  void operator()(const present::OfModel& reply) const {
    for (const Check& check : reply.diagnosis.checks) {
      fmt::print("{:<8} {:<19} {}\n", name_of(check.verdict), check.name, check.finding);
      if (!check.advice.empty()) fmt::print("{:<28} -> {}\n", "", check.advice);
    }
    print_dampings(reply.diagnosis);
    print_methods(reply.diagnosis, reply.parameters);
  }
};

const std::vector<std::string>& parameters_of(const present::Reply& reply) {
  static const std::vector<std::string> none;
  if (const auto* points = std::get_if<present::AtPoints>(&reply.answer)) {
    return points->answer.names;
  }
  const auto* mean = std::get_if<present::OfMean>(&reply.answer);
  return mean != nullptr ? mean->answer.names : none;
}

// How the stationary density was sampled.
void print_stationary(const present::Reply& reply) {
  const Stationary& how = reply.stationary->how;
  fmt::print("\nstationary: spin-up {:.4g}, then {} samples of each path, {:.4g} apart\n",
             how.spinup, how.samples, how.spacing);
  for (std::size_t p = 0; p < how.window.size(); ++p) {
    fmt::print("window {:.4g} for {}\n", how.window[p], parameters_of(reply)[p]);
  }
}

// What the method has taken. Log densities at points come along with finite differences.
void print_effort(const present::Reply& reply) {
  const Effort& effort = reply.record.effort;
  fmt::print("\n{}: {} paths run", reply.record.method.estimator, effort.path_runs);
  if (effort.pilot_runs > 0) fmt::print(", {} to choose the steps", effort.pilot_runs);
  if (effort.pair_runs > 0) fmt::print(", {} in pairs at dt and dt/2", effort.pair_runs);
  fmt::print("\n");
  for (std::size_t p = 0; p < effort.steps.size(); ++p) {
    fmt::print("step {:.4g} for {}", effort.steps[p], parameters_of(reply)[p]);
    if (!effort.bandwidths.empty()) fmt::print(", bandwidth {:.4g}", effort.bandwidths[p]);
    fmt::print("\n");
  }
  const auto* points = std::get_if<present::AtPoints>(&reply.answer);
  for (std::size_t r = 0; r < effort.log_density.size(); ++r) {
    fmt::print("log density at {:.6g}: {:.5g} +- {:.2g}\n", points->answer.points(r, 0),
               effort.log_density[r].value, effort.log_density[r].standard_error);
  }
}

void print(const present::Reply& reply, const Telling& telling) {
  std::visit(Print{reply.model, reply.record}, reply.answer);
  if (reply.stationary) print_stationary(reply);
  if (telling.tells_effort) print_effort(reply);
}

Attributes attributes(const present::Reply& reply) {
  Attributes about = present::attributes_of(reply.model, reply.record);
  JsonObject record;
  present::fields::record(record, reply);
  for (const auto& [key, value] : record.json.items()) about[key] = value.dump();
  return about;
}

}  // namespace

int report(const CommonOptions& options, const present::Reply& reply, const Telling& telling) {
  tell_warnings(reply.record);
  write_out(options, present::table_of(reply), attributes(reply), [&] {
    if (!options.json) return print(reply, telling);
    JsonObject object;
    present::fields::reply(object, reply);
    print_json(object.json);
  });
  return finish(options, reply.record, telling.checkpoint);
}

}  // namespace divker::app
