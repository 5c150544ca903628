// A^T w = alpha w + gain C(x') D(x') w, D = S S^T: C is learned from paths (docs/damping.md).
#include <fmt/format.h>

#include <map>
#include <utility>

#include "derive/damping.hpp"
#include "divker/error.hpp"

namespace divker {
namespace derive {
namespace {

const LearnedCovariance& learned_of(const Damping& damping) {
  if (!damping.table) {
    throw Error(ErrorKind::usage, "The learned form of damping needs its polynomials.");
  }
  return static_cast<const LearnedCovariance&>(*damping.table);
}

// z_k = (x_k - centre) / width, cut off at -3 and 3.
Vector standardised_states(const DampingSite& site, const CovectorCovariance& covariance,
                           Damped& damped) {
  const Symbols& s = site.s;
  const Vector centres = arguments_named(s, "centre", covariance.scales, damped);
  const Vector factors = arguments_named(s, "1/width", covariance.scales, damped);
  const Expression largest = s.constant(largest_standardised_state);
  Vector z;
  for (std::size_t k = 0; k < site.arrival.size(); ++k) {
    const std::size_t scale = covariance.scale_of[k];
    z.push_back(max(min((site.arrival[k] - centres[scale]) * factors[scale], largest), -largest));
  }
  return z;
}

// C(x') by its nonzero entries row <= column.
std::map<std::pair<std::size_t, std::size_t>, Expression> entries_of(
    const DampingSite& site, const CovectorCovariance& covariance, Damped& damped) {
  const Symbols& s = site.s;
  const Vector z = standardised_states(site, covariance, damped);
  const Vector weights = arguments_named(s, "weight", covariance.weights, damped);
  std::map<std::pair<std::size_t, std::size_t>, Vector> terms;
  for (const CovectorCovariance::Term& term : covariance.terms) {
    Expression product = s.constant(1.0);
    for (const std::size_t k : term.factors) product = product * z[k];
    terms[{term.row, term.column}].push_back(weights[term.weight] * product);
  }
  std::map<std::pair<std::size_t, std::size_t>, Expression> entries;
  for (const auto& [place, parts] : terms) entries.emplace(place, sum(*s.graph, parts));
  return entries;
}

class LearnedDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "learned"; }
  [[nodiscard]] std::string usage() const override { return "learned"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    if (text != name()) return std::nullopt;
    return left_open(*this);
  }
  [[nodiscard]] std::string text(const Damping& /*damping*/) const override {
    return std::string(name());
  }

  [[nodiscard]] std::string refusal(const Damping& damping, const Model& model,
                                    Scheme scheme) const override {
    if (model.dynamics() == Dynamics::map) {
      return "Learned damping is a rate, for SDEs, but " + is_a_map(model);
    }
    return DampingForm::refusal(damping, model, scheme);
  }
  void check(const Damping& damping, const Model& /*model*/) const override {
    const LearnedCovariance& learned = learned_of(damping);
    const CovectorCovariance& shape = *learned.shape;
    if (learned.weights.size() == shape.weights && learned.centres.size() == shape.scales &&
        learned.widths.size() == shape.scales) {
      return;
    }
    throw Error(ErrorKind::usage,
                fmt::format("The learned damping has {} weights, {} centres and {} widths; its "
                            "polynomials need {}, {} and {}.",
                            learned.weights.size(), learned.centres.size(), learned.widths.size(),
                            shape.weights, shape.scales, shape.scales));
  }

  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& damping) const override {
    const CovectorCovariance& covariance = *learned_of(damping).shape;
    const Symbols& s = site.s;
    const Expression alpha = s.graph->input("alpha");
    const Expression gain = s.graph->input("gain");
    Damped damped{site.nu_div, {alpha, gain}};
    const std::vector<std::size_t>& rows = site.inverse.noisy_rows();
    const Vector w = surprise(site);
    const Vector held = s.placeholders(rows.size());
    const Vector through_noise = at_arrival(site, site.inverse.multiply(held), held, w);
    Vector spread(s.x.size(), s.zero());
    for (std::size_t e = 0; e < rows.size(); ++e) spread[rows[e]] = through_noise[e];

    std::vector<Vector> corrections(s.x.size());
    for (const auto& [place, entry] : entries_of(site, covariance, damped)) {
      const auto [i, j] = place;
      corrections[i].push_back(entry * spread[j]);
      if (i != j) corrections[j].push_back(entry * spread[i]);
    }
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      damped.nu[i] = damped.nu[i] - gain * sum(*s.graph, corrections[i]);
    }
    for (std::size_t e = 0; e < rows.size(); ++e) {
      damped.nu[rows[e]] = damped.nu[rows[e]] - alpha * w[e];
    }
    return damped;
  }
  [[nodiscard]] const void* shape(const Damping& damping) const override {
    return learned_of(damping).shape.get();
  }

  // alpha, gain, centres, 1/widths, weights.
  [[nodiscard]] std::size_t argument_count(const Damping& damping) const override {
    return 2 + hidden_numbers(damping).size();
  }
  // While the start is being forgotten C would act on noise of size 1/dt.
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    const double early_alpha = damping.rate_at(n, grid);
    const bool is_early = early_alpha > damping.alpha;
    out[0] = is_early ? early_alpha : 0.0;
    out[1] = is_early ? 0.0 : 1.0;
    std::size_t next = 2;
    const LearnedCovariance& learned = learned_of(damping);
    for (const double centre : learned.centres) out[next++] = centre;
    for (const double width : learned.widths) out[next++] = 1.0 / width;
    for (const double weight : learned.weights) out[next++] = weight;
  }
  [[nodiscard]] std::vector<double> hidden_numbers(const Damping& damping) const override {
    const LearnedCovariance& learned = learned_of(damping);
    std::vector<double> all = learned.centres;
    all.insert(all.end(), learned.widths.begin(), learned.widths.end());
    all.insert(all.end(), learned.weights.begin(), learned.weights.end());
    return all;
  }
};

}  // namespace

const DampingForm& learned_form() {
  static const LearnedDamping form;
  return form;
}

}  // namespace derive

Damping learned_damping(std::shared_ptr<const LearnedCovariance> learned, double alpha,
                        bool early) {
  Damping damping;
  damping.form = &derive::learned_form();
  damping.alpha = alpha;
  damping.early = early;
  damping.table = std::move(learned);
  return damping;
}

}  // namespace divker
