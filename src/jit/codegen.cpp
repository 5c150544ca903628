#include "jit/codegen.hpp"

#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "jit/functions.hpp"

namespace divker::jit {
namespace {

using llvm::Value;

// Writes one chunk as a function. No IR passes follow: the graph is simplified already, and the
// order of the schedule is the order of the code.
class ChunkWriter {
 public:
  ChunkWriter(llvm::Module& module, const Schedule& schedule, const Chunk& chunk,
              std::size_t lanes);
  void write(const std::string& name);

 private:
  void begin_function(const std::string& name);
  void begin_loop();
  void end_loop();
  void find_reads();
  void write_nodes();
  void write_store(const Store& store, Value* value);

  Value* operand(NodeId id);
  Value* load(NodeId id);
  void keep(NodeId id, Value* value);
  Value* operation(const Node& node);
  Value* sum(const Node& node);
  Value* comparison_result(const Node& node, Value* a, Value* b);
  Value* call(Op op, Value* a, Value* b);

  Value* load_pointer(Value* table, std::size_t index);
  Value* element(Value* base, std::size_t doubles);
  Value* load_vector(Value* base, std::size_t doubles, std::size_t alignment);
  void store_vector(Value* value, Value* base, std::size_t doubles, std::size_t alignment);
  Value* load_scalar(Value* base, std::size_t index);
  Value* load_entry(Value* table, std::size_t index);
  Value* splat(double value);

  const Schedule& schedule_;
  const CanonicalProgram& program_;
  const Chunk& chunk_;
  std::size_t lanes_;
  std::size_t array_alignment_;

  llvm::Module& module_;
  llvm::IRBuilder<> builder_;
  llvm::FixedVectorType* vector_;
  llvm::Function* function_ = nullptr;
  Value* constants_ = nullptr;
  Value* steps_ = nullptr;
  Value* slots_ = nullptr;  // of the current vector
  llvm::PHINode* vector_number_ = nullptr;
  std::vector<Value*> argument_pointers_;      // of the current vector, for rate path
  std::vector<Value*> result_pointers_;        // of the current vector
  std::unordered_map<NodeId, Value*> values_;  // computed so far

  // Values from memory that are held in registers until they are read again.
  struct Kept {
    Value* value;
    std::size_t next_read;
  };
  std::size_t position_ = 0;                                    // of the current node in the chunk
  std::unordered_map<NodeId, std::vector<std::size_t>> reads_;  // positions, ascending
  std::unordered_map<NodeId, Kept> kept_;
};

constexpr std::size_t scalar_alignment = sizeof(double);

// Half of the vector registers; the others are for what is computed.
constexpr std::size_t most_kept(std::size_t lanes) { return lanes == 8 ? 16 : 8; }

ChunkWriter::ChunkWriter(llvm::Module& module, const Schedule& schedule, const Chunk& chunk,
                         std::size_t lanes)
    : schedule_(schedule),
      program_(schedule.program),
      chunk_(chunk),
      lanes_(lanes),
      array_alignment_(lanes * sizeof(double)),
      module_(module),
      builder_(module.getContext()),
      vector_(llvm::FixedVectorType::get(builder_.getDoubleTy(), static_cast<unsigned>(lanes))) {
  llvm::FastMathFlags flags;
  flags.setAllowContract();
  builder_.setFastMathFlags(flags);
}

void ChunkWriter::write(const std::string& name) {
  begin_function(name);
  if (chunk_.rate == Rate::path) begin_loop();
  write_nodes();
  if (chunk_.rate == Rate::path) end_loop();
  builder_.CreateRetVoid();
}

void ChunkWriter::begin_function(const std::string& name) {
  llvm::Type* pointer = builder_.getPtrTy();
  llvm::Type* integer = builder_.getInt64Ty();
  auto* type = llvm::FunctionType::get(
      builder_.getVoidTy(), {pointer, pointer, pointer, integer, integer, pointer, pointer}, false);
  function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module_);
  function_->setDoesNotThrow();
  const std::string width = std::to_string(64 * lanes_);
  function_->addFnAttr("prefer-vector-width", width);
  // Spills of whole vectors must not straddle cache lines.
  function_->addFnAttr("stackrealign");
  function_->addFnAttr("frame-pointer", "all");
  function_->addFnAttr("min-legal-vector-width", width);
  constexpr std::array names{"constants", "arguments", "results", "first",
                             "count",     "steps",     "slots"};
  for (unsigned i = 0; i < names.size(); ++i) function_->getArg(i)->setName(names[i]);
  constants_ = function_->getArg(0);
  steps_ = function_->getArg(5);
  slots_ = function_->getArg(6);
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_.getContext(), "entry", function_));
  for (std::size_t i = 0; i < program_.arguments.size(); ++i) {
    const bool is_read = program_.arguments[i].rate != Rate::run;
    argument_pointers_.push_back(is_read ? load_pointer(function_->getArg(1), i) : nullptr);
  }
  if (chunk_.rate != Rate::path) return;
  for (std::size_t i = 0; i < program_.results.size(); ++i) {
    result_pointers_.push_back(load_pointer(function_->getArg(2), i));
  }
}

