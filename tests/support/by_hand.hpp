// The formulas of the method evaluated by hand: models as plain functions, derivatives by
// differences, and the derived programs by the interpreter.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "divker/step.hpp"
#include "support/two_languages.hpp"

namespace divker::test {

// Differences of differences of differences: long double leaves nine digits of the third.
using Real = long double;
using Point = std::vector<Real>;
using Scalar = std::function<Real(const Point&)>;
using FieldOf = std::function<Point(const Point&)>;
using MatrixL = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using VectorL = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

inline constexpr Real difference_step = 2e-3L;

// d f / d x_i by six-point central differences.
inline Real partial(const Scalar& f, Point x, std::size_t i) {
  const Real h = difference_step;
  const Real centre = x[i];
  const auto at = [&](Real shift) {
    x[i] = centre + shift;
    return f(x);
  };
  return (45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + (at(3 * h) - at(-3 * h))) /
         (60 * h);
}

inline Real divergence(const FieldOf& v, const Point& x) {
  Real sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += partial([&](const Point& y) { return v(y)[i]; }, x, i);
  }
  return sum;
}

inline Real weighted_divergence(const FieldOf& v, const Point& nu, const Point& x) {
  Real sum = divergence(v, x);
  const Point value = v(x);
  for (std::size_t i = 0; i < x.size(); ++i) sum += nu[i] * value[i];
  return sum;
}

inline MatrixL jacobian(const FieldOf& v, const Point& x) {
  const auto n = static_cast<Eigen::Index>(x.size());
  MatrixL j(n, n);
  for (Eigen::Index r = 0; r < n; ++r) {
    for (Eigen::Index c = 0; c < n; ++c) {
      const auto component = [&](const Point& y) { return v(y)[static_cast<std::size_t>(r)]; };
      j(r, c) = partial(component, x, static_cast<std::size_t>(c));
    }
  }
  return j;
}

inline Point random_point(std::mt19937_64& random, std::size_t n, double spread = 1.0) {
  std::normal_distribution<double> normal(0.0, spread);
  Point point(n);
  for (Real& value : point) value = normal(random);
  return point;
}

inline std::vector<double> doubles(const Point& point) { return {point.begin(), point.end()}; }

using Values = std::map<std::string, std::vector<double>>;

// The interpreter on named arrays.
inline Values run_program(const Program& program, const Values& arguments) {
  std::vector<double> inputs(program.graph->input_count());
  for (const Argument& argument : program.arguments) {
    const std::vector<double>& values = arguments.at(argument.name);
    EXPECT_EQ(values.size(), argument.inputs.size()) << argument.name;
    for (std::size_t i = 0; i < argument.inputs.size(); ++i) {
      inputs[program.graph->node(argument.inputs[i]).a] = values[i];
    }
  }
  Values results;
  for (const Result& result : program.results) {
    results[result.name] = evaluate(*program.graph, result.values, inputs);
  }
  return results;
}

// The state of one step.
struct Moment {
  Point x, nu, b;
  Real t = 0.3L;
  Real dt = 0.01L;
};

// The formulas of the step for a test model, by differences.
template <class Equations>
class ByHand {
 public:
  ByHand(Equations equations, Moment moment)
      : equations_(std::move(equations)), m_(std::move(moment)) {
    gamma_.assign(equations_.gamma.begin(), equations_.gamma.end());
  }

  [[nodiscard]] FieldOf drift() const {
    return [this](const Point& x) { return equations_.drift(m_.t, x, gamma_); };
  }
  [[nodiscard]] FieldOf column(std::size_t k) const {
    return [this, k](const Point& x) {
      const Point s = equations_.noise(m_.t, x, gamma_);
      Point value(equations_.states);
      for (std::size_t i = 0; i < value.size(); ++i) value[i] = s[i * equations_.motions + k];
      return value;
    };
  }
  // d V / d gamma_p, where V is made anew from the parameters.
  [[nodiscard]] FieldOf by_parameter(std::size_t p, std::function<FieldOf(const ByHand&)> v) const {
    return [this, p, v = std::move(v)](const Point& x) {
      Point result(equations_.states);
      for (std::size_t i = 0; i < result.size(); ++i) {
        const auto component = [&](const Point& gamma) {
          ByHand moved(equations_, m_);
          moved.gamma_ = gamma;
          return v(moved)(x)[i];
        };
        result[i] = partial(component, gamma_, p);
      }
      return result;
    };
  }
  [[nodiscard]] FieldOf drift_by(std::size_t p) const {
    return by_parameter(p, [](const ByHand& h) { return h.drift(); });
  }
  [[nodiscard]] FieldOf column_by(std::size_t p, std::size_t k) const {
    return by_parameter(p, [k](const ByHand& h) { return h.column(k); });
  }
  [[nodiscard]] Real db(std::size_t k) const { return std::sqrt(m_.dt) * m_.b[k]; }

