#include "divker/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "answer/drift_rates.hpp"
#include "answer/observable.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "march/stability.hpp"

namespace divker {
namespace {

// The pathwise numbers of one run, and what the checks make of them.
struct Run {
  Paths paths;
  [[nodiscard]] const Snapshot& last() const { return paths.snapshots.back(); }
};

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

Estimate estimate_of(const std::vector<double>& values) {
  Moments moments(1);
  for (const double v : values) moments.add(std::span<const double>(&v, 1));
  return moments.estimate(0);
}

double largest_share(const Matrix& values, std::size_t column) {
  double largest = 0.0, sum = 0.0;
  for (std::size_t r = 0; r < values.rows; ++r) {
    const double square = values(r, column) * values(r, column);
    largest = std::max(largest, square);
    sum += square;
  }
  return sum > 0.0 ? largest / sum : 0.0;
}

// "x^2", or "(sum(i, 0:39, x[i]^2) + p^2)/41".
std::string mean_square_of_states(const Model& model) {
  std::string sum;
  for (std::size_t i = 0; i < model.dimension();) {
    const std::string& name = model.states()[i].name;
    const std::string family = name.substr(0, name.find('['));
    std::size_t end = i + 1;
    while (end < model.dimension() && family != name &&
           model.states()[end].name.starts_with(family + "[")) {
      ++end;
    }
    sum += sum.empty() ? "" : " + ";
    sum += family == name ? fmt::format("{}^2", name)
                          : fmt::format("sum(i, 0:{}, {}[i]^2)", end - i - 1, family);
    i = end;
  }
  return model.dimension() == 1 ? sum : fmt::format("({})/{}", sum, model.dimension());
}

// Where the best of the candidates of one form stands.
const DampingCandidate* best_constant(const std::vector<DampingCandidate>& candidates) {
  const DampingCandidate* best = nullptr;
  for (const DampingCandidate& c : candidates) {
    if (c.damping.form != DampingForm::scalar || !std::isfinite(c.cost)) continue;
    if (best == nullptr || c.cost < best->cost) best = &c;
  }
  return best;
}

class Diagnostician {
 public:
  Diagnostician(const Model& model, const DiagnoseOptions& options)
      : model_(model),
        options_(options),
        observable_text_(options.observable.empty() ? mean_square_of_states(model)
                                                    : options.observable),
        observable_(model, options.parameters, observable_text_),
        names_(parameter_names(model, options.parameters)),
        is_map_(model.dynamics() == Dynamics::map) {
    step_.responses = options.parameters;
    step_.order = options.answer.order;
    step_.scheme = options.answer.scheme;
  }

  Diagnosis diagnose() {
    diagnosis_.observable = observable_text_;
    check_damping();
    const Run main = run(model_, 1);
    diagnosis_.effective.summary = main.paths.summary;
    require_paths(main.paths.summary);
    check_failures(main);
    check_stability();
    check_tails(main);
    check_score_identity(main);
    check_mass(main);
    check_time_step();
    compare_methods();
    check_points();
    return std::move(diagnosis_);
  }

 private:
  void add(const std::string& name, Verdict verdict, std::string finding, std::string advice = {}) {
    diagnosis_.checks.push_back({name, verdict, std::move(finding), std::move(advice)});
  }

  [[nodiscard]] Run run(const Model& model, std::size_t increments) const {
    const Ensemble ensemble(model, step_);
    RunOptions options = options_.answer.run;
    options.damping = diagnosis_.effective.choice.damping;
    options.increments_per_step = increments;
    Run run{ensemble.run(options)};
    // The checks compare runs path by path: one that ended early has other paths than the next.
    if (run.paths.summary.interrupted) {
      throw Error(
          ErrorKind::numerical,
          fmt::format("The diagnosis was interrupted after {} of {} paths of a run; it needs "
                      "all of them.",
                      run.paths.summary.paths, run.paths.summary.requested));
    }
    return run;
  }

