#include "divker/npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY values are copied as they are");

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string type;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

// Reads the Python literal of an NPY header, {'descr': '<f8', 'fortran_order': False, 'shape':
// (3,)}.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::filesystem::path& path)
      : text_(text), path_(path) {}

  Header parse() {
    Header header;
    unsigned seen = 0;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.type = type();
        seen |= 1U;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        seen |= 2U;
      } else if (key == "shape") {
        header.shape = shape();
        seen |= 4U;
      } else {
        fail(fmt::format("its header has the unknown key '{}'", key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (seen != 7U) fail("its header lacks one of 'descr', 'fortran_order' and 'shape'");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::model,
                fmt::format("'{}' is not a readable NPY file: {}", path_.string(), why));
  }

  bool accept(char wanted) {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(fmt::format("its header has no '{}' at byte {}", wanted, at_));
  }

  std::string quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("its header has a string without an end");
    std::string value(text_.substr(at_, end - at_));
    at_ = end + 1;
    return value;
  }

  std::string type() {
    if (accept('[')) fail("it holds records with named fields; expected plain numbers");
    return quoted();
  }

  bool boolean() {
    accept(' ');
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    fail("its header has no True or False for 'fortran_order'");
  }

  std::vector<std::size_t> shape() {
    std::vector<std::size_t> sizes;
    expect('(');
    while (!accept(')')) {
      std::size_t size = 0;
      const char* begin = text_.data() + at_;
      const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (code == std::errc::result_out_of_range) fail("its shape is too large");
      if (code != std::errc()) fail("its header has a shape that is not a tuple of integers");
      at_ += static_cast<std::size_t>(end - begin);
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  std::size_t at_ = 0;
};

template <typename Number>
void convert(const char* bytes, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Number number;
    std::memcpy(&number, bytes + i * sizeof(Number), sizeof(Number));
    values[i] = static_cast<double>(number);
  }
}

struct NumberType {
  std::string_view name;
  std::size_t bytes;
  void (*convert)(const char*, std::vector<double>&);
};

constexpr NumberType kTypes[] = {{"<f8", 8, convert<double>},
                                 {"<f4", 4, convert<float>},
                                 {"<i8", 8, convert<std::int64_t>},
                                 {"<i4", 4, convert<std::int32_t>}};

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorKind::model,
              fmt::format("'{}' is not a readable NPY file: {}", path.string(), why));
}

// Where the array begins, after the magic string, the version and the length of the header.
std::string_view header_text(std::string_view bytes, const std::filesystem::path& path) {
  if (!bytes.starts_with(kMagic)) fail(path, "it does not begin with the NPY signature");
  if (bytes.size() < 10) fail(path, "it ends inside the header");
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::uint32_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) {
    fail(path,
         fmt::format("its format version is {}.{}; expected 1.0, 2.0 or 3.0", version, byte(7)));
  }
  std::size_t begin = 10;
  std::size_t length = byte(8) | (byte(9) << 8U);
  if (version > 1) {
    if (bytes.size() < 12) fail(path, "it ends inside the header");
    begin = 12;
    length |= (byte(10) << 16U) | (byte(11) << 24U);
  }
  if (length > bytes.size() - begin) fail(path, "it ends inside the header");
  return bytes.substr(begin, length);
}

const NumberType& number_type(const std::string& name, const std::filesystem::path& path) {
  for (const NumberType& type : kTypes) {
    if (type.name == name) return type;
  }
  if (name == "|O") fail(path, "it holds Python objects; expected numbers");
  fail(path,
       fmt::format("its numbers have the type '{}'; expected '<f8', '<f4', '<i8' or '<i4'", name));
}

Matrix transposed(const Matrix& m) {
  Matrix result(m.cols, m.rows);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) result(c, r) = m(r, c);
  }
  return result;
}

}  // namespace

Matrix read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_binary_file(path);
  const std::string_view text = header_text(bytes, path);
  const Header header = HeaderParser(text, path).parse();
  const NumberType& type = number_type(header.type, path);
  if (header.shape.empty() || header.shape.size() > 2) {
    fail(path, fmt::format("its array is {}-D; expected 1-D or 2-D", header.shape.size()));
  }
  const std::size_t rows = header.shape[0];
  const std::size_t cols = header.shape.size() == 2 ? header.shape[1] : 1;
  if (rows == 0 || cols == 0) fail(path, "its array holds no values");

  const char* begin = text.data() + text.size();
  const auto present = static_cast<std::size_t>(bytes.data() + bytes.size() - begin);
  // Division, because the product of a hostile shape overflows.
  if (rows > present / type.bytes / cols) {
    fail(path,
         fmt::format("its header promises {} x {} numbers of {} bytes, but only {} bytes follow",
                     rows, cols, type.bytes, present));
  }
  if (rows * cols * type.bytes != present) {
    fail(path, fmt::format("{} bytes follow its {} x {} numbers",
                           present - rows * cols * type.bytes, rows, cols));
  }
  const bool columns_first = header.fortran_order && header.shape.size() == 2;
  Matrix values = columns_first ? Matrix(cols, rows) : Matrix(rows, cols);
  type.convert(begin, values.data);
  return columns_first ? transposed(values) : values;
}

void write_npy(const std::filesystem::path& path, const Matrix& values) {
  write_npy(path, {{}, values.rows, values.cols, [rest = std::span(values.data)]() mutable {
                     return std::exchange(rest, {});
                   }});
}

void write_npy(const std::filesystem::path& path, const TableStream& table) {
  std::string header = fmt::format(
      "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", table.rows, table.cols);
  constexpr std::size_t kAlignment = 64;  // of the first number, as the format asks
  const std::size_t used = kMagic.size() + 4 + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(header.size() & 0xffU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  OutputFile file(path);
  file.write(bytes);
  for (auto block = table.next(); !block.empty(); block = table.next()) {
    file.write({reinterpret_cast<const char*>(block.data()), block.size_bytes()});
  }
  file.commit();
}

}  // namespace divker
