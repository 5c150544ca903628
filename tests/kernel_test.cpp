#include "divker/kernel.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <thread>

#include "divker/error.hpp"

namespace divker {
namespace {

// An array of doubles on a 64-byte boundary.
class Aligned {
 public:
  explicit Aligned(std::size_t size = 0) : lines_(size / 8 + 1) {}
  double* data() { return lines_.data()->values; }
  double& operator[](std::size_t i) { return lines_[i / 8].values[i % 8]; }

 private:
  struct alignas(64) Line {
    double values[8] = {};
  };
  std::vector<Line> lines_;
};

std::vector<NodeId> ids(const std::vector<Expression>& expressions) {
  std::vector<NodeId> result;
  for (const Expression& e : expressions) result.push_back(e.id());
  return result;
}

std::vector<Expression> inputs(Graph& graph, const std::string& name, std::size_t count) {
  std::vector<Expression> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(graph.input(fmt::format("{}{}", name, i)));
  return result;
}

// values[argument][component], or [argument][path * components + component] for rate path.
using Values = std::vector<std::vector<double>>;

Values random_values(const Program& program, std::size_t paths, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(-1.5, 1.5);
  Values values;
  for (const Argument& argument : program.arguments) {
    const std::size_t copies = argument.rate() == Rate::path ? paths : 1;
    std::vector<double>& array = values.emplace_back(copies * argument.inputs.size());
    for (double& value : array) value = uniform(random);
  }
  return values;
}

std::size_t cell(std::size_t path, std::size_t component, std::size_t components,
                 std::size_t lanes) {
  return (path / lanes * components + component) * lanes + path % lanes;
}

// Runs the kernel over paths (a multiple of its lanes), in calls of at most `group` vectors.
// Result: [result][path * components + component]; results start from `initial`.
Values run(const Kernel& kernel, const Program& program, const Values& values, std::size_t paths,
           std::size_t group = std::numeric_limits<std::size_t>::max(), double initial = 0.0) {
  const std::size_t lanes = kernel.lanes();
  std::vector<std::span<const double>> run_values;
  std::vector<Aligned> arrays;
  for (std::size_t i = 0; i < program.arguments.size(); ++i) {
    const Argument& argument = program.arguments[i];
    const std::size_t n = argument.inputs.size();
    if (argument.rate() == Rate::run) run_values.emplace_back(values[i]);
    Aligned& array = arrays.emplace_back(n * (argument.rate() == Rate::path ? paths : 1));
    for (std::size_t k = 0; k < values[i].size(); ++k) {
      array[argument.rate() == Rate::path ? cell(k / n, k % n, n, lanes) : k] = values[i][k];
    }
  }
  std::vector<Aligned> outputs;
  for (const Result& result : program.results) {
    Aligned& array = outputs.emplace_back(result.values.size() * paths);
    for (std::size_t k = 0; k < result.values.size() * paths; ++k) array[k] = initial;
  }
  const std::vector<double> constants = kernel.bind(run_values);
  std::vector<double> scratch(kernel.scratch_size());
  const std::size_t vectors = paths / lanes;
  for (std::size_t first = 0; first < vectors;) {
    const std::size_t count = std::min(group, vectors - first);
    std::vector<const double*> in;
    std::vector<double*> out;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const Argument& argument = program.arguments[i];
      const bool moves = argument.rate() == Rate::path;
      in.push_back(arrays[i].data() + (moves ? first * argument.inputs.size() * lanes : 0));
    }
    for (std::size_t r = 0; r < outputs.size(); ++r) {
      out.push_back(outputs[r].data() + first * program.results[r].values.size() * lanes);
    }
    kernel(constants.data(), in.data(), out.data(), count, scratch.data());
    first += count;
  }
  Values results;
  for (std::size_t r = 0; r < outputs.size(); ++r) {
    const std::size_t n = program.results[r].values.size();
    std::vector<double>& array = results.emplace_back(n * paths);
    for (std::size_t k = 0; k < array.size(); ++k) {
      array[k] = outputs[r][cell(k / n, k % n, n, lanes)];
    }
  }
  return results;
}

// The same from the interpreter.
Values interpret(const Program& program, const Values& values, std::size_t paths) {
  Values results;
  for (const Result& result : program.results) results.emplace_back(result.values.size() * paths);
  std::vector<double> flat(program.graph->input_count());
  const std::vector<NodeId> roots = program.roots();
  for (std::size_t path = 0; path < paths; ++path) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Argument& argument = program.arguments[i];
      const std::size_t n = argument.inputs.size();
      for (std::size_t c = 0; c < n; ++c) {
        const std::size_t k = argument.rate() == Rate::path ? path * n + c : c;
        flat[program.graph->node(argument.inputs[c]).a] = values[i][k];
      }
    }
    const std::vector<double> all = evaluate(*program.graph, roots, flat);
    auto next = all.begin();
    for (std::size_t r = 0; r < results.size(); ++r) {
      const std::size_t n = program.results[r].values.size();
      for (std::size_t c = 0; c < n; ++c) results[r][path * n + c] = *next++;
    }
  }
  return results;
}

