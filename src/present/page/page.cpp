#include "present/page/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <variant>

#include "divker/language.hpp"
#include "present/page/assets.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

std::string number_in_html(double value) {
  if (std::isnan(value)) return "";
  return fmt::format("{:.6g}", value);
}

// The same for scripts, where there is no infinity.
std::string number_in_script(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null";
}

std::string string_in_script(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '<' || static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

// {"columns": [...], "rows": [[...], ...]}
std::string in_script(const PageTable& one) {
  std::string names;
  for (const std::string& column : one.table.columns) {
    names += (names.empty() ? "" : ",") + string_in_script(column);
  }
  std::string labels;
  for (const std::string& name : one.names) {
    labels += (labels.empty() ? "" : ",") + string_in_script(name);
  }
  std::string rows;
  for (std::size_t r = 0; r < one.table.values.rows; ++r) {
    std::string row;
    for (const double value : one.table.values.row(r)) {
      row += (row.empty() ? "" : ",") + number_in_script(value);
    }
    rows += fmt::format("{}[{}]", r == 0 ? "" : ",", row);
  }
  return fmt::format(R"({{"columns":[{}],"names":[{}],"rows":[{}]}})", names, labels, rows);
}

std::string table_in_html(const PageTable& one) {
  std::string head = one.names.empty() ? "" : "<th scope=\"col\"></th>";
  for (const std::string& column : one.table.columns) {
    head +=
        fmt::format(R"(<th scope="col"><button type="button">{}</button></th>)", in_html(column));
  }
  std::string body;
  const std::size_t shown = std::min(one.table.values.rows, most_rows_shown);
  for (std::size_t r = 0; r < shown; ++r) {
    body += "<tr>";
    if (!one.names.empty()) body += "<th scope=\"row\">" + in_html(one.names[r]) + "</th>";
    for (const double value : one.table.values.row(r)) {
      body += "<td>" + number_in_html(value) + "</td>";
    }
    body += "</tr>\n";
  }
  std::string result = fmt::format(
      "<div class=\"wide\"><table class=\"numbers\"><thead><tr>{}</tr></thead>\n<tbody>\n{}"
      "</tbody></table></div>\n",
      head, body);
  if (shown < one.table.values.rows) {
    result += fmt::format("<p>The first {} of {} rows; pictures show all of them.</p>\n", shown,
                          one.table.values.rows);
  }
  return result;
}

// One row for each number or word; objects within objects are joined by dots.
class Rows {
 public:
  void add(const Fields& fields, const std::string& prefix = {}) {
    for (const auto& [key, value] : fields.all()) {
      name_ = prefix + key;
      std::visit(*this, value);
    }
  }
  void operator()(bool value) { row(value ? "yes" : "no"); }
  void operator()(double value) { row(number_in_html(value)); }
  void operator()(const std::string& value) { row(value); }
  void operator()(const std::vector<double>& values) {
    constexpr std::size_t most = 20;
    if (values.size() <= most) row(fmt::format("{:.6g}", fmt::join(values, ", ")));
  }
  void operator()(const std::vector<std::string>& values) {
    row(fmt::format("{}", fmt::join(values, ", ")));
  }
  void operator()(const std::shared_ptr<const Fields>& inner) { add(*inner, name_ + "."); }
  template <class Value>
  void operator()(const Value& value) {
    if constexpr (std::is_integral_v<Value>) row(fmt::format("{}", value));
  }

  std::string html;

 private:
  void row(const std::string& text) {
    if (text.empty() || text.find('\n') != std::string::npos) return;
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", in_html(name_), in_html(text));
  }
  std::string name_;
};

std::string section(std::string_view title, const std::string& inner) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", title, inner);
}

std::string in_pre(const std::string& text) { return "<pre>" + in_html(text) + "</pre>\n"; }

std::string warnings_in_html(const std::vector<std::string>& warnings) {
  if (warnings.empty()) return {};
  std::string items;
  for (const std::string& sentence : warnings) items += "<li>" + in_html(sentence) + "</li>\n";
  return fmt::format("<section class=\"warnings\">\n<h2>{}</h2>\n<ul>\n{}</ul>\n</section>\n",
                     warnings.size() == 1 ? "A warning" : "Warnings", items);
}

