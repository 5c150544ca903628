// Measured inputs u(t): what lies between knots, what paths and answers make of them, and what is
// refused.
#include "divker/input.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/density_change.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "divker/model_function.hpp"
#include "divker/model_kinks.hpp"
#include "divker/stationary.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"
#include "toys/interpreter.hpp"

namespace divker {
namespace {

using test::consistent;
using test::expect_error;
using test::message_of;
using Shared = std::shared_ptr<const Knots>;

Shared knots(std::vector<double> times, std::vector<double> values) {
  return std::make_shared<const Knots>(std::move(times), std::move(values));
}

// f at the times of the steps of a model.
Shared at_steps(const Model& model, const std::function<double(double)>& f) {
  std::vector<double> times;
  std::vector<double> values;
  for (std::size_t n = 0; n <= model.time().steps(); ++n) {
    times.push_back(model.time().time(n));
    values.push_back(f(times.back()));
  }
  return knots(times, values);
}

Model with(const Model& model, const std::vector<Shared>& all) { return model.with_inputs(all); }

// The same model twice: with the text of a function of t, and with inputs in its place.
const std::string of_input = "input u(t) from \"u.csv\"\n";
std::string equations(const std::string& u) {
  return "param a = 1.2\nparam g = 0.7\nparam s = 0.6 in (0, inf)\nstate x, y\nlet w = g*" + u +
         "\ndx = (-a*" + u + "*x - 0.2*x^3 + w + y) dt + s*(1 + 0.3*" + u +
         "^2) dW\ndy = (-y + 0.3*x) dt + (0.5 + 0.1*cos(x)*" + u +
         ") dV\ninit state ~ normal(0.2, 0.6)\ntime 0 : 0.02 : 0.6\n";
}
Model written() { return parse_model("model m\n" + equations("sin(t)")); }
Model tabulated() {
  const Model model = parse_model("model m\n" + of_input + equations("u(t)"));
  return with(model, {at_steps(model, [](double t) { return std::sin(t); })});
}

void expect_close(const Paths& a, const Paths& b, double tolerance) {
  ASSERT_EQ(a.summary.failed, 0U);
  for (std::size_t k = 0; k < a.snapshots.size(); ++k) {
    for (const auto& [name, table] : a.snapshots[k].tables()) {
      double largest = 1.0;
      for (const double value : table.data) largest = std::max(largest, std::fabs(value));
      const std::vector<double>& other = b.snapshots[k][name].data;
      ASSERT_EQ(table.data.size(), other.size());
      for (std::size_t i = 0; i < other.size(); ++i) {
        ASSERT_NEAR(table.data[i], other[i], tolerance * largest) << name << " " << i;
      }
    }
  }
}

// --- between knots ----------------------------------------------------------------------------

TEST(KnotsTest, AreMetExactlyAndJoinedByLines) {
  const Knots k({0.0, 0.1, 0.4, 1.0}, {3.0, 0.1, -0.7, 5.3});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(k.at(k.times()[i], Interpolation::linear), k.values()[i]);
    EXPECT_EQ(k.at(k.times()[i], Interpolation::step), k.values()[i]);
  }
  EXPECT_NEAR(k.at(0.2, Interpolation::linear), 0.1 - 0.8 / 3.0, 1e-15);
  EXPECT_NEAR(k.at(0.7, Interpolation::linear), 2.3, 1e-15);
  EXPECT_EQ(k.at(0.39, Interpolation::step), 0.1);
  EXPECT_EQ(k.at(-1.0, Interpolation::linear), 3.0);
  EXPECT_EQ(k.at(2.0, Interpolation::step), 5.3);
}

// Some steps of the grid lie an ulp before what a file with two digits says: they are not late.
TEST(KnotsTest, AKnotThatRoundingMissesIsMet) {
  std::vector<double> times;
  std::vector<double> values;
  for (int k = 0; k <= 1000; ++k) {
    times.push_back(std::stod(fmt::format("{:.2f}", 1.1 + 0.1 * k)));
    values.push_back(k);
  }
  const Knots k(times, values);
  const TimeGrid grid{1.1, 0.1, 101.1};
  int missed = 0;
  for (std::size_t n = 0; n <= grid.steps(); ++n) {
    missed += grid.time(n) < times[n] ? 1 : 0;
    EXPECT_EQ(k.at(grid.time(n), Interpolation::step), values[n]) << n;
    EXPECT_NEAR(k.at(grid.time(n), Interpolation::linear), values[n], 1e-10) << n;
  }
  EXPECT_GT(missed, 0);
  EXPECT_TRUE(k.reach(101.1 + 1e-13));
  EXPECT_FALSE(k.reach(101.101));
}

TEST(KnotsTest, FaultsAreNamed) {
  const auto fault = [](std::vector<double> t, std::vector<double> u) {
    return message_of([&] { const Knots k(std::move(t), std::move(u)); });
  };
  const double nan = std::nan("");
  EXPECT_EQ(fault({0, 1, 1}, {1, 2, 3}), "Knot 2: the time 1 follows 1; times must ascend.");
  EXPECT_EQ(fault({0, 2, 1}, {1, 2, 3}), "Knot 2: the time 1 follows 2; times must ascend.");
  EXPECT_EQ(fault({0, 1}, {1, nan}), "Knot 1: the value nan at the time 1 is not finite.");
  EXPECT_EQ(fault({0, nan}, {1, 2}), "Knot 1: the value 2 at the time nan is not finite.");
  EXPECT_EQ(fault({0, 1}, {1}), "Knot 1: there are 2 times and 1 values.");
  EXPECT_EQ(fault({0}, {1}),
            "Knot 0: there is one value; an input needs at least two, and a constant is a const or "
            "a param.");
  EXPECT_EQ(fault({}, {}),
            "Knot 0: there is no value; an input needs at least two, and a constant is a const or "
            "a param.");
}

// --- paths ------------------------------------------------------------------------------------

// Both schemes, and the damping that looks at drift and noise where a step arrives. The sine of the
// kernel and that of the table differ by an ulp.
TEST(Inputs, TabulatedAtTheStepsAreTheFormula) {
  const Model formula = written();
  const Model table = tabulated();
  const Asked asked = Asked::responses_to(formula.free_parameters());
  Sampling sampling;
  sampling.paths = 40;
  sampling.snapshots = {0.1, 0.6};
  for (const Scheme scheme : {Scheme::euler, Scheme::exact}) {
    for (const Damping& damping :
         {constant_damping(3.0), jacobian_damping(4.0, 0.5), kernel_damping()}) {
      const bool is_exact = scheme == Scheme::exact;
      if (damping.text().starts_with(is_exact ? "jacobian" : "kernel")) continue;
      SCOPED_TRACE(damping.text());
      Method method;
      method.scheme = scheme;
      method.damping = damping;
      expect_close(Ensemble(formula, method, asked).run(sampling),
                   Ensemble(table, method, asked).run(sampling), 1e-12);
    }
  }
  const Asked ratio = Asked::likelihood_ratios_of(formula.free_parameters());
  expect_close(Ensemble(formula, {}, ratio).run(sampling), Ensemble(table, {}, ratio).run(sampling),
               1e-12);
}

// The Jacobian damping of an input that jumps in the last step knows where the step arrives: it
// differs from that of an input which does not.
TEST(Inputs, AreKnownWhereAStepArrives) {
  const Model model = parse_model("model m\n" + of_input + equations("u(t)"));
  const TimeGrid& grid = model.time();
  const std::size_t last = grid.steps();
  const auto jump = [&](double height) {
    return with(model, {at_steps(model, [&](double t) {
                  return t > grid.time(last) - 0.5 * grid.step ? height : 1.0;
                })});
  };
  Method method;
  method.damping = jacobian_damping(4.0, 0.5);
  Sampling sampling;
  sampling.paths = 8;
  const Asked asked = Asked::responses_to({});
  const Paths flat = Ensemble(jump(1.0), method, asked).run(sampling);
  const Paths high = Ensemble(jump(2.0), method, asked).run(sampling);
  EXPECT_EQ(flat.snapshots[0].x().data, high.snapshots[0].x().data);
  EXPECT_NE(flat.snapshots[0].nu().data, high.snapshots[0].nu().data);
}

TEST(Inputs, AreThoseOfTheInterpreter) {
  static const test::Interpreter interpreter;
  const Model model = parse_model(
      "model m\nparam a = 1\ninput u(t) from \"u.csv\"\ninput v(t) from \"v.csv\" step\n"
      "state x, y\ndx = (-a*x + u*v) dt + (0.5 + 0.1*v*cos(x)) dW\ndy = (u*x - y*(1 + v)) dt + "
      "0.4*a dV\ninit state ~ normal(0, 1)\ntime 0 : 0.03 : 0.6\n");
  const Model driven = with(model, {knots({0, 0.11, 0.25, 0.6}, {1, -1, 0.5, 2}),
                                    knots({-1, 0.2, 0.4, 9}, {0.3, 0.9, 0.1, 0})});
  Sampling sampling;
  sampling.paths = 21;
  sampling.resolution = Resolution::full;
  for (const Scheme scheme : {Scheme::euler, Scheme::exact}) {
    Method method;
    method.scheme = scheme;
    if (scheme == Scheme::euler) method.damping = jacobian_damping(4.0, 0.5);
    const Asked asked = Asked::responses_to(driven.free_parameters());
    expect_close(Ensemble(driven, method, asked, &interpreter).run(sampling),
                 Ensemble(driven, method, asked).run(sampling), 1e-11);
  }
}

// A map that adds up its input holds the sum of the values of the steps.
TEST(Inputs, StepMapsAndKeepTheirValueBetweenKnots) {
  const Model model = parse_model(
      "model m\ninput u(t) from \"u.csv\" step hold\nstate x\nx' = x + u + 0*xi\ninit x = 0\n"
      "time 0 : 1 : 12\n");
  const Model driven = with(model, {knots({2.0, 4.5, 9.0}, {1.0, 10.0, 100.0})});
  Sampling sampling;
  sampling.paths = 1;
  sampling.snapshots = {3, 5, 9, 10, 12};
  const Paths paths = Ensemble(driven, {}, Asked::states()).run(sampling);
  const std::vector<double> expected{3, 5, 45, 145, 345};
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(paths.snapshots[k].x()(0, 0), expected[k]);
  }
}

