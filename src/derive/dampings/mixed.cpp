// A = alpha Id, and the response takes the share c of its likelihood ratio.
#include <fmt/format.h>

#include "derive/damping.hpp"
#include "divker/error.hpp"

namespace divker {
namespace derive {
namespace {

double share_of(const Damping& damping) { return damping.numbers.front(); }

class MixedDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "mixed"; }
  [[nodiscard]] std::string usage() const override { return "mixed:alpha,c"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    const auto numbers = numbers_after("mixed:", text, 2);
    if (!numbers) return std::nullopt;
    const double share = numbers->back();
    require_rate(numbers->front());
    if (share < 0.0 || share > 1.0) {
      throw Error(
          ErrorKind::usage,
          fmt::format("The share c = {} of the likelihood ratio is outside [0, 1].", share));
    }
    return mixed_damping(numbers->front(), share);
  }
  [[nodiscard]] std::string text(const Damping& damping) const override {
    return fmt::format("mixed:{},{}", damping.alpha, share_of(damping));
  }

  [[nodiscard]] std::string refusal(const Damping& damping, const Model& model,
                                    Scheme scheme) const override {
    return scheme == Scheme::exact ? DampingForm::refusal(damping, model, scheme)
                                   : belongs_to_exact_steps(damping, model);
  }

  [[nodiscard]] bool takes_likelihood_ratio() const override { return true; }
  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& damping) const override {
    Damped damped = constant_form().derive(site, damping);
    damped.likelihood_share = site.s.graph->input("c");
    damped.arguments.push_back(*damped.likelihood_share);
    return damped;
  }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 2; }
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    out[0] = damping.rate_at(n, grid);
    out[1] = share_of(damping);
  }

  // Some shares of the likelihood ratio with the best share of the kernel in the covector.
  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    std::vector<Damping> grid;
    const bool is_tried = survey.best != nullptr && survey.is_map && survey.has_responses;
    if (!is_tried || !survey.noise_everywhere) return grid;
    for (const double c : {0.25, 0.5, 0.75}) grid.push_back(mixed_damping(survey.best->alpha, c));
    return grid;
  }
};

}  // namespace

const DampingForm& mixed_form() {
  static const MixedDamping form;
  return form;
}

}  // namespace derive

Damping mixed_damping(double alpha, double likelihood) {
  Damping damping;
  damping.form = &derive::mixed_form();
  damping.alpha = alpha;
  damping.numbers = {likelihood};
  return damping;
}

}  // namespace divker
