#include "present/questions/bands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/fit_data.hpp"
#include "fit/series/predictive_scores.hpp"
#include "present/fitting.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// The columns of all paths at every snapshot.
class ColumnsCollector : public Collector {
 public:
  ColumnsCollector(const Simulated& simulated, std::size_t snapshots)
      : simulated_(simulated), all_(snapshots) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Rows>();
    for (std::size_t k = 0; k < all_.size(); ++k) {
      part->rows.push_back(simulated_.rows(group, k));
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const std::vector<Matrix>& more = static_cast<const Rows&>(*part).rows;
    for (std::size_t k = 0; k < all_.size(); ++k) {
      all_[k].cols = more[k].cols;
      all_[k].rows += more[k].rows;
      all_[k].data.insert(all_[k].data.end(), more[k].data.begin(), more[k].data.end());
    }
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override { archive(all_); }
  [[nodiscard]] const std::vector<Matrix>& all() const { return all_; }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { archive(rows); }
    std::vector<Matrix> rows;
  };
  const Simulated& simulated_;
  std::vector<Matrix> all_;
};

// One column at one time.
struct ColumnLaw {
  double mean = 0.0, error = 0.0, deviation = 0.0;
  std::vector<Estimate> quantiles;
};

// Data of one column at one time.
struct ColumnData {
  std::size_t column = 0;
  double time = 0.0;
  std::vector<double> values;
};

// How many of the data lie between the outer quantiles.
struct Coverage {
  std::size_t column = 0;
  std::size_t rows = 0;
  std::size_t inside = 0;
};

struct Bands {
  std::vector<std::string> names;
  std::vector<bool> passages;  // of which there is a probability, in place of a mean
  std::vector<double> times;
  std::vector<double> levels;
  std::vector<std::vector<ColumnLaw>> laws;  // time after time
  std::vector<ColumnData> data;
  std::vector<Coverage> coverage;
};

// What has not happened is at infinity.
Estimate quantile_of(const fit::PredictedValue& finite, std::size_t all, double level) {
  const double among = level * static_cast<double>(all) / static_cast<double>(finite.size());
  if (!(among < 1.0)) return {infinite, infinite};
  return finite.quantile(among);
}

ColumnLaw law_of(std::vector<double> values, const std::vector<double>& levels, bool is_passage) {
  ColumnLaw law;
  Moments moments(1);
  for (const double value : values) {
    const double counted = is_passage ? (std::isfinite(value) ? 1.0 : 0.0) : value;
    moments.add({&counted, 1});
  }
  const Estimate mean = moments.estimate(0);
  law.mean = mean.value;
  law.error = mean.standard_error;
  law.deviation = std::sqrt(moments.variance(0));
  if (levels.empty()) return law;
  const std::size_t all = values.size();
  const fit::PredictedValue finite(std::move(values));
  for (const double level : levels) law.quantiles.push_back(quantile_of(finite, all, level));
  return law;
}

void check_levels_of(const std::vector<double>& levels, Voice voice) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (!(levels[i] > 0.0 && levels[i] < 1.0)) {
      throw Error(ErrorKind::usage, fmt::format("{}: the level {} must be between 0 and 1.",
                                                spelled(voice, "bands"), levels[i]));
    }
    if (i == 0 || levels[i] > levels[i - 1]) continue;
    throw Error(ErrorKind::usage, fmt::format("{}: levels ascend, but {} follows {}.",
                                              spelled(voice, "bands"), levels[i], levels[i - 1]));
  }
}

std::vector<DataTable> tables_of(const GivenTables& given) {
  std::vector<DataTable> tables = given.tables;
  for (const std::string& file : given.files) tables.push_back(data_in(file, {}));
  return tables;
}

// By column and time, in the order of time; what of the data is not told by the simulation is
// remarked.
std::vector<ColumnData> data_by_column(const FitData& data, const Model& model,
                                       const std::vector<std::string>& names,
                                       std::vector<Warning>& warnings) {
  const std::vector<Observation> measured = measurable(model);
  std::map<std::pair<std::size_t, double>, std::vector<double>> found;
  std::set<std::string> unknown;
  for (const DataBlock& block : data.blocks) {
    for (std::size_t c = 0; c < block.observed.size(); ++c) {
      const std::string& name = measured[block.observed[c]].name;
      const auto column = std::ranges::find(names, name);
      if (column == names.end()) {
        unknown.insert(name);
        continue;
      }
      std::vector<double>& values =
          found[{static_cast<std::size_t>(column - names.begin()), block.time}];
      const std::vector<double> more = block.values.column(c);
      values.insert(values.end(), more.begin(), more.end());
    }
  }
  for (const std::string& remark : data.remarks) warnings.push_back({"data", remark});
  if (!data.ignored.empty()) {
    warnings.push_back(
        {"data", fmt::format("Columns not used: {}.", fmt::join(data.ignored, ", "))});
  }
  if (!unknown.empty()) {
    warnings.push_back({"data", fmt::format("The columns {} are states of the model, whose observe "
                                            "statements say what is measured: they are left out.",
                                            fmt::join(unknown, ", "))});
  }
  std::vector<ColumnData> result;
  result.reserve(found.size());
  for (auto& [key, values] : found) result.push_back({key.first, key.second, std::move(values)});
  return result;
}

