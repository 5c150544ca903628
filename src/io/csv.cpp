#include "divker/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "io/fields.hpp"
#include "io/gzip.hpp"
#include "io/reading.hpp"
#include "io/stream_input.hpp"

namespace divker {
namespace {

// The separator is recognised from so many lines.
constexpr std::size_t first_lines = 20;

std::string_view name_of_mark(char mark) { return mark == ',' ? "a comma" : "a point"; }

bool is_whole(const Field& field) {
  return !field.text.empty() && field.text.find_first_not_of("+-0123456789") == std::string::npos;
}

std::string read_text(const std::filesystem::path& path) {
  return path.extension() == ".gz" || extension_by_content(path) == ".csv.gz"
             ? read_gzip_text_file(path, largest_file)
             : read_text_file(path);
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path.string()), text_(read_text(path)) {}

  Table read() {
    recognise_separator();
    restart();
    while (const auto line = next_line()) read_line(*line);
    if (table_.values.rows == 0) fail_reading(path_, "it holds no rows of numbers");
    for (auto& [column, texts] : table_.texts) lengthen(texts);
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail_line(const std::string& why) const {
    throw Error(ErrorKind::model, fmt::format("{}:{}: {}", path_, line_, why));
  }
  void remark(const std::string& what) {
    table_.remarks.push_back(fmt::format("{}: {}.", path_, what));
  }

  void restart() {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    rest_ = text_;
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    line_ = 0;
  }

  // The next line that is neither blank nor a comment.
  std::optional<std::string_view> next_line() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++line_;
      const std::string_view content = trimmed(line);
      if (!content.empty() && content.front() != '#') return line;
    }
    return std::nullopt;
  }

  void recognise_separator() {
    restart();
    std::vector<std::string_view> lines;
    while (const auto line = next_line()) {
      if (lines.empty()) first_line_ = line_;
      lines.push_back(*line);
      if (lines.size() == first_lines) break;
    }
    separator_ = &recognised_separator(lines);
    if (separator_->sign != ',') {
      remark(fmt::format("columns are separated by {}", separator_->many));
    }
  }

  void read_line(std::string_view line) {
    const std::string fault = split_fields(line, *separator_, fields_);
    if (!fault.empty()) fail_line(fault);
    if (table_.values.cols == 0) {
      table_.values.cols = fields_.size();
      if (is_header()) return read_header();
    }
    if (fields_.size() != table_.values.cols) refuse_row(line);
    read_row();
  }

  // A line of nothing but missing values is a row, and a name in quotes is a name.
  [[nodiscard]] bool is_header() const {
    const auto is_missing_value = [](const Field& f) { return !f.quoted && is_missing(f.text); };
    if (std::ranges::all_of(fields_, is_missing_value)) return false;
    return std::ranges::none_of(fields_, [this](const Field& f) {
      return !f.quoted &&
             (number_with_point(f.text) || (allows_comma() && number_with_comma(f.text)));
    });
  }

  void read_header() {
    std::set<std::string> seen;
    for (const Field& field : fields_) {
      if (!field.text.empty() && !seen.insert(field.text).second) {
        fail_line(fmt::format("the header names the column '{}' twice", field.text));
      }
      table_.columns.push_back(field.text);
    }
  }

  [[nodiscard]] std::string column_name(std::size_t c) const {
    return table_.columns.empty() || table_.columns[c].empty()
               ? fmt::format("column {}", c + 1)
               : fmt::format("column '{}'", table_.columns[c]);
  }

  [[noreturn]] void refuse_row(std::string_view line) const {
    const std::size_t expected = table_.values.cols;
    const bool has_more = fields_.size() > expected;
    std::string advice;
    if (!allows_comma() && has_more && fields_.size() <= 2 * expected &&
        std::ranges::all_of(fields_, is_whole)) {
      advice = "; if numbers have decimal commas, separate the columns by ';' or tabs";
    }
    for (const Separator& other : separators) {
      const bool is_there = line.find(other.sign) != std::string_view::npos;
      if (has_more || &other == separator_ || !is_there) continue;
      advice = fmt::format("; line {} separates columns by {}, and this one has {}", first_line_,
                           separator_->many, other.one);
    }
    fail_line(
        fmt::format("the row has {} fields; expected {}{}", fields_.size(), expected, advice));
  }

  void read_row() {
    ++table_.values.rows;
    table_.lines.push_back(line_);
    for (std::size_t c = 0; c < table_.values.cols; ++c) {
      const std::string& text = fields_[c].text;
      const std::optional<double> value = is_missing(text) ? std::nullopt : number(text);
      const bool is_finite = value && std::isfinite(*value);
      table_.values.data.push_back(is_finite ? *value : std::numeric_limits<double>::quiet_NaN());
      if (!is_finite && !is_missing(text)) add_text(c, text);
    }
  }

  [[nodiscard]] bool allows_comma() const { return separator_->sign != ','; }