void expect_near(const Values& got, const Values& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t r = 0; r < got.size(); ++r) {
    ASSERT_EQ(got[r].size(), expected[r].size());
    for (std::size_t k = 0; k < got[r].size(); ++k) {
      ASSERT_NEAR(got[r][k], expected[r][k], tolerance * (1.0 + std::fabs(expected[r][k])))
          << "result " << r << ", entry " << k;
    }
  }
}

void expect_same_bits(const Values& a, const Values& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t r = 0; r < a.size(); ++r) {
    ASSERT_EQ(a[r].size(), b[r].size());
    for (std::size_t k = 0; k < a[r].size(); ++k) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(a[r][k]), std::bit_cast<std::uint64_t>(b[r][k]))
          << "result " << r << ", entry " << k;
    }
  }
}

std::vector<std::size_t> available_lanes() {
  std::vector<std::size_t> result;
  for (const std::size_t lanes : {2, 4, 8}) {
    if (lanes <= host_lanes()) result.push_back(lanes);
  }
  return result;
}

// One more operation on values of size about one, with a result of size about one.
Expression random_operation(Graph& g, Expression a, Expression b, std::size_t which) {
  switch (which) {
    case 0:
      return 0.6 * (a + b);
    case 1:
      return 0.6 * (a - b);
    case 2:
      return 0.7 * a * b;
    case 3:
      return a / (1.5 + b * b);
    case 4:
      return pow(1.2 + 0.1 * a * a, b);
    case 5:
      return min(a, b);
    case 6:
      return max(a, b);
    case 7:
      return a * g.binary(Op::step, a, b);
    case 8:
      return -a;
    case 9:
      return sqrt(0.5 + a * a);
    case 10:
      return exp(0.3 * a);
    case 11:
      return log(1.5 + a * a);
    case 12:
      return sin(a);
    case 13:
      return cos(a);
    case 14:
      return tan(0.4 * a);
    case 15:
      return tanh(a);
    case 16:
      return sinh(0.5 * a);
    case 17:
      return 0.5 * cosh(0.5 * a);
    case 18:
      return atan(a);
    case 19:
      return erf(a);
    case 20:
      return abs(a);
    case 21:
      return where(a - 0.1, b);
    case 22:
      return 0.5 * floor(3.0 * a);
    case 23:
      return erfc(a);
    case 24:
      return expm1(0.3 * a);
    case 25:
      return log1p(0.5 + a * a);
    case 26:
      return asinh(a);
    default:
      return b * g.unary(Op::sign, a);
  }
}
constexpr std::size_t random_operations = 28;

