foreach(module text duration lookup orders print add invocation lines)
  tutti_unit_test(ctl ${module})
endforeach()
