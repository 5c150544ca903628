#include "present/questions/kick.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "divker/table.hpp"
#include "numbers/number_in.hpp"
#include "present/fitting.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

std::vector<std::string> pieces_of(const std::string& text, char between) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == between) {
      pieces.emplace_back();
    } else if (c != ' ') {
      pieces.back() += c;
    }
  }
  return pieces;
}

// Of a lag grid that was not asked for: a hundred steps to the end of the model's time.
std::vector<double> usual_lags(const TimeGrid& grid) {
  const std::size_t all = grid.steps();
  const std::size_t stride = std::max<std::size_t>(1, all / 100);
  std::vector<double> lags;
  for (std::size_t n = 0; n <= all; n += stride) lags.push_back(static_cast<double>(n) * grid.step);
  return lags;
}

std::size_t kicked_parameter(const Model& model, const KickRequest& asked, Voice voice) {
  const std::vector<std::size_t> named = model.parameter_indices(asked.kick);
  if (named.size() == 1) return named.front();
  throw Error(ErrorKind::usage,
              fmt::format("{} kicks one parameter, and {} are {}: name a component, such as {}.",
                          spelled(voice, "kick", asked.kick), asked.kick, named.size(),
                          model.parameters()[named.front()].name));
}

// A table with the columns t and the name of the parameter, or two columns without names.
Forcing forcing_in(const KickRequest& asked, const std::string& parameter, Voice voice,
                   std::vector<Warning>& warnings) {
  std::vector<DataTable> tables = asked.forcing.tables;
  for (const std::string& file : asked.forcing.files) tables.push_back(data_in(file, std::nullopt));
  if (tables.size() != 1) {
    throw Error(ErrorKind::usage, fmt::format("{} takes one table, and {} are given.",
                                              spelled(voice, "forcing"), tables.size()));
  }
  const DataTable& one = tables.front();
  for (const std::string& remark : one.remarks) warnings.push_back({"file", remark});
  const std::vector<std::string> wanted{"t", parameter};
  const Matrix rows =
      select_columns({one.columns, one.values, one.texts, one.lines, {}}, wanted, one.source);
  return {rows.column(0), rows.column(1)};
}

bool has_forcing(const KickRequest& asked) {
  return !asked.forcing.files.empty() || !asked.forcing.tables.empty();
}

// Once R is nothing but noise at its end, it may be cut off there.
void warn_of_end(const ResponseFunction& function, RunRecord& record) {
  const std::size_t lags = function.lags.size();
  if (lags < 8) return;
  double largest = 0.0;
  for (const Estimate& one : function.response) largest = std::max(largest, std::fabs(one.value));
  std::vector<double> weights(function.joint.value.size(), 0.0);
  const std::size_t last = lags / 8;
  for (std::size_t l = lags - last; l < lags; ++l) weights[l] = 1.0 / static_cast<double>(last);
  const Estimate tail = function.of(weights);
  constexpr double beyond_chance = 3.0, little = 0.02;
  const double size = std::fabs(tail.value);
  if (size < beyond_chance * tail.standard_error || size < little * largest) return;
  record.warnings.push_back(
      {"lags",
       fmt::format("the response has not died at the longest lag {:.6g}: what follows after "
                   "it is missing in susceptibilities and in the answer to a forcing.",
                   function.lags.back())});
}

Matrix column_of(const std::vector<Estimate>& all, bool errors) {
  Matrix column(all.size(), 1);
  for (std::size_t k = 0; k < all.size(); ++k) {
    column(k, 0) = errors ? all[k].standard_error : all[k].value;
  }
  return column;
}

Matrix as_column(const std::vector<double>& values) {
  Matrix column(values.size(), 1);
  column.data = values;
  return column;
}

void tell_lags(Fields& o, const std::string& observable, const ResponseFunction& function) {
  o.set("parameters", std::vector<std::string>{function.parameter});
  o.set("observable", observable);
  o.set("lags", function.lags);
  o.set("response", column_of(function.response, false));
  o.set("stderr", column_of(function.response, true));
  o.set("integral", column_of(function.integral, false));
  o.set("integral_stderr", column_of(function.integral, true));
  fields::estimates(o, function.value, "value", "value_stderr");
  if (function.time_step.empty()) return;
  o.set("time_step", as_column(function.time_step));
  o.set("integral_time_step", as_column(function.integral_time_step));
}

