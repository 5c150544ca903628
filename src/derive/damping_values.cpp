#include "divker/damping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "divker/error.hpp"

namespace divker {

namespace {

constexpr std::string_view early_prefix = "early:";

}  // namespace

void Damping::arguments(std::size_t n, const TimeGrid& grid, std::span<double> out) const {
  if (form == DampingForm::kernel) return;
  if (form == DampingForm::matrix) {
    interpolate(grid.time(n + 1), out);
    return;
  }
  const double elapsed = grid.time(n) - grid.start;
  double value = early ? std::max(alpha, 1.0 / (elapsed + grid.step)) : alpha;
  value = std::min(value, 1.0 / grid.step);
  out[0] = value;
  // While the start is being forgotten the corrections would act on noise of size 1/dt.
  if (form == DampingForm::jacobian) out[1] = value > alpha ? 0.0 : beta;
  if (form == DampingForm::mixed) out[1] = likelihood;
  if (form == DampingForm::learned) learned_arguments(value, out);
}

void Damping::learned_arguments(double early_alpha, std::span<double> out) const {
  const bool is_early = early_alpha > alpha;
  out[0] = is_early ? early_alpha : 0.0;
  out[1] = is_early ? 0.0 : 1.0;
  std::size_t next = 2;
  for (const double centre : centres) out[next++] = centre;
  for (const double width : widths) out[next++] = 1.0 / width;
  for (const double weight : weights) out[next++] = weight;
}

void Damping::shape(StepOptions& step) const {
  step.damping = form;
  step.covariance = covariance;
}

void Damping::interpolate(double time, std::span<double> out) const {
  const auto after = std::upper_bound(times.begin(), times.end(), time);
  const auto right = std::min<std::ptrdiff_t>(after - times.begin(),
                                              static_cast<std::ptrdiff_t>(times.size()) - 1);
  const auto left = std::max<std::ptrdiff_t>(after - times.begin() - 1, 0);
  const double t0 = times[static_cast<std::size_t>(left)];
  const double t1 = times[static_cast<std::size_t>(right)];
  const double weight = t1 > t0 ? (time - t0) / (t1 - t0) : 0.0;
  const std::vector<double>& a = matrices[static_cast<std::size_t>(left)].data;
  const std::vector<double>& b = matrices[static_cast<std::size_t>(right)].data;
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = (1.0 - weight) * a[k] + weight * b[k];
}

std::size_t Damping::argument_count() const {
  switch (form) {
    case DampingForm::scalar:
      return 1;
    case DampingForm::jacobian:
    case DampingForm::mixed:
      return 2;
    case DampingForm::kernel:
      return 0;
    case DampingForm::learned:
      return 2 + centres.size() + widths.size() + weights.size();
    case DampingForm::matrix:
      return matrices.empty() ? 0 : matrices.front().data.size();
  }
  return 0;
}

std::string Damping::text() const {
  switch (form) {
    case DampingForm::scalar:
      return fmt::format("{}", alpha);
    case DampingForm::jacobian:
      return fmt::format("jacobian:{},{}", alpha, beta);
    case DampingForm::matrix:
      return "gaussian";
    case DampingForm::learned:
      return "learned";
    case DampingForm::mixed:
      return fmt::format("mixed:{},{}", alpha, likelihood);
    case DampingForm::kernel:
      return "kernel";
  }
  return {};
}

namespace {

double number(std::string_view text, std::string_view whole) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw Error(
        ErrorKind::usage,
        fmt::format(
            "The damping '{}' is not understood: expected auto, a number (alpha, "
            "per unit of time), early:alpha, gaussian, jacobian, jacobian:alpha,beta, learned, "
            "kernel or mixed:alpha,c.",
            whole));
  }
  return value;
}

void check_range(const Damping& damping) {
  if (damping.alpha < 0.0) {
    throw Error(ErrorKind::usage,
                fmt::format("The damping alpha = {} is negative: alpha must be at least 0.",
                            damping.alpha));
  }
  if (damping.beta < 0.0 || damping.beta > 2.0) {
    throw Error(ErrorKind::usage,
                fmt::format("The Jacobian damping beta = {} is outside [0, 2].", damping.beta));
  }
  if (damping.likelihood < 0.0 || damping.likelihood > 1.0) {
    throw Error(ErrorKind::usage,
                fmt::format("The share c = {} of the likelihood ratio is outside [0, 1].",
                            damping.likelihood));
  }
}

// The two numbers of "jacobian:4,0.5" or "mixed:0.5,0.2".
void read_pair(std::string_view pair, std::string_view whole, double& first, double& second) {
  const std::size_t comma = std::min(pair.find(','), pair.size());
  first = number(pair.substr(0, comma), whole);
  second = number(pair.substr(std::min(comma + 1, pair.size())), whole);
}

}  // namespace

DampingRequest parse_damping(std::string_view text) {
  using Kind = DampingRequest::Kind;
  if (text == "auto") return {Kind::automatic, {}};
  if (text == "gaussian") return {Kind::gaussian, {}};
  if (text == "jacobian") return {Kind::jacobian_grid, {}};
  if (text == "learned") return {Kind::learned, {}};
  DampingRequest request{Kind::given, {}};
  Damping& damping = request.damping;
  constexpr std::string_view jacobian_prefix = "jacobian:";
  constexpr std::string_view mixed_prefix = "mixed:";
  if (text == "kernel") {
    damping.form = DampingForm::kernel;
  } else if (text.starts_with(jacobian_prefix)) {
    damping.form = DampingForm::jacobian;
    read_pair(text.substr(jacobian_prefix.size()), text, damping.alpha, damping.beta);
  } else if (text.starts_with(mixed_prefix)) {
    damping.form = DampingForm::mixed;
    read_pair(text.substr(mixed_prefix.size()), text, damping.alpha, damping.likelihood);
  } else if (text.starts_with(early_prefix)) {
    damping.early = true;
    damping.alpha = number(text.substr(early_prefix.size()), text);
  } else {
    damping.alpha = number(text, text);
  }
  check_range(damping);
  return request;
}

}  // namespace divker
