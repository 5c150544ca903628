#include "model/somewhere.hpp"

#include <cmath>

namespace divker {

std::vector<double> somewhere(const Model& model, double scale) {
  std::vector<double> x(model.dimension());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double away = std::sin(1.7 * static_cast<double>(i) + 0.4);
    const Range& range = model.states()[i].range;
    x[i] = scale * (1.0 + 0.3 * away);
    if (range.is_finite()) {
      const double share = scale / (1.0 + scale) * (1.0 + 0.1 * away);
      x[i] = range.lower + (range.upper - range.lower) * share;
    } else if (std::isfinite(range.lower)) {
      x[i] += range.lower;
    } else if (std::isfinite(range.upper)) {
      x[i] = range.upper - x[i];
    }
  }
  return x;
}

}  // namespace divker
