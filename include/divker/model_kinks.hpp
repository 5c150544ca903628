// Where a model jumps or has a kink in its states or free parameters.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/kinks.hpp"
#include "divker/model.hpp"

namespace divker {

enum class ModelPart { drift, noise, initial, observation, observable, functional };
[[nodiscard]] std::string_view name_of(ModelPart part);

struct ModelKink {
  ModelPart part = ModelPart::drift;
  std::string name;  // of the state whose equation or law it is, or of the observation
  Op op = Op::constant;
  KinkKind kind = KinkKind::jump;
  std::string place;  // "x = L", "x is a whole number"
  // What decides on which side of the place a path is.
  bool by_states = false;
  bool by_parameters = false;  // that are not fixed
  bool by_time = false;
  // The parameters that move the place, fixed ones too: their numbers in the model.
  std::vector<std::size_t> moved_by;
  // A function that is zero at the place (floor: a whole number), in a copy of the model's graph.
  std::shared_ptr<Graph> graph;
  NodeId function = 0;
  bool by_functionals = false;  // the place is one of functionals of the path, or in one

  // A root at zero, where what it is taken of ends: paths do not cross it, they fail there.
  [[nodiscard]] bool is_edge() const {
    return kind == KinkKind::root && (op == Op::sqrt || op == Op::pow);
  }
  // Of the equations, which paths meet at every step.
  [[nodiscard]] bool is_of_step() const {
    return part == ModelPart::drift || part == ModelPart::noise;
  }
  [[nodiscard]] bool is_moved_by(std::size_t parameter) const;

  // For people: "The drift of v jumps where v = 0 (sign): derivatives miss what happens there."
  [[nodiscard]] std::string sentence() const;
};

// All of them, as find_kinks() sees them, equation by equation. Positive states and parameters with
// a positive range are known to be positive. Where parameters alone decide, derivatives are right
// but for the very place: it is listed only where the model's values are at it.
[[nodiscard]] std::vector<ModelKink> model_kinks(const Model& model);

// The same of an expression in a copy of the model's graph: an observable, with its text as name.
// It sees through the functionals of the path that the expression mentions: what they follow, and
// that one that is not differentiable along the path, such as a first passage, jumps where it
// switches. What moves a functional at fixed states, parameters in what it follows and in points
// where paths start, moves the places that depend on it.
[[nodiscard]] std::vector<ModelKink> observable_kinks(const Model& model, const std::string& name,
                                                      Expression observable);

// The inputs of a copy of the model's graph that are above zero by their declaration.
[[nodiscard]] std::vector<Expression> positive_inputs(const Model& model, Graph& graph);

}  // namespace divker
