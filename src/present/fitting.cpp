#include "present/fitting.hpp"

#include <fmt/format.h>

#include <utility>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/hidden_series.hpp"
#include "divker/ranks.hpp"
#include "divker/table.hpp"
#include "present/checkpoint_file.hpp"

namespace divker::present {
namespace {

// Where a fit is saved, if it is: its state in the file, each of its runs beside it.
class SavedFit {
 public:
  explicit SavedFit(const SavedRequest& request)
      : file_(request.checkpoint), runs_(request.checkpoint, request.checkpoint_every) {
    if (on()) state_ = checkpoint_in(file_, request.checkpoint_every);
  }

  [[nodiscard]] bool on() const { return !file_.empty(); }
  [[nodiscard]] std::function<Checkpoint(const std::string&)> runs() const {
    if (!on()) return nullptr;
    return [this](const std::string& run) { return runs_.of(run); };
  }
  void resume(Fit& fit) const {
    if (!on()) return;
    const std::string saved = state_.load();
    if (!saved.empty()) fit.resume(parse_fit_state(saved, file_));
  }
  void save(const Fit& fit) const {
    if (!on()) return;
    on_first_rank([&] { write_whole_file(file_, to_text(fit.state())); });
  }
  // Removes the runs but for this one; without a name all of them.
  void keep_only(const std::string& run = {}) const {
    if (on()) runs_.keep_only(run);
  }

 private:
  std::string file_;
  SavedRuns runs_;
  Checkpoint state_;
};

FitOptions fit_options_of(const FitRequest& request, const Session& circumstances) {
  FitOptions options = request.options;
  options.method = method_of(request);
  options.sampling = sampling_of(request);
  options.session = session_of(request, circumstances);
  options.session.progress = nullptr;  // a fit tells of its iterations
  options.time_step = time_step_of(request);
  options.regressor = request.regressor;
  options.regressor_options = request.regressor_options;
  return options;
}

SeriesOptions series_options_of(const FitRequest& request, const Session& circumstances) {
  SeriesOptions options;
  options.paths = request.paths.value_or(0);
  options.substeps = request.substeps;
  options.seed = request.seed;
  options.iterations = request.options.iterations;
  options.session = session_of(request, circumstances);
  return options;
}

// Rows that nobody links are snapshots of one individual each, which is seldom meant.
std::vector<Warning> question_about_series(const FitRequest& request,
                                           const std::vector<DataTable>& tables) {
  for (const DataTable& table : tables) {
    if (!looks_like_series(table, request.columns)) continue;
    return {
        {"series", fmt::format("{} has one row at each of {} times, and each was taken for a "
                               "snapshot of its own: is this a series? {} fits it as one.",
                               table.source, table.values.rows, spelled(request.voice, "series"))}};
  }
  return {};
}

Fitting fit_of_series(const FitRequest& request, const Model& model,
                      const std::vector<DataTable>& tables, const Session& session) {
  const HiddenSeries seen = match_hidden_series(model, tables, request.columns);
  const SeriesOptions options = series_options_of(request, session);
  Fitting fitting;
  try {
    fitting.result = seen.needs_likelihood()
                         ? fit_hidden_series(model, seen, options)
                         : fit_series(model, match_series(model, tables, request.columns), options);
    fitting.state = fitting.result->state;
  } catch (const Error&) {
    if (!session.stopped()) throw;
  }
  return fitting;
}

}  // namespace

FitRequest::FitRequest() {
  paths_are = "Number of paths in the last iterations";
  what_is_saved =
      "Save the fit after every iteration, and within long ones; go on from it if it is there";
  regressors = regressor_names();
  regressors.insert(regressors.begin(), "hermite");
  regressor_is = "For the conditional expectation: hermite, or one of score and response";
}

void describe(FitRequest& r, OptionVisitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(Option("time", "The column with the time of each row", "COLUMN"), r.columns.time_column);
  visit(Option("map", "The column that holds a state or observation (repeatable)", "NAME=COLUMN"),
        r.columns.names);
  visit(Option("group",
               "The column that numbers individuals measured several times, for the standard "
               "errors",
               "COLUMN"),
        r.columns.group_column);
  visit(Option("match", "The matching equation").shown().one_of(matcher_names()), r.options.match);
  visit(Option("optimizer",
               "The optimizer (default: newton; dual for other divergences than kl, and for more "
               "parameters than the law has features)")
            .one_of(optimizer_names()),
        r.options.optimizer);
  visit(Option("divergence", "Of the data from the model: what is made small")
            .shown()
            .one_of(divergence_names()),
        r.options.divergence);
  visit(Option("features", "By features of the law: about how many", "N").shown().within(8, 10'000),
        r.options.features);
  visit(Option("iterations", "Iterations at most; the last have all paths", "N").shown(),
        r.options.iterations);
  visit(Option("starts",
               "Starts: the model's values, and others at random; the nearest to the data is "
               "taken",
               "N")
            .shown(),
        r.options.starts);
  visit(Option("tolerance", "Converged where |psi| is this share of its noise", "X").shown(),
        r.options.tolerance);
  visit(Option("rate", "Step size of adam (0.05) and gd (0.2)", "X"), r.options.rate);
  visit(Option("window",
               "Time before a snapshot over which responses are accumulated (default: chosen; "
               "stationary data: half the grid)",
               "W"),
        r.options.window);
  visit(Option("series",
               "The rows of each individual are a time series: consecutive ones are transitions")
            .only_with("time")
            .not_with({"alpha", "scheme", "order", "match", "optimizer", "divergence", "features",
                       "starts", "tolerance", "rate", "window", "regressor", "checkpoint",
                       "richardson", "ignore_time_step"}),
        r.series);
  visit(Option("substeps", "Series: steps of a transition (default: chosen)", "N")
            .only_with("series"),
        r.substeps);
  describe(static_cast<TimeStepRequest&>(r), visit);
  describe(static_cast<RegressorRequest&>(r), visit);
  describe(static_cast<SavedRequest&>(r), visit);
}

DataTable data_in(const std::string& file, std::optional<double> time) {
  Table table = read_table(file);
  return {file,
          std::move(table.columns),
          std::move(table.values),
          time,
          std::move(table.texts),
          std::move(table.lines),
          std::move(table.remarks)};
}

Fitting fit(const FitRequest& request, const Model& model, const std::vector<DataTable>& tables,
            const Session& session, const std::function<void(const FitState&)>& told) {
  if (request.series) return fit_of_series(request, model, tables, session);
  const SavedFit saved(request);
  FitData data = match_data(model, tables, request.columns);
  Fitting fitting;
  FitOptions options = fit_options_of(request, session);
  options.saved_runs = saved.runs();
  Fit fit(model, std::move(data), options);
  saved.resume(fit);
  while (fit.advance()) {
    saved.save(fit);
    saved.keep_only(fit.current_run());
    if (told) told(fit.state());
  }
  saved.save(fit);
  fitting.state = fit.state();
  if (session.stopped()) return fitting;
  fitting.result = fit.result();
  for (Warning& warning : question_about_series(request, tables)) {
    fitting.result->record.warnings.push_back(std::move(warning));
  }
  saved.keep_only();
  return fitting;
}

}  // namespace divker::present
