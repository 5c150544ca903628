// The command `divker`: scores, responses and samples of stochastic differential equations.
#include "command_line.hpp"

int main(int argc, char** argv) { return divker::app::leave_ranks(divker::app::run(argc, argv)); }
