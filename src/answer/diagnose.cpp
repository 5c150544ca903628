#include "divker/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "answer/drift_rates.hpp"
#include "answer/observable.hpp"
#include "answer/path_checks.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/plan.hpp"
#include "divker/study.hpp"
#include "march/stability.hpp"

namespace divker {
namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
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

const DampingCandidate* best_constant(const std::vector<DampingCandidate>& candidates) {
  const DampingForm* const constant = constant_damping(1.0).form;
  const DampingCandidate* best = nullptr;
  for (const DampingCandidate& c : candidates) {
    if (c.damping.form != constant || !std::isfinite(c.cost)) continue;
    if (best == nullptr || c.cost < best->cost) best = &c;
  }
  return best;
}

std::string shortened(const std::string& text) {
  return text.size() <= 24 ? text : text.substr(0, 20) + " ...";
}

class Diagnostician {
 public:
  Diagnostician(const Model& model, const DiagnoseOptions& options)
      : model_(model),
        options_(options),
        sampling_(options.answer.sampling),
        observable_text_(options.observable.empty() ? mean_square_of_states(model)
                                                    : options.observable),
        observable_(model, options.parameters, observable_text_),
        names_(parameter_names(model, options.parameters)),
        study_(model, options.answer.method, Asked::responses_to(options.parameters), sampling_,
               options.answer.session) {}

  Diagnosis diagnose() {
    diagnosis_.observable = observable_text_;
    check_damping();
    const Paths main = study_.run();
    require_all_of(main.summary);
    require_paths(main.summary);
    const Snapshot& last = main.snapshots.back();
    add(check_failures(main.summary));
    check_stability();
    add(check_tails(model_, names_, last));
    add(check_score_identity(last));
    add(check_mass(names_, masses_of(last), last.responses().rows));
    check_time_step();
    compare_methods();
    check_points();
    diagnosis_.record = study_.record();
    diagnosis_.record.choice.candidates = automatic_.candidates;
    return std::move(diagnosis_);
  }

 private:
  void add(Check check) { diagnosis_.checks.push_back(std::move(check)); }
  void add(const std::string& name, Verdict verdict, std::string finding, std::string advice = {}) {
    diagnosis_.checks.push_back({name, verdict, std::move(finding), std::move(advice)});
  }

  // The checks compare runs path by path: one that ended early has other paths than the next.
  static void require_all_of(const RunSummary& summary) {
    if (!summary.interrupted) return;
    throw Error(ErrorKind::numerical,
                fmt::format("The diagnosis was interrupted after {} of {} paths of a run; it needs "
                            "all of them.",
                            summary.paths, summary.requested));
  }

  [[nodiscard]] Paths run_at(const TimeGrid& grid, std::size_t increments) {
    Sampling sampling = sampling_;
    sampling.increments_per_step = increments;
    study_.set_model(model_.with_time(grid));
    Paths paths = study_.run_aside(sampling);
    study_.set_model(model_);
    require_all_of(paths.summary);
    return paths;
  }

  // What was asked for, with the damping of the main run.
  [[nodiscard]] AnswerOptions options_as_run() const {
    AnswerOptions options = options_.answer;
    options.method.scheme = study_.record().method.scheme;
    options.method.damping = study_.record().choice.damping;
    options.difference_step = 0.0;
    options.time_step = TimeStep::ignored;  // a check of its own measures it
    return options;
  }

  void check_damping() {
    const RunRecord& record = study_.record();
    const bool asked = options_.answer.method.damping.form != nullptr;
    automatic_ = record.choice;
    if (asked) {
      Method automatic = options_.answer.method;
      automatic.damping = Damping::automatic();
      automatic_ = choose_damping(model_, automatic, study_.plan().asked, sampling_,
                                  options_.answer.session.aside());
    }
    if (automatic_.candidates.empty()) {
      add("damping", Verdict::good, fmt::format("{}: nothing to choose from", record.alpha));
      return;
    }
    std::string finding =
        fmt::format("auto takes {}, the least variance ({:.3g}) of {} candidates",
                    automatic_.damping.text(), automatic_.cost, automatic_.candidates.size());
    if (const auto* constant = best_constant(automatic_.candidates)) {
      finding += fmt::format("; the best constant, {}, has {:.2g} times that",
                             constant->damping.text(), constant->cost / automatic_.cost);
    }
    const double dt = model_.time().step;
    if (asked && record.alpha != automatic_.damping.text()) {
      add("damping", Verdict::caution, finding,
          fmt::format("you asked for {}: leave it to `--alpha auto` unless you know more",
                      record.alpha));
    } else if (has_time_step(model_) && automatic_.damping.alpha * dt > 0.5) {
      add("damping", Verdict::caution, finding,
          "every step is nearly a pure kernel step, with variance 1/dt: the covector cannot be "
          "carried along; a larger dt costs less variance");
    } else {
      add("damping", Verdict::good, finding);
    }
  }

