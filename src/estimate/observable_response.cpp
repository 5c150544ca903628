#include "divker/observable_response.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "divker/error.hpp"

namespace divker {
namespace {

void check_shape(const Matrix& m, const char* name, std::size_t rows, std::size_t cols) {
  if (m.rows == rows && m.cols == cols) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} is {} x {}; expected {} x {}", name, m.rows, m.cols, rows, cols));
}

}  // namespace

ResponseAccumulator::ResponseAccumulator(std::size_t parameters)
    : sums_(parameters), tails_(parameters) {}

// The sums about means moved by (du, dv, dw); the first moments about the old means vanish.
ResponseAccumulator::Sums ResponseAccumulator::shifted(const Sums& s, double uu, double n,
                                                       double du, double dv, double dw) {
  Sums t = s;
  t.mean_v += dv;
  t.mean_w += dw;
  t.uv += n * du * dv;
  t.uw += n * du * dw;
  t.vv += n * dv * dv;
  t.vw += n * dv * dw;
  t.ww += n * dw * dw;
  t.uuv += -dv * uu - 2.0 * du * s.uv - n * du * du * dv;
  t.uvv += -du * s.vv - 2.0 * dv * s.uv - n * du * dv * dv;
  t.uvw += -du * s.vw - dv * s.uw - dw * s.uv - n * du * dv * dw;
  t.uuvv += -2.0 * dv * s.uuv + dv * dv * uu - 2.0 * du * s.uvv + 4.0 * du * dv * s.uv +
            du * du * s.vv + n * du * du * dv * dv;
  return t;
}

ResponseAccumulator::Sums ResponseAccumulator::block_sums(std::span<const double> u,
                                                          const Matrix& integral,
                                                          const Matrix& explicit_part,
                                                          std::size_t p) {
  const bool has_explicit = explicit_part.rows > 0;
  const auto n = static_cast<double>(u.size());
  Sums s;
  for (std::size_t r = 0; r < u.size(); ++r) {
    s.mean_v += integral(r, p) / n;
    if (has_explicit) s.mean_w += explicit_part(r, p) / n;
  }
  for (std::size_t r = 0; r < u.size(); ++r) {
    const double v = integral(r, p) - s.mean_v;
    const double w = has_explicit ? explicit_part(r, p) - s.mean_w : 0.0;
    const double uv = u[r] * v;
    s.uv += uv;
    s.uw += u[r] * w;
    s.vv += v * v;
    s.vw += v * w;
    s.ww += w * w;
    s.uuv += u[r] * uv;
    s.uvv += uv * v;
    s.uvw += uv * w;
    s.uuvv += uv * uv;
  }
  return s;
}

void ResponseAccumulator::add_tails(std::span<const double> u, const Matrix& integral,
                                    const Matrix& explicit_part, std::span<const Sums> block) {
  std::vector<double> z(u.size());
  for (std::size_t p = 0; p < parameters(); ++p) {
    for (std::size_t r = 0; r < u.size(); ++r) z[r] = u[r] * integral(r, p);
    if (explicit_part.rows > 0) {
      for (std::size_t r = 0; r < u.size(); ++r) z[r] += explicit_part(r, p) - block[p].mean_w;
    }
    tails_[p].add(z);
  }
}

void ResponseAccumulator::add(std::span<const double> phi, const Matrix& integral,
                              const Matrix& explicit_part) {
  check_shape(integral, "the table of I", phi.size(), parameters());
  if (explicit_part.rows > 0) {
    check_shape(explicit_part, "the table of dPhi", phi.size(), parameters());
  }
  if (phi.empty()) return;
  double mean = 0.0;
  for (const double value : phi) mean += value / static_cast<double>(phi.size());
  std::vector<double> u(phi.begin(), phi.end());
  double uu = 0.0;
  for (double& value : u) {
    value -= mean;
    uu += value * value;
  }
  std::vector<Sums> block(parameters());
  for (std::size_t p = 0; p < parameters(); ++p) {
    block[p] = block_sums(u, integral, explicit_part, p);
  }
  merge_sums(phi.size(), mean, uu, block);
  add_tails(u, integral, explicit_part, block);
}

void ResponseAccumulator::merge(const ResponseAccumulator& other) {
  if (other.parameters() != parameters()) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot merge responses to {} parameters with responses to {}",
                            parameters(), other.parameters()));
  }
  if (other.count_ == 0) return;
  merge_sums(other.count_, other.mean_u_, other.uu_, other.sums_);
  for (std::size_t p = 0; p < parameters(); ++p) tails_[p].merge(other.tails_[p]);
}

void ResponseAccumulator::merge_sums(std::size_t count, double mean_u, double uu,
                                     std::span<const Sums> other) {
  const auto mine = static_cast<double>(count_);
  const auto theirs = static_cast<double>(count);
  const double share = theirs / (mine + theirs);
  const double du = mean_u - mean_u_;
  for (std::size_t p = 0; p < parameters(); ++p) {
    const double dv = other[p].mean_v - sums_[p].mean_v;
    const double dw = other[p].mean_w - sums_[p].mean_w;
    Sums a = shifted(sums_[p], uu_, mine, share * du, share * dv, share * dw);
    const double back = share - 1.0;
    const Sums b = shifted(other[p], uu, theirs, back * du, back * dv, back * dw);
    a.uv += b.uv;
    a.uw += b.uw;
    a.vv += b.vv;
    a.vw += b.vw;
    a.ww += b.ww;
    a.uuv += b.uuv;
    a.uvv += b.uvv;
    a.uvw += b.uvw;
    a.uuvv += b.uuvv;
    sums_[p] = a;
  }
  mean_u_ += share * du;
  uu_ += uu + du * du * mine * share;
  count_ += count;
}

ObservableResponse ResponseAccumulator::result() const {
  if (count_ < 2) {
    throw Error(ErrorKind::usage,
                fmt::format("a standard error takes at least 2 samples; got {}", count_));
  }
  const auto n = static_cast<double>(count_);
  // Sums that have overflowed say nothing, not zero.
  const auto error = [&](double sum) {
    if (!std::isfinite(sum)) return std::numeric_limits<double>::infinity();
    return std::sqrt(std::max(0.0, sum) / n / (n - 1.0));
  };
  ObservableResponse result;
  result.value = {mean_u_, error(uu_)};
  for (const Sums& s : sums_) {
    const double plain = s.uv / n + s.mean_w;
    const double squares = s.uuvv - s.uv * s.uv / n + 2.0 * s.uvw + s.ww;
    const double shared = s.uvv + s.vw;
    const double c = s.vv > 0.0 ? shared / s.vv : 0.0;
    result.plain.push_back({plain, error(squares)});
    result.mass.push_back({s.mean_v, error(s.vv)});
    result.response.push_back({plain - c * s.mean_v, error(squares - c * shared)});
  }
  return result;
}

std::vector<double> ResponseAccumulator::tail_indices() const {
  std::vector<double> indices;
  for (const TailSample& tail : tails_) indices.push_back(tail.index().k);
  return indices;
}

}  // namespace divker