  // The map x -> x' at fixed noise.
  [[nodiscard]] Point arrival(const Point& x) const {
    Point next = drift()(x);
    for (std::size_t i = 0; i < x.size(); ++i) next[i] = x[i] + next[i] * m_.dt;
    for (std::size_t k = 0; k < equations_.motions; ++k) {
      const Point s = column(k)(x);
      for (std::size_t i = 0; i < x.size(); ++i) next[i] += s[i] * db(k);
    }
    return next;
  }

  // nu - grad D_nu(F) dt - sum grad D_nu(S_k) db_k
  //    + dt sum_k { (grad S_k)^T grad D_nu(S_k) + 1/2 grad tr((grad S_k)^2) }
  [[nodiscard]] Point covector() const {
    const auto d_nu = [this](const FieldOf& v) {
      return [this, v](const Point& x) { return weighted_divergence(v, m_.nu, x); };
    };
    Point nu = m_.nu;
    const std::size_t n = nu.size();
    for (std::size_t i = 0; i < n; ++i) nu[i] -= m_.dt * partial(d_nu(drift()), m_.x, i);
    for (std::size_t k = 0; k < equations_.motions; ++k) {
      const FieldOf s = column(k);
      const MatrixL grad_s = jacobian(s, m_.x);
      const auto trace = [&s](const Point& x) {
        const MatrixL j = jacobian(s, x);
        return (j * j).trace();
      };
      for (std::size_t i = 0; i < n; ++i) {
        nu[i] -= db(k) * partial(d_nu(s), m_.x, i);
        nu[i] += m_.dt / 2 * partial(trace, m_.x, i);
        for (std::size_t j = 0; j < n; ++j) {
          nu[i] += m_.dt * grad_s(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) *
                   partial(d_nu(s), m_.x, j);
        }
      }
    }
    return nu;
  }

  // The displacement dW = dF dt + sum_k dS_k db_k.
  [[nodiscard]] FieldOf moved_by(std::size_t p) const {
    return by_parameter(
        p, [](const ByHand& h) -> FieldOf { return [h](const Point& x) { return h.arrival(x); }; });
  }
  // Does W move all x alike with this parameter, by the drift alone or under additive noise?
  [[nodiscard]] bool moves_all_alike(std::size_t p) const {
    Real noise_moved = 0, noise_varies = 0;
    for (std::size_t k = 0; k < equations_.motions; ++k) {
      for (const Real by_gamma : column_by(p, k)(m_.x)) noise_moved += std::fabs(by_gamma);
      noise_varies += jacobian(column(k), m_.x).norm();
    }
    return jacobian(moved_by(p), m_.x).norm() < 1e-12L &&
           (noise_moved < 1e-12L || noise_varies < 1e-12L);
  }

  // -nu' . dW without damping for a parameter that moves all x alike, else
  // -dD_nu(F) dt - sum_k dD_nu(S_k) db_k + dt sum_k D_nu((grad S_k) dS_k)
  [[nodiscard]] Real increment(std::size_t p) const {
    if (moves_all_alike(p)) {
      const Point nu = covector(), moved = moved_by(p)(m_.x);
      Real sum = 0;
      for (std::size_t i = 0; i < nu.size(); ++i) sum -= nu[i] * moved[i];
      return sum;
    }
    Real sum = -m_.dt * weighted_divergence(drift_by(p), m_.nu, m_.x);
    for (std::size_t k = 0; k < equations_.motions; ++k) {
      sum -= db(k) * weighted_divergence(column_by(p, k), m_.nu, m_.x);
      const FieldOf turned = [this, p, k](const Point& x) {
        const MatrixL grad_s = jacobian(column(k), x);
        const Point ds = column_by(p, k)(x);
        Point value(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
          for (std::size_t j = 0; j < x.size(); ++j) {
            value[i] += grad_s(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) * ds[j];
          }
        }
        return value;
      };
      sum += m_.dt * weighted_divergence(turned, m_.nu, m_.x);
    }
    return sum;
  }

  // J^{-T} (nu - grad log|det J|), J = grad of the arrival.
  [[nodiscard]] Point exact_covector() const {
    const FieldOf f = [this](const Point& x) { return arrival(x); };
    const auto log_determinant = [&f](const Point& x) {
      return std::log(std::fabs(jacobian(f, x).determinant()));
    };
    VectorL right(static_cast<Eigen::Index>(m_.x.size()));
    for (std::size_t i = 0; i < m_.x.size(); ++i) {
      right[static_cast<Eigen::Index>(i)] = m_.nu[i] - partial(log_determinant, m_.x, i);
    }
    const VectorL nu = jacobian(f, m_.x).transpose().partialPivLu().solve(right);
    return {nu.begin(), nu.end()};
  }

  // div(dx) + nu . dx,  dx = -J^{-1} d arrival / d gamma.
  [[nodiscard]] Real exact_increment(std::size_t p) const {
    const FieldOf dx = [this, p](const Point& x) {
      const Point by_gamma = moved_by(p)(x);
      const MatrixL j = jacobian([this](const Point& y) { return arrival(y); }, x);
      const VectorL moved = -j.partialPivLu().solve(
          Eigen::Map<const VectorL>(by_gamma.data(), static_cast<Eigen::Index>(by_gamma.size())));
      return Point(moved.begin(), moved.end());
    };
    return weighted_divergence(dx, m_.nu, m_.x);
  }

