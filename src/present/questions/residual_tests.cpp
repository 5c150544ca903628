// Is the model right about a time series?
#include <fmt/format.h>

#include "divker/residuals.hpp"
#include "present/question.hpp"
#include "present/questions/series_rows.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

struct ResidualsRequest : SeriesRequest {
  ResidualsRequest() {
    usual_paths = ResidualOptions{}.paths;
    paths_are = "Number of paths from each row";
  }
};

void tell(Fields& one, const std::string& name, const ResidualTest& test) {
  one.set(name, test.statistic);
  one.set(name + "_p", test.p);
}

void tell(Fields& one, const std::string& name, const Estimate& estimate) {
  one.set(name, estimate.value);
  one.set(name + "_stderr", estimate.standard_error);
}

Fields fields_of(const Residuals& found, const SeriesData& data) {
  Fields o;
  o.set("transitions", data.size());
  o.set("individuals", data.individuals);
  o.set("lags", found.lags);
  o.list("states", found.states, [](Fields& one, const StateResiduals& state) {
    one.set("state", state.name);
    tell(one, "z_mean", state.mean);
    tell(one, "z_deviation", state.deviation);
    tell(one, "kolmogorov_smirnov", state.uniform);
    tell(one, "ljung_box", state.independent);
    tell(one, "ljung_box_squares", state.steady);
    tell(one, "coverage90", state.coverage);
    tell(one, "crps", state.score);
    one.set("crps_expected", state.expected_score);
  });
  return o;
}

// individual, t, u of each state.
Table table_of(const Residuals& found) {
  Table table{{"individual", "t"}, {}};
  for (const StateResiduals& state : found.states) table.columns.push_back("u." + state.name);
  for (std::size_t k = 0; k < found.time.size(); ++k) {
    std::vector<double> row{static_cast<double>(found.individual[k]), found.time[k]};
    const auto u = found.uniform.row(k);
    row.insert(row.end(), u.begin(), u.end());
    append_row(table.values, row);
  }
  return table;
}

std::string text_of(const Residuals& found, const SeriesData& data) {
  std::string text = fmt::format("{:>12} {:>18} {:>18} {:>12} {:>12} {:>12}\n", "state",
                                 "mean of z", "deviation of z", "uniform", "independent", "steady");
  for (const StateResiduals& one : found.states) {
    text += fmt::format("{:>12} {:>8.3f} +- {:<6.2g} {:>8.3f} +- {:<6.2g} {:>12} {:>12} {:>12}\n",
                        one.name, one.mean.value, one.mean.standard_error, one.deviation.value,
                        one.deviation.standard_error, fmt::format("p = {:.2g}", one.uniform.p),
                        fmt::format("p = {:.2g}", one.independent.p),
                        fmt::format("p = {:.2g}", one.steady.p));
  }
  text += fmt::format("\n{:>12} {:>25} {:>12} {:>27}\n", "", "score (CRPS)", "expected",
                      "within the central 90%");
  for (const StateResiduals& one : found.states) {
    text += fmt::format("{:>12} {:>12.4g} +- {:<9.2g} {:>12.4g} {:>17.1f}% +- {:.1f}\n", one.name,
                        one.score.value, one.score.standard_error, one.expected_score,
                        100.0 * one.coverage.value, 100.0 * one.coverage.standard_error);
  }
  text += fmt::format(
      "\n{} transitions; z is standard normal and independent from row to row if the model is "
      "right\n",
      data.size());
  return text;
}

Reply reply_to(const ResidualsRequest& request, const Model& model, const Session& session) {
  const SeriesData data = series_of(request, model, 1);
  ResidualOptions options;
  options.paths = request.paths.value_or(request.usual_paths);
  options.seed = request.seed;
  options.session = session_of(request, session);
  const Residuals found = residuals(model, data, options);
  Reply reply{model, found.record,    fields_of(found, data),
              {},    table_of(found), text_of(found, data)};
  reply.picture.set("uniform", found.uniform);
  tell_remarks(reply.record.warnings, data);
  return reply;
}

}  // namespace

Question residuals_question() {
  return question<ResidualsRequest>("residuals",
                                    "Is the model right about a time series? Tests of its "
                                    "predictions of each row");
}

}  // namespace divker::present
