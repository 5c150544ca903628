#include "io/child.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "io/reading.hpp"
#include "io/writing.hpp"

#ifdef DIVKER_COVERAGE
extern "C" void __gcov_dump();  // NOLINT: the name is gcov's
#endif

namespace divker {
namespace {

namespace fs = std::filesystem;

struct Broken {};  // the other end is gone, or talks nonsense

// How values pass from the child to its parent.
class Channel {
 public:
  explicit Channel(int descriptor) : number_(descriptor) {}

  void put(const void* bytes, std::size_t size) const {
    const auto* next = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t done = ::write(number_, next, size);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) throw Broken{};
      next += done;
      size -= static_cast<std::size_t>(done);
    }
  }
  void put(std::uint64_t number) const { put(&number, sizeof number); }
  void put(const std::string& text) const {
    put(text.size());
    put(text.data(), text.size());
  }

  void get(void* bytes, std::size_t size) const {
    auto* next = static_cast<char*>(bytes);
    while (size > 0) {
      const ssize_t done = ::read(number_, next, size);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) throw Broken{};
      next += done;
      size -= static_cast<std::size_t>(done);
    }
  }
  // A child whose memory was damaged may send anything.
  [[nodiscard]] std::size_t number(std::uint64_t most) const {
    std::uint64_t value = 0;
    get(&value, sizeof value);
    if (value > most) throw Broken{};
    return value;
  }
  [[nodiscard]] std::string text() const {
    constexpr std::uint64_t longest = std::uint64_t{1} << 26U;
    std::string result(number(longest), '\0');
    get(result.data(), result.size());
    return result;
  }
  // Memory is taken as the values arrive: a number that was damaged promises any amount.
  [[nodiscard]] std::vector<double> values(std::size_t count) const {
    constexpr std::size_t at_first = std::size_t{1} << 17U;
    std::vector<double> result;
    while (result.size() < count) {
      const std::size_t begin = result.size();
      result.resize(std::min(count, std::max(at_first, 2 * begin)));
      get(result.data() + begin, (result.size() - begin) * sizeof(double));
    }
    return result;
  }

 private:
  int number_;
};

void send(const Channel& out, const FileContents& contents) {
  const Matrix& values = contents.table.values;
  out.put(contents.table.columns.size());
  for (const std::string& name : contents.table.columns) out.put(name);
  out.put(contents.attributes.size());
  for (const auto& [key, value] : contents.attributes) {
    out.put(key);
    out.put(value);
  }
  out.put(values.rows);
  out.put(values.cols);
  out.put(values.data.data(), values.data.size() * sizeof(double));
}

FileContents receive(const Channel& in) {
  constexpr std::uint64_t most_names = std::uint64_t{1} << 24U;
  constexpr std::uint64_t most_values = largest_file / sizeof(double);
  FileContents contents;
  for (std::size_t count = in.number(most_names); count > 0; --count) {
    contents.table.columns.push_back(in.text());
  }
  for (std::size_t count = in.number(most_names); count > 0; --count) {
    std::string key = in.text();
    contents.attributes[std::move(key)] = in.text();
  }
  Matrix& values = contents.table.values;
  values.rows = in.number(most_values);
  values.cols = in.number(values.rows == 0 ? most_values : most_values / values.rows);
  values.data = in.values(values.rows * values.cols);
  return contents;
}

// Nothing of the parent is undone or flushed a second time: _exit.
[[noreturn]] void be_child(int out, std::uintmax_t size,
                           const std::function<FileContents()>& read) {
  constexpr std::uintmax_t bytes_per_second = 4U << 20U;
  constexpr rlim_t at_least = 5;
  const rlim_t limit = at_least + size / bytes_per_second;
  const rlimit seconds{limit, limit};
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CPU, &seconds);
  ::setrlimit(RLIMIT_CORE, &no_core);
  int code = 1;
  try {
    send_answer(out, read);
    code = 0;
  } catch (...) {  // NOLINT(bugprone-empty-catch): the exit code tells
  }
#ifdef DIVKER_COVERAGE
  __gcov_dump();
#endif
  ::_exit(code);
}

// Waits for the child however the block ends; one that still writes meets a closed pipe.
class Waiting {
 public:
  Waiting(pid_t child, Descriptor& in) : child_(child), in_(in) {}
  ~Waiting() {
    in_.close();
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  pid_t child_;
  Descriptor& in_;
};

}  // namespace

void send_answer(int descriptor, const std::function<FileContents()>& read) {
  const Channel out(descriptor);
  try {
    const FileContents contents = read();
    out.put(std::uint64_t{0});
    send(out, contents);
  } catch (const Error& error) {
    out.put(static_cast<std::uint64_t>(error.kind()));
    out.put(std::string(error.what()));
  }
}

std::optional<FileContents> receive_answer(int descriptor) {
  const Channel in(descriptor);
  try {
    const std::size_t kind = in.number(static_cast<std::uint64_t>(ErrorKind::numerical));
    if (kind == 1) throw Broken{};
    if (kind != 0) throw Error(static_cast<ErrorKind>(kind), in.text());
    return receive(in);
  } catch (const Broken&) {
    return std::nullopt;
  }
}

FileContents read_in_child(const fs::path& path, const std::function<FileContents()>& read) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail_reading(path, std::generic_category().message(errno));
  }
  Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  const std::uintmax_t size = fs::file_size(path);
  const pid_t child = ::fork();
  if (child < 0) fail_reading(path, std::generic_category().message(errno));
  if (child == 0) {
    in.close();
    be_child(out.number(), size, read);
  }
  out.close();
  const Waiting waiting(child, in);
  std::optional<FileContents> contents = receive_answer(in.number());
  if (!contents) fail_reading(path, "it is damaged: the HDF5 library fails on it");
  return std::move(*contents);
}

}  // namespace divker
