#include "lorenz96_vector.hpp"

namespace divker::reference {

void lorenz96_steps_portable(const Lorenz96Constants& constants, const double* normals,
                             std::size_t steps, Lorenz96Block& block) {
  all_steps(constants, normals, steps, block);
}

}  // namespace divker::reference
