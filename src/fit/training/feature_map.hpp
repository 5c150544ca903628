// Functions of what is observed, by whose means a law is known.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "divker/matrix.hpp"
#include "fit/instrument.hpp"

namespace divker::fit {

// Of coordinates in units of the data's deviation, held within eight of them: themselves, their
// squares, products of two where there is room, and cosines and sines along random directions of up
// to three coordinates, with wave numbers from 1/2 to 8, evenly in their logarithm (Rahimi and
// Recht, NIPS 2007).
class FeatureMap {
 public:
  // Of the data's values, n x d, about `count` features, the same for the same d and count.
  FeatureMap(const Matrix& values, std::size_t count);
  [[nodiscard]] std::size_t size() const;
  // points x features, `begin` to `end` of the points.
  [[nodiscard]] RowMajor at(const Matrix& points, std::size_t begin, std::size_t end) const;
  // All points, by threads.
  [[nodiscard]] RowMajor at(const Matrix& points, std::size_t threads) const;

 private:
  Eigen::RowVectorXd mean_, scale_;                           // of the data
  std::vector<std::pair<Eigen::Index, Eigen::Index>> pairs_;  // products of two
  Eigen::MatrixXd waves_;                                     // d x number
};

}  // namespace divker::fit
