// divker diagnose: can the answers be trusted, and is this the method to use?
#include "report.hpp"

namespace divker::app {

void add_diagnose(CLI::App& app, int& code) {
  struct Options : CommonOptions {
    present::DiagnoseRequest request;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "diagnose", "Checks a model: damping, blow-ups, bias of dt, error bars, other methods");
  options->declare_all_but_out(*command);
  declare(*command, options->request);
  command->callback([options, &code] {
    const Model model = load(*options);
    code = report(*options, reply_to(options->request, model, circumstances(*options)));
  });
}

}  // namespace divker::app
