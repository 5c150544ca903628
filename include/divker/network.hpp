// Networks in the equations of a model: a multilayer perceptron whose weights are its parameters.
//
//   z_0 = (arguments one after the other),  z_l = f_l( W_l z_{l-1} + b_l ),  h = z_L
//
// f_l is the activation of layer l, applied to every component. W_l is the matrix "h.Wl" (width of
// the layer x width of the one before), b_l the vector "h.bl".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

// linear, tanh, silu: z/(1 + exp(-z)), softplus: log(1 + exp(z)), sin. All are smooth: the
// derivatives of what has kinks miss them.
[[nodiscard]] const std::vector<std::string>& activation_names();

struct NetworkLayer {
  std::string activation;
  std::size_t width = 1;
  // Error(model) without width or with an activation that does not exist.
  void check() const;
};

struct Network {
  std::string name;
  std::vector<std::size_t> arguments;  // the length of each; 0: a number
  std::vector<NetworkLayer> layers;
  std::uint64_t seed = 1;  // of the initial weights
  std::string file = {};   // of other weights, as written in the model; "": none
  bool fixed = false;      // the weights are neither differentiated nor fitted
  std::size_t first = 0;   // the number of h.W1[0,0] among the parameters of the model
  std::shared_ptr<const std::vector<double>> read = {};  // weights of the file; null: not read yet

  [[nodiscard]] std::size_t inputs() const;   // of all arguments together
  [[nodiscard]] std::size_t outputs() const;  // of the last layer
  [[nodiscard]] std::size_t weight_count() const;
  // "3 - 32 - 32 - 2": inputs and the widths of the layers.
  [[nodiscard]] std::string shape() const;
  // W_1, b_1, W_2, ..., matrices row by row: biases are zero, and weights independent and uniform
  // on
  // (-r, r) with r^2 = 6/(n + m) for n inputs and m outputs of the layer (Glorot and Bengio 2010),
  // r^2 = 3/n before silu and softplus (LeCun et al. 1998). From the Mersenne twister mt19937_64
  // with that seed, the same on every machine.
  [[nodiscard]] std::vector<double> initial_weights() const;

  // What a file of weights holds: the number of layers, inputs(), the widths, then the weights.
  [[nodiscard]] std::vector<double> to_file(std::span<const double> weights) const;
  // The weights among these numbers; Error(model) for those of a network of another shape, with
  // both shapes, and for too few, too many or numbers that are not finite. `source` names the file.
  [[nodiscard]] std::vector<double> from_file(std::span<const double> numbers,
                                              const std::string& source) const;
  // The last layer as expressions of the weights and of all inputs. Cost: weight_count() products,
  // written out one by one.
  [[nodiscard]] std::vector<Expression> apply(Graph& graph, std::span<const Expression> weights,
                                              std::span<const Expression> inputs) const;
  // The line that declares it, up to its options: "net h(x, t) = " is up to the caller.
  [[nodiscard]] std::string layers_text() const;
  // Error(model) without layers or arguments, with a layer at fault or too many weights.
  void check() const;
};

// More weights in a network are refused: written out they take minutes to compile.
inline constexpr std::size_t most_network_weights = 20'000;

}  // namespace divker
