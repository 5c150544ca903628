#include "model/functionals/extremes.hpp"

namespace divker {
namespace {

class Maximum : public PathFunctionalKind {
 public:
  [[nodiscard]] std::string_view name() const override { return "max"; }
  [[nodiscard]] std::string usage() const override { return "max(x)"; }
  [[nodiscard]] std::string latex(const std::string& followed) const override {
    return "\\max_{s \\le t} " + followed;
  }
  [[nodiscard]] int side() const override { return 1; }

  [[nodiscard]] Expression start(Expression followed, Expression /*t*/) const override {
    return followed;
  }
  [[nodiscard]] Expression next(const PathStep& step) const override {
    if (step.normals.empty()) return max(step.value, step.after);
    return max(step.value, 0.5 * (step.before + step.after + spread_of_bridge(step)));
  }
  [[nodiscard]] Expression told(const PathStep& step) const override {
    return told_by_bridge(step);
  }
};

}  // namespace

const PathFunctionalKind& maximum_of_path() {
  static const Maximum instance;
  return instance;
}

}  // namespace divker
