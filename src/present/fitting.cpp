#include "present/fitting.hpp"

#include <fmt/format.h>

#include <utility>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/hidden_series.hpp"
#include "divker/ranks.hpp"
#include "divker/structure.hpp"
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

StructureOptions structure_options_of(const FitRequest& request, const Model& model) {
  StructureOptions options;
  options.false_discovery_rate = request.false_discovery_rate;
  for (const std::string& pattern : request.sparse) {
    const std::vector<std::size_t> named = parameters_like(model, pattern);
    options.candidates.insert(options.candidates.end(), named.begin(), named.end());
  }
  check_candidates(model, options);
  return options;
}

// The way from a model to its fit, for these data.
using SeriesFit = std::function<FitResult(const Model&, const SeriesOptions&)>;

SeriesFit series_fit(const FitRequest& request, const Model& model,
                     const std::vector<DataTable>& tables) {
  HiddenSeries seen = match_hidden_series(model, tables, request.columns);
  if (seen.needs_likelihood()) {
    return [seen = std::move(seen)](const Model& at, const SeriesOptions& options) {
      return fit_hidden_series(at, seen, options);
    };
  }
  return
      [data = match_series(model, tables, request.columns)](
          const Model& at, const SeriesOptions& options) { return fit_series(at, data, options); };
}

Refitting refitting_of_series(const SeriesFit& fit, const SeriesOptions& options) {
  Refitting refitting;
  refitting.fit = [&fit, options](const Model& model) { return fit(model, options); };
  refitting.look = [&fit, options](const Model& model) {
    SeriesOptions still = options;
    still.iterations = 0;
    return fit(model, still);
  };
  return refitting;
}

// Nothing where the user has stopped it, whatever it says of that.
std::optional<FitResult> unless_stopped(const Session& session,
                                        const std::function<FitResult()>& fit) {
  try {
    FitResult result = fit();
    if (!session.stopped()) return result;
  } catch (const Error&) {
    if (!session.stopped()) throw;
  }
  return std::nullopt;
}

// With as many paths, and instruments of as much detail, as the last iterations of a fit.
Refitting refitting_of_snapshots(const FitData& data, FitOptions options) {
  options.saved_runs = nullptr;
  options.starts = 1;
  Refitting refitting;
  refitting.fit = [&data, options](const Model& model) {
    return fit_parameters(model, data, options);
  };
  refitting.look = [&data, options](const Model& model) {
    Fit fit(model, data, options);
    FitState state = fit.state();
    state.paths = options.sampling.paths;
    state.fine = true;
    fit.resume(std::move(state));
    return fit.result();
  };
  return refitting;
}

// Before a long fit: are there such parameters and such expressions of them?
void check_names(const FitRequest& request, const Model& model) {
  if (!request.sparse.empty()) (void)structure_options_of(request, model);
  const FitResult nothing(model);
  for (const std::string& text : request.derived) (void)derived_quantity(nothing, text);
}

void add_derived(const FitRequest& request, FitResult& result) {
  for (const std::string& text : request.derived) {
    result.derived.push_back(derived_quantity(result, text));
  }
}

Fitting fit_of_series(const FitRequest& request, const Model& model,
                      const std::vector<DataTable>& tables, const Session& session) {
  const SeriesFit fit = series_fit(request, model, tables);
  const SeriesOptions options = series_options_of(request, session);
  Fitting fitting;
  fitting.result = unless_stopped(session, [&] {
    FitResult full = fit(model, options);
    if (request.sparse.empty()) return full;
    return without_zeros(model, full, structure_options_of(request, model),
                         refitting_of_series(fit, options));
  });
  if (!fitting.result) return fitting;
  add_derived(request, *fitting.result);
  fitting.state = fitting.result->state;
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
  visit(Option("sparse",
               "Parameters that may be zero: names, or patterns such as A[i,j], i and j different, "
               "or k*; those that the data do not tell from zero are set to it",
               "A,B,..."),
        r.sparse);
  visit(Option("fdr", "With sparse: the rate of false discoveries among what is kept", "Q")
            .shown()
            .only_with("sparse"),
        r.false_discovery_rate);
  visit(Option("derived",
               "An expression of the parameters, to be told with its standard error (repeatable)",
               "NAME=EXPR"),
        r.derived);
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
  check_names(request, model);
  if (request.series) return fit_of_series(request, model, tables, session);
  const SavedFit saved(request);
  const FitData data = match_data(model, tables, request.columns);
  Fitting fitting;
  FitOptions options = fit_options_of(request, session);
  options.saved_runs = saved.runs();
  Fit fit(model, data, options);
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
  if (!request.sparse.empty()) {
    fitting.result = unless_stopped(session, [&] {
      return without_zeros(model, *fitting.result, structure_options_of(request, model),
                           refitting_of_snapshots(data, options));
    });
    if (!fitting.result) return fitting;
    fitting.state = fitting.result->state;
  }
  add_derived(request, *fitting.result);
  for (Warning& warning : question_about_series(request, tables)) {
    fitting.result->record.warnings.push_back(std::move(warning));
  }
  saved.keep_only();
  return fitting;
}

}  // namespace divker::present
