// Expressions of a model as one function of time, state and parameters.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "divker/expression.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

// (t, x; gamma) -> the values of the roots, with gamma the model's parameter values. In the
// arithmetic of apply(), the same to the bit at one point and at many. Cost: the operations that
// the roots need, at every point. Points have a component for each state; this is not checked.
class ModelFunction {
 public:
  // Roots in the model's own graph.
  ModelFunction(const Model& model, std::vector<NodeId> roots);
  // Roots in a copy of the model's graph that may have more nodes. Inputs that the model does not
  // know are 0 until they are set.
  ModelFunction(const Model& model, std::shared_ptr<const Graph> graph, std::vector<NodeId> roots);

  [[nodiscard]] bool depends_on_time() const;

  // The parameter values of another model of the same equations.
  void set_parameters(const Model& model);
  void set(NodeId input, double value) { values_[number_of(input)] = value; }

  // At one point, in the order of the roots; valid until the next call. Allocates nothing. Not for
  // two threads at a time.
  std::span<const double> operator()(double t, std::span<const double> x);

  // Values of an input at every row.
  struct Column {
    NodeId input = 0;
    std::span<const double> values;
  };
  // At every row of x: one column per root. `times`: one for all rows, or one per row. `others`:
  // inputs that differ from row to row as the states do.
  [[nodiscard]] std::vector<std::vector<double>> at_rows(std::span<const double> times,
                                                         const Matrix& x,
                                                         std::span<const Column> others = {}) const;

 private:
  [[nodiscard]] NodeId number_of(NodeId input) const { return graph_->node(input).a; }
  [[nodiscard]] bool is_needed(NodeId number) const;
  void prepare();

  std::shared_ptr<const Graph> graph_;
  std::vector<NodeId> roots_;
  std::vector<double> values_;  // of the graph's inputs, by number
  std::vector<Input> inputs_;   // of the model, those that the roots need
  NodeId time_;                 // numbers of the graph's inputs
  std::vector<NodeId> states_;
  // What the roots need, operands first and known by their places here.
  std::vector<Node> nodes_;
  std::vector<NodeId> root_places_;
  std::vector<double> node_values_;
  std::vector<double> root_values_;
};

}  // namespace divker
