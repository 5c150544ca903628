// Expressions of fitted parameters, with their errors.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

std::string without_blanks_around(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A single equals sign parts the name from the expression.
DerivedQuantity named(const std::string& text) {
  DerivedQuantity one;
  const std::size_t equals = text.find('=');
  const bool is_named =
      equals != std::string::npos && is_identifier(without_blanks_around(text.substr(0, equals)));
  one.expression = without_blanks_around(is_named ? text.substr(equals + 1) : text);
  one.name = is_named ? without_blanks_around(text.substr(0, equals)) : one.expression;
  return one;
}

void require_parameters_alone(const Model& model, Expression f, const std::string& text) {
  const auto refuse = [&](const std::string& name) {
    throw Error(ErrorKind::usage,
                fmt::format("'{}' depends on {}; a derived quantity is an expression of the "
                            "parameters alone.",
                            text, name));
  };
  Graph& graph = f.graph();
  for (const State& state : model.states()) {
    if (depends_on(f, std::array{graph.at(state.node)})) refuse("the state " + state.name);
  }
  for (const NodeId node : model.time_nodes()) {
    if (depends_on(f, std::array{graph.at(node)})) refuse("the time");
  }
}

}  // namespace

DerivedQuantity derived_quantity(const FitResult& result, const std::string& text) {
  const Model& model = result.model;
  DerivedQuantity one = named(text);
  Graph graph(*model.graph());
  const Expression f = parse_expression(one.expression, model, graph);
  require_parameters_alone(model, f, text);
  std::vector<Expression> variables;
  for (const std::string& name : result.names) {
    variables.push_back(graph.at(model.parameters()[model.parameter_index(name)].node));
  }
  std::vector<NodeId> roots{f.id()};
  for (const Expression& slope : gradient(f, variables)) roots.push_back(slope.id());
  std::vector<double> inputs = model.input_values(model.initial_mean(), model.time().start);
  inputs.resize(graph.input_count());
  const std::vector<double> numbers = evaluate(graph, roots, inputs);
  one.value = numbers[0];
  double variance = 0.0;
  for (std::size_t i = 0; i < result.names.size(); ++i) {
    if (numbers[i + 1] == 0.0) continue;
    for (std::size_t j = 0; j < result.names.size(); ++j) {
      if (numbers[j + 1] == 0.0) continue;
      const double correlation =
          i == j ? 1.0 : (result.correlation.rows > 0 ? result.correlation(i, j) : std::nan(""));
      variance += numbers[i + 1] * numbers[j + 1] * correlation * result.standard_error[i] *
                  result.standard_error[j];
    }
  }
  one.standard_error = std::sqrt(variance);
  return one;
}

}  // namespace divker
