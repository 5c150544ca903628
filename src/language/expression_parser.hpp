// The part of the parser that reads expressions.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "language/parser.hpp"

namespace divker {

// What names may stand for: each context allows those before it.
enum class Context {
  numbers,     // numbers and constants
  parameters,  // initial laws
  everything,  // equations and lets
  observables,
};

class ExpressionParser {
 public:
  ExpressionParser(const Source& source, const std::vector<Token>& tokens,
                   const Declarations& declarations, Dynamics dynamics)
      : source_(source), tokens_(tokens), declarations_(declarations), dynamics_(dynamics) {}

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view symbol);
  // `after` completes the sentence "')' was expected after ...".
  void expect(std::string_view symbol, const std::string& after);
  [[noreturn]] void fail(const Token& token, const std::string& message) const;
  [[nodiscard]] std::size_t position() const { return at_; }
  void move_to(std::size_t position) { at_ = position; }

  void set_context(Context context) { context_ = context; }
  // Whether an undeclared name like dW (or xi in a map) is noise; otherwise it is just unknown.
  void allow_noise(bool allowed) { noise_allowed_ = allowed; }
  void bind_index(const Token& token);
  void release_index() { indices_.pop_back(); }

  [[nodiscard]] Syntax expression();
  [[nodiscard]] Syntax primary();               // a number, a name, or what is in parentheses
  [[nodiscard]] Syntax index();                 // after [ up to and with ]
  [[nodiscard]] std::vector<Syntax> indices();  // the same, one or two
  [[nodiscard]] std::vector<Term> terms();      // a right-hand side
  [[nodiscard]] bool is_declared(std::string_view name) const {
    return declarations_.find(name) != declarations_.end();
  }
  // The token as it is shown in messages.
  [[nodiscard]] static std::string shown(const Token& token);

 private:
  struct Deeper;

  [[nodiscard]] bool is_noise(const Token& token) const;
  [[nodiscard]] bool is_circle(const Token& token, const Token& next) const;
  [[nodiscard]] bool is_index(std::string_view name) const;
  [[nodiscard]] bool is_kind(std::string_view name, SymbolKind kind) const;
  [[nodiscard]] Syntax conjunction();
  [[nodiscard]] Syntax negation();
  [[nodiscard]] Syntax comparison();
  [[nodiscard]] Syntax additive();
  [[nodiscard]] Syntax product();
  [[nodiscard]] Syntax factor();
  [[nodiscard]] Syntax named();
  [[nodiscard]] Syntax call(const Token& name);
  [[nodiscard]] Syntax sum_over(const Token& name);
  [[nodiscard]] Syntax dot(const Token& name);
  [[nodiscard]] Syntax network(const Token& name);
  [[nodiscard]] Syntax element_of(Syntax base);
  [[nodiscard]] Term term();
  void noise_factor(Term& term);
  void check_name(const Token& token, bool has_index) const;
  void argument_of_input(const Token& name);
  void check_end_of_product() const;
  [[noreturn]] void unknown(const Token& token) const;
  [[noreturn]] void misplaced_noise(const Token& token) const;
  [[nodiscard]] std::string taken_for_noise(const std::string& name) const;  // advice
  [[nodiscard]] std::vector<std::string> candidates() const;                 // for did_you_mean
  void enter(const Token& token);

  const Source& source_;
  const std::vector<Token>& tokens_;
  const Declarations& declarations_;
  Dynamics dynamics_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool noise_allowed_ = false;
  Context context_ = Context::everything;
  std::vector<std::string> indices_;
};

}  // namespace divker
