// Networks: values against the formula by hand, derivatives against finite differences, weights in
// texts and files, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "divker/language.hpp"
#include "divker/network.hpp"
#include "support/errors.hpp"
#include "support/identities.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

std::string text_with(const std::string& net, const std::string& equation) {
  return "model m\nparam a = 0.4\nstate x[2]\n" + net + "\n" + equation +
         "\ninit x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";
}
const std::string hybrid = "dx[i] = (-a*x[i] + h(x, t)[i])*dt + 0.5*dW[i]";

Model with(const std::string& net) { return parse_model(text_with(net, hybrid)); }

// The formula of the header, by loops.
std::vector<double> by_hand(const Network& network, const std::vector<double>& weights,
                            std::vector<double> z) {
  std::size_t at = 0;
  for (const NetworkLayer& layer : network.layers) {
    std::vector<double> next;
    for (std::size_t i = 0; i < layer.width; ++i) {
      double total = weights[at + layer.width * z.size() + i];
      for (std::size_t j = 0; j < z.size(); ++j) total += weights[at + i * z.size() + j] * z[j];
      const std::string& f = layer.activation;
      next.push_back(f == "tanh"       ? std::tanh(total)
                     : f == "silu"     ? total / (1.0 + std::exp(-total))
                     : f == "softplus" ? std::log1p(std::exp(total))
                     : f == "sin"      ? std::sin(total)
                                       : total);
    }
    at += layer.width * (z.size() + 1);
    z = next;
  }
  return z;
}

std::vector<double> values_of(const Model& model, const std::vector<double>& x, double t,
                              const std::vector<NodeId>& roots) {
  return evaluate(*model.graph(), roots, model.input_values(x, t));
}

TEST(Networks, AreTheFormula) {
  for (const std::string& activation : activation_names()) {
    const Model model = with("net h(x, t) = " + activation + " 5, tanh 4, linear 2 seed 7");
    ASSERT_EQ(model.networks().size(), 1U);
    const Network& network = model.networks().front();
    EXPECT_EQ(network.weight_count(), 5U * 4 + 4 * 6 + 2 * 5);
    std::vector<double> weights = model.weights(0);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += 0.1 * std::sin(double(i));
    const Model moved = model.with_weights(0, weights, "");
    const std::vector<double> x{0.7, -1.3};
    const std::vector<double> expected = by_hand(network, weights, {x[0], x[1], 0.6});
    const std::vector<double> drift = values_of(moved, x, 0.6, moved.drift());
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(drift[i], -0.4 * x[i] + expected[i], 1e-13) << activation;
    }
  }
}

TEST(Networks, EveryActivationHoldsFarOut) {
  for (const double z : {-300.0, -40.0, 0.0, 40.0, 300.0}) {
    Network softplus{"h", {0}, {{"softplus", 1}}};
    Network silu{"h", {0}, {{"silu", 1}}};
    for (const Network& network : {softplus, silu}) {
      Graph graph;
      const std::vector<Expression> inputs{graph.input("z"), graph.constant(1.0),
                                           graph.constant(0.0)};
      const Expression value =
          network.apply(graph, std::span(inputs).subspan(1), std::span(inputs).first(1)).front();
      const double smooth = z > 0.0 ? z : 0.0;
      const double scale = z == 0.0 ? 1.0 : 1e-9;
      EXPECT_NEAR(evaluate(value, std::vector{z}), smooth, scale) << z;
      EXPECT_NEAR(evaluate(derivative(value, inputs[0]), std::vector{z}), z > 0.0 ? 1.0 : 0.0,
                  z == 0.0 ? 0.51 : 1e-9)
          << z;
    }
  }
}

