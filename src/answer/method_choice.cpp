#include "answer/method_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "answer/observable.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/plan.hpp"

namespace divker {
namespace {

constexpr const char* path_kernel = "path-kernel";
constexpr const char* divergence_kernel = "divergence-kernel";
constexpr const char* likelihood_ratio = "likelihood-ratio";
constexpr const char* finite_difference = "finite-difference";
constexpr std::size_t fewest_compared = 20'480;
// A path carries a derivative for each: the covector, one for all, is cheaper from about ten on.
constexpr std::size_t most_tangents = 24;
constexpr std::uint64_t seed_of_choice = 0xA0761D6478BD642FULL;

// Small runs of the methods for one question, and what they promise for the whole run.
class Comparison {
 public:
  Comparison(const Model& model, const std::vector<std::size_t>& parameters,
             const std::string& observable, const AnswerOptions& options)
      : model_(model), parameters_(parameters), observable_(observable), whole_(options) {}

  // Runs a method on so many paths, with its own damping or the one given. Its answer; none where
  // it refuses.
  std::optional<ObservableAnswer> look(const std::string& name, std::size_t paths,
                                       const std::optional<Damping>& damping = std::nullopt) {
    AnswerOptions options = whole_;
    options.method.estimator = name;
    if (damping) options.method.damping = *damping;
    options.sampling.paths = paths;
    options.sampling.seed ^= seed_of_choice;
    options.time_step = TimeStep::ignored;
    options.session = whole_.session.aside();
    ComparedMethod tried{name, std::numeric_limits<double>::infinity(), {}};
    std::optional<ObservableAnswer> answer;
    try {
      answer = estimator(name).observable_response(model_, parameters_, observable_, options);
      paths_run_ += runs_of(answer->record, paths);
      tried.work = work_of(*answer, paths);
    } catch (const Error& error) {
      tried.problem = error.what();
    }
    compared_.push_back(std::move(tried));
    return answer;
  }

  [[nodiscard]] std::size_t paths_run() const { return paths_run_; }
  // The best first, its work the unit; those that refuse last.
  [[nodiscard]] std::vector<ComparedMethod> in_order() const {
    std::vector<ComparedMethod> ordered = compared_;
    std::ranges::stable_sort(ordered, {}, &ComparedMethod::work);
    const double unit = ordered.front().work;
    for (ComparedMethod& one : ordered) {
      if (std::isfinite(one.work)) one.work /= unit;
    }
    return ordered;
  }

 private:
  static std::size_t runs_of(const RunRecord& record, std::size_t paths) {
    const std::size_t of_damping = record.choice.candidates.size() * record.choice.paths;
    return std::max(record.effort.path_runs, paths) + record.effort.pilot_runs + of_damping;
  }

  // Operations of all steps of a path, in all runs that the method makes of it.
  [[nodiscard]] double operations_of(const RunRecord& record) const {
    if (record.method.estimator == finite_difference) {
      const auto runs = static_cast<double>(record.effort.path_runs + record.effort.pilot_runs) /
                        static_cast<double>(record.sampling.paths);
      return runs * static_cast<double>(plan(model_, {}, Asked::states()).operations());
    }
    Asked asked = Asked::responses_to(parameters_);
    if (record.method.estimator == path_kernel) asked = Asked::tangents_by(parameters_);
    if (record.method.estimator == likelihood_ratio) {
      asked = Asked::likelihood_ratios_of(parameters_);
    }
    return static_cast<double>(plan(model_, record.method, asked).operations());
  }

  // Geometric mean over the parameters of the squared error that the whole run will have, times
  // what a path of it costs. The bias of a finite difference stays, whatever the number of paths.
  [[nodiscard]] double work_of(const ObservableAnswer& answer, std::size_t paths) const {
    const double less = static_cast<double>(paths) / static_cast<double>(whole_.sampling.paths);
    const std::vector<double>& truncation = answer.record.effort.truncation;
    double logs = 0.0;
    for (std::size_t p = 0; p < answer.response.size(); ++p) {
      const double bias = p < truncation.size() ? truncation[p] : 0.0;
      const double square = std::pow(answer.response[p].standard_error, 2) - bias * bias;
      logs += std::log(std::max(less * square + bias * bias, 1e-300));
    }
    const double work =
        operations_of(answer.record) * std::exp(logs / static_cast<double>(parameters_.size()));
    return std::isnan(work) ? std::numeric_limits<double>::infinity() : work;
  }

  const Model& model_;
  const std::vector<std::size_t>& parameters_;
  const std::string& observable_;
  const AnswerOptions& whole_;
  std::vector<ComparedMethod> compared_;
  std::size_t paths_run_ = 0;
};

// Of the divergence kernel, whose own pilot would take more paths than the comparison may: the rate
// that was good for derivatives of paths, which contract and expand at the same rates.
Damping damping_like(const std::optional<ObservableAnswer>& path_kernels, const Model& model) {
  const double horizon = model.time().end - model.time().start;
  const double most = 1.0 / model.time().step;
  double alpha = std::min(1.0 / horizon, most);
  if (path_kernels) alpha = std::max(alpha, path_kernels->record.method.damping.alpha);
  return constant_damping(std::min(alpha, most), true);
}

}  // namespace

ObservableAnswer response_by_choice(const Model& model, const std::vector<std::size_t>& parameters,
                                    const std::string& observable, const AnswerOptions& options) {
  // Where the divergence kernel has no answer, finite differences always have one.
  const bool is_of_path = !Observable(model, {}, observable).functionals().empty();
  const std::string last_resort = is_of_path ? finite_difference : "";
  if (!is_of_path) (void)Observable(model, parameters, observable);  // refused at once
  AnswerOptions chosen = options;
  const std::size_t paths = options.sampling.paths;
  if (paths < fewest_compared || options.session.checkpoint.save) {
    chosen.method.estimator = parameters.size() <= most_tangents ? path_kernel : last_resort;
    try {
      return observable_response(model, parameters, observable, chosen);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::numerical) throw;
      chosen.method.estimator = last_resort;
      return observable_response(model, parameters, observable, chosen);
    }
  }
  Comparison comparison(model, parameters, observable, options);
  std::optional<ObservableAnswer> path_kernels;
  if (parameters.size() <= most_tangents) path_kernels = comparison.look(path_kernel, paths / 16);
  comparison.look(divergence_kernel, paths / 32,
                  !has_time_step(model) || !steps_are_open(options.method)
                      ? std::nullopt
                      : std::optional(damping_like(path_kernels, model)));
  comparison.look(likelihood_ratio, paths / 32);
  constexpr std::size_t of_differences = 2048;
  if ((of_differences + 8000 * parameters.size()) * 16 <= paths || is_of_path) {
    comparison.look(finite_difference, of_differences);
  }
  const std::vector<ComparedMethod> compared = comparison.in_order();
  const ComparedMethod& best = compared.front();
  chosen.method.estimator = best.problem.empty() ? best.name : last_resort;
  if (chosen.method.estimator == path_kernel) {
    chosen.method.damping = path_kernels->record.method.damping;
  }
  ObservableAnswer answer = observable_response(model, parameters, observable, chosen);
  answer.record.effort.pilot_runs += comparison.paths_run();
  answer.record.compared = compared;
  return answer;
}

}  // namespace divker
