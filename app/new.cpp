// divker new: a commented model to start from.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/language.hpp"

namespace divker::app {
namespace {

// A particle in a tilted double well: a nonlinear drift, bounds, an initial law, an observation.
constexpr std::string_view first_model =
    R"(# A particle in a tilted double well. Everything after a # is a comment.
model {}

# Parameters: a value, and bounds that answers and fits keep to. `fixed` ones are not fitted.
param k = 1 in (0, inf)       # stiffness
param f = 0.2                 # tilt
param s = 0.7 in (0, inf)     # noise amplitude

# States, and one equation for each: drift times dt, and noise times dW. Noises with the same name
# are the same Brownian motion. `S o dW` is Stratonovich's.
state x
let force = k*(x - x^3) + f
dx = force dt + s dW

# The law at the start: normal(mean, deviation), lognormal, a point (init x = 0), or samples("file").
init x ~ normal(0, 0.5)

# Start, step and end of the time grid.
time 0 : 0.01 : 2

# What is measured, for `divker fit`: with its own noise, or as it is (observe y = x). Take out the
# next line's # to use it.
# observe y ~ normal(x, 0.1)
)";

}  // namespace

void add_new(CLI::App& app, int& code) {
  auto name = std::make_shared<std::string>("mine");
  CLI::App* command = app.add_subcommand("new", "Write a commented model to start from");
  command->add_option("name", *name, "Name of the model; it goes to NAME.sde")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([name, &code] {
    const std::filesystem::path file = name->ends_with(".sde") ? *name : *name + ".sde";
    const std::string model = fmt::format(first_model, file.stem().string());
    (void)parse_model(model, file.string());  // refuses what is no name
    if (std::filesystem::exists(file)) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} is there already; it was left as it is.", file.string()));
    }
    write_whole_file(file, model);
    fmt::print("{0} is written. Next: divker show {0}\n", file.string());
    code = exit_done;
  });
}

}  // namespace divker::app
