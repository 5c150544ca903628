// Laws whose density is known: score and response come from differences of the log density.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numbers>
#include <span>
#include <vector>

namespace divker::test {

using LogDensity = std::function<double(std::span<const double> x)>;
// The law of x_T for given parameters.
using Law = std::function<LogDensity(std::span<const double> gamma)>;

// grad log h and d log h / d gamma by central differences of log h: relative errors near 1e-7.
class ClosedForm {
 public:
  ClosedForm(const Law& law, std::span<const double> gamma) : density_(law(gamma)) {
    std::vector<double> moved(gamma.begin(), gamma.end());
    for (std::size_t p = 0; p < gamma.size(); ++p) {
      const double h = 1e-4 * std::max(std::fabs(gamma[p]), 0.1);
      steps_.push_back(h);
      moved[p] = gamma[p] + h;
      above_.push_back(law(moved));
      moved[p] = gamma[p] - h;
      below_.push_back(law(moved));
      moved[p] = gamma[p];
    }
  }

  [[nodiscard]] double log_density(std::span<const double> x) const { return density_(x); }

  [[nodiscard]] double score(std::span<const double> x, std::size_t i) const {
    std::vector<double> moved(x.begin(), x.end());
    const double h = 1e-4 * std::max(std::fabs(x[i]), 0.1);
    moved[i] = x[i] + h;
    const double above = density_(moved);
    moved[i] = x[i] - h;
    return (above - density_(moved)) / (2.0 * h);
  }

  [[nodiscard]] double response(std::span<const double> x, std::size_t p) const {
    return (above_[p](x) - below_[p](x)) / (2.0 * steps_[p]);
  }

 private:
  LogDensity density_;
  std::vector<LogDensity> above_, below_;
  std::vector<double> steps_;
};

struct Gaussian {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

// Normal log density; in the logarithms of the coordinates if `lognormal`.
[[nodiscard]] inline LogDensity log_density(const Gaussian& law, bool lognormal = false) {
  const Eigen::MatrixXd precision = law.covariance.inverse();
  const double log_determinant = std::log(law.covariance.determinant());
  return [=, mean = law.mean](std::span<const double> x) {
    Eigen::VectorXd centred(mean.size());
    double jacobian = 0.0;
    for (Eigen::Index i = 0; i < mean.size(); ++i) {
      const double value = x[static_cast<std::size_t>(i)];
      centred[i] = (lognormal ? std::log(value) : value) - mean[i];
      if (lognormal) jacobian += std::log(value);
    }
    return -0.5 * centred.dot(precision * centred) - 0.5 * log_determinant - jacobian;
  };
}

// dx = (A(t) x + c(t)) dt + S(t) dB from a normal law.
struct LinearSystem {
  std::function<Eigen::MatrixXd(double)> drift_matrix;
  std::function<Eigen::VectorXd(double)> forcing;
  std::function<Eigen::MatrixXd(double)> noise;
  Gaussian initial;
};

// m' = A m + c,  P' = A P + P A^T + S S^T by the classical Runge-Kutta method.
[[nodiscard]] inline Gaussian law_at(const LinearSystem& system, double end,
                                     std::size_t steps = 400) {
  const auto rate = [&](double t, const Gaussian& law) {
    const Eigen::MatrixXd a = system.drift_matrix(t);
    const Eigen::MatrixXd s = system.noise(t);
    const Eigen::MatrixXd turned = a * law.covariance;
    return Gaussian{a * law.mean + system.forcing(t),
                    turned + turned.transpose() + s * s.transpose()};
  };
  const auto moved = [](const Gaussian& law, double h, const Gaussian& rate_of_change) {
    return Gaussian{law.mean + h * rate_of_change.mean,
                    law.covariance + h * rate_of_change.covariance};
  };
  Gaussian law = system.initial;
  const double h = end / static_cast<double>(steps);
  for (std::size_t n = 0; n < steps; ++n) {
    const double t = static_cast<double>(n) * h;
    const Gaussian k1 = rate(t, law);
    const Gaussian k2 = rate(t + h / 2, moved(law, h / 2, k1));
    const Gaussian k3 = rate(t + h / 2, moved(law, h / 2, k2));
    const Gaussian k4 = rate(t + h, moved(law, h, k3));
    law = moved(moved(law, h / 6, k1), h / 3, k2);
    law = moved(moved(law, h / 3, k3), h / 6, k4);
  }
  return law;
}

// log I_q(z), the modified Bessel function of the first kind; by Hankel's asymptotic series where
// I_q itself would overflow.
[[nodiscard]] inline double log_bessel_i(double q, double z) {
  if (z < 300.0) return std::log(std::cyl_bessel_i(q, z));
  double term = 1.0, series = 1.0;
  for (int k = 1; k <= 12; ++k) {
    const double odd = 2.0 * k - 1.0;
    term *= -(4.0 * q * q - odd * odd) / (8.0 * z * k);
    series += term;
  }
  return z - 0.5 * std::log(2.0 * std::numbers::pi * z) + std::log(series);
}

// x_T of the Cox-Ingersoll-Ross process dx = a (b - x) dt + s sqrt(x) dB from the point x0: a
// scaled noncentral chi-square (Cox, Ingersoll, Ross 1985, eq. 18).
[[nodiscard]] inline LogDensity cir_log_density(double a, double b, double s, double x0, double t) {
  const double c = 2.0 * a / (s * s * (1.0 - std::exp(-a * t)));
  const double u = c * x0 * std::exp(-a * t);
  const double q = 2.0 * a * b / (s * s) - 1.0;
  return [=](std::span<const double> x) {
    const double v = c * x[0];
    return std::log(c) - u - v + 0.5 * q * std::log(v / u) +
           log_bessel_i(q, 2.0 * std::sqrt(u * v));
  };
}

}  // namespace divker::test
