#include "divker/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

struct Field {
  std::string text;
  bool quoted = false;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// The number that the whole text spells; nothing if it spells none. May be NaN or infinite.
std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0.0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty() || code == std::errc::invalid_argument) return std::nullopt;
  // Out of range means too large or too small; strtod tells infinity from zero.
  if (code != std::errc()) return std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path.string()), text_(read_text_file(path)) {}

  Table read() {
    std::string_view rest = text_;
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      ++line_;
      read_line(trimmed(rest.substr(0, end)));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (table_.values.rows == 0) fail("it holds no rows of numbers");
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::model, fmt::format("cannot read '{}': {}", path_, why));
  }
  [[noreturn]] void fail_line(const std::string& why) const {
    throw Error(ErrorKind::model, fmt::format("{}:{}: {}", path_, line_, why));
  }

  void read_line(std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    split(line);
    if (table_.values.cols == 0) {
      table_.values.cols = fields_.size();
      if (is_header()) return read_header();
    }
    read_row();
  }

  void split(std::string_view line) {
    fields_.clear();
    for (;;) {
      line = trimmed(line);
      Field field;
      if (line.starts_with('"')) {
        field.quoted = true;
        line = trimmed(quoted(line.substr(1), field.text));
        if (!line.empty() && line.front() != ',') {
          fail_line(fmt::format("the text '{}' follows a quoted field; expected a comma", line));
        }
      } else {
        const std::size_t end = std::min(line.find(','), line.size());
        field.text = trimmed(line.substr(0, end));
        line.remove_prefix(end);
      }
      fields_.push_back(std::move(field));
      if (line.empty()) return;
      line.remove_prefix(1);
    }
  }

  // Takes a quoted field up to its closing quote, and returns what follows.
  std::string_view quoted(std::string_view line, std::string& text) const {
    for (;;) {
      const std::size_t quote = line.find('"');
      if (quote == std::string_view::npos) fail_line("a quoted field has no closing quote");
      text += line.substr(0, quote);
      line.remove_prefix(quote + 1);
      if (!line.starts_with('"')) return line;
      text += '"';
      line.remove_prefix(1);
    }
  }

  [[nodiscard]] bool is_header() const {
    return std::none_of(fields_.begin(), fields_.end(),
                        [](const Field& f) { return !f.quoted && number(f.text).has_value(); });
  }

  void read_header() {
    std::set<std::string> seen;
    for (const Field& field : fields_) {
      if (field.text.empty()) {
        fail_line(fmt::format("column {} of the header has no name", table_.columns.size() + 1));
      }
      if (!seen.insert(field.text).second) {
        fail_line(fmt::format("the header names the column '{}' twice", field.text));
      }
      table_.columns.push_back(field.text);
    }
  }

  [[nodiscard]] std::string column_name(std::size_t c) const {
    return table_.columns.empty() ? fmt::format("column {}", c + 1)
                                  : fmt::format("column '{}'", table_.columns[c]);
  }

  void read_row() {
    Matrix& values = table_.values;
    if (fields_.size() != values.cols) {
      fail_line(fmt::format("the row has {} fields; expected {}", fields_.size(), values.cols));
    }
    for (std::size_t c = 0; c < values.cols; ++c) {
      const std::optional<double> value = number(fields_[c].text);
      if (!value) {
        fail_line(fmt::format("'{}' in {} is not a number{}", fields_[c].text, column_name(c),
                              fields_[c].text.find_first_of(";\t") == std::string::npos
                                  ? ""
                                  : "; columns are separated by commas"));
      }
      if (!std::isfinite(*value)) {
        fail_line(fmt::format("'{}' in {} is not finite", fields_[c].text, column_name(c)));
      }
      values.data.push_back(*value);
    }
    ++values.rows;
  }

  std::string path_;
  std::string text_;
  std::size_t line_ = 0;
  std::vector<Field> fields_;
  Table table_;
};

void append_name(std::string& text, const std::string& name) {
  const bool plain = !name.empty() && !number(name) && name.front() != '#' &&
                     trimmed(name).size() == name.size() &&
                     name.find_first_of(",\"\n\r") == std::string::npos;
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
