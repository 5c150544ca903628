#include "observable_report.hpp"

#include <fmt/format.h>

#include "divker/error.hpp"
#include "divker/language.hpp"

namespace divker::app {
namespace {

Table observable_table(const ObservableAnswer& answer) {
  Table table;
  table.columns = {"value", "value_stderr"};
  std::vector<double> row{answer.value.value, answer.value.standard_error};
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    table.columns.push_back("response." + answer.names[p]);
    table.columns.push_back("stderr." + answer.names[p]);
    row.push_back(answer.response[p].value);
    row.push_back(answer.response[p].standard_error);
  }
  table.values = Matrix(1, row.size());
  table.values.data = std::move(row);
  return table;
}

void print_observable(const std::string& observable, const ObservableAnswer& answer) {
  fmt::print("E[{}] = {:.6g} +- {:.2g}\n\n", observable, answer.value.value,
             answer.value.standard_error);
  fmt::print("{:>14} {:>28}\n", "parameter", "d E / d parameter");
  for (std::size_t p = 0; p < answer.response.size(); ++p) {
    fmt::print("{:>14} {:>14.5g} +- {:<10.2g}\n", answer.names[p], answer.response[p].value,
               answer.response[p].standard_error);
  }
}

}  // namespace

int report_observable(const CommonOptions& options, const Model& model,
                      const std::string& observable, const ObservableAnswer& answer,
                      const Remarks& remarks) {
  const auto print = [&] {
    if (!options.json) {
      print_observable(observable, answer);
      fmt::print("{}", remarks.text);
      return;
    }
    JsonObject object;
    fields::observable(object, observable, answer);
    Json& json = object.json;
    json.update(remarks.values);
    json.update(remarks.record);
    json.update(describe(options, model, answer.effective));
    print_json(json);
  };
  write_out(options, model, answer.effective, observable_table(answer), print, remarks.record);
  return finish(options, answer.effective);
}

void check_observable(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  try {
    (void)parse_expression(observable, model, graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, fmt::format("--observable: {}", error.what()));
  }
}

}  // namespace divker::app