  void check_stability() {
    if (!has_time_step(model_)) return add("stability", Verdict::good, "a map has no drift");
    const DriftRates rates = drift_rates(model_, sampling_, options_.answer.session);
    const Verdict verdict = verdict_on(rates.largest, march::turning_limit, march::stability_limit);
    add("stability", verdict,
        fmt::format("dt times the rate at which the drift changes is at most {:.2g} (t = {:.4g}), "
                    "above 1, where a step turns over, at {:.2g}% of {} points; Euler's limit is 2",
                    rates.largest, rates.time, 100.0 * rates.share_turned, rates.points),
        verdict == Verdict::good
            ? ""
            : march::advice_on_step(model_, rates.largest, march::turning_limit));
  }

  // Per path: phi, and the influence of the path on each response.
  [[nodiscard]] std::vector<std::vector<double>> influences(const Snapshot& s) const {
    const Observable::Values values = observable_(s.x(), s.time);
    const Matrix& responses = s.responses();
    const double mean = mean_of(values.phi);
    std::vector<std::vector<double>> result{values.phi};
    for (std::size_t p = 0; p < names_.size(); ++p) {
      std::vector<double> column(responses.rows);
      for (std::size_t r = 0; r < column.size(); ++r) {
        column[r] = (values.phi[r] - mean) * responses(r, p);
        if (values.explicit_part.rows != 0) column[r] += values.explicit_part(r, p);
      }
      result.push_back(std::move(column));
    }
    return result;
  }

  void check_time_step() {
    bias_.assign(names_.size(), 0.0);
    if (!has_time_step(model_)) {
      add("time step", Verdict::good, "a map has none: its steps are exact");
      return;
    }
    TimeGrid half = model_.time();
    half.step /= 2.0;
    const Paths coarse = run_at(model_.time(), 2);
    const Paths fine = run_at(half, 1);
    if (coarse.summary.failed + fine.summary.failed != 0) {
      add("time step", Verdict::bad, "paths failed at dt or dt/2, so that they cannot be paired",
          "halve dt");
      return;
    }
    const auto at_dt = influences(coarse.snapshots.back());
    const auto at_half = influences(fine.snapshots.back());
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

  void compare_methods() {
    ObservableAnswer ours;
    for (const Estimator* one : estimators()) {
      const bool is_ours = one == &estimator({});
      MethodCost cost{std::string(one->name()), {}, 0, 0.0, {}};
      AnswerOptions options = options_as_run();
      if (!is_ours) options.method = {};  // what was chosen is for the divergence kernel
      options.method.estimator = cost.method;
      const auto began = std::chrono::steady_clock::now();
      ObservableAnswer answer;
      try {
        answer = observable_response(model_, options_.parameters, observable_text_, options);
        cost.path_runs = answer.record.effort.path_runs + answer.record.effort.pilot_runs;
        for (const Estimate& e : answer.response) cost.standard_errors.push_back(e.standard_error);
      } catch (const Error& error) {
        if (is_ours) throw;
        cost.problem = error.what();
      }
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      cost.seconds = took.count();
      diagnosis_.methods.push_back(cost);
      if (cost.problem.empty() && cost.method == "finite-difference") {
        check_differences(ours, answer);
      }
      if (is_ours) ours = std::move(answer);
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
    add(judged("finite differences", verdict_on(worst, 3.0, 4.5), finding,
               "the two disagree beyond their errors and the bias of dt: look at the checks above, "
               "and at kinks of the drift or the observable"));
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
        finding += fmt::format("; {} cannot be used", cost.method);
        continue;
      }
      finding += fmt::format("; {} {:.2g}", cost.method, work(cost) / work(ours));
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
                    best->method));
  }

  void check_points() {
    Matrix points = options_.points;
    if (points.rows == 0) {
      if (model_.dimension() != 1) return;
      points = default_points(model_, sampling_, options_.answer.session, 9);
    }
    const PointAnswer answer = response_at(model_, options_.parameters, points, options_as_run());
    const auto& effective = answer.prediction.effective_samples;
    const auto least = std::min_element(effective.begin(), effective.end());
    const auto outside =
        std::count(answer.prediction.outside.begin(), answer.prediction.outside.end(), true);
    const Verdict verdict = outside > 0     ? Verdict::bad
                            : *least < 50.0 ? Verdict::caution
                                            : Verdict::good;
    add(judged("points", verdict,
               fmt::format("{} points; at least {:.0f} effective samples (point {}); {} outside "
                           "the sample",
                           points.rows, *least, least - effective.begin(), outside),
               "more paths, or points where the density is not that small"));
  }

  const Model& model_;
  const DiagnoseOptions& options_;
  const Sampling& sampling_;
  std::string observable_text_;
  Observable observable_;
  std::vector<std::string> names_;
  Study study_;
  DampingChoice automatic_;   // what `auto` takes
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
  require_divergence_kernel(options.answer.method, "Diagnoses");
  require_parameters(model, options.parameters);
  if (options.points.rows != 0) check_points(model, options.points);
  return Diagnostician(model, options).diagnose();
}

}  // namespace divker
