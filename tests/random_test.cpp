#include "divker/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "numbers/random_fill.hpp"

namespace divker {
namespace {

using Words = std::array<std::uint64_t, 4>;
using random_detail::RandomCode;

constexpr std::array both_resolutions{Resolution::fast, Resolution::full};

std::vector<const RandomCode*> codes() {
  const RandomCode* found[3];
  const std::size_t count = random_detail::supported_random_codes(found);
  return {found, found + count};
}

// ---- The generator -----------------------------------------------------------------------------

struct KnownAnswer {
  Words counter, key, expected;
};

// Random123 1.14, kat_vectors, threefry4x64 with 20 rounds.
const std::array known_answers{
    KnownAnswer{
        {}, {}, {0x09218ebde6c85537, 0x55941f5266d86105, 0x4bd25e16282434dc, 0xee29ec846bd2e40b}},
    KnownAnswer{{~0ULL, ~0ULL, ~0ULL, ~0ULL},
                {~0ULL, ~0ULL, ~0ULL, ~0ULL},
                {0x29c24097942bba1b, 0x0371bbfb0f6f4e11, 0x3c231ffa33f83a1c, 0xcd29113fde32d168}},
    KnownAnswer{{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                {0x452821e638d01377, 0xbe5466cf34e90c6c, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd},
                {0xa7e8fde591651bd9, 0xbaafd0c30138319b, 0x84a5c1a729e685b9, 0x901d406ccebc1ba4}},
};

TEST(Threefry, gives_the_known_answers) {
  for (const KnownAnswer& known : known_answers) {
    EXPECT_EQ(threefry4x64(known.counter, known.key), known.expected);
  }
}

// ---- Addresses ---------------------------------------------------------------------------------

TEST(NormalSource, pads_components_to_whole_groups) {
  const std::array<std::array<std::size_t, 3>, 9> expected{{{0, 0, 1},
                                                            {1, 1, 8},
                                                            {2, 2, 4},
                                                            {3, 4, 2},
                                                            {4, 4, 2},
                                                            {5, 8, 1},
                                                            {8, 8, 1},
                                                            {9, 16, 1},
                                                            {40, 40, 1}}};
  for (const auto& [components, padded, batch] : expected) {
    EXPECT_EQ(padded_components(components), padded);
    EXPECT_EQ(batch_steps(components), batch);
  }
}

struct Shape {
  std::uint64_t first_path, first_step;
  std::size_t steps, vectors, lanes;
};

// out[step][path][component] from any shape.
std::vector<double> numbers(const NormalSource& source, const Shape& shape,
                            std::size_t components) {
  std::vector<double> block(shape.steps * shape.vectors * shape.lanes * components);
  source.fill(shape.first_path, shape.first_step, shape.steps, shape.vectors, components,
              shape.lanes, block.data());
  std::vector<double> sorted;
  for (std::size_t step = 0; step < shape.steps; ++step) {
    for (std::size_t path = 0; path < shape.vectors * shape.lanes; ++path) {
      for (std::size_t k = 0; k < components; ++k) {
        const std::size_t vector = step * shape.vectors + path / shape.lanes;
        sorted.push_back(block[(vector * components + k) * shape.lanes + path % shape.lanes]);
      }
    }
  }
  return sorted;
}

TEST(NormalSource, a_number_depends_on_its_address_alone_to_the_bit) {
  constexpr std::size_t paths = 24, steps = 16;
  for (const Resolution resolution : both_resolutions) {
    for (const std::size_t K : {1U, 2U, 3U, 4U, 5U, 8U, 11U, 40U}) {
      const NormalSource source(17, Stream::step, resolution);
      const auto whole = numbers(source, {5, 32, steps, 3, 8}, K);
      const auto expect_part = [&](std::size_t path, std::size_t step, Shape shape) {
        shape.first_path = 5 + path;
        shape.first_step = 32 + step;
        const auto part = numbers(source, shape, K);
        const std::size_t part_paths = shape.vectors * shape.lanes;
        for (std::size_t i = 0; i < part.size(); ++i) {
          const std::size_t at_step = step + i / K / part_paths;
          const std::size_t at_path = path + i / K % part_paths;
          ASSERT_EQ(part[i], whole[(at_step * paths + at_path) * K + i % K])
              << "components " << K << ", lanes " << shape.lanes << ", number " << i;
        }
      };
      for (const std::size_t lanes : {2U, 4U, 8U})
        expect_part(0, 0, {0, 0, steps, 24 / lanes, lanes});
      expect_part(3, 0, {0, 0, steps, 2, 8});  // unaligned first path
      expect_part(7, 8, {0, 0, 8, 3, 4});      // half of the steps, other lanes
      expect_part(1, 0, {0, 0, steps, 3, 2});  // paths that do not fill a vector of eight
      expect_part(22, 8, {0, 0, 8, 1, 2});
    }
  }
}

TEST(NormalSource, writes_nothing_beyond_its_block) {
  for (const std::size_t K : {1U, 3U, 5U, 40U}) {
    for (const std::size_t lanes : {2U, 4U, 8U}) {
      const std::size_t size = 8 * 3 * lanes * K;
      std::vector<double> block(size + 64, 99.0);
      NormalSource(1).fill(0, 0, 8, 3, K, lanes, block.data() + 32);
      for (std::size_t i = 0; i < 32; ++i) {
        ASSERT_EQ(block[i], 99.0);
        ASSERT_EQ(block[size + 32 + i], 99.0);
      }
      EXPECT_EQ(std::count(block.begin() + 32, block.end() - 32, 99.0), 0);
    }
  }
}

TEST(NormalSource, one_number_alone_is_that_of_the_block) {
  for (const Resolution resolution : both_resolutions) {
    const double tolerance = resolution == Resolution::full ? 1e-14 : 1e-9;
    for (const std::size_t K : {1U, 2U, 3U, 5U, 12U, 40U}) {
      const NormalSource source(~0ULL, Stream::pilot, resolution);
      const std::uint64_t first_path = (1ULL << 63) + 3, first_step = 1ULL << 40;
      const auto block = numbers(source, {first_path, first_step, 8, 2, 4}, K);
      for (std::size_t i = 0; i < block.size(); ++i) {
        const double alone =
            source.normal(first_path + i / K % 8, first_step + i / K / 8, i % K, K);
        ASSERT_NEAR(block[i], alone, tolerance * (1 + std::abs(alone)));
      }
    }
  }
}

TEST(NormalSource, the_instruction_sets_agree) {
  const std::uint64_t key[4] = {3, 1, 4, 0};
  for (const bool full : {false, true}) {
    for (const std::size_t K : {2U, 40U}) {
      std::vector<std::vector<double>> results;
      for (const RandomCode* code : codes()) {
        std::vector<double> out(16 * 3 * K * 4);
        code->fill({key, 9, 0, 16, 3, K, K, 4, full, out.data()});
        results.push_back(out);
      }
      for (const auto& result : results) {
        for (std::size_t i = 0; i < result.size(); ++i) {
          const double tolerance = full ? 1e-14 : 5e-10;
          ASSERT_NEAR(result[i], results[0][i], tolerance * (1 + std::abs(result[i])));
        }
      }
    }
  }
  EXPECT_STREQ(random_instruction_set(), codes()[0]->name);
}

TEST(NormalSource, refuses_what_it_cannot_do) {
  std::vector<double> out(1000);
  const NormalSource source(1);
  const auto message = [&](auto call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { source.fill(0, 0, 8, 1, 1, 3, out.data()); }),
            "NormalSource::fill: lanes is 3, but must be 2, 4 or 8.");
  EXPECT_EQ(message([&] { source.fill(0, 2, 8, 1, 1, 8, out.data()); }),
            "NormalSource::fill: first_step is 2 and steps is 8, but both must be multiples of 8 "
            "for 1 components.");
  EXPECT_EQ(message([&] { (void)source.normal(0, 0, 4, 4); }),
            "NormalSource::normal: component is 4, but must be below the number of components, 4.");
}

// ---- The transform -----------------------------------------------------------------------------

struct Worst {
  double log, sine, cosine;
};

// Largest errors: of -2 log(u) and sin relative, of cos absolute, against long double.
Worst worst_errors(const RandomCode& code, bool full) {
  constexpr long double pi = std::numbers::pi_v<long double>;
  Worst worst{};
  std::uint64_t word = 1;
  for (int round = 0; round < 40000; ++round) {
    double u[8], t[8], logs[8], sines[8], cosines[8];
    for (int i = 0; i < 8; ++i) {
      word = word * 6364136223846793005ULL + 1442695040888963407ULL;
      const double fraction = (static_cast<double>(word >> 12) + 0.5) * 0x1p-52;
      // Every second number lies at an end of (0, 1), where relative accuracy is hard.
      const double near = std::exp2(-1 - fraction * (full ? 51 : 31));
      u[i] = round % 4 == 0 ? near : round % 4 == 1 ? 1 - near : fraction;
      t[i] = round % 2 == 0 ? fraction - 0.5 : near - 0.5;
    }
    code.minus_two_log(full, u, logs);
    code.sine_cosine(full, t, sines, cosines);
    for (int i = 0; i < 8; ++i) {
      const long double exact = u[i];
      const long double log = -2 * (u[i] < 0.5 ? std::log(exact) : std::log1p(exact - 1));
      const long double sine = std::sin(pi * t[i]), cosine = std::cos(pi * t[i]);
      worst.log = std::max(worst.log, static_cast<double>(std::abs(logs[i] / log - 1)));
      worst.sine = std::max(worst.sine, static_cast<double>(std::abs(sines[i] / sine - 1)));
      worst.cosine = std::max(worst.cosine, static_cast<double>(std::abs(cosines[i] - cosine)));
    }
  }
  return worst;
}

// As documented in random_vector.hpp.
TEST(BoxMuller, parts_are_as_accurate_as_documented) {
  for (const RandomCode* code : codes()) {
    for (const bool full : {false, true}) {
      const Worst worst = worst_errors(*code, full);
      std::printf("%s %s: log %.2g (%.1f ulp), sin %.2g (%.1f ulp), cos %.2g (%.1f ulp of 1)\n",
                  code->name, full ? "full" : "fast", worst.log, worst.log / 0x1p-52, worst.sine,
                  worst.sine / 0x1p-52, worst.cosine, worst.cosine / 0x1p-52);
      const double bound = full ? 4 * 0x1p-52 : 5e-11;
      EXPECT_LT(worst.log, full ? 6 * 0x1p-52 : 5e-11);
      EXPECT_LT(worst.sine, bound);
      EXPECT_LT(worst.cosine, bound);
    }
  }
}

TEST(BoxMuller, extreme_words_give_the_documented_tail) {
  constexpr std::uint64_t all = ~0ULL;
  // Radius words 0 and all ones; angles at the ends and the middle of both half circles.
  const std::uint64_t radii[8] = {0, 0, 0, 0, all, all, all, all};
  const std::uint64_t angles[8] = {0, 1, 0x7FFFFFFF7FFFFFFE, all, 0, 1, all - 1, all};
  for (const RandomCode* code : codes()) {
    for (const bool full : {false, true}) {
      double cosines[8], sines[8];
      code->transform(full, radii, angles, cosines, sines);
      const double bits = full ? 53 : 33;
      const double largest = std::sqrt(2 * bits * std::numbers::ln2);
      EXPECT_NEAR(largest, full ? 8.57 : 6.76, 0.005);
      for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(std::isfinite(cosines[i]) && std::isfinite(sines[i]));
        const double expected = i < 4 ? largest : std::sqrt(-2 * std::log1p(-std::exp2(-bits)));
        EXPECT_NEAR(std::hypot(cosines[i], sines[i]) / expected, 1, 1e-10) << i;
      }
      EXPECT_NEAR(sines[0], -largest, 1e-8);
      EXPECT_NEAR(sines[3], largest, 1e-8);
      EXPECT_GE(cosines[0], -1e-11);
      EXPECT_LE(cosines[1], 1e-11);
      EXPECT_NEAR(cosines[2], largest, 1e-8);
    }
  }
}

// ---- The law -----------------------------------------------------------------------------------

std::vector<double> many(const NormalSource& source, std::size_t count) {
  constexpr std::size_t components = 8, lanes = 8;
  std::vector<double> out(count);
  source.fill(0, 0, count / components / lanes, 1, components, lanes, out.data());
  return out;
}

TEST(NormalSource, has_the_moments_of_the_normal_law) {
  constexpr std::size_t count = 10'000'000 / 64 * 64;
  for (const Resolution resolution : both_resolutions) {
    const auto sample = many(NormalSource(2, Stream::step, resolution), count);
    std::array<double, 5> moment{};
    for (const double z : sample) {
      double power = 1;
      for (double& sum : moment) {
        sum += power;
        power *= z;
      }
    }
    // Variance of z^p: E z^2p - (E z^p)^2.
    const std::array<double, 5> mean{1, 0, 1, 0, 3}, variance{0, 1, 2, 15, 96};
    for (std::size_t p = 1; p <= 4; ++p) {
      EXPECT_NEAR(moment[p] / count, mean[p], 4.5 * std::sqrt(variance[p] / count)) << p;
    }
  }
}

double normal_cdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

TEST(NormalSource, passes_kolmogorov_and_smirnov) {
  constexpr std::size_t count = 1'000'000;
  for (const Resolution resolution : both_resolutions) {
    auto sample = many(NormalSource(3, Stream::step, resolution), count);
    std::sort(sample.begin(), sample.end());
    double distance = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double cdf = normal_cdf(sample[i]);
      distance = std::max({distance, cdf - static_cast<double>(i) / count,
                           static_cast<double>(i + 1) / count - cdf});
    }
    // P(sqrt(n) D > d) is about 2 exp(-2 d^2): 1e-6 at d = 2.69.
    EXPECT_LT(distance * std::sqrt(count), 2.69);
  }
}