// Two knots of a line say the same at any step: also between the steps of another grid.
TEST(Inputs, AreInterpolatedAtEveryStep) {
  const Model model = parse_model(
      "model m\ninput u(t) from \"u.csv\"\nstate x, y\ndx = (u - x) dt + 0.3 dW\ndy = (t - y) dt + "
      "0.3 dW\ninit state = 0.5\ntime 0 : 0.1 : 1\n");
  for (const double dt : {0.1, 0.05, 0.025}) {
    const Model driven = with(model, {knots({0.0, 1.0}, {0.0, 1.0})}).with_time({0.0, dt, 1.0});
    Sampling sampling;
    sampling.paths = 5;
    const Matrix x = Ensemble(driven, {}, Asked::states()).run(sampling).snapshots[0].x();
    for (std::size_t r = 0; r < x.rows; ++r) EXPECT_NEAR(x(r, 0), x(r, 1), 1e-14) << dt;
  }
}

// --- answers against closed forms -------------------------------------------------------------

// dx = (-a x + g u) dt + s dW: the mean is m' = -a m + g u, on every piece of a line exactly
//   u = p + q t:  particular solution g (p/a - q/a^2 + q t/a).
double mean_of_driven(double a, double g, const Knots& u, double start, double end) {
  double mean = start;
  for (std::size_t k = 0; k + 1 < u.times().size() && u.times()[k] < end; ++k) {
    const double t0 = u.times()[k];
    const double t1 = std::min(u.times()[k + 1], end);
    const double q = (u.values()[k + 1] - u.values()[k]) / (u.times()[k + 1] - t0);
    const double p = u.values()[k] - q * t0;
    const auto particular = [&](double t) { return g * (p / a - q / (a * a) + q * t / a); };
    mean = particular(t1) + (mean - particular(t0)) * std::exp(-a * (t1 - t0));
  }
  return mean;
}