void ChunkWriter::begin_loop() {
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  auto* body = llvm::BasicBlock::Create(module_.getContext(), "vector", function_);
  builder_.CreateBr(body);
  builder_.SetInsertPoint(body);
  vector_number_ = builder_.CreatePHI(builder_.getInt64Ty(), 2, "number");
  vector_number_->addIncoming(builder_.getInt64(0), before);
  Value* position = builder_.CreateAdd(vector_number_, function_->getArg(3), "position");
  const auto advance = [&](Value*& pointer, Value* number, std::size_t components) {
    Value* doubles = builder_.CreateMul(number, builder_.getInt64(components * lanes_));
    pointer = builder_.CreateGEP(builder_.getDoubleTy(), pointer, doubles);
  };
  for (std::size_t i = 0; i < argument_pointers_.size(); ++i) {
    if (program_.arguments[i].rate == Rate::path) {
      advance(argument_pointers_[i], position, program_.arguments[i].components);
    }
  }
  for (std::size_t i = 0; i < result_pointers_.size(); ++i) {
    advance(result_pointers_[i], position, program_.results[i].values.size());
  }
  advance(slots_, vector_number_, schedule_.slots);
}

void ChunkWriter::end_loop() {
  llvm::BasicBlock* body = builder_.GetInsertBlock();
  Value* next = builder_.CreateAdd(vector_number_, builder_.getInt64(1), "next");
  vector_number_->addIncoming(next, body);
  auto* after = llvm::BasicBlock::Create(module_.getContext(), "after", function_);
  builder_.CreateCondBr(builder_.CreateICmpULT(next, function_->getArg(4)), body, after);
  builder_.SetInsertPoint(after);
}

void ChunkWriter::find_reads() {
  const std::vector<Node>& nodes = program_.nodes;
  for (std::size_t i = 0; i < chunk_.nodes.size(); ++i) {
    const auto read = [&](const Node& node) {
      reads_[node.a].push_back(i);
      if (is_binary(node.op)) reads_[node.b].push_back(i);
    };
    const Node& node = nodes[chunk_.nodes[i]];
    read(node);
    if (node.op != Op::add && node.op != Op::sub) continue;
    if (schedule_.repeated[node.b]) {
      read(nodes[node.b]);
    } else if (schedule_.repeated[node.a]) {
      read(nodes[node.a]);
    }
  }
}

void ChunkWriter::write_nodes() {
  find_reads();
  const auto write_stores = [&](NodeId id) {
    // The stores are sorted by the value that they store.
    auto store = std::ranges::lower_bound(chunk_.stores, id, {}, &Store::value);
    for (; store != chunk_.stores.end() && store->value == id; ++store) {
      write_store(*store, operand(id));
    }
  };
  for (; position_ < chunk_.nodes.size(); ++position_) {
    const NodeId id = chunk_.nodes[position_];
    values_[id] = operation(program_.nodes[id]);
    const std::uint32_t place = schedule_.places[id];
    if (place != nowhere && chunk_.rate == Rate::path) {
      store_vector(values_[id], slots_, place * lanes_, scalar_alignment);
    } else if (place != nowhere && entry_width(lanes_) == 1) {
      builder_.CreateAlignedStore(builder_.CreateExtractElement(values_[id], std::uint64_t{0}),
                                  element(steps_, place), llvm::Align(scalar_alignment));
    } else if (place != nowhere) {
      store_vector(values_[id], steps_, place * lanes_, scalar_alignment);
    }
    write_stores(id);
  }
  for (const Store& store : chunk_.stores) {
    if (!values_.contains(store.value)) write_store(store, operand(store.value));
  }
}

