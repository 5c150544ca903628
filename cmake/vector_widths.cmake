# What is written in vectors, random numbers and inverses of matrices, is compiled for each
# instruction set alone; src/numbers/random.cpp picks the best one that the machine has,
# src/numbers/inverse.cpp that of the kernel's lanes. No contraction: a number must not depend on
# where it is inlined.
set(vector_folder ${CMAKE_CURRENT_SOURCE_DIR}/src/numbers)
set(vector_flags -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math)
set_source_files_properties(${vector_folder}/random_sse2.cpp ${vector_folder}/inverse_sse2.cpp
  PROPERTIES COMPILE_OPTIONS "${vector_flags}")
set_source_files_properties(${vector_folder}/random_avx2.cpp ${vector_folder}/inverse_avx2.cpp
  PROPERTIES COMPILE_OPTIONS "${vector_flags};-mavx2;-mfma;-mtune=haswell")
set_source_files_properties(${vector_folder}/random_avx512.cpp ${vector_folder}/inverse_avx512.cpp
  PROPERTIES COMPILE_OPTIONS
  "${vector_flags};-mavx512f;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512;-mtune=icelake-server;-Wno-maybe-uninitialized")
