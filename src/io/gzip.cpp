#include "io/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "divker/file.hpp"
#include "io/reading.hpp"

namespace divker {
namespace {

class Inflater {
 public:
  Inflater(const std::filesystem::path& path, std::size_t limit) : path_(path), limit_(limit) {
    constexpr int gzip_with_largest_window = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, gzip_with_largest_window) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::string run(std::string bytes) {
    std::size_t taken = 0;
    int state = Z_OK;
    while (taken < bytes.size() || state == Z_OK) {
      if (state == Z_STREAM_END) ::inflateReset(&stream_);
      // zlib counts in 32 bits.
      constexpr std::size_t most = std::size_t{1} << 20U;
      const std::size_t given = std::min(most, bytes.size() - taken);
      stream_.next_in = reinterpret_cast<Bytef*>(bytes.data() + taken);
      stream_.avail_in = static_cast<uInt>(given);
      state = step();
      const std::size_t used = given - stream_.avail_in;
      if (state == Z_OK && used == 0 && !filled_)
        fail_reading(path_, "its compressed data end early");
      taken += used;
    }
    return std::move(text_);
  }

 private:
  // Fills the block once.
  int step() {
    stream_.next_out = reinterpret_cast<Bytef*>(block_.data());
    stream_.avail_out = static_cast<uInt>(block_.size());
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      fail_reading(path_, fmt::format("its compressed data are damaged ({})",
                                      stream_.msg == nullptr ? "zlib" : stream_.msg));
    }
    text_.append(block_.data(), block_.size() - stream_.avail_out);
    filled_ = stream_.avail_out == 0;
    if (text_.size() > limit_) {
      fail_reading(path_,
                   fmt::format("what it holds is larger than the limit of {} bytes", limit_));
    }
    return state == Z_BUF_ERROR ? Z_OK : state;
  }

  const std::filesystem::path& path_;
  std::size_t limit_;
  z_stream stream_{};
  std::array<char, std::size_t{1} << 16U> block_{};
  bool filled_ = false;
  std::string text_;
};

}  // namespace

std::string read_gzip_text_file(const std::filesystem::path& path, std::size_t limit) {
  std::string text = Inflater(path, limit).run(read_binary_file(path));
  check_text(text, path);
  return text;
}

}  // namespace divker
