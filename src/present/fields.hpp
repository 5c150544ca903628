// The fields of answers: what the command prints with --json and Python hands out as dictionaries,
// by the same names and in the same order.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "divker/fit.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/record.hpp"
#include "present/operations.hpp"

namespace divker::present {

// Values by name, in order.
class Fields {
 public:
  using Value =
      std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<bool>,
                   std::vector<std::size_t>, std::vector<double>, std::vector<std::string>, Matrix,
                   std::vector<Fields>, std::shared_ptr<const Fields>>;
  struct Field {
    std::string key;
    Value value;
  };

  template <class Given>
  void set(std::string key, Given value) {
    if constexpr (std::same_as<Given, bool>) {
      add(std::move(key), Value(value));
    } else if constexpr (std::unsigned_integral<Given>) {
      add(std::move(key), Value(std::uint64_t{value}));
    } else if constexpr (std::signed_integral<Given>) {
      add(std::move(key), Value(std::int64_t{value}));
    } else {
      add(std::move(key), Value(std::move(value)));
    }
  }
  // A list of objects, each made by fill(object, row).
  template <class Row, class Fill>
  void list(std::string key, const std::vector<Row>& rows, const Fill& fill) {
    std::vector<Fields> all(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) fill(all[i], rows[i]);
    add(std::move(key), Value(std::move(all)));
  }
  // One object, made by fill(object).
  template <class Fill>
  void object(std::string key, const Fill& fill) {
    auto one = std::make_shared<Fields>();
    fill(*one);
    add(std::move(key), Value(std::shared_ptr<const Fields>(std::move(one))));
  }
  // Those of the other behind these.
  void append(const Fields& other);

  [[nodiscard]] const std::vector<Field>& all() const { return all_; }

 private:
  void add(std::string key, Value value);

  std::vector<Field> all_;
};

namespace fields {

// Of every answer: damping, seed, paths, how they went, method, time grid, version, model.
void run(Fields& o, const Model& model, const RunRecord& record);
// How an answer was made, beyond what every run says: files keep it as attributes too.
void method(Fields& o, const RunRecord& record);
// Of a model, without an answer.
void show(Fields& o, const Model& model, const std::vector<OperationCount>& counts);
// Two lists of numbers: values and their standard errors.
void estimates(Fields& o, const std::vector<Estimate>& all, const std::string& value,
               const std::string& error);
// All of a fit but the samples that it compares.
void fitted(Fields& o, const FitResult& result);
// The samples that goodness() compared: all rows of the data, and at most so many of the model.
void marginals(Fields& o, const FitResult& result, std::size_t most);

}  // namespace fields
}  // namespace divker::present