Table table_of_lags(const ResponseFunction& function) {
  Table table{{"lag", "response", "stderr", "integral", "integral_stderr", "value", "value_stderr"},
              {}};
  for (std::size_t l = 0; l < function.lags.size(); ++l) {
    append_row(table.values,
               {function.lags[l], function.response[l].value, function.response[l].standard_error,
                function.integral[l].value, function.integral[l].standard_error,
                function.value[l].value, function.value[l].standard_error});
  }
  return table;
}

std::string text_of_lags(const std::string& observable, const ResponseFunction& function) {
  constexpr std::size_t most_rows = 24;
  std::string text =
      fmt::format("effect on E[{}] of a kick of {} (R), and of a lasting change (G)\n\n",
                  observable, function.parameter);
  text += fmt::format("{:>10} {:>28} {:>28}\n", "lag", "R", "G");
  const std::size_t lags = function.lags.size();
  const std::size_t stride = (lags + most_rows - 1) / most_rows;
  for (std::size_t l = 0; l < lags; l += stride) {
    text +=
        fmt::format("{:>10.5g} {:>14.5g} +- {:<10.2g} {:>14.5g} +- {:<10.2g}\n", function.lags[l],
                    function.response[l].value, function.response[l].standard_error,
                    function.integral[l].value, function.integral[l].standard_error);
  }
  if (stride > 1) text += fmt::format("... of {} lags: --out FILE or --json has all\n", lags);
  return text;
}

void add_frequencies(Reply& reply, const std::vector<Susceptibility>& all) {
  std::vector<double> frequencies;
  std::vector<Estimate> real, imaginary;
  reply.text += fmt::format("\n{:>10} {:>28} {:>28}\n", "frequency", "Re chi", "Im chi");
  for (const Susceptibility& one : all) {
    frequencies.push_back(one.frequency);
    real.push_back(one.real);
    imaginary.push_back(one.imaginary);
    reply.text += fmt::format("{:>10.5g} {:>14.5g} +- {:<10.2g} {:>14.5g} +- {:<10.2g}\n",
                              one.frequency, one.real.value, one.real.standard_error,
                              one.imaginary.value, one.imaginary.standard_error);
  }
  reply.answer.set("frequencies", frequencies);
  fields::estimates(reply.answer, real, "susceptibility_real", "susceptibility_real_stderr");
  fields::estimates(reply.answer, imaginary, "susceptibility_imaginary",
                    "susceptibility_imaginary_stderr");
}

// The table is then that of the changes.
void add_forcing(Reply& reply, const Forcing& forcing, const std::vector<Estimate>& changes,
                 const std::string& parameter) {
  constexpr std::size_t most_rows = 12;
  Table table{{"t", parameter, "change", "stderr"}, {}};
  reply.text += fmt::format("\n{:>10} {:>14} {:>28}\n", "t", parameter, "change of E");
  const std::size_t stride = (changes.size() + most_rows - 1) / most_rows;
  for (std::size_t k = 0; k < changes.size(); ++k) {
    append_row(table.values,
               {forcing.times[k], forcing.change[k], changes[k].value, changes[k].standard_error});
    if (k % stride != 0) continue;
    reply.text += fmt::format("{:>10.5g} {:>14.5g} {:>14.5g} +- {:<10.2g}\n", forcing.times[k],
                              forcing.change[k], changes[k].value, changes[k].standard_error);
  }
  reply.answer.set("forcing_t", forcing.times);
  reply.answer.set("forcing", forcing.change);
  fields::estimates(reply.answer, changes, "change", "change_stderr");
  reply.table = std::move(table);
}

}  // namespace