std::vector<Coverage> coverage_of(const Bands& bands) {
  std::vector<Coverage> all;
  if (bands.levels.size() < 2) return all;
  for (const ColumnData& one : bands.data) {
    if (all.empty() || all.back().column != one.column) all.push_back({one.column, 0, 0});
    const auto place = std::ranges::find(bands.times, one.time) - bands.times.begin();
    const ColumnLaw& law = bands.laws[static_cast<std::size_t>(place)][one.column];
    for (const double y : one.values) {
      ++all.back().rows;
      if (y >= law.quantiles.front().value && y <= law.quantiles.back().value) ++all.back().inside;
    }
  }
  return all;
}

std::string name_of_quantile(double level) { return fmt::format("q{:g}", level); }

Fields fields_of_bands(const Bands& bands) {
  Fields o;
  o.set("names", bands.names);
  if (!bands.levels.empty()) o.set("levels", bands.levels);
  std::vector<std::size_t> places(bands.times.size());
  for (std::size_t k = 0; k < places.size(); ++k) places[k] = k;
  o.list("snapshots", places, [&](Fields& one, std::size_t k) {
    const std::vector<ColumnLaw>& laws = bands.laws[k];
    std::vector<double> mean, error, deviation;
    Matrix value(laws.size(), bands.levels.size());
    Matrix error_of(laws.size(), bands.levels.size());
    for (std::size_t c = 0; c < laws.size(); ++c) {
      mean.push_back(laws[c].mean);
      error.push_back(laws[c].error);
      deviation.push_back(laws[c].deviation);
      for (std::size_t q = 0; q < bands.levels.size(); ++q) {
        value(c, q) = laws[c].quantiles[q].value;
        error_of(c, q) = laws[c].quantiles[q].standard_error;
      }
    }
    one.set("t", bands.times[k]);
    one.set("mean", std::move(mean));
    one.set("stderr", std::move(error));
    one.set("deviation", std::move(deviation));
    if (bands.levels.empty()) return;
    one.set("quantile", std::move(value));
    one.set("quantile_stderr", std::move(error_of));
  });
  if (bands.coverage.empty()) return o;
  o.list("coverage", bands.coverage, [&](Fields& one, const Coverage& coverage) {
    one.set("name", bands.names[coverage.column]);
    one.set("rows", coverage.rows);
    one.set("inside", coverage.inside);
    one.set("share", static_cast<double>(coverage.inside) / static_cast<double>(coverage.rows));
    one.set("expected", bands.levels.back() - bands.levels.front());
  });
  return o;
}

Table table_of_bands(const Bands& bands) {
  Table table{{"t"}, {}};
  for (const std::string& name : bands.names) {
    for (const char* what : {"mean.", "stderr.", "deviation."})
      table.columns.push_back(what + name);
    for (const double level : bands.levels) {
      table.columns.push_back(name_of_quantile(level) + "." + name);
    }
  }
  for (std::size_t k = 0; k < bands.times.size(); ++k) {
    std::vector<double> row{bands.times[k]};
    for (const ColumnLaw& law : bands.laws[k]) {
      row.insert(row.end(), {law.mean, law.error, law.deviation});
      for (const Estimate& quantile : law.quantiles) row.push_back(quantile.value);
    }
    append_row(table.values, row);
  }
  return table;
}

std::string text_of_bands(const Bands& bands) {
  std::string text =
      fmt::format("{:>10} {:>14} {:>12} {:>9} {:>12}", "t", "", "mean", "+-", "deviation");
  for (const double level : bands.levels) text += fmt::format(" {:>12}", name_of_quantile(level));
  text += "\n";
  for (std::size_t k = 0; k < bands.times.size(); ++k) {
    for (std::size_t c = 0; c < bands.names.size(); ++c) {
      const ColumnLaw& law = bands.laws[k][c];
      const std::string name =
          bands.passages[c] ? fmt::format("P({} <= t)", bands.names[c]) : bands.names[c];
      text += fmt::format("{:>10.5g} {:>14} {:>12.5g} {:>9.2g} {:>12.5g}", bands.times[k], name,
                          law.mean, law.error, law.deviation);
      for (const Estimate& quantile : law.quantiles) {
        text += fmt::format(" {:>12.5g}", quantile.value);
      }
      text += "\n";
    }
  }
  if (bands.coverage.empty()) return text;
  text += "\n";
  for (const Coverage& one : bands.coverage) {
    text +=
        fmt::format("{}: {} of {} data ({:.1f}%) lie between {} and {}; expected {:.0f}%\n",
                    bands.names[one.column], one.inside, one.rows,
                    100.0 * static_cast<double>(one.inside) / static_cast<double>(one.rows),
                    name_of_quantile(bands.levels.front()), name_of_quantile(bands.levels.back()),
                    100.0 * (bands.levels.back() - bands.levels.front()));
  }
  return text;
}

