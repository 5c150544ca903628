#include "model/noise_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "divker/error.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

constexpr double smallest_pivot = 1e-12;  // of the correlation matrix of the noise

// Rows of the noise matrix that share Brownian motions, directly or through others.
struct Block {
  std::vector<std::size_t> rows;
  std::vector<const NoiseEntry*> entries;
  std::set<std::size_t> columns;
};

std::vector<Block> blocks_of(const Model& model) {
  std::vector<std::size_t> root(model.dimension());
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto find = [&root](std::size_t row) {
    while (root[row] != row) row = root[row] = root[root[row]];
    return row;
  };
  std::map<std::size_t, std::size_t> row_of_column;
  for (const NoiseEntry& entry : model.noise()) {
    const auto [place, is_new] = row_of_column.try_emplace(entry.column, entry.row);
    if (!is_new) root[find(entry.row)] = find(place->second);
  }
  std::map<std::size_t, Block> blocks;
  for (const NoiseEntry& entry : model.noise()) {
    Block& block = blocks[find(entry.row)];
    if (block.rows.empty() || block.rows.back() != entry.row) block.rows.push_back(entry.row);
    block.entries.push_back(&entry);
    block.columns.insert(entry.column);
  }
  std::vector<Block> result;
  result.reserve(blocks.size());
  for (auto& [row, block] : blocks) result.push_back(std::move(block));
  return result;
}

std::string names_of(const Model& model, std::span<const std::size_t> rows) {
  std::vector<std::string> names;
  for (const std::size_t row : rows) names.push_back(model.states()[row].name);
  return list_of(names);
}

void check_size(const Model& model, const Block& block) {
  if (block.rows.size() <= most_coupled_states) return;
  refuse(
      fmt::format("{} states share Brownian motions, directly or through others: {}; the "
                  "limit is {}.",
                  block.rows.size(), names_of(model, block.rows), most_coupled_states));
}

std::string too_few_motions(const Model& model, const Block& block) {
  const std::string states = names_of(model, block.rows);
  std::vector<std::string> motions;
  for (const std::size_t column : block.columns) motions.push_back(model.noise_names()[column]);
  if (motions.size() == 1) {
    return fmt::format(
        "The noise of {} is one and the same Brownian motion {}, so that their joint density "
        "has no score; give each of these states a Brownian motion of its own.",
        states, motions.front());
  }
  return fmt::format(
      "The {} states {} share only {} Brownian motions ({}), so that their joint density has no "
      "score; a group of states needs at least as many Brownian motions as it has members.",
      block.rows.size(), states, motions.size(), list_of(motions));
}

// Why the pattern of the noise matrix makes S S^T singular whatever the values are; "" where it
// does not.
std::string singular_by_pattern(const Model& model, std::span<const Block> blocks) {
  if (blocks.empty()) {
    return fmt::format(
        "The model {} has no noise; the density of its states has no score without "
        "some.",
        model.name());
  }
  for (const Block& block : blocks) {
    if (block.rows.size() > block.columns.size()) return too_few_motions(model, block);
  }
  return "";
}

// The covariance S S^T of a block from the values of its entries, scaled to unit diagonal.
Matrix correlation(const Block& block, std::span<const double> values) {
  const std::size_t n = block.rows.size();
  std::map<std::size_t, std::vector<std::pair<std::size_t, double>>> columns;
  std::size_t row = 0;
  for (std::size_t e = 0; e < block.entries.size(); ++e) {
    while (block.rows[row] != block.entries[e]->row) ++row;
    columns[block.entries[e]->column].emplace_back(row, values[e]);
  }
  Matrix c(n, n);
  for (const auto& [column, parts] : columns) {
    for (const auto& [i, a] : parts) {
      for (const auto& [j, b] : parts) c(i, j) += a * b;
    }
  }
  std::vector<double> scale(n);
  for (std::size_t i = 0; i < n; ++i) scale[i] = c(i, i) > 0.0 ? 1.0 / std::sqrt(c(i, i)) : 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) c(i, j) *= scale[i] * scale[j];
  }
  return c;
}