  // The first number with a decimal mark decides what mark the file has; one with the other mark
  // is text: it may well be a comma or a point between thousands.
  std::optional<double> number(const std::string& text) {
    const bool has_comma = allows_comma() && text.find(',') != std::string::npos;
    const std::optional<double> value =
        has_comma ? number_with_comma(text) : number_with_point(text);
    if (!value || (!has_comma && text.find('.') == std::string::npos)) return value;
    const char mark = has_comma ? ',' : '.';
    if (mark_ == '\0') {
      mark_ = mark;
      mark_line_ = line_;
      if (has_comma) {
        remark(fmt::format("decimals are written with commas; '{}' in line {} is {}", text, line_,
                           *value));
      }
    }
    if (mark == mark_) return value;
    if (!std::exchange(other_mark_seen_, true)) {
      remark(
          fmt::format("'{}' in line {} has {}, but '{}' marks the decimals since line {}; it is "
                      "taken as text",
                      text, line_, name_of_mark(mark), mark_, mark_line_));
    }
    return std::nullopt;
  }

  void add_text(std::size_t c, const std::string& text) {
    TextColumn& column = table_.texts[c];
    if (column.fault.empty()) {
      column.fault = fmt::format("{}:{}: '{}' in {} is {}", path_, line_, text, column_name(c),
                                 what_it_is(text));
    }
    lengthen(column);
    column.cells.back() = text;
    count_memory(text.size());
  }

  // A text that is no finite number of this file.
  [[nodiscard]] std::string what_it_is(const std::string& text) const {
    const std::optional<double> with_comma = number_with_comma(text);
    const std::optional<double> value = with_comma ? with_comma : number_with_point(text);
    if (value && std::isinf(*value)) return "not finite";
    if (value && allows_comma()) {
      return fmt::format("not a number; line {} has {} before the decimals", mark_line_,
                         name_of_mark(mark_));
    }
    if (value) {
      return "not a number; decimal commas are read where columns are separated by ';' or tabs";
    }
    if (text.find_first_of(";\t") == std::string::npos) return "not a number";
    return fmt::format("not a number; columns are separated by {}", separator_->many);
  }

  // As long as the table is.
  void lengthen(TextColumn& column) {
    count_memory((table_.values.rows - column.cells.size()) * sizeof(std::string));
    column.cells.resize(table_.values.rows);
  }

  void count_memory(std::size_t bytes) {
    text_bytes_ += bytes;
    if (text_bytes_ <= largest_file) return;
    fail_reading(path_,
                 fmt::format("its columns of text need more memory than the limit of {} bytes",
                             largest_file));
  }

  std::string path_;
  std::string text_;
  std::string_view rest_;
  std::size_t line_ = 0;
  const Separator* separator_ = nullptr;
  std::size_t first_line_ = 0;
  char mark_ = '\0';  // before decimals, once it is known
  std::size_t mark_line_ = 0;
  bool other_mark_seen_ = false;
  std::vector<Field> fields_;
  std::size_t text_bytes_ = 0;
  Table table_;
};

// A name that reads back as one.
void append_name(std::string& text, const std::string& name) {
  const bool plain = !is_missing(name) && !number_with_point(name) && !number_with_comma(name) &&
                     name.front() != '#' && trimmed(name).size() == name.size() &&
                     name.find_first_of(",;\t\"\n\r") == std::string::npos;
  if (plain) {
    text += name;
    return;
  }
  text += '"';
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c == '\n' || c == '\r' ? ' ' : c;
  }
  text += '"';
}

// Later lines of a long value are indented, so that they are told from the next key.
void append_comment(std::string& text, const std::string& key, const std::string& value) {
  text += fmt::format("# {}: ", key);
  for (const char c : value) {
    if (c == '\n') {
      text += "\n#   ";
    } else if (c != '\r') {
      text += c;
    }
  }
  text += '\n';
}

}  // namespace

Table read_csv(const std::filesystem::path& path) { return Reader(path).read(); }

void write_csv(const std::filesystem::path& path, const Table& table,
               const Attributes& attributes) {
  write_csv(path, stream_of(table), attributes);
}

void write_csv(const std::filesystem::path& path, const TableStream& table,
               const Attributes& attributes) {
  if (!table.columns.empty() && table.columns.size() != table.cols) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot write '{}': the table has {} column names for {} columns",
                            path.string(), table.columns.size(), table.cols));
  }
  constexpr std::size_t enough = std::size_t{1} << 20U;
  OutputFile file(path);
  std::string text;
  for (const auto& [key, value] : attributes) append_comment(text, key, value);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) text += ',';
    append_name(text, table.columns[c]);
  }
  if (!table.columns.empty()) text += '\n';
  for (auto block = table.next(); !block.empty(); block = table.next()) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      fmt::format_to(std::back_inserter(text), "{}", block[i]);
      text += (i + 1) % table.cols == 0 ? '\n' : ',';
      if (text.size() < enough) continue;
      file.write(text);
      text.clear();
    }
  }
  file.write(text);
  file.commit();
}

}  // namespace divker
