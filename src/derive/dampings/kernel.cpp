// alpha dt = 1 and the likelihood ratio at every step: the noise-only step, which knows no covector
// before it (derive_noise_step).

#include "derive/damping.hpp"

namespace divker {
namespace derive {
namespace {

class KernelDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "kernel"; }
  [[nodiscard]] std::string usage() const override { return "kernel"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    if (text != name()) return std::nullopt;
    return kernel_damping();
  }
  [[nodiscard]] std::string text(const Damping& /*damping*/) const override {
    return std::string(name());
  }

  [[nodiscard]] std::string refusal(const Damping& damping, const Model& model,
                                    Scheme scheme) const override {
    return scheme == Scheme::exact ? DampingForm::refusal(damping, model, scheme)
                                   : belongs_to_exact_steps(damping, model);
  }

  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& /*damping*/) const override {
    return {site.nu_div, {}};
  }
  [[nodiscard]] bool is_noise_only() const override { return true; }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 0; }
  void arguments(const Damping& /*damping*/, std::size_t /*n*/, const TimeGrid& /*grid*/,
                 std::span<double> /*out*/) const override {}

  // Maps have it without a trial, as what the others are compared with.
  [[nodiscard]] std::vector<Damping> candidates(const DampingSurvey& survey) const override {
    const bool is_tried = survey.best != nullptr && survey.is_exact && !survey.is_map;
    if (!is_tried || !survey.noise_everywhere) return {};
    return {kernel_damping()};
  }
};

}  // namespace

const DampingForm& kernel_form() {
  static const KernelDamping form;
  return form;
}

}  // namespace derive

Damping kernel_damping() {
  Damping damping;
  damping.form = &derive::kernel_form();
  return damping;
}

}  // namespace divker
