#include "fit_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "present/fields.hpp"

namespace divker::app {
namespace {

present::Fields fields_of_fit(const CommonOptions& options, const FitResult& result) {
  present::Fields fields;
  present::fields::fitted(fields, result);
  if (!options.out.empty()) fields.set("out", options.out);
  return fields;
}

// Of parameters that all have no error only the first are worth a line.
std::size_t parameters_shown(const FitResult& result) {
  constexpr std::size_t most_without_errors = 20;
  const bool none =
      std::ranges::all_of(result.standard_error, [](double e) { return std::isnan(e); });
  return none ? std::min(result.names.size(), most_without_errors) : result.names.size();
}

void print_estimates(const FitResult& result) {
  const bool with_dt = !result.time_step.empty();
  const std::size_t shown = parameters_shown(result);
  fmt::print("{:>16} {:>14} {:>12} {:>12}{}\n", "parameter", "estimate", "+-", "of the paths",
             with_dt ? "        of dt" : "");
  for (std::size_t i = 0; i < shown; ++i) {
    fmt::print("{:>16} {:>14.6g} ", result.names[i], result.estimate[i]);
    if (std::isnan(result.standard_error[i])) {
      fmt::print("{}\n", error_in_words(result, i));
    } else {
      fmt::print("{:>12.2g} {:>12.2g}", result.standard_error[i], result.simulation_error[i]);
      if (with_dt) fmt::print(" {:>12.2g}", result.time_step[i]);
      fmt::print("\n");
    }
  }
  if (shown < result.names.size()) {
    fmt::print("and {} parameters more, which --out and --json hold\n",
               result.names.size() - shown);
  }
  if (result.window) {
    fmt::print("(Responses over {:.4g} before a snapshot: {:.1f}% of +- is for what is older.)\n",
               *result.window, 100.0 * result.window_bias / (1.0 + result.window_bias));
  }
  for (const std::string& name : result.inactive) {
    fmt::print("{} has no effect on what is observed; it was left as it is.\n", name);
  }
  if (!result.inactive.empty()) {
    fmt::print("(None that {} paths can tell from their noise: more --paths may find one.)\n",
               result.record.summary.paths);
  }
}

// Parameters that are undetermined have none.
void print_correlation(double value) {
  fmt::print(" {:>6}", std::isnan(value) ? "-" : fmt::format("{:.2f}", value));
}

void print_correlations(const FitResult& result) {
  constexpr std::size_t largest_matrix = 8;
  constexpr double strong = 0.9;
  const std::size_t count = result.correlation.rows;
  if (count > 1 && count <= largest_matrix) {
    fmt::print("\ncorrelation\n");
    for (std::size_t i = 0; i < count; ++i) {
      fmt::print("{:>16}", result.names[i]);
      for (std::size_t j = 0; j <= i; ++j) print_correlation(result.correlation(i, j));
      fmt::print("\n");
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (!(std::fabs(result.correlation(i, j)) >= strong)) continue;
        fmt::print("correlation of {} and {}: {:.3f}\n", result.names[j], result.names[i],
                   result.correlation(i, j));
      }
    }
  }
  for (const std::string& weak : result.weak) fmt::print("weakly determined: {}\n", weak);
}

// Bars by the data's own scatter and by the model are the same where the model is right.
void print_series(const FitResult& result) {
  if (!result.series) return;
  const OfSeries& series = *result.series;
  fmt::print("\n");
  if (!series.smallest_sample || result.individuals > 1) {
    fmt::print("{:>16} {:>12} {:>12}\n", "standard error", "by the model", "by the data");
    for (std::size_t i = 0; i < result.names.size(); ++i) {
      fmt::print("{:>16} {:>12.2g} {:>12.2g}\n", result.names[i], series.model_error[i],
                 result.standard_error[i]);
    }
  }
  fmt::print("{} transitions of {} individuals, {} paths each, up to {} substeps\n",
             series.transitions, result.individuals, series.paths_each, series.most_substeps);
  if (series.smallest_sample) {
    fmt::print("at each row at least {:.1f}% of the paths count\n",
               100.0 * *series.smallest_sample);
  }
}

void print_divergence(const FitResult& result) {
  if (!result.divergence) return;
  const OfDivergence& one = *result.divergence;
  fmt::print("\ndivergence {} of the data held out: {:.4g} +- {:.2g} ({} features)\n", one.name,
             one.value.value, one.value.standard_error, one.features);
}

void print_goodness(const FitResult& result) {
  if (result.goodness.empty()) return;
  fmt::print("\n{:>12} {:>10} {:>6} {:>11} {:>11} {:>11} {:>11} {:>7} {:>7} {:>9} {:>7}\n", "", "t",
             "rows", "data mean", "model", "data sd", "model", "KS", "p", "energy", "p");
  for (const GoodnessOfFit& one : result.goodness) {
    fmt::print(
        "{:>12} {:>10.6g} {:>6} {:>11.5g} {:>11.5g} {:>11.4g} {:>11.4g} {:>7.3f} {:>7.3f} "
        "{:>9.3g} {:>7.3f}\n",
        one.name, one.time, one.rows, one.data_mean, one.model_mean, one.data_deviation,
        one.model_deviation, one.kolmogorov_smirnov, one.kolmogorov_smirnov_p, one.energy,
        one.energy_p);
  }
}

void print_joint(const FitResult& result) {
  for (const JointGoodness& one : result.joint) {
    fmt::print(
        "means and covariances at t = {:.6g}: chi-square {:.4g}, {} degrees of freedom, "
        "p {:.3f}\n",
        one.time, one.statistic, one.freedom, one.p);
  }
}

// A fit may have converged, and yet the model be wrong.
void print_rejected(const FitResult& result) {
  constexpr std::size_t most = 4;
  if (result.rejected.empty()) return;
  fmt::print("The law of the fitted model is not that of the data:\n");
  for (std::size_t i = 0; i < std::min(most, result.rejected.size()); ++i) {
    fmt::print("  {}\n", result.rejected[i]);
  }
  if (result.rejected.size() > most) {
    fmt::print("  {} more tests\n", result.rejected.size() - most);
  }
}

void print_log_likelihood(const FitResult& result) {
  if (!result.log_likelihood) return;
  if (!result.log_likelihood_error) {
    fmt::print("log-likelihood of the data: {:.2f}\n", *result.log_likelihood);
    return;
  }
  fmt::print("log-likelihood of the series: {:.3f} +- {:.2g}, AIC {:.2f}\n", *result.log_likelihood,
             *result.log_likelihood_error, result.aic());
}

double total_gain(const FitResult& result) {
  double total = 0.0;
  for (const FitIteration& one : result.state.history) total += one.gain;
  return total;
}

}  // namespace