void describe(KickRequest& r, OptionVisitor& visit) {
  visit(Option("kick",
               "Green's function: the effect on the observable's mean, after each lag, of a unit "
               "impulse in this parameter at the start, or at any time with --stationary",
               "NAME")
            .not_with({"at", "to", "wrt", "fokker_planck", "time", "window", "checkpoint"}),
        r.kick);
  visit(Option("lags",
               "Times after the kick, on the time grid: 0:0.1:10, or 0,1,5 (default: a hundred up "
               "to the length of the grid)",
               "A:STEP:B")
            .only_with("kick"),
        r.lags);
  visit(Option("frequencies", "Susceptibility at these angular frequencies, up to the longest lag",
               "W1,W2,...")
            .only_with("stationary"),
        r.frequencies);
  visit(
      Option("period",
             "The law repeats itself after this time, as that of seasons does: needs --spinup", "P")
          .above_zero()
          .only_with("stationary")
          .not_with({"forcing", "frequencies", "length"}),
      r.period);
  visit(Option("phase", "When the kick is, after the start of the grid and whole periods", "T")
            .by_default("0")
            .at_least(0.0)
            .only_with("period"),
        r.phase);
  visit(Option("forcing",
               "Change of the observable's mean under a small history of the kicked parameter: a "
               "table of t and the change of the parameter from its value",
               "FILE")
            .only_with("stationary"),
        r.forcing);
}

std::vector<double> lags_in(const std::string& text, const std::string& option) {
  const auto number = [&](const std::string& piece) {
    const std::optional<double> value = number_in(piece);
    if (value && std::isfinite(*value)) return *value;
    throw Error(
        ErrorKind::usage,
        fmt::format("{} {}: '{}' is no number; lags are written as 0:0.1:10, from the first "
                    "in steps to the last, or as 0,1,5.",
                    option, text, piece));
  };
  const std::vector<std::string> range = pieces_of(text, ':');
  if (range.size() == 1) {
    std::vector<double> lags;
    for (const std::string& piece : pieces_of(text, ',')) lags.push_back(number(piece));
    return lags;
  }
  if (range.size() != 3) number(text);
  const double first = number(range[0]), step = number(range[1]), last = number(range[2]);
  constexpr double most = 100'000.0;
  if (!(step > 0.0) || last < first || (last - first) / step > most) {
    throw Error(
        ErrorKind::usage,
        fmt::format("{} {}: lags go from {} in steps of {} to {}; the step must be positive, "
                    "the last no less than the first, and they may be {} at most.",
                    option, text, first, step, last, most));
  }
  std::vector<double> lags;
  const auto count =
      static_cast<std::size_t>(std::floor((last - first) / step * (1.0 + 1e-12) + 1e-9));
  for (std::size_t k = 0; k <= count; ++k) lags.push_back(first + static_cast<double>(k) * step);
  return lags;
}

Reply of_kick(const Model& model, const KickRequest& asked, const LawRequest& law,
              const std::string& observable, const std::string& method, const Session& session) {
  const Voice voice = law.voice;
  if (observable.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} needs {}, whose mean answers to the kick.", spelled(voice, "kick"),
                            spelled(voice, "observable")));
  }
  const Kick kick{
      kicked_parameter(model, asked, voice),
      asked.lags.empty() ? usual_lags(model.time()) : lags_in(asked.lags, spelled(voice, "lags")),
      asked.period, asked.phase.value_or(0.0)};
  std::vector<Warning> warnings;
  std::optional<Forcing> forcing;
  if (has_forcing(asked)) {
    forcing = forcing_in(asked, model.parameters()[kick.parameter].name, voice, warnings);
  }
  StationaryOptions options = stationary_options(law, session);
  options.answer.method.estimator = method;
  if (!law.stationary) options.answer.sampling = sampling_of(law);
  const ResponseFunction function =
      law.stationary ? stationary_response_function(model, observable, kick, options)
                     : response_function(model, observable, kick, options.answer);
  Reply reply{model, function.record,         {},
              {},    table_of_lags(function), text_of_lags(observable, function)};
  std::vector<Warning>& all = reply.record.warnings;
  all.insert(all.begin(), warnings.begin(), warnings.end());
  tell_lags(reply.answer, observable, function);
  if (!asked.frequencies.empty()) {
    add_frequencies(reply, susceptibility(function, asked.frequencies));
  }
  if (forcing) {
    add_forcing(reply, *forcing, forced_change(function, *forcing), function.parameter);
  }
  if (!asked.frequencies.empty() || forcing) warn_of_end(function, reply.record);
  tell_how_made(reply, {function.parameter}, function.stationary ? &*function.stationary : nullptr);
  return reply;
}

}  // namespace divker::present
