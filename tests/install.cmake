# Installs into a scratch prefix, moves it, and uses it from outside: as a CMake package and as a
# command. Moving shows that nothing but the prefix is remembered.
foreach(name build source scratch generator compiler bindir datadir)
  if(NOT DEFINED ${name})
    message(FATAL_ERROR "install.cmake: -D ${name}=... is missing.")
  endif()
endforeach()

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "failed (${status}): ${line}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# The models must come from the prefix, not from the source tree.
unset(ENV{DIVKER_MODELS})
unset(ENV{DESTDIR})
unset(ENV{LD_LIBRARY_PATH})

set(flags "")
if(sanitize)
  set(flags "-fsanitize=${sanitize}")
endif()

file(REMOVE_RECURSE ${scratch})
file(MAKE_DIRECTORY ${scratch})
run(${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/first)
file(RENAME ${scratch}/first ${scratch}/prefix)

run(${CMAKE_COMMAND} -S ${source} -B ${scratch}/outside -G ${generator}
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_FLAGS=${flags} -D CMAKE_BUILD_TYPE=Release
  -D CMAKE_PREFIX_PATH=${scratch}/prefix)
run(${CMAKE_COMMAND} --build ${scratch}/outside)
run(${scratch}/outside/outside)

# A model that only the moved prefix holds is listed: the models come from there.
set(command ${scratch}/prefix/${bindir}/divker)
if(EXISTS ${command})
  file(WRITE ${scratch}/prefix/${datadir}/divker/models/only_here.sde
    "model only_here\nstate x\ndx = -x dt + 1 dW\ninit x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n")
  run(${command} --version)
  run(${command} models)
  if(NOT output MATCHES "only_here")
    message(FATAL_ERROR "the installed command does not list the installed models:\n${output}")
  endif()
endif()
