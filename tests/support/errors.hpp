// What an action throws.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "divker/error.hpp"

namespace divker::test {

// The sentence of the Error, or "no error".
template <class Action>
[[nodiscard]] std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Exactly this kind and sentence.
template <class Action>
void expect_error(ErrorKind kind, const std::string& message, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(std::string(error.what()), message);
  }
}

}  // namespace divker::test
