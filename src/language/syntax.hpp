// What the parser makes of a text, before indices are expanded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "divker/model.hpp"
#include "model/functions.hpp"

namespace divker {

// The fault of a comparison that stands for a number.
inline constexpr std::string_view comparison_misplaced =
    "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0).";

enum class SyntaxKind {
  number,       // value
  name,         // a scalar, a free index, t or pi
  component,    // name[operand 0], or name[operand 0, operand 1] of a matrix
  element,      // (operand 0)[operand 1], or with operand 2
  dot,          // dot(operand 0, operand 1)
  network,      // name(operands)
  call,         // function(operands)
  sum_over,     // sum(name, operand 0 : operand 1, operand 2)
  additive,     // operands joined by signs '+' and '-', one sign before each
  product,      // operands joined by '*' and '/', one before each; the first is '*'
  power,        // operand 0 ^ operand 1
  negative,     // - operand 0
  comparison,   // operand 0 name operand 1, where the name is < <= > >= == or !=
  conjunction,  // all operands hold
  disjunction,  // one of the operands holds
  negation,     // operand 0 does not hold
};

struct Syntax {
  SyntaxKind kind = SyntaxKind::number;
  std::size_t offset = 0;  // in the text, for messages
  double value = 0.0;
  std::string name;
  const FunctionInfo* function = nullptr;
  std::vector<Syntax> operands;
  std::string operators;
};

// One term of the right-hand side of an equation.
struct Term {
  bool negative = false;
  Syntax coefficient;
  std::string noise;            // "" : drift
  std::optional<Syntax> index;  // of the noise
  bool stratonovich = false;    // "o" before the noise
  std::size_t offset = 0;
};

struct Declarator {
  std::string name;
  std::size_t offset = 0;
  std::optional<Syntax> size;
  bool periodic = false;
  bool has_range = false;
  std::optional<Syntax> lower;    // of a range, and
  std::optional<Syntax> upper;    // none at infinity
  std::optional<Syntax> columns;  // of a matrix
  Label label = {};
};

// What stands left of the = of an equation, a let or an initial law.
struct Target {
  std::string name;  // of the state or let; "" : all states
  std::size_t offset = 0;
  std::string free_index;         // of x[i]
  std::optional<Syntax> literal;  // of x[0]
};

// A layer of a network.
struct SyntaxLayer {
  std::string activation;
  std::size_t offset = 0;
  Syntax width;
};

enum class StatementKind {
  model,
  param,
  constant,
  state,
  input,
  net,
  let,
  equation,
  init,
  observe,
  path,
  time,
  estimated
};

struct Statement {
  StatementKind kind = StatementKind::model;
  std::size_t offset = 0;
  std::size_t first_token = 0;
  std::size_t last_token = 0;  // one past
  std::vector<Declarator> declarators;
  Target target;
  std::vector<Syntax> values;  // right-hand side, arguments of a law, or start, step, end and
                               // perhaps the limit of a tamed grid; of an
                               // observation its value and, with noise, its deviation; of a
                               // functional what is followed, or its condition; of an estimate
                               // its standard error, and correlations
  bool is_list = false;
  std::size_t row_length = 0;  // of a list of rows, [[1, 2], [3, 4]]
  std::optional<Syntax> lower;
  std::optional<Syntax> upper;
  std::vector<std::optional<Syntax>> lower_list;  // one bound for each component
  std::vector<std::optional<Syntax>> upper_list;
  bool fixed = false;
  bool tamed = false;
  std::optional<Syntax> range_begin;  // let y[i, 0:9]
  std::optional<Syntax> range_end;
  std::vector<Term> terms;
  InitialKind law = InitialKind::point;
  std::string file;  // of samples, or of the weights of a network
  Input input;       // all but its node
  // Of a network, whose arguments are the declarators, and the values a list of weights.
  std::vector<SyntaxLayer> layers;
  std::optional<Syntax> seed;
  std::size_t head_end = 0;  // the token behind the arguments
  const PathFunctionalKind* functional = nullptr;
  Label label;  // of a parameter or an observation
};

}  // namespace divker
