// Models from expressions: ModelBuilder with the operators of Python.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <cmath>
#include <memory>
#include <utility>
#include <variant>

#include "arrays.hpp"
#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/model.hpp"
#include "model/functions.hpp"
#include "module.hpp"

namespace divker::python {
namespace {

namespace py = pybind11;

using Builder = ModelBuilder;

// An expression that keeps its graph alive.
struct Term {
  std::shared_ptr<Builder> builder;
  Expression expression;
};

[[noreturn]] void refuse_mixture() {
  throw Error(ErrorKind::usage,
              "Expressions of two builders cannot be combined: each has its own "
              "states and parameters.");
}

using Operand = std::variant<Term, double>;

Expression in_graph(const std::shared_ptr<Builder>& builder, const Operand& operand) {
  if (const double* number = std::get_if<double>(&operand)) {
    return builder->graph().constant(*number);
  }
  const Term& term = std::get<Term>(operand);
  if (term.builder != builder) refuse_mixture();
  return term.expression;
}

template <class Operation>
void add_binary(py::class_<Term>& type, const char* name, const char* reflected,
                Operation operation) {
  type.def(
      name,
      [operation](const Term& a, const Operand& b) {
        return Term{a.builder, operation(a.expression, in_graph(a.builder, b))};
      },
      py::is_operator());
  type.def(
      reflected,
      [operation](const Term& a, const Operand& b) {
        return Term{a.builder, operation(in_graph(a.builder, b), a.expression)};
      },
      py::is_operator());
}

void add_expression(py::module_& module) {
  py::class_<Term> type(module, "Expression",
                        "A scalar expression of a builder's states, parameters and time.");
  // NumPy's scalars leave the arithmetic to the expression.
  type.attr("__array_ufunc__") = py::none();
  add_binary(type, "__add__", "__radd__", [](Expression a, Expression b) { return a + b; });
  add_binary(type, "__sub__", "__rsub__", [](Expression a, Expression b) { return a - b; });
  add_binary(type, "__mul__", "__rmul__", [](Expression a, Expression b) { return a * b; });
  add_binary(type, "__truediv__", "__rtruediv__", [](Expression a, Expression b) { return a / b; });
  add_binary(type, "__pow__", "__rpow__", [](Expression a, Expression b) {
    return b.is_constant() ? pow(a, b.node().value) : pow(a, b);
  });
  type.def("__neg__", [](const Term& a) { return Term{a.builder, -a.expression}; });
  type.def("__pos__", [](const Term& a) { return a; });
  type.def("__abs__", [](const Term& a) { return Term{a.builder, abs(a.expression)}; });
  type.def("__repr__", [](const Term& a) { return to_string(a.expression); });
  type.def(
      "__eq__", [](const Term& a, const Term& b) { return a.expression == b.expression; },
      py::is_operator());
  type.def("__hash__", [](const Term& a) { return a.expression.id(); });
}

// The functions of one argument, by the names of the language.
void add_functions(py::module_& module) {
  py::dict table;
  for (const std::string& name : function_names()) {
    const FunctionInfo* function = find_function(name);
    if (function == nullptr || function->arguments != 1) continue;
    table[py::str(name)] = py::cpp_function([function](const Term& a) {
      return Term{a.builder, function->make({&a.expression, 1})};
    });
  }
  module.attr("functions") = table;
  module.def("minimum", [](const Term& a, const Operand& b) {
    return Term{a.builder, min(a.expression, in_graph(a.builder, b))};
  });
  module.def("maximum", [](const Term& a, const Operand& b) {
    return Term{a.builder, max(a.expression, in_graph(a.builder, b))};
  });
  module.def("sum_of", [](const std::vector<Term>& terms) {
    if (terms.empty()) throw Error(ErrorKind::usage, "The sum of no expressions has no graph.");
    std::vector<Expression> all;
    all.reserve(terms.size());
    for (const Term& term : terms) all.push_back(in_graph(terms.front().builder, term));
    return Term{terms.front().builder, sum(terms.front().builder->graph(), all)};
  });
}

using Shared = std::shared_ptr<Builder>;

std::vector<Term> in_terms(const Shared& builder, const std::vector<Expression>& expressions) {
  std::vector<Term> terms;
  terms.reserve(expressions.size());
  for (const Expression& expression : expressions) terms.push_back({builder, expression});
  return terms;
}

Term path(const Shared& b, const std::string& name, const std::string& kind,
          const Operand& followed) {
  const PathFunctionalKind* known = find_path_functional_kind(kind);
  if (known == nullptr) {
    throw Error(ErrorKind::usage, "There is no functional '" + kind +
                                      "' of the path: the kinds are max, min, integral and first.");
  }
  return {b, b->path(name, *known, in_graph(b, followed))};
}

}  // namespace

void add_builder(py::module_& module) {
  add_expression(module);
  add_functions(module);
  py::class_<Builder, Shared>(module, "Builder")
      .def(py::init([](const std::string& name, bool is_map) {
        return std::make_shared<Builder>(name, is_map ? Dynamics::map : Dynamics::sde);
      }))
      .def("time_variable",
           [](const Shared& b) {
             return Term{b, b->time()};
           })
      .def("parameter",
           [](const Shared& b, const std::string& name, double value, double lower, double upper,
              bool fixed) {
             return Term{b, b->parameter(name, value, lower, upper, fixed)};
           })
      .def("parameters",
           [](const Shared& b, const std::string& name, const std::vector<double>& values,
              double lower, double upper,
              bool fixed) { return in_terms(b, b->parameters(name, values, lower, upper, fixed)); })
      .def("state",
           [](const Shared& b, const std::string& name, double lower, double upper) {
             return Term{b, b->state(name, Range{lower, upper})};
           })
      .def("states",
           [](const Shared& b, const std::string& name, std::size_t size, bool periodic,
              double lower, double upper) {
             return in_terms(b, b->states(name, size, periodic, Range{lower, upper}));
           })
      .def("input",
           [](const Shared& b, const std::string& name, const py::object& times,
              const py::object& values, bool steps, bool hold) {
             Input input;
             input.name = name;
             input.interpolation = steps ? Interpolation::step : Interpolation::linear;
             input.hold = hold;
             input.knots =
                 std::make_shared<const Knots>(to_list(times, "t"), to_list(values, "values"));
             return Term{b, b->input(std::move(input))};
           })
      .def("let",
           [](const Shared& b, const std::string& name, const std::vector<Operand>& values) {
             std::vector<Expression> expressions;
             expressions.reserve(values.size());
             for (const Operand& value : values) expressions.push_back(in_graph(b, value));
             b->let(name, std::move(expressions));
           })
      .def("drift", [](const Shared& b, const Term& state,
                       const Operand& rate) { b->drift(in_graph(b, state), in_graph(b, rate)); })
      .def("noise",
           [](const Shared& b, const Term& state, const std::string& brownian,
              const Operand& amplitude) {
             b->noise(in_graph(b, state), brownian, in_graph(b, amplitude));
           })
      .def("initial_normal",
           [](const Shared& b, const Term& state, const Operand& mean, const Operand& deviation) {
             b->initial_normal(in_graph(b, state), in_graph(b, mean), in_graph(b, deviation));
           })
      .def("initial_lognormal",
           [](const Shared& b, const Term& state, const Operand& mu, const Operand& deviation) {
             b->initial_lognormal(in_graph(b, state), in_graph(b, mu), in_graph(b, deviation));
           })
      .def("initial_point",
           [](const Shared& b, const Term& state, const Operand& value) {
             b->initial_point(in_graph(b, state), in_graph(b, value));
           })
      .def("observe", [](const Shared& b, const std::string& name,
                         const Operand& value) { b->observe(name, in_graph(b, value)); })
      .def("observe_normal",
           [](const Shared& b, const std::string& name, const Operand& mean,
              const Operand& deviation) {
             b->observe_normal(name, in_graph(b, mean), in_graph(b, deviation));
           })
      .def("path", &path)
      .def("time", [](const Shared& b, double start, double step, double end,
                      double tamed) { b->time(start, step, end, tamed); })
      .def("build", [](const Shared& b) { return b->build(); });
}

}  // namespace divker::python