std::vector<std::string> sentences(const RunRecord& record) {
  std::vector<std::string> result;
  for (const Warning& warning : record.warnings) result.push_back(warning.sentence);
  return result;
}

}  // namespace

std::string in_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

Page page_of(const Reply& reply, std::string title, std::string command) {
  Page page{std::move(title),
            std::move(command),
            sentences(reply.record),
            reply.model,
            {},
            reply.text,
            {}};
  if (reply.table.values.rows != 0) page.tables.push_back({"Numbers", {}, reply.table});
  page.how_made = reply.how_made;
  fields::run(page.how_made, reply.model, reply.record);
  return page;
}

Page page_of(const FitResult& result, std::string command) {
  Page page{"Fit of " + result.model.name(),
            std::move(command),
            sentences(result.record),
            result.model,
            {},
            {},
            {}};
  if (!result.state.converged) {
    page.warnings.insert(page.warnings.begin(),
                         "The fit did not converge: " + result.state.reason + ".");
  }
  for (const std::string& sentence : result.rejected) {
    page.warnings.push_back("The law of the fitted model is not that of the data: " + sentence);
  }
  PageTable estimates{"Estimates", result.names, {{"estimate", "stderr", "of_paths"}, {}}};
  for (std::size_t i = 0; i < result.names.size(); ++i) {
    append_row(estimates.table.values,
               {result.estimate[i], result.standard_error[i], result.simulation_error[i]});
  }
  page.tables.push_back(std::move(estimates));
  if (!result.goodness.empty()) {
    PageTable tests{
        "Data and model",
        {},
        {{"t", "rows", "data_mean", "model_mean", "data_sd", "model_sd", "KS_p", "energy_p"}, {}}};
    for (const GoodnessOfFit& one : result.goodness) {
      tests.names.push_back(one.name);
      append_row(tests.table.values,
                 {one.time, static_cast<double>(one.rows), one.data_mean, one.model_mean,
                  one.data_deviation, one.model_deviation, one.kolmogorov_smirnov_p, one.energy_p});
    }
    page.tables.push_back(std::move(tests));
  }
  page.tables.push_back({"Iterations", {}, history_table(result)});
  for (const std::string& remark : result.remarks) page.text += remark + "\n";
  page.text += fmt::format("{} in {} iterations: {}\n",
                           result.state.converged ? "converged" : "NOT converged",
                           result.state.history.size() - 1, result.state.reason);
  fields::run(page.how_made, result.model, result.record);
  return page;
}

std::string html(const Page& page) {
  std::string body = "<header>\n<h1>" + in_html(page.title) + "</h1>\n";
  if (!page.command.empty()) {
    body += fmt::format("<p class=\"command\"><code>{}</code></p>\n", in_html(page.command));
  }
  body += "</header>\n" + warnings_in_html(page.warnings);
  std::string data;
  for (std::size_t k = 0; k < page.tables.size(); ++k) {
    const PageTable& one = page.tables[k];
    body += section(
        in_html(one.title),
        fmt::format("<div class=\"charts\" data-table=\"{}\"></div>\n", k) + table_in_html(one));
    data += (k == 0 ? "" : ",\n") + in_script(one);
  }
  if (!page.text.empty()) body += section("In words", in_pre(page.text));
  body += section("Model", "<div class=\"wide\">" + mathml(page.model) +
                               "</div>\n<details><summary>Its text</summary>\n" +
                               in_pre(page.model.text()) + "</details>\n");
  Rows rows;
  rows.add(page.how_made);
  body += section("How it was made", "<dl>\n" + rows.html + "</dl>\n");
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n"
      "<script type=\"application/json\" id=\"tables\">[{}]</script>\n<script>\n{}</script>\n"
      "</body>\n</html>\n",
      in_html(page.title), page_style(), body, data, page_script());
}

}  // namespace divker::present
