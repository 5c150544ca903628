#include "present/questions/law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/plan.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

Model until(Model model, std::optional<double> time) {
  if (!time) return model;
  TimeGrid grid = model.time();
  grid.end = *time;
  return model.with_time(grid);
}

// What the Fokker-Planck equation says in the place of the estimates.
Matrix exact_values(const ExactDensity& density, const std::string& key) {
  if (key == "response") return density.response;
  Matrix column(density.score.size(), 1);
  column.data = density.score;
  return column;
}

void tell_points(Fields& o, const PointAnswer& answer, const std::string& key) {
  if (key == "response") o.set("parameters", answer.names);
  o.set("points", answer.points);
  o.set(key, answer.prediction.value);
  o.set("stderr", answer.prediction.standard_error);
  if (answer.time_step.rows != 0) o.set("time_step", answer.time_step);
  if (answer.fit_error.rows != 0) o.set("fit_error", answer.fit_error);
  o.set("bias", answer.prediction.bias);
  o.set("tail_index", answer.prediction.tail_index);
  o.set("effective_samples", answer.prediction.effective_samples);
  o.set("outside", answer.prediction.outside);
}

// The solution of the Fokker-Planck equation beside the estimates.
void tell_exact(Fields& o, const ExactDensity& density, const std::string& key) {
  o.set("exact", exact_values(density, key));
  o.set("log_density", density.log_density);
}

// How stationary samples were taken.
void tell_sampling(Fields& o, const Stationary& how) {
  o.object("stationary", [&how](Fields& record) {
    record.set("spinup", how.spinup);
    record.set("length", how.length);
    record.set("spacing", how.spacing);
    record.set("samples", how.samples);
    record.set("correlation_time", how.correlation);
    if (how.window.empty()) return;
    record.set("windows", how.windows);
    record.set("window", how.window);
    record.set("plateau", how.plateau);
  });
}

Table table_of_points(const Model& model, const PointAnswer& answer, const std::string& key) {
  Table table{names_of_states(model), {}};
  for (const std::string& name : answer.names) {
    table.columns.push_back(fmt::format("{}.{}", key, name));
    table.columns.push_back("stderr." + name);
    if (answer.time_step.rows != 0) table.columns.push_back("time_step." + name);
    if (answer.fit_error.rows != 0) table.columns.push_back("fit_error." + name);
  }
  table.columns.emplace_back("outside");
  for (std::size_t r = 0; r < answer.points.rows; ++r) {
    const auto point = answer.points.row(r);
    std::vector<double> row(point.begin(), point.end());
    for (std::size_t q = 0; q < answer.names.size(); ++q) {
      row.push_back(answer.prediction.value(r, q));
      row.push_back(answer.prediction.standard_error(r, q));
      if (answer.time_step.rows != 0) row.push_back(answer.time_step(r, q));
      if (answer.fit_error.rows != 0) row.push_back(answer.fit_error(r, q));
    }
    row.push_back(answer.prediction.outside[r] ? 1.0 : 0.0);
    append_row(table.values, row);
  }
  return table;
}

void write_point(std::string& text, const Model& model, const PointAnswer& answer, std::size_t r) {
  constexpr std::size_t shown = 6;
  std::string point;
  for (std::size_t c = 0; c < std::min(shown, answer.points.cols); ++c) {
    point += fmt::format("{}{} = {:.6g}", c == 0 ? "" : ", ", model.states()[c].name,
                         answer.points(r, c));
  }
  if (answer.points.cols > shown) point += ", ...";
  text += fmt::format(
      "{}{}\n", point,
      answer.prediction.outside[r] ? "   (outside the sample: the error bar is a guess)" : "");
  for (std::size_t q = 0; q < answer.names.size(); ++q) {
    text += fmt::format("  {:>12} {:>12.5g} +- {:<10.2g}\n", answer.names[q],
                        answer.prediction.value(r, q), answer.prediction.standard_error(r, q));
  }
}

// One line a point, while it fits a screen.
void write_points(std::string& text, const Model& model, const PointAnswer& answer,
                  const std::string& key) {
  constexpr std::size_t widest = 5;
  if (answer.points.cols + answer.names.size() > widest) {
    for (std::size_t r = 0; r < answer.points.rows; ++r) write_point(text, model, answer, r);
    return;
  }
  for (const State& state : model.states()) text += fmt::format("{:>12} ", state.name);
  for (const std::string& name : answer.names)
    text += fmt::format(" {:>25}", fmt::format("{} {}", key, name));
  text += "\n";
  for (std::size_t r = 0; r < answer.points.rows; ++r) {
    for (std::size_t c = 0; c < answer.points.cols; ++c) {
      text += fmt::format("{:>12.5g} ", answer.points(r, c));
    }
    for (std::size_t q = 0; q < answer.names.size(); ++q) {
      text += fmt::format(" {:>12.5g} +- {:<9.2g}", answer.prediction.value(r, q),
                          answer.prediction.standard_error(r, q));
    }
    text += fmt::format("{}\n", answer.prediction.outside[r] ? "  outside the sample" : "");
  }
}

void write_exact(std::string& text, const PointAnswer& answer, const Matrix& exact) {
  double worst = 0.0;
  text += fmt::format("\nFokker-Planck:\n");
  for (std::size_t r = 0; r < exact.rows; ++r) {
    text += fmt::format("{:>12.5g} ", answer.points(r, 0));
    for (std::size_t q = 0; q < exact.cols; ++q) {
      const double error = answer.prediction.value(r, q) - exact(r, q);
      const double bar = answer.prediction.standard_error(r, q);
      worst = std::max(worst, std::fabs(error) / bar);
      text += fmt::format(" {:>12.5g} {:>+6.1f} bars", exact(r, q), error / bar);
    }
    text += "\n";
  }
  text += fmt::format("the estimates are at most {:.1f} error bars away\n", worst);
}

