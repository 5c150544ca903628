// By the trapezoid: the noise of a step moves both ends of the next one, and the bridge between
// them has a mean of zero, so that the error of means is of the order of dt^2 beside that of the
// chain.
#include "model/functionals/functionals.hpp"

namespace divker {
namespace {

class Integral : public PathFunctionalKind {
 public:
  [[nodiscard]] std::string_view name() const override { return "integral"; }
  [[nodiscard]] std::string usage() const override { return "integral(x)"; }
  [[nodiscard]] std::string latex(const std::string& followed) const override {
    return "\\int_0^t " + followed + " \\, \\mathrm{d}s";
  }
  [[nodiscard]] bool is_for_maps() const override { return false; }

  [[nodiscard]] Expression start(Expression followed, Expression /*t*/) const override {
    return followed.graph().constant(0.0);
  }
  [[nodiscard]] Expression next(const PathStep& step) const override {
    return step.value + (0.5 * step.dt) * (step.before + step.after);
  }
};

}  // namespace

const PathFunctionalKind& integral_of_path() {
  static const Integral instance;
  return instance;
}

}  // namespace divker
