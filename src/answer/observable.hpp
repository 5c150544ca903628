// An observable Phi along paths: its values, and the response of its mean.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/expression.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/observable_response.hpp"

namespace divker {

// Phi and its derivatives with respect to the parameters, as functions of the paths. The model must
// outlive it.
class Observable {
 public:
  // LanguageError where the text is no expression of the model.
  Observable(const Model& model, const std::vector<std::size_t>& parameters,
             const std::string& text);

  struct Values {
    std::vector<double> phi;
    Matrix explicit_part;  // paths x parameters; empty if Phi does not mention the parameters
  };
  [[nodiscard]] Values operator()(const Matrix& x, double time) const;
  // Does Phi mention the time t?
  [[nodiscard]] bool depends_on_time() const;

 private:
  const Model& model_;
  Graph graph_;
  std::vector<NodeId> roots_;
  bool explicit_part_ = false;
};

// Sums for the response of E[Phi] at the last snapshot. `time` is what Phi is told the time is.
class ObservableCollector : public Collector {
 public:
  ObservableCollector(const Observable& observable, std::size_t parameters, double time)
      : observable_(observable), time_(time), sums_(parameters) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override;
  void absorb(std::unique_ptr<Part> part) override;
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override;
  void transfer(Archive& archive) override { sums_.transfer(archive); }
  [[nodiscard]] ObservableResponse result() const { return sums_.result(); }

 private:
  struct Sums : Part {
    void transfer(Archive& archive) override { sums.transfer(archive); }
    ResponseAccumulator sums;
  };
  const Observable& observable_;
  double time_;
  ResponseAccumulator sums_;
};

}  // namespace divker