TEST(NormalSource, fills_equal_cells_equally) {
  constexpr std::size_t count = 6'400'000, cells = 1000;
  for (const Resolution resolution : both_resolutions) {
    std::vector<double> filled(cells);
    for (const double z : many(NormalSource(4, Stream::start, resolution), count)) {
      ++filled[std::min<std::size_t>(cells - 1, static_cast<std::size_t>(normal_cdf(z) * cells))];
    }
    double chi2 = 0;
    const double expected = static_cast<double>(count) / cells;
    for (const double n : filled) chi2 += (n - expected) * (n - expected) / expected;
    EXPECT_NEAR(chi2, cells - 1, 4.9 * std::sqrt(2.0 * (cells - 1)));
  }
}

double correlation(std::span<const double> a, std::span<const double> b, bool squares) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += squares ? (a[i] * a[i] - 1) * (b[i] * b[i] - 1) / 2 : a[i] * b[i];
  }
  return sum / static_cast<double>(a.size());
}

void expect_independent(std::span<const double> a, std::span<const double> b) {
  const double bound = 4.9 / std::sqrt(static_cast<double>(a.size()));
  EXPECT_LT(std::abs(correlation(a, b, false)), bound);
  EXPECT_LT(std::abs(correlation(a, b, true)), bound);
}

