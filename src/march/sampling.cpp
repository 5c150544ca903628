#include "divker/sampling.hpp"

#include "divker/ranks.hpp"

namespace divker {

bool Session::stopped() const { return on_any_rank(stop != nullptr && *stop); }

Session Session::aside() const {
  Session result = *this;
  result.progress = nullptr;
  result.checkpoint = {};
  return result;
}

Session Session::keeping(const std::string& what) const {
  Session result = *this;
  result.checkpoint = checkpoint.of(what);
  return result;
}

}  // namespace divker
