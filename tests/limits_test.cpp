// What a model file from a stranger may not do: crash the process, exhaust its memory, or keep it
// busy for ever. docs/robustness.md has the table of limits.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "divker/csv.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/fit.hpp"
#include "divker/hdf5.hpp"
#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "divker/npy.hpp"
#include "divker/step.hpp"
#include "io/child.hpp"
#include "jit/reassociate.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

const std::string tail = "init state ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "no error";
}

std::string refusal_of(const std::string& statements) {
  return refusal([&] { (void)parse_model("model m\n" + statements + tail); });
}

// line(0), line(1), ...
std::string lines(int count, const std::function<std::string(int)>& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(i);
  return text;
}

TEST(Limits, OfNames) {
  const std::string name(101, 'n');
  EXPECT_THAT(refusal_of("state " + name + "\n"),
              HasSubstr("has 101 characters; the limit is 100."));
  EXPECT_THAT(refusal_of("state n" + name + "\n"),
              HasSubstr("This name has 102 characters; the limit is 100."));
  const std::string longest(100, 'n');
  EXPECT_NO_THROW(
      (void)parse_model("model m\nstate " + longest + "\nd" + longest + " = dW\n" + tail))
      << "a name of 100 characters";
  EXPECT_THAT(refusal_of("state x\ndx = dW\ninit x ~ samples(\"" + std::string(256, 'f') + "\")\n"),
              HasSubstr("This name of a file has 256 bytes; the limit is 255."));
  ModelBuilder b("m");
  EXPECT_THAT(refusal([&] { (void)b.state(name); }), HasSubstr("101 characters"));
  const Expression x = b.state("x");
  EXPECT_THAT(refusal([&] { b.initial_samples(x, std::string(256, 'f')); }),
              HasSubstr("256 bytes; the limit is 255"));
}

TEST(Limits, OfVectors) {
  EXPECT_THAT(refusal_of("state x[100000000]\ndx[i] = dW[i]\n"),
              HasSubstr("The length of x is 100000000; it must be from 1 to 100000."));
  EXPECT_THAT(refusal_of("state x[9999], y[2]\ndx[i] = dW[i]\ndy[i] = dV[i]\n"),
              HasSubstr("The model has 10001 states; the limit is 10000."));
  EXPECT_THAT(refusal_of("param a[100000] = 1\nparam b = 1\nstate x\ndx = dW\n"),
              HasSubstr("The model has 100001 parameters; the limit is 100000."));
  const std::string constants =
      lines(4, [](int i) { return fmt::format("const c{}[100000] = 1\n", i); });
  EXPECT_THAT(refusal_of(constants + "state x\ndx = dW\n"),
              HasSubstr("have 400000 components in all; the limit is 300000."));
  const std::string lets =
      lines(4, [](int i) { return fmt::format("let c{}[i, 0:99999] = x\n", i); });
  EXPECT_THAT(refusal_of(lets + "state x\ndx = dW\n"), HasSubstr("300001 components in all"));
}

TEST(Limits, OfSums) {
  EXPECT_THAT(refusal_of("state x\ndx = sum(i, 0:1e9, sum(j, 0:1e9, i*j*x)) dt + dW\n"),
              HasSubstr("written out they come to more than 1000000 operations"));
  EXPECT_THAT(refusal_of("state x\ndx = sum(i, 0:2e9, x) dt + dW\n"),
              HasSubstr("The last index of the sum is 2000000000; the limit is 1000000000."));
}