// Beside the answer what a picture shows: data, and some of the paths.
void tell_picture(Fields& o, const Bands& bands, const std::vector<Matrix>& rows) {
  constexpr std::size_t most_paths = 12;
  o.list("data", bands.data, [&](Fields& one, const ColumnData& data) {
    one.set("name", bands.names[data.column]);
    one.set("t", data.time);
    one.set("values", data.values);
  });
  std::vector<std::size_t> columns(bands.names.size());
  for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = c;
  o.list("trajectories", columns, [&](Fields& one, std::size_t c) {
    Matrix paths(std::min(most_paths, rows.front().rows), rows.size());
    for (std::size_t r = 0; r < paths.rows; ++r) {
      for (std::size_t k = 0; k < rows.size(); ++k) paths(r, k) = rows[k](r, c);
    }
    one.set("name", bands.names[c]);
    one.set("values", std::move(paths));
  });
}

// Of the steps from the start to the end at most so many, evenly.
std::vector<double> times_for_picture(const TimeGrid& grid) {
  constexpr std::size_t most_times = 60;
  const std::size_t steps = grid.steps();
  std::vector<double> times;
  const std::size_t count = std::min(steps, most_times);
  for (std::size_t k = 0; k <= count; ++k) times.push_back(grid.time(k * steps / count));
  return times;
}

}  // namespace

Reply bands_of(const SimulateRequest& asked, const Model& model, const Session& session) {
  SimulateRequest request = asked;
  const std::vector<DataTable> tables = tables_of(request.data);
  check_levels_of(request.bands, request.voice);
  if ((!tables.empty() || request.for_picture) && request.bands.empty()) {
    request.bands = {0.05, 0.25, 0.5, 0.75, 0.95};
  }
  if (!tables.empty()) request.observed = true;
  SimulateRequest plain = request;
  plain.with_fit_errors = false;
  const std::vector<std::string> names = Simulated(plain, model).names();
  std::vector<Warning> warnings;
  std::vector<ColumnData> data;
  if (!tables.empty()) {
    data = data_by_column(match_data(model, tables, request.columns), model, names, warnings);
  }
  std::set<double> times(request.times.begin(), request.times.end());
  if (times.empty() && request.for_picture) {
    const std::vector<double> many = times_for_picture(model.time());
    times.insert(many.begin(), many.end());
  }
  for (const ColumnData& one : data)
    times.insert(model.time().time(model.time().nearest_step(one.time)));
  if (!times.empty()) request.times.assign(times.begin(), times.end());

  const Simulated simulated(request, model);
  Study study = simulated.study(request, session);
  Bands bands{simulated.names(),
              std::vector<bool>(simulated.names().size()),
              {},
              request.bands,
              {},
              std::move(data),
              {}};
  bands.times = model.time().snapshot_times(request.times);
  for (ColumnData& one : bands.data) {
    one.time = model.time().time(model.time().nearest_step(one.time));
  }
  for (std::size_t c = 0; c < bands.names.size() && !request.observed; ++c) {
    for (const PathFunctional& one : model.functionals()) {
      if (one.name == bands.names[c]) bands.passages[c] = is_passage(one);
    }
  }
  ColumnsCollector collector(simulated, bands.times.size());
  require_paths(study.run(collector, simulated.kept() + " at once"));
  for (const Matrix& rows : collector.all()) {
    std::vector<ColumnLaw>& laws = bands.laws.emplace_back();
    for (std::size_t c = 0; c < rows.cols; ++c) {
      laws.push_back(law_of(rows.column(c), bands.levels, bands.passages[c]));
    }
  }
  bands.coverage = coverage_of(bands);
  Reply reply{model, study.record(),        fields_of_bands(bands),
              {},    table_of_bands(bands), text_of_bands(bands)};
  tell_picture(reply.picture, bands, collector.all());
  std::vector<Warning>& all = reply.record.warnings;
  all.insert(all.begin(), warnings.begin(), warnings.end());
  fields::method(reply.how_made, reply.record);
  return reply;
}

}  // namespace divker::present