void ChunkWriter::write_store(const Store& store, Value* value) {
  Value* base = result_pointers_[store.result];
  const std::size_t offset = store.component * lanes_;
  if (program_.results[store.result].accumulate) {
    value = builder_.CreateFAdd(load_vector(base, offset, array_alignment_), value);
  }
  store_vector(value, base, offset, array_alignment_);
}

Value* ChunkWriter::operand(NodeId id) {
  if (const auto found = values_.find(id); found != values_.end()) return found->second;
  const auto found = kept_.find(id);
  Value* value = found == kept_.end() ? load(id) : found->second.value;
  keep(id, value);
  return value;
}

// NOTE: LLVM shares no load across a store, and a processor makes only two loads a cycle: loaded
// anew for every use, they would take longer than the arithmetic. A shared load holds a register,
// and too many end in spills: kept is what is read again soonest (Belady 1966).
void ChunkWriter::keep(NodeId id, Value* value) {
  const std::vector<std::size_t>& reads = reads_[id];
  const auto next = std::ranges::upper_bound(reads, position_);
  if (next == reads.end()) {
    kept_.erase(id);
    return;
  }
  kept_[id] = {value, *next};
  if (kept_.size() <= most_kept(lanes_)) return;
  // An expected read that did not come makes room first.
  kept_.erase(std::ranges::max_element(kept_, {}, [this](const auto& entry) {
    const auto& [node, kept] = entry;
    return std::pair(kept.next_read < position_ ? ~std::size_t{0} : kept.next_read, node);
  }));
}

Value* ChunkWriter::load(NodeId id) {
  const Node& node = program_.nodes[id];
  const std::uint32_t place = schedule_.places[id];
  if (schedule_.rates[id] == Rate::run) return load_entry(constants_, place);
  if (node.op == Op::input) {
    Value* base = argument_pointers_[node.a];
    if (schedule_.rates[id] == Rate::step) return load_scalar(base, node.b);
    return load_vector(base, node.b * lanes_, array_alignment_);
  }
  if (schedule_.rates[id] == Rate::step) return load_entry(steps_, place);
  return load_vector(slots_, place * lanes_, scalar_alignment);
}

// a + b or a - b, as a multiply-add where an operand is a product that need not be kept.
// NOTE: LLVM itself fuses only products with a single use. What is left unused it drops.
Value* ChunkWriter::sum(const Node& node) {
  const bool is_sub = node.op == Op::sub;
  const auto is_fused = [this](NodeId id) {
    return schedule_.repeated[id] && values_.contains(id);
  };
  const auto multiply_add = [this](Value* a, Value* b, Value* c) {
    return builder_.CreateIntrinsic(llvm::Intrinsic::fmuladd, {vector_}, {a, b, c});
  };
  if (is_fused(node.b)) {
    const Node& product = program_.nodes[node.b];
    Value* a = operand(product.a);
    return multiply_add(is_sub ? builder_.CreateFNeg(a) : a, operand(product.b), operand(node.a));
  }
  if (is_fused(node.a)) {
    const Node& product = program_.nodes[node.a];
    Value* c = operand(node.b);
    return multiply_add(operand(product.a), operand(product.b),
                        is_sub ? builder_.CreateFNeg(c) : c);
  }
  Value* a = operand(node.a);
  Value* b = operand(node.b);
  return is_sub ? builder_.CreateFSub(a, b) : builder_.CreateFAdd(a, b);
}

Value* ChunkWriter::operation(const Node& node) {
  if (node.op == Op::add || node.op == Op::sub) return sum(node);
  Value* a = operand(node.a);
  Value* b = is_binary(node.op) ? operand(node.b) : nullptr;
  switch (node.op) {
    case Op::mul:
      return builder_.CreateFMul(a, b);
    case Op::div:
      return builder_.CreateFDiv(a, b);
    case Op::neg:
      return builder_.CreateFNeg(a);
    case Op::sqrt:
      return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a);
    case Op::abs:
      return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
    case Op::floor:
      return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, a);
    case Op::min:
    case Op::max:
    case Op::step:
    case Op::sign:
    case Op::where:
      return comparison_result(node, a, b);
    default:
      return call(node.op, a, b);
  }
}

