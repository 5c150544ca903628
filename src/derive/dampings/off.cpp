// A = 0, without asking the noise for anything.
#include "derive/damping.hpp"

namespace divker {
namespace derive {
namespace {

class NoDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "off"; }
  [[nodiscard]] std::string usage() const override { return "off"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    if (text != name()) return std::nullopt;
    return no_damping();
  }
  [[nodiscard]] std::string text(const Damping& /*damping*/) const override {
    return std::string(name());
  }

  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& /*damping*/) const override {
    return {site.nu_div, {}};
  }
  [[nodiscard]] bool is_one_rate() const override { return true; }
  [[nodiscard]] std::size_t argument_count(const Damping& /*damping*/) const override { return 0; }
  void arguments(const Damping& /*damping*/, std::size_t /*n*/, const TimeGrid& /*grid*/,
                 std::span<double> /*out*/) const override {}
};

}  // namespace

const DampingForm& off_form() {
  static const NoDamping form;
  return form;
}

}  // namespace derive

Damping no_damping() {
  Damping damping;
  damping.form = &derive::off_form();
  damping.alpha = 0.0;
  return damping;
}

}  // namespace divker
