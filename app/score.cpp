// divker score: grad log density at points.
#include "report.hpp"

namespace divker::app {

void add_score(CLI::App& app, int& code) {
  struct Options : CommonOptions {
    present::ScoreRequest request;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("score", "Score, the gradient of the log density, at points");
  options->declare_all(*command);
  declare(*command, options->request);
  command->callback([options, &code] {
    const Model model = load(*options);
    check_out(*options, options->request.checkpoint);
    code = report(*options, reply_to(options->request, model, circumstances(*options)),
                  {options->request.checkpoint, false});
  });
}

}  // namespace divker::app