Program random_program(std::uint64_t seed, std::size_t operations) {
  std::mt19937_64 random(seed);
  auto graph = std::make_shared<Graph>();
  const std::vector<Expression> x = inputs(*graph, "x", 5);
  const std::vector<Expression> y = inputs(*graph, "y", 3);
  const std::vector<Expression> p = inputs(*graph, "p", 3);
  const std::vector<Expression> t = inputs(*graph, "t", 2);
  std::vector<Expression> pool;
  for (const auto& group : {x, y, p, t}) pool.insert(pool.end(), group.begin(), group.end());
  pool.push_back(graph->constant(0.75));
  std::vector<Expression> slow(pool.begin() + 8, pool.end());  // rates run and step
  for (std::size_t i = 0; i < operations; ++i) {
    std::vector<Expression>& from = i % 5 == 0 ? slow : pool;
    const Expression a = from[random() % from.size()];
    const Expression b = from[random() % from.size()];
    const Expression made = random_operation(*graph, a, b, random() % random_operations);
    from.push_back(made);
    if (&from == &slow) pool.push_back(made);
  }
  const auto last = [&](const std::vector<Expression>& from, std::size_t count) {
    return ids({from.end() - static_cast<std::ptrdiff_t>(count), from.end()});
  };
  return {graph,
          {{"p", Role::parameters, ids(p)},
           {"x", Role::carried, ids(x)},
           {"t", Role::schedule, ids(t)},
           {"y", Role::carried, ids(y)}},
          {{"a", last(pool, 6)}, {"slow", last(slow, 3)}, {"b", last(pool, operations / 4)}}};
}

// Contraction and vector functions change the last bits; a random program of a few hundred
// operations on values of size one amplifies them by less than a thousand: 1e-12.
constexpr double random_program_tolerance = 1e-12;

TEST(Kernel, AgreesWithTheInterpreterOnRandomPrograms) {
  for (const std::size_t lanes : available_lanes()) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Program program = random_program(seed, 36 * seed);
      const std::size_t paths = 5 * lanes;
      std::mt19937_64 random(seed + 100);
      const Values values = random_values(program, paths, random);
      const Values expected = interpret(program, values, paths);
      for (const std::size_t chunk : {seed == 1 ? 1 : 13, 50, 5000}) {
        SCOPED_TRACE(fmt::format("lanes {} seed {} chunk {}", lanes, seed, chunk));
        const auto kernel = Kernel::compile(program, {lanes, chunk});
        ASSERT_EQ(kernel->lanes(), lanes);
        const Values got = run(*kernel, program, values, paths);
        ASSERT_NO_FATAL_FAILURE(expect_near(got, expected, random_program_tolerance));
      }
    }
  }
}

TEST(Kernel, EveryRateOfEveryResultIsComputed) {
  auto graph = std::make_shared<Graph>();
  const Expression p = graph->input("p");
  const Expression t = graph->input("t");
  const Expression x = graph->input("x");
  const Program program{graph,
                        {{"p", Role::parameters, {p.id()}},
                         {"t", Role::schedule, {t.id()}},
                         {"x", Role::carried, {x.id()}}},
                        {{"leaves", ids({graph->constant(2.5), p, t, x})},
                         {"operations", ids({sin(p), sin(t), sin(x), sin(p) * sin(t) * sin(x)})}}};
  for (const std::size_t lanes : available_lanes()) {
    for (const std::size_t chunk : {1, 100}) {
      const auto kernel = Kernel::compile(program, {lanes, chunk});
      std::mt19937_64 random(5);
      const Values values = random_values(program, 3 * lanes, random);
      expect_near(run(*kernel, program, values, 3 * lanes), interpret(program, values, 3 * lanes),
                  1e-14);
    }
  }
}

TEST(Kernel, ProgramsWithoutOperationsCopy) {
  auto graph = std::make_shared<Graph>();
  const std::vector<Expression> x = inputs(*graph, "x", 2);
  const Program program{
      graph,
      {{"x", Role::carried, ids(x)}},
      {{"swapped", ids({x[1], x[0]})}, {"constant", ids({graph->constant(-3.0)})}}};
  for (const std::size_t lanes : available_lanes()) {
    const auto kernel = Kernel::compile(program, {lanes, 0});
    std::mt19937_64 random(6);
    const Values values = random_values(program, 2 * lanes, random);
    expect_same_bits(run(*kernel, program, values, 2 * lanes),
                     interpret(program, values, 2 * lanes));
  }
}

