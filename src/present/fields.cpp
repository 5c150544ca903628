#include "present/fields.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "divker/boundaries.hpp"
#include "divker/kernel.hpp"
#include "divker/model_kinks.hpp"
#include "divker/state_coordinates.hpp"

namespace divker::present {

void Fields::append(const Fields& other) {
  for (const Field& field : other.all_) add(field.key, field.value);
}

void Fields::add(std::string key, Value value) {
  const auto known = std::ranges::find(all_, key, &Field::key);
  if (known != all_.end()) {
    known->value = std::move(value);
  } else {
    all_.push_back({std::move(key), std::move(value)});
  }
}

namespace fields {

void run(Fields& o, const Model& model, const RunRecord& record) {
  const RunSummary& summary = record.summary;
  o.set("alpha", record.alpha);
  o.set("seed", record.sampling.seed);
  o.set("paths", summary.paths);
  o.set("failed_paths", summary.failed);
  o.set("interrupted", summary.interrupted);
  o.list("first_failures", summary.first_failures, [](Fields& one, const FailedPath& failure) {
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
  o.list("warnings", record.warnings, [](Fields& one, const Warning& warning) {
    one.set("what", warning.what);
    one.set("sentence", warning.sentence);
  });
  o.object("time_grid", [&model](Fields& grid) {
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

void method(Fields& o, const RunRecord& record) {
  if (!record.method.estimator.empty()) o.set("method", record.method.estimator);
}

void show(Fields& o, const Model& model, const std::vector<OperationCount>& counts) {
  o.set("model", model.name());
  o.set("model_text", model.text());
  o.set("model_hash", model.hash());
  o.set("dynamics", std::string(model.dynamics() == Dynamics::map ? "map" : "sde"));
  o.set("states", model.dimension());
  o.set("brownian_motions", model.noise_count());
  o.set("noise", std::string(name_of(model.noise_class())));
  if (!model.singular_noise().empty()) o.set("singular_noise", model.singular_noise());
  o.list("kinks", model_kinks(model), [](Fields& one, const ModelKink& kink) {
    one.set("part", std::string(name_of(kink.part)));
    one.set("of", kink.name);
    one.set("kind", std::string(name_of(kink.kind)));
    one.set("place", kink.place);
    one.set("sentence", kink.sentence());
  });
  std::vector<std::string> ends;
  for (const Boundary& boundary : boundaries(model)) ends.push_back(boundary.sentence);
  o.set("boundaries", std::move(ends));
  o.set("coordinates", coordinates_in_words(model));
  if (!model.inputs().empty()) {
    o.list("inputs", model.inputs(), [](Fields& one, const Input& input) {
      one.set("name", input.name);
      one.set("file", input.file);
      one.set("interpolation", std::string(name_of(input.interpolation)));
      one.set("hold", input.hold);
      if (!input.knots) return;
      one.set("knots", input.knots->times().size());
      one.set("first", input.knots->times().front());
      one.set("last", input.knots->times().back());
    });
  }
  if (!model.functionals().empty()) {
    o.list("functionals", model.functionals(), [](Fields& one, const PathFunctional& functional) {
      one.set("name", functional.name);
      one.set("kind", std::string(functional.kind->name()));
    });
  }
  if (!model.observations().empty()) {
    std::vector<std::string> observations;
    for (const Observation& one : model.observations()) observations.push_back(one.name);
    o.set("observations", std::move(observations));
  }
  if (!model.labels().empty()) {
    o.object("labels", [&model](Fields& labels) {
      for (const auto& [name, label] : model.labels()) labels.set(name, model.title_of(name));
    });
  }
  if (!model.errors().empty()) {
    o.list("estimated", model.errors(), [&model](Fields& one, const EstimateError& error) {
      one.set("name", model.parameters()[error.parameter].name);
      one.set("stderr", error.standard_error);
      one.set("correlations", error.correlations);
    });
  }
  o.set("score_free_start", !model.has_initial_density());
  o.set("steps", model.time().steps());
  o.set("lanes", host_lanes());
  o.list("parameters", model.parameters(), [](Fields& one, const Parameter& parameter) {
    one.set("name", parameter.name);
    one.set("value", parameter.value);
    one.set("fixed", parameter.fixed);
  });
  o.object("operations", [&counts](Fields& operations) {
    for (const OperationCount& count : counts) operations.set(count.what, count.operations);
  });
}

void estimates(Fields& o, const std::vector<Estimate>& all, const std::string& value,
               const std::string& error) {
  std::vector<double> values, errors;
  for (const Estimate& one : all) {
    values.push_back(one.value);
    errors.push_back(one.standard_error);
  }
  o.set(value, std::move(values));
  o.set(error, std::move(errors));
}

}  // namespace fields
}  // namespace divker::present
