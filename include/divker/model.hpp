// What a model is: states, parameters with bounds, drift, noise columns, initial law, time grid.
//
//   dx = F(t, x; gamma) dt + sum_k S_k(t, x; gamma) dB_k ,   x_0 ~ h_0(. ; gamma)      (Ito)
//   x' = f(t, x; gamma) + sum_k S_k(t, x; gamma) xi_k                                  (map)
//
// A Model is immutable and validated. It comes from the language (divker/language.hpp) or from a
// ModelBuilder.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"
#include "divker/input.hpp"
#include "divker/matrix.hpp"
#include "divker/network.hpp"
#include "divker/path_functional.hpp"
#include "divker/time_grid.hpp"

namespace divker {

enum class Dynamics { sde, map };

// Larger models are refused: their steps are too long to compile (Kernel::most_operations), and
// the joint noise of many states cannot be inverted in symbols.
inline constexpr std::size_t most_states = 10'000;
inline constexpr std::size_t most_parameters = 100'000;
inline constexpr std::size_t most_noises = 100'000;
inline constexpr std::size_t most_functionals = 1'000;
inline constexpr std::size_t most_coupled_states = 500;  // that share Brownian motions

// How noise enters, which decides what the step costs and which damping it admits.
enum class NoiseClass {
  scalar,      // one amplitude, common to all states, each with its own Brownian motion
  diagonal,    // each state has its own Brownian motions
  full,        // states share Brownian motions: S S^T is not diagonal
  degenerate,  // some states carry no noise; the others are of one of the kinds above
};
[[nodiscard]] std::string_view name_of(NoiseClass noise_class);

// A scalar parameter. Component i of a vector parameter a is named "a[i]", that of a matrix
// "a[i,j]".
struct Parameter {
  std::string name;
  double value = 0.0;
  double lower = -std::numeric_limits<double>::infinity();  // open interval (lower, upper)
  double upper = std::numeric_limits<double>::infinity();
  bool fixed = false;  // not differentiated, not fitted
  NodeId node = 0;     // its input in the graph
};

// What a fit tells of the error of one of its estimates.
struct EstimateError {
  std::size_t parameter = 0;
  double standard_error = 0.0;
  std::vector<double> correlations;  // with those before it; what is missing is 0
};

// A name and a unit for people: "temperature", "K".
struct Label {
  std::string words;
  std::string unit;  // "": none
};

// The open interval in which a state stays; the whole line if nothing is declared.
struct Range {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();

  [[nodiscard]] static Range positive() { return {0.0, std::numeric_limits<double>::infinity()}; }
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool is_finite() const;  // at both ends
  [[nodiscard]] bool contains(double x) const { return x > lower && x < upper; }
  // As it is declared: "positive", "in (0, 1)".
  [[nodiscard]] std::string text() const;
  bool operator==(const Range&) const = default;
};

// A vector family as it was declared, for printing and for `--wrt a`: names "a[0]" ... "a[n-1]", or
// of a matrix "a[0,0]", "a[0,1]", ..., row by row.
struct Family {
  std::string name;
  std::size_t first = 0;  // index of component 0 among the states or parameters
  std::size_t size = 1;
  bool is_vector = false;
  bool periodic = false;    // states only: indices wrap
  Range range;              // states only, see State
  std::size_t columns = 0;  // of a matrix of parameters; 0: none

