#include "divker/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "model/names.hpp"

namespace divker {
namespace {

struct Activation {
  std::string_view name;
  bool one_sided;  // for half of its arguments nearly zero
  Expression (*apply)(Expression z);
};

const std::array activations{
    Activation{"linear", false, [](Expression z) { return z; }},
    Activation{"tanh", false, [](Expression z) { return tanh(z); }},
    Activation{"silu", true, [](Expression z) { return 0.5 * z * (1.0 + tanh(0.5 * z)); }},
    // log(1 + exp z) without overflow for |z| below 1400.
    Activation{"softplus", true, [](Expression z) { return 0.5 * z + log(2.0 * cosh(0.5 * z)); }},
    Activation{"sin", false, [](Expression z) { return sin(z); }},
};

const Activation* find_activation(std::string_view name) {
  const auto* found =
      std::ranges::find_if(activations, [name](const Activation& a) { return a.name == name; });
  return found == activations.end() ? nullptr : found;
}

// The next number of (0, 1), of 53 bits.
double uniform(std::mt19937_64& twister) {
  return (static_cast<double>(twister() >> 11U) + 0.5) * 0x1p-53;
}

}  // namespace

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all(activations.size());
    std::ranges::transform(activations, all.begin(), &Activation::name);
    return all;
  }();
  return names;
}

std::size_t Network::inputs() const {
  std::size_t all = 0;
  for (const std::size_t length : arguments) all += std::max<std::size_t>(length, 1);
  return all;
}

std::size_t Network::outputs() const { return layers.back().width; }

std::size_t Network::weight_count() const {
  std::size_t all = 0;
  std::size_t before = inputs();
  for (const NetworkLayer& layer : layers) {
    all += layer.width * (before + 1);
    before = layer.width;
  }
  return all;
}

std::string Network::shape() const {
  std::string text = fmt::format("{}", inputs());
  for (const NetworkLayer& layer : layers) text += fmt::format(" - {}", layer.width);
  return text;
}

std::string Network::layers_text() const {
  std::vector<std::string> texts;
  for (const NetworkLayer& layer : layers) {
    texts.push_back(fmt::format("{} {}", layer.activation, layer.width));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<double> Network::initial_weights() const {
  std::vector<double> weights;
  weights.reserve(weight_count());
  std::mt19937_64 twister(seed);
  std::size_t before = inputs();
  for (const NetworkLayer& layer : layers) {
    const bool one_sided = find_activation(layer.activation)->one_sided;
    const auto n = static_cast<double>(before);
    const double range =
        std::sqrt(one_sided ? 3.0 / n : 6.0 / (n + static_cast<double>(layer.width)));
    for (std::size_t k = 0; k < layer.width * before; ++k) {
      weights.push_back(range * (2.0 * uniform(twister) - 1.0));
    }
    weights.resize(weights.size() + layer.width, 0.0);
    before = layer.width;
  }
  return weights;
}

std::vector<double> Network::to_file(std::span<const double> weights) const {
  std::vector<double> numbers{static_cast<double>(layers.size()), static_cast<double>(inputs())};
  for (const NetworkLayer& layer : layers) numbers.push_back(static_cast<double>(layer.width));
  numbers.insert(numbers.end(), weights.begin(), weights.end());
  return numbers;
}

std::vector<double> Network::from_file(std::span<const double> numbers,
                                       const std::string& source) const {
  const std::vector<double> sizes = to_file({});
  const double most_layers = 1000.0;
  const bool has_sizes = !numbers.empty() && numbers.front() >= 1.0 &&
                         numbers.front() <= most_layers &&
                         static_cast<double>(numbers.size()) >= numbers.front() + 2.0;
  if (!has_sizes) {
    refuse(
        fmt::format("{} holds no weights of a network: these begin with the number of layers, of "
                    "inputs and the widths of the layers.",
                    source));
  }
  const auto found = numbers.subspan(1, static_cast<std::size_t>(numbers.front()) + 1);
  if (!std::ranges::equal(found, std::span(sizes).subspan(1))) {
    refuse(
        fmt::format("{} holds the weights of a network of {}, but the network {} of the model "
                    "is one of {}.",
                    source, fmt::join(found, " - "), name, shape()));
  }
  const auto weights = numbers.subspan(sizes.size());
  if (weights.size() != weight_count()) {
    refuse(fmt::format("{} holds {} weights, but a network of {} has {}.", source, weights.size(),
                       shape(), weight_count()));
  }
  const auto bad =
      std::ranges::find_if(weights, [](double weight) { return !std::isfinite(weight); });
  if (bad != weights.end()) {
    refuse(fmt::format("{}: weight {} is {}; it must be finite.", source, bad - weights.begin(),
                       *bad));
  }
  return {weights.begin(), weights.end()};
}

std::vector<Expression> Network::apply(Graph& graph, std::span<const Expression> weights,
                                       std::span<const Expression> inputs) const {
  std::vector<Expression> z(inputs.begin(), inputs.end());
  for (const NetworkLayer& layer : layers) {
    const std::size_t n = z.size();
    const auto matrix = weights.first(layer.width * n);
    const auto bias = weights.subspan(layer.width * n, layer.width);
    weights = weights.subspan(layer.width * (n + 1));
    const Activation* activation = find_activation(layer.activation);
    std::vector<Expression> next;
    for (std::size_t i = 0; i < layer.width; ++i) {
      next.push_back(activation->apply(dot(graph, matrix.subspan(i * n, n), z) + bias[i]));
    }
    z = std::move(next);
  }
  return z;
}

void NetworkLayer::check() const {
  if (activation == "relu") {
    refuse(
        "relu has a kink, which derivatives of the step do not see; softplus and silu are "
        "smooth and much like it.");
  }
  if (find_activation(activation) == nullptr) {
    refuse(fmt::format("There is no activation {}; there are: {}.{}", in_quotes(activation),
                       list_of(activation_names()), did_you_mean(activation, activation_names())));
  }
  if (width == 0) refuse(fmt::format("A layer {} has no width.", activation));
}

void Network::check() const {
  if (layers.empty() || arguments.empty()) {
    refuse(fmt::format("The network {} needs arguments and layers.", name));
  }
  for (const NetworkLayer& layer : layers) layer.check();
  if (weight_count() > most_network_weights) {
    refuse(
        fmt::format("The network {} of {} has {} weights; the limit is {}, because the steps of "
                    "larger ones take minutes to compile.",
                    name, shape(), weight_count(), most_network_weights));
  }
}

}  // namespace divker
