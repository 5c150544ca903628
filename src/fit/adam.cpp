#include <cmath>
#include <utility>

#include "fit/optimizer.hpp"

namespace divker::fit {
namespace {

constexpr double adam_decay = 0.9;
constexpr double adam_square_decay = 0.999;

// Kingma and Ba (2015): steps of the mean of the last psi over the root of their mean square.
class Adam : public Optimizer {
 public:
  explicit Adam(double rate) : rate_(rate) {}

  // The means of psi, then those of its squares.
  [[nodiscard]] std::vector<double> first_memory(std::size_t parameters) const override {
    return std::vector<double>(2 * parameters, 0.0);
  }

  [[nodiscard]] Advance step(const Ground& ground, std::vector<double> memory) const override {
    const Eigen::VectorXd& psi = ground.here.psi;
    const auto count = static_cast<std::size_t>(psi.size());
    const auto step = static_cast<double>(ground.iteration);
    Eigen::VectorXd change(psi.size());
    for (std::size_t i = 0; i < count; ++i) {
      const double g = psi[static_cast<Eigen::Index>(i)];
      double& m = memory[i];
      double& v = memory[count + i];
      m = adam_decay * m + (1.0 - adam_decay) * g;
      v = adam_square_decay * v + (1.0 - adam_square_decay) * g * g;
      const double mean = m / (1.0 - std::pow(adam_decay, step));
      const double square = v / (1.0 - std::pow(adam_square_decay, step));
      change[static_cast<Eigen::Index>(i)] = rate_ * mean / (std::sqrt(square) + 1e-8);
    }
    return take(ground, change, std::move(memory));
  }

 private:
  double rate_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options) {
  return std::make_unique<Adam>(options.rate > 0.0 ? options.rate : 0.05);
}

}  // namespace divker::fit
