#include "present/questions/change.hpp"

#include <fmt/format.h>

#include <vector>

#include "present/tables.hpp"

namespace divker::present {
namespace {

// A value for every parameter.
std::vector<double> target_of(const Values& given, const Model& model) {
  std::vector<double> target = model.parameter_values();
  for (const auto& [name, value] : given) {
    for (const std::size_t p : model.parameter_indices(name)) target[p] = value;
  }
  (void)model.with_parameters(target);  // the bounds
  return target;
}

// Changes of the log density at points, or, without points, of a mean.
void tell_change(Fields& o, const AskedChange& asked, const ChangeAnswer& answer) {
  const auto parts = [&answer](double Change::*part) {
    std::vector<double> values;
    for (const Change& one : answer.change) values.push_back(one.*part);
    return values;
  };
  if (asked.observable.empty()) {
    o.set("points", asked.points);
    o.set("log_ratio", parts(&Change::value));
    o.set("stderr", parts(&Change::standard_error));
    o.set("deviation", parts(&Change::deviation));
    o.set("bias", parts(&Change::bias));
    o.set("quadrature", parts(&Change::quadrature));
    o.set("tail_index", parts(&Change::tail_index));
    o.set("outside", answer.outside);
  } else {
    const Change& one = answer.change.front();
    o.set("observable", asked.observable);
    o.set("change", one.value);
    o.set("stderr", one.standard_error);
    o.set("deviation", one.deviation);
    o.set("quadrature", one.quadrature);
    o.set("tail_index", one.tail_index);
  }
}

Table table_of_change(const Model& model, const AskedChange& asked, const ChangeAnswer& answer) {
  const bool at_points = asked.observable.empty();
  Table table;
  if (at_points) table.columns = names_of_states(model);
  table.columns.emplace_back(at_points ? "log_ratio" : "change");
  table.columns.insert(table.columns.end(), {"stderr", "quadrature"});
  if (at_points) table.columns.emplace_back("outside");
  for (std::size_t r = 0; r < answer.change.size(); ++r) {
    std::vector<double> row;
    for (std::size_t c = 0; c < asked.points.cols; ++c) row.push_back(asked.points(r, c));
    const Change& change = answer.change[r];
    row.insert(row.end(), {change.value, change.standard_error, change.quadrature});
    if (at_points) row.push_back(answer.outside[r] ? 1.0 : 0.0);
    append_row(table.values, row);
  }
  return table;
}

void write_changes(std::string& text, const Model& model, const AskedChange& asked,
                   const ChangeAnswer& answer) {
  for (const State& state : model.states()) text += fmt::format("{:>12} ", state.name);
  text += fmt::format(" {:>26} {:>12}\n", "log of the density ratio", "quadrature");
  for (std::size_t r = 0; r < asked.points.rows; ++r) {
    for (std::size_t c = 0; c < asked.points.cols; ++c) {
      text += fmt::format("{:>12.5g} ", asked.points(r, c));
    }
    const Change& change = answer.change[r];
    text += fmt::format(" {:>13.5g} +- {:<9.2g} {:>12.2g}{}\n", change.value, change.standard_error,
                        change.quadrature, answer.outside[r] ? "  outside the sample" : "");
  }
}

// As JSON writes it.
std::string text_of_target(const Values& target) {
  std::string text;
  for (const auto& [name, value] : target) {
    const std::string number = fmt::format("{}", value);
    const bool is_whole = number.find_first_of(".e") == std::string::npos;
    text +=
        fmt::format("{}\"{}\":{}{}", text.empty() ? "" : ",", name, number, is_whole ? ".0" : "");
  }
  return "{" + text + "}";
}

std::string text_of_change(const Model& model, const AskedChange& asked,
                           const ChangeAnswer& answer) {
  std::string text;
  if (asked.observable.empty()) {
    write_changes(text, model, asked, answer);
  } else {
    const Change& change = answer.change.front();
    text += fmt::format("E[{}] changes by {:.6g} +- {:.2g} (quadrature {:.2g})\n", asked.observable,
                        change.value, change.standard_error, change.quadrature);
  }
  text += fmt::format("\nwith {}: {} nodes of {} paths each\n", text_of_target(asked.target),
                      answer.nodes, answer.record.sampling.paths);
  return text;
}

}  // namespace

void check_target(const Values& target, const Model& model) { (void)target_of(target, model); }

Reply of_change(const Model& model, const AskedChange& asked, const ChangeOptions& options) {
  const std::vector<double> target = target_of(asked.target, model);
  const ChangeAnswer answer = asked.observable.empty()
                                  ? log_density_change(model, target, asked.points, options)
                                  : observable_change(model, target, asked.observable, options);
  Reply reply{model,
              answer.record,
              {},
              {},
              table_of_change(model, asked, answer),
              text_of_change(model, asked, answer)};
  tell_change(reply.answer, asked, answer);
  Fields& o = reply.how_made;
  fields::method(o, reply.record);
  o.object("to", [&asked](Fields& to) {
    for (const auto& [name, value] : asked.target) to.set(name, value);
  });
  o.set("nodes", answer.nodes);
  o.set("path_runs", answer.path_runs);
  return reply;
}

}  // namespace divker::present