TEST(Limits, OfBrownianMotions) {
  const auto terms = [](int count) {
    return lines(count, [](int i) { return fmt::format(" + dW{}[i]", i); });
  };
  EXPECT_THAT(refusal_of("state x[10000]\ndx[i] = 0 dt" + terms(11) + "\n"),
              HasSubstr("The model has 100001 Brownian motions; the limit is 100000."));
  EXPECT_EQ(
      parse_model("model m\nstate x[1000]\ndx[i] = 0 dt" + terms(11) + "\n" + tail).noise_count(),
      11'000U);
}

TEST(Limits, OfCoupledNoise) {
  EXPECT_THAT(refusal_of("state x[501]\ndx[i] = dW[i] + dV\n"),
              HasSubstr("501 states share Brownian motions"));
}

TEST(Limits, OfNumerals) {
  EXPECT_THAT(refusal_of("param a = 1" + std::string(400'000, '0') + "\nstate x\ndx = dW\n"),
              HasSubstr("is beyond the range of double precision"));
  EXPECT_THAT(refusal_of("param a = 9^9^9^9\nstate x\ndx = dW\n"),
              HasSubstr("The value of this expression is inf"));
  EXPECT_THAT(refusal([] {
                (void)parse_model("model m\nstate x\ndx = dW\ninit x = 0\ntime 0 : 1e-300 : 1\n");
              }),
              HasSubstr("the limit is 1000000000000"));
}

// A coefficient that is lost in the folding of constants would take the term with it.
TEST(Limits, OfFoldedConstants) {
  std::string product = "x";
  for (int i = 0; i < 2'000; ++i) product += "*0.5";
  const std::string beyond = "that is beyond the range of double precision.";
  EXPECT_THAT(refusal_of("state x\ndx = " + product + " dt + dW\n"), HasSubstr(beyond));
  EXPECT_THAT(refusal_of("state x\ndx = 1e200*sin(1e200*x)*1e200 dt + dW\n"),
              HasSubstr("The factors 1e+200 and 1e+200 of a product multiply to inf: " + beyond));
  EXPECT_THAT(refusal_of("param a = 1e-200*1e-200\nstate x\ndx = dW\n"),
              HasSubstr("The factors 1e-200 and 1e-200 of a product multiply to 0: " + beyond));
  // Zero itself is no loss, and neither is what is subnormal.
  EXPECT_EQ(refusal_of("state x\ndx = (0*x*1e-300 + 1e-300*x*1e-20) dt + dW\n"), "no error");
}

TEST(Limits, OfBytes) {
  EXPECT_THAT(refusal_of("state x\ndx = \xFF\xFE\xC0\xAF dt + dW\n"),
              HasSubstr("The byte 0xFF is not part of the language"));
  EXPECT_THAT(refusal_of(std::string("state x\0y\n", 10)), HasSubstr("The byte 0x00"));
}

// Shared sums of shared sums have 2^60 terms when they are written out, and 120 nodes.
const std::string doubling =
    "state x, y\nlet a0 = x*y\nlet b0 = sin(x)\n" + lines(60, [](int i) {
      return fmt::format("let a{1} = a{0} + b{0}\nlet b{1} = a{0} + 2*b{0}\n", i, i + 1);
    });

TEST(Limits, SumsThatDoubleStayShared) {
  const Model m = parse_model("model m\n" + doubling +
                              "dx = sum(k, 0:5, a60*k + b60) dt + dW\ndy = dV\n" + tail);
  EXPECT_LT(m.graph()->size(), 1'000'000U);
}

TEST(Limits, OfAlgebra) {
  Graph g;
  const Expression x = g.input("x");
  const std::vector<Expression> terms{x, sin(x), cos(x), exp(x)};
  (void)sum(g, terms);
  g.spend(Graph::most_effort - 1000);
  const std::string message = "take more than 50000000 operations of algebra";
  EXPECT_THAT(refusal([&] {
                for (int i = 0; i < 1000; ++i) (void)sum(g, terms);
              }),
              HasSubstr(message));
  EXPECT_THAT(refusal([&] { (void)derivative(sin(x), x); }), HasSubstr(message));
}

TEST(Limits, OfNodes) {
  Graph g;
  const Expression x = g.input("x");
  const auto fill = [&] {
    for (std::size_t i = 0; i <= Graph::most_nodes; ++i) (void)g.constant(static_cast<double>(i));
  };
  EXPECT_THAT(refusal(fill), HasSubstr("come to more than 3000000 operations"));
  EXPECT_EQ(g.size(), Graph::most_nodes);
  // The graph is as good as before.
  EXPECT_THAT(refusal([&] { (void)sin(x); }), HasSubstr("3000000"));
  EXPECT_EQ(g.constant(7.0).node().value, 7.0);
}

// Neither the algebra nor the compiler may follow a chain by recursion: the stack is 8 MiB.
TEST(Limits, LongChainsNeedNoStack) {
  struct Case {
    std::string first, link;
  };
  const std::vector<Case> cases{{"x", "let a{1} = x*a{0} + sin({1}*x)\n"},  // nested products
                                {"x", "let a{1} = a{0} + sin({1}*x)\n"},    // a sum
                                {"x", "let a{1} = a{0}*sin({1}*x)\n"},      // a product
                                {"x", "let a{1} = -(a{0} - sin({1}*x))\n"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.link);
    const std::string chain =
        lines(20'000, [&](int i) { return fmt::format(fmt::runtime(c.link), i, i + 1); });
    const Model m = parse_model("model m\nstate x\nlet a0 = " + c.first + "\n" + chain +
                                "dx = a20000 dt + dW\ninit x ~ normal(0, 0.1)\n"
                                "time 0 : 0.1 : 1\n");
    const Program step = jit::reassociated(derive_divergence_step(m, {}, Asked::states()));
    EXPECT_GT(operation_count(*step.graph, step.roots()), 20'000U);
  }
}

TEST(Limits, OfProductsInOneLine) {
  std::string product = "x";
  for (int i = 0; i < 20'000; ++i) product += "*x*y/z";
  const Model m = parse_model("model m\nstate x, y, z\ndx = sin(" + product +
                              ") dt + dW\ndy = dV\ndz = dU\ninit state ~ normal(1, 0.1)\n"
                              "time 0 : 0.1 : 1\n");
  EXPECT_LT(m.graph()->size(), 300'000U);
}

TEST(Limits, OfPrograms) {
  Program program;
  const auto graph = std::make_shared<Graph>();
  const Expression x = graph->input("x");
  Expression sum = x;
  for (int i = 0; i < 300'000; ++i) sum = sin(sum) + x;
  program.arguments.push_back({"x", Role::carried, {x.id()}});
  program.results.push_back({"y", {sum.id()}});
  program.graph = graph;
  EXPECT_EQ(refusal([&] { (void)Kernel::compile(program); }),
            "A step of the model takes 600001 operations, which is too much to compile; the limit "
            "is 500000.");
}

// What a child process has sent, from a file.
void read_answer(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (receive_answer(::fileno(file.get()))) return;
  throw Error(ErrorKind::model, "no answer");
}

// What fuzzing keeps: the inputs that every target starts from, and those that once failed.
TEST(Corpus, IsReadOrRefused) {
  const std::map<std::string, std::function<void(const std::filesystem::path&)>> readers{
      {"csv", [](const auto& path) { (void)read_csv(path); }},
      {"npy", [](const auto& path) { (void)read_npy(path); }},
      {"hdf5", [](const auto& path) { (void)read_hdf5(path); }},
      {"child", [](const auto& path) { read_answer(path); }},
      {"language",
       [](const auto& path) { (void)parse_model(read_text_file(path), path.string()); }},
      {"fit_state",
       [](const auto& path) { (void)parse_fit_state(read_text_file(path), path.string()); }}};
  for (const auto& [name, read] : readers) {
    std::size_t read_well = 0;
    const std::filesystem::path folder =
        std::filesystem::path(DIVKER_TEST_DATA).parent_path() / "fuzz" / "corpus" / name;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      SCOPED_TRACE(entry.path().string());
      read_well += refusal([&read = read, &entry] { read(entry.path()); }) == "no error" ? 1 : 0;
    }
    EXPECT_GT(read_well, 0U) << folder;
  }
}

}  // namespace
}  // namespace divker
