#include "report.hpp"

#include <fmt/format.h>

#include "divker/ranks.hpp"
#include "picture.hpp"
#include "present/tables.hpp"

namespace divker::app {
namespace {

Attributes attributes(const present::Reply& reply) {
  Attributes about = present::attributes_of(reply.model, reply.record);
  const Json how_made = to_json(reply.how_made);
  for (const auto& [key, value] : how_made.items()) about[key] = value.dump();
  return about;
}

}  // namespace

int report(const CommonOptions& options, const present::Reply& reply, const std::string& checkpoint,
           const std::string& picture) {
  tell_warnings(reply.record);
  write_out(options, reply.table, attributes(reply), [&] {
    if (options.json) {
      print_json(to_json(present::fields_of(reply)));
    } else {
      fmt::print("{}", reply.text);
    }
  });
  const int code = finish(options, reply.record, checkpoint);
  if (!picture.empty()) {
    Json shown = to_json(present::fields_of(reply));
    shown.update(to_json(reply.picture));
    shown["titles"] = titles_of(reply.model);
    Json names = Json::array();
    for (const State& state : reply.model.states()) names.push_back(state.name);
    shown["state_names"] = std::move(names);
    on_first_rank([&] { draw_picture(shown, picture); });
  }
  return code;
}

void declare_picture(CLI::App& command, std::string& file) {
  command.add_option("--picture", file, "Draw the answer, .png, .pdf or .svg (by matplotlib)")
      ->type_name("FILE")
      ->check(not_empty());
}

}  // namespace divker::app
