// docs/theory.md, section 8: derivatives of the path itself, handed to the noise bit by bit.
#include "derive/damping.hpp"
#include "derive/likelihood_ratio.hpp"
#include "derive/noise_inverse.hpp"
#include "derive/ports.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

// The derivative of expressions along v in x and along one parameter.
class Direction {
 public:
  Direction(const Symbols& s, const Expression& parameter, const Vector& tangent)
      : s_(s), variables_(s.x), along_(tangent) {
    variables_.push_back(parameter);
    along_.push_back(s.constant(1.0));
  }
  [[nodiscard]] Vector of(const Vector& expressions) const {
    return directional_derivative(*s_.graph, expressions, variables_, along_);
  }
  [[nodiscard]] Expression of(const Expression& expression) const {
    return of(Vector{expression}).front();
  }

 private:
  const Symbols& s_;
  Vector variables_;
  Vector along_;
};

// One tangent after a step, and what is added to its likelihood ratio.
struct Handed {
  Vector tangent;
  Expression increment;
};

// The shift S^{-1} a w of the noise makes up for a w. Its own derivative by the noise is the trace
// tr(S^{-1} a W), W_k = D S_k, which is a D log det C / 2.
Handed hand_over(const Symbols& s, const NoiseInverse& inverse, const Direction& direction,
                 Vector w, Expression share) {
  const Vector told = inverse.covector_of_increment();
  Vector products;
  for (std::size_t e = 0; e < told.size(); ++e) {
    Expression& moved = w[inverse.noisy_rows()[e]];
    products.push_back(moved * told[e]);
    moved = (1.0 - share) * moved;
  }
  const Expression trace = 0.5 * direction.of(inverse.log_determinant());
  return {std::move(w), share * (sum(*s.graph, products) / s.h - trace)};
}

}  // namespace
}  // namespace derive

Program derive_tangent_step(const Model& model, const Method& method, const Asked& asked) {
  using namespace derive;
  const Symbols s(model, asked.wrt);
  const std::size_t dimension = s.x.size();
  const Vector arrival = chain(s, model).arrival;
  const bool is_handed = method.damping.argument_count() != 0;
  const std::optional<NoiseInverse> inverse =
      is_handed ? std::optional<NoiseInverse>(s) : std::nullopt;
  const Expression rate = s.graph->input("alpha");

  Vector before;
  Vector after;
  Vector increments;
  for (std::size_t p = 0; p < s.gamma.size(); ++p) {
    Vector tangent;
    for (std::size_t i = 0; i < dimension; ++i) {
      tangent.push_back(s.graph->input("v[" + std::to_string(p * dimension + i) + "]"));
    }
    before.insert(before.end(), tangent.begin(), tangent.end());
    const Direction direction(s, s.gamma[p], s.tangent_in_coordinates(tangent));
    Handed handed{direction.of(arrival), s.zero()};
    if (is_handed) {
      handed = hand_over(s, *inverse, direction, std::move(handed.tangent), rate * s.dt);
    }
    const Vector states = s.tangent_in_states(handed.tangent, arrival, s.gamma[p]);
    after.insert(after.end(), states.begin(), states.end());
    increments.push_back(handed.increment);
  }

  Program program;
  program.arguments = {state_argument(s), tangent_argument(before), noise_argument(s),
                       time_argument(s),  parameters_argument(s),   step_size_argument(s)};
  program.results = {state_result(arrival), tangent_result(after)};
  if (is_handed) {
    program.arguments.push_back(damping_argument({rate}));
    program.results.push_back(response_result(increments));
  }
  program.graph = s.graph;
  return s.in_states(std::move(program));
}

}  // namespace divker
