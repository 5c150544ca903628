// The smallest estimator that is of some use: {E[Phi](gamma + h) - E[Phi](gamma)} / h with common
// random numbers and a fixed h. It has a bias of the order h, and expects that no path fails.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answer/observable.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/moments.hpp"
#include "divker/study.hpp"

namespace divker::test {

class ToyEstimator : public Estimator {
 public:
  static constexpr double h = 1e-3;

  [[nodiscard]] std::string_view name() const override { return "toy"; }

  [[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& observable,
                                                     const AnswerOptions& options) const override {
    Study study(model, options.method, Asked::states(), options.sampling, options.session);
    const std::vector<double> here = values_of(study, model, observable);
    ObservableAnswer answer;
    answer.value = mean_of(here);
    for (const std::size_t p : parameters) {
      const Parameter& parameter = model.parameters()[p];
      std::vector<double> slopes =
          values_of(study, model.with_value(parameter.name, parameter.value + h), observable);
      for (std::size_t j = 0; j < slopes.size(); ++j) slopes[j] = (slopes[j] - here[j]) / h;
      answer.response.push_back(mean_of(slopes));
      answer.names.push_back(parameter.name);
    }
    answer.record = study.record();
    answer.record.method.estimator = name();
    return answer;
  }

  [[nodiscard]] PointAnswer response_at(const Model&, const std::vector<std::size_t>&,
                                        const Matrix&, const AnswerOptions&) const override {
    throw Error(ErrorKind::usage, "The toy answers for means alone.");
  }

 private:
  static std::vector<double> values_of(Study& study, const Model& model,
                                       const std::string& observable) {
    study.set_model(model);
    const Paths paths = study.run();
    const Snapshot& last = paths.snapshots.back();
    return Observable(model, {}, observable)(last.x(), last.time).phi;
  }

  static Estimate mean_of(std::span<const double> values) {
    Moments moments(1);
    for (const double& value : values) moments.add(std::span(&value, 1));
    return moments.estimate(0);
  }
};

}  // namespace divker::test