TEST(Inputs, DriveTheMeanAsTheEquationSays) {
  const Model model = parse_model(
      "model driven\nparam a = 0.9\nparam g = 1.3\nparam s = 0.5\ninput u(t) from \"u.csv\"\nstate "
      "x\ndx = (-a*x + g*u(t)) dt + s dW\ninit x ~ normal(0.4, 0.3)\ntime 0 : 0.01 : 2\n");
  const Shared u = knots({0.0, 0.33, 0.5, 1.4, 1.71, 2.0}, {1.0, -2.0, 3.0, 0.5, 2.0, -1.0});
  AnswerOptions options;
  options.sampling.paths = 40'000;
  const ObservableAnswer answer = observable_response(with(model, {u}), {0, 1, 2}, "x", options);
  const auto exact = [&](double a, double g) { return mean_of_driven(a, g, *u, 0.4, 2.0); };
  const double h = 1e-5;
  EXPECT_TRUE(consistent(answer.value, exact(0.9, 1.3)));
  EXPECT_TRUE(
      consistent(answer.response[0], (exact(0.9 + h, 1.3) - exact(0.9 - h, 1.3)) / (2 * h)));
  EXPECT_TRUE(
      consistent(answer.response[1], (exact(0.9, 1.3 + h) - exact(0.9, 1.3 - h)) / (2 * h)));
  EXPECT_TRUE(consistent(answer.response[2], 0.0));
  // The input itself in the observable: its value at the end.
  const ObservableAnswer product = observable_response(with(model, {u}), {1}, "u*x", options);
  EXPECT_NEAR(product.value.value, -answer.value.value, 1e-12);
}