// A stationary law has a time grid of its own.
void tell_stationary(Reply& reply, const std::vector<std::string>& names, const Stationary& how) {
  reply.model = reply.model.with_time(how.grid);
  reply.text +=
      fmt::format("\nstationary: spin-up {:.4g}, then {} samples of each path, {:.4g} apart\n",
                  how.spinup, how.samples, how.spacing);
  for (std::size_t p = 0; p < how.window.size(); ++p) {
    reply.text += fmt::format("window {:.4g} for {}\n", how.window[p], names[p]);
  }
  for (std::size_t p = 0; p < how.plateau.size(); ++p) {
    if (how.plateau[p]) continue;
    reply.record.warnings.push_back(
        {"window",
         fmt::format("the response to {} has no plateau at window {:.6g}: longer windows disagree, "
                     "or none was carried.",
                     names[p], how.window[p])});
  }
  tell_sampling(reply.how_made, how);
}

}  // namespace

void describe(LawRequest& r, OptionVisitor& visit) {
  describe(static_cast<PointRequest&>(r), visit);
  describe(static_cast<TimeStepRequest&>(r), visit);
  visit(
      Option("fokker_planck", "Compare with a solution of the Fokker-Planck equation (1-D models)"),
      r.fokker_planck);
  describe(static_cast<SavedRequest&>(r), visit);
  visit(Option("stationary",
               "Of the stationary density, from long paths (defaults: --paths 4096 --order 2)")
            .not_with({"time", "fokker_planck"}),
        r.stationary);
  visit(Option("window", "Time over which responses are accumulated (default: chosen)", "T")
            .only_with("stationary"),
        r.window);
  visit(Option("spinup", "Time before paths are at the stationary density (default: chosen)", "T")
            .only_with("stationary"),
        r.spinup);
  visit(Option("length", "Time for which paths are followed after it (default: chosen)", "T")
            .only_with("stationary"),
        r.length);
}

void check_fokker_planck(const LawRequest& request, const Model& model) {
  if (!request.fokker_planck) return;
  const std::string option = spelled(request.voice, "fokker_planck");
  require_sde(model, option + " is for SDEs");
  if (model.dimension() != 1) {
    throw Error(ErrorKind::usage, fmt::format("{} is for models of one state; model {} has {}.",
                                              option, model.name(), model.dimension()));
  }
}

AnswerOptions options_of_law(const LawRequest& request, const Session& session) {
  AnswerOptions options = options_of(request, saved_session_of(request, request, session));
  options.time_step = time_step_of(request);
  return options;
}

StationaryOptions stationary_options(const LawRequest& request, const Session& session) {
  StationaryOptions options;
  options.answer = options_of_law(request, session);
  options.answer.sampling.paths = request.paths.value_or(stationary_paths);
  options.window = request.window;
  options.spinup = request.spinup;
  options.length = request.length;
  options.grid = request.grid;
  return options;
}

Matrix points_of(const LawRequest& request, const Model& model, const AnswerOptions& options) {
  if (request.at.any()) return given_points(request);
  return default_points(model, options.sampling, options.session, request.grid);
}

Reply at_points(const LawRequest& request, const Model& model, const std::string& key,
                const std::vector<std::size_t>& parameters, const PointAnswer& answer,
                const Stationary* how) {
  Reply reply{model, answer.record, {}, {}, table_of_points(model, answer, key), {}};
  tell_points(reply.answer, answer, key);
  write_points(reply.text, model, answer, key);
  if (answer.fit_error.rows != 0) {
    const Matrix& fit = answer.fit_error;
    reply.text += "\nerror of the fit, part of the bars above:\n";
    for (std::size_t r = 0; r < fit.rows; ++r) {
      for (const double error : fit.row(r)) reply.text += fmt::format(" {:>12.2g}", error);
      reply.text += "\n";
    }
  }
  if (request.fokker_planck) {
    const Model whole = until(model, request.time);
    const std::vector<double>& points = answer.points.data;
    const Interval interval = density_interval(whole, points);
    const ExactDensity exact =
        exact_density(whole, parameters, points, interval.lower, interval.upper);
    tell_exact(reply.answer, exact, key);
    write_exact(reply.text, answer, exact_values(exact, key));
  }
  tell_errors_of_method(reply.answer, answer.record.effort);
  tell_how_made(reply, answer.names, how);
  return reply;
}

void tell_errors_of_method(Fields& o, const Effort& effort) {
  if (!effort.truncation.empty()) o.set("truncation", effort.truncation);
  if (effort.log_density.empty()) return;
  fields::estimates(o, effort.log_density, "log_density_estimate", "log_density_stderr");
}

void tell_how_made(Reply& reply, const std::vector<std::string>& names, const Stationary* how) {
  Fields& o = reply.how_made;
  fields::method(o, reply.record);
  if (how != nullptr) tell_stationary(reply, names, *how);
  const Effort& effort = reply.record.effort;
  o.set("path_runs", effort.path_runs);
  o.set("pilot_path_runs", effort.pilot_runs);
  o.set("pair_path_runs", effort.pair_runs);
  if (!reply.record.compared.empty()) {
    o.list("compared", reply.record.compared, [](Fields& one, const ComparedMethod& method) {
      one.set("method", method.name);
      if (method.problem.empty()) {
        one.set("work", method.work);
      } else {
        one.set("problem", method.problem);
      }
    });
  }
  if (!effort.steps.empty()) o.set("fd_steps", effort.steps);
  if (!effort.bandwidths.empty()) o.set("bandwidths", effort.bandwidths);
}

}  // namespace divker::present
