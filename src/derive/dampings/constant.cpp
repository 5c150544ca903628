// A = alpha Id.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "derive/damping.hpp"
#include "numbers/rounded.hpp"

namespace divker {
namespace derive {
namespace {

class ConstantDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "constant"; }
  [[nodiscard]] std::string usage() const override {
    return "a number (alpha, per unit of time), early:alpha";
  }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    const auto late = numbers_after("", text, 1);
    const auto early = numbers_after("early:", text, 1);
    if (!late && !early) return std::nullopt;
    const double alpha = late ? late->front() : early->front();
    require_rate(alpha);
    return constant_damping(alpha, early.has_value());
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("{}", damping.alpha);
  }

  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& /*damping*/) const override {
    const Expression alpha = site.s.graph->input("alpha");
    Damped damped = damped_at_rate(site, alpha);
    damped.arguments = {alpha};
    return damped;
  }
  [[nodiscard]] bool is_one_rate() const override { return true; }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 1; }
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    out[0] = damping.rate_at(n, grid);
  }

  // alpha over four decades below 1/dt, half a decade apart; of a map, shares of the kernel.
  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    std::vector<Damping> grid;
    if (survey.best != nullptr) return grid;
    if (survey.tangents) {
      if (survey.hands_over) return grid;
      for (const double alpha : rates_of_tangents(survey)) grid.push_back(constant_damping(alpha));
      return grid;
    }
    if (survey.is_map) {
      for (const double a : {0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0}) {
        grid.push_back(constant_damping(a));
      }
      return grid;
    }
    for (int k = 0; k <= 8; ++k) {
      const double alpha = rounded(std::pow(10.0, -0.5 * k) / survey.dt);
      grid.push_back(constant_damping(alpha, survey.score_free));
    }
    return grid;
  }
  [[nodiscard]] std::vector<Damping> neighbours(const Damping& best, double dt) const override {
    std::vector<Damping> grid;
    for (const double factor : {0.56, 1.78}) {
      Damping neighbour = best;
      neighbour.alpha = std::min(rounded(best.alpha * factor), 1.0 / dt);
      grid.push_back(neighbour);
    }
    return grid;
  }
};

}  // namespace

const DampingForm& constant_form() {
  static const ConstantDamping form;
  return form;
}

}  // namespace derive

Damping constant_damping(double alpha, bool early) {
  Damping damping;
  damping.alpha = alpha;
  damping.early = early;
  return damping;
}

}  // namespace divker