TEST(Inputs, EnterEveryQuestionAsTheTimeDoes) {
  const std::string rest =
      "\nparam s = 0.5 in (0, inf)\nstate x\ndx = (-a*x + $) dt + (s + 0.1*$) dW\ninit x ~ "
      "normal(0.4, 0.3)\ntime 0 : 0.02 : 1\n";
  const auto replaced = [&](const std::string& u) {
    std::string text = rest;
    for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$')) {
      text.replace(at, 1, u);
    }
    return "param a = 0.9" + text;
  };
  const Model formula = parse_model("model m\n" + replaced("t"));
  const Model table = with(parse_model("model m\n" + of_input + replaced("u")),
                           {knots({0.0, 0.4, 1.0}, {0.0, 0.4, 1.0})});
  // The density by the equation of Fokker and Planck.
  const ExactDensity a = exact_density(formula, {0}, {0.2, 0.6}, -3.0, 4.0);
  const ExactDensity b = exact_density(table, {0}, {0.2, 0.6}, -3.0, 4.0);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_NEAR(a.score[k], b.score[k], 1e-9);
    EXPECT_NEAR(a.response(k, 0), b.response(k, 0), 1e-7);
  }
  // Score and change at points: pilot, pairs at half the step, models along a line.
  Matrix points(1, 1, 0.6);
  ChangeOptions options;
  options.answer.sampling.paths = 3000;
  options.nodes = 5;
  const std::vector<double> target{1.1, 0.6};
  const Change c = log_density_change(formula, target, points, options).change[0];
  const Change d = log_density_change(table, target, points, options).change[0];
  EXPECT_NEAR(c.value, d.value, 1e-9 * (1.0 + std::fabs(c.value)));
  EXPECT_NEAR(c.standard_error, d.standard_error, 1e-6 * c.standard_error);
  const PointAnswer e = score_at(formula, points, options.answer);
  const PointAnswer f = score_at(table, points, options.answer);
  EXPECT_NEAR(e.prediction.value(0, 0), f.prediction.value(0, 0), 1e-9);
  // Functions of the model.
  ModelFunction drift(table, table.drift());
  EXPECT_TRUE(drift.depends_on_time());
  const double x = 0.5;
  EXPECT_NEAR(drift(0.7, {&x, 1}).front(), -0.45 + 0.7, 1e-15);
  Matrix rows(2, 1, 0.5);
  const std::vector<double> times{0.1, 0.7};
  EXPECT_NEAR(drift.at_rows(times, rows)[0][0], -0.45 + 0.1, 1e-15);
  EXPECT_NEAR(drift.at_rows(times, rows)[0][1], -0.45 + 0.7, 1e-15);
  EXPECT_NEAR(table.noise_matrix(std::vector<double>{0.5}, 0.7)(0, 0), 0.57, 1e-15);
}

TEST(Inputs, HaveNoStationaryLaw) {
  const Model model = tabulated();
  expect_error(ErrorKind::usage,
               "The equations of model m depend on the input u(t), so that it has no stationary "
               "density.",
               [&] { (void)stationary_score_at(model, Matrix(1, 2), {}); });
  const Model seen = with(parse_model("model m\n" + of_input +
                                      "param a = 1\nstate x\ndx = -a*x dt + dW\ninit x ~ "
                                      "normal(0, 1)\ntime 0 : 0.1 : 1\n"),
                          {knots({0, 1}, {0, 1})});
  expect_error(ErrorKind::usage,
               "The observable u*x mentions the time t, so that it has no stationary mean.",
               [&] { (void)stationary_observable_response(seen, {0}, "u*x", {}); });
}