  void check_damping() {
    Effective& effective = diagnosis_.effective;
    const DampingChoice automatic =
        choose_damping(model_, DampingRequest{}, step_, options_.answer.run, {});
    effective.choice = automatic;
    const bool asked = options_.answer.damping.kind != DampingRequest::Kind::automatic;
    if (asked) {
      effective.choice =
          choose_damping(model_, options_.answer.damping, step_, options_.answer.run, {});
      effective.choice.candidates = automatic.candidates;
    }
    effective.choice.damping.shape(step_);
    effective.alpha = effective.choice.damping.text();
    if (automatic.candidates.empty()) {
      add("damping", Verdict::good, fmt::format("{}: nothing to choose from", effective.alpha));
      return;
    }
    std::string finding =
        fmt::format("auto takes {}, the least variance ({:.3g}) of {} candidates",
                    automatic.damping.text(), automatic.cost, automatic.candidates.size());
    if (const auto* constant = best_constant(automatic.candidates)) {
      finding += fmt::format("; the best constant, {}, has {:.2g} times that",
                             constant->damping.text(), constant->cost / automatic.cost);
    }
    const double dt = model_.time().step;
    if (asked && effective.alpha != automatic.damping.text()) {
      add("damping", Verdict::caution, finding,
          fmt::format("you asked for {}: leave it to `--alpha auto` unless you know more",
                      effective.alpha));
    } else if (!is_map_ && automatic.damping.alpha * dt > 0.5) {
      add("damping", Verdict::caution, finding,
          "every step is nearly a pure kernel step, with variance 1/dt: the covector cannot be "
          "carried along; a larger dt costs less variance");
    } else {
      add("damping", Verdict::good, finding);
    }
  }

  void check_failures(const Run& main) {
    const RunSummary& summary = main.paths.summary;
    if (summary.failed == 0) {
      add("failed paths", Verdict::good, fmt::format("none of {}", summary.requested));
      return;
    }
    const FailedPath& first = summary.first_failures.front();
    add("failed paths", Verdict::bad,
        fmt::format("{} of {}; path {} first, its {} at t = {:.4g}", summary.failed,
                    summary.requested, first.path, first.what, first.time),
        "what is left is a biased sample: " +
            (summary.cause.empty() ? "halve dt, or damp more if a covector failed"
                                   : summary.cause.substr(0, summary.cause.size() - 1)));
  }

  void check_stability() {
    if (is_map_) return add("stability", Verdict::good, "a map has no drift");
    const DriftRates rates = drift_rates(model_, options_.answer.run);
    const Verdict verdict = rates.largest > march::stability_limit ? Verdict::bad
                            : rates.largest > march::turning_limit ? Verdict::caution
                                                                      : Verdict::good;
    add("stability", verdict,
        fmt::format("dt times the rate at which the drift changes is at most {:.2g} (t = {:.4g}), "
                    "above 1, where a step turns over, at {:.2g}% of {} points; Euler's limit is 2",
                    rates.largest, rates.time, 100.0 * rates.share_turned, rates.points),
        verdict == Verdict::good ? "" : march::advice_on_step(model_.time(), rates.largest));
  }

  void check_tails(const Run& main) {
    double worst = 0.0;
    std::string where = "nothing";
    const auto look = [&](const Matrix& values, const auto& name) {
      for (std::size_t c = 0; c < values.cols; ++c) {
        const double share = largest_share(values, c);
        if (share <= worst) continue;
        worst = share;
        where = name(c);
      }
    };
    look(main.last().nu, [&](std::size_t c) { return "nu of " + model_.states()[c].name; });
    look(main.last().responses, [&](std::size_t c) { return "I of " + names_[c]; });
    // The largest of n squares of numbers with exponential tails is (log n)^2 / (2n) of their sum.
    const auto n = static_cast<double>(main.last().x.rows);
    const double exponential = std::pow(std::log(n), 2) / (2.0 * n);
    const Verdict verdict = worst > std::max(0.2, 6.0 * exponential) ? Verdict::bad
                            : worst > 6.0 * exponential              ? Verdict::caution
                                                                     : Verdict::good;
    add("heavy tails", verdict,
        fmt::format("one path makes up at most {:.2g}% of a mean square ({})", 100.0 * worst,
                    where),
        verdict == Verdict::good
            ? ""
            : "error bars rest on few paths: more damping, more paths, or a shorter time");
  }

  // E[nu_i x_i] = -1 for each state; the average over the states is steadier than each.
  [[nodiscard]] std::vector<double> score_defects(const Snapshot& s) const {
    std::vector<double> defects(s.x.rows);
    for (std::size_t r = 0; r < s.x.rows; ++r) {
      double sum = 0.0;
      for (std::size_t i = 0; i < s.x.cols; ++i) sum += s.nu(r, i) * s.x(r, i);
      defects[r] = 1.0 + sum / static_cast<double>(s.x.cols);
    }
    return defects;
  }

  void check_score_identity(const Run& main) {
    const Estimate defect = estimate_of(score_defects(main.last()));
    const double significant = std::fabs(defect.value) - 3.0 * defect.standard_error;
    const Verdict verdict = significant > 0.1    ? Verdict::bad
                            : significant > 0.02 ? Verdict::caution
                                                 : Verdict::good;
    add("score identity", verdict,
        fmt::format("1 + E[nu.x]/{} = {:.3g} +- {:.2g}, exactly 0 for a smooth density on all of "
                    "space",
                    model_.dimension(), defect.value, defect.standard_error),
        verdict == Verdict::good ? ""
                                 : "the score carries a bias of dt (halve dt, or `--order 2`), or "
                                   "the density does not fall off at an edge");
  }

