# cmake -DFOLDER=runtime/page -DOUTPUT=FILE -P EmbedPage.cmake: writes the page's style and scripts
# as C++ strings. A raw string ends at its delimiter, so no file may hold that.
set(delimiter esper_page)
set(scripts text.js chart.js timeline.js sections.js people.js main.js)

function(embed name)
  set(code "std::string_view ${name}() {\n  return R\"${delimiter}(")
  foreach(file IN LISTS ARGN)
    file(READ ${FOLDER}/${file} text)
    string(FIND "${text}" ")${delimiter}\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${file} holds the delimiter ${delimiter}")
    endif()
    string(APPEND code "${text}")
  endforeach()
  string(APPEND code ")${delimiter}\";\n}\n\n")
  set(embedded "${embedded}${code}" PARENT_SCOPE)
endfunction()

embed(page_style page.css)
embed(page_script ${scripts})
file(WRITE ${OUTPUT}
  "#include \"runtime/page_parts.hpp\"\n\nnamespace esper {\n\n${embedded}}  // namespace esper\n")