TEST(Inputs, MoveTheKinksOfAModel) {
  const Model model = parse_model("model m\n" + of_input +
                                  "state x\ndx = -abs(x - u) dt + dW\ninit x = 0\ntime 0 : 0.1 : "
                                  "1\n");
  const std::vector<ModelKink> kinks = model_kinks(model);
  ASSERT_EQ(kinks.size(), 1U);
  EXPECT_TRUE(kinks.front().by_time);
  EXPECT_EQ(kinks.front().place, "x = u");
}

// A sawtooth between the steps, whose mean no step sees; a smooth input with as many knots; and one
// that changes with the steps.
TEST(Inputs, WarnOfWhatTheStepsDoNotSee) {
  const auto warnings = [](const std::function<double(double)>& f, std::size_t count,
                           const std::string& option) {
    const Model model = parse_model("model m\ninput u(t) from \"u.csv\"" + option +
                                    "\nstate x\ndx = (u - x) dt + dW\ninit x ~ normal(0, 1)\n"
                                    "time 0 : 0.1 : 2\n");
    std::vector<double> times;
    std::vector<double> values;
    for (std::size_t k = 0; k <= count; ++k) {
      times.push_back(2.0 * static_cast<double>(k) / static_cast<double>(count));
      values.push_back(f(times.back()));
    }
    Sampling sampling;
    sampling.paths = 300;
    std::string all;
    for (const Warning& warning :
         simulate_moments(with(model, {knots(times, values)}), sampling).record.warnings) {
      all += warning.what + ": " + warning.sentence + "\n";
    }
    return all;
  };
  const auto sine = [](double t) { return std::sin(t); };
  const auto rough = [](double t) { return std::sin(1e4 * t * t); };
  const std::string sentence =
      "input: The input u has 25 knots to a step of dt = 0.1 and changes between them: paths see "
      "it "
      "at the steps alone. Use its means over the steps, or a dt of about 0.004.\n";
  EXPECT_EQ(warnings(rough, 500, ""), sentence);
  EXPECT_EQ(warnings(rough, 500, " step"), sentence);
  EXPECT_EQ(warnings(sine, 500, ""), "");
  EXPECT_EQ(warnings([](double) { return 0.3; }, 500, ""), "");
  EXPECT_EQ(warnings(rough, 20, ""), "");
  EXPECT_EQ(warnings(rough, 20, " step"), "");
}

// --- a run's range and identity ---------------------------------------------------------------

TEST(Inputs, ReachFromTheStartOfARunToItsEnd) {
  const std::string text =
      "model m\ninput u(t) from \"rain.csv\"$\nstate x\ndx = (u - x) dt + dW\ninit x ~ normal(0, "
      "1)\ntime 0 : 0.1 : 1\n";
  const auto model = [&](const std::string& options, double first, double last) {
    std::string with_options = text;
    with_options.replace(with_options.find('$'), 1, options);
    return with(parse_model(with_options), {knots({first, last}, {1.0, 2.0})});
  };
  Sampling sampling;
  sampling.paths = 2;
  const auto run = [&](const Model& m) { (void)Ensemble(m, {}, Asked::states()).run(sampling); };
  const std::string advice =
      ": move the time grid, or write 'hold' behind the file for constant values beyond.";
  expect_error(ErrorKind::model,
               "The input u of 'rain.csv' is known from t = 0 to t = 0.95, but the paths run from "
               "t = 0 to t = 1" +
                   advice,
               [&] { run(model("", 0.0, 0.95)); });
  expect_error(ErrorKind::model,
               "The input u of 'rain.csv' is known from t = 0.1 to t = 2, not at t = 0; write "
               "'hold' behind the file for constant values beyond.",
               [&] { run(model("", 0.1, 2.0)); });
  run(model(" hold", 0.1, 0.2));
  run(model("", 0.0, 1.0 - 1e-13));
  sampling.snapshots = {0.9};
  run(model("", 0.0, 0.95));
  sampling.snapshots = {};
  expect_error(ErrorKind::usage, "The values of the input u have not been read.",
               [&] { run(parse_model("model m\n" + of_input + equations("u"))); });
}

