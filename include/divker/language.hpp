// The model language: one statement a line, like the equations in a paper.
//
//   model ou
//   param a = 1 in (0, inf)
//   param s = 1 in (0, inf)
//   state x
//   dx = -a*x dt + s dW
//   init x ~ normal(0, 1)
//   time 0 : 0.01 : 1
//
// The full reference is docs/language.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/model.hpp"

namespace divker {

// A fault in a text, with its place. what() holds the whole message: file, line, column, the line
// itself with a caret under the fault, and what was expected.
class LanguageError : public Error {
 public:
  LanguageError(const std::string& message, std::string file, std::size_t line, std::size_t column);
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] std::size_t line() const noexcept { return line_; }      // from 1
  [[nodiscard]] std::size_t column() const noexcept { return column_; }  // from 1

 private:
  std::string file_;
  std::size_t line_;
  std::size_t column_;
};

// Limits that keep a stranger's model from exhausting the machine; each has its own error.
struct LanguageLimits {
  std::size_t bytes = 1U << 20U;
  std::size_t nesting = 200;            // parentheses, calls, sums
  std::size_t vector_length = 100'000;  // components of one state, parameter or let
  std::size_t nodes = 1'000'000;        // of the expression graph; eight times as many are visited
  std::size_t components = 300'000;     // of all names together
};

// `file` is used in messages only. Throws LanguageError.
[[nodiscard]] Model parse_model(std::string_view text, const std::string& file = "<text>",
                                const LanguageLimits& limits = {});

// A file, "-" for standard input, or the name of a shipped model ("ou"). Error(model) when neither
// exists, naming similar shipped models. Shipped models are looked for in $DIVKER_MODELS, then
// beside the library
// (../share/divker/models), then in the source tree.
[[nodiscard]] Model load_model(const std::string& file_or_name);

// The equations, laws and parameters in LaTeX, as `aligned` lines for a display formula. Names of
// Greek letters become those letters, and digits and what follows an underscore go below the line:
// sigma_v is \sigma_{v}. Cost: that of parsing the model's text.
[[nodiscard]] std::string latex(const Model& model);
// The same in MathML, a <math> element that browsers typeset themselves.
[[nodiscard]] std::string mathml(const Model& model);

struct ShippedModel {
  std::string name;
  std::string path;
  std::string summary;  // the first comment line of the file
};
[[nodiscard]] std::vector<ShippedModel> shipped_models();

// An expression over the states, parameters, lets and time of a model, such as "x^2" or
// "sum(i, 0:39, x[i]^2)/40", for observables. `x` alone where x is a vector is an error that says
// so. The result lives in `graph`, which must be a copy of (or extend) the model's own graph.
// `constants`: numbers that it may name beside what the model declares.
[[nodiscard]] Expression parse_expression(
    std::string_view text, const Model& model, Graph& graph,
    const std::vector<std::pair<std::string, double>>& constants = {});

}  // namespace divker