// Rows of the block that are to blame where the matrix is singular; empty where it is not.
std::vector<std::size_t> dependent_rows(Matrix c) {
  const std::size_t n = c.rows;
  for (std::size_t i = 0; i < n; ++i) {
    if (!(c(i, i) > 0.0)) return {i};
    for (std::size_t j = 0; j < i; ++j) {
      double value = c(i, j);
      for (std::size_t k = 0; k < j; ++k) value -= c(i, k) * c(j, k);
      c(i, j) = value / c(j, j);
    }
    double pivot = c(i, i);
    for (std::size_t k = 0; k < i; ++k) pivot -= c(i, k) * c(i, k);
    if (pivot < smallest_pivot) {
      // Row i is a combination of earlier ones: solve L^T w = l_i for its weights.
      std::vector<double> weights(i);
      std::vector<std::size_t> rows;
      for (std::size_t j = i; j-- > 0;) {
        weights[j] = c(i, j);
        for (std::size_t k = j + 1; k < i; ++k) weights[j] -= c(k, j) * weights[k];
        weights[j] /= c(j, j);
        if (std::fabs(weights[j]) > 1e-6) rows.push_back(j);
      }
      rows.insert(rows.begin(), i);
      std::reverse(rows.begin(), rows.end());
      return rows;
    }
    c(i, i) = std::sqrt(pivot);
  }
  return {};
}

// States whose noise is linearly dependent; none where the noise is regular.
std::vector<std::size_t> dependent_states(const Model& model, std::span<const Block> blocks,
                                          std::span<const double> values) {
  for (const Block& block : blocks) {
    std::vector<double> own;
    own.reserve(block.entries.size());
    for (const NoiseEntry* entry : block.entries) {
      own.push_back(values[static_cast<std::size_t>(entry - model.noise().data())]);
    }
    std::vector<std::size_t> rows = dependent_rows(correlation(block, own));
    if (rows.empty()) continue;
    for (std::size_t& row : rows) row = block.rows[row];
    return rows;
  }
  return {};
}

struct Law {
  std::vector<double> a;
  std::vector<double> b;
};

Law law_values(const Model& model) {
  std::vector<NodeId> roots;
  for (const InitialLaw& law : model.initial()) {
    roots.push_back(law.a);
    roots.push_back(law.b);
  }
  const std::vector<double> zeros(model.dimension());
  const std::vector<double> values =
      evaluate(*model.graph(), roots, model.input_values(zeros, model.time().start));
  Law law;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    law.a.push_back(values[2 * i]);
    law.b.push_back(values[2 * i + 1]);
  }
  return law;
}

void check_law(const Model& model, const Law& law) {
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const InitialKind kind = model.initial()[i].kind;
    const std::string& name = model.states()[i].name;
    if (kind == InitialKind::samples) continue;
    if (!std::isfinite(law.a[i])) {
      refuse(fmt::format("The initial law of {} has the mean {}, which is not finite.", name,
                         law.a[i]));
    }
    const Range& range = model.states()[i].range;
    if (kind == InitialKind::point && !range.contains(law.a[i])) {
      refuse(fmt::format("The state {} is {}, but starts from {}.", name, range.text(), law.a[i]));
    }
    if (kind == InitialKind::point) continue;
    if (!std::isfinite(law.b[i]) || law.b[i] <= 0.0) {
      refuse(
          fmt::format("The initial law of {} has the standard deviation {}; it must be "
                      "positive (for a fixed start write: init {} = {}).",
                      name, law.b[i], name, law.a[i]));
    }
  }
}

// A place in a range for a number between -1 and 1.
double inside(const Range& range, double away) {
  if (range.is_whole()) return away;
  if (range.is_finite()) return range.lower + (range.upper - range.lower) * (0.5 + 0.4 * away);
  return std::isinf(range.upper) ? range.lower + std::exp(away) : range.upper - std::exp(away);
}

// Points about the initial law, the mean first. Different coordinates move differently, lest a
// symmetry of the model make the noise singular at all of them.
std::vector<std::vector<double>> trial_points(const Model& model, const Law& law) {
  constexpr int count = 5;
  std::vector<std::vector<double>> points;
  for (int k = 0; k < count; ++k) {
    std::vector<double> x(model.dimension());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double away = k == 0 ? 0.0 : std::cos(2.3 * static_cast<double>(i) + 1.7 * (k - 1));
      switch (model.initial()[i].kind) {
        case InitialKind::normal:
          x[i] = law.a[i] + away * law.b[i];
          break;
        case InitialKind::lognormal:
          x[i] = std::exp(law.a[i] + away * law.b[i]);
          break;
        case InitialKind::point:
          x[i] = law.a[i];
          break;
        case InitialKind::samples:
          x[i] = inside(model.states()[i].range, away);
          break;
      }
    }
    points.push_back(std::move(x));
  }
  return points;
}