TEST(Inputs, BelongToTheEquationsAndTheirValuesToTheRun) {
  const Model model = tabulated();
  const auto hash = [&](const std::string& statement) {
    return parse_model("model m\n" + statement + "\n" + equations("u")).hash();
  };
  EXPECT_EQ(model.hash(), hash("input u(t) from \"elsewhere.h5\" columns hour, mm"));
  EXPECT_NE(model.hash(), hash("input u(t) from \"u.csv\" step"));
  EXPECT_NE(model.hash(), hash("input u(t) from \"u.csv\" hold"));
  EXPECT_NE(model.hash(), hash("param u = 1 fixed"));

  std::string saved;
  Session session;
  session.checkpoint.name = "c";
  session.checkpoint.seconds = 0.0;
  session.checkpoint.load = [&] { return saved; };
  session.checkpoint.save = [&](std::string_view frame, std::string_view state) {
    saved = std::string(frame) + std::string(state);
  };
  Sampling sampling;
  sampling.paths = 600;
  (void)Ensemble(model, {}, Asked::states()).run(sampling, session);
  ASSERT_FALSE(saved.empty());
  (void)Ensemble(model, {}, Asked::states()).run(sampling, session);
  std::vector<double> values = model.inputs()[0].knots->values();
  values[7] += 1e-12;
  const Model other = with(model, {knots(model.inputs()[0].knots->times(), values)});
  const std::string message =
      message_of([&] { (void)Ensemble(other, {}, Asked::states()).run(sampling, session); });
  EXPECT_TRUE(
      message.starts_with("c is the checkpoint of another run: the input u is 31 knots with "
                          "the hash "))
      << message;
}

// --- texts ------------------------------------------------------------------------------------

TEST(Inputs, ArePrintedAsTheyAreRead) {
  const std::string text =
      "model m\nparam a = 1\ninput u(t) from \"sub/u.csv\"\ninput rain(t) from \"w.h5\" columns "
      "time, \"rain [mm]\" step hold\nstate x\nlet y = u(t) + rain\ndx = (-a*x + y*(1 + u(t))) dt "
      "+ "
      "dW\ninit x ~ normal(0, 1)\nobserve z ~ normal(x*u(t), 0.1)\ntime 0 : 0.1 : 1\n";
  const Model model = parse_model(text);
  EXPECT_EQ(model.text(), text);
  ASSERT_EQ(model.inputs().size(), 2U);
  EXPECT_EQ(model.inputs()[0].file, "sub/u.csv");
  EXPECT_EQ(model.inputs()[0].column_of_values(), "u");
  EXPECT_EQ(model.inputs()[1].time_column, "time");
  EXPECT_EQ(model.inputs()[1].value_column, "rain [mm]");
  EXPECT_EQ(model.inputs()[1].interpolation, Interpolation::step);
  EXPECT_TRUE(model.inputs()[1].hold);
  // Component by component, as models from expressions are printed.
  const Model again = parse_model(model.starting_from_samples("x.npy").text());
  EXPECT_EQ(again.hash(), model.starting_from_samples("x.npy").hash());
  EXPECT_EQ(again.inputs()[1].value_column, "rain [mm]");
}

