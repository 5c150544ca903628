// The likelihood ratio is what I becomes when every step is the noise-only step: the same means of
// I, with the score of the law of the whole path. It needs noise where the parameters act, and no
// covector.
#include <fmt/format.h>

#include <algorithm>

#include "answer/estimators/estimators.hpp"
#include "answer/observable.hpp"
#include "answer/point_answer.hpp"
#include "divker/plan.hpp"

namespace divker {
namespace {

std::vector<Warning> noise_warnings(const Model& model,
                                    const std::vector<std::size_t>& parameters) {
  std::vector<NodeId> amplitudes;
  for (const NoiseEntry& entry : model.noise()) amplitudes.push_back(entry.amplitude);
  const std::vector<NodeId> needed = reachable(*model.graph(), amplitudes);
  std::vector<Warning> warnings;
  for (const std::size_t p : parameters) {
    const Parameter& parameter = model.parameters()[p];
    if (!has_time_step(model) || !std::ranges::binary_search(needed, parameter.node)) {
      continue;
    }
    warnings.push_back(
        {"variance", fmt::format("The noise depends on {}: the variance of its likelihood ratio "
                                 "grows like 1/dt.",
                                 parameter.name)});
  }
  return warnings;
}

class LikelihoodRatio : public Estimator {
 public:
  [[nodiscard]] std::string_view name() const override { return "likelihood-ratio"; }

  [[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& observable,
                                                     const AnswerOptions& options) const override {
    const Observable phi(model, parameters, observable);
    Study study = study_of(model, parameters, phi.functionals(), options);
    return response_of_mean(study, phi, observable, options.time_step);
  }

  [[nodiscard]] PointAnswer response_at(const Model& model,
                                        const std::vector<std::size_t>& parameters,
                                        const Matrix& points,
                                        const AnswerOptions& options) const override {
    Study study = study_of(model, parameters, {}, options);
    return conditional_means(study, points, options);
  }

 private:
  [[nodiscard]] Study study_of(const Model& model, const std::vector<std::size_t>& parameters,
                               const std::vector<std::size_t>& functionals,
                               const AnswerOptions& options) const {
    Method method;
    method.estimator = name();
    method.scheme = Scheme::exact;
    method.damping = kernel_damping();
    // Noise on every state makes this the noise-only step of the divergence kernel, to the bit.
    const bool is_everywhere = model.noise_class() != NoiseClass::degenerate;
    const bool has_covector = is_everywhere && functionals.empty();
    const Asked asked =
        (has_covector ? Asked::responses_to(parameters) : Asked::likelihood_ratios_of(parameters))
            .with(functionals);
    Study study(model, method, asked, options.sampling, options.session);
    study.record().alpha.clear();
    study.record().warnings = noise_warnings(model, parameters);
    return study;
  }
};

}  // namespace

const Estimator& likelihood_ratio_estimator() {
  static const LikelihoodRatio instance;
  return instance;
}

}  // namespace divker
