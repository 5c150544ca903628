#include "report.hpp"

#include <fmt/format.h>

#include "divker/ranks.hpp"
#include "page.hpp"
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

int report(const CommonOptions& options, const std::string& name, const present::Reply& reply,
           const std::string& checkpoint) {
  tell_warnings(reply.record);
  write_out(options, reply.table, attributes(reply), [&] {
    if (options.json) {
      print_json(to_json(present::fields_of(reply)));
    } else {
      fmt::print("{}", reply.text);
    }
  });
  if (!options.page.empty()) {
    write_page(options.page,
               present::page_of(reply, fmt::format("{} of {}", name, reply.model.name()),
                                command_as_typed()));
  }
  const int code = finish(options, reply.record, checkpoint);
  if (!options.picture.empty()) {
    Json shown = to_json(present::fields_of(reply));
    shown.update(to_json(reply.picture));
    shown["titles"] = titles_of(reply.model);
    Json names = Json::array();
    for (const State& state : reply.model.states()) names.push_back(state.name);
    shown["state_names"] = std::move(names);
    on_first_rank([&] { draw_picture(shown, options.picture); });
  }
  return code;
}

}  // namespace divker::app
