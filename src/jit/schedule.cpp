#include "jit/schedule.hpp"

#include <algorithm>
#include <functional>
#include <queue>

namespace divker::jit {
namespace {

// Calls function(operand) for each operand of a node.
template <typename Function>
void for_operands(const Node& node, Function&& function) {
  if (is_leaf(node.op)) return;
  function(node.a);
  if (is_binary(node.op)) function(node.b);
}

std::vector<Rate> rates_of(const CanonicalProgram& program) {
  std::vector<Rate> rates(program.nodes.size(), Rate::run);
  for (std::size_t id = 0; id < rates.size(); ++id) {
    const Node& node = program.nodes[id];
    if (node.op == Op::input) rates[id] = program.arguments[node.a].rate;
    for_operands(node, [&](NodeId operand) { rates[id] = std::max(rates[id], rates[operand]); });
  }
  return rates;
}

// A product that one or two sums use, and nothing else: as part of multiply-adds it costs nothing,
// kept for both it would cost an instruction and a register.
std::vector<bool> repeated_products(const CanonicalProgram& program) {
  constexpr std::uint32_t most_uses = 2;
  std::vector<std::uint32_t> uses(program.nodes.size(), 0);
  for (const Node& node : program.nodes) {
    const bool is_sum = node.op == Op::add || node.op == Op::sub;
    for_operands(node, [&](NodeId operand) { uses[operand] += is_sum ? 1 : most_uses + 1; });
  }
  for (const ResultShape& result : program.results) {
    for (const NodeId id : result.values) uses[id] += most_uses + 1;
  }
  std::vector<bool> repeated(uses.size());
  for (std::size_t id = 0; id < uses.size(); ++id) {
    repeated[id] = program.nodes[id].op == Op::mul && uses[id] <= most_uses;
  }
  return repeated;
}

// Registers that a path-rate node needs if its operands were a tree (Sethi and Ullman 1970);
// operands in memory need none.
std::vector<std::uint32_t> register_needs(const Schedule& schedule) {
  const std::vector<Node>& nodes = schedule.program.nodes;
  std::vector<std::uint32_t> needs(nodes.size(), 0);
  for (std::size_t id = 0; id < nodes.size(); ++id) {
    const Node& node = nodes[id];
    if (is_leaf(node.op) || schedule.rates[id] != Rate::path) continue;
    const std::uint32_t a = needs[node.a];
    const std::uint32_t b = is_binary(node.op) ? needs[node.b] : 0;
    needs[id] = std::max(1U, a == b ? a + 1 : std::max(a, b));
  }
  return needs;
}

// The results in the order in which they are computed: those of equal length go side by side.
std::vector<Store> interleaved(const CanonicalProgram& program) {
  std::vector<Store> order;
  std::vector<bool> done(program.results.size(), false);
  for (std::size_t first = 0; first < done.size(); ++first) {
    if (done[first]) continue;
    const std::size_t length = program.results[first].values.size();
    for (std::uint32_t component = 0; component < length; ++component) {
      for (std::uint32_t r = 0; r < program.results.size(); ++r) {
        const std::vector<NodeId>& values = program.results[r].values;
        if (values.size() == length) order.push_back({values[component], r, component});
      }
    }
    for (std::size_t r = first; r < done.size(); ++r) {
      if (program.results[r].values.size() == length) done[r] = true;
    }
  }
  return order;
}

std::vector<NodeId> depth_first(const Schedule& schedule, std::span<const Store> results) {
  const std::vector<Node>& nodes = schedule.program.nodes;
  const std::vector<std::uint32_t> needs = register_needs(schedule);
  std::vector<bool> seen(nodes.size(), false);
  std::vector<NodeId> order;
  struct Visit {
    NodeId id;
    bool operands_done;
  };
  std::vector<Visit> stack;
  const auto push = [&](NodeId id) {
    if (!is_leaf(nodes[id].op) && schedule.rates[id] == Rate::path && !seen[id]) {
      stack.push_back({id, false});
    }
  };
  for (const Store& result : results) {
    push(result.value);
    while (!stack.empty()) {
      const Visit visit = stack.back();
      stack.pop_back();
      const Node& node = nodes[visit.id];
      if (visit.operands_done) {
        order.push_back(visit.id);
        continue;
      }
      if (seen[visit.id]) continue;
      seen[visit.id] = true;
      stack.push_back({visit.id, true});
      // Last in, first out: the operand to be computed first is pushed last.
      const bool b_first = is_binary(node.op) && needs[node.b] > needs[node.a];
      if (b_first) push(node.a);
      if (is_binary(node.op)) push(node.b);
      if (!b_first) push(node.a);
    }
  }
  return order;
}

std::vector<Chunk> cut(Rate rate, std::span<const NodeId> order, std::size_t chunk) {
  const std::size_t count = (order.size() + chunk - 1) / chunk;
  std::vector<Chunk> chunks(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(order.size() * i / count);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(order.size() * (i + 1) / count);
    chunks[i].rate = rate;
    chunks[i].nodes.assign(begin, end);
  }
  return chunks;
}

// For each node the chunk that computes it, or `nowhere`.
std::vector<std::uint32_t> homes(const Schedule& schedule, std::span<const Chunk> chunks) {
  std::vector<std::uint32_t> home(schedule.program.nodes.size(), nowhere);
  for (std::uint32_t i = 0; i < chunks.size(); ++i) {
    for (const NodeId id : chunks[i].nodes) home[id] = i;
  }
  return home;
}

void assign_stores(Schedule& schedule, std::span<const Store> results) {
  std::vector<Chunk>& chunks = schedule.path_chunks;
  const std::vector<std::uint32_t> home = homes(schedule, chunks);
  for (const Store& store : results) {
    const std::uint32_t i = home[store.value];
    (i == nowhere ? chunks.back() : chunks[i]).stores.push_back(store);
  }
  for (Chunk& chunk : chunks) {
    std::ranges::stable_sort(chunk.stores, {}, &Store::value);
  }
}

// Calls function(chunk number, node) for every value that some chunk of this list reads.
template <typename Function>
void for_reads(const Schedule& schedule, std::span<const Chunk> chunks, Function&& function) {
  for (std::uint32_t i = 0; i < chunks.size(); ++i) {
    for (const NodeId id : chunks[i].nodes) {
      for_operands(schedule.program.nodes[id], [&](NodeId operand) { function(i, operand); });
    }
    for (const Store& store : chunks[i].stores) function(i, store.value);
  }
}

// Entries for what native code reads but does not compute: the table of constants, and step-rate
// values that leave the function that makes them.
void assign_tables(Schedule& schedule) {
  const std::vector<Node>& nodes = schedule.program.nodes;
  const auto place = [&](NodeId id) {
    if (schedule.places[id] != nowhere) return;
    if (schedule.rates[id] == Rate::run) {
      schedule.places[id] = static_cast<std::uint32_t>(schedule.constants.size());
      schedule.constants.push_back(id);
    } else if (schedule.rates[id] == Rate::step && !is_leaf(nodes[id].op)) {
      schedule.places[id] = static_cast<std::uint32_t>(schedule.step_entries++);
    }
  };
  const std::vector<std::uint32_t> home = homes(schedule, schedule.step_chunks);
  for_reads(schedule, schedule.step_chunks, [&](std::uint32_t chunk, NodeId id) {
    if (home[id] != chunk) place(id);
  });
  for_reads(schedule, schedule.path_chunks, [&](std::uint32_t, NodeId id) { place(id); });
}

// Slots for path-rate values that cross from chunk to chunk; a slot is free again in the chunk
// after the last one that reads it.
void assign_slots(Schedule& schedule) {
  const std::vector<Chunk>& chunks = schedule.path_chunks;
  const std::vector<std::uint32_t> home = homes(schedule, chunks);
  std::vector<std::uint32_t> last_read(schedule.program.nodes.size(), 0);
  for_reads(schedule, chunks, [&](std::uint32_t i, NodeId id) { last_read[id] = i; });
  using Ending = std::pair<std::uint32_t, std::uint32_t>;  // chunk of the last read, slot
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> busy;
  std::vector<std::uint32_t> free;
  for (std::uint32_t i = 0; i < chunks.size(); ++i) {
    for (; !busy.empty() && busy.top().first < i; busy.pop()) free.push_back(busy.top().second);
    for (const NodeId id : chunks[i].nodes) {
      if (last_read[id] <= i) continue;
      if (free.empty()) free.push_back(static_cast<std::uint32_t>(schedule.slots++));
      schedule.places[id] = free.back();
      busy.emplace(last_read[id], free.back());
      free.pop_back();
    }
  }
}

}  // namespace

Schedule make_schedule(CanonicalProgram program, std::size_t chunk) {
  Schedule schedule;
  schedule.program = std::move(program);
  schedule.rates = rates_of(schedule.program);
  schedule.repeated = repeated_products(schedule.program);
  schedule.places.assign(schedule.program.nodes.size(), nowhere);

  const std::vector<Store> results = interleaved(schedule.program);
  schedule.path_chunks = cut(Rate::path, depth_first(schedule, results), chunk);
  if (schedule.path_chunks.empty()) schedule.path_chunks.emplace_back();
  assign_stores(schedule, results);

  std::vector<NodeId> steps;
  for (NodeId id = 0; id < schedule.rates.size(); ++id) {
    const bool is_operation = !is_leaf(schedule.program.nodes[id].op);
    if (is_operation && schedule.rates[id] == Rate::step) steps.push_back(id);
  }
  schedule.step_chunks = cut(Rate::step, steps, chunk);
  assign_tables(schedule);
  assign_slots(schedule);
  return schedule;
}

std::vector<double> Schedule::constant_values(
    std::span<const std::span<const double>> run_values) const {
  std::vector<std::size_t> position(program.arguments.size(), 0);  // among arguments of rate run
  std::size_t runs = 0;
  for (std::size_t i = 0; i < position.size(); ++i) {
    position[i] = program.arguments[i].rate == Rate::run ? runs++ : 0;
  }
  std::vector<double> values(program.nodes.size());
  for (std::size_t id = 0; id < values.size(); ++id) {
    const Node& node = program.nodes[id];
    if (rates[id] != Rate::run) continue;
    switch (node.op) {
      case Op::constant:
        values[id] = node.value;
        break;
      case Op::input:
        values[id] = run_values[position[node.a]][node.b];
        break;
      default:
        values[id] = apply(node.op, values[node.a], values[node.b]);
    }
  }
  std::vector<double> table;
  table.reserve(constants.size());
  for (const NodeId id : constants) table.push_back(values[id]);
  return table;
}

}  // namespace divker::jit
