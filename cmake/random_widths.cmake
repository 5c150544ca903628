# Each instruction set's random numbers are compiled for it alone; src/ensemble/random.cpp picks the
# best one that the machine has. No contraction: a number must not depend on where it is inlined.
set(random_folder ${CMAKE_CURRENT_SOURCE_DIR}/src/ensemble)
set(random_flags -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math)
set_source_files_properties(${random_folder}/random_sse2.cpp
  PROPERTIES COMPILE_OPTIONS "${random_flags}")
set_source_files_properties(${random_folder}/random_avx2.cpp
  PROPERTIES COMPILE_OPTIONS "${random_flags};-mavx2;-mfma;-mtune=haswell")
set_source_files_properties(${random_folder}/random_avx512.cpp
  PROPERTIES COMPILE_OPTIONS
  "${random_flags};-mavx512f;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512;-mtune=icelake-server;-Wno-maybe-uninitialized")