  void check_mass(const Run& main) {
    double worst = 0.0;
    std::string finding;
    for (std::size_t p = 0; p < names_.size(); ++p) {
      const Estimate mass = estimate_of(main.last().responses.column(p));
      const double spread =
          mass.standard_error * std::sqrt(static_cast<double>(main.last().responses.rows));
      const double bias = std::max(0.0, std::fabs(mass.value) - 3.0 * mass.standard_error) / spread;
      if (!finding.empty() && bias <= worst) continue;
      worst = std::max(worst, bias);
      finding = fmt::format("E[I of {}] = {:.2g} +- {:.2g}, exactly 0: mass is conserved",
                            names_[p], mass.value, mass.standard_error);
    }
    const Verdict verdict =
        worst > 0.2 ? Verdict::bad : (worst > 0.05 ? Verdict::caution : Verdict::good);
    add("mass", verdict, finding,
        verdict == Verdict::good ? "" : "the response carries a bias of dt: halve dt, `--order 2`");
  }

  // Per path: phi, and the influence of the path on each response.
  [[nodiscard]] std::vector<std::vector<double>> influences(const Snapshot& s) const {
    const Observable::Values values = observable_(s.x, s.time);
    const double mean = mean_of(values.phi);
    std::vector<std::vector<double>> result{values.phi};
    for (std::size_t p = 0; p < names_.size(); ++p) {
      std::vector<double> column(s.x.rows);
      for (std::size_t r = 0; r < s.x.rows; ++r) {
        column[r] = (values.phi[r] - mean) * s.responses(r, p);
        if (values.explicit_part.rows != 0) column[r] += values.explicit_part(r, p);
      }
      result.push_back(std::move(column));
    }
    return result;
  }

  void check_time_step() {
    bias_.assign(names_.size(), 0.0);
    if (is_map_) {
      add("time step", Verdict::good, "a map has none: its steps are exact");
      return;
    }
    TimeGrid half = model_.time();
    half.step /= 2.0;
    const Run coarse = run(model_, 2);
    const Run fine = run(model_.with_time(half), 1);
    if (coarse.paths.summary.failed + fine.paths.summary.failed != 0) {
      add("time step", Verdict::bad, "paths failed at dt or dt/2, so that they cannot be paired",
          "halve dt");
      return;
    }
    const auto at_dt = influences(coarse.last()), at_half = influences(fine.last());
    std::vector<std::string> what{fmt::format("E[{}]", shortened(observable_text_))};
    for (const std::string& name : names_) what.push_back("its response to " + name);
    Verdict worst = Verdict::good;
    std::string finding;
    double shown = -1.0;
    for (std::size_t q = 0; q < at_dt.size(); ++q) {
      std::vector<double> difference(at_dt[q].size());
      for (std::size_t r = 0; r < difference.size(); ++r) {
        difference[r] = 2.0 * (at_dt[q][r] - at_half[q][r]);
      }
      const Estimate bias = estimate_of(difference), value = estimate_of(at_dt[q]);
      if (q > 0) bias_[q - 1] = std::fabs(bias.value) + 2.0 * bias.standard_error;
      const double beyond = std::max(0.0, std::fabs(bias.value) - 3.0 * bias.standard_error);
      const double relative = beyond / std::max(std::fabs(value.value), value.standard_error);
      worst = std::max(worst, relative > 0.1 && beyond > value.standard_error ? Verdict::bad
                              : relative > 0.02                               ? Verdict::caution
                                                                              : Verdict::good);
      if (relative <= shown) continue;
      shown = relative;
      finding = fmt::format("{} = {:.4g} +- {:.2g} has a bias of {:.2g} +- {:.2g} at dt = {:.4g}",
                            what[q], value.value, value.standard_error, bias.value,
                            bias.standard_error, model_.time().step);
    }
    add("time step", worst, finding, worst == Verdict::good ? "" : "halve dt, or try `--order 2`");
  }

  static std::string shortened(const std::string& text) {
    return text.size() <= 24 ? text : text.substr(0, 20) + " ...";
  }

