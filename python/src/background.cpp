#include "background.hpp"

namespace divker::python {

Reporter::Reporter(const pybind11::object& function, std::atomic<bool>& stop)
    : function_(function), stop_(stop) {}

std::function<void(std::size_t, std::size_t)> Reporter::callback() {
  if (!function_ || function_.is_none()) return nullptr;
  return [this](std::size_t finished, std::size_t total) {
    const pybind11::gil_scoped_acquire locked;
    if (error_) return;
    try {
      function_(finished, total);
    } catch (pybind11::error_already_set& error) {
      error_.emplace(error);
      stop_.store(true);
    }
  };
}

void Reporter::rethrow() {
  if (error_) throw pybind11::error_already_set(*error_);
}

}  // namespace divker::python
