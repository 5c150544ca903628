// divker models: the shipped models, a line each.
#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"
#include "divker/language.hpp"

namespace divker::app {

void add_models(CLI::App& app, int& code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("models", "List the shipped models");
  command->add_flag("--json", *json, "Print one JSON object");
  command->callback([json, &code] {
    const std::vector<ShippedModel> models = shipped_models();
    if (*json) {
      Json list = Json::array();
      for (const ShippedModel& model : models) {
        list.push_back({{"name", model.name}, {"path", model.path}, {"summary", model.summary}});
      }
      print_json({{"models", list}});
    } else {
      std::size_t width = 0;
      for (const ShippedModel& model : models) width = std::max(width, model.name.size());
      for (const ShippedModel& model : models) {
        fmt::print("{:<{}}  {}\n", model.name, width, model.summary);
      }
    }
    code = exit_done;
  });
}

}  // namespace divker::app
