// Values to bytes and back, by one function for both ways.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/matrix.hpp"

namespace divker {

// A class takes part by a member `void transfer(Archive& archive) { archive(first_, second_); }`,
// which writes its members or reads them. Bytes are those of this machine: they serve processes of
// one program, not exchange between machines of different kinds. Numbers come back to the bit.
// Reading past the end, or a length that the bytes cannot hold, is Error(model).
class Archive {
 public:
  Archive() = default;                                                               // writes
  explicit Archive(std::string bytes) : bytes_(std::move(bytes)), reading_(true) {}  // reads

  [[nodiscard]] bool reading() const { return reading_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] bool at_end() const { return position_ == bytes_.size(); }

  template <class... T>
  void operator()(T&... values) {
    (transfer(values), ...);
  }

  // So many numbers as both sides know already.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(std::span<T> values) { raw(values.data(), values.size_bytes()); }

 private:
  template <class T>
  void transfer(T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      raw(&value, sizeof value);
    } else {
      value.transfer(*this);
    }
  }

  void transfer(std::string& text) {
    text.resize(length(text.size(), 1));
    raw(text.data(), text.size());
  }

  template <class T>
  void transfer(std::vector<T>& values) {
    constexpr bool plain = std::is_arithmetic_v<T>;
    values.resize(length(values.size(), plain ? sizeof(T) : 1));
    if constexpr (plain) {
      raw(values.data(), values.size() * sizeof(T));
    } else {
      for (T& value : values) transfer(value);
    }
  }

  void transfer(Matrix& matrix) {
    (*this)(matrix.rows, matrix.cols, matrix.data);
    if (matrix.data.size() != matrix.rows * matrix.cols) fail();
  }

  // A length written before what it counts, each of which takes at least `smallest` bytes.
  std::size_t length(std::size_t value, std::size_t smallest) {
    raw(&value, sizeof value);
    if (reading_ && value > (bytes_.size() - position_) / smallest) fail();
    return value;
  }

  void raw(void* data, std::size_t size) {
    if (size == 0) return;
    if (!reading_) {
      bytes_.append(static_cast<const char*>(data), size);
      return;
    }
    if (size > bytes_.size() - position_) fail();
    std::memcpy(data, bytes_.data() + position_, size);
    position_ += size;
  }

  [[noreturn]] static void fail() {
    throw Error(ErrorKind::model, "The saved numbers are damaged: they end too early.");
  }

  std::string bytes_;
  std::size_t position_ = 0;
  bool reading_ = false;
};

}  // namespace divker
