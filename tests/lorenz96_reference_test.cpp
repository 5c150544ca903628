// The benchmark's hand-written step against the general formulas of docs/theory.md, section 4, with
// dense derivatives.
#include "lorenz96_reference.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "divker/random.hpp"
#include "lorenz96_step.hpp"

namespace divker::reference {
namespace {

constexpr std::size_t M = lorenz96_size;
using Vector = std::array<double, M>;
using Matrix = std::array<Vector, M>;

struct PlainState {
  Vector x, nu;
  std::array<double, 2> response;
};

std::size_t wrap(std::size_t i, int by) {
  return static_cast<std::size_t>(static_cast<int>(i + M) + by) % M;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < M; ++i) sum += a[i] * b[i];
  return sum;
}

struct Noise {
  double sigma;
  Vector gradient;
  Matrix hessian;
};

Noise noise_at(const Vector& x, double s) {
  const double e = std::exp(-dot(x, x) / 2);
  Noise noise{e + s, {}, {}};
  for (std::size_t i = 0; i < M; ++i) {
    noise.gradient[i] = -x[i] * e;
    for (std::size_t j = 0; j < M; ++j) noise.hessian[i][j] = (x[i] * x[j] - (i == j)) * e;
  }
  return noise;
}

struct Drift {
  Vector value;
  Matrix gradient;             // dF_i / dx_j
  Vector divergence_gradient;  // of div F
};

Drift drift_at(const Vector& x, double F) {
  Drift drift{};
  for (std::size_t i = 0; i < M; ++i) {
    const double after = x[wrap(i, 1)], before = x[wrap(i, -1)], before2 = x[wrap(i, -2)];
    drift.value[i] = (after - before2) * before - x[i] - 0.01 * x[i] * x[i] + F;
    drift.gradient[i][wrap(i, 1)] += before;
    drift.gradient[i][wrap(i, -2)] -= before;
    drift.gradient[i][wrap(i, -1)] += after - before2;
    drift.gradient[i][i] -= 1 + 0.02 * x[i];
    drift.divergence_gradient[i] = -0.02;
  }
  return drift;
}

// One step from the formulas, sums over k written out.
PlainState plain_step(const PlainState& from, const Lorenz96Constants& c, const Vector& z) {
  const Drift drift = drift_at(from.x, c.F);
  const Noise noise = noise_at(from.x, c.s);
  double laplacian = 0;
  for (std::size_t i = 0; i < M; ++i) laplacian += noise.hessian[i][i];
  PlainState to = from;
  for (std::size_t j = 0; j < M; ++j) {
    double drift_part = drift.divergence_gradient[j], noise_part = 0, correction = 0;
    for (std::size_t k = 0; k < M; ++k) {
      drift_part += drift.gradient[k][j] * from.nu[k];
      // S_k = sigma e_k, so D_nu(S_k) = d_k sigma + nu_k sigma.
      noise_part += (noise.hessian[k][j] + from.nu[k] * noise.gradient[j]) * z[k] * c.root_dt;
      correction += noise.gradient[j] * (noise.hessian[k][k] + from.nu[k] * noise.gradient[k]);
      correction += noise.hessian[j][k] * noise.gradient[k];
    }
    const double divergence = from.nu[j] - drift_part * c.dt - noise_part + correction * c.dt;
    const double kernel = z[j] * c.root_dt / noise.sigma;
    to.nu[j] = divergence - c.alpha * (c.dt * divergence + kernel);
    to.x[j] = from.x[j] + drift.value[j] * c.dt + noise.sigma * z[j] * c.root_dt;
    to.response[0] -= c.dt * to.nu[j];
    to.response[1] -= from.nu[j] * z[j] * c.root_dt;
  }
  to.response[1] += c.dt * (laplacian + dot(from.nu, noise.gradient));
  return to;
}

void expect_close(const Vector& actual, const Vector& expected, double tolerance) {
  for (std::size_t i = 0; i < M; ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << i;
  }
}

using Steps = void (*)(const Lorenz96Constants&, const double*, std::size_t, Lorenz96Block&);

// States near the origin, where exp(-|x|^2 / 2) matters; `scale` sets how near.
void compare_steps(Steps advance, double scale) {
  constexpr std::size_t lanes = 8, steps = 5;
  const Lorenz96Constants constants{8, 0.7, 5, 0.004, std::sqrt(0.004)};
  const NormalSource source(11);
  alignas(64) double z[steps * M * lanes];
  source.fill(0, 0, steps, 1, M, lanes, z);
  Lorenz96Block block{};
  std::array<PlainState, lanes> plain{};
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    for (std::size_t i = 0; i < M + 4; ++i) {
      const std::size_t component = (i + M - 2) % M;
      block.x[0][i][lane] = scale * source.normal(lane, 100, component, M);
      block.nu[0][i][lane] = source.normal(lane, 101, component, M);
      plain[lane].x[component] = block.x[0][i][lane];
      plain[lane].nu[component] = block.nu[0][i][lane];
    }
  }
  advance(constants, z, steps, block);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    for (std::size_t step = 0; step < steps; ++step) {
      Vector normals;
      for (std::size_t i = 0; i < M; ++i) normals[i] = z[(step * M + i) * lanes + lane];
      plain[lane] = plain_step(plain[lane], constants, normals);
    }
    Vector x, nu;
    for (std::size_t i = 0; i < M; ++i) {
      x[i] = block.x[block.current][i + 2][lane];
      nu[i] = block.nu[block.current][i + 2][lane];
    }
    expect_close(x, plain[lane].x, 1e-12);
    expect_close(nu, plain[lane].nu, 1e-12);
    EXPECT_NEAR(block.response[0][lane], plain[lane].response[0], 1e-12);
    EXPECT_NEAR(block.response[1][lane], plain[lane].response[1], 1e-12);
  }
}