TEST(Kernel, AccumulatesWhereAsked) {
  auto graph = std::make_shared<Graph>();
  const Expression x = graph->input("x");
  const Program program{graph,
                        {{"x", Role::carried, {x.id()}}},
                        {{"sum", ids({x + 1.0, x, graph->constant(2.0)}), Fate::accumulated},
                         {"value", ids({x + 1.0})}}};
  for (const std::size_t lanes : available_lanes()) {
    const auto kernel = Kernel::compile(program, {lanes, 0});
    std::mt19937_64 random(7);
    const Values values = random_values(program, 2 * lanes, random);
    const Values got = run(*kernel, program, values, 2 * lanes, 1, 10.0);
    for (std::size_t path = 0; path < 2 * lanes; ++path) {
      const double x_value = values[0][path];
      EXPECT_NEAR(got[0][3 * path], 11.0 + x_value, 1e-14);
      EXPECT_NEAR(got[0][3 * path + 1], 10.0 + x_value, 1e-14);
      EXPECT_EQ(got[0][3 * path + 2], 12.0);
      EXPECT_EQ(got[1][path], 1.0 + x_value);
    }
  }
}

TEST(Kernel, ComparisonsTreatSpecialValuesAsTheInterpreterDoes) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr std::array special{0.0,
                               -0.0,
                               1.0,
                               -1.0,
                               infinity,
                               -infinity,
                               nan,
                               5e-324,
                               -2.5,
                               -1e-300,
                               0.999999999999999,
                               4503599627370495.5,
                               -4503599627370495.5,
                               1e300,
                               -1e300,
                               0.5};
  auto graph = std::make_shared<Graph>();
  const Expression a = graph->input("a");
  const Expression b = graph->input("b");
  Program program{graph, {{"a", Role::carried, {a.id()}}, {"b", Role::carried, {b.id()}}}, {}};
  std::vector<Expression> values;
  for (const Op op : {Op::min, Op::max, Op::step, Op::where}) {
    values.push_back(graph->binary(op, a, b));
    values.push_back(graph->binary(op, b, a));
  }
  for (const Op op : {Op::abs, Op::sign, Op::neg, Op::sqrt, Op::floor})
    values.push_back(graph->unary(op, a));
  program.results = {{"values", ids(values)}};
  Values arguments(2);
  for (const double first : special) {
    for (const double second : special) {
      arguments[0].push_back(first);
      arguments[1].push_back(second);
    }
  }
  const std::size_t paths = arguments[0].size();
  const Values expected = interpret(program, arguments, paths);
  for (const std::size_t lanes : available_lanes()) {
    const Values got = run(*Kernel::compile(program, {lanes, 0}), program, arguments, paths);
    for (std::size_t k = 0; k < expected[0].size(); ++k) {
      SCOPED_TRACE(fmt::format("lanes {} value {} of ({}, {})", lanes, k % values.size(),
                               arguments[0][k / values.size()], arguments[1][k / values.size()]));
      if (std::isnan(expected[0][k])) {
        EXPECT_TRUE(std::isnan(got[0][k]));
      } else {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(got[0][k]),
                  std::bit_cast<std::uint64_t>(expected[0][k]));
      }
    }
  }
}

struct FunctionCase {
  Op op;
  long double (*reference)(long double);
  double low, high;  // uniform arguments; half of the arguments are spread over magnitudes instead
  double bound;      // greatest error in units in the last place
};

// NOTE: the bounds are the contract of kernel.hpp.
const std::array function_cases{
    FunctionCase{Op::exp, [](long double x) { return std::exp(x); }, -700.0, 700.0, 1.0},
    FunctionCase{Op::erf, [](long double x) { return std::erf(x); }, -6.0, 6.0, 1.0},
    FunctionCase{Op::log, [](long double x) { return std::log(x); }, 0.0, 1e6, 3.5},
    FunctionCase{Op::sin, [](long double x) { return std::sin(x); }, -1e3, 1e3, 3.5},
    FunctionCase{Op::cos, [](long double x) { return std::cos(x); }, -1e3, 1e3, 3.5},
    FunctionCase{Op::tan, [](long double x) { return std::tan(x); }, -1e3, 1e3, 3.5},
    FunctionCase{Op::tanh, [](long double x) { return std::tanh(x); }, -20.0, 20.0, 3.5},
    FunctionCase{Op::sinh, [](long double x) { return std::sinh(x); }, -700.0, 700.0, 3.5},
    FunctionCase{Op::cosh, [](long double x) { return std::cosh(x); }, -700.0, 700.0, 3.5},
    FunctionCase{Op::atan, [](long double x) { return std::atan(x); }, -1e3, 1e3, 3.5},
    FunctionCase{Op::erfc, [](long double x) { return std::erfc(x); }, -6.0, 26.0, 1.5},
    FunctionCase{Op::expm1, [](long double x) { return std::expm1(x); }, -700.0, 700.0, 1.0},
    FunctionCase{Op::log1p, [](long double x) { return std::log1p(x); }, 0.0, 1e6, 1.0},
    FunctionCase{Op::asinh, [](long double x) { return std::asinh(x); }, -1e6, 1e6, 1.0},
};

