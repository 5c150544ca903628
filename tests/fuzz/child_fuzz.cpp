// Any bytes that a damaged child may send are no answer, an Error, or contents that are sent and
// received again as they are.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "divker/error.hpp"
#include "io/child.hpp"
#include "memory_file.hpp"

namespace {

using namespace divker;

// A file without a name, that is read from its beginning.
class Wire {
 public:
  Wire() : descriptor_(::memfd_create("wire", 0)) {
    if (descriptor_ < 0) std::abort();
  }
  ~Wire() { ::close(descriptor_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void put(const std::uint8_t* data, std::size_t size) const {
    if (::write(descriptor_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  void send(const FileContents& contents) const {
    send_answer(descriptor_, [&] { return contents; });
  }
  [[nodiscard]] std::optional<FileContents> receive() const {
    ::lseek(descriptor_, 0, SEEK_SET);
    return receive_answer(descriptor_);
  }
  [[nodiscard]] std::vector<char> bytes() const {
    std::vector<char> result(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)));
    const ssize_t read = ::pread(descriptor_, result.data(), result.size(), 0);
    if (read != static_cast<ssize_t>(result.size())) std::abort();
    return result;
  }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Wire first;
  first.put(data, size);
  try {
    const std::optional<FileContents> contents = first.receive();
    if (!contents) return 0;
    const Wire second;
    second.send(*contents);
    const std::optional<FileContents> again = second.receive();
    const Wire third;
    if (again) third.send(*again);
    // Compared as bytes: NaN equals nothing.
    if (again && second.bytes() == third.bytes()) return 0;
    std::fprintf(stderr, "The contents differ.\n");
    std::abort();
  } catch (const Error&) {
    return 0;
  }
}