TEST(Lorenz96Reference, portable_step_is_the_general_formula) {
  for (const double scale : {0.1, 0.3, 2.0}) compare_steps(lorenz96_steps_portable, scale);
}

TEST(Lorenz96Reference, avx512_step_is_the_general_formula) {
  if (Lorenz96Reference::instruction_set() != std::string("avx512")) GTEST_SKIP();
  for (const double scale : {0.1, 0.3, 2.0}) compare_steps(lorenz96_steps_avx512, scale);
}

TEST(Lorenz96Reference, a_run_follows_each_path_from_its_own_numbers) {
  Lorenz96Reference setting;
  setting.paths = 11;
  setting.steps = 30;
  setting.seed = 5;
  const Lorenz96Result result = setting.run();
  ASSERT_EQ(result.x.size(), 11U);
  const Lorenz96Constants constants{setting.F, setting.s, setting.alpha, setting.dt,
                                    std::sqrt(setting.dt)};
  const NormalSource starts(5, Stream::start), source(5);
  for (const std::size_t path : {0U, 7U, 10U}) {
    PlainState plain{};
    for (std::size_t i = 0; i < M; ++i) {
      plain.x[i] = 2 * starts.normal(path, 0, i, M);
      plain.nu[i] = -plain.x[i] / 4;
    }
    for (std::size_t step = 0; step < setting.steps; ++step) {
      Vector normals;
      for (std::size_t i = 0; i < M; ++i) normals[i] = source.normal(path, step, i, M);
      plain = plain_step(plain, constants, normals);
    }
    // Scalar and vector normals differ by 1e-9, which 30 steps hardly amplify.
    expect_close(result.x[path], plain.x, 1e-7);
    expect_close(result.nu[path], plain.nu, 1e-7);
    EXPECT_NEAR(result.response[path][0], plain.response[0], 1e-7);
    EXPECT_NEAR(result.response[path][1], plain.response[1], 1e-7);
  }
}

}  // namespace
}  // namespace divker::reference
