// Threefry-4x64 and Box-Muller for one vector type. Included once by the file of each instruction
// set, inside an anonymous namespace of its own: see the note in random_fill.hpp.
//
// An instruction set `Isa` provides Real and Word (vectors of `width` doubles and 64-bit words),
// fma, square_root, rotate<N>, and split with its LogTerms (below).
//
// Accuracy: in fast resolution -2 log(u) and sin(pi t) within 5e-11 relative, cos(pi t) within
// 5e-11 absolute, which is finer than the 2^-32 between two of its random words; in full resolution
// within 6, 4 and 4 times 2^-52. The radius has half the relative error of the logarithm.
//
// NOTE: compiled without contraction, so that a number is computed by the same operations wherever
// this template is inlined; products that should fuse are written as fma.

// NOLINTNEXTLINE(misc-definitions-in-headers): one copy for each instruction set is wanted
constexpr double minus_two_log_two = -2 * 0.69314718055994530942;

template <class Isa>
struct VectorRandom {
  using Real = typename Isa::Real;
  using Word = typename Isa::Word;
  static constexpr int width = Isa::width;

  struct Words {
    Word word[4];
  };

  template <bool full, class Fast = FastPolynomials>
  struct Choose {
    using Type = Fast;
  };
  template <class Fast>
  struct Choose<true, Fast> {
    using Type = FullPolynomials;
  };

  static Real real(Word word) { return __builtin_bit_cast(Real, word); }
  static Word word(Real real) { return __builtin_bit_cast(Word, real); }

  // The key with its parity word, doubled so that every injection reads five words in a row.
  struct Key {
    std::uint64_t word[9];
  };

  static Key expand(const std::uint64_t* key) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled below
    Key expanded;
    std::uint64_t parity = threefry_parity;
    for (int i = 0; i < 4; ++i) {
      expanded.word[i] = key[i];
      parity ^= key[i];
    }
    expanded.word[4] = parity;
    for (int i = 5; i < 9; ++i) expanded.word[i] = expanded.word[i - 5];
    return expanded;
  }

  template <int injection>
  [[gnu::always_inline]] static void inject(Words& x, const Key& key) {
    constexpr int at = injection % 5;
    x.word[0] += key.word[at];
    x.word[1] += key.word[at + 1];
    x.word[2] += key.word[at + 2];
    x.word[3] += key.word[at + 3] + injection;
  }

  template <int round>
  [[gnu::always_inline]] static void mix(Words& x) {
    constexpr int second = round % 2 == 0 ? 1 : 3;
    constexpr int fourth = 4 - second;
    x.word[0] += x.word[second];
    x.word[second] = Isa::template rotate<threefry_rotations[round % 8][0]>(x.word[second]);
    x.word[second] ^= x.word[0];
    x.word[2] += x.word[fourth];
    x.word[fourth] = Isa::template rotate<threefry_rotations[round % 8][1]>(x.word[fourth]);
    x.word[fourth] ^= x.word[2];
  }

  template <int block>
  [[gnu::always_inline]] static void four_rounds(Words& x, const Key& key) {
    mix<4 * block>(x);
    mix<4 * block + 1>(x);
    mix<4 * block + 2>(x);
    mix<4 * block + 3>(x);
    inject<block + 1>(x, key);
  }

  [[gnu::always_inline]] static Words threefry(Words x, const Key& key) {
    static_assert(threefry_rounds == 20);
    inject<0>(x, key);
    four_rounds<0>(x, key);
    four_rounds<1>(x, key);
    four_rounds<2>(x, key);
    four_rounds<3>(x, key);
    four_rounds<4>(x, key);
    return x;
  }

  // `count` polynomials side by side: each is a chain of dependent operations, several of them
  // keep the arithmetic units busy.
  template <int count, int terms>
  [[gnu::always_inline]] static void polynomial(const double (&coefficients)[terms],
                                                const Real (&x)[count], Real (&sum)[count]) {
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) {
      sum[i] = Isa::fma(x[i], Real{} + coefficients[terms - 1], Real{} + coefficients[terms - 2]);
    }
