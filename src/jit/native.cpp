#include "jit/native.hpp"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "divker/error.hpp"
#include "divker/ranks.hpp"
#include "jit/functions.hpp"

namespace divker::jit {
namespace {

// Programs shorter than this many chunks are compiled by one thread.
constexpr std::size_t chunks_worth_a_thread = 2;

void require(llvm::Error error) {
  if (error) {
    throw Error(ErrorKind::numerical, fmt::format("LLVM cannot compile this program: {}.",
                                                  llvm::toString(std::move(error))));
  }
}

template <typename T>
T require(llvm::Expected<T> expected) {
  require(expected.takeError());
  return std::move(*expected);
}

// LLVM's scheduler compares each store of a chunk with the accesses before it, up to this many: a
// time that grows with their square, for an order that is the schedule's already. By LLVM's own
// limit, 1000, half of the compilation of a step with a thousand responses went there.
void shorten_regions() {
  constexpr unsigned most_accesses = 200;
  const auto& options = llvm::cl::getRegisteredOptions();
  const auto found = options.find("dag-maps-huge-region");
  if (found == options.end()) return;  // a version of LLVM without it takes longer
  static_cast<llvm::cl::opt<unsigned>*>(found->second)->setValue(most_accesses);
}

void initialise_llvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    shorten_regions();
  });
}

// NOTE: the processor is named by its instruction set alone, not by the host's model, so that every
// machine with as many lanes runs the same code and gets the same bits.
const char* processor(std::size_t lanes) {
  switch (lanes) {
    case 8:
      return "x86-64-v4";
    case 4:
      return "x86-64-v3";
    default:
      return "x86-64";
  }
}

llvm::orc::JITTargetMachineBuilder target_machine_builder(std::size_t lanes) {
  initialise_llvm();
  llvm::orc::JITTargetMachineBuilder builder{llvm::Triple(llvm::sys::getProcessTriple())};
  builder.setCPU(processor(lanes));
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeModel(llvm::CodeModel::Small);
  builder.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return builder;
}

std::unique_ptr<llvm::TargetMachine> target_machine(std::size_t lanes) {
  return require(target_machine_builder(lanes).createTargetMachine());
}

std::size_t chunk_count(const Schedule& schedule) {
  return schedule.step_chunks.size() + schedule.path_chunks.size();
}

using Object = std::unique_ptr<llvm::MemoryBuffer>;

Object compile(const Schedule& schedule, std::size_t lanes, std::size_t begin, std::size_t end) {
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(lanes);
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = emit_module(context, schedule, lanes, begin, end);
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple().str());
  return require(llvm::orc::SimpleCompiler(*machine)(*module));
}

// The chunks in equal shares, one thread each.
std::vector<Object> compile(const Schedule& schedule, std::size_t lanes) {
  const std::size_t chunks = chunk_count(schedule);
  const std::size_t shares =
      std::clamp<std::size_t>(chunks / chunks_worth_a_thread, 1, threads_or_cores(0));
  std::vector<Object> objects(shares);
  std::vector<std::exception_ptr> failures(shares);
  const auto work = [&](std::size_t share) {
    try {
      objects[share] =
          compile(schedule, lanes, chunks * share / shares, chunks * (share + 1) / shares);
    } catch (...) {
      failures[share] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t share = 1; share < shares; ++share) helpers.emplace_back(work, share);
    work(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return objects;
}

llvm::orc::SymbolMap function_symbols(llvm::orc::LLJIT& jit, std::size_t lanes) {
  llvm::orc::SymbolMap symbols;
  for (const VectorFunction& function : vector_functions(lanes)) {
    symbols[jit.mangleAndIntern(function.symbol)] = {
        llvm::orc::ExecutorAddr::fromPtr(function.address), llvm::JITSymbolFlags::Exported};
  }
  // SSE2 has no instruction for it, so that LLVM calls the C library.
  symbols[jit.mangleAndIntern("floor")] = {
      llvm::orc::ExecutorAddr::fromPtr(static_cast<double (*)(double)>(std::floor)),
      llvm::JITSymbolFlags::Exported};
  return symbols;
}

}  // namespace

struct NativeCode::Session {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

NativeCode::NativeCode(const Schedule& schedule, std::size_t lanes)
    : session_(std::make_unique<Session>()) {
  std::vector<Object> objects = compile(schedule, lanes);
  session_->jit = require(llvm::orc::LLJITBuilder()
                              .setJITTargetMachineBuilder(target_machine_builder(lanes))
                              .setLinkProcessSymbolsByDefault(false)
                              .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                              .create());
  llvm::orc::LLJIT& jit = *session_->jit;
  require(jit.getMainJITDylib().define(llvm::orc::absoluteSymbols(function_symbols(jit, lanes))));
  for (Object& object : objects) require(jit.addObjectFile(std::move(object)));
  const auto look_up = [&jit](Rate rate, std::size_t number) {
    return require(jit.lookup(chunk_name(rate, number))).toPtr<ChunkFunction>();
  };
  for (std::size_t i = 0; i < schedule.step_chunks.size(); ++i) {
    step_chunks_.push_back(look_up(Rate::step, i));
  }
  for (std::size_t i = 0; i < schedule.path_chunks.size(); ++i) {
    path_chunks_.push_back(look_up(Rate::path, i));
  }
}

NativeCode::~NativeCode() = default;

std::size_t native_lanes() {
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  const auto has = [&features](std::initializer_list<const char*> names) {
    return std::ranges::all_of(names, [&](const char* name) { return features.lookup(name); });
  };
  if (!has({"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe"})) return 2;
  return has({"avx512f", "avx512dq", "avx512bw", "avx512cd", "avx512vl"}) ? 8 : 4;
}

std::string llvm_ir(const Schedule& schedule, std::size_t lanes) {
  llvm::LLVMContext context;
  std::string text;
  llvm::raw_string_ostream stream(text);
  emit_module(context, schedule, lanes, 0, chunk_count(schedule))->print(stream, nullptr);
  return text;
}

std::string assembly(const Schedule& schedule, std::size_t lanes) {
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(lanes);
  llvm::LLVMContext context;
  const auto module = emit_module(context, schedule, lanes, 0, chunk_count(schedule));
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple().str());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile)) {
    throw Error(ErrorKind::numerical, "LLVM has no assembly printer for this machine.");
  }
  passes.run(*module);
  return text.str().str();
}

}  // namespace divker::jit