double error_in_ulp(double got, long double truth) {
  const auto rounded = static_cast<double>(truth);
  const double ulp = std::nextafter(std::fabs(rounded), std::numeric_limits<double>::infinity()) -
                     std::fabs(rounded);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - truth) / ulp);
}

std::vector<double> arguments_between(double low, double high, std::size_t count) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(low, high);
  std::uniform_real_distribution<double> exponent(-60.0, std::log(high));
  std::vector<double> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double spread = std::exp(exponent(random));
    result[i] = i % 2 == 0 ? uniform(random) : (low < 0.0 && i % 4 == 1 ? -spread : spread);
  }
  return result;
}

TEST(Kernel, FunctionsKeepTheirUlpBounds) {
  constexpr std::size_t paths = 80000;
  for (const std::size_t lanes : available_lanes()) {
    std::string report;
    for (const FunctionCase& test : function_cases) {
      auto graph = std::make_shared<Graph>();
      const Expression x = graph->input("x");
      const Program program{
          graph, {{"x", Role::carried, {x.id()}}}, {{"f", ids({graph->unary(test.op, x)})}}};
      const Values values{arguments_between(test.low, test.high, paths)};
      const Values got = run(*Kernel::compile(program, {lanes, 0}), program, values, paths);
      double worst = 0.0;
      for (std::size_t i = 0; i < paths; ++i) {
        const double error = error_in_ulp(got[0][i], test.reference(values[0][i]));
        ASSERT_LE(error, test.bound) << name_of(test.op) << "(" << values[0][i] << ")";
        worst = std::max(worst, error);
      }
      report += fmt::format(" {} {:.2f}", name_of(test.op), worst);
    }
    fmt::print("{} lanes, greatest error in ulp:{}\n", lanes, report);
  }
}

TEST(Kernel, PowerKeepsItsUlpBound) {
  constexpr std::size_t paths = 80000;
  auto graph = std::make_shared<Graph>();
  const Expression x = graph->input("x");
  const Expression y = graph->input("y");
  const Program program{graph,
                        {{"x", Role::carried, {x.id()}}, {"y", Role::carried, {y.id()}}},
                        {{"power", ids({pow(x, y)})}}};
  std::vector<double> bases = arguments_between(0.0, 1e3, paths);
  std::vector<double> exponents = arguments_between(-10.0, 10.0, paths);
  const Values values{std::move(bases), std::move(exponents)};
  for (const std::size_t lanes : available_lanes()) {
    const Values got = run(*Kernel::compile(program, {lanes, 0}), program, values, paths);
    double worst = 0.0;
    for (std::size_t i = 0; i < paths; ++i) {
      const long double truth =
          std::pow(static_cast<long double>(values[0][i]), static_cast<long double>(values[1][i]));
      if (!std::isnormal(static_cast<double>(truth))) continue;
      worst = std::max(worst, error_in_ulp(got[0][i], truth));
    }
    EXPECT_LE(worst, 1.0) << lanes << " lanes";
    fmt::print("{} lanes, greatest error in ulp: pow {:.2f}\n", lanes, worst);
  }
}

TEST(Kernel, ResultsDoNotDependOnTheGroupingOfVectors) {
  const Program program = random_program(21, 300);
  for (const std::size_t lanes : available_lanes()) {
    const std::size_t paths = 11 * lanes;
    std::mt19937_64 random(22);
    const Values values = random_values(program, paths, random);
    for (const std::size_t chunk : {20, 5000}) {
      const auto kernel = Kernel::compile(program, {lanes, chunk});
      const Values whole = run(*kernel, program, values, paths);
      for (const std::size_t group : {1, 3, 4}) {
        expect_same_bits(run(*kernel, program, values, paths, group), whole);
      }
    }
  }
}

