#include "settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "checkpoint_file.hpp"
#include "divker/error.hpp"

namespace divker::python {
namespace {

void require_one_of(const char* name, const std::string& value,
                    const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  throw Error(ErrorKind::usage,
              fmt::format("{}: '{}' is none of: {}.", name, value, fmt::join(known, ", ")));
}

// A number asks for a constant damping.
std::string alpha_text(const py::object& alpha) {
  if (!alpha || alpha.is_none()) return "auto";
  return py::str(alpha);
}

}  // namespace

py::object Arguments::pop(const char* name) {
  if (!values_.contains(name)) return {};
  return values_.attr("pop")(name);
}

void Arguments::require_empty() const {
  for (const auto& [name, value] : values_) {
    if (value.is_none() || value.is(py::bool_(false))) continue;  // asks for nothing
    throw Error(ErrorKind::usage,
                fmt::format("{} does not apply here: it belongs to another kind of answer.",
                            std::string(py::str(name))));
  }
}

void Arguments::refuse(const char* name, const py::object& given, const char* expected) {
  throw Error(ErrorKind::usage,
              fmt::format("{}: {} is not {}.", name, std::string(py::repr(given)), expected));
}

Settings::Settings(Arguments& arguments, std::size_t paths, int order)
    : paths_(paths), order_(order), reporter_(arguments.pop("progress"), stop_) {
  arguments.take("paths", paths_, whole);
  arguments.take("seed", seed_, whole);
  arguments.take("threads", threads_, whole);
  arguments.take("block", block_, whole);
  alpha_ = alpha_text(arguments.pop("alpha"));
  arguments.take("order", order_, "1 or 2");
  arguments.take("scheme", scheme_, "a text");
  arguments.take("resolution", resolution_, "a text");
  arguments.take("failed_share", failed_share_, "a number");
  arguments.take("regressor", regressor_, "a text");
  arguments.take("neighbours", regressor_options_.neighbours, whole);
  arguments.take("bins", regressor_options_.bins, whole);
  arguments.take("bandwidth", regressor_options_.bandwidth, "a number");
  arguments.take("degree", regressor_options_.degree, "1 or 2");
  arguments.take("time", time_, "a number");
  if (order_ != 1 && order_ != 2) {
    throw Error(ErrorKind::usage, fmt::format("order: {} is neither 1 nor 2.", order_));
  }
  if (!(failed_share_ >= 0.0 && failed_share_ <= 1.0)) {
    throw Error(ErrorKind::usage,
                fmt::format("failed_share: {} is not between 0 and 1.", failed_share_));
  }
  if (!scheme_.empty()) require_one_of("scheme", scheme_, {"euler", "exact"});
  require_one_of("resolution", resolution_, {"fast", "full"});
}

RunOptions Settings::run(const LoadedModel& loaded) {
  if (loaded.model.dynamics() == Dynamics::map && scheme_ == "euler") {
    throw Error(ErrorKind::usage,
                fmt::format("scheme 'euler' is for SDEs: model {} is a discrete-time map, whose "
                            "step is exact.",
                            loaded.model.name()));
  }
  RunOptions run;
  run.paths = paths_;
  run.seed = seed_;
  run.threads = threads_;
  run.block = block_;
  run.samples = loaded.samples;
  run.resolution = resolution_ == "full" ? Resolution::full : Resolution::fast;
  run.failed_share = failed_share_;
  run.stop = &stop_;
  run.progress = reporter_.callback();
  if (time_) run.snapshots = {*time_};
  return run;
}

AnswerOptions Settings::answer(const LoadedModel& loaded) {
  AnswerOptions answer;
  answer.run = run(loaded);
  answer.damping = parse_damping(alpha_);
  answer.scheme = scheme_ == "exact" ? Scheme::exact : Scheme::euler;
  answer.order = order_ == 2 ? InverseOrder::second : InverseOrder::first;
  answer.regressor = regressor_;
  answer.regressor_options = regressor_options_;
  return answer;
}

Checkpoint Settings::take_checkpoint(Arguments& arguments) {
  std::string file;
  double seconds = Checkpoint{}.seconds;
  arguments.take("checkpoint", file, "the name of a file");
  const bool has_pace = arguments.take("checkpoint_every", seconds, "a number of seconds");
  if (!(seconds >= 0.0) || !std::isfinite(seconds)) {
    throw Error(ErrorKind::usage,
                fmt::format("checkpoint_every: {} is not a number of seconds.", seconds));
  }
  if (!file.empty()) return app::checkpoint_in(file, seconds);
  if (has_pace) throw Error(ErrorKind::usage, "checkpoint_every needs checkpoint.");
  return {};
}

py::dict Settings::with_run(Dictionary answer, const Model& model,
                            const Effective& effective) const {
  fields::run(answer, {seed_, order_, scheme_, resolution_}, model, effective);
  return answer.values;
}

}  // namespace divker::python
