// d E[Phi] = E[(Phi - mean) I] + E[dPhi] and d log h(y) = E[I | x_T = y], with the damping that
// makes their variance small.
#include "answer/estimators/estimators.hpp"
#include "answer/observable.hpp"
#include "answer/point_answer.hpp"

namespace divker {
namespace {

class DivergenceKernel : public Estimator {
 public:
  [[nodiscard]] std::string_view name() const override { return "divergence-kernel"; }

  [[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& observable,
                                                     const AnswerOptions& options) const override {
    const Observable phi(model, parameters, observable);
    const Asked asked = Asked::responses_to(parameters).with(phi.functionals());
    Study study(model, options.method, asked, options.sampling, options.session,
                tuning_of_mean(phi));
    return response_of_mean(study, phi, observable, options.time_step);
  }

  [[nodiscard]] PointAnswer response_at(const Model& model,
                                        const std::vector<std::size_t>& parameters,
                                        const Matrix& points,
                                        const AnswerOptions& options) const override {
    Study study(model, options.method, Asked::responses_to(parameters), options.sampling,
                options.session, tuning_at_points());
    return conditional_means(study, points, options);
  }
};

}  // namespace

const Estimator& divergence_kernel_estimator() {
  static const DivergenceKernel instance;
  return instance;
}

}  // namespace divker