 private:
  Equations equations_;
  Moment m_;
  Point gamma_;
};

inline Values arguments_of(const Moment& m, const std::vector<double>& gamma,
                           const std::vector<double>& damping) {
  return {{"x", doubles(m.x)},
          {"nu", doubles(m.nu)},
          {"b", doubles(m.b)},
          {"t", {static_cast<double>(m.t)}},
          {"dt", {static_cast<double>(m.dt)}},
          {"parameters", gamma},
          {"damping", damping}};
}

inline Asked all_responses(const Model& model) {
  return Asked::responses_to(model.free_parameters());
}

template <class Equations>
Moment random_moment(std::mt19937_64& random, const Equations& equations) {
  Moment m;
  m.x = random_point(random, equations.states, 0.7);
  m.nu = random_point(random, equations.states);
  m.b = random_point(random, equations.motions);
  return m;
}

// --- the models -------------------------------------------------------------------------------

// One dimension, everything varying.
struct OneDimension {
  std::size_t states = 1, motions = 1;
  std::vector<double> gamma{0.8, 0.6, 0.4};
  template <class T>
  std::vector<T> drift(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {-g[0] * x[0] + g[1] * sin(2.0 * x[0]) + 0.3 * t};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {g[2] * (1.5 + 0.4 * sin(3.0 * x[0]) + 0.1 * t)};
  }
};

// Two states, three Brownian motions, everything varying and time-dependent.
struct FullNoise {
  std::size_t states = 2, motions = 3;
  std::vector<double> gamma{0.8, 0.6, 0.4, 0.3};
  template <class T>
  std::vector<T> drift(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {-g[0] * x[0] + sin(x[1]) * g[1] + t, x[0] * x[1] - g[1] * x[1] * x[1] * x[1]};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::cos;
    using std::sin;
    return {g[2] * (1.2 + sin(x[1])), g[3] * x[0] * x[1], 0.5 + 0.2 * t * x[0] * x[0],
            g[3] * cos(x[0]),         1.1 + g[2] * x[1],  g[2] * g[3] * sin(x[0] + x[1])};
  }
};

// Lower triangular 3 x 3: as many motions as states.
struct SquareNoise {
  std::size_t states = 3, motions = 3;
  std::vector<double> gamma{0.5, 0.3};
  template <class T>
  std::vector<T> drift(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {-x[0] + g[0] * x[1] * x[2], sin(x[2]) - x[1] * t, g[1] * x[0] * x[0] - x[2]};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    const T zero = 0.0 * t;
    return {1.0 + g[0] * sin(x[1]),   zero, zero,        0.4 * x[2],
            1.3 + 0.2 * x[0],         zero, g[1] * x[0], 0.1 * x[1],
            0.9 + 0.3 * sin(x[2] + t)};
  }
};

// One amplitude for all states.
struct CommonAmplitude {
  std::size_t states = 3, motions = 3;
  std::vector<double> gamma{0.7, 0.4, 0.9};
  template <class T>
  T amplitude(const std::vector<T>& x, const std::vector<T>& g) const {
    using std::exp;
    return g[1] + g[2] * exp(-0.5 * (x[0] * x[0] + x[1] * x[1] + x[2] * x[2]));
  }
  template <class T>
  std::vector<T> drift(T, const std::vector<T>& x, const std::vector<T>& g) const {
    return {x[1] * x[2] - x[0], g[0] * x[2] - x[1], x[0] * x[1] - g[0] * x[2]};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    const T zero = 0.0 * t;
    const T s = amplitude(x, g);
    return {s, zero, zero, zero, s, zero, zero, zero, s};
  }
};

// Noise on the second and third of three states only, varying in space.
struct Degenerate {
  std::size_t states = 3, motions = 2;
  std::vector<double> gamma{0.9, 0.5};
  template <class T>
  std::vector<T> drift(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {x[1] + g[0] * sin(x[2]), -x[0] * x[0] - g[1] * x[1] + t, x[0] * x[1] - x[2]};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    const T zero = 0.0 * t;
    return {zero,
            zero,
            1.0 + 0.3 * x[0] * x[1],
            0.2 * sin(x[2]),
            g[1] * x[0],
            0.8 + 0.2 * sin(x[1] + t)};
  }
};

// Additive noise, nonlinear drift; the last two parameters move all points alike.
struct Additive {
  std::size_t states = 2, motions = 2;
  std::vector<double> gamma{0.8, 0.6, 0.7, 0.4};
  template <class T>
  std::vector<T> drift(T t, const std::vector<T>& x, const std::vector<T>& g) const {
    using std::sin;
    return {-g[0] * x[0] * x[0] * x[0] + sin(x[1]) + t, g[1] * x[0] * x[1] - x[1] + g[3]};
  }
  template <class T>
  std::vector<T> noise(T t, const std::vector<T>&, const std::vector<T>& g) const {
    const T zero = 0.0 * t;
    return {g[2], zero, 0.3 + zero, g[2] * g[2]};
  }
};

}  // namespace divker::test
