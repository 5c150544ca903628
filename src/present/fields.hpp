// The fields of answers: what the command prints with --json and Python hands out as dictionaries,
// by the same names and in the same order.
//
// An Object is app::JsonObject or python::Dictionary. It has
//   set(key, value)         value: a number, text, bool, vector of these, or Matrix
//   list(key, rows, fill)   a list of objects, each made by fill(object, row)
//   object(key, fill)       one object
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "divker/boundaries.hpp"
#include "divker/kernel.hpp"
#include "divker/model_kinks.hpp"
#include "present/fitting.hpp"
#include "present/operations.hpp"
#include "present/reply.hpp"
#include "present/tables.hpp"

namespace divker::present::fields {

// Of every answer: damping, seed, paths, how they went, method, time grid, version, model.
template <class Object>
void run(Object& o, const Model& model, const RunRecord& record) {
  const RunSummary& summary = record.summary;
  o.set("alpha", record.alpha);
  o.set("seed", record.sampling.seed);
  o.set("paths", summary.paths);
  o.set("failed_paths", summary.failed);
  o.set("interrupted", summary.interrupted);
  o.list("first_failures", summary.first_failures, [](auto& one, const FailedPath& failure) {
    one.set("path", failure.path);
    one.set("time", failure.time);
    one.set("what", failure.what);
  });
  o.set("failure_cause", summary.cause);
  if (!record.regressor.empty()) o.set("regressor", record.regressor);
  o.set("scheme", std::string(name_of(record.method.scheme)));
  o.set("order", number_of(record.method.order));
  o.set("resolution",
        std::string(record.sampling.resolution == Resolution::full ? "full" : "fast"));
  o.set("steps", record.steps);
  o.list("warnings", record.warnings, [](auto& one, const Warning& warning) {
    one.set("what", warning.what);
    one.set("sentence", warning.sentence);
  });
  o.object("time_grid", [&model](auto& grid) {
    grid.set("start", model.time().start);
    grid.set("step", model.time().step);
    grid.set("end", model.time().end);
    grid.set("tamed", model.time().tamed);
  });
  o.set("seconds", summary.seconds);
  o.set("compile_seconds", record.compile_seconds);
  o.set("pilot_seconds", record.choice.seconds);
  o.set("version", std::string(DIVKER_VERSION));
  o.set("model", model.name());
  o.set("model_hash", model.hash());
  o.set("model_text", model.text());
}

template <class Object>
void show(Object& o, const Model& model, const std::vector<OperationCount>& counts) {
  o.set("model", model.name());
  o.set("model_text", model.text());
  o.set("model_hash", model.hash());
  o.set("dynamics", std::string(model.dynamics() == Dynamics::map ? "map" : "sde"));
  o.set("states", model.dimension());
  o.set("brownian_motions", model.noise_count());
  o.set("noise", std::string(name_of(model.noise_class())));
  if (!model.singular_noise().empty()) o.set("singular_noise", model.singular_noise());
  o.list("kinks", model_kinks(model), [](auto& one, const ModelKink& kink) {
    one.set("part", std::string(name_of(kink.part)));
    one.set("of", kink.name);
    one.set("kind", std::string(name_of(kink.kind)));
    one.set("place", kink.place);
    one.set("sentence", kink.sentence());
  });
  std::vector<std::string> ends;
  for (const Boundary& boundary : boundaries(model)) ends.push_back(boundary.sentence);
  o.set("boundaries", std::move(ends));
  o.set("score_free_start", !model.has_initial_density());
  o.set("steps", model.time().steps());
  o.set("lanes", host_lanes());
  o.list("parameters", model.parameters(), [](auto& one, const Parameter& parameter) {
    one.set("name", parameter.name);
    one.set("value", parameter.value);
    one.set("fixed", parameter.fixed);
  });
  o.object("operations", [&counts](auto& operations) {
    for (const OperationCount& count : counts) operations.set(count.what, count.operations);
  });
}

template <class Object>
void moments(Object& o, const MomentsAnswer& answer) {
  o.list("snapshots", answer.snapshots, [](auto& one, const StateMoments& snapshot) {
    MomentColumns columns(snapshot);
    one.set("t", snapshot.time);
    one.set("mean", std::move(columns.mean));
    one.set("stderr", std::move(columns.error));
    one.set("deviation", std::move(columns.deviation));
  });
}

template <class Object>
void points(Object& o, const PointAnswer& answer, const std::string& key) {
  if (key == "response") o.set("parameters", answer.names);
  o.set("points", answer.points);
  o.set(key, answer.prediction.value);
  o.set("stderr", answer.prediction.standard_error);
  if (answer.time_step.rows != 0) o.set("time_step", answer.time_step);
  o.set("bias", answer.prediction.bias);
  o.set("tail_index", answer.prediction.tail_index);
  o.set("effective_samples", answer.prediction.effective_samples);
  o.set("outside", answer.prediction.outside);
}

// The solution of the Fokker-Planck equation beside the estimates.
template <class Object>
void exact(Object& o, const ExactDensity& density, const std::string& key) {
  o.set("exact", exact_values(density, key));
  o.set("log_density", density.log_density);
}

// Two lists of numbers: values and their standard errors.
template <class Object>
void estimates(Object& o, const std::vector<Estimate>& all, const std::string& value,
               const std::string& error) {
  std::vector<double> values, errors;
  for (const Estimate& one : all) {
    values.push_back(one.value);
    errors.push_back(one.standard_error);
  }
  o.set(value, std::move(values));
  o.set(error, std::move(errors));
}

template <class Object>
void observable(Object& o, const std::string& text, const ObservableAnswer& answer) {
  o.set("parameters", answer.names);
  o.set("observable", text);
  o.set("value", answer.value.value);
  o.set("value_stderr", answer.value.standard_error);
  estimates(o, answer.response, "response", "stderr");
  o.set("tail_index", answer.tail_index);
  if (answer.time_step.empty()) return;
  o.set("value_time_step", answer.time_step.front());
  o.set("time_step", std::vector<double>(answer.time_step.begin() + 1, answer.time_step.end()));
}

// How stationary samples were taken.
template <class Object>
void stationary(Object& o, const Stationary& how) {
  o.object("stationary", [&how](auto& record) {
    record.set("spinup", how.spinup);
    record.set("length", how.length);
    record.set("spacing", how.spacing);
    record.set("samples", how.samples);
    record.set("correlation_time", how.correlation);
    if (how.window.empty()) return;
    record.set("windows", how.windows);
    record.set("window", how.window);
    record.set("plateau", how.plateau);
  });
}

// What a method that needs more than one run says of its errors.
template <class Object>
void errors_of_method(Object& o, const Effort& effort) {
  if (!effort.truncation.empty()) o.set("truncation", effort.truncation);
  if (effort.log_density.empty()) return;
  estimates(o, effort.log_density, "log_density_estimate", "log_density_stderr");
}

// Changes of the log density at points, or, without points, of a mean.
template <class Object>
void change(Object& o, const OfChange& reply) {
  const ChangeAnswer& answer = reply.answer;
  const auto parts = [&answer](double Change::*part) {
    std::vector<double> values;
    for (const Change& one : answer.change) values.push_back(one.*part);
    return values;
  };
  if (reply.observable.empty()) {
    o.set("points", reply.points);
    o.set("log_ratio", parts(&Change::value));
    o.set("stderr", parts(&Change::standard_error));
    o.set("deviation", parts(&Change::deviation));
    o.set("bias", parts(&Change::bias));
    o.set("quadrature", parts(&Change::quadrature));
    o.set("tail_index", parts(&Change::tail_index));
    o.set("outside", answer.outside);
  } else {
    const Change& one = answer.change.front();
    o.set("observable", reply.observable);
    o.set("change", one.value);
    o.set("stderr", one.standard_error);
    o.set("deviation", one.deviation);
    o.set("quadrature", one.quadrature);
    o.set("tail_index", one.tail_index);
  }
}

template <class Object>
void diagnosis(Object& o, const std::vector<std::string>& names, const Diagnosis& found) {
  o.set("parameters", names);
  o.set("observable", found.observable);
  o.list("checks", found.checks, [](auto& one, const Check& check) {
    one.set("name", check.name);
    one.set("verdict", std::string(name_of(check.verdict)));
    one.set("finding", check.finding);
    one.set("advice", check.advice);
  });
  o.list("candidates", found.record.choice.candidates,
         [](auto& one, const DampingCandidate& candidate) {
           one.set("alpha", candidate.damping.text());
           one.set("variance", candidate.cost);
         });
  o.list("methods", found.methods, [](auto& one, const MethodCost& cost) {
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

template <class Object>
void goodness(Object& o, const FitResult& result) {
  o.list("goodness", result.goodness, [](auto& one, const GoodnessOfFit& fit) {
    one.set("name", fit.name);
    one.set("t", fit.time);
    one.set("rows", fit.rows);
    one.set("data_mean", fit.data_mean);
    one.set("model_mean", fit.model_mean);
    one.set("data_deviation", fit.data_deviation);
    one.set("model_deviation", fit.model_deviation);
    one.set("kolmogorov_smirnov", fit.kolmogorov_smirnov);
    one.set("kolmogorov_smirnov_p", fit.kolmogorov_smirnov_p);
    one.set("energy", fit.energy);
    one.set("energy_p", fit.energy_p);
  });
  o.list("joint", result.joint, [](auto& one, const JointGoodness& joint) {
    one.set("t", joint.time);
    one.set("rows", joint.rows);
    one.set("chi_square", joint.statistic);
    one.set("freedom", joint.freedom);
    one.set("p", joint.p);
  });
  o.set("rejected", result.rejected);
}

template <class Object>
void undetermined(Object& o, const FitResult& result) {
  o.set("undetermined", result.undetermined);
  o.list("determined", result.determined, [](auto& one, const DeterminedCombination& combination) {
    one.set("combination", combination.expression);
    one.set("parameters", combination.parameters);
    one.set("estimate", combination.value);
    one.set("stderr", combination.standard_error);
  });
}

template <class Object>
void fit(Object& o, const FitResult& result) {
  const std::vector<FitIteration>& history = result.state.history;
  o.set("parameters", result.names);
  o.set("estimate", result.estimate);
  o.set("stderr", result.standard_error);
  o.set("stderr_of_paths", result.simulation_error);
  o.set("tail_index", result.tail_index);
  o.set("iterations", history.size() - 1);
  o.set("converged", result.state.converged);
  o.set("reason", result.state.reason);
  o.set("psi_over_noise", history.back().psi_over_noise);
  o.set("correlation", result.correlation);
  o.set("condition", result.condition);
  undetermined(o, result);
  o.set("weak", result.weak);
  o.set("inactive", result.inactive);
  o.set("rows", result.data_rows);
  o.set("individuals", result.individuals);
  o.set("remarks", result.remarks);
  if (result.log_likelihood) o.set("log_likelihood", *result.log_likelihood);
  goodness(o, result);
  o.list("history", history, [](auto& one, const FitIteration& iteration) {
    one.set("iteration", iteration.iteration);
    one.set("paths", iteration.paths);
    one.set("gain", iteration.gain);
    one.set("psi_over_noise", iteration.psi_over_noise);
    one.set("step", iteration.step);
    one.set("halvings", iteration.halvings);
    one.set("parameters", iteration.parameters);
  });
}

// How an answer was made, beyond what every run says: files keep it as attributes too.
template <class Object>
void method(Object& o, const RunRecord& record) {
  if (!record.method.estimator.empty()) o.set("method", record.method.estimator);
}
template <class Object>
void record(Object& o, const Reply& reply) {
  method(o, reply.record);
  if (reply.stationary) stationary(o, reply.stationary->how);
  if (const auto* change = std::get_if<OfChange>(&reply.answer)) {
    o.object("to", [change](auto& to) {
      for (const auto& [name, value] : change->target) to.set(name, value);
    });
    o.set("nodes", change->answer.nodes);
    o.set("path_runs", change->answer.path_runs);
  }
  if (!std::holds_alternative<AtPoints>(reply.answer) &&
      !std::holds_alternative<OfMean>(reply.answer)) {
    return;
  }
  const Effort& effort = reply.record.effort;
  o.set("path_runs", effort.path_runs);
  o.set("pilot_path_runs", effort.pilot_runs);
  o.set("pair_path_runs", effort.pair_runs);
  if (!effort.steps.empty()) o.set("fd_steps", effort.steps);
  if (!effort.bandwidths.empty()) o.set("bandwidths", effort.bandwidths);
}

template <class Object>
void answer(Object& o, const MomentsAnswer& of_paths) {
  moments(o, of_paths);
}
template <class Object>
void answer(Object& o, const AtPoints& reply) {
  points(o, reply.answer, reply.key);
  if (reply.exact) exact(o, *reply.exact, reply.key);
  errors_of_method(o, reply.answer.record.effort);
}
template <class Object>
void answer(Object& o, const OfMean& reply) {
  observable(o, reply.observable, reply.answer);
  errors_of_method(o, reply.answer.record.effort);
}
template <class Object>
void answer(Object& o, const OfChange& reply) {
  change(o, reply);
}
template <class Object>
void answer(Object& o, const OfModel& reply) {
  diagnosis(o, reply.parameters, reply.diagnosis);
}

// All of a reply.
template <class Object>
void reply(Object& o, const Reply& given) {
  std::visit([&o](const auto& one) { answer(o, one); }, given.answer);
  if (given.stationary && given.stationary->window_error) {
    const Matrix& error = *given.stationary->window_error;
    if (std::holds_alternative<OfMean>(given.answer)) {
      o.set("window_stderr", error.data);
    } else {
      o.set("window_stderr", error);
    }
  }
  record(o, given);
  run(o, given.model, given.record);
}

// All of a fit but the samples that it compares.
template <class Object>
void fitted(Object& o, const FitResult& result) {
  fit(o, result);
  method(o, result.record);
  run(o, result.model, result.record);
}

// The samples that goodness() compared: all rows of the data, and at most so many of the model.
template <class Object>
void marginals(Object& o, const FitResult& result, std::size_t most) {
  o.list("marginals", result.goodness, [most](auto& one, const GoodnessOfFit& fit) {
    std::vector<double> model = fit.model;
    model.resize(std::min(model.size(), most));
    one.set("name", fit.name);
    one.set("t", fit.time);
    one.set("data", fit.data);
    one.set("model", std::move(model));
  });
}

}  // namespace divker::present::fields
