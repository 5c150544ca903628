// A form of damping from outside the library: one rate for all states, alpha(1 + sin^2 t).
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "derive/damping.hpp"

namespace divker::test {

class ToyDamping final : public DampingForm {
 public:
  [[nodiscard]] Damping with_rate(double alpha) const {
    Damping damping;
    damping.form = this;
    damping.alpha = alpha;
    return damping;
  }

  [[nodiscard]] std::string_view name() const override { return "toy"; }
  [[nodiscard]] std::string usage() const override { return "toy:alpha"; }
  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    const auto alpha = derive::numbers_after("toy:", text, 1);
    if (!alpha) return std::nullopt;
    derive::require_rate(alpha->front());
    return with_rate(alpha->front());
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("toy:{}", damping.alpha);
  }

  [[nodiscard]] derive::Damped derive(const derive::DampingSite& site,
                                      const Damping& /*damping*/) const override {
    const Expression alpha = site.s.graph->input("alpha");
    const Expression wave = sin(site.s.t);
    derive::Damped damped = derive::damped_at_rate(site, alpha * (1.0 + wave * wave));
    damped.arguments = {alpha};
    return damped;
  }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 1; }
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    out[0] = damping.rate_at(n, grid);
  }

  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    if (survey.best == nullptr) return {};
    return {with_rate(survey.best->alpha), with_rate(0.5 * survey.best->alpha)};
  }
};

}  // namespace divker::test
