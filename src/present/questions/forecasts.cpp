// The law of the future after the last row of a time series.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "divker/forecast.hpp"
#include "present/question.hpp"
#include "present/questions/series_rows.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

struct ForecastRequest : SeriesRequest {
  std::vector<double> ahead;
  std::vector<double> quantiles;
  double held_out = 0.0;

  ForecastRequest() {
    usual_paths = ForecastOptions{}.paths;
    paths_are = "Number of paths from the last row of each individual";
  }
};

void describe(ForecastRequest& r, OptionVisitor& visit) {
  describe(static_cast<SeriesRequest&>(r), visit);
  visit(Option("ahead", "Times after the last row, ascending", "D1,D2,...").asked_for(), r.ahead);
  visit(Option("quantiles", "Levels of the quantiles", "P1,P2,...")
            .by_default("0.05,0.25,0.5,0.75,0.95"),
        r.quantiles);
  visit(Option("held_out",
               "Share of the rows, the last of each individual, against which forecasts are scored",
               "SHARE")
            .within(0.0, 1.0),
        r.held_out);
}

std::string name_of_level(double level) { return fmt::format("q{:g}", level); }

Fields fields_of(const ForecastAnswer& answer) {
  Fields o;
  o.set("states", answer.states);
  o.set("individuals", answer.names);
  o.set("levels", answer.levels);
  o.list("forecasts", answer.laws, [&](Fields& one, const ForecastLaw& law) {
    one.set("individual", answer.names[law.individual]);
    one.set("t", law.time);
    one.set("ahead", law.ahead);
    one.set("value", law.value);
    one.set("stderr", law.standard_error);
    one.set("time_step", law.time_step);
  });
  if (answer.scores.empty()) return o;
  o.list("scores", answer.scores, [](Fields& one, const ForecastScore& score) {
    one.set("state", score.state);
    one.set("ahead", score.ahead);
    one.set("forecasts", score.forecasts);
    one.set("crps", score.score.value);
    one.set("crps_stderr", score.score.standard_error);
    one.set("crps_expected", score.expected_score);
    one.set("crps_climate", score.climate_score);
    one.set("coverage", score.coverage.value);
    one.set("coverage_stderr", score.coverage.standard_error);
  });
  return o;
}

// individual, t, ahead; then for each state mean.x, stderr.x, q0.05.x and so on.
Table table_of(const ForecastAnswer& answer) {
  Table table{{"individual", "t", "ahead"}, {}};
  for (const std::string& state : answer.states) {
    table.columns.insert(table.columns.end(), {"mean." + state, "stderr." + state});
    for (const double level : answer.levels) {
      table.columns.push_back(name_of_level(level) + "." + state);
    }
  }
  for (const ForecastLaw& law : answer.laws) {
    std::vector<double> row{static_cast<double>(law.individual), law.time, law.ahead};
    for (std::size_t i = 0; i < answer.states.size(); ++i) {
      row.insert(row.end(), {law.value(i, 0), law.standard_error(i, 0)});
      for (std::size_t c = 1; c < law.value.cols; ++c) row.push_back(law.value(i, c));
    }
    append_row(table.values, row);
  }
  return table;
}

std::string text_of_scores(const ForecastAnswer& answer) {
  std::string text =
      fmt::format("\n{:>10} {:>12} {:>10} {:>22} {:>10} {:>10} {:>18}\n", "ahead", "state",
                  "forecasts", "score (CRPS)", "expected", "climate", "between quantiles");
  for (const ForecastScore& one : answer.scores) {
    text += fmt::format(
        "{:>10.4g} {:>12} {:>10} {:>10.4g} +- {:<8.2g} {:>10.4g} {:>10.4g} "
        "{:>11.1f}% +- {:.1f}\n",
        one.ahead, one.state, one.forecasts, one.score.value, one.score.standard_error,
        one.expected_score, one.climate_score, 100.0 * one.coverage.value,
        100.0 * one.coverage.standard_error);
  }
  return text;
}

std::string text_of(const ForecastAnswer& answer) {
  const bool has_names = answer.names.size() > 1;
  std::string text;
  if (has_names) text += fmt::format("{:>14} ", "individual");
  text += fmt::format("{:>10} {:>12} {:>25}", "t", "state", "mean");
  for (const double level : answer.levels) text += fmt::format(" {:>12}", name_of_level(level));
  text += "\n";
  for (const ForecastLaw& law : answer.laws) {
    for (std::size_t i = 0; i < answer.states.size(); ++i) {
      if (has_names) text += fmt::format("{:>14} ", answer.names[law.individual]);
      text += fmt::format("{:>10.5g} {:>12} {:>12.5g} +- {:<9.2g}", law.time, answer.states[i],
                          law.value(i, 0), law.standard_error(i, 0));
      for (std::size_t c = 1; c < law.value.cols; ++c) {
        text += fmt::format(" {:>12.5g}", law.value(i, c));
      }
      text += "\n";
    }
  }
  return answer.scores.empty() ? text : text + text_of_scores(answer);
}

// The last rows of each individual, state by state.
void tell_history(Fields& o, const SeriesData& data, const std::vector<std::string>& states) {
  constexpr std::size_t most_rows = 60;
  struct Past {
    std::size_t individual = 0;
    std::size_t state = 0;
  };
  std::vector<Past> all;
  for (std::size_t who = 0; who < data.names.size(); ++who) {
    for (std::size_t i = 0; i < states.size(); ++i) all.push_back({who, i});
  }
  o.list("history", all, [&](Fields& one, const Past& past) {
    std::vector<double> times, values;
    for (std::size_t k = 0; k < data.size(); ++k) {
      if (data.individual[k] != past.individual) continue;
      times.push_back(data.time[k]);
      values.push_back(data.from(k, past.state));
    }
    times.push_back(data.last_time[past.individual]);
    values.push_back(data.last(past.individual, past.state));
    const std::size_t left_out = times.size() - std::min(times.size(), most_rows);
    times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(left_out));
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(left_out));
    one.set("individual", data.names[past.individual]);
    one.set("state", states[past.state]);
    one.set("t", std::move(times));
    one.set("values", std::move(values));
  });
}

Reply reply_to(const ForecastRequest& request, const Model& model, const Session& session) {
  const SeriesData data = series_of(request, model, 0);
  ForecastOptions options;
  options.ahead = request.ahead;
  if (!request.quantiles.empty()) options.levels = request.quantiles;
  options.paths = request.paths.value_or(request.usual_paths);
  options.held_out = request.held_out;
  options.seed = request.seed;
  options.session = session_of(request, session);
  const ForecastAnswer answer = forecast(model, data, options);
  Reply reply{model, answer.record, fields_of(answer), {}, table_of(answer), text_of(answer)};
  tell_history(reply.picture, data, answer.states);
  tell_remarks(reply.record.warnings, data);
  return reply;
}

}  // namespace

Question forecast_question() {
  return question<ForecastRequest>("forecast",
                                   "The law of the future after the last row of a time series");
}

}  // namespace divker::present