#pragma GCC unroll 32
    for (int k = terms - 3; k >= 0; --k) {
#pragma GCC unroll 8
      for (int i = 0; i < count; ++i) sum[i] = Isa::fma(sum[i], x[i], Real{} + coefficients[k]);
    }
  }

  // -2 log(u) for normal u in (0, 1), accurate relative to the result (near u = 1 too): Isa::split
  // gives the exact f and the `base` in log(u) = -base / 2 + log(1 + f), base = 0 near u = 1.
  template <class Polynomials, int count>
  [[gnu::always_inline]] static void minus_two_log(const Real (&u)[count], Real (&result)[count]) {
    Real base[count], f[count];
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) Isa::split(u[i], base[i], f[i]);
    polynomial(Isa::template LogTerms<Polynomials>::log_terms, f, result);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) result[i] = Isa::fma(result[i], f[i], base[i]);
  }

  // r cos(pi t) and r sin(pi t) for |t| <= 1/2.
  template <class Polynomials, int count>
  [[gnu::always_inline]] static void half_circle(const Real (&radius)[count],
                                                 const Real (&t)[count], Real (&cosine)[count],
                                                 Real (&sine)[count]) {
    Real square[count];
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) square[i] = t[i] * t[i];
    polynomial(Polynomials::cosine_terms, square, cosine);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) cosine[i] *= radius[i];
    polynomial(Polynomials::sine_terms, square, sine);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) sine[i] *= radius[i] * t[i];
  }

  // NOTE: random bits are put under a fixed exponent, with the last bit set for the "+ 1/2"; taking
  // away the leading bit is then exact. 2^19: unit 2^-33; 2^20: unit 2^-32; 1: unit 2^-52.
  template <bool full>
  [[gnu::always_inline]] static Real radius_uniform(Word w) {
    constexpr std::uint64_t at_2_19 = 0x4120000000000000, at_1 = 0x3FF0000000000000;
    if constexpr (full) return real((w >> 12) | at_1) - (1.0 - 0x1p-53);
    return real((w >> 31) | (at_2_19 | 1)) - 0x1p19;
  }

  template <bool full>
  [[gnu::always_inline]] static Real angle_uniform(Word w) {
    constexpr std::uint64_t at_2_20 = 0x4130000000000000, at_1 = 0x3FF0000000000000;
    if constexpr (full) return real((w >> 12) | (at_1 | 1)) - 1.5;
    return real((w & 0xFFFFFFFE) | (at_2_20 | 1)) - (0x1p20 + 0.5);
  }

  // Pairs of normals. The angle pi t covers the right half circle; the last bit of the angle's word
  // chooses between it and its mirror image.
  template <bool full, int count>
  [[gnu::always_inline]] static void box_muller(const Word (&radii)[count],
                                                const Word (&angles)[count], Real (&cosine)[count],
                                                Real (&sine)[count]) {
    using Polynomials = typename Choose<full>::Type;
    Real radius[count], t[count];
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) t[i] = radius_uniform<full>(radii[i]);
    minus_two_log<Polynomials>(t, radius);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) {
      radius[i] = Isa::square_root(radius[i]);
      t[i] = angle_uniform<full>(angles[i]);
    }
    half_circle<Polynomials>(radius, t, cosine, sine);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) cosine[i] = real(word(cosine[i]) ^ (angles[i] << 63));
  }

  // How groups lie in the output: a batch is the steps that one group covers, or one step.
  struct Layout {
    std::size_t batches;
    std::size_t batch_stride;
    std::size_t groups;      // in a batch
    std::size_t last_slots;  // in use in the last of them
    std::size_t offset[group_size];
    bool wanted[group_size];  // false for the padding between the steps of one group
  };

  static Layout layout(const FillJob& job) {
    const std::size_t step_stride = job.vectors * job.components * job.lanes;
    const bool shared = job.padded < group_size;
    const std::size_t batch_steps = shared ? group_size / job.padded : 1;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled below
    Layout made;
    made.batches = job.steps / batch_steps;
    made.batch_stride = batch_steps * step_stride;
    made.groups = shared ? 1 : job.padded / group_size;
    made.last_slots = shared ? group_size : job.components - (made.groups - 1) * group_size;
    for (std::size_t slot = 0; slot < group_size; ++slot) {
      const std::size_t step = shared ? slot / job.padded : 0;
      const std::size_t component = shared ? slot % job.padded : slot;
      made.offset[slot] = step * step_stride + component * job.lanes;
      made.wanted[slot] = !shared || component < job.components;
    }
    return made;
  }

  // Writes one number of the paths from path `first` of the job on, as far as the job has them.
  static void scatter(const FillJob& job, std::size_t first, const Real& number, double* block) {
    double lanes[width];
    __builtin_memcpy(lanes, &number, sizeof number);
    const std::size_t paths = job.vectors * job.lanes;
    for (std::size_t i = 0; i < width && first + i < paths; ++i) {
      const std::size_t vector = (first + i) / job.lanes;
      block[vector * job.components * job.lanes + (first + i) % job.lanes] = lanes[i];
    }
  }

  // One group of the paths at hand and where its numbers go.
  struct Place {
    std::uint64_t group;
    std::size_t slots;  // the first ones in use
    double* block;
  };

  template <bool direct>
  [[gnu::always_inline]] static void put(const FillJob& job, const Layout& made, std::size_t first,
                                         const Place& place, std::size_t slot, const Real& number) {
    if (slot >= place.slots || !made.wanted[slot]) return;
    double* to = place.block + made.offset[slot];
    if constexpr (direct) {
      __builtin_memcpy(to, &number, sizeof number);
    } else {
      scatter(job, first, number, to);
    }
  }

  // Numbers of one group for `width` paths to their places. `direct`: the paths lie side by side in
  // the output.
  template <bool full, bool direct>
  [[gnu::always_inline]] static void fill_group(const FillJob& job, const Layout& made,
                                                const Key& key, Word paths, std::size_t first,
                                                const Place& place) {
    const Word group = Word{} + place.group;
    const Words low = threefry({{paths, group, Word{}, Word{}}}, key);
    const Words high = full ? threefry({{paths, group, Word{} + 1, Word{}}}, key) : low;
    Real cosine[4], sine[4];
    box_muller<full>(low.word, high.word, cosine, sine);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      put<direct>(job, made, first, place, 2 * i, cosine[i]);
      put<direct>(job, made, first, place, 2 * i + 1, sine[i]);
    }
  }

  // All numbers of the `width` paths from path `first` of the job on.
  template <bool full, bool direct>
  static void fill_paths(const FillJob& job, const Layout& made, const Key& key,
                         std::size_t first) {
    Word paths;
    for (int i = 0; i < width; ++i) paths[i] = job.first_path + first + i;
    double* block = job.out;
    if (direct) block += first / job.lanes * job.components * job.lanes + first % job.lanes;
    std::uint64_t group = job.first_group;
    for (std::size_t batch = 0; batch < made.batches; ++batch, block += made.batch_stride) {
      for (std::size_t at = 0; at < made.groups; ++at, ++group) {
        const std::size_t slots = at + 1 < made.groups ? group_size : made.last_slots;
        fill_group<full, direct>(job, made, key, paths, first,
                                 {group, slots, block + at * group_size * job.lanes});
      }
    }
  }

  template <bool full>
  static void fill_all(const FillJob& job) {
    const Layout made = layout(job);
    const Key key = expand(job.key);
    const std::size_t paths = job.vectors * job.lanes;
    for (std::size_t first = 0; first < paths; first += width) {
      if (job.lanes % width == 0) {
        fill_paths<full, true>(job, made, key, first);
      } else {
        fill_paths<full, false>(job, made, key, first);
      }
    }
  }

  static void fill(const FillJob& job) {
    if (job.full) {
      fill_all<true>(job);
    } else {
      fill_all<false>(job);
    }
  }

  // For tests: eight pairs from given words, and the parts of the transform.
  static void transform(bool full, const std::uint64_t* radii, const std::uint64_t* angles,
                        double* cosines, double* sines) {
    for (int i = 0; i < 8; i += width) {
      const Word radius[1] = {load<Word>(radii + i)}, angle[1] = {load<Word>(angles + i)};
      const Word both[1] = {(radius[0] >> 32 << 32) | (angle[0] << 32 >> 32)};
      Real cosine[1], sine[1];
      if (full) {
        box_muller<true>(radius, angle, cosine, sine);
      } else {
        box_muller<false>(both, both, cosine, sine);
      }
      __builtin_memcpy(cosines + i, cosine, sizeof cosine);
      __builtin_memcpy(sines + i, sine, sizeof sine);
    }
  }

  static void minus_two_log_of_eight(bool full, const double* u, double* out) {
    for (int i = 0; i < 8; i += width) {
      const Real x[1] = {load<Real>(u + i)};
      Real y[1];
      if (full) {
        minus_two_log<FullPolynomials>(x, y);
      } else {
        minus_two_log<FastPolynomials>(x, y);
      }
      __builtin_memcpy(out + i, y, sizeof y);
    }
  }

  static void sine_cosine_of_eight(bool full, const double* t, double* sines, double* cosines) {
    const Real one[1] = {Real{} + 1.0};
    for (int i = 0; i < 8; i += width) {
      const Real x[1] = {load<Real>(t + i)};
      Real cosine[1], sine[1];
      if (full) {
        half_circle<FullPolynomials>(one, x, cosine, sine);
      } else {
        half_circle<FastPolynomials>(one, x, cosine, sine);
      }
      __builtin_memcpy(cosines + i, cosine, sizeof cosine);
      __builtin_memcpy(sines + i, sine, sizeof sine);
    }
  }

  template <class Vector, class Number>
  static Vector load(const Number* from) {
    Vector vector;
    __builtin_memcpy(&vector, from, sizeof vector);
    return vector;
  }

  static constexpr RandomCode code(const char* name) {
    return {name, fill, transform, minus_two_log_of_eight, sine_cosine_of_eight};
  }
};

// The split of u = 2^e m, m in [3/4, 3/2), by integer arithmetic: f = m - 1, base = -2 log(2) e.
template <class Real, class Word>
[[gnu::always_inline]] inline void split_by_bits(Real u, Real& base, Real& f) {
  // Subtracting the bits of (3/4) 2^-100 leaves e + 100 above the 52 bits of the mantissa.
  constexpr std::uint64_t three_quarters = 0x3FE8000000000000, hundred = 100ULL << 52;
  constexpr std::uint64_t at_2_52 = 0x4330000000000000;
  const Word bits = __builtin_bit_cast(Word, u) - (three_quarters - hundred);
  f = __builtin_bit_cast(Real, (bits & 0x000FFFFFFFFFFFFF) + three_quarters) - 1.0;
  base = (__builtin_bit_cast(Real, (bits >> 52) | at_2_52) - (0x1p52 + 100)) * minus_two_log_two;
}
