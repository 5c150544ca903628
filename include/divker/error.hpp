// Errors that divker raises: full sentences naming the culprit, its value and the limit.
#pragma once

#include <stdexcept>
#include <string>

namespace divker {

// Who is at fault. The value is the exit code of the `divker` command.
enum class ErrorKind {
  usage = 2,      // an argument of the call or of the command line
  model = 3,      // a model file or a data file
  numerical = 4,  // the computation broke down (overflow, too many failed paths)
};

// The only exception type thrown on purpose by this library.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& sentence) : std::runtime_error(sentence), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace divker