TEST(NormalSource, neighbours_are_independent) {
  constexpr std::size_t steps = 4096, vectors = 4, components = 8, lanes = 8;
  constexpr std::size_t path_count = vectors * lanes;
  for (const Resolution resolution : both_resolutions) {
    const Shape shape{0, 0, steps, vectors, lanes};
    const auto z = numbers(NormalSource(5, Stream::step, resolution), shape, components);
    const std::span all(z);
    // [step][path][component]: shifting by one number, one path, one step; every component with
    // every other one of its group would repeat the first, so shifts up to seven.
    for (const std::size_t shift :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{4}, std::size_t{5},
          std::size_t{6}, std::size_t{7}, components, 2 * components, components * path_count,
          2 * components * path_count}) {
      SCOPED_TRACE(shift);
      expect_independent(all.first(all.size() - shift), all.last(all.size() - shift));
    }
    expect_independent(z, numbers(NormalSource(6, Stream::step, resolution), shape, components));
    expect_independent(z, numbers(NormalSource(5, Stream::start, resolution), shape, components));
    expect_independent(
        z, numbers(NormalSource(5 + (1ULL << 32), Stream::step, resolution), shape, components));
  }
  const Shape shape{0, 0, steps, vectors, lanes};
  expect_independent(numbers(NormalSource(5), shape, components),
                     numbers(NormalSource(5, Stream::step, Resolution::full), shape, components));
}

TEST(NormalSource, uniform_numbers_fill_the_interval) {
  const NormalSource source(7, Stream::bootstrap);
  constexpr std::size_t count = 200'000;
  std::vector<double> sample;
  for (std::size_t i = 0; i < count; ++i) sample.push_back(source.uniform(i % 100, i / 100));
  std::sort(sample.begin(), sample.end());
  EXPECT_GT(sample.front(), 0);
  EXPECT_LT(sample.back(), 1);
  double distance = 0;
  for (std::size_t i = 0; i < count; ++i) {
    distance = std::max({distance, sample[i] - static_cast<double>(i) / count,
                         static_cast<double>(i + 1) / count - sample[i]});
  }
  EXPECT_LT(distance * std::sqrt(count), 2.69);
  EXPECT_EQ(source.uniform(3, 4), source.uniform(3, 4));
}

}  // namespace
}  // namespace divker