TEST(Networks, DerivativesAreFiniteDifferences) {
  const Model model = with("net h(x, t) = silu 4, softplus 3, sin 3, tanh 3, linear 2 seed 5");
  Graph graph = *model.graph();
  std::vector<double> inputs = model.input_values(std::vector{0.3, -0.8}, 0.2);
  std::vector<Expression> variables;
  for (const State& state : model.states()) variables.push_back(graph.at(state.node));
  for (const Parameter& p : model.parameters()) variables.push_back(graph.at(p.node));
  const Expression f = graph.at(model.drift()[1]);
  const std::vector<Expression> slopes = gradient(f, variables);
  double largest = 0.0;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    const std::size_t number = variables[v].node().a;
    const double slope = evaluate(slopes[v], inputs);
    const double middle = inputs[number];
    const double h = 1e-5;
    inputs[number] = middle + h;
    const double above = evaluate(f, inputs);
    inputs[number] = middle - h;
    const double below = evaluate(f, inputs);
    inputs[number] = middle;
    EXPECT_NEAR(slope, (above - below) / (2.0 * h), 1e-9) << graph.input_name(number);
    largest = std::max(largest, std::fabs(slope));
  }
  EXPECT_GT(largest, 0.1);
}

// The responses to weights, first and last among them, against common-noise finite differences.
TEST(Networks, ResponsesOfWeightsAreThoseOfTheChain) {
  const Model model = with("net h(x, t) = tanh 4, silu 3, linear 2");
  test::IdentityOptions options;
  options.paths = 20'000;
  options.order = InverseOrder::second;
  const auto report = test::check_identities(model, options);
  EXPECT_EQ(report.failed, 0U);
  for (const auto& check : report.checks) EXPECT_LE(check.z(), test::z_limit) << check.what;
}

TEST(Networks, OneOutputIsANumberAndCallsMayDiffer) {
  const Model model = parse_model(
      text_with("net g(u, w[2]) = tanh 3, linear 1 seed 2", "dx[i] = g(2*x[i], x) dt + 0.5 dW[i]"));
  const std::vector<double> x{0.7, -1.3};
  const std::vector<double> drift = values_of(model, x, 0.0, model.drift());
  for (std::size_t i = 0; i < 2; ++i) {
    const auto expected = by_hand(model.networks()[0], model.weights(0), {2 * x[i], x[0], x[1]});
    EXPECT_NEAR(drift[i], expected[0], 1e-14);
  }
  Graph graph = *model.graph();
  const Expression value = parse_expression("g(t, x) + g.W1[1, 2] + g.b2[0]", model, graph);
  const auto called = by_hand(model.networks()[0], model.weights(0), {0.5, x[0], x[1]});
  EXPECT_NEAR(evaluate(value, model.input_values(x, 0.5)),
              called[0] + model.with_value("a", 1).parameters()[1 + 5].value, 1e-14);
}

TEST(Networks, StartFromTheirSeed) {
  const Network network{"h", {30, 0}, {{"tanh", 40}, {"silu", 20}, {"linear", 2}}, 3};
  const std::vector<double> weights = network.initial_weights();
  ASSERT_EQ(weights.size(), network.weight_count());
  EXPECT_EQ(weights, network.initial_weights());
  Network other = network;
  other.seed = 4;
  EXPECT_NE(weights, other.initial_weights());
  // (layer, inputs, outputs, range of the uniform law)
  const double ranges[] = {std::sqrt(6.0 / 71.0), std::sqrt(3.0 / 40.0), std::sqrt(6.0 / 22.0)};
  std::size_t before = 31;
  auto at = weights.begin();
  for (std::size_t l = 0; l < 3; ++l) {
    const std::size_t width = network.layers[l].width;
    const auto end = at + static_cast<std::ptrdiff_t>(width * before);
    const double count = static_cast<double>(width * before);
    double square = 0.0;
    for (auto w = at; w != end; ++w) {
      EXPECT_LT(std::fabs(*w), ranges[l]);
      square += *w * *w;
    }
    // The variance of the law is r^2/3, that of its square 4 r^4/45.
    const double error = std::pow(ranges[l], 2) * std::sqrt(4.0 / 45.0 / count);
    EXPECT_NEAR(square / count, std::pow(ranges[l], 2) / 3.0, test::z_limit * error);
    EXPECT_TRUE(std::all_of(end, end + static_cast<std::ptrdiff_t>(width),
                            [](double b) { return b == 0.0; }));
    at = end + static_cast<std::ptrdiff_t>(width);
    before = width;
  }
  // The twister is that of the standard: its first word for seed 5489 is known.
  const Network single{"h", {0}, {{"linear", 1}}, 5489};
  const double uniform = (static_cast<double>(14514284786278117030ULL >> 11U) + 0.5) * 0x1p-53;
  EXPECT_EQ(single.initial_weights().front(), std::sqrt(3.0) * (2.0 * uniform - 1.0));
}