// As divker::apply() has it, also for NaN: an ordered comparison with NaN is false.
Value* ChunkWriter::comparison_result(const Node& node, Value* a, Value* b) {
  Value* zero = splat(0.0);
  Value* one = splat(1.0);
  switch (node.op) {
    case Op::min:
      return builder_.CreateSelect(builder_.CreateFCmpOLT(a, b), a, b);
    case Op::max:
      return builder_.CreateSelect(builder_.CreateFCmpOGT(a, b), a, b);
    case Op::step:
      return builder_.CreateSelect(builder_.CreateFCmpOGT(a, b), one, zero);
    case Op::where:
      return builder_.CreateSelect(builder_.CreateFCmpOGT(a, zero), b, zero);
    default: {
      Value* positive = builder_.CreateSelect(builder_.CreateFCmpOGT(a, zero), one, zero);
      Value* negative = builder_.CreateSelect(builder_.CreateFCmpOLT(a, zero), one, zero);
      return builder_.CreateFSub(positive, negative);
    }
  }
}

Value* ChunkWriter::call(Op op, Value* a, Value* b) {
  const std::span<const VectorFunction> functions = vector_functions(lanes_);
  const auto found = std::ranges::find(functions, op, &VectorFunction::op);
  std::vector<Value*> operands{a};
  if (b != nullptr) operands.push_back(b);
  const std::vector<llvm::Type*> types(operands.size(), vector_);
  auto* type = llvm::FunctionType::get(vector_, types, false);
  llvm::FunctionCallee callee = module_.getOrInsertFunction(found->symbol, type);
  auto* function = llvm::cast<llvm::Function>(callee.getCallee());
  function->setDoesNotThrow();
  function->setDoesNotAccessMemory();
  kept_.clear();  // the call empties the vector registers
  return builder_.CreateCall(callee, operands);
}

Value* ChunkWriter::load_pointer(Value* table, std::size_t index) {
  Value* address = builder_.CreateConstInBoundsGEP1_64(builder_.getPtrTy(), table, index);
  return builder_.CreateLoad(builder_.getPtrTy(), address);
}

Value* ChunkWriter::element(Value* base, std::size_t doubles) {
  return builder_.CreateConstInBoundsGEP1_64(builder_.getDoubleTy(), base, doubles);
}

Value* ChunkWriter::load_vector(Value* base, std::size_t doubles, std::size_t alignment) {
  return builder_.CreateAlignedLoad(vector_, element(base, doubles), llvm::Align(alignment));
}

void ChunkWriter::store_vector(Value* value, Value* base, std::size_t doubles,
                               std::size_t alignment) {
  builder_.CreateAlignedStore(value, element(base, doubles), llvm::Align(alignment));
}

Value* ChunkWriter::load_scalar(Value* base, std::size_t index) {
  Value* scalar = builder_.CreateAlignedLoad(builder_.getDoubleTy(), element(base, index),
                                             llvm::Align(scalar_alignment));
  return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), scalar);
}

Value* ChunkWriter::load_entry(Value* table, std::size_t index) {
  if (entry_width(lanes_) == 1) return load_scalar(table, index);
  return load_vector(table, index * lanes_, scalar_alignment);
}

Value* ChunkWriter::splat(double value) { return llvm::ConstantFP::get(vector_, value); }

}  // namespace

std::string chunk_name(Rate rate, std::size_t number) {
  return fmt::format("divker_{}_{}", rate == Rate::step ? "step" : "path", number);
}

std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const Schedule& schedule,
                                          std::size_t lanes, std::size_t begin, std::size_t end) {
  auto module = std::make_unique<llvm::Module>(fmt::format("divker_{}", begin), context);
  const std::size_t steps = schedule.step_chunks.size();
  for (std::size_t i = begin; i < end; ++i) {
    const bool is_step = i < steps;
    const Chunk& chunk = is_step ? schedule.step_chunks[i] : schedule.path_chunks[i - steps];
    ChunkWriter(*module, schedule, chunk, lanes)
        .write(chunk_name(chunk.rate, is_step ? i : i - steps));
  }
  return module;
}

}  // namespace divker::jit
