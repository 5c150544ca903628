// HDF5 files are read in a child process. The HDF5 library takes what a file says about itself for
// granted in many places: a damaged or hostile file can make it read and write where it must not
// (fuzzing finds such a file within seconds), or turn in circles. Then the child dies, and the file
// is refused.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "divker/table.hpp"

namespace divker {

struct FileContents {
  Table table;
  Attributes attributes;
};

// What `read` returns or the Error that it throws, in a child process, whose processor time is
// limited by the size of the file. Throws Error(model) where the child ends otherwise.
// Cost: about a millisecond and one copy of the contents.
[[nodiscard]] FileContents read_in_child(const std::filesystem::path& path,
                                         const std::function<FileContents()>& read);

// What passes between the two. The child writes what `read` returns, or the Error that it throws,
// to a descriptor; the parent returns or throws the same, nothing where that is not what it reads.
void send_answer(int descriptor, const std::function<FileContents()>& read);
[[nodiscard]] std::optional<FileContents> receive_answer(int descriptor);

}  // namespace divker
