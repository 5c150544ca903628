// Drift and noise of a model at many points: what flows and reverse-time sampling are made of.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "arrays.hpp"
#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "divker/model.hpp"
#include "divker/model_function.hpp"
#include "module.hpp"

namespace divker::python {
namespace {

// F, the entries of S, the entries of D = S S^T, and div D with (div D)_i = sum_j d_j D_ij.
class Fields {
 public:
  explicit Fields(const Model& model)
      : model_(model), graph_(std::make_shared<Graph>(*model_.graph())) {
    if (model_.dynamics() == Dynamics::map) {
      throw Error(ErrorKind::usage,
                  fmt::format("Model {} is a discrete-time map: it has no drift and no flow.",
                              model_.name()));
    }
    const std::size_t states = model_.dimension();
    const std::size_t motions = model_.noise_count();
    const Expression zero = graph_->constant(0.0);
    std::vector<Expression> noise(states * motions, zero);
    for (const NoiseEntry& entry : model_.noise()) {
      noise[entry.row * motions + entry.column] = graph_->at(entry.amplitude);
    }
    std::vector<Expression> covariance(states * states, zero);
    for (std::size_t i = 0; i < states; ++i) {
      for (std::size_t j = 0; j < states; ++j) {
        Expression& entry = covariance[i * states + j];
        for (std::size_t k = 0; k < motions; ++k) {
          entry = entry + noise[i * motions + k] * noise[j * motions + k];
        }
      }
    }
    drift_ = model_.drift();
    for (std::size_t i = 0; i < states; ++i) {
      Expression divergence = zero;
      for (std::size_t j = 0; j < states; ++j) {
        divergence = divergence +
                     derivative(covariance[i * states + j], graph_->at(model_.states()[j].node));
      }
      divergence_.push_back(divergence.id());
    }
    for (const Expression& entry : noise) noise_.push_back(entry.id());
    for (const Expression& entry : covariance) covariance_.push_back(entry.id());
  }

  [[nodiscard]] py::array drift(double time, const py::object& x) const {
    return evaluate(drift_, time, x, {});
  }
  [[nodiscard]] py::array divergence(double time, const py::object& x) const {
    return evaluate(divergence_, time, x, {});
  }
  [[nodiscard]] py::array noise(double time, const py::object& x) const {
    const auto motions = static_cast<py::ssize_t>(model_.noise_count());
    return evaluate(noise_, time, x, {static_cast<py::ssize_t>(model_.dimension()), motions});
  }
  [[nodiscard]] py::array covariance(double time, const py::object& x) const {
    const auto states = static_cast<py::ssize_t>(model_.dimension());
    return evaluate(covariance_, time, x, {states, states});
  }

 private:
  // One row a point; a row is of the given shape, or a list.
  [[nodiscard]] py::array evaluate(const std::vector<NodeId>& roots, double time,
                                   const py::object& x, std::vector<py::ssize_t> shape) const {
    const Matrix points = to_matrix(x, model_.dimension(), "x");
    std::vector<double> rows;
    {
      const py::gil_scoped_release unlocked;
      const auto values = ModelFunction(model_, graph_, roots).at_rows({&time, 1}, points);
      rows.resize(points.rows * roots.size());
      for (std::size_t c = 0; c < roots.size(); ++c) {
        for (std::size_t r = 0; r < points.rows; ++r) rows[r * roots.size() + c] = values[c][r];
      }
    }
    if (shape.empty()) shape = {static_cast<py::ssize_t>(roots.size())};
    shape.insert(shape.begin(), static_cast<py::ssize_t>(points.rows));
    return adopt(std::move(rows), std::move(shape));
  }

  Model model_;
  std::shared_ptr<Graph> graph_;
  std::vector<NodeId> drift_, divergence_, noise_, covariance_;
};

}  // namespace

void add_fields(py::module_& module) {
  py::class_<Fields>(module, "Fields")
      .def(py::init<const Model&>())
      .def("drift", &Fields::drift)
      .def("divergence", &Fields::divergence)
      .def("noise", &Fields::noise)
      .def("covariance", &Fields::covariance);
}

}  // namespace divker::python