TEST(Inputs, AreBuiltFromArrays) {
  ModelBuilder b("m");
  const Expression a = b.parameter("a", 1.2);
  const Expression u = b.input({.name = "u", .knots = knots({0, 1}, {0.5, 2.0})});
  const Expression x = b.state("x");
  b.drift(x, u - a * x);
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  const Model built = b.build();
  EXPECT_EQ(built.text(),
            "model m\nparam a = 1.2\ninput u(t) from \"u.csv\"\nstate x\ndx = (u - a*x) dt + 1 dW\n"
            "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  EXPECT_EQ(built.hash(), parse_model(built.text()).hash());
  Sampling sampling;
  sampling.paths = 3;
  EXPECT_EQ(Ensemble(built, {}, Asked::states()).run(sampling).snapshots[0].x().rows, 3U);
  EXPECT_EQ(message_of([&] { (void)b.input({.name = "x"}); }), "'x' is declared twice.");
  EXPECT_EQ(message_of([&] { (void)with(built, {}); }),
            "Knots of 0 inputs were given; the model m has 1 inputs.");
}

TEST(Inputs, FaultsAreReportedWhereTheyStand) {
  const auto fault = [](const std::string& line) {
    const std::string what =
        message_of([&] { (void)parse_model("model m\n" + line + "\nstate x\n", "m.sde"); });
    return what.substr(0, what.find("\n  "));
  };
  EXPECT_EQ(fault("input u(s) from \"u.csv\""),
            "m.sde:2:8: An input is a function of the time, u(t); '(t)' was expected after 'u'.");
  EXPECT_EQ(fault("input u from \"u.csv\""),
            "m.sde:2:9: An input is a function of the time, u(t); '(t)' was expected after 'u'.");
  EXPECT_EQ(fault("input x(t) from \"u.csv\""),
            "m.sde:3:7: 'x' is declared twice; line 2 declares it already.");
  EXPECT_EQ(fault("input t(t) from \"u.csv\""),
            "m.sde:2:7: 't' is a word of the language and cannot be declared.");
  EXPECT_EQ(fault("input (t) from \"u.csv\""),
            "m.sde:2:7: The name of an input was expected, but '(' was found.");
  EXPECT_EQ(fault("input u(t) \"u.csv\""),
            "m.sde:2:12: 'from' was expected after 'u(t)', but a string was found.");
  EXPECT_EQ(fault("input u(t) from rain"),
            "m.sde:2:17: The name of a file in double quotes was expected, as in from "
            "\"forcing.csv\".");
  EXPECT_EQ(fault("input u(t) from \"u.csv\" linear"),
            "m.sde:2:25: 'columns TIME, VALUE', 'step', 'hold', each once, or the end of the line "
            "was expected, but 'linear' was found.");
  EXPECT_EQ(fault("input u(t) from \"u.csv\" column a, b"),
            "m.sde:2:25: 'columns TIME, VALUE', 'step', 'hold', each once, or the end of the line "
            "was expected, but 'column' was found. Did you mean 'columns'?");
  EXPECT_EQ(fault("input u(t) from \"u.csv\" step step"),
            "m.sde:2:30: 'columns TIME, VALUE', 'step', 'hold', each once, or the end of the line "
            "was expected, but 'step' was found.");
  EXPECT_EQ(fault("input u(t) from \"u.csv\" columns a"),
            "m.sde:2:34: ',' was expected after the column of the times, but the end of the line "
            "was found.");
  EXPECT_EQ(fault("input u(t) from \"u.csv\"\ndx = u(t - 1) dt + dW"),
            "m.sde:3:8: u is an input, which is known at the time t alone: write u or u(t).");
  EXPECT_EQ(fault("input u(t) from \"u.csv\"\ninit x ~ normal(u, 1)"),
            "m.sde:3:17: 'u' is an input; initial laws are made of parameters and constants.");
  EXPECT_EQ(fault("inptu u(t) from \"u.csv\""),
            "m.sde:2:1: There is no statement 'inptu'. Did you mean 'input'?");
}

// --- cost -------------------------------------------------------------------------------------

// Printed, not asserted tightly: the machine has other work. 1e5 knots searched at every step of
// every block would cost a fifth of the time of this model, whose steps are the fastest there are.
TEST(Inputs, CostTheSameWithManyKnots) {
  const Model model = parse_model(
      "model m\nparam a = 1\ninput u(t) from \"u.csv\"\nstate x\ndx = (u - a*x) dt + 0.5 dW\ninit "
      "x "
      "~ normal(0, 1)\ntime 0 : 0.001 : 2\n");
  const auto sine = [&](std::size_t count) {
    std::vector<double> times;
    std::vector<double> values;
    for (std::size_t k = 0; k < count; ++k) {
      times.push_back(2.0 * static_cast<double>(k) / static_cast<double>(count - 1));
      values.push_back(std::sin(times.back()));
    }
    return with(model, {knots(times, values)});
  };
  const Ensemble few(sine(10), {}, Asked::states());
  const Ensemble many(sine(100'000), {}, Asked::states());
  Sampling sampling;
  sampling.paths = 20'000;
  Session session;
  session.threads = 1;
  const auto seconds = [&](const Ensemble& ensemble) {
    const auto began = std::chrono::steady_clock::now();
    (void)ensemble.run(sampling, session);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  std::vector<double> ratios;
  (void)seconds(few);
  for (int k = 0; k < 9; ++k) {
    const double ten = seconds(few);
    ratios.push_back(seconds(many) / ten);
  }
  std::ranges::sort(ratios);
  std::printf("100,000 knots take %.3f of the time of ten (median of 9; %.3f to %.3f)\n", ratios[4],
              ratios.front(), ratios.back());
  EXPECT_LT(ratios.front(), 1.5);
}

}  // namespace
}  // namespace divker