TEST(Networks, TextsKeepTheirWeights) {
  const std::string line = "net h(x, t) = tanh 3, linear 2";
  const Model model = with(line);
  EXPECT_THAT(model.text(), HasSubstr(line + "\n"));
  EXPECT_THAT(with(line + " seed 4 fixed").text(), HasSubstr(line + " seed 4 fixed\n"));
  EXPECT_EQ(with(line + " fixed").free_parameters().size(), 1U);

  const Model moved = model.with_value("h.b2[1]", 0.25);
  EXPECT_THAT(moved.text(), HasSubstr(line + " weights ["));
  EXPECT_EQ(parse_model(moved.text()).parameter_values(), moved.parameter_values());
  EXPECT_EQ(parse_model(moved.text()).text(), moved.text());
  EXPECT_EQ(moved.hash(), model.hash());

  const Model kept = moved.with_weights(0, moved.weights(0), "w.npy");
  EXPECT_THAT(kept.text(), HasSubstr(line + " weights \"w.npy\"\n"));
  EXPECT_THAT(kept.with_value("h.b2[1]", 0.5).text(), HasSubstr(line + " weights ["));
  // A file that is not read yet is named all the same.
  EXPECT_EQ(parse_model(kept.text()).text(), kept.text());
  // Names: all of the network, a matrix, a row, a component.
  EXPECT_EQ(model.parameter_indices("h").size(), 20U);
  EXPECT_EQ(model.parameter_indices("h.W2").size(), 6U);
  EXPECT_EQ(model.parameter_indices("h.W2[1]").size(), 3U);
  EXPECT_EQ(model.parameters()[model.parameter_indices("h.W2[1,0]").front()].name, "h.W2[1,0]");
  EXPECT_THAT(latex(model), HasSubstr("h\\left(x, t\\right) &= \\mathrm{linear}_{2} \\circ "));
}

TEST(Networks, FilesSayTheirShape) {
  const Network network{"h", {2, 0}, {{"tanh", 3}, {"linear", 2}}};
  const std::vector<double> weights = network.initial_weights();
  const std::vector<double> file = network.to_file(weights);
  EXPECT_EQ(network.from_file(file, "h.npy"), weights);
  const auto refused = [&](const std::vector<double>& numbers) {
    return test::message_of([&] { (void)network.from_file(numbers, "h.npy"); });
  };
  const Network wide{"h", {2, 0}, {{"tanh", 4}, {"linear", 2}}};
  EXPECT_EQ(refused(wide.to_file(wide.initial_weights())),
            "h.npy holds the weights of a network of 3 - 4 - 2, but the network h of the model is "
            "one of 3 - 3 - 2.");
  std::vector<double> cut = file;
  cut.pop_back();
  EXPECT_EQ(refused(cut), "h.npy holds 19 weights, but a network of 3 - 3 - 2 has 20.");
  const std::string none =
      "h.npy holds no weights of a network: these begin with the number of layers, of inputs and "
      "the widths of the layers.";
  EXPECT_EQ(refused({}), none);
  EXPECT_EQ(refused({0.5, 1.0}), none);
  EXPECT_EQ(refused({7.0, 1.0}), none);
  EXPECT_EQ(refused({std::nan(""), 1.0}), none);
  std::vector<double> infinite = file;
  infinite[5] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refused(infinite), "h.npy: weight 1 is inf; it must be finite.");
}