  void compare_methods() {
    std::vector<BaselineAnswer> answers;
    for (const Method method :
         {Method::divergence_kernel, Method::likelihood_ratio, Method::finite_difference}) {
      MethodCost cost{method, {}, 0, 0.0, {}};
      BaselineOptions options{options_.answer, method, 0.0};
      options.answer.damping.kind = DampingRequest::Kind::given;
      options.answer.damping.damping = diagnosis_.effective.choice.damping;
      const auto began = std::chrono::steady_clock::now();
      try {
        const BaselineAnswer answer =
            baseline_response(model_, options_.parameters, observable_text_, options);
        cost.path_runs = answer.baseline.path_runs + answer.baseline.pilot_runs;
        for (const Estimate& e : answer.answer.response) {
          cost.standard_errors.push_back(e.standard_error);
        }
        answers.push_back(answer);
      } catch (const Error& error) {
        if (method == Method::divergence_kernel) throw;
        cost.problem = error.what();
      }
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      cost.seconds = took.count();
      diagnosis_.methods.push_back(cost);
      if (cost.problem.empty() && method == Method::finite_difference) {
        check_differences(answers.front().answer, answers.back().answer);
      }
    }
    recommend();
  }

  void check_differences(const ObservableAnswer& ours, const ObservableAnswer& theirs) {
    double worst = -1.0;
    std::string finding;
    for (std::size_t p = 0; p < names_.size(); ++p) {
      const Estimate a = ours.response[p], b = theirs.response[p];
      const double error = std::hypot(a.standard_error, b.standard_error);
      const double beyond = std::max(0.0, std::fabs(a.value - b.value) - bias_[p]) / error;
      if (beyond <= worst) continue;
      worst = beyond;
      finding = fmt::format("{}: {:.4g} +- {:.2g} against {:.4g} +- {:.2g}", names_[p], a.value,
                            a.standard_error, b.value, b.standard_error);
    }
    const Verdict verdict =
        worst > 4.5 ? Verdict::bad : (worst > 3.0 ? Verdict::caution : Verdict::good);
    add("finite differences", verdict, finding,
        verdict == Verdict::good
            ? ""
            : "the two disagree beyond their errors and the bias of dt: look at the checks above, "
              "and at kinks of the drift or the observable");
  }

  // Standard error^2 x time, the geometric mean over the parameters.
  static double work(const MethodCost& cost) {
    double logs = 0.0;
    for (const double e : cost.standard_errors) logs += std::log(std::max(e * e, 1e-300));
    return cost.seconds * std::exp(logs / static_cast<double>(cost.standard_errors.size()));
  }

  void recommend() {
    const MethodCost& ours = diagnosis_.methods.front();
    const MethodCost* best = &ours;
    std::string finding;
    for (const MethodCost& cost : diagnosis_.methods) {
      if (!cost.problem.empty()) {
        finding += fmt::format("; {} cannot be used", name_of(cost.method));
        continue;
      }
      finding += fmt::format("; {} {:.2g}", name_of(cost.method), work(cost) / work(ours));
      if (work(cost) < work(*best)) best = &cost;
    }
    finding = fmt::format("time for equal errors of {} response{}: {}", names_.size(),
                          names_.size() == 1 ? "" : "s", finding.substr(2));
    if (best == &ours) {
      add("method", Verdict::good, finding);
      return;
    }
    add("method", Verdict::caution, finding,
        fmt::format("for this mean alone `--method {}` is the cheapest; scores, densities, fits "
                    "and many parameters at once still ask for the divergence kernel",
                    name_of(best->method)));
  }

  void check_points() {
    Matrix points = options_.points;
    if (points.rows == 0) {
      if (model_.dimension() != 1) return;
      points = default_points(model_, options_.answer.run, 9);
    }
    AnswerOptions how = options_.answer;
    how.damping.kind = DampingRequest::Kind::given;
    how.damping.damping = diagnosis_.effective.choice.damping;
    const PointAnswer answer = response_at(model_, options_.parameters, points, how);
    const auto& effective = answer.prediction.effective_samples;
    const auto least = std::min_element(effective.begin(), effective.end());
    const auto outside =
        std::count(answer.prediction.outside.begin(), answer.prediction.outside.end(), true);
    const Verdict verdict = outside > 0     ? Verdict::bad
                            : *least < 50.0 ? Verdict::caution
                                            : Verdict::good;
    add("points", verdict,
        fmt::format("{} points; at least {:.0f} effective samples (point {}); {} outside the "
                    "sample",
                    points.rows, *least, least - effective.begin(), outside),
        verdict == Verdict::good ? ""
                                 : "more paths, or points where the density is not that small");
  }

  const Model& model_;
  const DiagnoseOptions& options_;
  std::string observable_text_;
  Observable observable_;
  std::vector<std::string> names_;
  bool is_map_;
  StepOptions step_;
  std::vector<double> bias_;  // of dt, in each response: an upper bound
  Diagnosis diagnosis_;
};

}  // namespace

std::string name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::caution:
      return "caution";
    case Verdict::bad:
      return "bad";
  }
  return "";
}

Diagnosis diagnose(const Model& model, const DiagnoseOptions& options) {
  require_parameters(model, options.parameters);
  if (options.points.rows != 0) check_points(model, options.points);
  return Diagnostician(model, options).diagnose();
}

}  // namespace divker