TEST(Kernel, EqualProgramsCompileOnce) {
  const auto kernel = Kernel::compile(random_program(31, 50));
  const std::size_t compilations = Kernel::compilations();
  const Program again = random_program(31, 50);
  EXPECT_EQ(Kernel::compile(again), kernel);
  std::mt19937_64 random(32);
  const std::size_t paths = kernel->lanes();
  Values values = random_values(again, paths, random);
  for (int i = 0; i < 3; ++i) {
    values[0][0] = 0.3 * i;  // a parameter
    expect_near(run(*Kernel::compile(again), again, values, paths), interpret(again, values, paths),
                random_program_tolerance);
  }
  EXPECT_EQ(Kernel::compilations(), compilations);
  EXPECT_NE(Kernel::compile(random_program(33, 50)), kernel);
  EXPECT_EQ(Kernel::compilations(), compilations + 1);
}

TEST(Kernel, WhatTheResultsDoNotNeedIsNoPartOfTheProgram) {
  const auto made = [](bool with_more) {
    auto graph = std::make_shared<Graph>();
    const Expression x = graph->input("x");
    if (with_more) static_cast<void>(exp(x) + 41.0);
    return Program{graph, {{"x", Role::carried, {x.id()}}}, {{"y", ids({0.125 * sin(x) + 1.0})}}};
  };
  EXPECT_EQ(Kernel::compile(made(false)), Kernel::compile(made(true)));
}

TEST(Kernel, ThreadsMayCompileTheSameProgramAtOnce) {
  const std::size_t compilations = Kernel::compilations();
  std::array<std::shared_ptr<const Kernel>, 2> kernels;
  {
    const std::jthread first([&] { kernels[0] = Kernel::compile(random_program(41, 200)); });
    const std::jthread second([&] { kernels[1] = Kernel::compile(random_program(41, 200)); });
  }
  EXPECT_EQ(kernels[0], kernels[1]);
  EXPECT_EQ(Kernel::compilations(), compilations + 1);
}

TEST(Kernel, ThreadsMayShareAKernel) {
  const Program program = random_program(42, 200);
  const auto kernel = Kernel::compile(program, {0, 30});
  const std::size_t paths = 64 * kernel->lanes();
  std::mt19937_64 random(43);
  const Values values = random_values(program, paths, random);
  const Values alone = run(*kernel, program, values, paths);
  std::array<Values, 2> together;
  {
    const std::jthread first([&] { together[0] = run(*kernel, program, values, paths, 5); });
    const std::jthread second([&] { together[1] = run(*kernel, program, values, paths, 7); });
  }
  expect_same_bits(together[0], alone);
  expect_same_bits(together[1], alone);
}

// x' = x + (p - x) dt + sin(x) db: products, sums, and one function.
Program small_step() {
  auto graph = std::make_shared<Graph>();
  const Expression x = graph->input("x");
  const Expression db = graph->input("db");
  const Expression p = graph->input("p");
  const Expression dt = graph->input("dt");
  return {graph,
          {{"x", Role::carried, ids({x, db})}, {"p", Role::parameters, ids({p, dt})}},
          {{"x", ids({x + (p - x) * dt + sin(x) * db})}}};
}

// The names that assembly takes from elsewhere: those followed by @PLT or @GOTPCREL.
std::vector<std::string> external_symbols(const std::string& assembly) {
  std::vector<std::string> symbols;
  for (std::size_t at = assembly.find('@'); at != assembly.npos; at = assembly.find('@', at + 1)) {
    if (!assembly.substr(at).starts_with("@PLT") && !assembly.substr(at).starts_with("@GOT")) {
      continue;
    }
    const std::size_t begin = assembly.find_last_of(" \t*", at) + 1;
    symbols.push_back(assembly.substr(begin, at - begin));
  }
  return symbols;
}