struct Wrong {
  const char* net;
  const char* equation;
  const char* sentence;
};

TEST(Networks, WhatIsWrongIsSaid) {
  const char* usual = hybrid.c_str();
  const Wrong all[] = {
      {"net h(x, t) = relu 3, linear 2", usual,
       "m:4:15: relu has a kink, which derivatives of the step do not see; softplus and silu are "
       "smooth and much like it."},
      {"net h(x, t) = tahn 3, linear 2", usual,
       "There is no activation 'tahn'; there are: linear, tanh, silu, softplus and sin. Did you "
       "mean "
       "'tanh'?"},
      {"net h(x, t) = tanh 3, linear", usual,
       "The width of the layer was expected, as in linear 32, but the end of the line was found; a "
       "network is written net h(x, t) = tanh 32, tanh 32, linear 2."},
      {"net h(x, t) = tanh 0, linear 2", usual,
       "The length of tanh is 0; it must be from 1 to 100000."},
      {"net h(x, t) = tanh 300, tanh 300, linear 2", usual,
       "The network h of 3 - 300 - 300 - 2 has 92102 weights; the limit is 20000, because the "
       "steps "
       "of larger ones take minutes to compile."},
      {"net h(x) = tanh 3, linear 2", usual, "The network h takes 1 argument, not 2."},
      {"net h(t, x) = tanh 3, linear 2", usual,
       "Argument 1 of the network h is a number, but this is a vector of 2."},
      {"net h(x, t) = tanh 3, linear 1", usual, "This index is one too many for a number."},
      {"net h(x, t) = tanh 3, linear 2", "dx[i] = h(x, t) dt + dW[i]",
       "A number was expected here, but this is a vector of 2; write its index."},
      {"net h(x, t) = tanh 3, linear 3", "dx = h(x, t) dt + x dW",
       "This term of the equation of x is a vector of 3, but a vector of 2 was expected."},
      {"net h(x, t) = tanh 3, linear 2", "dx[i] = h dt + dW[i]",
       "h is a network; its arguments were expected, as in h(...), but 'dt' was found."},
      {"net h(x, t) = tanh 3, linear 2", "dx[i] = h.W3[0, 0] dt + dW[i]",
       "The name 'h.W3' is not declared"},
      {"net h(x, t) = tanh 3, linear 2 weights [1, 2]", usual,
       "The list has 2 weights, but a network of 3 - 3 - 2 has 20."},
      {"net h(x, t) = tanh 3, linear 2 weights h", usual,
       "The name of a file in double quotes was expected, as in weights \"h.npy\", or a list of "
       "all "
       "weights."},
      {"net h(x, t) = tanh 3, linear 2 seed -1", usual,
       "An expression was expected, but '-' was found."},
      {"net h(x, t) = tanh 3, linear 2 seeds 1", usual,
       "A comma and a layer, 'seed', 'weights' or 'fixed', each once, or the end of the line was "
       "expected, but 'seeds' was found. Did you mean 'seed'?"},
      {"let y = x[0]\nnet h(y, x) = tanh 3, linear 2", usual,
       "The length of the argument y is not known here; write it, as in h(y[3]), or another name "
       "for "
       "a number."},
      {"net x(t) = linear 2", usual, "'x' is declared twice"},
  };
  for (const Wrong& wrong : all) {
    EXPECT_THAT(
        test::message_of([&] { (void)parse_model(text_with(wrong.net, wrong.equation), "m"); }),
        HasSubstr(wrong.sentence))
        << wrong.net;
  }
}

// The word is a name where it begins no statement of a network.
TEST(Networks, TheWordMayBeAName) {
  const Model map = parse_model(
      "model m\nstate net\nparam a = 0.5\nnet' = a*net + xi\ninit net ~ normal(0, 1)\n"
      "time 0 : 1 : 3\n");
  EXPECT_EQ(map.dynamics(), Dynamics::map);
  EXPECT_EQ(parse_model(map.text()).hash(), map.hash());
}

}  // namespace
}  // namespace divker
