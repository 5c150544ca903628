// The ranks of MPI. This object is loaded in processes that MPI has started, and only there.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "divker/ranks.hpp"

namespace divker {
namespace {

using Clock = std::chrono::steady_clock;

// Waits without keeping a core busy: threads of other ranks may need it. False: too late.
bool arrives(MPI_Request& request, std::optional<Clock::time_point> deadline) {
  constexpr int eager = 200;
  constexpr std::chrono::microseconds longest{500};
  std::chrono::microseconds pause{10};
  for (int looks = 0;; ++looks) {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done != 0) return true;
    if (looks < eager) {
      std::this_thread::yield();
      continue;
    }
    if (deadline && Clock::now() > *deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest);
  }
}

class MpiRanks : public Ranks {
 public:
  MpiRanks() {
    int provided = 0;
    // Errors of MPI itself end all ranks, with a message: its default.
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    MPI_Comm_dup(MPI_COMM_WORLD, &work_);
    MPI_Comm_dup(MPI_COMM_WORLD, &parting_);
    MPI_Comm_rank(work_, &rank_);
    MPI_Comm_size(work_, &size_);
    share_cores();
  }
  ~MpiRanks() override {
    MPI_Comm_free(&work_);
    MPI_Comm_free(&parting_);
    MPI_Finalize();
  }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  [[nodiscard]] std::size_t rank() const override { return static_cast<std::size_t>(rank_); }
  [[nodiscard]] std::size_t size() const override { return static_cast<std::size_t>(size_); }
  [[nodiscard]] const std::vector<unsigned>& cores() const override { return cores_; }

  [[nodiscard]] std::vector<std::string> gather(const std::string& bytes) override {
    return *gather_on(work_, bytes, std::nullopt);
  }
  [[nodiscard]] std::optional<std::vector<std::string>> part(
      const std::string& bytes, std::optional<std::chrono::milliseconds> patience) override {
    std::optional<Clock::time_point> deadline;
    if (patience) deadline = Clock::now() + *patience;
    return gather_on(parting_, bytes, deadline);
  }
  [[noreturn]] void abort(int code) override {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::_Exit(code);
  }

 private:
  // First the lengths, for which it waits; then the bytes, when all ranks are there.
  [[nodiscard]] std::optional<std::vector<std::string>> gather_on(
      MPI_Comm channel, const std::string& bytes, std::optional<Clock::time_point> deadline) const {
    const std::uint64_t mine = bytes.size();
    std::vector<std::uint64_t> lengths(size());
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallgather(&mine, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, channel, &request);
    if (!arrives(request, deadline)) return std::nullopt;
    std::vector<std::string> all(size());
    // MPI counts by int: slices, so that those of all ranks together stay below 2^31.
    const std::uint64_t slice = (std::uint64_t{1} << 30U) / size();
    const std::uint64_t longest = *std::max_element(lengths.begin(), lengths.end());
    std::vector<int> counts(size());
    std::vector<int> places(size());
    std::vector<char> received;
    for (std::uint64_t begin = 0; begin < longest; begin += slice) {
      int total = 0;
      for (std::size_t r = 0; r < size(); ++r) {
        places[r] = total;
        counts[r] = static_cast<int>(std::min(slice, lengths[r] - std::min(begin, lengths[r])));
        total += counts[r];
      }
      received.resize(static_cast<std::size_t>(total));
      const char* from = bytes.data() + std::min(begin, mine);
      MPI_Allgatherv(from, counts[rank()], MPI_CHAR, received.data(), counts.data(), places.data(),
                     MPI_CHAR, channel);
      for (std::size_t r = 0; r < size(); ++r) {
        all[r].append(received.data() + places[r], static_cast<std::size_t>(counts[r]));
      }
    }
    return all;
  }

  // A core counts for a rank by one over the number of ranks that may run on it.
  void share_cores() {
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(work_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
    int neighbours = 0;
    MPI_Comm_size(machine, &neighbours);
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    std::vector<cpu_set_t> all(static_cast<std::size_t>(neighbours));
    MPI_Allgather(&mine, sizeof mine, MPI_CHAR, all.data(), sizeof mine, MPI_CHAR, machine);
    MPI_Comm_free(&machine);
    double share = 0.0;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &mine)) continue;
      share += 1.0 / static_cast<double>(std::count_if(
                         all.begin(), all.end(),
                         [cpu](const cpu_set_t& set) { return CPU_ISSET(cpu, &set); }));
    }
    const unsigned cores = std::max(1U, static_cast<unsigned>(share + 1e-6));
    cores_.resize(size());
    MPI_Allgather(&cores, 1, MPI_UNSIGNED, cores_.data(), 1, MPI_UNSIGNED, work_);
  }

  MPI_Comm work_ = MPI_COMM_NULL;
  MPI_Comm parting_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::vector<unsigned> cores_;
};

}  // namespace

extern "C" Ranks* divker_mpi_ranks() { return std::make_unique<MpiRanks>().release(); }

}  // namespace divker
