#include "divker/ranks.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "divker/archive.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

class OneRank : public Ranks {
 public:
  [[nodiscard]] std::size_t rank() const override { return 0; }
  [[nodiscard]] std::size_t size() const override { return 1; }
  [[nodiscard]] const std::vector<unsigned>& cores() const override { return cores_; }
  [[nodiscard]] std::vector<std::string> gather(const std::string& bytes) override {
    return {bytes};
  }
  [[nodiscard]] std::optional<std::vector<std::string>> part(
      const std::string& bytes, std::optional<std::chrono::milliseconds> /*patience*/) override {
    return std::vector{bytes};
  }
  [[noreturn]] void abort(int code) override { std::_Exit(code); }

 private:
  std::vector<unsigned> cores_{std::max(1U, std::thread::hardware_concurrency())};
};

std::unique_ptr<Ranks>& current() {
  static std::unique_ptr<Ranks> those = std::make_unique<OneRank>();
  return those;
}

// Open MPI, MPICH and what Slurm starts by PMIx name their processes so. A size of 1 needs no MPI.
bool has_launcher() {
  const char* wish = std::getenv("DIVKER_MPI");
  if (wish != nullptr && std::string(wish) == "off") return false;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* size = std::getenv(name)) return std::string(size) != "1";
  }
  return std::getenv("PMIX_RANK") != nullptr;
}

// MPI is called in an object of its own beside this library, which most runs never load.
std::filesystem::path plugin() {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&launched_ranks), &here) == 0) return "divker_mpi.so";
  std::error_code ignored;
  return std::filesystem::canonical(here.dli_fname, ignored).parent_path() / "divker_mpi.so";
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorKind::usage,
              fmt::format("This process was started as one of several by MPI, but {}; "
                          "DIVKER_MPI=off in the environment makes each of them run alone.",
                          why));
}

}  // namespace

Ranks& ranks() { return *current(); }

void use_ranks(std::unique_ptr<Ranks> those) {
  current() = those ? std::move(those) : std::make_unique<OneRank>();
}

void alone(const std::function<void()>& work) {
  struct Restore {
    std::unique_ptr<Ranks> others = std::exchange(current(), std::make_unique<OneRank>());
    Restore() = default;
    Restore(const Restore&) = delete;
    Restore& operator=(const Restore&) = delete;
    ~Restore() { current() = std::move(others); }
  } restore;
  work();
}

std::unique_ptr<Ranks> launched_ranks() {
  if (!has_launcher()) return nullptr;
  const std::filesystem::path file = plugin();
  if (!std::filesystem::exists(file)) refuse("divker was built without MPI");
  // Open MPI loads parts of itself that look for its symbols among the global ones.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) refuse(fmt::format("MPI cannot be loaded ({})", dlerror()));
  using Make = Ranks*();
  auto* make = reinterpret_cast<Make*>(dlsym(library, "divker_mpi_ranks"));
  if (make == nullptr) refuse(fmt::format("{} is of another version", file.string()));
  return std::unique_ptr<Ranks>(make());
}

unsigned threads_or_cores(unsigned threads) {
  return threads != 0 ? threads : ranks().cores()[ranks().rank()];
}

bool on_any_rank(bool here) {
  if (ranks().size() == 1) return here;
  for (const std::string& there : ranks().gather(here ? "1" : "0")) {
    if (there == "1") return true;
  }
  return false;
}

std::string from_first_rank(const std::function<std::string()>& make) {
  if (ranks().size() == 1) return make();
  int kind = 0;
  std::string result;
  if (ranks().rank() == 0) {
    try {
      result = make();
    } catch (const Error& error) {
      kind = static_cast<int>(error.kind());
      result = error.what();
    }
  }
  Archive mine;
  mine(kind, result);
  Archive first(ranks().gather(ranks().rank() == 0 ? mine.bytes() : std::string()).front());
  first(kind, result);
  if (kind != 0) throw Error(static_cast<ErrorKind>(kind), result);
  return result;
}

void on_first_rank(const std::function<void()>& work) {
  (void)from_first_rank([&work] {
    work();
    return std::string();
  });
}

}  // namespace divker