TEST(Kernel, UsesTheRegistersOfItsLanesAndCallsNothingButVectorFunctions) {
  for (const std::size_t lanes : available_lanes()) {
    SCOPED_TRACE(lanes);
    const auto kernel = Kernel::compile(small_step(), {lanes, 0});
    const std::string text = kernel->assembly();
    const auto contains = [&text](const char* word) { return text.find(word) != text.npos; };
    EXPECT_EQ(contains("zmm"), lanes == 8);
    EXPECT_EQ(contains("ymm"), lanes == 4);
    EXPECT_EQ(contains("vfmadd") || contains("vfnmadd"), lanes > 2);
    const std::vector<std::string> called = external_symbols(text);
    ASSERT_EQ(called.size(), 1U) << text;
    EXPECT_TRUE(called[0].starts_with(fmt::format("Sleef_sind{}_u35", lanes))) << called[0];
    EXPECT_NE(kernel->llvm_ir().find(fmt::format("fmul contract <{} x double>", lanes)),
              std::string::npos);
  }
}

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// Stores lie between the reads, and LLVM itself shares no load across a store.
TEST(Kernel, WhatIsReadAgainSoonIsLoadedOnce) {
  constexpr std::size_t components = 8;
  const auto graph = std::make_shared<Graph>();
  const std::vector<Expression> x = inputs(*graph, "x", components);
  const std::vector<Expression> p = inputs(*graph, "p", 2);
  std::vector<Expression> y;
  for (std::size_t i = 0; i < components; ++i) {
    y.push_back(x[i] * p[0] + x[(i + 1) % components] * p[1]);
  }
  const Program program{
      graph, {{"x", Role::carried, ids(x)}, {"p", Role::parameters, ids(p)}}, {{"y", ids(y)}}};
  for (const std::size_t lanes : available_lanes()) {
    const std::string text = Kernel::compile(program, {lanes, 0})->llvm_ir();
    EXPECT_EQ(occurrences(text, "load double") + occurrences(text, "load <"), x.size() + p.size())
        << text;
  }
}

TEST(Kernel, TheEnvironmentLowersTheNumberOfLanes) {
  const std::size_t native = host_lanes();
  const char* before = std::getenv("DIVKER_LANES");
  const std::string kept = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("DIVKER_LANES", "2", 1), 0);
  EXPECT_EQ(host_lanes(), 2U);
  EXPECT_EQ(Kernel::compile(small_step())->lanes(), 2U);
  ASSERT_EQ(setenv("DIVKER_LANES", "3", 1), 0);
  EXPECT_THROW(static_cast<void>(host_lanes()), Error);
  ASSERT_EQ(setenv("DIVKER_LANES", kept.c_str(), 1), 0);
  EXPECT_EQ(host_lanes(), native);
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Kernel, MistakesAreNamed) {
  Program program = small_step();
  EXPECT_EQ(message_of([&] {
              static_cast<void>(Kernel::compile(program, {3, 0}));
            }),
            "A kernel has 2, 4 or 8 lanes (0: chosen for this machine), not 3.");
  const auto kernel = Kernel::compile(program);
  const std::vector<double> one{1.0};
  const std::vector<std::span<const double>> short_values{one};
  EXPECT_EQ(message_of([&] { static_cast<void>(kernel->bind(short_values)); }),
            "Argument 1 of the program has 2 components, but 1 values were given to bind.");
  EXPECT_EQ(message_of([&] { static_cast<void>(kernel->bind({})); }),
            "The program has 1 arguments of rate run, but 0 arrays of values were given to bind.");
  program.arguments[1].inputs.pop_back();
  EXPECT_EQ(message_of([&] { static_cast<void>(Kernel::compile(program)); }),
            "The program's results depend on input 'dt', which is in none of its 2 arguments.");
  program.arguments[1].inputs.push_back(program.arguments[0].inputs[0]);
  EXPECT_EQ(message_of([&] { static_cast<void>(Kernel::compile(program)); }),
            "Component 1 of argument 'p' is input 'x', which an argument of the program lists "
            "already.");
  program.arguments[1].inputs.back() = program.results[0].values[0];
  EXPECT_NE(message_of([&] { static_cast<void>(Kernel::compile(program)); }).find("not an input"),
            std::string::npos);
}

}  // namespace
}  // namespace divker
