#include "fit/newton.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "fit/optimizer.hpp"
#include "fit/spectrum.hpp"

namespace divker::fit {
namespace {

constexpr std::size_t most_halvings = 8;
constexpr double least_radius = 1e-6;

// Near the root the gain is noise, and a smaller |psi| will do: by the noise of this point, for
// that of another may have exploded.
bool improves(const Matching& here, const Trial& there) {
  if (there.gain >= 0.0) return true;
  Matching judged = here;
  judged.psi = there.psi;
  return psi_over_noise(judged) < psi_over_noise(here);
}

// Newton's steps, halved until they improve on the point. The radius follows how well the gain was
// foreseen.
class Newton : public Optimizer {
 public:
  explicit Newton(double radius) : radius_(radius) {}

  [[nodiscard]] bool begins_small() const override { return true; }
  [[nodiscard]] bool needs_information() const override { return true; }
  // The radius of the steps.
  [[nodiscard]] std::vector<double> first_memory(std::size_t /*parameters*/) const override {
    return {radius_};
  }

  [[nodiscard]] Advance step(const Ground& ground, std::vector<double> memory) const override {
    const Matching& here = ground.here;
    double& radius = memory.front();
    Step step = newton_step(here, radius, ground.largest);
    for (std::size_t halvings = 0; halvings <= most_halvings; ++halvings) {
      std::optional<Trial> there;
      try {
        there = ground.attempt(step.change);
        if (!there) return {};
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::numerical || halvings == most_halvings) throw;
      }
      if (there && improves(here, *there)) {
        const double foreseen = here.psi.dot(step.change) - 0.5 * step.length * step.length;
        if (step.limited && there->gain > 0.5 * foreseen) radius *= 3.0;
        if (there->gain < 0.25 * foreseen) radius = std::max(0.5 * step.length, least_radius);
        return {std::move(there), step.length, halvings, "", std::move(memory), 1.0};
      }
      step.change *= 0.5;
      step.length *= 0.5;
      radius = std::max(step.length, least_radius);
    }
    Advance none;
    none.stuck = "no step in the Newton direction raises the likelihood";
    return none;
  }

 private:
  double radius_;
};

}  // namespace

Step newton_step(const Matching& matching, double radius, const Eigen::VectorXd& largest) {
  const Spectrum spectrum = spectrum_of(matching);
  Step step;
  // A step that is too long, in all or in one coordinate, is shortened in the weak directions
  // first: they cost the most length for the least gain.
  const double strongest = spectrum.values[spectrum.values.size() - 1];
  for (double least = 1.0;; least *= 3.0) {
    step.change = spectrum.inverse(least) * matching.psi;
    // With the same floor under the eigenvalues, the length cannot come out as zero.
    step.length = std::sqrt(std::max(step.change.dot(matching.psi), 0.0));
    const bool fits = (step.change.array().abs() <= largest.array()).all();
    if ((step.length <= radius && fits) || least * spectrum.noise[0] > 0.1 * strongest) break;
    step.limited = true;
  }
  double factor = 1.0;
  if (step.length > radius) factor = radius / step.length;
  for (Eigen::Index i = 0; i < step.change.size(); ++i) {
    const double size = std::fabs(step.change[i]) * factor;
    if (size > largest[i]) factor *= largest[i] / size;
  }
  step.limited = step.limited || factor < 1.0;
  step.change *= factor;
  step.length *= factor;
  return step;
}

std::unique_ptr<Optimizer> make_newton(const OptimizerOptions& options) {
  return std::make_unique<Newton>(options.radius);
}

}  // namespace divker::fit
