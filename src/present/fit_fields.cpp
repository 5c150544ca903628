#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "present/fields.hpp"

namespace divker::present::fields {
namespace {

void goodness(Fields& o, const FitResult& result) {
  o.list("goodness", result.goodness, [](Fields& one, const GoodnessOfFit& fit) {
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
    one.set("anderson_darling", fit.anderson_darling);
    one.set("anderson_darling_p", fit.anderson_darling_p);
    one.set("hill", fit.hill.value);
    one.set("hill_stderr", fit.hill.standard_error);
    one.set("moment", fit.moment.value);
    one.set("moment_stderr", fit.moment.standard_error);
  });
  o.list("joint", result.joint, [](Fields& one, const JointGoodness& joint) {
    one.set("t", joint.time);
    one.set("rows", joint.rows);
    one.set("chi_square", joint.statistic);
    one.set("freedom", joint.freedom);
    one.set("p", joint.p);
    one.set("energy", joint.energy);
    one.set("energy_p", joint.energy_p);
  });
  o.list("influence", result.influence, [](Fields& one, const RowInfluence& row) {
    one.set("source", row.source);
    one.set("row", row.row);
    one.set("t", row.time);
    one.set("parameter", row.parameter);
    one.set("shift", row.shift);
    one.set("beyond", row.beyond);
  });
  o.set("rejected", result.rejected);
}

void series(Fields& o, const OfSeries& series) {
  o.set("stderr_by_model", series.model_error);
  o.set("step_bias", series.step_bias);
  o.set("transitions", series.transitions);
  o.set("paths_each", series.paths_each);
  o.set("most_substeps", series.most_substeps);
  if (series.smallest_sample) o.set("smallest_sample", *series.smallest_sample);
}

void divergence(Fields& o, const OfDivergence& divergence) {
  o.set("divergence", divergence.name);
  o.set("divergence_estimate", divergence.value.value);
  o.set("divergence_stderr", divergence.value.standard_error);
  o.set("features", divergence.features);
}

void structure(Fields& o, const OfStructure& structure) {
  o.object("structure", [&structure](Fields& one) {
    one.set("fdr", structure.false_discovery_rate);
    one.set("candidates", structure.candidates);
    one.set("kept", structure.kept);
    one.set("zero", structure.zero);
    one.set("score", structure.score);
    one.set("chi_square", structure.statistic);
    one.set("freedom", structure.freedom);
    one.set("p", structure.p);
    one.set("interval", structure.interval);
    one.set("rounds", structure.rounds);
    one.set("settled", structure.settled);
    one.list("couplings", structure.couplings, [](Fields& edge, const Coupling& coupling) {
      edge.set("parameter", coupling.parameter);
      edge.set("from", coupling.from);
      edge.set("to", coupling.to);
      edge.set("by_noise", coupling.by_noise);
    });
  });
}

void undetermined(Fields& o, const FitResult& result) {
  o.set("undetermined", result.undetermined);
  o.list("determined", result.determined,
         [](Fields& one, const DeterminedCombination& combination) {
           one.set("combination", combination.expression);
           one.set("parameters", combination.parameters);
           one.set("estimate", combination.value);
           one.set("stderr", combination.standard_error);
         });
}

void fit(Fields& o, const FitResult& result) {
  const std::vector<FitIteration>& history = result.state.history;
  o.set("parameters", result.names);
  o.set("estimate", result.estimate);
  o.set("stderr", result.standard_error);
  o.set("stderr_of_paths", result.simulation_error);
  if (!result.time_step.empty()) o.set("time_step", result.time_step);
  o.set("tail_index", result.tail_index);
  o.set("iterations", history.size() - 1);
  o.set("converged", result.state.converged);
  o.set("reason", result.state.reason);
  o.set("psi_over_noise", history.back().psi_over_noise);
  o.set("correlation", result.correlation);
  o.set("condition", result.condition);
  if (result.window) {
    o.set("window", *result.window);
    o.set("window_bias", result.window_bias);
  }
  if (result.series) series(o, *result.series);
  if (result.divergence) divergence(o, *result.divergence);
  if (result.structure) structure(o, *result.structure);
  o.list("derived", result.derived, [](Fields& one, const DerivedQuantity& quantity) {
    one.set("name", quantity.name);
    one.set("expression", quantity.expression);
    one.set("estimate", quantity.value);
    one.set("stderr", quantity.standard_error);
  });
  undetermined(o, result);
  o.set("weak", result.weak);
  o.set("inactive", result.inactive);
  o.set("rows", result.data_rows);
  o.set("individuals", result.individuals);
  o.set("remarks", result.remarks);
  if (result.log_likelihood) o.set("log_likelihood", *result.log_likelihood);
  if (result.log_likelihood_error) {
    o.set("log_likelihood_stderr", *result.log_likelihood_error);
    o.set("aic", result.aic());
  }
  goodness(o, result);
  o.list("history", history, [](Fields& one, const FitIteration& iteration) {
    one.set("iteration", iteration.iteration);
    one.set("paths", iteration.paths);
    one.set("gain", iteration.gain);
    one.set("psi_over_noise", iteration.psi_over_noise);
    one.set("step", iteration.step);
    one.set("halvings", iteration.halvings);
    if (iteration.divergence) {
      one.set("divergence", iteration.divergence->value);
      one.set("divergence_stderr", iteration.divergence->standard_error);
    }
    one.set("parameters", iteration.parameters);
  });
}

}  // namespace

void fitted(Fields& o, const FitResult& result) {
  fit(o, result);
  method(o, result.record);
  run(o, result.model, result.record);
}

void marginals(Fields& o, const FitResult& result, std::size_t most) {
  o.list("marginals", result.goodness, [most](Fields& one, const GoodnessOfFit& fit) {
    std::vector<double> model = fit.model;
    model.resize(std::min(model.size(), most));
    one.set("name", fit.name);
    one.set("t", fit.time);
    one.set("data", fit.data);
    one.set("model", std::move(model));
  });
}

}  // namespace divker::present::fields
