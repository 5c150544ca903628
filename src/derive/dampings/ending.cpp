// A = alpha(t) Id where alpha depends on how long it is to the end: of tangents, which the
// observable meets there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "derive/damping.hpp"
#include "divker/error.hpp"
#include "numbers/rounded.hpp"

namespace divker {
namespace derive {
namespace {

// The time that is left when step n has been taken.
double time_left(std::size_t n, const TimeGrid& grid) {
  return static_cast<double>(grid.steps() - std::min(n + 1, grid.steps())) * grid.step;
}

// The step of the constant form, with a rate of its own.
class EndingDamping : public DampingForm {
 public:
  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& damping) const override {
    return constant_form().derive(site, damping);
  }
  [[nodiscard]] bool is_one_rate() const override { return true; }
  [[nodiscard]] const DampingForm& step_form() const override { return constant_form(); }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 1; }
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    out[0] = rate(damping, damping.rate_at(n, grid), time_left(n, grid), grid.step);
  }

 private:
  // From the rate without an end.
  [[nodiscard]] virtual double rate(const Damping& damping, double alpha, double left,
                                    double dt) const = 0;
};

// alpha, and nothing at all for the last of the time: what happens there is followed to the end.
class UntilDamping final : public EndingDamping {
 public:
  [[nodiscard]] std::string_view name() const override { return "until"; }
  [[nodiscard]] std::string usage() const override { return "until:alpha,time"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    const auto numbers = numbers_after("until:", text, 2);
    if (!numbers) return std::nullopt;
    require_rate(numbers->front());
    if (numbers->back() < 0.0) {
      throw Error(ErrorKind::usage,
                  fmt::format("The damping 'until' ends {} before the end of the paths: this time "
                              "must be at least 0.",
                              numbers->back()));
    }
    return damping_until(numbers->front(), numbers->back());
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("until:{},{}", damping.alpha, damping.numbers.front());
  }

  // An eighth to a half of the time without the best constant.
  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    std::vector<Damping> grid;
    if (!survey.tangents || survey.hands_over || survey.best == nullptr) return grid;
    if (survey.best->alpha == 0.0) return grid;
    for (const double share : {0.125, 0.25, 0.5}) {
      grid.push_back(damping_until(survey.best->alpha, rounded(share * survey.horizon)));
    }
    return grid;
  }

 private:
  [[nodiscard]] double rate(const Damping& damping, double alpha, double left,
                            double dt) const override {
    return left + 0.5 * dt < damping.numbers.front() ? 0.0 : alpha;
  }
};

// max(alpha, 1/(time left + dt)), which is 1/dt at the last step: nothing of a tangent is left.
class LateDamping final : public EndingDamping {
 public:
  [[nodiscard]] std::string_view name() const override { return "late"; }
  [[nodiscard]] std::string usage() const override { return "late:alpha"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    const auto numbers = numbers_after("late:", text, 1);
    if (!numbers) return std::nullopt;
    require_rate(numbers->front());
    return late_damping(numbers->front());
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("late:{}", damping.alpha);
  }

  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    std::vector<Damping> grid;
    if (!survey.tangents || !survey.hands_over) return grid;
    if (survey.best != nullptr) return grid;
    for (const double alpha : rates_of_tangents(survey)) grid.push_back(late_damping(alpha));
    return grid;
  }

 private:
  [[nodiscard]] double rate(const Damping& /*damping*/, double alpha, double left,
                            double dt) const override {
    return std::max(alpha, 1.0 / (left + dt));
  }
};

}  // namespace

const DampingForm& until_form() {
  static const UntilDamping form;
  return form;
}
const DampingForm& late_form() {
  static const LateDamping form;
  return form;
}

}  // namespace derive

Damping damping_until(double alpha, double time) {
  Damping damping;
  damping.form = &derive::until_form();
  damping.alpha = alpha;
  damping.numbers = {time};
  return damping;
}

Damping late_damping(double alpha) {
  Damping damping;
  damping.form = &derive::late_form();
  damping.alpha = alpha;
  return damping;
}

}  // namespace divker
