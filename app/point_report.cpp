#include "point_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "divker/error.hpp"
#include "divker/exact_density.hpp"

namespace divker::app {
namespace {

// Columns: the states, then for each quantity its value and error bar, then 1 where outside.
Table answer_table(const Model& model, const PointAnswer& answer, const std::string& key) {
  Table table;
  for (const State& state : model.states()) table.columns.push_back(state.name);
  for (const std::string& name : answer.names) {
    table.columns.push_back(fmt::format("{}.{}", key, name));
    table.columns.emplace_back("stderr." + name);
  }
  table.columns.emplace_back("outside");
  const std::size_t states = answer.points.cols;
  table.values = Matrix(answer.points.rows, table.columns.size());
  for (std::size_t r = 0; r < answer.points.rows; ++r) {
    for (std::size_t c = 0; c < states; ++c) table.values(r, c) = answer.points(r, c);
    for (std::size_t q = 0; q < answer.names.size(); ++q) {
      table.values(r, states + 2 * q) = answer.prediction.value(r, q);
      table.values(r, states + 2 * q + 1) = answer.prediction.standard_error(r, q);
    }
    table.values(r, table.columns.size() - 1) = answer.prediction.outside[r] ? 1.0 : 0.0;
  }
  return table;
}

void print_point(const Model& model, const PointAnswer& answer, std::size_t r) {
  constexpr std::size_t shown = 6;
  std::string point;
  for (std::size_t c = 0; c < std::min(shown, answer.points.cols); ++c) {
    point += fmt::format("{}{} = {:.6g}", c == 0 ? "" : ", ", model.states()[c].name,
                         answer.points(r, c));
  }
  if (answer.points.cols > shown) point += ", ...";
  fmt::print(
      "{}{}\n", point,
      answer.prediction.outside[r] ? "   (outside the sample: the error bar is a guess)" : "");
  for (std::size_t q = 0; q < answer.names.size(); ++q) {
    fmt::print("  {:>12} {:>12.5g} +- {:<10.2g}\n", answer.names[q], answer.prediction.value(r, q),
               answer.prediction.standard_error(r, q));
  }
}

// One line a point, while it fits a screen.
void print_table(const Model& model, const PointAnswer& answer, const std::string& key) {
  constexpr std::size_t widest = 5;
  if (answer.points.cols + answer.names.size() > widest) {
    for (std::size_t r = 0; r < answer.points.rows; ++r) print_point(model, answer, r);
    return;
  }
  for (const State& state : model.states()) fmt::print("{:>12} ", state.name);
  for (const std::string& name : answer.names)
    fmt::print(" {:>25}", fmt::format("{} {}", key, name));
  fmt::print("\n");
  for (std::size_t r = 0; r < answer.points.rows; ++r) {
    for (std::size_t c = 0; c < answer.points.cols; ++c) {
      fmt::print("{:>12.5g} ", answer.points(r, c));
    }
    for (std::size_t q = 0; q < answer.names.size(); ++q) {
      fmt::print(" {:>12.5g} +- {:<9.2g}", answer.prediction.value(r, q),
                 answer.prediction.standard_error(r, q));
    }
    fmt::print("{}\n", answer.prediction.outside[r] ? "  outside the sample" : "");
  }
}

ExactDensity solve_exactly(const PointOptions& options, const Model& model,
                           const PointAnswer& answer, const std::vector<std::size_t>& parameters) {
  TimeGrid grid = model.time();
  if (options.has_time) grid.end = options.time;
  const Model until = model.with_time(grid);
  const std::vector<double>& points = answer.points.data;
  const Interval interval = density_interval(until, points);
  return exact_density(until, parameters, points, interval.lower, interval.upper);
}

// What the Fokker-Planck equation says of the estimated values.
Matrix exact_values(const ExactDensity& exact, bool is_score) {
  if (!is_score) return exact.response;
  Matrix values(exact.score.size(), 1);
  values.data = exact.score;
  return values;
}

void print_exact(const PointAnswer& answer, const Matrix& exact) {
  double worst = 0.0;
  fmt::print("\nFokker-Planck:\n");
  for (std::size_t r = 0; r < exact.rows; ++r) {
    fmt::print("{:>12.5g} ", answer.points(r, 0));
    for (std::size_t q = 0; q < exact.cols; ++q) {
      const double error = answer.prediction.value(r, q) - exact(r, q);
      const double bar = answer.prediction.standard_error(r, q);
      worst = std::max(worst, std::fabs(error) / bar);
      fmt::print(" {:>12.5g} {:>+6.1f} bars", exact(r, q), error / bar);
    }
    fmt::print("\n");
  }
  fmt::print("the estimates are at most {:.1f} error bars away\n", worst);
}

}  // namespace

void PointOptions::declare_all(CLI::App& command) {
  declare(command);
  declare_damping(command);
  command.add_option("--at", at, "Points: a table whose columns are the states")
      ->type_name("FILE")
      ->check(not_empty());
  command.add_option("--grid", grid, "Number of points of the default grid (1-D models)")
      ->type_name("N")
      ->check(whole_number())
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      .add_option_function<double>(
          "--time",
          [this](double value) {
            time = value;
            has_time = true;
          },
          "Time of the density (default: the end of the time grid)")
      ->type_name("T")
      ->check(finite_number());
  command.add_flag("--fokker-planck", fokker_planck,
                   "Compare with a solution of the Fokker-Planck equation (1-D models)");
  std::vector<std::string> regressors = regressor_names();
  regressors.emplace_back(local_sums_regressor);
  command
      .add_option("--regressor", regressor,
                  "Conditional expectation: default by dimension and size")
      ->check(CLI::IsMember(regressors));
  command.add_option("--neighbours", regressor_options.neighbours, "Neighbours; 0: chosen")
      ->type_name("N")
      ->check(whole_number());
  command.add_option("--bins", regressor_options.bins, "Bins; 0: chosen")
      ->type_name("N")
      ->check(whole_number());
  command
      .add_option("--bandwidth", regressor_options.bandwidth,
                  "Kernel bandwidth in standard deviations; 0: chosen")
      ->type_name("X");
  command.add_option("--degree", regressor_options.degree, "Degree of the polynomial")
      ->check(CLI::IsMember({1, 2}));
}

AnswerOptions PointOptions::answer_options_with_points(const LoadedModel& loaded) const {
  if (fokker_planck && loaded.model.dynamics() == Dynamics::map) {
    throw Error(ErrorKind::usage,
                fmt::format("--fokker-planck is for SDEs; model {} is a discrete-time map.",
                            loaded.model.name()));
  }
  if (fokker_planck && loaded.model.dimension() != 1) {
    throw Error(ErrorKind::usage,
                fmt::format("--fokker-planck is for models of one state; model {} has {}.",
                            loaded.model.name(), loaded.model.dimension()));
  }
  AnswerOptions answer = answer_options(*this, loaded);
  answer.regressor = regressor;
  answer.regressor_options = regressor_options;
  if (has_time) answer.run.snapshots = {time};
  return answer;
}

int report_points(const PointOptions& options, const Model& model, const PointAnswer& answer,
                  const std::string& key, const std::vector<std::size_t>& parameters,
                  const Remarks& remarks) {
  std::optional<ExactDensity> exact;
  if (options.fokker_planck) exact = solve_exactly(options, model, answer, parameters);
  const auto print = [&] {
    if (!options.json) {
      print_table(model, answer, key);
      if (exact) print_exact(answer, exact_values(*exact, parameters.empty()));
      fmt::print("{}", remarks.text);
      return;
    }
    JsonObject object;
    fields::points(object, answer, key);
    if (exact) fields::exact(object, *exact, parameters.empty());
    Json& json = object.json;
    json.update(remarks.values);
    json.update(remarks.record);
    json.update(describe(options, model, answer.effective));
    print_json(json);
  };
  write_out(options, model, answer.effective, answer_table(model, answer, key), print,
            remarks.record);
  return finish(options, answer.effective);
}

}  // namespace divker::app
