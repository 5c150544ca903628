// A^T w = alpha w - beta (grad F^T w + D^{-1} grad F D w) at the point of arrival, D = S S^T.
#include <fmt/format.h>

#include "derive/calculus.hpp"
#include "derive/damping.hpp"
#include "divker/error.hpp"
#include "numbers/rounded.hpp"

namespace divker {
namespace derive {
namespace {

// grad F^T w + D^{-1} grad F D w, written at x with w held.
Vector drift_correction(const DampingSite& site, const Vector& held) {
  const Symbols& s = site.s;
  Graph& g = *s.graph;
  const std::vector<std::size_t>& rows = site.inverse.noisy_rows();
  Vector spread(s.x.size(), s.zero());
  Vector along(s.x.size(), s.zero());
  const Vector held_through_noise = site.inverse.multiply(held);
  for (std::size_t e = 0; e < rows.size(); ++e) {
    spread[rows[e]] = held[e];
    along[rows[e]] = held_through_noise[e];
  }
  const Vector transposed = gradient(dot(g, spread, s.drift.values), s.x);
  const Vector forward = directional_derivative(g, s.drift.values, s.x, along);
  Vector forward_noisy;
  for (const std::size_t row : rows) forward_noisy.push_back(forward[row]);
  const Vector through_inverse = site.inverse.solve(forward_noisy);

  Vector correction = transposed;
  for (std::size_t e = 0; e < rows.size(); ++e) {
    correction[rows[e]] = correction[rows[e]] + through_inverse[e];
  }
  return correction;
}

double beta_of(const Damping& damping) { return damping.numbers.front(); }

class JacobianDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "jacobian"; }
  [[nodiscard]] std::string usage() const override { return "jacobian, jacobian:alpha,beta"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    if (text == name()) return left_open(*this);
    const auto numbers = numbers_after("jacobian:", text, 2);
    if (!numbers) return std::nullopt;
    const double beta = numbers->back();
    require_rate(numbers->front());
    if (beta < 0.0 || beta > 2.0) {
      throw Error(ErrorKind::usage,
                  fmt::format("The Jacobian damping beta = {} is outside [0, 2].", beta));
    }
    return jacobian_damping(numbers->front(), beta);
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("jacobian:{},{}", damping.alpha, beta_of(damping));
  }

  [[nodiscard]] std::string refusal(const Damping& damping, const Model& model,
                                    Scheme scheme) const override {
    if (model.dynamics() == Dynamics::map) {
      return "Jacobian damping is made of the drift of an SDE, but " + is_a_map(model);
    }
    return DampingForm::refusal(damping, model, scheme);
  }

  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& /*damping*/) const override {
    const Expression alpha = site.s.graph->input("alpha");
    const Expression beta = site.s.graph->input("beta");
    const std::vector<std::size_t>& rows = site.inverse.noisy_rows();
    const Vector held = site.s.placeholders(rows.size());
    const Vector written = drift_correction(site, held);
    const Vector w = surprise(site);
    const Vector correction = at_arrival(site, written, held, w);
    Damped damped{site.nu_div, {alpha, beta}};
    for (std::size_t j = 0; j < damped.nu.size(); ++j) {
      damped.nu[j] = damped.nu[j] + beta * correction[j];
    }
    for (std::size_t e = 0; e < rows.size(); ++e) {
      damped.nu[rows[e]] = damped.nu[rows[e]] - alpha * w[e];
    }
    return damped;
  }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 2; }
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    out[0] = damping.rate_at(n, grid);
    // While the start is being forgotten the correction would act on noise of size 1/dt.
    out[1] = out[0] > damping.alpha ? 0.0 : beta_of(damping);
  }

  // The correction does part of the work of alpha, so that the best alpha with it is at or below
  // the best one without.
  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    std::vector<Damping> grid;
    if (survey.best == nullptr || survey.is_map) return grid;
    for (const double factor : {1.0, 0.32, 0.1}) {
      for (const double beta : {0.5, 1.0}) {
        grid.push_back(jacobian_damping(rounded(survey.best->alpha * factor), beta));
      }
    }
    return grid;
  }
  [[nodiscard]] std::vector<Damping> neighbours(const Damping& best, double dt) const override {
    std::vector<Damping> grid = constant_form().neighbours(best, dt);
    for (const double change : {-0.25, 0.25}) {
      Damping neighbour = best;
      neighbour.numbers.front() += change;
      grid.push_back(neighbour);
    }
    return grid;
  }
};

}  // namespace

const DampingForm& jacobian_form() {
  static const JacobianDamping form;
  return form;
}

}  // namespace derive

Damping jacobian_damping(double alpha, double beta) {
  Damping damping;
  damping.form = &derive::jacobian_form();
  damping.alpha = alpha;
  damping.numbers = {beta};
  return damping;
}

}  // namespace divker
