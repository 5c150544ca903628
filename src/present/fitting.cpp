#include "present/fitting.hpp"

#include <utility>

#include "divker/file.hpp"
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

}  // namespace

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
  saved.keep_only();
  return fitting;
}

}  // namespace divker::present
