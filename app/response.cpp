// divker response: how the density, or a mean, changes with the parameters.
#include "report.hpp"

namespace divker::app {

void add_response(CLI::App& app, int& code) {
  struct Options : CommonOptions {
    present::ResponseRequest request;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "response", "Parameter derivatives of the log density at points, or of an observable's mean");
  options->declare_all(*command);
  declare(*command, options->request);
  command->callback([options, &code] {
    const Model model = load(*options);
    check_out(*options, options->request.checkpoint);
    code = report(*options, reply_to(options->request, model, circumstances(*options)),
                  {options->request.checkpoint, !options->request.method.empty()});
  });
}

}  // namespace divker::app
