# What `find_package(memlane)` finds: the targets memlane::memlane, the shared library, and memlane::static.
# Paths are relative to this file, so that an installed prefix can be moved.
if(NOT DEFINED memlane_PREFIX)
  get_filename_component(memlane_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
endif()

if(NOT TARGET memlane::memlane)
  add_library(memlane::memlane SHARED IMPORTED GLOBAL)
  set_target_properties(
    memlane::memlane
    PROPERTIES IMPORTED_LOCATION "${memlane_PREFIX}/lib/libmemlane.so.0"
               IMPORTED_SONAME "libmemlane.so.0"
               INTERFACE_INCLUDE_DIRECTORIES "${memlane_PREFIX}/include")

  add_library(memlane::static STATIC IMPORTED GLOBAL)
  set_target_properties(
    memlane::static
    PROPERTIES IMPORTED_LOCATION "${memlane_PREFIX}/lib/libmemlane.a"
               INTERFACE_INCLUDE_DIRECTORIES "${memlane_PREFIX}/include"
               INTERFACE_LINK_LIBRARIES "pthread;dl;m")

  # memlane.hpp is C++17; a project in C alone knows no such feature.
  get_property(memlane_LANGUAGES GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST memlane_LANGUAGES)
    set_property(TARGET memlane::memlane memlane::static PROPERTY INTERFACE_COMPILE_FEATURES cxx_std_17)
  endif()
endif()