  [[nodiscard]] std::string component(std::size_t i) const;  // the name of the i-th
};

// A state with a range is stepped in a coordinate that keeps it inside, by Ito's formula
// (divker/state_coordinates.hpp, docs/robust.md): a positive one in its logarithm,
//   d log w = (F/w - 1/2 sum_k (S_k/w)^2) dt + sum_k S_k/w dB_k .
// Equations, initial laws, points and answers are those of w all the same.
struct State {
  std::string name;
  NodeId node = 0;
  Range range;
};

enum class InitialKind { normal, lognormal, point, samples };

// The initial law of one state. normal(a, b): mean a, standard deviation b. lognormal(a, b): log x
// is normal(a, b). point: x = a. Expressions of parameters, and of states that start from samples.
// samples: row of a file; a is a typical value.
struct InitialLaw {
  InitialKind kind = InitialKind::point;
  NodeId a = 0;
  NodeId b = 0;
  std::string file;  // samples: as written in the model
};

// What is measured of the states: y = value, or y ~ normal(value, deviation), a standard normal
// number of its own for every measurement. Both are expressions of the states, the parameters and
// the time. Component i of a vector of observations y is named "y[i]".
struct Observation {
  std::string name;
  NodeId value = 0;
  NodeId deviation = 0;  // of the noise; unused where there is none
  bool noisy = false;
};

// One nonzero entry S(row, column) of the noise matrix.
struct NoiseEntry {
  std::size_t row = 0;
  std::size_t column = 0;
  NodeId amplitude = 0;
};

class Model {
 public:
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Dynamics dynamics() const { return dynamics_; }
  [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
  [[nodiscard]] std::size_t dimension() const { return states_.size(); }         // M
  [[nodiscard]] std::size_t noise_count() const { return noise_names_.size(); }  // K

  [[nodiscard]] const std::vector<State>& states() const { return states_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<Family>& state_families() const { return state_families_; }
  [[nodiscard]] const std::vector<Family>& parameter_families() const {
    return parameter_families_;
  }
  [[nodiscard]] NodeId time_input() const { return time_; }
  [[nodiscard]] const std::vector<Input>& inputs() const { return inputs_; }
  // The nodes that stand for functions of time: t, and u of every input.
  [[nodiscard]] std::vector<NodeId> time_nodes() const;
  [[nodiscard]] const std::vector<NodeId>& drift() const { return drift_; }  // F, or f of a map
  [[nodiscard]] const std::vector<NoiseEntry>& noise() const { return noise_; }
  [[nodiscard]] const std::vector<std::string>& noise_names() const { return noise_names_; }
  [[nodiscard]] const std::vector<InitialLaw>& initial() const { return initial_; }
  [[nodiscard]] const TimeGrid& time() const { return time_grid_; }
  // Empty: the states themselves are what is measured.
  [[nodiscard]] const std::vector<Observation>& observations() const { return observations_; }
  // Functionals of the path, which observables know by their names.
  [[nodiscard]] const std::vector<PathFunctional>& functionals() const { return functionals_; }
  [[nodiscard]] const std::vector<Family>& functional_families() const {
    return functional_families_;
  }
  // Shared sub-expressions by the name of their `let`, for observables and printing.
  [[nodiscard]] const std::map<std::string, std::vector<NodeId>>& lets() const { return lets_; }

  // Of states, parameters and observations, by the name of the whole vector.
  [[nodiscard]] const std::map<std::string, Label>& labels() const { return labels_; }
  // "temperature [K]" for T or T[2]; the name itself where there is no label.
  [[nodiscard]] std::string title_of(std::string_view name) const;

  [[nodiscard]] NoiseClass noise_class() const { return noise_class_; }
  // S S^T is diagonal on the noisy states.
  [[nodiscard]] bool has_diagonal_covariance() const { return diagonal_covariance_; }
  [[nodiscard]] const std::vector<bool>& noisy() const { return noisy_; }  // per state
  // Why S S^T is singular on the noisy states at the start, in a sentence; "" where it is not.
  // States need no inverse; a score and a likelihood ratio do (divker/plan.hpp).
  [[nodiscard]] const std::string& singular_noise() const { return singular_noise_; }
  // Has every coordinate a known initial density? Otherwise the start must be score-free.
  [[nodiscard]] bool has_initial_density() const;
  [[nodiscard]] bool starts_from_samples() const;
  // Has a state a range?
  [[nodiscard]] bool has_bounded_states() const;
  // A copy whose states that end at zero, or at 0 and 1, are stepped in their roots as if their
  // range were declared, wherever that is possible (divker/state_coordinates.hpp). The equations,
  // their text and their hash stay.
  [[nodiscard]] Model stepped_in_roots() const;
  [[nodiscard]] bool is_stepped_in_roots() const { return in_roots_; }

  [[nodiscard]] const std::vector<Network>& networks() const { return networks_; }
  // With these weights for a network, in the order of its parameters; text() refers to `file` for
  // them, or lists them where file is "". Error(usage) for another number of them.
  [[nodiscard]] Model with_weights(std::size_t network, std::span<const double> weights,
                                   const std::string& file) const;
  [[nodiscard]] std::vector<double> weights(std::size_t network) const;

  [[nodiscard]] std::vector<double> parameter_values() const;
  // Index of a scalar parameter; Error(usage) naming the known ones.
  [[nodiscard]] std::size_t parameter_index(std::string_view name) const;
  // "a" gives all components of a family, "a[2]" one, or a row of a matrix, "a[2,1]" one of a
  // matrix, "h" all weights of a network: for --wrt and --set.
  [[nodiscard]] std::vector<std::size_t> parameter_indices(std::string_view name) const;
  // All that are not fixed.
  [[nodiscard]] std::vector<std::size_t> free_parameters() const;

  // Copies with other values. Names as in parameter_indices, and `dt`, `T`, `tamed` for the time
  // grid. Error(usage) for unknown names; Error(model) outside the bounds, and for a tamed map.
  [[nodiscard]] Model with_value(std::string_view name, double value) const;
  [[nodiscard]] Model with_parameters(std::span<const double> values) const;
  [[nodiscard]] Model with_time(const TimeGrid& grid) const;
  // What a fit said of its estimates, in the order of the parameters; empty: nothing. They are
  // about the current values. Error(model) for a parameter out of order, a standard error that is
  // not positive, and correlations that are no correlations.
  [[nodiscard]] const std::vector<EstimateError>& errors() const { return errors_; }
  [[nodiscard]] Model with_errors(std::vector<EstimateError> errors) const;
  // Without those of some parameters, which are then known exactly.
  [[nodiscard]] Model without_errors_of(std::span<const std::size_t> parameters) const;
  // With these parameters fixed beside those that are, or free: text() tells of whole families.
  // Whether observations allow a free one is checked where the text is parsed again.
  [[nodiscard]] Model with_fixed(std::span<const std::size_t> parameters, bool fixed = true) const;
  // The rows of the files that the initial law names, or others of the user's: rows x M. Null: not
  // read yet.
  [[nodiscard]] const std::shared_ptr<const Matrix>& samples() const { return samples_; }
  [[nodiscard]] Model with_samples(std::shared_ptr<const Matrix> rows) const;
  // With another initial law, for the whole state: rows of a file of that name, to be given by
  // with_samples().
  [[nodiscard]] Model starting_from_samples(const std::string& file) const;

  // With these knots for its inputs, in their order; null: not read yet. Error(model) where drift
  // or noise are not finite at the start, or the start lies outside the knots.
  [[nodiscard]] Model with_inputs(std::span<const std::shared_ptr<const Knots>> knots) const;
  // False where an input has no knots yet.
  [[nodiscard]] bool has_read_inputs() const;

  // The model in the language, with its current parameter values and time grid: what was parsed,
  // or for a built model the equations component by component. Parses to an equal model.
  [[nodiscard]] std::string text() const;
  // A number for the equations (not the values of parameters), as 16 hexadecimal digits.
  [[nodiscard]] std::string hash() const;

  // Values of the graph's inputs, ready for evaluate(): state x, time t, the model's inputs at t
  // and its parameters.
  [[nodiscard]] std::vector<double> input_values(std::span<const double> x, double t) const;
  // Mean of the initial law (median of lognormal; of samples zero, or the middle that was given).
  [[nodiscard]] std::vector<double> initial_mean() const;
  // S at a point, dimension() x noise_count().
  [[nodiscard]] Matrix noise_matrix(std::span<const double> x, double t) const;

 private:
  friend class ModelBuilder;
  Model() = default;

  std::string name_;
  Dynamics dynamics_ = Dynamics::sde;
  std::shared_ptr<const Graph> graph_;
  NodeId time_ = 0;
  std::vector<Input> inputs_;
  std::vector<State> states_;
  std::vector<Parameter> parameters_;
  std::vector<Family> state_families_;
  std::vector<Family> parameter_families_;
  std::vector<Network> networks_;
  std::vector<NodeId> drift_;
  std::vector<NoiseEntry> noise_;
  std::vector<std::string> noise_names_;
  std::vector<InitialLaw> initial_;
  std::vector<Observation> observations_;
  std::vector<PathFunctional> functionals_;
  std::vector<Family> functional_families_;
  std::map<std::string, std::vector<NodeId>> lets_;
  std::map<std::string, Label> labels_;
  std::vector<EstimateError> errors_;
  TimeGrid time_grid_;
  NoiseClass noise_class_ = NoiseClass::diagonal;
  bool diagonal_covariance_ = true;
  std::vector<bool> noisy_;
  std::string singular_noise_;
  bool in_roots_ = false;
  std::shared_ptr<const Matrix> samples_;
  // Statements of the source, to be printed again; a parameter or time statement is remade from
  // the current values. Empty for built models.
  std::function<std::string(const Model&)> printer_;
};

// Assembles a model from expressions, about as many lines as the model has equations:
//
//   ModelBuilder b("ou");
//   auto a = b.parameter("a", 1.0), s = b.parameter("s", 1.0, 0.0, infinity);
//   auto x = b.state("x");
//   b.drift(x, -a * x);
//   b.noise(x, "W", s);
//   b.initial_normal(x, 0.0, 1.0);
//   b.time(0.0, 0.01, 1.0);
//   Model model = b.build();
//
// Parameters and states are numbered in the order of their declaration: give each a statement of
// its own, since C++ evaluates the arguments of one call in any order.
class ModelBuilder {
 public:
  explicit ModelBuilder(std::string name, Dynamics dynamics = Dynamics::sde);

  [[nodiscard]] Graph& graph() { return *graph_; }
  [[nodiscard]] Expression time();

  // Declarations. Error(model) for names used twice or that are not identifiers.
  Expression parameter(const std::string& name, double value,
                       double lower = -std::numeric_limits<double>::infinity(),
                       double upper = std::numeric_limits<double>::infinity(), bool fixed = false);
  std::vector<Expression> parameters(const std::string& name, std::span<const double> values,
                                     double lower = -std::numeric_limits<double>::infinity(),
                                     double upper = std::numeric_limits<double>::infinity(),
                                     bool fixed = false);
  // The same with bounds for each component (or one pair for all), and with columns > 0 a matrix of
  // values.size()/columns rows, row by row.
  std::vector<Expression> parameters(const std::string& name, std::span<const double> values,
                                     std::span<const Range> bounds, bool fixed,
                                     std::size_t columns = 0);
  // The weights of a network as parameters, W_1, b_1, W_2, ..., for Network::apply. They start from
  // initial_weights().
  std::vector<Expression> network(Network network);
  Expression state(const std::string& name, const Range& range = {});
  std::vector<Expression> states(const std::string& name, std::size_t size, bool periodic = false,
                                 const Range& range = {});
  // The same with the range of a positive state.
  Expression state(const std::string& name, bool positive) {
    return state(name, positive ? Range::positive() : Range{});
  }
  std::vector<Expression> states(const std::string& name, std::size_t size, bool periodic,
                                 bool positive) {
    return states(name, size, periodic, positive ? Range::positive() : Range{});
  }
  void let(const std::string& name, std::vector<Expression> values);
  // u, a function of time alone. Its node is made here; its knots may be given, or come later.
  Expression input(Input input);

  // Equations. Terms for the same state add up. `brownian` names the Brownian motion, such as "W"
  // or "W[3]"; equal names are the same motion.
  void drift(Expression state, Expression rate);
  void noise(Expression state, const std::string& brownian, Expression amplitude);

  void initial_normal(Expression state, Expression mean, Expression standard_deviation);
  void initial_normal(Expression state, double mean, double standard_deviation);
  void initial_normal(Expression state, Expression mean, double standard_deviation);
  void initial_normal(Expression state, double mean, Expression standard_deviation);
  void initial_lognormal(Expression state, Expression mu, Expression standard_deviation);
  void initial_point(Expression state, Expression value);
  void initial_point(Expression state, double value);
  void initial_samples(Expression state, const std::string& file);
  // The same, where a typical value is known. The laws of other states may depend on a state that
  // starts from samples: they are drawn at its sample.
  void initial_samples(Expression state, const std::string& file, double middle);

  // What is measured, without and with noise; names as "y" or "y[3]".
  void observe(const std::string& name, Expression value);
  void observe_normal(const std::string& name, Expression mean, Expression standard_deviation);

  // A functional of the path, of what is followed: for a kind that takes a condition the difference
  // that is above zero where it holds. Names as "m", or "m[0]", "m[1]", ... in this order. What is
  // returned stands for it in observables. Error(model) for integrals of maps, and where what is
  // followed has a kink or a jump in the states that the bridge between two times would not know
  // of.
  Expression path(const std::string& name, const PathFunctionalKind& kind, Expression followed);

  void time(double start, double step, double end, double tamed = 0.0);
  // Of a state, parameter or observation, or of a whole vector of them.
  void label(const std::string& name, Label label);
  void printer(std::function<std::string(const Model&)> print);

  // Checks everything and classifies the noise. Error(model) when a limit is exceeded, a state
  // lacks its equation or initial law, a parameter is outside its bounds, drift or noise are not
  // finite at the initial law's mean, an observation without noise depends on a parameter that is
  // not fixed, a range leaves nothing between its ends, a state starts from a law or a point
  // outside its range, or a map has states with a range or a tamed grid.
  [[nodiscard]] Model build();

 private:
  void declare(const std::string& name, bool of_parameter = false);
  void declare_observation(const std::string& name);
  void declare_functional(const std::string& name);
  void check_bridged(const std::string& name, Expression followed) const;
  [[nodiscard]] std::size_t index_of(Expression state) const;
  void set_initial(Expression state, InitialLaw law);
  void check_complete() const;
  void collect_noise(Model& model) const;
  void check_observations(const Model& model) const;
  void check_ranges(const Model& model) const;

  std::shared_ptr<Graph> graph_;
  Model model_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t> columns_;  // of the noise matrix, by name
  std::vector<std::optional<Expression>> drift_;
  std::vector<std::vector<std::pair<std::size_t, Expression>>> noise_;  // per state: column, term
  std::vector<std::optional<InitialLaw>> initial_;
  bool has_time_ = false;
};

}  // namespace divker