struct Values {
  std::vector<double> drift;
  std::vector<double> noise;
};

Values values_at(const Model& model, std::span<const double> x) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  std::vector<double> all =
      evaluate(*model.graph(), roots, model.input_values(x, model.time().start));
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(model.dimension());
  return {{all.begin(), middle}, {middle, all.end()}};
}

// "" where everything is finite.
std::string fault(const Model& model, std::span<const double> x, const Values& values) {
  const auto sentence = [&](std::string_view what, std::size_t row, double value) {
    return fmt::format(
        "The {} of {} is {} at the start, where {} = {:.6g} and t = {:.6g}; it must "
        "be finite there.",
        what, model.states()[row].name, std::isnan(value) ? "not a number" : fmt::to_string(value),
        model.states()[row].name, x[row], model.time().start);
  };
  const bool map = model.dynamics() == Dynamics::map;
  for (std::size_t i = 0; i < values.drift.size(); ++i) {
    if (!std::isfinite(values.drift[i])) {
      return sentence(map ? "next value" : "drift", i, values.drift[i]);
    }
  }
  for (std::size_t e = 0; e < values.noise.size(); ++e) {
    if (!std::isfinite(values.noise[e])) {
      return sentence("noise", model.noise()[e].row, values.noise[e]);
    }
  }
  return "";
}

std::string singular_by_values(const Model& model, std::span<const std::size_t> rows,
                               std::span<const double> x) {
  const std::string states = names_of(model, rows);
  if (rows.size() == 1) {
    return fmt::format(
        "The noise of {} vanishes at the start, where {} = {:.6g}; a score needs noise that a "
        "state has everywhere or, if no term with noise is written for it, nowhere.",
        states, states, x[rows.front()]);
  }
  return fmt::format(
      "The noise of {} is linearly dependent at the start: a combination of these "
      "states has no noise at all, so that their joint density has no score.",
      states);
}

}  // namespace

NoiseStructure classify_noise(std::size_t dimension, std::span<const NoiseEntry> entries) {
  NoiseStructure result;
  result.noisy.assign(dimension, false);
  std::map<std::size_t, std::size_t> rows_of_column;
  bool one_each = entries.size() == dimension;
  for (const NoiseEntry& entry : entries) {
    result.noisy[entry.row] = true;
    if (++rows_of_column[entry.column] > 1) result.diagonal_covariance = false;
    if (entry.amplitude != entries.front().amplitude) one_each = false;
  }
  const bool all_noisy = std::all_of(result.noisy.begin(), result.noisy.end(), std::identity{});
  if (!all_noisy) {
    result.noise_class = NoiseClass::degenerate;
  } else if (!result.diagonal_covariance) {
    result.noise_class = NoiseClass::full;
  } else {
    result.noise_class = one_each ? NoiseClass::scalar : NoiseClass::diagonal;
  }
  return result;
}

std::string singular_noise_at_start(const Model& model) {
  const std::vector<Block> blocks = blocks_of(model);
  for (const Block& block : blocks) check_size(model, block);
  const Law law = law_values(model);
  check_law(model, law);

  // The mean of a file of samples is not known here: any finite point will do.
  const bool mean_is_known = !model.starts_from_samples();
  std::string by_pattern = singular_by_pattern(model, blocks);
  if (!model.has_read_inputs()) return by_pattern;
  std::string first_fault;
  std::string by_values;
  for (const std::vector<double>& x : trial_points(model, law)) {
    const Values values = values_at(model, x);
    const std::string found = fault(model, x, values);
    if (!found.empty()) {
      if (first_fault.empty()) first_fault = found;
      if (mean_is_known && by_values.empty()) refuse(found);
      continue;
    }
    if (!by_pattern.empty()) return by_pattern;
    const std::vector<std::size_t> rows = dependent_states(model, blocks, values.noise);
    if (rows.empty()) return "";
    if (by_values.empty()) by_values = singular_by_values(model, rows, x);
  }
  if (by_values.empty()) refuse(first_fault);
  return by_values;
}

}  // namespace divker
