// divker compare: several models on the same data.
#include "command.hpp"
#include "divker/language.hpp"
#include "present/loading.hpp"
#include "present/questions/likelihoods.hpp"
#include "report.hpp"

namespace divker::app {
namespace {

struct CompareOptions : CommonOptions {
  std::vector<std::string> models;
  present::CompareRequest request;
};

std::vector<present::NamedModel> models_of(const CompareOptions& options) {
  std::vector<present::NamedModel> models;
  for (const std::string& name : options.models) {
    CommonOptions one = options;
    one.model = name;
    models.push_back({name, load(one)});
  }
  return models;
}

}  // namespace

void add_compare(CLI::App& app, int& code) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Rank models by their likelihoods of the same data: AIC, BIC, Akaike weights");
  command->add_option("models", options->models, "Model files, or names of shipped models")
      ->type_name("MODEL MODEL")
      ->required();
  options->declare_json(*command);
  command->add_flag("--quiet", options->quiet, "No progress and no closing remarks");
  command->add_option("--out", options->out, "Write the table to a .csv, .npy or .h5 file")
      ->type_name("FILE")
      ->check(not_empty());
  declare(*command, options->request);
  command->callback([options, &code] {
    check_out(*options);
    code = report(*options, "compare",
                  compared(options->request, models_of(*options), circumstances(*options)));
  });
}

}  // namespace divker::app