Json fit_picture(const CommonOptions& options, const FitResult& result) {
  constexpr std::size_t most_drawn = 5'000;
  present::Fields fields = fields_of_fit(options, result);
  present::fields::marginals(fields, result, most_drawn);
  return to_json(fields);
}

int report_fit(const CommonOptions& options, const FitResult& result) {
  const FitState& state = result.state;
  tell_warnings(result.record);
  if (options.json) {
    print_json(to_json(fields_of_fit(options, result)));
  } else {
    print_estimates(result);
    print_correlations(result);
    print_series(result);
    print_divergence(result);
    print_goodness(result);
    print_joint(result);
    fmt::print("\n");
    print_rejected(result);
    if (!options.quiet) {
      for (const std::string& remark : result.remarks) fmt::print("{}\n", remark);
    }
    print_log_likelihood(result);
    fmt::print("{} in {} iterations: {}; mean log-likelihood raised by {:.4g}\n",
               state.converged ? "converged" : "NOT converged", state.history.size() - 1,
               state.reason, total_gain(result));
  }
  if (!state.converged) {
    fmt::print(stderr, "divker: the fit did not converge: {}.\n", state.reason);
  }
  const int code = finish(options, result.record);
  return state.converged ? code : static_cast<int>(ErrorKind::numerical);
}

}  // namespace divker::app
