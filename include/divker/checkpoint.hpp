// Long runs that survive their process: what was absorbed so far, saved now and then.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace divker {

// Where a run saves and what it goes on from. Without `save` there are no checkpoints. This floor
// knows no files: the hooks do, and must replace the bytes whole or not at all.
//
// The bytes: a line that names the format, the length and a checksum of all that follows; the
// run's identity, name by name; how many groups of paths were absorbed, and the collector's whole.
// They are of this machine and this version of the program. Saved in the order of absorption, so
// that a run that goes on ends with the same bits as one that was never cut short.
struct Checkpoint {
  std::string name;                   // the file, in messages
  std::function<std::string()> load;  // the bytes saved last; empty if there are none yet
  // The bytes are those of both arguments, one after the other.
  std::function<void(std::string_view, std::string_view)> save;
  // Between two saves at most; but a save that takes long is not repeated before ten times as long.
  // 0: after every group of paths.
  double seconds = 60.0;
  bool own_only = false;  // what another run has saved is none, and no error
  std::string kept;       // what the collector keeps, in words: part of the run's identity

  [[nodiscard]] bool on() const { return static_cast<bool>(save); }
  [[nodiscard]] Checkpoint of(std::string what) const {
    Checkpoint result = *this;
    result.kept = std::move(what);
    return result;
  }
};

}  // namespace divker
