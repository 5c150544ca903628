// divker score: grad log density at points.
#include "point_report.hpp"
#include "stationary.hpp"

namespace divker::app {

void add_score(CLI::App& app, int& code) {
  auto options = std::make_shared<PointOptions>();
  auto stationary = std::make_shared<StationaryFlags>();
  CLI::App* command =
      app.add_subcommand("score", "Score, the gradient of the log density, at points");
  options->declare_all(*command);
  options->declare_checkpoint(*command);
  stationary->declare(*command);
  command->callback([options, stationary, &code] {
    if (stationary->on) {
      code = stationary_score(*options, *stationary);
      return;
    }
    const LoadedModel loaded = load(*options);
    check_out(*options);
    const AnswerOptions answer_how = options->answer_options_with_points(loaded);
    const Matrix points = points_at(options->at, loaded, answer_how.run, options->grid);
    const PointAnswer answer = score_at(loaded.model, points, answer_how);
    code = report_points(*options, loaded.model, answer, "score", {});
  });
}

}  // namespace divker::app
