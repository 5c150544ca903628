#include <utility>

#include "fit/optimizer.hpp"

namespace divker::fit {
namespace {

// Steps of rate * psi.
class GradientAscent : public Optimizer {
 public:
  explicit GradientAscent(double rate) : rate_(rate) {}

  [[nodiscard]] std::vector<double> first_memory(std::size_t /*parameters*/) const override {
    return {};
  }
  [[nodiscard]] Advance step(const Ground& ground, std::vector<double> memory) const override {
    return take(ground, rate_ * ground.here.psi, std::move(memory));
  }

 private:
  double rate_;
};

}  // namespace

std::unique_ptr<Optimizer> make_gradient_ascent(const OptimizerOptions& options) {
  return std::make_unique<GradientAscent>(options.rate > 0.0 ? options.rate : 0.2);
}

}  // namespace divker::fit
